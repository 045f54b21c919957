/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * The mode of a CPU, and translation with permissions as setup leaves them: the same calls on each
 * architecture. Needs a working /dev/kvm.
 */
#include <errno.h>

#include "guest.h"
#include "mock.h"
#include "suite.h"

static struct guest guest;

static struct axvcpu_cpu_mode mode_now(void)
{
	struct axvcpu_cpu_mode mode = AXVCPU_CPU_MODE_INIT;

	ck_ok(axvcpu_get_cpu_mode(guest.vcpu, &mode));
	return mode;
}

START_TEST(setup_of_64_bit_code_is_the_mode_of_a_kernel)
{
	struct axvcpu_cpu_mode mode;

	guest_create(&guest, NULL, PROGRAM(finish));
	guest_setup(&guest, AXVCPU_MODE_64);
	mode = mode_now();
	ck_assert_uint_eq(mode.execution, GUEST_EXECUTION);
	ck_assert_uint_eq(mode.bits, 64);
	ck_assert_uint_eq(mode.privilege, GUEST_PRIVILEGE);
	ck_assert_uint_eq(mode.user, 0);
	ck_assert_uint_eq(mode.paging, GUEST_PAGING);
	/* At an exit of the guest, too. */
	ck_ok(axvcpu_bind(guest.vcpu));
	guest_expect_end(&guest);
	ck_assert_uint_eq(mode_now().execution, GUEST_EXECUTION);
	ck_assert_uint_eq(mode_now().privilege, GUEST_PRIVILEGE);
	guest_end(&guest);
}
END_TEST

START_TEST(the_privilege_of_applications_is_user)
{
	guest_create(&guest, NULL, PROGRAM(finish));
	guest_setup(&guest, AXVCPU_MODE_64);
	guest_make_user(&guest);
	ck_assert_uint_eq(mode_now().user, 1);
	ck_assert_uint_eq(mode_now().execution, GUEST_EXECUTION);
	ck_assert_uint_ne(mode_now().privilege, GUEST_PRIVILEGE);
	guest_end(&guest);
}
END_TEST

START_TEST(translation_returns_the_permissions_of_the_initial_tables)
{
	struct axvcpu_translation translation = AXVCPU_TRANSLATION_INIT;
	const uint32_t all = AXVCPU_ACCESS_READ | AXVCPU_ACCESS_WRITE | AXVCPU_ACCESS_EXEC;
	uint64_t gpa = 0;

	guest_create(&guest, NULL, PROGRAM(finish));
	guest_setup(&guest, AXVCPU_MODE_64);
	ck_ok(axvcpu_translate_access(guest.vcpu, GUEST_CODE + 5, &translation));
	ck_assert_uint_eq(translation.gpa, GUEST_CODE + 5);
	ck_assert_uint_eq(translation.access, all);
	/* The tables of setup are for a kernel; without tables, all is permitted. */
	ck_assert_uint_eq(translation.user_access, GUEST_PAGING ? 0 : all);
	ck_assert_uint_eq(translation.page_size, GUEST_PAGING ? 0x200000 : 0);
	ck_ok(axvcpu_translate(guest.vcpu, GUEST_CODE + 5, &gpa));
	ck_assert_uint_eq(gpa, GUEST_CODE + 5);
	guest_end(&guest);
}
END_TEST

START_TEST(results_fill_the_members_that_the_caller_knows)
{
	struct axvcpu_translation translation = AXVCPU_TRANSLATION_INIT;
	struct axvcpu_cpu_mode mode = AXVCPU_CPU_MODE_INIT;

	guest_create(&guest, NULL, PROGRAM(finish));
	guest_setup(&guest, AXVCPU_MODE_64);
	mode.size = offsetof(struct axvcpu_cpu_mode, bits);
	mode.bits = 77;
	ck_ok(axvcpu_get_cpu_mode(guest.vcpu, &mode));
	ck_assert_uint_eq(mode.execution, GUEST_EXECUTION);
	ck_assert_uint_eq(mode.bits, 77);
	ck_assert_uint_eq(mode.size, offsetof(struct axvcpu_cpu_mode, bits));
	mode.size = 0;
	ck_fails_saying(axvcpu_get_cpu_mode(guest.vcpu, &mode), EINVAL, "get_cpu_mode: size");

	translation.size = offsetof(struct axvcpu_translation, page_size);
	translation.page_size = 77;
	ck_ok(axvcpu_translate_access(guest.vcpu, GUEST_CODE, &translation));
	ck_assert_uint_eq(translation.gpa, GUEST_CODE);
	ck_assert_uint_eq(translation.page_size, 77);
	translation.size = sizeof(translation.size);
	ck_fails_saying(axvcpu_translate_access(guest.vcpu, GUEST_CODE, &translation), EINVAL,
			"translate_access: size");
	guest_end(&guest);
}
END_TEST

START_TEST(a_vcpu_that_is_not_set_up_has_no_mode)
{
	struct axvcpu_translation translation = AXVCPU_TRANSLATION_INIT;
	struct axvcpu_cpu_mode mode = AXVCPU_CPU_MODE_INIT;

	guest_create(&guest, NULL, PROGRAM(finish));
	ck_fails(axvcpu_get_cpu_mode(guest.vcpu, &mode), EBADFD);
	ck_fails(axvcpu_translate_access(guest.vcpu, 0, &translation), EBADFD);
	guest_end(&guest);
}
END_TEST

START_TEST(a_backend_without_them_is_named)
{
	struct axvcpu_translation translation = AXVCPU_TRANSLATION_INIT;
	struct axvcpu_cpu_mode mode = AXVCPU_CPU_MODE_INIT;

	mock_start(&guest.vm, &guest.vcpu, 0);
	ck_ok(axvcpu_setup(guest.vcpu, 0, 0, NULL));
	ck_fails_saying(axvcpu_get_cpu_mode(guest.vcpu, &mode), ENOTSUP, "get_cpu_mode");
	ck_fails_saying(axvcpu_translate_access(guest.vcpu, 0, &translation), ENOTSUP,
			"translate_access");
	ck_fails_saying(axvm_set_sysregs(guest.vm, NULL, 0), ENOTSUP, "set_sysregs");
	guest_end(&guest);
}
END_TEST

static void add_tests(Suite *suite)
{
	TCase *all = suite_case(suite, "all");

	tcase_add_test(all, setup_of_64_bit_code_is_the_mode_of_a_kernel);
	tcase_add_test(all, the_privilege_of_applications_is_user);
	tcase_add_test(all, translation_returns_the_permissions_of_the_initial_tables);
	tcase_add_test(all, results_fill_the_members_that_the_caller_knows);
	tcase_add_test(all, a_vcpu_that_is_not_set_up_has_no_mode);
	tcase_add_test(all, a_backend_without_them_is_named);
}

int main(void)
{
	return suite_main("cpu_mode", true, add_tests);
}
