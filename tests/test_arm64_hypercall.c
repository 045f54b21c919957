/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * Calls by HVC and SMC that become exits, with AXVM_FORWARD_HYPERCALLS. Needs a working /dev/kvm.
 */
#include <errno.h>

#include "arm64_guest.h"
#include "suite.h"

#define SMC 1u
#define ARG(i) (UINT64_C(0x1111111111111111) * (i))

static struct guest guest;

static void start(uint32_t forward, const struct a64_call *calls, size_t n)
{
	struct axvm_config config = AXVM_CONFIG_INIT;

	config.forward = forward;
	guest_create(&guest, &config, PROGRAM(calls));
	guest_setup(&guest, AXVCPU_MODE_64);
	ck_ok(axvcpu_set_gpr(guest.vcpu, 0, a64_calls(guest.vm, 0, calls, n)));
	ck_ok(axvcpu_bind(guest.vcpu));
}

static struct a64_call call(uint64_t conduit, uint64_t nr)
{
	return (struct a64_call){ conduit, { nr, ARG(1), ARG(2), ARG(3), ARG(4), ARG(5), ARG(6) } };
}

static void expect_call(uint64_t conduit, uint64_t nr)
{
	guest_expect(&guest, AXVCPU_EXIT_HYPERCALL);
	ck_assert_uint_eq(guest.exit.u.hypercall.nr, nr);
	for (unsigned int i = 0; i < 6; i++)
		ck_assert_uint_eq(guest.exit.u.hypercall.args[i], ARG(i + 1));
	ck_assert_uint_eq(guest.exit.raw_code & SMC, conduit);
	ck_assert_uint_eq(guest.exit.answerable, 1);
}

/* x0 and x1 after the call. */
static void expect_results(uint64_t x0, uint64_t x1)
{
	guest_expect_write(&guest, GUEST_MMIO, x0);
	guest_expect_write(&guest, GUEST_MMIO + 8, x1);
}

/* The first and the last of each range, by both instructions. */
static const uint64_t forwarded[] = {
	0x00000000, 0x00000001, 0x7fffffff, 0x80010000, 0x82000000, 0x83ffffff,
	0x84000020, 0x84000050, 0x85000000, 0x86000000, 0xbfffffff, 0xc0010000,
	0xc3ffffff, 0xc4000020, 0xc5000020, 0xc6000000, 0xffffffff,
};
#define NFORWARDED (sizeof(forwarded) / sizeof(forwarded[0]))

START_TEST(every_call_but_the_architectures_and_psci_is_forwarded)
{
	struct a64_call calls[2 * NFORWARDED];

	for (size_t i = 0; i < 2 * NFORWARDED; i++)
		calls[i] = call(i % 2, forwarded[i / 2]);
	start(AXVM_FORWARD_HYPERCALLS, calls, 2 * NFORWARDED);
	for (size_t i = 0; i < 2 * NFORWARDED; i++) {
		expect_call(i % 2, forwarded[i / 2]);
		ck_ok(axvcpu_complete_value(guest.vcpu, 1000 + i));
		expect_results(1000 + i, ARG(1));
	}
	guest_expect_end(&guest);
	guest_end(&guest);
}
END_TEST

START_TEST(the_architectures_calls_and_psci_stay_with_kvm)
{
	/* SMCCC_VERSION, SMCCC_ARCH_FEATURES of a call that does not exist, PSCI_VERSION. */
	const struct a64_call calls[] = {
		{ 0, { 0x80000000 } },
		{ 0, { 0x80000001, 0x8000ff00 } },
		{ 0, { A64_PSCI_VERSION } },
		{ SMC, { A64_PSCI_VERSION } },
		{ 0, { A64_PSCI_CPU_ON | A64_PSCI_64, 77, 0, 0 } },
		{ 0, { A64_PSCI_SYSTEM_OFF } },
	};

	start(AXVM_FORWARD_HYPERCALLS, calls, 6);
	ck_assert_uint_ge(a64_call_result(&guest), 0x10001);
	ck_assert_int_eq((int64_t)a64_call_result(&guest), -1);
	ck_assert_uint_ge(a64_call_result(&guest), 2);
	ck_assert_uint_ge(a64_call_result(&guest), 2);
	ck_assert_int_eq((int64_t)a64_call_result(&guest), AXVCPU_PSCI_INVALID_PARAMETERS);
	guest_expect(&guest, AXVCPU_EXIT_SYSTEM_DOWN);
	guest_end(&guest);
}
END_TEST

START_TEST(without_the_option_kvm_answers)
{
	const struct a64_call calls[] = { call(0, 0xc6001234), call(SMC, 0xc6001234), call(0, 1) };

	start(0, calls, 3);
	for (int i = 0; i < 3; i++)
		ck_assert_int_eq((int64_t)a64_call_result(&guest), -1);
	guest_expect_end(&guest);
	guest_end(&guest);
}
END_TEST

START_TEST(a_call_is_answered_once_by_one_word_or_two)
{
	struct a64_call calls[6];

	for (size_t i = 0; i < 6; i++)
		calls[i] = call(0, 0xc6000100 + i);
	start(AXVM_FORWARD_HYPERCALLS, calls, 6);
	/* Unanswered: the result is NOT_SUPPORTED. */
	expect_call(0, 0xc6000100);
	expect_results(UINT64_MAX, ARG(1));
	expect_call(0, 0xc6000101);
	ck_ok(axvcpu_complete_pair(guest.vcpu, 11, 12));
	ck_fails(axvcpu_complete_value(guest.vcpu, 13), EBADFD);
	expect_results(11, 12);
	/* A wrong kind changes nothing. */
	expect_call(0, 0xc6000102);
	ck_fails(axvcpu_complete_fault(guest.vcpu), EINVAL);
	ck_fails(axvcpu_complete_bytes(guest.vcpu, "x", 1), EINVAL);
	ck_ok(axvcpu_complete_value(guest.vcpu, 21));
	expect_results(21, ARG(1));
	expect_call(0, 0xc6000103);
	ck_ok(axvcpu_set_return_value(guest.vcpu, 31));
	ck_fails(axvcpu_complete_value(guest.vcpu, 32), EBADFD);
	expect_results(31, ARG(1));
	/* More results than an answer has: as registers, behind it. */
	expect_call(0, 0xc6000104);
	ck_ok(axvcpu_complete_value(guest.vcpu, 41));
	ck_ok(axvcpu_set_gpr(guest.vcpu, 1, 42));
	expect_results(41, 42);
	/* A flush is the end of it. */
	expect_call(0, 0xc6000105);
	ck_ok(axvcpu_flush(guest.vcpu));
	ck_fails(axvcpu_complete_value(guest.vcpu, 51), EBADFD);
	ck_assert_uint_eq(guest_reg(&guest, AXVCPU_REG_ARM64_X(0)), UINT64_MAX);
	expect_results(UINT64_MAX, ARG(1));
	guest_end(&guest);
}
END_TEST

START_TEST(a_reset_leaves_no_result_behind)
{
	const struct a64_call one = call(0, 0xc6000100);

	start(AXVM_FORWARD_HYPERCALLS, &one, 1);
	expect_call(0, 0xc6000100);
	ck_ok(axvcpu_reset(guest.vcpu, GUEST_CODE, A64_LIST));
	ck_assert_uint_eq(guest_reg(&guest, AXVCPU_REG_ARM64_X(0)), A64_LIST);
	expect_call(0, 0xc6000100);
	guest_end(&guest);
}
END_TEST

START_TEST(both_options_go_together)
{
	const struct a64_call calls[] = {
		call(0, 0x84000050),
		{ 0, { A64_PSCI_AFFINITY_INFO | A64_PSCI_64, 0, 0 } },
		{ 0, { A64_PSCI_CPU_OFF } },
	};

	start(AXVM_FORWARD_HYPERCALLS | AXVM_FORWARD_POWER, calls, 3);
	expect_call(0, 0x84000050);
	expect_results(UINT64_MAX, ARG(1));
	expect_results(0, 0);
	guest_expect(&guest, AXVCPU_EXIT_CPU_DOWN);
	guest_end(&guest);
}
END_TEST

START_TEST(a_step_over_a_call_has_its_result)
{
	struct axvcpu_debug debug = AXVCPU_DEBUG_INIT;
	const struct a64_call one = call(0, 0xc6000100);

	start(AXVM_FORWARD_HYPERCALLS, &one, 1);
	expect_call(0, 0xc6000100);
	ck_ok(axvcpu_complete_value(guest.vcpu, 61));
	debug.flags = AXVCPU_DEBUG_STEP;
	/* It finishes the open exit. */
	ck_ok(axvcpu_set_debug(guest.vcpu, &debug));
	ck_assert_uint_eq(guest_reg(&guest, AXVCPU_REG_ARM64_X(0)), 61);
	guest_expect(&guest, AXVCPU_EXIT_DEBUG);
	ck_ok(axvcpu_set_debug(guest.vcpu, NULL));
	expect_results(61, ARG(1));
	guest_end(&guest);
}
END_TEST

static void add_tests(Suite *suite)
{
	TCase *all = suite_case(suite, "all");

	tcase_add_test(all, every_call_but_the_architectures_and_psci_is_forwarded);
	tcase_add_test(all, the_architectures_calls_and_psci_stay_with_kvm);
	tcase_add_test(all, without_the_option_kvm_answers);
	tcase_add_test(all, a_call_is_answered_once_by_one_word_or_two);
	tcase_add_test(all, a_reset_leaves_no_result_behind);
	tcase_add_test(all, both_options_go_together);
	tcase_add_test(all, a_step_over_a_call_has_its_result);
}

int main(void)
{
	return suite_main("arm64: hypercalls", true, add_tests);
}
