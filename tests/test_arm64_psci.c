/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * PSCI conversations: with KVM, and with AXVM_FORWARD_POWER with the caller. Needs a working
 * /dev/kvm.
 */
#include <errno.h>
#include <linux/kvm.h>
#include <pthread.h>

#include "arm64_guest.h"
#include "suite.h"

#define VCPUS 3u
#define CONTEXT UINT64_C(0x1020304050607080)

/* As AFFINITY_INFO returns it. */
#define INFO_ON 0
#define INFO_OFF 1
#define INFO_ON_PENDING 2

static struct guest guests[VCPUS];
static uint64_t affinity[VCPUS];

static void create(uint32_t forward, uint32_t later_flags)
{
	struct axvm_config config = AXVM_CONFIG_INIT;

	config.max_vcpus = VCPUS;
	config.forward = forward;
	config.irqchip = AXVM_IRQCHIP_KERNEL;
	guests[0].vm = guest_vm(&config, PROGRAM(calls));
	for (uint32_t i = 0; i < VCPUS; i++) {
		struct axvcpu_setup_config setup = guest_setup_config(i);
		struct axvcpu_config vcpu_config = AXVCPU_CONFIG_INIT;

		guests[i].vm = guests[0].vm;
		vcpu_config.id = i;
		vcpu_config.flags = i ? later_flags : 0;
		ck_ok(axvcpu_new(guests[0].vm, &vcpu_config, &guests[i].vcpu));
		setup.arg = A64_LIST;
		ck_ok(axvcpu_setup(guests[i].vcpu, GUEST_CODE, 0, &setup));
		affinity[i] = guest_reg(&guests[i], AXVCPU_REG_ARM64_MPIDR_EL1) &
			      UINT64_C(0xff00ffffff);
		ck_ok(axvcpu_bind(guests[i].vcpu));
	}
}

static void destroy(void)
{
	for (uint32_t i = VCPUS; i-- > 0;) {
		if (axvcpu_state(guests[i].vcpu) == AXVCPU_READY)
			ck_ok(axvcpu_unbind(guests[i].vcpu));
		ck_ok(axvcpu_free(guests[i].vcpu));
	}
	ck_ok(axvm_free(guests[0].vm));
}

/* The calls that the first vCPU makes. */
static void will_call(const struct a64_call *calls, size_t n)
{
	a64_calls(guests[0].vm, 0, calls, n);
}

static void expect_result_of(uint32_t caller, int64_t result)
{
	ck_assert_int_eq((int64_t)a64_call_result(&guests[caller]), result);
}

static void expect_result(int64_t result)
{
	expect_result_of(0, result);
}

/* --- with KVM -------------------------------------------------------------------------------- */

/* Runs until the guest's program comes to the end of its calls. */
static void *run_to_the_end(void *arg)
{
	struct guest *guest = arg;

	/* The thread's, not the one's that has set it up. */
	if (axvcpu_bind(guest->vcpu))
		return arg;
	do {
		if (axvcpu_run(guest->vcpu, &guest->exit))
			return arg;
	} while (guest->exit.kind != AXVCPU_EXIT_MMIO_WRITE ||
		 guest->exit.u.mmio.addr != GUEST_END);
	return axvcpu_unbind(guest->vcpu) ? arg : NULL;
}

START_TEST(kvm_starts_cpus_that_wait_in_it)
{
	const uint64_t none = A64_LIST + 0x1000;
	pthread_t thread;
	void *failed;

	create(0, 0);
	/* Where it goes once started: a list without a call. */
	a64_calls(guests[0].vm, 1, NULL, 0);
	will_call(
		(const struct a64_call[]){
			{ 0, { A64_PSCI_VERSION } },
			{ 0, { A64_PSCI_AFFINITY_INFO | A64_PSCI_64, affinity[1], 0 } },
			{ 0, { A64_PSCI_CPU_ON | A64_PSCI_64, 0x99, GUEST_CODE, 0 } },
			{ 0, { A64_PSCI_CPU_ON | A64_PSCI_64, affinity[1], GUEST_CODE, none } },
			{ 0, { A64_PSCI_CPU_ON | A64_PSCI_64, affinity[1], GUEST_CODE, none } },
			{ 0, { A64_PSCI_AFFINITY_INFO, affinity[1], 0 } },
		},
		6);
	/* It sleeps in KVM, so flush and free must not be called meanwhile. */
	ck_ok(axvcpu_unbind(guests[1].vcpu));
	ck_assert_int_eq(pthread_create(&thread, NULL, run_to_the_end, &guests[1]), 0);
	ck_assert_uint_ge(a64_call_result(&guests[0]), 2);
	expect_result(INFO_OFF);
	expect_result(AXVCPU_PSCI_INVALID_PARAMETERS);
	expect_result(AXVCPU_PSCI_SUCCESS);
	expect_result(AXVCPU_PSCI_ALREADY_ON);
	expect_result(INFO_ON);
	ck_assert_int_eq(pthread_join(thread, &failed), 0);
	ck_assert_ptr_null(failed);
	destroy();
}
END_TEST

START_TEST(a_cpu_that_waits_in_kvm_is_kicked_and_reset)
{
	create(0, 0);
	a64_calls(guests[0].vm, 1, NULL, 0);
	ck_ok(axvcpu_kick(guests[1].vcpu));
	ck_ok(axvcpu_run(guests[1].vcpu, &guests[1].exit));
	ck_assert_uint_eq(guests[1].exit.kind, AXVCPU_EXIT_NOTHING);
	ck_assert_uint_eq(guests[1].exit.kicked, 1);
	/* A reset switches it on. */
	ck_ok(axvcpu_reset(guests[1].vcpu, GUEST_CODE, A64_LIST + 0x1000));
	guest_expect_end(&guests[1]);
	destroy();
}
END_TEST

static void goes_down(uint32_t function, enum axvcpu_exit_kind kind)
{
	create(0, 0);
	will_call((const struct a64_call[]){ { 0, { function } } }, 1);
	guest_expect(&guests[0], kind);
	ck_fails(axvcpu_run(guests[0].vcpu, &guests[0].exit), EBADFD);
	a64_calls(guests[0].vm, 0, NULL, 0);
	ck_ok(axvcpu_reset(guests[0].vcpu, GUEST_CODE, A64_LIST));
	guest_expect_end(&guests[0]);
	destroy();
}

START_TEST(the_machine_goes_off_and_is_reset)
{
	goes_down(A64_PSCI_SYSTEM_OFF, AXVCPU_EXIT_SYSTEM_DOWN);
	goes_down(A64_PSCI_SYSTEM_RESET, AXVCPU_EXIT_SYSTEM_RESET);
}
END_TEST

START_TEST(a_suspension_is_denied_answered_or_honoured)
{
	const struct a64_call suspend = { 0, { 0xc400000e, GUEST_CODE, A64_LIST + 0x1000 } };
	struct axvm_config config = AXVM_CONFIG_INIT;
	bool known;

	create(0, 0);
	known = axvm_capability(guests[0].vm, KVM_CAP_ARM_SYSTEM_SUSPEND) > 0;
	/* Without the flag, the call does not exist. */
	will_call(&suspend, 1);
	expect_result(AXVCPU_PSCI_NOT_SUPPORTED);
	destroy();
	config.forward = AXVM_FORWARD_SUSPEND;
	if (!known) {
		guest_expect_refused(&config, ENOTSUP, "KVM_CAP_ARM_SYSTEM_SUSPEND");
		return;
	}
	create(AXVM_FORWARD_SUSPEND, 0);
	will_call((const struct a64_call[]){ suspend, suspend, suspend }, 3);
	guest_expect(&guests[0], AXVCPU_EXIT_SYSTEM_SUSPEND);
	ck_assert_uint_eq(guests[0].exit.raw_reason, KVM_EXIT_SYSTEM_EVENT);
	ck_assert_uint_eq(guests[0].exit.raw_code, KVM_SYSTEM_EVENT_SUSPEND);
	ck_assert_uint_eq(guests[0].exit.u.suspend.entry_point, GUEST_CODE);
	ck_assert_uint_eq(guests[0].exit.u.suspend.arg, A64_LIST + 0x1000);
	expect_result(AXVCPU_PSCI_DENIED);
	guest_expect(&guests[0], AXVCPU_EXIT_SYSTEM_SUSPEND);
	ck_ok(axvcpu_complete_value(guests[0].vcpu, (uint64_t)AXVCPU_PSCI_INTERNAL_FAILURE));
	expect_result(AXVCPU_PSCI_INTERNAL_FAILURE);
	/* Where it wakes is a list without a call. */
	guest_expect(&guests[0], AXVCPU_EXIT_SYSTEM_SUSPEND);
	a64_calls(guests[0].vm, 1, NULL, 0);
	ck_ok(axvcpu_reset(guests[0].vcpu, guests[0].exit.u.suspend.entry_point,
			   guests[0].exit.u.suspend.arg));
	guest_expect_end(&guests[0]);
	destroy();
}
END_TEST

/* --- with the caller ------------------------------------------------------------------------- */

static void expect_cpu_up_of(uint32_t caller, uint32_t target, uint64_t entry, uint64_t arg)
{
	const struct axvcpu_exit *exit = &guests[caller].exit;

	guest_expect(&guests[caller], AXVCPU_EXIT_CPU_UP);
	ck_assert_uint_eq(exit->u.cpu_up.target_cpu, affinity[target]);
	ck_assert_uint_eq(exit->u.cpu_up.entry_point, entry);
	ck_assert_uint_eq(exit->u.cpu_up.arg, arg);
	ck_assert_uint_eq(exit->answerable, 1);
}

static void expect_cpu_up(uint32_t target, uint64_t entry, uint64_t arg)
{
	expect_cpu_up_of(0, target, entry, arg);
}

START_TEST(a_cpu_on_is_the_callers_to_do)
{
	create(AXVM_FORWARD_POWER, AXVCPU_F_START_OFF);
	a64_calls(guests[0].vm, 1, NULL, 0);
	will_call(
		(const struct a64_call[]){
			{ 0, { A64_PSCI_CPU_ON | A64_PSCI_64, affinity[1], GUEST_CODE, CONTEXT } },
			{ 0, { A64_PSCI_CPU_ON | A64_PSCI_64, affinity[1], GUEST_CODE, CONTEXT } },
			{ 1, { A64_PSCI_CPU_ON | A64_PSCI_64, affinity[1], GUEST_CODE, CONTEXT } },
			{ 0, { A64_PSCI_CPU_ON | A64_PSCI_64, affinity[1], GUEST_CODE, CONTEXT } },
			{ 0, { A64_PSCI_AFFINITY_INFO | A64_PSCI_64, affinity[1], 0 } },
		},
		5);
	/* Neither started nor answered. */
	expect_cpu_up(1, GUEST_CODE, CONTEXT);
	ck_assert_uint_eq(guests[0].exit.raw_code, 0);
	expect_result(AXVCPU_PSCI_INTERNAL_FAILURE);
	/* An answer of the caller's. */
	expect_cpu_up(1, GUEST_CODE, CONTEXT);
	ck_ok(axvcpu_complete_value(guests[0].vcpu, (uint64_t)AXVCPU_PSCI_DENIED));
	expect_result(AXVCPU_PSCI_DENIED);
	/* By SMC, as the code selects. The CPU is started, which answers the call. */
	expect_cpu_up(1, GUEST_CODE, CONTEXT);
	ck_assert_uint_eq(guests[0].exit.raw_code, 1);
	ck_ok(axvcpu_start(guests[1].vcpu, GUEST_CODE, A64_LIST + 0x1000));
	expect_result(AXVCPU_PSCI_SUCCESS);
	guest_expect_end(&guests[1]);
	/* It is on: the call makes no exit. */
	expect_result(AXVCPU_PSCI_ALREADY_ON);
	expect_result(INFO_ON);
	destroy();
}
END_TEST

START_TEST(a_32_bit_cpu_on_has_32_bit_arguments)
{
	create(AXVM_FORWARD_POWER, AXVCPU_F_START_OFF);
	will_call(
		(const struct a64_call[]){
			{ 0,
			  { A64_PSCI_CPU_ON, affinity[2] | UINT64_C(7) << 32,
			    GUEST_CODE | UINT64_C(1) << 32, CONTEXT } },
			{ 0, { A64_PSCI_AFFINITY_INFO, affinity[2] | UINT64_C(7) << 40, 0 } },
		},
		2);
	expect_cpu_up(2, GUEST_CODE, (uint32_t)CONTEXT);
	ck_ok(axvcpu_start(guests[2].vcpu, GUEST_CODE, A64_LIST));
	ck_ok(axvcpu_complete_value(guests[0].vcpu, AXVCPU_PSCI_SUCCESS));
	expect_result(AXVCPU_PSCI_SUCCESS);
	expect_result(INFO_ON);
	destroy();
}
END_TEST

START_TEST(impossible_cpu_on_makes_no_exit)
{
	create(AXVM_FORWARD_POWER, AXVCPU_F_START_OFF);
	will_call(
		(const struct a64_call[]){
			{ 0, { A64_PSCI_CPU_ON | A64_PSCI_64, 0x7777, GUEST_CODE, 0 } },
			{ 0, { A64_PSCI_CPU_ON | A64_PSCI_64, UINT64_C(1) << 31, GUEST_CODE, 0 } },
			{ 0, { A64_PSCI_CPU_ON | A64_PSCI_64, affinity[0], GUEST_CODE, 0 } },
		},
		3);
	/* There is no such CPU, no such number; the caller itself is on. */
	expect_result(AXVCPU_PSCI_INVALID_PARAMETERS);
	expect_result(AXVCPU_PSCI_INVALID_PARAMETERS);
	expect_result(AXVCPU_PSCI_ALREADY_ON);
	destroy();
}
END_TEST

/* Leaves a start in the request queue of a vCPU whose owner, the test, is not in a run. */
static void *start_elsewhere(void *arg)
{
	struct guest *guest = arg;

	return axvcpu_start(guest->vcpu, GUEST_CODE, A64_LIST + 0x1000) ? arg : NULL;
}

START_TEST(a_start_in_the_queue_is_pending)
{
	pthread_t thread;
	void *failed;

	create(AXVM_FORWARD_POWER, AXVCPU_F_START_OFF);
	a64_calls(guests[0].vm, 1, NULL, 0);
	will_call(
		(const struct a64_call[]){
			{ 0, { A64_PSCI_AFFINITY_INFO | A64_PSCI_64, affinity[1], 0 } },
			{ 0, { A64_PSCI_CPU_ON | A64_PSCI_64, affinity[1], GUEST_CODE, 0 } },
			{ 0, { A64_PSCI_AFFINITY_INFO | A64_PSCI_64, affinity[1], 0 } },
		},
		3);
	ck_assert_int_eq(pthread_create(&thread, NULL, start_elsewhere, &guests[1]), 0);
	ck_assert_int_eq(pthread_join(thread, &failed), 0);
	ck_assert_ptr_null(failed);
	ck_assert_int_eq(axvcpu_power(guests[1].vcpu), AXVCPU_POWER_STARTING);
	expect_result(INFO_ON_PENDING);
	expect_result(AXVCPU_PSCI_ON_PENDING);
	guest_expect_end(&guests[1]);
	ck_assert_int_eq(axvcpu_power(guests[1].vcpu), AXVCPU_POWER_ON);
	expect_result(INFO_ON);
	destroy();
}
END_TEST

START_TEST(a_cpu_that_goes_off_is_off_when_it_has_been_stopped)
{
	create(AXVM_FORWARD_POWER, AXVCPU_F_START_OFF);
	a64_calls(guests[0].vm, 1, (const struct a64_call[]){ { 0, { A64_PSCI_CPU_OFF } } }, 1);
	will_call(
		(const struct a64_call[]){
			{ 0, { A64_PSCI_AFFINITY_INFO | A64_PSCI_64, affinity[1], 0 } },
			{ 0, { A64_PSCI_AFFINITY_INFO | A64_PSCI_64, affinity[1], 0 } },
			{ 0, { A64_PSCI_CPU_ON | A64_PSCI_64, affinity[1], GUEST_CODE, 5 } },
		},
		3);
	ck_ok(axvcpu_start(guests[1].vcpu, GUEST_CODE, A64_LIST + 0x1000));
	guest_expect(&guests[1], AXVCPU_EXIT_CPU_DOWN);
	ck_assert_uint_eq(guests[1].exit.u.cpu_down.state, 0);
	expect_result(INFO_ON);
	ck_ok(axvcpu_stop(guests[1].vcpu));
	expect_result(INFO_OFF);
	/* Once more, from the start. */
	expect_cpu_up(1, GUEST_CODE, 5);
	ck_ok(axvcpu_start(guests[1].vcpu, GUEST_CODE, A64_LIST + 0x1000));
	expect_result(AXVCPU_PSCI_SUCCESS);
	guest_expect(&guests[1], AXVCPU_EXIT_CPU_DOWN);
	/* It is not stopped: the call fails. */
	guest_expect_write(&guests[1], GUEST_MMIO, (uint64_t)AXVCPU_PSCI_DENIED);
	destroy();
}
END_TEST

/* --- two CPUs that start a third --------------------------------------------------------------- */

/* The first and the last CPU are on; each calls CPU_ON for the second one, twice. */
static void create_two_callers(void)
{
	struct a64_call on = { 0, { A64_PSCI_CPU_ON | A64_PSCI_64, 0, GUEST_CODE, A64_LIST } };
	uint64_t list;

	create(AXVM_FORWARD_POWER, AXVCPU_F_START_OFF);
	on.x[1] = affinity[1];
	on.x[3] = a64_calls(guests[0].vm, 1,
			    (const struct a64_call[]){ { 0, { A64_PSCI_CPU_OFF } } }, 1);
	will_call((const struct a64_call[]){ on, on }, 2);
	list = a64_calls(guests[0].vm, 2, (const struct a64_call[]){ on, on }, 2);
	ck_ok(axvcpu_start(guests[2].vcpu, GUEST_CODE, list));
}

static void expect_start_of_the_second(uint32_t caller)
{
	expect_cpu_up_of(caller, 1, GUEST_CODE, A64_LIST + 0x1000);
}

static void start_the_second(void)
{
	ck_ok(axvcpu_start(guests[1].vcpu, GUEST_CODE, A64_LIST + 0x1000));
}

START_TEST(second_concurrent_cpu_on_returns_on_pending)
{
	create_two_callers();
	expect_start_of_the_second(0);
	expect_result_of(2, AXVCPU_PSCI_ON_PENDING);
	start_the_second();
	expect_result_of(2, AXVCPU_PSCI_ALREADY_ON);
	expect_result_of(0, AXVCPU_PSCI_SUCCESS);
	expect_result_of(0, AXVCPU_PSCI_ALREADY_ON);
	destroy();
}
END_TEST

START_TEST(a_cpu_on_succeeds_if_the_started_cpu_is_off_again)
{
	create_two_callers();
	expect_start_of_the_second(0);
	start_the_second();
	guest_expect(&guests[1], AXVCPU_EXIT_CPU_DOWN);
	ck_ok(axvcpu_stop(guests[1].vcpu));
	/* Another CPU's start of it is a separate exit, with a separate result. */
	expect_start_of_the_second(2);
	expect_result_of(0, AXVCPU_PSCI_SUCCESS);
	expect_result_of(0, AXVCPU_PSCI_ON_PENDING);
	expect_result_of(2, AXVCPU_PSCI_INTERNAL_FAILURE);
	destroy();
}
END_TEST

START_TEST(a_start_in_the_queue_answers_the_one_that_asked_for_it)
{
	pthread_t thread;
	void *failed;

	create_two_callers();
	expect_start_of_the_second(0);
	ck_assert_int_eq(pthread_create(&thread, NULL, start_elsewhere, &guests[1]), 0);
	ck_assert_int_eq(pthread_join(thread, &failed), 0);
	ck_assert_ptr_null(failed);
	ck_assert_int_eq(axvcpu_power(guests[1].vcpu), AXVCPU_POWER_STARTING);
	expect_result_of(2, AXVCPU_PSCI_ON_PENDING);
	expect_result_of(0, AXVCPU_PSCI_SUCCESS);
	guest_expect(&guests[1], AXVCPU_EXIT_CPU_DOWN);
	expect_result_of(2, AXVCPU_PSCI_ALREADY_ON);
	destroy();
}
END_TEST

START_TEST(a_cpu_on_that_is_answered_or_dropped_leaves_its_target_to_others)
{
	/* Answered, without a start. */
	create_two_callers();
	expect_start_of_the_second(0);
	ck_ok(axvcpu_complete_value(guests[0].vcpu, (uint64_t)AXVCPU_PSCI_DENIED));
	expect_start_of_the_second(2);
	expect_result_of(0, AXVCPU_PSCI_DENIED);
	/* The caller is reset. */
	ck_ok(axvcpu_reset(guests[2].vcpu, GUEST_CODE, A64_LIST + 0x2000));
	expect_start_of_the_second(0);
	expect_result_of(2, AXVCPU_PSCI_ON_PENDING);
	/* The caller is freed. */
	ck_ok(axvcpu_free(guests[0].vcpu));
	expect_start_of_the_second(2);
	start_the_second();
	expect_result_of(2, AXVCPU_PSCI_SUCCESS);
	for (uint32_t i = VCPUS; i-- > 1;) {
		ck_ok(axvcpu_unbind(guests[i].vcpu));
		ck_ok(axvcpu_free(guests[i].vcpu));
	}
	ck_ok(axvm_free(guests[0].vm));
}
END_TEST

START_TEST(affinity_info_has_levels)
{
	/* By KVM's numbering: the first CPU is 0, the third 2. */
	static const struct {
		uint64_t affinity, level;
		int64_t result;
	} cases[] = {
		{ 0, 0, INFO_ON },
		{ 2, 0, INFO_OFF },
		/* All of them: one is on. */
		{ 2, 1, INFO_ON },
		{ 2, 2, INFO_ON },
		{ 2, 3, INFO_ON },
		{ UINT64_C(1) << 8, 1, AXVCPU_PSCI_INVALID_PARAMETERS },
		{ 0, 4, AXVCPU_PSCI_INVALID_PARAMETERS },
		{ 0, UINT64_MAX, AXVCPU_PSCI_INVALID_PARAMETERS },
		{ UINT64_C(1) << 24, 0, AXVCPU_PSCI_INVALID_PARAMETERS },
	};
	struct a64_call calls[sizeof(cases) / sizeof(cases[0])];

	create(AXVM_FORWARD_POWER, AXVCPU_F_START_OFF);
	ck_assert_uint_eq(affinity[0], 0);
	ck_assert_uint_eq(affinity[2], 2);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		calls[i] = (struct a64_call){ 0,
					      { A64_PSCI_AFFINITY_INFO | A64_PSCI_64,
						cases[i].affinity, cases[i].level } };
	will_call(calls, sizeof(cases) / sizeof(cases[0]));
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		expect_result(cases[i].result);
	destroy();
}
END_TEST

START_TEST(other_psci_calls_stay_with_kvm)
{
	create(AXVM_FORWARD_POWER, AXVCPU_F_START_OFF);
	will_call(
		(const struct a64_call[]){
			{ 0, { A64_PSCI_VERSION } },
			{ 0, { 0xc6001234 } },
			{ 0, { A64_PSCI_SYSTEM_OFF } },
		},
		3);
	ck_assert_uint_ge(a64_call_result(&guests[0]), 2);
	expect_result(-1);
	guest_expect(&guests[0], AXVCPU_EXIT_SYSTEM_DOWN);
	destroy();
}
END_TEST

START_TEST(a_cpu_that_was_freed_is_no_longer_one)
{
	create(AXVM_FORWARD_POWER, AXVCPU_F_START_OFF);
	will_call(
		(const struct a64_call[]){
			{ 0, { A64_PSCI_AFFINITY_INFO | A64_PSCI_64, affinity[2], 0 } },
			{ 0, { A64_PSCI_AFFINITY_INFO | A64_PSCI_64, affinity[2], 0 } },
		},
		2);
	expect_result(INFO_OFF);
	ck_ok(axvcpu_unbind(guests[2].vcpu));
	ck_ok(axvcpu_free(guests[2].vcpu));
	expect_result(AXVCPU_PSCI_INVALID_PARAMETERS);
	for (uint32_t i = 2; i-- > 0;) {
		ck_ok(axvcpu_unbind(guests[i].vcpu));
		ck_ok(axvcpu_free(guests[i].vcpu));
	}
	ck_ok(axvm_free(guests[0].vm));
}
END_TEST

/* --- */

static void add_tests(Suite *suite)
{
	TCase *kvm = suite_case(suite, "KVM");
	TCase *caller = suite_case(suite, "caller");

	tcase_add_test(kvm, kvm_starts_cpus_that_wait_in_it);
	tcase_add_test(kvm, a_cpu_that_waits_in_kvm_is_kicked_and_reset);
	tcase_add_test(kvm, the_machine_goes_off_and_is_reset);
	tcase_add_test(kvm, a_suspension_is_denied_answered_or_honoured);
	tcase_add_test(caller, a_cpu_on_is_the_callers_to_do);
	tcase_add_test(caller, a_32_bit_cpu_on_has_32_bit_arguments);
	tcase_add_test(caller, impossible_cpu_on_makes_no_exit);
	tcase_add_test(caller, a_start_in_the_queue_is_pending);
	tcase_add_test(caller, a_cpu_that_goes_off_is_off_when_it_has_been_stopped);
	tcase_add_test(caller, second_concurrent_cpu_on_returns_on_pending);
	tcase_add_test(caller, a_cpu_on_succeeds_if_the_started_cpu_is_off_again);
	tcase_add_test(caller, a_start_in_the_queue_answers_the_one_that_asked_for_it);
	tcase_add_test(caller, a_cpu_on_that_is_answered_or_dropped_leaves_its_target_to_others);
	tcase_add_test(caller, affinity_info_has_levels);
	tcase_add_test(caller, other_psci_calls_stay_with_kvm);
	tcase_add_test(caller, a_cpu_that_was_freed_is_no_longer_one);
}

int main(void)
{
	return suite_main("arm64: PSCI", true, add_tests);
}
