/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * Runs with a deadline, on any backend: they end after it and never before; the timer of the thread
 * makes no system call while the deadline is far (the injector counts them); its failures are
 * reported, and it is deleted. Needs no KVM: the backend is the mock.
 */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <time.h>

#include "child.h"
#include "injector.h"
#include "mock.h"
#include "suite.h"

#define MS INT64_C(1000000)

static struct axvm *vm;
static struct axvcpu *vcpu;
static struct axvcpu_exit exit_;

static int64_t now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * INT64_C(1000000000) + ts.tv_nsec;
}

/* A bound vCPU whose run ends by a kick only. */
static void start(void)
{
	mock_start(&vm, &vcpu, 0);
	ck_ok(axvcpu_setup(vcpu, 0, 0, NULL));
	ck_ok(axvcpu_bind(vcpu));
	mock.spin = true;
}

static void end(void)
{
	ck_ok(axvcpu_free(vcpu));
	ck_ok(axvm_free(vm));
}

/* Runs until the deadline, which must be reported, and must have passed. */
static void expect_deadline(int64_t deadline)
{
	ck_ok(axvcpu_run_until(vcpu, deadline, &exit_));
	ck_assert_int_ge(now(), deadline);
	ck_assert_uint_eq(exit_.kind, AXVCPU_EXIT_DEADLINE);
	ck_assert_uint_eq(exit_.answerable, 0);
}

/* --- deadlines ---------------------------------------------------------------------------------- */

START_TEST(a_run_ends_after_its_deadline)
{
	start();
	for (int i = 0; i < 100; i++) {
		expect_deadline(now() + i % 10 * MS / 10);
		ck_assert_uint_eq(exit_.kicked, 0);
	}
	end();
}
END_TEST

START_TEST(a_budget_is_a_deadline_from_now_on)
{
	int64_t begin;

	start();
	begin = now();
	ck_ok(axvcpu_run_for(vcpu, 3 * MS, &exit_));
	ck_assert_uint_eq(exit_.kind, AXVCPU_EXIT_DEADLINE);
	ck_assert_int_ge(now(), begin + 3 * MS);
	end();
}
END_TEST

/* _i: 0 and negative times have passed, too. */
START_TEST(a_deadline_that_has_passed_ends_the_run_at_once)
{
	const int64_t past[] = { now() - 1, 1, 0, -1, INT64_MIN };

	start();
	expect_deadline(past[_i]);
	expect_deadline(past[_i]);
	end();
}
END_TEST

START_TEST(an_exit_comes_before_a_deadline_that_has_passed)
{
	const int64_t past = now();

	start();
	/* The backend returns its exit without having seen the kick. */
	mock.spin = false;
	mock.exit.kind = AXVCPU_EXIT_MMIO_WRITE;
	ck_ok(axvcpu_run_until(vcpu, past, &exit_));
	ck_assert_uint_eq(exit_.kind, AXVCPU_EXIT_MMIO_WRITE);
	mock.spin = true;
	mock.exit.kind = AXVCPU_EXIT_NOTHING;
	expect_deadline(past);
	end();
}
END_TEST

/* Set for the earlier deadline of another run, the timer expires during this one. */
START_TEST(an_expiry_that_is_too_early_is_not_reported)
{
	int64_t begin = now();

	start();
	mock.spin = false;
	mock.exit.kind = AXVCPU_EXIT_MMIO_WRITE;
	ck_ok(axvcpu_run_until(vcpu, begin + 20 * MS, &exit_));
	mock.spin = true;
	mock.exit.kind = AXVCPU_EXIT_NOTHING;
	expect_deadline(begin + 60 * MS);
	end();
}
END_TEST

START_TEST(a_kick_at_the_deadline_is_reported_with_it)
{
	start();
	ck_ok(axvcpu_kick(vcpu));
	expect_deadline(1);
	ck_assert_uint_eq(exit_.kicked, 1);
	expect_deadline(1);
	ck_assert_uint_eq(exit_.kicked, 0);
	end();
}
END_TEST

START_TEST(a_kick_before_the_deadline_is_nothing)
{
	start();
	ck_ok(axvcpu_kick(vcpu));
	ck_ok(axvcpu_run_until(vcpu, now() + 3600000 * MS, &exit_));
	ck_assert_uint_eq(exit_.kind, AXVCPU_EXIT_NOTHING);
	ck_assert_uint_eq(exit_.kicked, 1);
	end();
}
END_TEST

/* _i: whether the thread blocks all signals. */
START_TEST(the_sleep_of_a_paused_vcpu_ends_at_the_deadline)
{
	sigset_t all;

	start();
	ck_ok(axvcpu_pause(vcpu, 0));
	sigfillset(&all);
	if (_i)
		ck_assert_int_eq(pthread_sigmask(SIG_SETMASK, &all, NULL), 0);
	for (int i = 0; i < 10; i++)
		expect_deadline(now() + i * MS);
	ck_assert_uint_eq(mock.calls[MOCK_RUN], 0);
	end();
}
END_TEST

/* --- two vCPUs, two threads ------------------------------------------------------------------- */

static void *run_in_a_thread(void *arg)
{
	(void)arg;
	ck_ok(axvcpu_bind(vcpu));
	for (int i = 0; i < 10; i++)
		expect_deadline(now() + i * MS);
	ck_ok(axvcpu_unbind(vcpu));
	return NULL;
}

/* The timers of ended threads are gone: each thread makes one, and makes it go. */
START_TEST(each_owner_has_a_timer_that_ends_with_its_thread)
{
	start();
	ck_ok(axvcpu_unbind(vcpu));
	for (int i = 0; i < 5; i++) {
		pthread_t thread;

		ck_assert_int_eq(pthread_create(&thread, NULL, run_in_a_thread, NULL), 0);
		ck_assert_int_eq(pthread_join(thread, NULL), 0);
		ck_assert_int_eq(injector.timers, 0);
	}
	end();
}
END_TEST

static void run_in_a_child(void)
{
	child_expect_eperm(axvcpu_run_until(vcpu, 1, &exit_));
	child_expect_eperm(axvcpu_run_for(vcpu, 1, &exit_));
	child_expect(!axvcpu_free(vcpu) && !axvm_free(vm));
	/* The parent's timer is not the child's. */
	child_expect(!axvm_new(&AXVCPU_WITH(axvm_config, .arch = &mock_ops), &vm));
	child_expect(!axvcpu_new(vm, NULL, &vcpu));
	child_expect(!axvcpu_setup(vcpu, 0, 0, NULL));
	child_expect(!axvcpu_bind(vcpu));
	mock.spin = true;
	mock.exit.kind = AXVCPU_EXIT_NOTHING;
	for (int i = 0; i < 10; i++) {
		int64_t deadline = now() + i * MS;

		child_expect(!axvcpu_run_until(vcpu, deadline, &exit_));
		child_expect(exit_.kind == AXVCPU_EXIT_DEADLINE && now() >= deadline);
	}
	child_expect(!axvcpu_free(vcpu) && !axvm_free(vm));
}

START_TEST(a_forked_child_has_a_timer_of_its_own)
{
	start();
	expect_deadline(now());
	/* Set when the process forks. */
	mock.spin = false;
	mock.exit.kind = AXVCPU_EXIT_MMIO_WRITE;
	ck_ok(axvcpu_run_until(vcpu, now() + MS, &exit_));
	child_run((enum child_way)_i, run_in_a_child);
	end();
}
END_TEST

/* --- system calls ------------------------------------------------------------------------------- */

#define EXITS 500u

START_TEST(a_far_deadline_costs_no_system_call)
{
	int64_t far = now() + 3600000 * MS;

	start();
	mock.spin = false;
	mock.exit.kind = AXVCPU_EXIT_MMIO_WRITE;
	injector_arm(0, 0, false);
	/* The first one creates and sets the timer. */
	ck_ok(axvcpu_run_until(vcpu, far, &exit_));
	ck_assert_uint_eq(injector.calls, 2);
	for (unsigned int i = 0; i < EXITS; i++)
		ck_ok(axvcpu_run_until(vcpu, far + i, &exit_));
	for (unsigned int i = 0; i < EXITS; i++)
		ck_ok(axvcpu_run_for(vcpu, 7200000 * MS, &exit_));
	ck_ok(axvcpu_run_until(vcpu, AXVCPU_NO_DEADLINE, &exit_));
	ck_ok(axvcpu_run_for(vcpu, -1, &exit_));
	ck_assert_uint_eq(injector.calls, 2);
	/* An earlier one sets it again. */
	ck_ok(axvcpu_run_until(vcpu, far - 1, &exit_));
	ck_assert_uint_eq(injector.calls, 3);
	injector_disarm();
	end();
}
END_TEST

START_TEST(without_a_deadline_there_is_no_timer)
{
	start();
	mock.spin = false;
	injector_arm(0, 0, false);
	ck_ok(axvcpu_run_until(vcpu, AXVCPU_NO_DEADLINE, &exit_));
	ck_ok(axvcpu_run_for(vcpu, -1, &exit_));
	ck_assert_uint_eq(injector.calls, 0);
	ck_assert_int_eq(injector.timers, 0);
	injector_disarm();
	end();
}
END_TEST

/* _i: the call that fails, and how. After it, the deadline is as good as ever. */
START_TEST(a_timer_that_fails_is_reported_and_tried_again)
{
	start();
	injector_arm(1 + (unsigned int)_i / 2, (unsigned int)_i % 2, false);
	ck_fails_saying(axvcpu_run_until(vcpu, now() + 3600000 * MS, &exit_), -injector.expected,
			_i / 2 ? "timer_settime" : "timer_create");
	ck_assert_uint_eq(mock.calls[MOCK_RUN], 0);
	injector_disarm();
	expect_deadline(now() + MS);
	end();
}
END_TEST

START_TEST(a_backend_that_cannot_be_kicked_has_no_deadlines)
{
	struct axvcpu_arch_ops ops = mock_ops;

	mock_reset();
	ops.kick = NULL;
	ck_ok(axvm_new(&AXVCPU_WITH(axvm_config, .arch = &ops), &vm));
	ck_ok(axvcpu_new(vm, NULL, &vcpu));
	ck_ok(axvcpu_setup(vcpu, 0, 0, NULL));
	ck_ok(axvcpu_bind(vcpu));
	ck_fails_saying(axvcpu_run_until(vcpu, now(), &exit_), ENOTSUP, "kick");
	end();
}
END_TEST

/* --- the runner ----------------------------------------------------------------------------------- */

static int count_deadlines(struct axvcpu *which, struct axvcpu_exit *exit, void *ctx)
{
	unsigned int *n = ctx;

	(void)which;
	if (exit->kind == AXVCPU_EXIT_DEADLINE)
		++*n;
	return *n < 20 ? AXVM_CONTINUE : AXVM_STOP;
}

START_TEST(a_runner_limits_each_run)
{
	unsigned int n = 0;
	struct axvm_runner *runner;

	start();
	ck_ok(axvcpu_unbind(vcpu));
	ck_ok(axvm_runner_start(vm,
				&AXVCPU_WITH(axvm_runner_config, .handler = count_deadlines,
					     .ctx = &n, .vcpus = &vcpu, .nvcpus = 1,
					     .budget_ns = MS),
				&runner));
	ck_ok(axvm_runner_join(runner, -1));
	ck_ok(axvm_runner_free(runner));
	ck_assert_uint_eq(n, 20);
	end();
}
END_TEST

static void add_tests(Suite *suite)
{
	TCase *deadline = suite_case(suite, "deadline");
	TCase *calls = suite_case(suite, "system calls");
	TCase *threads = suite_case(suite, "threads");

	tcase_add_test(deadline, a_run_ends_after_its_deadline);
	tcase_add_test(deadline, a_budget_is_a_deadline_from_now_on);
	tcase_add_loop_test(deadline, a_deadline_that_has_passed_ends_the_run_at_once, 0, 5);
	tcase_add_test(deadline, an_exit_comes_before_a_deadline_that_has_passed);
	tcase_add_test(deadline, an_expiry_that_is_too_early_is_not_reported);
	tcase_add_test(deadline, a_kick_at_the_deadline_is_reported_with_it);
	tcase_add_test(deadline, a_kick_before_the_deadline_is_nothing);
	tcase_add_loop_test(deadline, the_sleep_of_a_paused_vcpu_ends_at_the_deadline, 0, 2);
	tcase_add_test(calls, a_far_deadline_costs_no_system_call);
	tcase_add_test(calls, without_a_deadline_there_is_no_timer);
	tcase_add_loop_test(calls, a_timer_that_fails_is_reported_and_tried_again, 0, 4);
	tcase_add_test(calls, a_backend_that_cannot_be_kicked_has_no_deadlines);
	tcase_add_test(threads, each_owner_has_a_timer_that_ends_with_its_thread);
	tcase_add_loop_test(threads, a_forked_child_has_a_timer_of_its_own, 0, CHILD_WAYS);
	tcase_add_test(threads, a_runner_limits_each_run);
}

int main(void)
{
	return suite_main("deadline", false, add_tests);
}
