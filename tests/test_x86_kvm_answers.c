/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * x86_64: rare results of KVM. The injector returns them in place of KVM. Needs a working /dev/kvm.
 */
#include <errno.h>
#include <linux/kvm.h>

#include "guest.h"
#include "injector.h"
#include "suite.h"

static struct axvm *vm;
static struct guest guest;

/* The table starts too small, as it would with a kernel that knows many more leaves. */
START_TEST(cpuid_table_grows_until_all_fits)
{
	injector_ioctl(KVM_GET_SUPPORTED_CPUID, -E2BIG, 3);
	guest_start(&guest, AXVCPU_MODE_64, PROGRAM(finish));
	ck_assert_uint_eq(injector.request_calls, 4);
	guest_expect_end(&guest);
	guest_end(&guest);
}
END_TEST

START_TEST(cpuid_table_growth_is_bounded)
{
	injector_ioctl(KVM_GET_SUPPORTED_CPUID, -E2BIG, UINT32_MAX);
	ck_fails_saying(axvm_new(NULL, &vm), E2BIG, "KVM_GET_SUPPORTED_CPUID");
	ck_assert_uint_le(injector.request_calls, 16);
	ck_assert_ptr_null(vm);
}
END_TEST

/* Which of the checks is the PIT's is KVM's affair: each is answered "no" in turn. */
START_TEST(a_kvm_without_a_pit_is_named)
{
	struct axvm_x86_config x86 = AXVM_X86_CONFIG_INIT;
	struct axvm_config config = AXVM_CONFIG_INIT;
	bool named = false;

	x86.flags = AXVM_X86_PIT;
	config.irqchip = AXVM_IRQCHIP_KERNEL;
	config.arch_config = &x86;
	for (unsigned int n = 0; n < 32 && !named; n++) {
		injector_ioctl(KVM_CHECK_EXTENSION, 0, 1);
		injector.skip = n;
		if (axvm_new(&config, &vm)) {
			named = strstr(axvcpu_last_error(), "AXVM_X86_PIT needs KVM_CAP_PIT2");
			continue;
		}
		ck_ok(axvm_free(vm));
	}
	ck_assert(named);
}
END_TEST

/* The second time: the first one stops the present PIT. */
START_TEST(a_pit_that_cannot_be_loaded_is_named)
{
	static unsigned char state[0x4000];
	struct axvm_x86_config x86 = AXVM_X86_CONFIG_INIT;
	struct axvm_config config = AXVM_CONFIG_INIT;
	int size;

	x86.flags = AXVM_X86_PIT;
	config.irqchip = AXVM_IRQCHIP_KERNEL;
	config.arch_config = &x86;
	ck_ok(axvm_new(&config, &vm));
	size = axvm_save(vm, state, sizeof(state));
	ck_ok(size);
	ck_assert_int_le(size, sizeof(state));
	injector_ioctl(KVM_SET_PIT2, -EIO, 1);
	injector.skip = 1;
	ck_fails_saying(axvm_load(vm, state, (size_t)size, NULL), EIO, "section pit: KVM_SET_PIT2");
	/* And what was there before, by two more. */
	ck_assert_uint_eq(injector.request_calls, 4);
	ck_ok(axvm_load(vm, state, (size_t)size, NULL));
	ck_ok(axvm_free(vm));
}
END_TEST

/* KVM itself can always raise the frequency. */
START_TEST(the_tscs_frequency_is_changed_where_kvm_reports_that_it_can)
{
	uint64_t hz;

	guest_start(&guest, AXVCPU_MODE_64, PROGRAM(finish));
	hz = guest_reg(&guest, AXVCPU_REG_COUNTER_HZ);
	injector_ioctl(KVM_CHECK_EXTENSION, 0, 1);
	ck_fails_saying(axvcpu_set_reg(guest.vcpu, AXVCPU_REG_COUNTER_HZ, 2 * hz), ENOTSUP,
			"KVM_CAP_TSC_CONTROL");
	ck_assert_uint_eq(guest_reg(&guest, AXVCPU_REG_COUNTER_HZ), hz);
	injector_ioctl(KVM_CHECK_EXTENSION, 1, 1);
	ck_ok(axvcpu_set_reg(guest.vcpu, AXVCPU_REG_COUNTER_HZ, 2 * hz));
	injector_ioctl(0, 0, 0);
	ck_assert_uint_eq(guest_reg(&guest, AXVCPU_REG_COUNTER_HZ), 2 * hz);
	guest_expect_end(&guest);
	guest_end(&guest);
}
END_TEST

static void add_tests(Suite *suite)
{
	TCase *timers = suite_case(suite, "timers");
	TCase *tcase = suite_case(suite, "cpuid");

	tcase_add_test(tcase, cpuid_table_grows_until_all_fits);
	tcase_add_test(tcase, cpuid_table_growth_is_bounded);
	tcase_add_test(timers, a_kvm_without_a_pit_is_named);
	tcase_add_test(timers, a_pit_that_cannot_be_loaded_is_named);
	tcase_add_test(timers, the_tscs_frequency_is_changed_where_kvm_reports_that_it_can);
}

int main(void)
{
	return suite_main("x86_kvm_answers", true, add_tests);
}
