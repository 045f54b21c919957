/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * Results of KVM_RUN on other hosts and older kernels: errnos that a guest causes, none fatal; and
 * widths of guest-physical addresses that no KVM has. Needs a working /dev/kvm.
 */
#include <errno.h>
#include <limits.h>

#include "forge.h"
#include "suite.h"

static void fail_entry(void)
{
	forge.run->exit_reason = KVM_EXIT_FAIL_ENTRY;
}

START_TEST(a_guest_in_a_mode_that_the_host_lacks_is_a_refused_entry)
{
	forge_start();
	forge_expect(fail_entry, -EINVAL, AXVCPU_EXIT_FAIL_ENTRY, EINVAL);
	ck_assert_uint_eq(forge.guest.exit.u.fail_entry.reason, EINVAL);
	/* And every time after that. */
	forge_expect(fail_entry, -ENOEXEC, AXVCPU_EXIT_FAIL_ENTRY, ENOEXEC);
	ck_ok(axvcpu_reset(forge.guest.vcpu, GUEST_CODE, 0));
	forge_end();
}
END_TEST

static void nothing(void)
{
	forge.run->exit_reason = KVM_EXIT_UNKNOWN;
}

START_TEST(access_that_an_older_kvm_rejects_is_a_page_fault)
{
	forge_start();
	forge_expect(nothing, -ENOSYS, AXVCPU_EXIT_NESTED_PAGE_FAULT, 0);
	ck_assert_uint_eq(forge.guest.exit.u.page_fault.error, ENOSYS);
	ck_assert_uint_eq(forge.guest.exit.u.page_fault.addr, 0);
	ck_assert_uint_eq(forge.guest.exit.u.page_fault.access, 0);
	forge_end();
}
END_TEST

START_TEST(broken_memory_is_a_page_fault)
{
	forge_start();
	forge_expect(nothing, -EHWPOISON, AXVCPU_EXIT_NESTED_PAGE_FAULT, 0);
	ck_assert_uint_eq(forge.guest.exit.u.page_fault.error, EHWPOISON);
	forge_end();
}
END_TEST

START_TEST(the_same_errnos_without_a_refused_entry_are_the_callers)
{
	forge_start();
	forge.exit = nothing;
	forge.result = -EINVAL;
	ck_fails_saying(axvcpu_run(forge.guest.vcpu, &forge.guest.exit), EINVAL, "KVM_RUN");
	forge_end();
}
END_TEST

/* --- widths ---------------------------------------------------------------------------------- */

static int width;

/* KVM itself makes a VM of the default width. */
static bool answer_width(int fd, unsigned long request, uintptr_t *arg, int *result)
{
	(void)fd;
	if (request == KVM_CREATE_VM)
		*arg = 0;
	if (request != KVM_CHECK_EXTENSION || *arg != KVM_CAP_ARM_VM_IPA_SIZE)
		return false;
	*result = width;
	return true;
}

START_TEST(a_width_that_is_no_shift_is_64_bits)
{
	static const int widths[] = { 64, 65, 128, 200, INT_MAX };
	struct axvm_arm64_config gic = AXVM_ARM64_CONFIG_INIT;
	struct axvm_config config = AXVM_CONFIG_INIT;
	struct axvm_limits limits = AXVM_LIMITS_INIT;
	struct axvm *vm = NULL;

	width = widths[_i];
	forge.answer = answer_width;
	config.irqchip = AXVM_IRQCHIP_KERNEL;
	config.arch_config = &gic;
	ck_ok(axvm_new(&config, &vm));
	ck_ok(axvm_get_limits(vm, &limits));
	ck_assert_uint_eq(limits.gpa_bits, 64);
	ck_ok(axvm_free(vm));
	/* 128 KiB from here on wrap. */
	config.max_vcpus = 2;
	gic.gic_version = 3;
	gic.gicr_gpa = UINT64_MAX - 0x1ffff;
	ck_fails_saying(axvm_new(&config, &vm), EINVAL, "ends beyond the VM's 64 bits");
}
END_TEST

static void add_tests(Suite *suite)
{
	TCase *all = suite_case(suite, "all");

	tcase_add_test(all, a_guest_in_a_mode_that_the_host_lacks_is_a_refused_entry);
	tcase_add_test(all, access_that_an_older_kvm_rejects_is_a_page_fault);
	tcase_add_test(all, broken_memory_is_a_page_fault);
	tcase_add_loop_test(all, a_width_that_is_no_shift_is_64_bits, 0, 5);
	tcase_add_test(all, the_same_errnos_without_a_refused_entry_are_the_callers);
}

int main(void)
{
	return suite_main("arm64: exits of other KVMs", true, add_tests);
}
