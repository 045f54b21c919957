/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * The runner on real guests: threads that start together, stop together, and pass errors on. Needs
 * a working /dev/kvm.
 */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "guest.h"
#include "suite.h"

#define VCPUS 4

static struct axvm *vm;
static struct axvcpu *vcpus[VCPUS];
static struct axvm_runner *runner;

static atomic_uint calls[VCPUS];
static atomic_int result;

static void create(const void *code, size_t len)
{
	struct axvm_config config = AXVM_CONFIG_INIT;

	config.max_vcpus = VCPUS;
	vm = guest_vm(&config, code, len);
	for (uint32_t i = 0; i < VCPUS; i++)
		vcpus[i] = guest_vcpu_on(vm, i, 0);
}

static void destroy(void)
{
	for (int i = 0; i < VCPUS; i++) {
		ck_assert_int_eq(axvcpu_state(vcpus[i]), AXVCPU_FREE);
		ck_ok(axvcpu_free(vcpus[i]));
	}
	ck_ok(axvm_free(vm));
}

static struct axvm_runner_config config_for(int (*handler)(struct axvcpu *, struct axvcpu_exit *,
							   void *))
{
	struct axvm_runner_config config = AXVM_RUNNER_CONFIG_INIT;

	config.handler = handler;
	config.vcpus = vcpus;
	config.nvcpus = VCPUS;
	return config;
}

static int count(struct axvcpu *vcpu, struct axvcpu_exit *exit, void *ctx)
{
	(void)ctx;
	if (exit->kind == AXVCPU_EXIT_NOTHING)
		return AXVM_CONTINUE;
	ck_assert_uint_eq(exit->kind, AXVCPU_EXIT_MMIO_WRITE);
	atomic_fetch_add(&calls[axvcpu_id(vcpu)], 1);
	return axvcpu_id(vcpu) == 2 ? atomic_load(&result) : AXVM_CONTINUE;
}

static void wait_for_all(void)
{
	for (int i = 0; i < VCPUS; i++)
		while (atomic_load(&calls[i]) < 10)
			sched_yield();
}

START_TEST(all_run_until_they_are_stopped_from_outside)
{
	const struct axvm_runner_config config = config_for(count);

	create(PROGRAM(chatter));
	ck_ok(axvm_runner_start(vm, &config, &runner));
	wait_for_all();
	ck_fails(axvm_runner_join(runner, 1000000), ETIMEDOUT);
	ck_ok(axvm_runner_stop(runner));
	ck_ok(axvm_runner_join(runner, -1));
	ck_ok(axvm_runner_join(runner, 0));
	ck_ok(axvm_runner_free(runner));
	destroy();
}
END_TEST

START_TEST(a_handler_stops_all)
{
	const struct axvm_runner_config config = config_for(count);

	create(PROGRAM(chatter));
	ck_ok(axvm_runner_start(vm, &config, &runner));
	wait_for_all();
	atomic_store(&result, AXVM_STOP);
	ck_ok(axvm_runner_join(runner, -1));
	ck_ok(axvm_runner_free(runner));
	destroy();
}
END_TEST

START_TEST(a_handlers_error_ends_all_with_that_error)
{
	const struct axvm_runner_config config = config_for(count);

	create(PROGRAM(chatter));
	ck_ok(axvm_runner_start(vm, &config, &runner));
	wait_for_all();
	atomic_store(&result, -EPIPE);
	ck_fails(axvm_runner_join(runner, -1), EPIPE);
	ck_fails(axvm_runner_free(runner), EPIPE);
	destroy();
}
END_TEST

static int leave_by_exit(struct axvcpu *vcpu, struct axvcpu_exit *exit, void *ctx)
{
	(void)exit;
	(void)ctx;
	atomic_fetch_add(&calls[axvcpu_id(vcpu)], 1);
	if (axvcpu_id(vcpu) == 1)
		pthread_exit(NULL);
	return AXVM_CONTINUE;
}

static int leave_by_cancellation(struct axvcpu *vcpu, struct axvcpu_exit *exit, void *ctx)
{
	(void)exit;
	(void)ctx;
	atomic_fetch_add(&calls[axvcpu_id(vcpu)], 1);
	if (axvcpu_id(vcpu) == 1) {
		ck_assert_int_eq(pthread_cancel(pthread_self()), 0);
		pthread_testcancel();
		ck_abort_msg("the cancellation has no effect");
	}
	return AXVM_CONTINUE;
}

START_TEST(a_thread_that_ends_in_its_handler_ends_all_and_its_vcpu_is_free)
{
	static int (*const ways[])(struct axvcpu *, struct axvcpu_exit *,
				   void *) = { leave_by_exit, leave_by_cancellation };
	const struct axvm_runner_config config = config_for(ways[_i]);

	create(PROGRAM(chatter));
	ck_ok(axvm_runner_start(vm, &config, &runner));
	ck_fails_saying(axvm_runner_join(runner, -1), ECANCELED,
			"vCPU 1: the handler ended its thread");
	ck_fails(axvm_runner_free(runner), ECANCELED);
	destroy();
}
END_TEST

static _Atomic pthread_t second;

static int say_who(struct axvcpu *vcpu, struct axvcpu_exit *exit, void *ctx)
{
	(void)exit;
	(void)ctx;
	if (axvcpu_id(vcpu) == 1 && !atomic_load(&second))
		atomic_store(&second, pthread_self());
	pthread_testcancel();
	return AXVM_CONTINUE;
}

START_TEST(a_thread_that_is_cancelled_from_outside_ends_in_its_handler)
{
	const struct axvm_runner_config config = config_for(say_who);

	create(PROGRAM(chatter));
	ck_ok(axvm_runner_start(vm, &config, &runner));
	while (!atomic_load(&second))
		sched_yield();
	ck_assert_int_eq(pthread_cancel(atomic_load(&second)), 0);
	ck_fails_saying(axvm_runner_join(runner, -1), ECANCELED,
			"vCPU 1: the handler ended its thread");
	ck_fails(axvm_runner_free(runner), ECANCELED);
	destroy();
}
END_TEST

START_TEST(spinning_guests_stop_too)
{
	const struct axvm_runner_config config = config_for(count);

	create(PROGRAM(spin));
	for (int i = 0; i < 20; i++) {
		ck_ok(axvm_runner_start(vm, &config, &runner));
		if (i & 1)
			usleep(2000);
		/* Even if they have not come to run yet. */
		ck_ok(axvm_runner_free(runner));
	}
	destroy();
}
END_TEST

static int block(struct axvcpu *vcpu, struct axvcpu_exit *exit, void *ctx)
{
	(void)ctx;
	if (exit->kind == AXVCPU_EXIT_MMIO_WRITE) {
		atomic_fetch_add(&calls[axvcpu_id(vcpu)], 10);
		axvcpu_block(vcpu, -1);
	}
	return AXVM_CONTINUE;
}

START_TEST(vcpus_that_are_blocked_in_a_handler_stop_too)
{
	const struct axvm_runner_config config = config_for(block);

	create(PROGRAM(chatter));
	ck_ok(axvm_runner_start(vm, &config, &runner));
	wait_for_all();
	ck_ok(axvm_runner_free(runner));
	destroy();
}
END_TEST

static int stop_inside(struct axvcpu *vcpu, struct axvcpu_exit *exit, void *ctx)
{
	(void)exit;
	(void)ctx;
	ck_fails_saying(axvm_runner_join(runner, -1), EBUSY, "own threads");
	ck_fails(axvm_runner_pause(runner, -1), EBUSY);
	ck_fails(axvm_runner_free(runner), EBUSY);
	atomic_fetch_add(&calls[axvcpu_id(vcpu)], 1);
	return axvm_runner_stop(runner);
}

static void *start_later(void *arg)
{
	ck_ok(axvm_runner_start(vm, arg, &runner));
	return NULL;
}

START_TEST(a_handler_cannot_wait_for_itself_but_can_say_stop)
{
	struct axvm_runner_config config = config_for(stop_inside);
	pthread_t thread;

	/* Off until 'runner' is there for the handlers to use. */
	create(PROGRAM(chatter));
	for (int i = 0; i < VCPUS; i++)
		ck_ok(axvcpu_pause(vcpus[i], -1));
	ck_assert_int_eq(pthread_create(&thread, NULL, start_later, &config), 0);
	pthread_join(thread, NULL);
	ck_ok(axvm_runner_resume(runner));
	ck_ok(axvm_runner_join(runner, -1));
	ck_ok(axvm_runner_free(runner));
	destroy();
}
END_TEST

START_TEST(pause_holds_all_and_resume_lets_them_go)
{
	const struct axvm_runner_config config = config_for(count);
	unsigned int before[VCPUS];

	create(PROGRAM(chatter));
	ck_ok(axvm_runner_start(vm, &config, &runner));
	for (int round = 0; round < 20; round++) {
		wait_for_all();
		ck_ok(axvm_runner_pause(runner, -1));
		for (int i = 0; i < VCPUS; i++)
			before[i] = atomic_load(&calls[i]);
		usleep(5000);
		for (int i = 0; i < VCPUS; i++) {
			uint64_t pc;

			ck_assert_uint_eq(atomic_load(&calls[i]), before[i]);
			/* Paused, its registers can be read by anybody. */
			while (axvcpu_state(vcpus[i]) != AXVCPU_BLOCKED)
				sched_yield();
			ck_ok(axvcpu_get_reg(vcpus[i], AXVCPU_REG_PC, &pc));
			ck_assert_uint_lt(pc - GUEST_CODE, guest_chatter_size);
			atomic_store(&calls[i], 0);
		}
		ck_ok(axvm_runner_resume(runner));
	}
	/* Stop comes through to the paused ones. */
	ck_ok(axvm_runner_pause(runner, -1));
	ck_ok(axvm_runner_free(runner));
	destroy();
}
END_TEST

START_TEST(the_longest_timeouts_do_not_end)
{
	const struct axvm_runner_config config = config_for(count);

	create(PROGRAM(chatter));
	ck_ok(axvm_runner_start(vm, &config, &runner));
	wait_for_all();
	ck_ok(axvm_runner_pause(runner, INT64_MAX));
	ck_ok(axvm_runner_resume(runner));
	/* Ended by a handler, while this waits. */
	atomic_store(&result, AXVM_STOP);
	ck_ok(axvm_runner_join(runner, INT64_MAX));
	ck_ok(axvm_runner_join(runner, INT64_MAX - 1));
	ck_ok(axvm_runner_free(runner));
	destroy();
}
END_TEST

static int linger(struct axvcpu *vcpu, struct axvcpu_exit *exit, void *ctx)
{
	(void)exit;
	atomic_store(&calls[axvcpu_id(vcpu)], 10);
	while (!atomic_load((atomic_bool *)ctx))
		sched_yield();
	return AXVM_CONTINUE;
}

START_TEST(a_pause_that_takes_too_long_is_undone)
{
	struct axvm_runner_config config = config_for(linger);
	atomic_bool go_on = false;

	create(PROGRAM(chatter));
	config.ctx = &go_on;
	ck_ok(axvm_runner_start(vm, &config, &runner));
	/* One that has not come so far would be paused at once. */
	wait_for_all();
	ck_fails(axvm_runner_pause(runner, 20000000), ETIMEDOUT);
	atomic_store(&go_on, true);
	usleep(20000);
	for (int i = 0; i < VCPUS; i++)
		ck_assert_int_ne(axvcpu_state(vcpus[i]), AXVCPU_BLOCKED);
	ck_ok(axvm_runner_free(runner));
	destroy();
}
END_TEST

/* --- the threads ---------------------------------------------------------------------------------- */

static int check_thread(struct axvcpu *vcpu, struct axvcpu_exit *exit, void *ctx)
{
	char name[16], expected[16];

	(void)exit;
	snprintf(expected, sizeof(expected), "%s%u", (const char *)ctx, axvcpu_id(vcpu));
	pthread_getname_np(pthread_self(), name, sizeof(name));
	ck_assert_str_eq(name, expected);
	atomic_fetch_add(&calls[axvcpu_id(vcpu)], 10);
	return AXVM_CONTINUE;
}

START_TEST(threads_have_names_and_the_programs_signals_are_not_for_them)
{
	struct axvm_runner_config config = config_for(check_thread);
	sigset_t before, after;

	create(PROGRAM(chatter));
	pthread_sigmask(SIG_SETMASK, NULL, &before);
	config.ctx = (void *)(uintptr_t) "cpu-";
	config.name = "cpu-";
	config.stack_size = 128 * 1024;
	ck_ok(axvm_runner_start(vm, &config, &runner));
	pthread_sigmask(SIG_SETMASK, NULL, &after);
	for (int sig = 1; sig < 32; sig++)
		ck_assert_int_eq(sigismember(&after, sig), sigismember(&before, sig));
	wait_for_all();
	ck_ok(axvm_runner_free(runner));
	destroy();
}
END_TEST

START_TEST(bad_configs_are_refused_and_nothing_runs)
{
	struct axvm_runner_config config = config_for(NULL);
	struct axvcpu *some[2];

	create(PROGRAM(chatter));
	ck_fails_saying(axvm_runner_start(vm, &config, &runner), EINVAL, "handler");
	config.handler = count;
	config.nvcpus = 0;
	ck_fails_saying(axvm_runner_start(vm, &config, &runner), EINVAL, "nvcpus is 0");
	config.nvcpus = 2;
	config.vcpus = some;
	some[0] = vcpus[0];
	some[1] = NULL;
	ck_fails(axvm_runner_start(vm, &config, &runner), EINVAL);
	some[1] = vcpus[1];
	ck_ok(axvcpu_bind(vcpus[1]));
	ck_fails_saying(axvm_runner_start(vm, &config, &runner), EBADFD, "must be Free");
	ck_ok(axvcpu_unbind(vcpus[1]));
	/* The same one twice: one of the two threads cannot bind it. */
	some[1] = vcpus[0];
	ck_assert_int_lt(axvm_runner_start(vm, &config, &runner), 0);
	ck_assert_int_eq(axvcpu_state(vcpus[0]), AXVCPU_FREE);
	config.stack_size = 1;
	ck_fails(axvm_runner_start(vm, &config, &runner), EINVAL);
	ck_ok(axvm_runner_free(NULL));
	destroy();
}
END_TEST

START_TEST(a_run_that_fails_ends_all_with_its_error)
{
	const struct axvm_runner_config config = config_for(count);
	struct axvcpu_exit exit;

	/* The third vCPU has had its last exit already. */
	create(PROGRAM(last));
	ck_ok(axvcpu_bind(vcpus[2]));
	do
		ck_ok(axvcpu_run(vcpus[2], &exit));
	while (exit.kind == AXVCPU_EXIT_NOTHING);
	ck_assert_uint_eq(exit.kind, GUEST_LAST_EXIT);
	ck_ok(axvcpu_unbind(vcpus[2]));
	ck_ok(axvm_write(vm, GUEST_CODE, PROGRAM(chatter)));
	ck_ok(axvm_runner_start(vm, &config, &runner));
	ck_fails_saying(axvm_runner_join(runner, -1), EBADFD, "terminal exit");
	ck_fails(axvm_runner_free(runner), EBADFD);
	destroy();
}
END_TEST

static void add_tests(Suite *suite)
{
	TCase *ends = suite_case(suite, "ends");
	TCase *pause = suite_case(suite, "pause");
	TCase *threads = suite_case(suite, "threads");

	tcase_add_test(ends, all_run_until_they_are_stopped_from_outside);
	tcase_add_test(ends, a_handler_stops_all);
	tcase_add_test(ends, a_handlers_error_ends_all_with_that_error);
	tcase_add_test(ends, spinning_guests_stop_too);
	tcase_add_test(ends, vcpus_that_are_blocked_in_a_handler_stop_too);
	tcase_add_test(ends, a_handler_cannot_wait_for_itself_but_can_say_stop);
	tcase_add_test(ends, a_run_that_fails_ends_all_with_its_error);
	tcase_add_loop_test(ends, a_thread_that_ends_in_its_handler_ends_all_and_its_vcpu_is_free,
			    0, 2);
	tcase_add_test(ends, a_thread_that_is_cancelled_from_outside_ends_in_its_handler);

	tcase_add_test(pause, pause_holds_all_and_resume_lets_them_go);
	tcase_add_test(pause, a_pause_that_takes_too_long_is_undone);
	tcase_add_test(pause, the_longest_timeouts_do_not_end);

	tcase_add_test(threads, threads_have_names_and_the_programs_signals_are_not_for_them);
	tcase_add_test(threads, bad_configs_are_refused_and_nothing_runs);
}

int main(void)
{
	return suite_main("runner", true, add_tests);
}
