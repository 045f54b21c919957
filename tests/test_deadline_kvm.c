/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * Runs with a deadline of a guest that never exits: none is lost, wherever the timer's signal finds
 * the thread, and none comes early. Needs a working /dev/kvm.
 */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <time.h>

#include "guest.h"
#include "suite.h"

static struct guest guest;

static int64_t now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * INT64_C(1000000000) + ts.tv_nsec;
}

/* To the exit DEADLINE, which must not be early. Other returns may only be NOTHING. */
static void run_to_deadline(struct axvcpu *vcpu, int64_t deadline)
{
	do {
		ck_ok(axvcpu_run_until(vcpu, deadline, &guest.exit));
		if (guest.exit.kind == AXVCPU_EXIT_DEADLINE)
			break;
		ck_assert_uint_eq(guest.exit.kind, AXVCPU_EXIT_NOTHING);
	} while (now() < deadline + INT64_C(60000000000));
	ck_assert_uint_eq(guest.exit.kind, AXVCPU_EXIT_DEADLINE);
	ck_assert_int_ge(now(), deadline);
}

/*
 * Deadlines around the entry to the guest, where a signal can come too early for KVM_RUN and too
 * late for the checks before it. A lost one never returns.
 */
static void meet_deadlines(struct axvcpu *vcpu, unsigned int n)
{
	for (unsigned int done = 0; !suite_enough(done, n / 100, n); done++)
		run_to_deadline(vcpu, now() + done % 997 * 50);
}

#define DEADLINES 100000u

static void on_signal(int sig)
{
	(void)sig;
}

enum way {
	DEFAULTS,
	/* The thread blocks all signals. */
	BLOCKED,
	/* The caller handles the kick signal. */
	OWN_SIGNAL,
	/* And the thread blocks it. */
	OWN_BLOCKED,
	WAYS,
};

START_TEST(no_deadline_is_lost)
{
	const struct sigaction action = { .sa_handler = on_signal };
	struct axvm_config config = AXVM_CONFIG_INIT;
	sigset_t all;

	if (_i == OWN_SIGNAL || _i == OWN_BLOCKED) {
		ck_assert_int_eq(sigaction(SIGUSR1, &action, NULL), 0);
		config.kick_signal = SIGUSR1;
	}
	guest_start_with(&guest, &config, AXVCPU_MODE_64, PROGRAM(spin));
	sigfillset(&all);
	if (_i == BLOCKED || _i == OWN_BLOCKED)
		ck_assert_int_eq(pthread_sigmask(SIG_SETMASK, &all, NULL), 0);
	meet_deadlines(guest.vcpu, suite_scale(_i == DEFAULTS ? DEADLINES : DEADLINES / 10));
	guest_end(&guest);
}
END_TEST

START_TEST(an_answer_before_a_deadline_that_has_passed_is_not_lost)
{
	guest_start(&guest, AXVCPU_MODE_64, PROGRAM(echo));
	for (uint32_t i = 1; i <= 100; i++) {
		guest_expect_read(&guest, GUEST_MMIO);
		ck_ok(axvcpu_complete_value(guest.vcpu, i));
		run_to_deadline(guest.vcpu, 1);
		guest_expect_write(&guest, GUEST_MMIO, i);
	}
	guest_end(&guest);
}
END_TEST

/* The guest goes on for its time: it is not held at its first instruction. */
START_TEST(the_guest_executes_until_the_deadline)
{
	guest_start(&guest, AXVCPU_MODE_64, PROGRAM(chatter));
	for (int i = 0; i < 10; i++) {
		unsigned int writes = 0;
		int64_t deadline = now() + 50000000;

		do {
			ck_ok(axvcpu_run_until(guest.vcpu, deadline, &guest.exit));
			writes += guest.exit.kind == AXVCPU_EXIT_MMIO_WRITE;
		} while (guest.exit.kind != AXVCPU_EXIT_DEADLINE);
		ck_assert_int_ge(now(), deadline);
		ck_assert_uint_ge(writes, 1);
	}
	guest_end(&guest);
}
END_TEST

#define KICKS 10000u
static atomic_uint answered;

static void *kick_often(void *arg)
{
	const unsigned int kicks = *(const unsigned int *)arg;

	for (unsigned int i = 0; i < kicks; i++) {
		ck_ok(axvcpu_kick(guest.vcpu));
		while (atomic_load(&answered) <= i)
			sched_yield();
	}
	return NULL;
}

START_TEST(kicks_among_deadlines_are_not_lost)
{
	unsigned int kicks = suite_scale(KICKS);
	pthread_t thread;

	guest_start(&guest, AXVCPU_MODE_64, PROGRAM(spin));
	ck_assert_int_eq(pthread_create(&thread, NULL, kick_often, &kicks), 0);
	while (atomic_load(&answered) < kicks) {
		ck_ok(axvcpu_run_for(guest.vcpu, 50000, &guest.exit));
		ck_assert(guest.exit.kind == AXVCPU_EXIT_DEADLINE ||
			  guest.exit.kind == AXVCPU_EXIT_NOTHING);
		atomic_fetch_add(&answered, guest.exit.kicked);
	}
	pthread_join(thread, NULL);
	ck_assert_uint_eq(atomic_load(&answered), kicks);
	guest_end(&guest);
}
END_TEST

static void add_tests(Suite *suite)
{
	TCase *tcase = suite_case(suite, "deadline");

	tcase_add_loop_test(tcase, no_deadline_is_lost, 0, WAYS);
	tcase_add_test(tcase, an_answer_before_a_deadline_that_has_passed_is_not_lost);
	tcase_add_test(tcase, the_guest_executes_until_the_deadline);
	tcase_add_test(tcase, kicks_among_deadlines_are_not_lost);
}

int main(void)
{
	return suite_main("deadline on KVM", true, add_tests);
}
