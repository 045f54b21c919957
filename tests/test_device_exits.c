/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * Devices on real guests: MMIO of every width, an ioeventfd in place of a callback, and writes that
 * KVM gathers. Needs a working /dev/kvm. tests/test_devices.c has what needs no guest.
 */
#include <errno.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "guest.h"
#include "suite.h"

static struct guest guest;

/* The latest writes, and the answer to reads. */
struct memo {
	unsigned int writes;
	uint64_t offsets[64], values[64];
	uint64_t answer;
};

static struct memo memo, end_memo;

static int memo_read(struct axvcpu *vcpu, void *ctx, uint64_t offset, unsigned int width,
		     uint64_t *value)
{
	const struct memo *to = ctx;

	(void)offset;
	(void)width;
	ck_assert_ptr_eq(vcpu, guest.vcpu);
	*value = to->answer;
	return AXVM_HANDLED;
}

static int memo_write(struct axvcpu *vcpu, void *ctx, uint64_t offset, unsigned int width,
		      uint64_t value)
{
	struct memo *to = ctx;

	(void)vcpu;
	(void)width;
	to->offsets[to->writes % 64] = offset;
	to->values[to->writes++ % 64] = value;
	return AXVM_HANDLED;
}

static struct axvm_device *add(struct memo *to, const char *name, uint64_t base, uint32_t flags)
{
	const struct axvm_device_range range = { .base = base, .len = 0x100, .flags = flags };
	struct axvm_device_config config = AXVM_DEVICE_CONFIG_INIT;
	struct axvm_device *device;

	config.name = name;
	config.ctx = to;
	config.ranges = &range;
	config.nranges = 1;
	config.read = memo_read;
	config.write = memo_write;
	ck_ok(axvm_add_device(guest.vm, &config, &device));
	return device;
}

/* Runs until the device has had this number of writes in all. */
static void run_until(const struct memo *to, unsigned int writes)
{
	while (to->writes < writes) {
		ck_ok(axvcpu_run(guest.vcpu, &guest.exit));
		if (guest.exit.kind == AXVCPU_EXIT_NOTHING)
			continue;
		ck_assert_int_eq(axvcpu_dispatch(guest.vcpu, &guest.exit), 1);
	}
}

START_TEST(loads_and_stores_of_every_width_reach_the_device)
{
	guest_start(&guest, AXVCPU_MODE_64, PROGRAM(widths));
	add(&memo, "memo", GUEST_MMIO, 0);
	add(&end_memo, "end", GUEST_END, 0);
	memo.answer = GUEST_PATTERN;
	run_until(&end_memo, 1);
	ck_assert_uint_eq(memo.writes, 8);
	for (unsigned int i = 0; i < 4; i++) {
		const unsigned int width = 1u << i;
		const uint64_t value = GUEST_PATTERN & (UINT64_MAX >> (64 - 8 * width));

		ck_assert_uint_eq(memo.offsets[2 * i], 0x40 + 8 * i);
		ck_assert_uint_eq(memo.values[2 * i], value);
		ck_assert_uint_eq(memo.offsets[2 * i + 1], 0x80 + 8 * i);
		ck_assert_uint_eq(memo.values[2 * i + 1], value);
	}
	guest_end(&guest);
}
END_TEST

START_TEST(an_ioeventfd_takes_a_register_from_the_callback_until_it_is_detached)
{
	struct axvm_ioeventfd ioeventfd = AXVM_IOEVENTFD_INIT;
	struct axvm_device *device;
	eventfd_t count;
	int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);

	ck_assert_int_ge(fd, 0);
	guest_start(&guest, AXVCPU_MODE_64, PROGRAM(stores));
	device = add(&memo, "memo", GUEST_MMIO, 0);
	add(&end_memo, "end", GUEST_END, 0);
	ioeventfd.fd = fd;
	ioeventfd.width = 4;
	ioeventfd.address = 0xfd;
	ck_fails_saying(axvm_set_device_ioeventfd(device, 0, &ioeventfd), EINVAL,
			"no register at 0xfd");
	ck_fails(axvm_set_device_ioeventfd(device, 1, &ioeventfd), EINVAL);
	ioeventfd.address = 0;
	ioeventfd.flags = AXVM_EVENT_REMOVE;
	ck_fails_saying(axvm_set_device_ioeventfd(device, 0, &ioeventfd), ENOENT, "attached");
	ioeventfd.flags = AXVM_EVENT_DATAMATCH;
	ioeventfd.value = GUEST_PATTERN & UINT32_MAX;
	ck_ok(axvm_set_device_ioeventfd(device, 0, &ioeventfd));
	ioeventfd.flags |= AXVM_EVENT_REMOVE;
	ck_ok(axvm_set_device_ioeventfd(device, 0, &ioeventfd));
	ioeventfd.flags = AXVM_EVENT_DATAMATCH;
	ck_ok(axvm_set_device_ioeventfd(device, 0, &ioeventfd));
	run_until(&end_memo, 1);
	/* Of four stores, the one of 4 bytes. */
	ck_assert_uint_eq(memo.writes, 3);
	ck_assert_int_eq(eventfd_read(fd, &count), 0);
	ck_assert_uint_eq(count, 1);
	ck_ok(axvm_remove_device(device));

	/* Detached: the same register can be attached again, and the callback gets all stores. */
	device = add(&memo, "memo", GUEST_MMIO, 0);
	ck_ok(axvm_set_device_ioeventfd(device, 0, &ioeventfd));
	ck_ok(axvm_remove_device(device));
	device = add(&memo, "memo", GUEST_MMIO, 0);
	memo.writes = 0;
	ck_ok(axvcpu_reset(guest.vcpu, GUEST_CODE, 0));
	run_until(&memo, 4);
	ck_assert_int_eq(eventfd_read(fd, &count), -1);
	guest_end(&guest);
	close(fd);
}
END_TEST

START_TEST(gathered_writes_are_delivered_in_order_and_before_the_next_access)
{
	guest_start(&guest, AXVCPU_MODE_64, PROGRAM(stores));
	add(&memo, "memo", GUEST_MMIO, AXVM_RANGE_COALESCED);
	add(&end_memo, "end", GUEST_END, 0);
	ck_ok(axvcpu_run(guest.vcpu, &guest.exit));
	while (guest.exit.kind == AXVCPU_EXIT_NOTHING)
		ck_ok(axvcpu_run(guest.vcpu, &guest.exit));
	/* The first exit is that of the end. */
	ck_assert_uint_eq(guest.exit.kind, AXVCPU_EXIT_MMIO_WRITE);
	ck_assert_uint_eq(guest.exit.u.mmio.addr, GUEST_END);
	ck_assert_uint_eq(memo.writes, 0);
	ck_assert_int_eq(axvcpu_dispatch(guest.vcpu, &guest.exit), 1);
	ck_assert_uint_eq(memo.writes, 4);
	for (unsigned int i = 0; i < 4; i++)
		ck_assert_uint_eq(memo.values[i], GUEST_PATTERN & (UINT64_MAX >> (64 - (8u << i))));
	guest_end(&guest);
}
END_TEST

START_TEST(a_full_ring_is_an_exit_and_loses_nothing)
{
	struct axvm_device *device;
	unsigned int gathered;

	guest_start(&guest, AXVCPU_MODE_64, PROGRAM(chatter));
	device = add(&memo, "memo", GUEST_MMIO, AXVM_RANGE_COALESCED);
	guest_expect(&guest, AXVCPU_EXIT_MMIO_WRITE);
	ck_assert_uint_eq(memo.writes, 0);
	ck_assert_int_eq(axvcpu_dispatch(guest.vcpu, &guest.exit), 1);
	gathered = memo.writes;
	/* The ring is a page. */
	ck_assert_uint_ge(gathered, 100);
	guest_expect(&guest, AXVCPU_EXIT_MMIO_WRITE);
	ck_ok(axvm_flush_coalesced(guest.vm));
	ck_assert_uint_eq(memo.writes, 2 * gathered - 1);
	ck_ok(axvm_remove_device(device));
	/* Each write is an exit again. */
	guest_expect(&guest, AXVCPU_EXIT_MMIO_WRITE);
	ck_assert_int_eq(axvcpu_dispatch(guest.vcpu, &guest.exit), 0);
	guest_expect(&guest, AXVCPU_EXIT_MMIO_WRITE);
	guest_end(&guest);
}
END_TEST

START_TEST(gathered_ports_are_delivered_or_refused_by_name)
{
	const struct axvm_device_range range = {
		.base = 0x10, .len = 1, .space = AXVM_SPACE_PORT, .flags = AXVM_RANGE_COALESCED
	};
	struct axvm_device_config config = AXVM_DEVICE_CONFIG_INIT;
	int ret;

	guest_start(&guest, AXVCPU_MODE_64, PROGRAM(finish));
	config.name = "port";
	config.ranges = &range;
	config.nranges = 1;
	config.write = memo_write;
	config.ctx = &memo;
	ret = axvm_add_device(guest.vm, &config, NULL);
	if (strcmp(axvcpu_host_arch()->name, "x86_64"))
		ck_assert_int_eq(ret, -ENOTSUP);
	if (ret) {
		ck_assert_int_eq(ret, -ENOTSUP);
		ck_assert_ptr_nonnull(strstr(axvcpu_last_error(), "AXVM_RANGE_COALESCED"));
	} else {
		/* mov $0x41, %al; out %al, $0x10; inc %al; out %al, $0x10; 1: in $0x11, %al; jmp 1b */
		ck_ok(axvm_write(guest.vm, GUEST_CODE,
				 CODE("\xb0\x41\xe6\x10\xfe\xc0\xe6\x10\xe4\x11\xeb\xfc")));
		guest_expect(&guest, AXVCPU_EXIT_IO_READ);
		ck_assert_int_eq(axvcpu_dispatch(guest.vcpu, &guest.exit), 0);
		ck_assert_uint_eq(memo.writes, 2);
		ck_assert_uint_eq(memo.values[0], 0x41);
		ck_assert_uint_eq(memo.values[1], 0x42);
	}
	guest_end(&guest);
}
END_TEST

static void add_tests(Suite *suite)
{
	TCase *access = suite_case(suite, "access");
	TCase *coalesced = suite_case(suite, "coalesced");

	tcase_add_test(access, loads_and_stores_of_every_width_reach_the_device);
	tcase_add_test(access,
		       an_ioeventfd_takes_a_register_from_the_callback_until_it_is_detached);

	tcase_add_test(coalesced,
		       gathered_writes_are_delivered_in_order_and_before_the_next_access);
	tcase_add_test(coalesced, a_full_ring_is_an_exit_and_loses_nothing);
	tcase_add_test(coalesced, gathered_ports_are_delivered_or_refused_by_name);
}

int main(void)
{
	return suite_main("device exits", true, add_tests);
}
