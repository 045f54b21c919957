/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* Waiting and waking, without a hypervisor. Needs no KVM. */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

#include "mock.h"
#include "suite.h"

static struct axvm *vm;
static struct axvcpu *vcpu;

static void start(void)
{
	mock_start(&vm, &vcpu, 0);
	ck_ok(axvcpu_setup(vcpu, 0, 0, NULL));
	ck_ok(axvcpu_bind(vcpu));
}

static void end(void)
{
	ck_ok(axvcpu_unbind(vcpu));
	ck_ok(axvcpu_free(vcpu));
	ck_ok(axvm_free(vm));
}

static int64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

START_TEST(a_timeout_ends_the_wait_and_not_earlier)
{
	int64_t before;

	start();
	ck_assert_int_eq(axvcpu_block(vcpu, 0), -ETIMEDOUT);
	before = now_ms();
	ck_assert_int_eq(axvcpu_block(vcpu, 50000000), -ETIMEDOUT);
	ck_assert_int_ge(now_ms() - before, 49);
	ck_assert_int_eq(axvcpu_state(vcpu), AXVCPU_READY);
	end();
}
END_TEST

START_TEST(a_wake_before_the_wait_is_kept_once)
{
	start();
	ck_ok(axvcpu_wake(vcpu));
	ck_ok(axvcpu_wake(vcpu));
	ck_ok(axvcpu_block(vcpu, -1));
	ck_assert_int_eq(axvcpu_block(vcpu, 0), -ETIMEDOUT);
	/* A kick ends a wait too. */
	ck_ok(axvcpu_kick(vcpu));
	ck_ok(axvcpu_block(vcpu, -1));
	end();
}
END_TEST

START_TEST(every_request_ends_the_wait)
{
	start();
	/* By the owner, as a handler of HALT does: at once. */
	ck_ok(axvcpu_inject_interrupt(vcpu, 1));
	ck_ok(axvcpu_inject_nmi(vcpu));
	ck_ok(axvcpu_block(vcpu, -1));
	ck_assert_int_eq(axvcpu_block(vcpu, 0), -ETIMEDOUT);
	/* A refused request does not. */
	mock.ret[MOCK_INJECT_INTERRUPT] = -ENOSPC;
	ck_assert_int_eq(axvcpu_inject_interrupt(vcpu, 1), -ENOSPC);
	ck_assert_int_eq(axvcpu_block(vcpu, 0), -ETIMEDOUT);
	mock.ret[MOCK_INJECT_INTERRUPT] = 0;
	/* And before there is an owner. */
	ck_ok(axvcpu_unbind(vcpu));
	ck_ok(axvcpu_inject_interrupt(vcpu, 1));
	ck_ok(axvcpu_bind(vcpu));
	ck_ok(axvcpu_block(vcpu, -1));
	ck_assert_int_eq(axvcpu_block(vcpu, 0), -ETIMEDOUT);
	end();
}
END_TEST

static int inject_anywhere(void *arch, uint32_t vector)
{
	(void)arch;
	(void)vector;
	return 0;
}

static void *inject_when_it_sleeps(void *arg)
{
	(void)arg;
	while (axvcpu_state(vcpu) != AXVCPU_BLOCKED)
		sched_yield();
	ck_ok(axvcpu_inject_interrupt(vcpu, 1));
	return NULL;
}

START_TEST(an_injection_from_another_thread_ends_the_wait)
{
	struct axvcpu_arch_ops ops = mock_ops;
	struct axvm_config config = AXVM_CONFIG_INIT;
	pthread_t thread;

	/*
	 * By the request queue; by the kernel's controller; by the queue with a backend that has no kick.
	 */
	mock_reset();
	if (_i == 1)
		ops.inject_anywhere = inject_anywhere;
	if (_i == 2)
		ops.kick = NULL;
	config.arch = &ops;
	ck_ok(axvm_new(&config, &vm));
	ck_ok(axvcpu_new(vm, NULL, &vcpu));
	ck_ok(axvcpu_setup(vcpu, 0, 0, NULL));
	ck_ok(axvcpu_bind(vcpu));
	ck_assert_int_eq(pthread_create(&thread, NULL, inject_when_it_sleeps, NULL), 0);
	/* The longest time that there is. */
	ck_ok(axvcpu_block(vcpu, INT64_MAX));
	pthread_join(thread, NULL);
	end();
}
END_TEST

static atomic_bool stop;

static void *waker(void *arg)
{
	int (*wake)(struct axvcpu * vcpu) = *(int (**)(struct axvcpu *))arg;

	while (!atomic_load(&stop)) {
		if (axvcpu_state(vcpu) == AXVCPU_BLOCKED)
			wake(vcpu);
		sched_yield();
	}
	return NULL;
}

START_TEST(a_thousand_waits_are_all_ended_by_another_thread)
{
	int (*wakes[])(struct axvcpu *) = { axvcpu_wake, axvcpu_kick };
	pthread_t thread;

	start();
	ck_assert_int_eq(pthread_create(&thread, NULL, waker, &wakes[_i]), 0);
	for (int i = 0; i < 1000; i++)
		ck_ok(axvcpu_block(vcpu, -1));
	atomic_store(&stop, true);
	pthread_join(thread, NULL);
	end();
}
END_TEST

#define TURNS 20000

static atomic_uint turns;

static void *ping(void *arg)
{
	(void)arg;
	for (unsigned int i = 0; i < suite_scale(TURNS); i++) {
		while (atomic_load(&turns) != i)
			sched_yield();
		ck_ok(axvcpu_wake(vcpu));
	}
	return NULL;
}

START_TEST(no_wake_is_lost_at_any_moment)
{
	pthread_t thread;

	/* The waker fires just as the sleeper is about to wait. */
	start();
	ck_assert_int_eq(pthread_create(&thread, NULL, ping, NULL), 0);
	for (unsigned int i = 0; i < suite_scale(TURNS); i++) {
		ck_ok(axvcpu_block(vcpu, -1));
		atomic_store(&turns, i + 1);
	}
	pthread_join(thread, NULL);
	end();
}
END_TEST

static void on_signal(int sig)
{
	(void)sig;
}

static void *looker(void *arg)
{
	pthread_t *owner = arg;
	struct axvcpu_regs regs;
	struct axvcpu_exit exit;

	while (axvcpu_state(vcpu) != AXVCPU_BLOCKED)
		sched_yield();
	/* Anybody may look at a vCPU that sleeps, but only its owner runs it. */
	ck_ok(axvcpu_get_regs(vcpu, &regs));
	ck_fails(axvcpu_run(vcpu, &exit), EBADFD);
	ck_fails(axvcpu_free(vcpu), EBUSY);
	ck_assert_int_eq(axvcpu_state(vcpu), AXVCPU_BLOCKED);
	pthread_kill(*owner, SIGUSR1);
	return NULL;
}

START_TEST(a_signal_handler_ends_the_wait)
{
	const struct sigaction action = { .sa_handler = on_signal };
	pthread_t self = pthread_self(), thread;

	start();
	sigaction(SIGUSR1, &action, NULL);
	ck_assert_int_eq(pthread_create(&thread, NULL, looker, &self), 0);
	ck_assert_int_eq(axvcpu_block(vcpu, -1), -EINTR);
	pthread_join(thread, NULL);
	ck_assert_int_eq(axvcpu_state(vcpu), AXVCPU_READY);
	end();
}
END_TEST

static void on_alarm(int sig)
{
	(void)sig;
	axvcpu_wake(vcpu);
}

START_TEST(a_wake_from_a_signal_handler_counts)
{
	/* A blocked signal must not make the wait continue. */
	const struct sigaction action = { .sa_handler = on_alarm,
					  .sa_flags = SUITE_TSAN ? 0 : SA_RESTART };
	int ret;

	start();
	sigaction(SIGALRM, &action, NULL);
	suite_alarm();
	ret = axvcpu_block(vcpu, -1);
	/* The handler ended the wait one way or the other; the wake is there in any case. */
	if (ret == -EINTR)
		ret = axvcpu_block(vcpu, -1);
	ck_assert_int_eq(ret, 0);
	end();
}
END_TEST

static void add_tests(Suite *suite)
{
	TCase *tcase = suite_case(suite, "block");

	tcase_add_test(tcase, a_timeout_ends_the_wait_and_not_earlier);
	tcase_add_test(tcase, a_wake_before_the_wait_is_kept_once);
	tcase_add_test(tcase, every_request_ends_the_wait);
	tcase_add_loop_test(tcase, an_injection_from_another_thread_ends_the_wait, 0, 3);
	tcase_add_loop_test(tcase, a_thousand_waits_are_all_ended_by_another_thread, 0, 2);
	tcase_add_test(tcase, no_wake_is_lost_at_any_moment);
	tcase_add_test(tcase, a_signal_handler_ends_the_wait);
	tcase_add_test(tcase, a_wake_from_a_signal_handler_counts);
}

int main(void)
{
	return suite_main("block", false, add_tests);
}
