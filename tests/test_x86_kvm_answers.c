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

static void add_tests(Suite *suite)
{
	TCase *tcase = suite_case(suite, "cpuid");

	tcase_add_test(tcase, cpuid_table_grows_until_all_fits);
	tcase_add_test(tcase, cpuid_table_growth_is_bounded);
}

int main(void)
{
	return suite_main("x86_kvm_answers", true, add_tests);
}
