/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * Kicks on real guests: none is lost, none is made up, whenever they come. Needs a working
 * /dev/kvm.
 */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "guest.h"
#include "suite.h"

static struct guest guest;

START_TEST(a_kick_before_the_run_ends_it_once)
{
	guest_start(&guest, AXVCPU_MODE_64, PROGRAM(chatter));
	ck_ok(axvcpu_kick(guest.vcpu));
	ck_ok(axvcpu_kick(guest.vcpu));
	ck_ok(axvcpu_run(guest.vcpu, &guest.exit));
	ck_assert_uint_eq(guest.exit.kicked, 1);
	/* They coalesce. */
	for (int i = 0; i < 3; i++) {
		ck_ok(axvcpu_run(guest.vcpu, &guest.exit));
		ck_assert_uint_eq(guest.exit.kicked, 0);
		ck_assert_uint_eq(guest.exit.kind, AXVCPU_EXIT_MMIO_WRITE);
	}
	guest_end(&guest);
}
END_TEST

START_TEST(a_kick_outlives_a_flush)
{
	guest_start(&guest, AXVCPU_MODE_64, PROGRAM(chatter));
	guest_expect(&guest, AXVCPU_EXIT_MMIO_WRITE);
	ck_ok(axvcpu_kick(guest.vcpu));
	ck_ok(axvcpu_flush(guest.vcpu));
	ck_ok(axvcpu_run(guest.vcpu, &guest.exit));
	ck_assert_uint_eq(guest.exit.kicked, 1);
	ck_assert_uint_eq(guest.exit.kind, AXVCPU_EXIT_NOTHING);
	guest_expect(&guest, AXVCPU_EXIT_MMIO_WRITE);
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

	guest_start(&guest, AXVCPU_MODE_64, PROGRAM(spin));
	sigaction(SIGALRM, &action, NULL);
	suite_alarm();
	do
		ck_ok(axvcpu_run(guest.vcpu, &guest.exit));
	while (!guest.exit.kicked);
	ck_assert_uint_eq(guest.exit.kind, AXVCPU_EXIT_NOTHING);
	guest_end(&guest);
}
END_TEST

static void *bind_and_end(void *arg)
{
	ck_ok(axvcpu_bind(guest.vcpu));
	return arg;
}

static void *kick_in_the_guest(void *arg)
{
	while (axvcpu_state(guest.vcpu) != AXVCPU_RUNNING)
		sched_yield();
	ck_ok(axvcpu_kick(guest.vcpu));
	return arg;
}

/* By the signal to the thread that has it now. */
START_TEST(a_kick_takes_an_adopted_vcpu_out_of_the_guest)
{
	pthread_t thread;

	guest_create(&guest, NULL, PROGRAM(spin));
	guest_setup(&guest, AXVCPU_MODE_64);
	ck_assert_int_eq(pthread_create(&thread, NULL, bind_and_end, NULL), 0);
	ck_assert_int_eq(pthread_join(thread, NULL), 0);
	ck_fails(axvcpu_run(guest.vcpu, &guest.exit), EBUSY);
	ck_ok(axvcpu_adopt(guest.vcpu));
	ck_assert_int_eq(pthread_create(&thread, NULL, kick_in_the_guest, NULL), 0);
	do
		ck_ok(axvcpu_run(guest.vcpu, &guest.exit));
	while (!guest.exit.kicked);
	ck_assert_int_eq(pthread_join(thread, NULL), 0);
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

	/* So that the owner of the handler can see its result. */
	guest_start(&guest, AXVCPU_MODE_64, PROGRAM(spin));
	sigaction(SIGALRM, &action, NULL);
	suite_alarm();
	ck_ok(axvcpu_run(guest.vcpu, &guest.exit));
	ck_assert_uint_eq(guest.exit.kind, AXVCPU_EXIT_NOTHING);
	ck_assert_uint_eq(guest.exit.kicked, 0);
	ck_assert_uint_eq(guest.exit.answerable, 0);
	guest_end(&guest);
}
END_TEST

/* --- another thread ---------------------------------------------------------------------------- */

/* Each kick waits for its answer: the count stays small. */
#define KICKS (suite_long() ? 20000u : 5000u)
#define FEW_KICKS 100u

static atomic_uint sent, answered;
static atomic_uint kicks;

/* Each kick waits until a run has answered the one before: so every one must be answered. */
static void *kicker(void *arg)
{
	unsigned int seed = 1;

	(void)arg;
	for (unsigned int i = 0; i < atomic_load(&kicks); i++) {
		/* The owner has answered all before this one, so it waits for this one at least. */
		if (suite_enough(i, FEW_KICKS, atomic_load(&kicks)))
			atomic_store(&kicks, i + 1);
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

	atomic_store(&kicks, suite_scale(KICKS));
	ck_assert_int_eq(pthread_create(&thread, NULL, kicker, NULL), 0);
	while (atomic_load(&answered) < atomic_load(&kicks)) {
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
	guest_start(&guest, AXVCPU_MODE_64, PROGRAM(spin));
	run_against_kicks();
}
END_TEST

START_TEST(no_kick_among_exits_is_lost)
{
	guest_start(&guest, AXVCPU_MODE_64, PROGRAM(chatter));
	run_against_kicks();
}
END_TEST

/* --- at random ---------------------------------------------------------------------------------- */

/* The full number of kicks, and the number that is enough for an everyday run. */
#define RANDOM_KICKS 1000000
#define RANDOM_KICKS_SHORT 100000
#define BURST 64
#define KICKERS 3
/* A vCPU that answers no kick for so long is stuck, however slow and busy the machine. */
#define STUCK_SECONDS suite_seconds(60)

static unsigned int random_kicks(void)
{
	return suite_scale(suite_long() ? RANDOM_KICKS : RANDOM_KICKS_SHORT);
}

struct kicker {
	pthread_t thread;
	unsigned int seed;
	unsigned int kicks;
	/* Kicks by a signal handler, its own or the owner's, instead of by a call. */
	bool by_signal;
	pthread_t owner;
	/* Runs that have returned: the owner posts for every one. */
	sem_t answers;
};

static struct kicker kickers[KICKERS];
static atomic_uint begun, finished;
static atomic_uint handled;

static unsigned int dice(struct kicker *kicker, unsigned int sides)
{
	kicker->seed = kicker->seed * 1103515245 + 12345;
	return (kicker->seed >> 16) % sides;
}

static void on_kicking_signal(int sig)
{
	(void)sig;
	axvcpu_kick(guest.vcpu);
	atomic_fetch_add(&handled, 1);
}

static void kick_once(struct kicker *kicker)
{
	atomic_fetch_add(&begun, 1);
	if (!kicker->by_signal)
		ck_ok(axvcpu_kick(guest.vcpu));
	else if (dice(kicker, 2))
		raise(SIGUSR1);
	else
		pthread_kill(kicker->owner, SIGUSR1);
	/* Anything from at once to some exits later. */
	for (volatile unsigned int i = dice(kicker, 8) ? 0 : dice(kicker, 20000); i; i--)
		;
}

/*
 * A burst at random times, then the wait for a run that answers. It must come: the answers that the
 * owner has given by the time of the last kick are thrown away first.
 */
static void *kick_at_random(void *arg)
{
	struct kicker *kicker = arg;
	struct timespec end;

	for (unsigned int left = kicker->kicks; left;) {
		unsigned int burst = 1 + dice(kicker, BURST);

		if (burst > left)
			burst = left;
		left -= burst;
		while (--burst)
			kick_once(kicker);
		while (!sem_trywait(&kicker->answers))
			;
		kick_once(kicker);
		clock_gettime(CLOCK_REALTIME, &end);
		end.tv_sec += STUCK_SECONDS;
		while (sem_timedwait(&kicker->answers, &end))
			ck_assert_msg(errno == EINTR, "no run has answered: %s", strerror(errno));
	}
	atomic_fetch_add(&finished, 1);
	/* The last kick of all: the owner may have gone in again. */
	atomic_fetch_add(&begun, 1);
	ck_ok(axvcpu_kick(guest.vcpu));
	return NULL;
}

static void tell_kickers(unsigned int n)
{
	for (unsigned int i = 0; i < n; i++)
		ck_assert_int_eq(sem_post(&kickers[i].answers), 0);
}

/* With 'n' threads that kick, the last one by signals if there are several. */
static void run_against_random_kicks(unsigned int n)
{
	const struct sigaction action = { .sa_handler = on_kicking_signal };
	unsigned int kicked = 0, nothing = 0;

	sigaction(SIGUSR1, &action, NULL);
	for (unsigned int i = 0; i < n; i++) {
		kickers[i].seed = i + 1;
		kickers[i].kicks = random_kicks() / n + 1;
		kickers[i].by_signal = n > 1 && i == n - 1;
		kickers[i].owner = pthread_self();
		ck_assert_int_eq(sem_init(&kickers[i].answers, 0, 0), 0);
		ck_assert_int_eq(pthread_create(&kickers[i].thread, NULL, kick_at_random,
						&kickers[i]),
				 0);
	}
	while (atomic_load(&finished) < n) {
		ck_ok(axvcpu_run(guest.vcpu, &guest.exit));
		/* All that begun has been counted before it could be seen here. */
		if (guest.exit.kicked) {
			kicked++;
			ck_assert_uint_le(kicked, atomic_load(&begun));
			tell_kickers(n);
		} else if (guest.exit.kind == AXVCPU_EXIT_NOTHING) {
			nothing++;
			/* A late signal, of which a kick sends one, or the one that asks to kick. */
			ck_assert_uint_le(nothing, 2 * atomic_load(&begun));
		}
	}
	for (unsigned int i = 0; i < n; i++)
		pthread_join(kickers[i].thread, NULL);
	ck_assert_uint_ge(atomic_load(&begun), random_kicks());
	ck_assert_uint_gt(kicked, 0);
	printf("%u kicks, %u signals handled: %u runs answered, %u returned for nothing\n",
	       atomic_load(&begun), atomic_load(&handled), kicked, nothing);
}

/* When all kicks are over, no run ends for one. */
static void expect_quiet(void)
{
	/* Events still in flight: a kick, and a late signal. */
	for (int i = 0; i < 2; i++)
		ck_ok(axvcpu_run(guest.vcpu, &guest.exit));
	for (int i = 0; i < 1000; i++) {
		ck_ok(axvcpu_run(guest.vcpu, &guest.exit));
		ck_assert_uint_eq(guest.exit.kind, AXVCPU_EXIT_MMIO_WRITE);
		ck_assert_uint_eq(guest.exit.kicked, 0);
	}
}

START_TEST(no_kick_of_a_spinning_guest_is_lost_at_random)
{
	guest_start(&guest, AXVCPU_MODE_64, PROGRAM(spin));
	run_against_random_kicks(KICKERS);
	guest_end(&guest);
}
END_TEST

START_TEST(no_kick_among_exits_is_lost_at_random)
{
	guest_start(&guest, AXVCPU_MODE_64, PROGRAM(chatter));
	run_against_random_kicks(KICKERS);
	expect_quiet();
	guest_end(&guest);
}
END_TEST

START_TEST(no_kick_of_a_single_thread_is_lost_at_random)
{
	guest_start(&guest, AXVCPU_MODE_64, PROGRAM(chatter));
	run_against_random_kicks(1);
	expect_quiet();
	guest_end(&guest);
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
	guest_create(&guest, &config, PROGRAM(spin));
	guest_setup(&guest, AXVCPU_MODE_64);
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

	guest_create(&guest, NULL, PROGRAM(spin));
	guest_setup(&guest, AXVCPU_MODE_64);
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
	TCase *random = suite_case(suite, "random");
	TCase *signals = suite_case(suite, "signals");

	tcase_add_test(own, a_kick_before_the_run_ends_it_once);
	tcase_add_test(own, a_kick_outlives_a_flush);
	tcase_add_test(own, a_kick_takes_an_adopted_vcpu_out_of_the_guest);
	tcase_add_test(own, a_signal_handler_of_the_owner_can_kick);
	tcase_add_test(own, a_signal_that_is_no_kick_returns_nothing);

	tcase_add_test(threads, no_kick_of_a_spinning_guest_is_lost);
	tcase_add_test(threads, no_kick_among_exits_is_lost);

	tcase_set_timeout(random, suite_long() ? 20 * SUITE_TIMEOUT : SUITE_TIMEOUT);
	tcase_add_test(random, no_kick_of_a_spinning_guest_is_lost_at_random);
	tcase_add_test(random, no_kick_among_exits_is_lost_at_random);
	tcase_add_test(random, no_kick_of_a_single_thread_is_lost_at_random);

	tcase_add_test(signals, the_callers_signal_is_used_and_must_have_a_handler);
	tcase_add_test(signals, no_signal_in_use_is_taken);
	tcase_add_test(signals, bind_unblocks_the_signal_and_unbind_blocks_it_again);
}

int main(void)
{
	return suite_main("kick", true, add_tests);
}
