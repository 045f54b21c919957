/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* Kicks on real guests: none is lost, none is made up, whenever they come. */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <unistd.h>

#include "guest.h"
#include "suite.h"

#define SPIN CODE("\xeb\xfe")
/* out 1,al; jmp back */
#define CHATTER CODE("\xe6\x01\xeb\xfc")

static struct guest guest;

START_TEST(a_kick_before_the_run_ends_it_once)
{
	guest_start(&guest, AXVCPU_MODE_32, CHATTER);
	ck_ok(axvcpu_kick(guest.vcpu));
	ck_ok(axvcpu_kick(guest.vcpu));
	ck_ok(axvcpu_run(guest.vcpu, &guest.exit));
	ck_assert_uint_eq(guest.exit.kicked, 1);
	/* They coalesce. */
	for (int i = 0; i < 3; i++) {
		ck_ok(axvcpu_run(guest.vcpu, &guest.exit));
		ck_assert_uint_eq(guest.exit.kicked, 0);
		ck_assert_uint_eq(guest.exit.kind, AXVCPU_EXIT_IO_WRITE);
	}
	guest_end(&guest);
}
END_TEST

START_TEST(a_kick_outlives_a_flush)
{
	guest_start(&guest, AXVCPU_MODE_32, CHATTER);
	guest_expect(&guest, AXVCPU_EXIT_IO_WRITE);
	ck_ok(axvcpu_kick(guest.vcpu));
	ck_ok(axvcpu_flush(guest.vcpu));
	ck_ok(axvcpu_run(guest.vcpu, &guest.exit));
	ck_assert_uint_eq(guest.exit.kicked, 1);
	ck_assert_uint_eq(guest.exit.kind, AXVCPU_EXIT_NOTHING);
	guest_expect(&guest, AXVCPU_EXIT_IO_WRITE);
	guest_end(&guest);
}
END_TEST

static void on_alarm(int sig)
{
	(void)sig;
	axvcpu_kick(guest.vcpu);
}

START_TEST(a_signal_handler_of_the_owner_can_kick)
{
	const struct sigaction action = { .sa_handler = on_alarm };

	guest_start(&guest, AXVCPU_MODE_32, SPIN);
	sigaction(SIGALRM, &action, NULL);
	alarm(1);
	do
		ck_ok(axvcpu_run(guest.vcpu, &guest.exit));
	while (!guest.exit.kicked);
	ck_assert_uint_eq(guest.exit.kind, AXVCPU_EXIT_NOTHING);
	guest_end(&guest);
}
END_TEST

static void on_foreign(int sig)
{
	(void)sig;
}

START_TEST(a_signal_that_is_no_kick_returns_nothing)
{
	const struct sigaction action = { .sa_handler = on_foreign };

	/* So that the handler's owner can look at what the handler has left for it. */
	guest_start(&guest, AXVCPU_MODE_32, SPIN);
	sigaction(SIGALRM, &action, NULL);
	alarm(1);
	ck_ok(axvcpu_run(guest.vcpu, &guest.exit));
	ck_assert_uint_eq(guest.exit.kind, AXVCPU_EXIT_NOTHING);
	ck_assert_uint_eq(guest.exit.kicked, 0);
	ck_assert_uint_eq(guest.exit.answerable, 0);
	guest_end(&guest);
}
END_TEST

/* --- another thread ---------------------------------------------------------------------------- */

/* On an emulated machine, one that has to stop a spinning guest takes milliseconds. */
#define KICKS 20000

static atomic_uint sent, answered;
static unsigned int kicks;

/* Each kick waits until a run has answered the one before: so every one must be answered. */
static void *kicker(void *arg)
{
	unsigned int seed = 1;

	(void)arg;
	for (unsigned int i = 0; i < kicks; i++) {
		for (seed = seed * 1103515245 + 12345; seed >> 16 & 0xff; seed -= 0x10000)
			atomic_load(&answered);
		atomic_fetch_add(&sent, 1);
		ck_ok(axvcpu_kick(guest.vcpu));
		while (atomic_load(&answered) <= i)
			sched_yield();
	}
	return NULL;
}

static void run_against_kicks(void)
{
	pthread_t thread;

	kicks = suite_scale(KICKS);
	ck_assert_int_eq(pthread_create(&thread, NULL, kicker, NULL), 0);
	while (atomic_load(&answered) < kicks) {
		ck_ok(axvcpu_run(guest.vcpu, &guest.exit));
		if (!guest.exit.kicked)
			continue;
		/* None is answered that has not been sent. */
		ck_assert_uint_lt(atomic_load(&answered), atomic_load(&sent));
		atomic_fetch_add(&answered, 1);
	}
	pthread_join(thread, NULL);
	ck_assert_uint_eq(answered, sent);
	guest_end(&guest);
}

START_TEST(no_kick_of_a_spinning_guest_is_lost)
{
	guest_start(&guest, AXVCPU_MODE_32, SPIN);
	run_against_kicks();
}
END_TEST

START_TEST(no_kick_among_exits_is_lost)
{
	guest_start(&guest, AXVCPU_MODE_32, CHATTER);
	run_against_kicks();
}
END_TEST

/* --- the signal ------------------------------------------------------------------------------------ */

START_TEST(the_callers_signal_is_used_and_must_have_a_handler)
{
	struct axvm_config config = AXVM_CONFIG_INIT;
	const struct sigaction action = { .sa_handler = on_foreign };
	struct axvm *vm = NULL;

	config.kick_signal = SIGUSR2;
	ck_fails_saying(axvm_new(&config, &vm), EINVAL, "no handler");
	signal(SIGUSR2, SIG_IGN);
	ck_fails_saying(axvm_new(&config, &vm), EINVAL, "no handler");
	config.kick_signal = 12345;
	ck_fails(axvm_new(&config, &vm), EINVAL);
	ck_assert_ptr_null(vm);

	sigaction(SIGUSR2, &action, NULL);
	config.kick_signal = SIGUSR2;
	guest_create(&guest, &config, SPIN);
	guest_setup(&guest, AXVCPU_MODE_32);
	ck_ok(axvcpu_bind(guest.vcpu));
	run_against_kicks();
}
END_TEST

static void handler(int sig)
{
	(void)sig;
}

START_TEST(no_signal_in_use_is_taken)
{
	struct sigaction action = { .sa_handler = handler }, now;
	struct axvm *vm, *other;

	/* All but one are the program's. */
	for (int sig = SIGRTMIN; sig <= SIGRTMAX; sig++)
		if (sig != SIGRTMIN + 7)
			sigaction(sig, &action, NULL);
	ck_ok(axvm_new(NULL, &vm));
	/* A second VM shares it. */
	ck_ok(axvm_new(NULL, &other));
	for (int sig = SIGRTMIN; sig <= SIGRTMAX; sig++) {
		sigaction(sig, NULL, &now);
		ck_assert((now.sa_handler == handler) == (sig != SIGRTMIN + 7));
	}
	ck_ok(axvm_free(vm));
	ck_ok(axvm_free(other));
	sigaction(SIGRTMIN + 7, &action, NULL);
	ck_fails_saying(axvm_new(NULL, &vm), EBUSY, "kick_signal");
}
END_TEST

START_TEST(bind_unblocks_the_signal_and_unbind_blocks_it_again)
{
	sigset_t all, now, before;

	guest_create(&guest, NULL, SPIN);
	guest_setup(&guest, AXVCPU_MODE_32);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, NULL);
	pthread_sigmask(SIG_SETMASK, NULL, &before);
	ck_ok(axvcpu_bind(guest.vcpu));
	run_against_kicks();
	pthread_sigmask(SIG_SETMASK, NULL, &now);
	for (int sig = 1; sig < SIGRTMAX; sig++)
		ck_assert_int_eq(sigismember(&now, sig), sigismember(&before, sig));
}
END_TEST

static void add_tests(Suite *suite)
{
	TCase *own = suite_case(suite, "own thread");
	TCase *threads = suite_case(suite, "threads");
	TCase *signals = suite_case(suite, "signals");

	tcase_add_test(own, a_kick_before_the_run_ends_it_once);
	tcase_add_test(own, a_kick_outlives_a_flush);
	tcase_add_test(own, a_signal_handler_of_the_owner_can_kick);
	tcase_add_test(own, a_signal_that_is_no_kick_returns_nothing);

	tcase_add_test(threads, no_kick_of_a_spinning_guest_is_lost);
	tcase_add_test(threads, no_kick_among_exits_is_lost);

	tcase_add_test(signals, the_callers_signal_is_used_and_must_have_a_handler);
	tcase_add_test(signals, no_signal_in_use_is_taken);
	tcase_add_test(signals, bind_unblocks_the_signal_and_unbind_blocks_it_again);
}

int main(void)
{
	return suite_main("kick", true, add_tests);
}
