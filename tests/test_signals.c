/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * Threads that change their signal mask while they own a vCPU: a kick always gets through, causes
 * no more KVM_RUN calls than needed (the injector counts them), and a blocked signal ends no run.
 * Needs a working /dev/kvm.
 */
#include <errno.h>
#include <linux/kvm.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/time.h>

#include "guest.h"
#include "injector.h"
#include "suite.h"

static struct guest guest;

static void block_all(void)
{
	sigset_t all;

	sigfillset(&all);
	ck_assert_int_eq(pthread_sigmask(SIG_SETMASK, &all, NULL), 0);
}

static void block_one(int how, int sig)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, sig);
	ck_assert_int_eq(pthread_sigmask(how, &set, NULL), 0);
}

/* From here on, in injector.request_calls. */
static void count_entries(void)
{
	injector_ioctl(KVM_RUN, 0, 0);
}

/* --- kicks ------------------------------------------------------------------------------------ */

#define KICKS 100000u

static atomic_uint answered;

/* Each finds the owner in the guest, so that it sends a signal, and waits for its answer. */
static void *kick_in_the_guest(void *arg)
{
	const unsigned int kicks = *(const unsigned int *)arg;

	for (unsigned int i = 0; i < kicks; i++) {
		while (axvcpu_state(guest.vcpu) != AXVCPU_RUNNING)
			sched_yield();
		ck_ok(axvcpu_kick(guest.vcpu));
		while (atomic_load(&answered) <= i)
			sched_yield();
	}
	return NULL;
}

START_TEST(kicks_reach_a_thread_that_blocks_all_signals_and_do_not_spin)
{
	unsigned int kicks = suite_scale(KICKS);
	pthread_t thread;

	guest_start(&guest, AXVCPU_MODE_64, PROGRAM(spin));
	block_all();
	count_entries();
	ck_assert_int_eq(pthread_create(&thread, NULL, kick_in_the_guest, &kicks), 0);
	while (atomic_load(&answered) < kicks) {
		ck_ok(axvcpu_run(guest.vcpu, &guest.exit));
		/* The signal of an earlier kick returns no run. */
		ck_assert_uint_eq(guest.exit.kind, AXVCPU_EXIT_NOTHING);
		ck_assert_uint_eq(guest.exit.kicked, 1);
		atomic_fetch_add(&answered, 1);
	}
	pthread_join(thread, NULL);
	/* The one that it ends, the one that its signal ends, and one that is empty at the most. */
	ck_assert_uint_le(injector.request_calls, 3 * kicks + 3);
	guest_end(&guest);
}
END_TEST

static void *kick_once(void *arg)
{
	(void)arg;
	while (axvcpu_state(guest.vcpu) != AXVCPU_BLOCKED)
		sched_yield();
	ck_ok(axvcpu_kick(guest.vcpu));
	return NULL;
}

START_TEST(a_kick_ends_the_sleep_of_a_thread_that_blocks_all_signals)
{
	pthread_t thread;

	guest_start(&guest, AXVCPU_MODE_64, PROGRAM(spin));
	block_all();
	/* In axvcpu_block(), and in the run of a vCPU that is paused. */
	for (int i = 0; i < 2; i++) {
		ck_assert_int_eq(pthread_create(&thread, NULL, kick_once, NULL), 0);
		if (i)
			ck_ok(axvcpu_pause(guest.vcpu, -1));
		else
			ck_ok(axvcpu_block(guest.vcpu, -1));
		ck_ok(axvcpu_run(guest.vcpu, &guest.exit));
		ck_assert_uint_eq(guest.exit.kicked, 1);
		pthread_join(thread, NULL);
	}
	guest_end(&guest);
}
END_TEST

static atomic_bool blocked;

static int block_in_the_handler(struct axvcpu *vcpu, struct axvcpu_exit *exit, void *ctx)
{
	(void)vcpu;
	(void)exit;
	(void)ctx;
	block_all();
	atomic_store(&blocked, true);
	return AXVM_CONTINUE;
}

START_TEST(a_runner_pauses_and_frees_threads_that_block_all_signals)
{
	struct axvm_runner_config config = AXVM_RUNNER_CONFIG_INIT;
	struct axvm_runner *runner;

	guest_create(&guest, NULL, PROGRAM(spin));
	guest_setup(&guest, AXVCPU_MODE_64);
	config.handler = block_in_the_handler;
	config.vcpus = &guest.vcpu;
	config.nvcpus = 1;
	ck_ok(axvm_runner_start(guest.vm, &config, &runner));
	ck_ok(axvcpu_kick(guest.vcpu));
	while (!atomic_load(&blocked))
		sched_yield();
	for (int i = 0; i < 10; i++) {
		while (axvcpu_state(guest.vcpu) != AXVCPU_RUNNING)
			sched_yield();
		ck_ok(axvm_runner_pause(runner, -1));
		ck_ok(axvm_runner_resume(runner));
	}
	ck_ok(axvm_runner_free(runner));
	guest_end(&guest);
}
END_TEST

/* --- the caller's signals --------------------------------------------------------------------- */

/* Runs that return for nothing, until there were 'exits' exits. */
static unsigned int run_for(unsigned int exits)
{
	unsigned int nothing = 0;

	count_entries();
	while (exits) {
		ck_ok(axvcpu_run(guest.vcpu, &guest.exit));
		ck_assert_uint_eq(guest.exit.kicked, 0);
		if (guest.exit.kind == AXVCPU_EXIT_NOTHING) {
			nothing++;
			continue;
		}
		ck_assert_uint_eq(guest.exit.kind, AXVCPU_EXIT_MMIO_WRITE);
		exits--;
	}
	return nothing;
}

#define EXITS 200u

START_TEST(a_signal_blocked_after_bind_ends_one_run_at_most)
{
	guest_start(&guest, AXVCPU_MODE_64, PROGRAM(chatter));
	ck_assert_uint_eq(run_for(1), 0);
	block_one(SIG_BLOCK, SIGUSR1);
	ck_assert_int_eq(raise(SIGUSR1), 0);
	ck_assert_uint_le(run_for(EXITS), 1);
	ck_assert_uint_le(injector.request_calls, EXITS + 1);
	ck_assert_uint_eq(run_for(EXITS), 0);
	ck_assert_uint_eq(injector.request_calls, EXITS);
	guest_end(&guest);
}
END_TEST

START_TEST(a_signal_blocked_before_bind_ends_no_run)
{
	block_one(SIG_BLOCK, SIGUSR1);
	ck_assert_int_eq(raise(SIGUSR1), 0);
	guest_start(&guest, AXVCPU_MODE_64, PROGRAM(chatter));
	ck_assert_uint_eq(run_for(EXITS), 0);
	ck_assert_uint_eq(injector.request_calls, EXITS);
	guest_end(&guest);
}
END_TEST

START_TEST(unbind_takes_the_mask_of_kvm_back)
{
	guest_create(&guest, NULL, PROGRAM(chatter));
	guest_setup(&guest, AXVCPU_MODE_64);
	injector_ioctl(KVM_SET_SIGNAL_MASK, 0, 0);
	/* Once for each bind, and once for each unbind. */
	for (unsigned int i = 0; i < 3; i++) {
		ck_ok(axvcpu_bind(guest.vcpu));
		ck_assert_uint_eq(injector.request_calls, 2 * i + 1);
		ck_assert_uint_ne(injector.request_arg, 0);
		ck_ok(axvcpu_unbind(guest.vcpu));
		ck_assert_uint_eq(injector.request_calls, 2 * i + 2);
		ck_assert_uint_eq(injector.request_arg, 0);
	}
	guest_end(&guest);
}
END_TEST

static volatile sig_atomic_t pending;

static void on_alarm(int sig)
{
	(void)sig;
	pending++;
}

static int irq_fetch(void *ctx, uint64_t *vector)
{
	(void)ctx;
	if (!pending)
		return 0;
	pending--;
	*vector = 0xd1;
	return 1;
}

START_TEST(a_host_interrupt_is_still_one_when_the_kick_signal_is_blocked)
{
	const struct sigaction action = { .sa_handler = on_alarm };
	const struct itimerval interval = { { 0, 2000 }, { 0, 2000 } };
	const struct itimerval off = { { 0, 0 }, { 0, 0 } };
	struct axvm_config config = AXVM_CONFIG_INIT;
	struct axvcpu_hal hal = AXVCPU_HAL_INIT;

	hal.irq_fetch = irq_fetch;
	config.hal = &hal;
	sigaction(SIGALRM, &action, NULL);
	guest_start_with(&guest, &config, AXVCPU_MODE_64, PROGRAM(spin));
	block_all();
	block_one(SIG_UNBLOCK, SIGALRM);
	setitimer(ITIMER_REAL, &interval, NULL);
	for (int i = 0; i < 50; i++) {
		guest_expect(&guest, AXVCPU_EXIT_EXTERNAL_INTERRUPT);
		ck_assert_uint_eq(guest.exit.u.external_interrupt.vector, 0xd1);
		ck_assert_uint_eq(guest.exit.kicked, 0);
	}
	setitimer(ITIMER_REAL, &off, NULL);
	guest_end(&guest);
}
END_TEST

static void add_tests(Suite *suite)
{
	TCase *kicks = suite_case(suite, "kicks");
	TCase *own = suite_case(suite, "the caller's");

	tcase_add_test(kicks, kicks_reach_a_thread_that_blocks_all_signals_and_do_not_spin);
	tcase_add_test(kicks, a_kick_ends_the_sleep_of_a_thread_that_blocks_all_signals);
	tcase_add_test(kicks, a_runner_pauses_and_frees_threads_that_block_all_signals);

	tcase_add_test(own, a_signal_blocked_after_bind_ends_one_run_at_most);
	tcase_add_test(own, a_signal_blocked_before_bind_ends_no_run);
	tcase_add_test(own, unbind_takes_the_mask_of_kvm_back);
	tcase_add_test(own, a_host_interrupt_is_still_one_when_the_kick_signal_is_blocked);
}

int main(void)
{
	return suite_main("signals", true, add_tests);
}
