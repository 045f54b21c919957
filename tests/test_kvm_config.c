/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * Configs that KVM cannot satisfy, or that are invalid: each is refused with the reason, and
 * nothing has been created. The same table on every architecture; configs of one architecture are
 * in its own suites. Needs a working /dev/kvm.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "guest.h"
#include "resources.h"
#include "suite.h"

/* --- VMs -------------------------------------------------------------------------------------- */

static struct axvm_config config;
static int fd = -1;

static void spoil_gpa_bits(void)
{
	config.gpa_bits = 64;
}

static void spoil_narrow(void)
{
	config.gpa_bits = 12;
}

static void spoil_irqchip(void)
{
	config.irqchip = 77;
}

static void spoil_flags(void)
{
	config.flags = 1u << 31;
}

static void spoil_forward(void)
{
	config.forward = 1u << 31;
}

static void spoil_vcpus(void)
{
	config.max_vcpus = 65000;
}

static void spoil_vcpus_of_an_irqchip(void)
{
	config.max_vcpus = 65000;
	config.irqchip = AXVM_IRQCHIP_KERNEL;
}

static void spoil_signal(void)
{
	config.kick_signal = 12345;
}

static void spoil_sysregs(void)
{
	config.nsysregs = 1;
}

static void spoil_fd(void)
{
	fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	ck_assert_int_ge(fd, 0);
	config.flags = AXVM_F_KVM_FD;
	config.kvm_fd = fd;
}

static void spoil_closed_fd(void)
{
	config.flags = AXVM_F_KVM_FD;
	config.kvm_fd = 9999;
}

static const struct {
	void (*spoil)(void);
	int err;
	const char *text;
} bad_vms[] = {
	{ spoil_gpa_bits, ENOTSUP, "gpa_bits is 64" },
	{ spoil_narrow, EINVAL, "gpa_bits is 12" },
	{ spoil_irqchip, EINVAL, "irqchip 77" },
	{ spoil_flags, EINVAL, "flags 0x80000000" },
	{ spoil_forward, EINVAL, "0x80000000" },
	{ spoil_vcpus, EINVAL, "max_vcpus is 65000" },
	{ spoil_vcpus_of_an_irqchip, EINVAL, "max_vcpus is 65000" },
	{ spoil_signal, EINVAL, "kick_signal: 12345" },
	{ spoil_sysregs, EINVAL, "sysregs" },
	{ spoil_fd, ENODEV, "KVM" },
	{ spoil_closed_fd, EBADF, "kvm_fd 9999" },
};

#define BAD_VMS (int)(sizeof(bad_vms) / sizeof(bad_vms[0]))

START_TEST(refused_vm_leaves_nothing_behind)
{
	struct resources before;
	struct axvm *vm = NULL;

	/* Descriptors and mappings of a process that has had a VM. */
	ck_ok(axvm_new(NULL, &vm));
	ck_ok(axvm_free(vm));
	vm = NULL;
	config = (struct axvm_config)AXVM_CONFIG_INIT;
	bad_vms[_i].spoil();
	resources_read(&before);
	for (int i = 0; i < 3; i++) {
		ck_fails_saying(axvm_new(&config, &vm), bad_vms[_i].err, bad_vms[_i].text);
		ck_assert_ptr_null(vm);
		resources_expect(&before, bad_vms[_i].text);
	}
	if (fd >= 0)
		close(fd);
}
END_TEST

/* --- memory ----------------------------------------------------------------------------------- */

static struct guest guest;

START_TEST(refused_memory_is_not_mapped)
{
	struct axvm_limits limits = AXVM_LIMITS_INIT;
	struct axvm_region region = AXVM_REGION_INIT;
	struct resources before;
	uint64_t page;

	guest_create(&guest, NULL, PROGRAM(finish));
	ck_ok(axvm_get_limits(guest.vm, &limits));
	ck_assert_uint_ge(limits.gpa_bits, 32);
	ck_assert_uint_lt(limits.gpa_bits, 64);
	page = limits.page_size;
	resources_read(&before);

	region.len = page;
	/* Over an existing region; over its last byte; over its first. */
	region.gpa = GUEST_BASE;
	ck_fails(axvm_map(guest.vm, &region), EEXIST);
	region.gpa = GUEST_BASE + GUEST_MEMORY - page;
	ck_fails(axvm_map(guest.vm, &region), EEXIST);
	/* Beyond the width, across its end, around. */
	region.gpa = UINT64_C(1) << limits.gpa_bits;
	ck_fails(axvm_map(guest.vm, &region), EINVAL);
	region.gpa -= page;
	region.len = 2 * page;
	ck_fails(axvm_map(guest.vm, &region), EINVAL);
	region.gpa = UINT64_MAX - page + 1;
	ck_fails(axvm_map(guest.vm, &region), EINVAL);
	/* In the middle of a page. */
	region.gpa = GUEST_MMIO + 1;
	ck_fails(axvm_map(guest.vm, &region), EINVAL);
	region.gpa = GUEST_MMIO;
	region.len = page + 1;
	ck_fails(axvm_map(guest.vm, &region), EINVAL);
	region.len = 0;
	ck_fails(axvm_map(guest.vm, &region), EINVAL);

	ck_assert_int_eq(axvm_regions(guest.vm, 0, 0, NULL), 1);
	resources_expect(&before, "refused regions");
	guest_setup(&guest, AXVCPU_MODE_64);
	ck_ok(axvcpu_bind(guest.vcpu));
	guest_expect_end(&guest);
	guest_end(&guest);
}
END_TEST

/* --- vCPUs ------------------------------------------------------------------------------------ */

START_TEST(refused_setup_can_be_repeated)
{
	struct axvcpu_setup_config setup = guest_setup_config(0);
	struct axvcpu_config vcpu_config = AXVCPU_CONFIG_INIT;
	struct axvcpu *second = NULL;
	struct resources before;

	guest_create(&guest, NULL, PROGRAM(finish));
	resources_read(&before);
	vcpu_config.id = 1;
	ck_fails_saying(axvcpu_new(guest.vm, &vcpu_config, &second), EINVAL, "max_vcpus");
	vcpu_config.id = 0;
	ck_fails(axvcpu_new(guest.vm, &vcpu_config, &second), EEXIST);
	ck_assert_ptr_null(second);

	ck_fails_saying(axvcpu_setup(guest.vcpu, GUEST_CODE, 0x1000, &setup), EINVAL, "ept_root");
	setup.flags = 1;
	ck_fails(axvcpu_setup(guest.vcpu, GUEST_CODE, 0, &setup), EINVAL);
	setup.flags = 0;
	setup.mode = 99;
	ck_fails_saying(axvcpu_setup(guest.vcpu, GUEST_CODE, 0, &setup), EINVAL, "mode 99");
	setup.mode = AXVCPU_MODE_64;
	ck_assert_int_eq(axvcpu_state(guest.vcpu), AXVCPU_CREATED);
	ck_fails(axvcpu_bind(guest.vcpu), EBADFD);
	resources_expect(&before, "refused setups");

	guest_setup(&guest, AXVCPU_MODE_64);
	ck_fails(axvcpu_setup(guest.vcpu, GUEST_CODE, 0, NULL), EBADFD);
	ck_ok(axvcpu_bind(guest.vcpu));
	guest_expect_end(&guest);
	/* It has run: no more vCPUs, whatever their number. */
	ck_fails(axvcpu_new(guest.vm, &vcpu_config, &second), EBUSY);
	ck_assert_ptr_null(second);
	guest_end(&guest);
}
END_TEST

static void add_tests(Suite *suite)
{
	TCase *vms = suite_case(suite, "VMs");
	TCase *memory = suite_case(suite, "memory");
	TCase *vcpus = suite_case(suite, "vCPUs");

	tcase_add_loop_test(vms, refused_vm_leaves_nothing_behind, 0, BAD_VMS);
	tcase_add_test(memory, refused_memory_is_not_mapped);
	tcase_add_test(vcpus, refused_setup_can_be_repeated);
}

int main(void)
{
	return suite_main("kvm_config", true, add_tests);
}
