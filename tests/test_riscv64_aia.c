/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* riscv64: the AIA in the kernel: its places, its wires, its messages. Needs a working /dev/kvm. */
#include <errno.h>
#include <linux/kvm.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "event.h"
#include "resources.h"
#include "riscv64_guest.h"
#include "suite.h"

static struct guest guest;

#define PAGE 0x1000u
#define APLIC 0x0c000000u
#define APLIC_SIZE 0x4000u
#define IMSIC 0x28000000u
#define SOURCES 96u
#define IDS 255u
/*
 * An IMSIC emulated by KVM loses the upper half of a value written to a 64-bit register: the guest
 * cannot enable the identities there.
 */
#define ENABLED 31u

static struct axvm_config kernel_config(const struct axvm_riscv64_config *riscv)
{
	struct axvm_config config = AXVM_CONFIG_INIT;

	config.irqchip = AXVM_IRQCHIP_KERNEL;
	config.arch_config = riscv;
	config.max_vcpus = 4;
	return config;
}

static void expect_message(uint64_t identity)
{
	guest_expect_write(&guest, GUEST_MMIO + 8, identity);
}

/* The AIA of a guest that is set up and runs "imsic". */
static void expect_it_works(void)
{
	ck_ok(axvcpu_bind(guest.vcpu));
	guest_expect_write(&guest, GUEST_MMIO, 0);
	ck_ok(axvcpu_inject_interrupt(guest.vcpu, 5));
	expect_message(5);
}

static void refused(const struct axvm_riscv64_config *riscv, int err, const char *text)
{
	struct axvm_config config = kernel_config(riscv);

	guest_expect_refused(&config, err, text);
}

/* --- without an AIA --------------------------------------------------------------------------- */

START_TEST(a_host_without_an_aia_says_so)
{
	refused(NULL, ENOTSUP, "AIA");
}
END_TEST

/* --- places ----------------------------------------------------------------------------------- */

START_TEST(invalid_addresses_are_refused_with_a_reason)
{
	const struct axvm_riscv64_config plain = AXVM_RISCV64_CONFIG_INIT;
	struct axvm_riscv64_config riscv = plain;

	riscv.aplic_gpa = APLIC + 0x100;
	refused(&riscv, EINVAL, "aplic_gpa 0xc000100 is not aligned");
	riscv.aplic_gpa = UINT64_C(0xfffffffffffff000);
	refused(&riscv, EINVAL, "aplic_gpa 0xfffffffffffff000 wraps");
	riscv.aplic_gpa = UINT64_C(1) << 60;
	refused(&riscv, EINVAL, "beyond the");
	riscv = plain;
	/* A page each for four. */
	riscv.imsic_gpa = IMSIC + PAGE;
	refused(&riscv, EINVAL, "imsic_gpa 0x28001000 is not aligned to 0x4000");
	riscv.imsic_gpa = UINT64_C(0xffffffffffffc000);
	refused(&riscv, EINVAL, "wraps");
	riscv.imsic_gpa = UINT64_C(1) << 60;
	refused(&riscv, EINVAL, "beyond the");
	riscv = plain;
	riscv.imsic_gpa = APLIC;
	refused(&riscv, EINVAL, "overlaps the IMSICs");
	riscv.aplic_gpa = APLIC + 3 * PAGE;
	refused(&riscv, EINVAL, "overlaps the IMSICs");
}
END_TEST

START_TEST(invalid_numbers_are_refused_with_a_reason)
{
	const struct axvm_riscv64_config plain = AXVM_RISCV64_CONFIG_INIT;
	struct axvm_riscv64_config riscv = plain;

	riscv.mode = 3;
	refused(&riscv, EINVAL, "mode 3");
	riscv = plain;
	riscv.ids = 64;
	refused(&riscv, EINVAL, "ids is 64");
	riscv.ids = 2111;
	refused(&riscv, EINVAL, "ids is 2111");
	riscv = plain;
	riscv.sources = 256;
	refused(&riscv, EINVAL, "sources is 256");
	riscv.ids = 2047;
	riscv.sources = 1024;
	refused(&riscv, EINVAL, "sources is 1024");
	riscv = plain;
	riscv.hart_bits = 1;
	refused(&riscv, EINVAL, "4 vCPUs need 2");
	riscv.hart_bits = 16;
	refused(&riscv, EINVAL, "hart_bits is 16");
	riscv = plain;
	riscv.size = 4;
	refused(&riscv, EINVAL, "struct axvm_riscv64_config");
}
END_TEST

START_TEST(an_aia_in_a_vm_without_one_is_refused)
{
	struct axvm_riscv64_config riscv = AXVM_RISCV64_CONFIG_INIT;
	struct axvm_config config = AXVM_CONFIG_INIT;
	struct axvm *vm = NULL;

	config.arch_config = &riscv;
	ck_ok(axvm_new(&config, &vm));
	ck_ok(axvm_free(vm));
	riscv.sources = 5;
	guest_expect_refused(&config, EINVAL, "AXVM_IRQCHIP_KERNEL");
}
END_TEST

/* KVM reports whether the host's IMSICs have guest files. */
START_TEST(hardware_files_are_there_or_refused_by_name)
{
	struct axvm_riscv64_config riscv = AXVM_RISCV64_CONFIG_INIT;
	struct axvm_config config = kernel_config(&riscv);
	struct resources before;
	struct axvm *vm = NULL;
	int ret;

	riscv.mode = AXVM_RISCV64_AIA_HWACCEL;
	resources_read(&before);
	ret = axvm_new(&config, &vm);
	if (ret) {
		ck_assert_int_eq(ret, -ENOTSUP);
		ck_assert_ptr_nonnull(strstr(axvcpu_last_error(), "AXVM_RISCV64_AIA_HWACCEL"));
		ck_assert_ptr_null(vm);
		resources_expect(&before, "AXVM_RISCV64_AIA_HWACCEL");
	} else {
		ck_ok(axvm_free(vm));
	}
}
END_TEST

static int map(struct axvm *vm, uint64_t gpa, uint64_t len)
{
	struct axvm_region region = AXVM_REGION_INIT;

	region.gpa = gpa;
	region.len = len;
	return axvm_map(vm, &region);
}

START_TEST(memory_over_a_controller_is_refused)
{
	struct axvm_config config = kernel_config(NULL);
	struct axvm *vm = NULL;

	ck_ok(axvm_new(&config, &vm));
	ck_fails_saying(map(vm, APLIC, PAGE), EEXIST, "APLIC");
	ck_fails_saying(map(vm, APLIC + APLIC_SIZE - PAGE, PAGE), EEXIST, "APLIC");
	ck_fails_saying(map(vm, APLIC - PAGE, 2 * PAGE), EEXIST, "APLIC");
	ck_fails_saying(map(vm, IMSIC + 3 * PAGE, 2 * PAGE), EEXIST, "IMSICs");
	ck_fails_saying(map(vm, 0, 0x30000000), EEXIST, "overlaps");
	ck_ok(map(vm, APLIC - PAGE, PAGE));
	ck_ok(map(vm, APLIC + APLIC_SIZE, PAGE));
	ck_ok(map(vm, IMSIC + 4 * PAGE, PAGE));
	/* And after the last vCPU, too. */
	ck_ok(axvm_finalize(vm));
	ck_fails_saying(map(vm, IMSIC, PAGE), EEXIST, "IMSICs");
	ck_ok(axvm_free(vm));
	/* Nothing is there without one. */
	ck_ok(axvm_new(NULL, &vm));
	ck_ok(map(vm, APLIC, PAGE));
	ck_ok(map(vm, IMSIC, PAGE));
	ck_ok(axvm_free(vm));
}
END_TEST

START_TEST(it_takes_nothing_before_the_vm_is_finalized)
{
	const struct axvm_route route = { .gsi = 5, .kind = AXVM_ROUTE_PIN, .u.pin = { 0, 5 } };
	const struct axvm_msi msi = { .address = IMSIC, .data = 1 };
	struct axvm_config config = kernel_config(NULL);
	struct axvm_irqfd irqfd = AXVM_IRQFD_INIT;

	irqfd.gsi = 5;
	irqfd.fd = event_new();
	guest_create(&guest, &config, PROGRAM(imsic));
	guest_setup(&guest, AXVCPU_MODE_64);
	ck_fails_saying(axvm_set_irqfd(guest.vm, &irqfd), EBUSY, "axvm_finalize");
	ck_fails_saying(axvm_set_irq_line(guest.vm, 5, true), EBUSY, "axvm_finalize");
	ck_fails_saying(axvm_signal_msi(guest.vm, &msi), EBUSY, "axvm_finalize");
	ck_fails_saying(axvm_set_routes(guest.vm, &route, 1), EBUSY, "axvm_finalize");
	ck_fails_saying(axvm_add_route(guest.vm, &route), EBUSY, "axvm_finalize");
	ck_fails_saying(axvcpu_inject_interrupt(guest.vcpu, 1), EBUSY, "axvm_finalize");
	ck_ok(axvm_finalize(guest.vm));
	ck_ok(axvm_finalize(guest.vm));
	ck_ok(axvm_set_irq_line(guest.vm, 5, true));
	ck_assert_int_eq(axvm_signal_msi(guest.vm, &msi), 1);
	ck_ok(axvm_set_routes(guest.vm, &route, 1));
	ck_ok(axvcpu_inject_interrupt(guest.vcpu, 1));
	ck_ok(axvm_set_irqfd(guest.vm, &irqfd));
	guest_end(&guest);
	close(irqfd.fd);
}
END_TEST

/* Past the library: KVM has one already. */
START_TEST(there_is_one_aia)
{
	struct kvm_create_device device = { .type = KVM_DEV_TYPE_RISCV_AIA };
	struct axvm_config config = kernel_config(NULL);

	guest_create(&guest, &config, PROGRAM(imsic));
	ck_assert_int_eq(ioctl(axvm_fd(guest.vm), KVM_CREATE_DEVICE, &device), -1);
	ck_assert_int_eq(errno, EEXIST);
	/* And that one is as it was. */
	guest_setup(&guest, AXVCPU_MODE_64);
	ck_ok(axvm_finalize(guest.vm));
	expect_it_works();
	guest_end(&guest);
}
END_TEST

START_TEST(a_vcpu_after_the_last_one_is_refused)
{
	struct axvm_config config = kernel_config(NULL);
	struct axvcpu_config second = AXVCPU_CONFIG_INIT;
	struct axvcpu *vcpu = NULL;

	guest_start_with(&guest, &config, AXVCPU_MODE_64, PROGRAM(imsic));
	guest_expect_write(&guest, GUEST_MMIO, 0);
	second.id = 1;
	ck_fails(axvcpu_new(guest.vm, &second, &vcpu), EBUSY);
	guest_end(&guest);
}
END_TEST

/* --- messages --------------------------------------------------------------------------------- */

START_TEST(a_message_of_each_identity_arrives)
{
	struct axvm_config config = kernel_config(NULL);

	guest_start_with(&guest, &config, AXVCPU_MODE_64, PROGRAM(imsic));
	guest_expect_write(&guest, GUEST_MMIO, 0);
	for (uint32_t identity = 1; identity <= ENABLED; identity++) {
		const struct axvm_msi msi = { .address = IMSIC, .data = identity };

		ck_ok(axvcpu_inject_interrupt(guest.vcpu, identity));
		expect_message(identity);
		ck_assert_int_eq(axvm_signal_msi(guest.vm, &msi), 1);
		expect_message(identity);
	}
	/* They wait in order of their number. */
	ck_ok(axvcpu_inject_interrupt(guest.vcpu, 9));
	ck_ok(axvcpu_inject_interrupt(guest.vcpu, 3));
	expect_message(3);
	expect_message(9);
	guest_end(&guest);
}
END_TEST

START_TEST(messages_without_a_target_are_reported_or_refused)
{
	struct axvm_config config = kernel_config(NULL);
	struct axvm_msi msi = { .address = IMSIC + PAGE, .data = 1 };

	guest_start_with(&guest, &config, AXVCPU_MODE_64, PROGRAM(imsic));
	guest_expect_write(&guest, GUEST_MMIO, 0);
	/* The second hart is not there, and nothing at all elsewhere. */
	ck_assert_int_eq(axvm_signal_msi(guest.vm, &msi), 0);
	msi.address = APLIC;
	ck_assert_int_eq(axvm_signal_msi(guest.vm, &msi), 0);
	msi.address = IMSIC - PAGE;
	ck_assert_int_eq(axvm_signal_msi(guest.vm, &msi), 0);
	msi = (struct axvm_msi){ .address = IMSIC, .data = 1, .device = 1 };
	ck_fails(axvm_signal_msi(guest.vm, &msi), EINVAL);
	ck_fails_saying(axvcpu_inject_interrupt(guest.vcpu, 0), EINVAL, "identity 0");
	ck_fails_saying(axvcpu_inject_interrupt(guest.vcpu, IDS + 1), EINVAL, "identity 256");
	ck_ok(axvcpu_inject_interrupt(guest.vcpu, IDS));
	/* The line is the IMSIC's. */
	ck_fails_saying(axvcpu_set_irq_line(guest.vcpu, 0, true), ENOTSUP, "IMSIC");
	guest_end(&guest);
}
END_TEST

START_TEST(callers_addresses_and_numbers_are_used)
{
	struct axvm_riscv64_config riscv = AXVM_RISCV64_CONFIG_INIT;
	struct axvm_config config = kernel_config(&riscv);
	struct axvm_msi msi = { .address = 0x30000000, .data = ENABLED };

	riscv.aplic_gpa = 0x20000000;
	riscv.imsic_gpa = 0x30000000;
	riscv.mode = AXVM_RISCV64_AIA_EMUL;
	riscv.ids = 63;
	riscv.sources = 10;
	riscv.hart_bits = 5;
	guest_start_with(&guest, &config, AXVCPU_MODE_64, PROGRAM(imsic));
	guest_expect_write(&guest, GUEST_MMIO, 0);
	ck_assert_int_eq(axvm_signal_msi(guest.vm, &msi), 1);
	expect_message(ENABLED);
	ck_fails_saying(axvcpu_inject_interrupt(guest.vcpu, 64), EINVAL, "1 to 63");
	ck_fails_saying(axvm_set_irq_line(guest.vm, 11, true), EINVAL, "1 to 10");
	ck_ok(map(guest.vm, IMSIC, PAGE));
	guest_end(&guest);
}
END_TEST

static struct axvcpu *others[4];

/* KVM numbers IMSICs by the order of creation, harts by their ids. */
START_TEST(messages_go_to_the_hart_in_whatever_order_they_were_made)
{
	struct axvm_config config = kernel_config(NULL);

	guest.vm = guest_vm(&config, PROGRAM(imsic));
	for (uint32_t id = 4; id-- > 0;)
		others[id] = guest_vcpu(guest.vm, id, 0);
	for (uint32_t id = 0; id < 4; id++) {
		const struct axvm_msi msi = { .address = IMSIC + id * PAGE, .data = 10 + id };

		guest.vcpu = others[id];
		ck_ok(axvcpu_bind(guest.vcpu));
		if (id)
			ck_ok(axvcpu_start(guest.vcpu, GUEST_CODE, 0));
		guest_expect_write(&guest, GUEST_MMIO, 0);
		ck_assert_int_eq(axvm_signal_msi(guest.vm, &msi), 1);
		expect_message((uint64_t)id << 32 | (10 + id));
		ck_ok(axvcpu_inject_interrupt(guest.vcpu, 20 + id));
		expect_message((uint64_t)id << 32 | (20 + id));
		ck_ok(axvcpu_unbind(guest.vcpu));
	}
	/* To a set of them at once. */
	ck_fails_saying(axvm_inject_interrupt(guest.vm, &(uint64_t){ 1 << 4 }, 1, 25), ENOENT,
			"no vCPU 4");
	ck_ok(axvm_inject_interrupt(guest.vm, &(uint64_t){ 1 << 1 | 1 << 3 }, 1, 25));
	for (uint32_t id = 1; id < 4; id += 2) {
		guest.vcpu = others[id];
		ck_ok(axvcpu_bind(guest.vcpu));
		expect_message((uint64_t)id << 32 | 25);
		ck_ok(axvcpu_unbind(guest.vcpu));
	}
	for (uint32_t id = 1; id < 4; id++)
		ck_ok(axvcpu_free(others[id]));
	guest.vcpu = others[0];
	guest_end(&guest);
}
END_TEST

/* KVM keeps it forever, and requires an address for it. */
START_TEST(freed_vcpu_does_not_block_the_aia)
{
	struct axvm_config config = kernel_config(NULL);
	struct axvcpu_config third = AXVCPU_CONFIG_INIT;
	struct axvcpu *vcpu = NULL;

	guest_create(&guest, &config, PROGRAM(imsic));
	third.id = 2;
	ck_ok(axvcpu_new(guest.vm, &third, &vcpu));
	ck_ok(axvcpu_free(vcpu));
	guest_setup(&guest, AXVCPU_MODE_64);
	expect_it_works();
	guest_end(&guest);
}
END_TEST

START_TEST(one_hart_sends_another_a_message_without_an_exit)
{
	struct axvm_config config = kernel_config(NULL);
	struct axvcpu_setup_config setup = guest_setup_config(1);
	struct axvcpu_config second = AXVCPU_CONFIG_INIT;
	struct axvcpu *sender = NULL;

	guest.vm = guest_vm(&config, PROGRAM(imsic));
	ck_ok(axvm_write(guest.vm, GUEST_BASE + 0x2000, PROGRAM(ipi)));
	guest.vcpu = guest_vcpu(guest.vm, 0, 0);
	second.id = 1;
	ck_ok(axvcpu_new(guest.vm, &second, &sender));
	setup.arg = IMSIC;
	ck_ok(axvcpu_setup(sender, GUEST_BASE + 0x2000, 0, &setup));
	ck_ok(axvcpu_reset(sender, GUEST_BASE + 0x2000, IMSIC));
	ck_ok(axvcpu_bind(guest.vcpu));
	guest_expect_write(&guest, GUEST_MMIO, 0);
	ck_ok(axvcpu_unbind(guest.vcpu));
	ck_ok(axvcpu_bind(sender));
	do
		ck_ok(axvcpu_run(sender, &guest.exit));
	while (guest.exit.kind == AXVCPU_EXIT_NOTHING);
	ck_assert_uint_eq(guest.exit.kind, AXVCPU_EXIT_MMIO_WRITE);
	ck_assert_uint_eq(guest.exit.u.mmio.addr, GUEST_MMIO);
	ck_ok(axvcpu_unbind(sender));
	ck_ok(axvcpu_free(sender));
	ck_ok(axvcpu_bind(guest.vcpu));
	expect_message(30);
	guest_end(&guest);
}
END_TEST

struct storm {
	unsigned int count;
	atomic_uint taken;
};

static void *make_storm(void *ctx)
{
	struct storm *storm = ctx;

	for (unsigned int i = 0; i < storm->count; i++) {
		while (atomic_load(&storm->taken) != i)
			sched_yield();
		ck_ok(axvcpu_inject_interrupt(guest.vcpu, 1 + i % ENABLED));
	}
	return NULL;
}

START_TEST(storm_of_messages_loses_none)
{
	struct axvm_config config = kernel_config(NULL);
	struct storm storm = { .count = suite_scale(20000) };
	pthread_t thread;

	guest_start_with(&guest, &config, AXVCPU_MODE_64, PROGRAM(imsic));
	guest_expect_write(&guest, GUEST_MMIO, 0);
	ck_assert_int_eq(pthread_create(&thread, NULL, make_storm, &storm), 0);
	for (unsigned int i = 0; i < storm.count; i++) {
		expect_message(1 + i % ENABLED);
		/* The kernel delivered it: no thread was kicked. */
		ck_assert_uint_eq(guest.exit.kicked, 0);
		atomic_store(&storm.taken, i + 1);
	}
	ck_assert_int_eq(pthread_join(thread, NULL), 0);
	guest_end(&guest);
}
END_TEST

/* --- wires ------------------------------------------------------------------------------------ */

static void start_aplic(void)
{
	struct axvm_config config = kernel_config(NULL);
	struct axvcpu_setup_config setup = guest_setup_config(0);

	guest_create(&guest, &config, PROGRAM(aplic));
	setup.arg = APLIC;
	ck_ok(axvcpu_setup(guest.vcpu, GUEST_CODE, 0, &setup));
	ck_ok(axvcpu_bind(guest.vcpu));
	guest_expect_write(&guest, GUEST_MMIO, 0);
}

static void expect_silence(void)
{
	ck_ok(axvcpu_kick(guest.vcpu));
	guest_expect(&guest, AXVCPU_EXIT_NOTHING);
	ck_assert_uint_eq(guest.exit.kicked, 1);
}

START_TEST(wires_become_messages)
{
	start_aplic();
	ck_ok(axvm_set_irq_line(guest.vm, 5, true));
	expect_message(15);
	/* An edge is one. */
	ck_ok(axvm_set_irq_line(guest.vm, 5, true));
	expect_silence();
	ck_ok(axvm_set_irq_line(guest.vm, 5, false));
	expect_silence();
	ck_ok(axvm_set_irq_line(guest.vm, 5, true));
	expect_message(15);
	ck_ok(axvm_set_irq_line(guest.vm, 6, true));
	expect_message(16);
	/* One that the guest has not asked for. */
	ck_ok(axvm_set_irq_line(guest.vm, 7, true));
	expect_silence();
	guest_end(&guest);
}
END_TEST

START_TEST(wires_are_numbered_from_one)
{
	start_aplic();
	ck_fails_saying(axvm_set_irq_line(guest.vm, 0, true), EINVAL, "1 to 96");
	ck_fails_saying(axvm_set_irq_line(guest.vm, SOURCES + 1, true), EINVAL, "1 to 96");
	ck_ok(axvm_set_irq_line(guest.vm, SOURCES, true));
	guest_end(&guest);
}
END_TEST

/* KVM raises a wire and does not lower it again: of an edge there would be but one. */
START_TEST(descriptors_raise_wires_and_send_messages)
{
	const struct axvm_route routes[] = {
		{ .gsi = 6, .kind = AXVM_ROUTE_PIN, .u.pin = { 0, 6 } },
		{ .gsi = 40, .kind = AXVM_ROUTE_MSI, .u.msi = { IMSIC, 17, 0 } },
	};
	struct axvm_irqfd wire = AXVM_IRQFD_INIT, message = AXVM_IRQFD_INIT;

	start_aplic();
	ck_ok(axvm_set_routes(guest.vm, routes, 2));
	wire.gsi = 6;
	wire.fd = event_new();
	message.gsi = 40;
	message.fd = event_new();
	ck_ok(axvm_set_irqfd(guest.vm, &wire));
	ck_ok(axvm_set_irqfd(guest.vm, &message));
	for (int i = 0; i < 3; i++) {
		event_signal(wire.fd);
		expect_message(16);
		event_signal(message.fd);
		expect_message(17);
	}
	/* Nothing would ever come of it. */
	wire.flags = AXVM_EVENT_RESAMPLE;
	wire.resample_fd = message.fd;
	ck_fails_saying(axvm_set_irqfd(guest.vm, &wire), ENOTSUP, "AXVM_EVENT_RESAMPLE");
	message.flags = AXVM_EVENT_REMOVE;
	ck_ok(axvm_set_irqfd(guest.vm, &message));
	event_signal(message.fd);
	expect_silence();
	guest_end(&guest);
	close(wire.fd);
	close(message.fd);
}
END_TEST

START_TEST(a_pulse_is_one_message_of_an_edge_and_of_a_level)
{
	start_aplic();
	for (int i = 0; i < 3; i++) {
		ck_ok(axvm_pulse_irq(guest.vm, 5));
		expect_message(15);
		ck_ok(axvm_pulse_irq(guest.vm, 6));
		expect_message(16);
	}
	expect_silence();
	ck_fails_saying(axvm_pulse_irq(guest.vm, 0), EINVAL, "1 to 96");
	guest_end(&guest);
}
END_TEST

static void end_is_not_reported(struct axvm *vm, uint32_t gsi, void *ctx)
{
	ck_abort_msg("called for gsi %u of %p, %p", gsi, (void *)vm, ctx);
}

/* The APLIC forwards a wire as a message, and KVM does not see when the guest has handled it. */
START_TEST(ends_of_interrupts_are_refused)
{
	const struct axvm_route message = { .gsi = 100,
					    .kind = AXVM_ROUTE_MSI,
					    .u.msi = { IMSIC, 17, 0 } };

	start_aplic();
	ck_fails_saying(axvm_set_irq_end(guest.vm, 6, end_is_not_reported, NULL), ENOTSUP,
			"gsi 6: an AIA does not observe");
	ck_assert_int_eq(axvm_add_route(guest.vm, &message), 100);
	ck_fails_saying(axvm_set_irq_end(guest.vm, 100, end_is_not_reported, NULL), ENOTSUP, "AIA");
	ck_fails(axvm_raise_irq(guest.vm, 6), ENOENT);
	guest_end(&guest);
}
END_TEST

START_TEST(a_route_is_added_to_those_of_the_wires)
{
	const struct axvm_route added = { .gsi = AXVM_GSI_ANY,
					  .kind = AXVM_ROUTE_MSI,
					  .u.msi = { IMSIC, 17, 0 } };
	struct axvm_irqfd wire = AXVM_IRQFD_INIT, message = AXVM_IRQFD_INIT;
	int gsi;

	start_aplic();
	gsi = axvm_add_route(guest.vm, &added);
	ck_assert_int_eq(gsi, SOURCES + 1);
	wire.gsi = 6;
	wire.fd = event_new();
	message.gsi = (uint32_t)gsi;
	message.fd = event_new();
	ck_ok(axvm_set_irqfd(guest.vm, &wire));
	ck_ok(axvm_set_irqfd(guest.vm, &message));
	for (int i = 0; i < 3; i++) {
		event_signal(wire.fd);
		expect_message(16);
		event_signal(message.fd);
		expect_message(17);
	}
	ck_fails(axvm_mask_route(guest.vm, 6, true), EINVAL);
	guest_end(&guest);
	close(wire.fd);
	close(message.fd);
}
END_TEST

START_TEST(messages_are_edges)
{
	struct axvm_config config = kernel_config(NULL);

	guest_start_with(&guest, &config, AXVCPU_MODE_64, PROGRAM(imsic));
	guest_expect_write(&guest, GUEST_MMIO, 0);
	ck_ok(axvcpu_inject_interrupt_with_trigger(guest.vcpu, 9, AXVCPU_TRIGGER_EDGE));
	expect_message(9);
	ck_fails_saying(axvcpu_inject_interrupt_with_trigger(guest.vcpu, 9, AXVCPU_TRIGGER_LEVEL),
			ENOTSUP, "AXVCPU_TRIGGER_LEVEL");
	expect_silence();
	guest_end(&guest);
}
END_TEST

START_TEST(a_reset_takes_all_messages_back)
{
	struct axvm_config config = kernel_config(NULL);

	guest_start_with(&guest, &config, AXVCPU_MODE_64, PROGRAM(imsic));
	guest_expect_write(&guest, GUEST_MMIO, 0);
	ck_ok(axvcpu_inject_interrupt(guest.vcpu, 9));
	ck_ok(axvcpu_inject_interrupt(guest.vcpu, 200));
	ck_ok(axvcpu_reset(guest.vcpu, GUEST_CODE, 0));
	guest_expect_write(&guest, GUEST_MMIO, 0);
	expect_silence();
	ck_ok(axvcpu_inject_interrupt(guest.vcpu, 10));
	expect_message(10);
	guest_end(&guest);
}
END_TEST

START_TEST(a_reset_of_the_vm_forgets_its_interrupts_and_it_runs_the_same_again)
{
	start_aplic();
	for (unsigned int i = 0; i < 5 + suite_scale(100); i++) {
		ck_ok(axvm_set_irq_line(guest.vm, 5, true));
		expect_message(15);
		/* Served and still high; pending as a wire and as a message. */
		ck_ok(axvm_set_irq_line(guest.vm, 6, true));
		expect_message(16);
		ck_ok(axvm_set_irq_line(guest.vm, 5, false));
		ck_ok(axvm_set_irq_line(guest.vm, 5, true));
		ck_ok(axvcpu_inject_interrupt(guest.vcpu, 9));
		ck_ok(axvm_reset(guest.vm, 0));
		guest_expect_write(&guest, GUEST_MMIO, 0);
		expect_silence();
		ck_ok(axvcpu_inject_interrupt(guest.vcpu, 10));
		expect_message(10);
	}
	guest_end(&guest);
}
END_TEST

START_TEST(a_reset_of_the_vm_disables_what_the_guest_has_enabled)
{
	start_aplic();
	ck_ok(axvm_set_irq_line(guest.vm, 5, true));
	expect_message(15);
	/* Another guest, without the APLIC. */
	ck_ok(axvm_write(guest.vm, GUEST_CODE, PROGRAM(imsic)));
	ck_ok(axvm_reset(guest.vm, 0));
	guest_expect_write(&guest, GUEST_MMIO, 0);
	ck_ok(axvm_set_irq_line(guest.vm, 5, true));
	ck_ok(axvm_set_irq_line(guest.vm, 6, true));
	expect_silence();
	ck_ok(axvcpu_inject_interrupt(guest.vcpu, 10));
	expect_message(10);
	guest_end(&guest);
}
END_TEST

static void add_tests(Suite *suite)
{
	TCase *without = suite_case(suite, "without");
	TCase *places = suite_case(suite, "places");
	TCase *messages = suite_case(suite, "messages");
	TCase *wires = suite_case(suite, "wires");

	if (!riscv64_host_has_aia()) {
		tcase_add_test(without, a_host_without_an_aia_says_so);
		return;
	}
	tcase_add_test(places, invalid_addresses_are_refused_with_a_reason);
	tcase_add_test(places, invalid_numbers_are_refused_with_a_reason);
	tcase_add_test(places, an_aia_in_a_vm_without_one_is_refused);
	tcase_add_test(places, hardware_files_are_there_or_refused_by_name);
	tcase_add_test(places, memory_over_a_controller_is_refused);
	tcase_add_test(places, it_takes_nothing_before_the_vm_is_finalized);
	tcase_add_test(places, there_is_one_aia);
	tcase_add_test(places, a_vcpu_after_the_last_one_is_refused);
	tcase_add_test(messages, a_message_of_each_identity_arrives);
	tcase_add_test(messages, messages_without_a_target_are_reported_or_refused);
	tcase_add_test(messages, callers_addresses_and_numbers_are_used);
	tcase_add_test(messages, messages_go_to_the_hart_in_whatever_order_they_were_made);
	tcase_add_test(messages, freed_vcpu_does_not_block_the_aia);
	tcase_add_test(messages, one_hart_sends_another_a_message_without_an_exit);
	tcase_add_test(messages, storm_of_messages_loses_none);
	tcase_add_test(messages, messages_are_edges);
	tcase_add_test(wires, wires_become_messages);
	tcase_add_test(wires, wires_are_numbered_from_one);
	tcase_add_test(wires, descriptors_raise_wires_and_send_messages);
	tcase_add_test(wires, a_pulse_is_one_message_of_an_edge_and_of_a_level);
	tcase_add_test(wires, ends_of_interrupts_are_refused);
	tcase_add_test(wires, a_route_is_added_to_those_of_the_wires);
	tcase_add_test(wires, a_reset_takes_all_messages_back);
	tcase_add_test(wires, a_reset_of_the_vm_forgets_its_interrupts_and_it_runs_the_same_again);
	tcase_add_test(wires, a_reset_of_the_vm_disables_what_the_guest_has_enabled);
}

int main(void)
{
	return suite_main("riscv64_aia", true, add_tests);
}
