/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * Threads that wait while another thread holds a vCPU for a short operation: they sleep, so that it
 * gets the CPU whatever its priority is. The injector counts calls, so no test depends on time.
 * Needs no KVM.
 */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

#include "injector.h"
#include "mock.h"
#include "suite.h"

static struct axvm *vm;
static struct axvcpu *vcpu;

/* Number of times that a wait yields before it sleeps. */
#define YIELDS 16

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

/* --- a reader of registers ------------------------------------------------------------------- */

static atomic_bool inside;
/* The reader's operation. */
static void (*inside_do)(void);

static void in_the_reader(enum mock_op op, void *arch)
{
	(void)arch;
	if (op != MOCK_GET_REG)
		return;
	atomic_store(&inside, true);
	inside_do();
}

static void *read_register(void *arg)
{
	uint64_t value;

	(void)arg;
	ck_ok(axvcpu_get_reg(vcpu, 1, &value));
	return NULL;
}

/* The owner has slept 'n' times since then. */
static void stay_until_slept(unsigned int since, unsigned int n)
{
	while (injector.sleeps - since < n)
		sched_yield();
}

static void stay_while_the_owner_waits(void)
{
	stay_until_slept(injector.sleeps, 3);
}

static void wake_it_and_stay(void)
{
	unsigned int since;

	while (axvcpu_state(vcpu) != AXVCPU_BLOCKED)
		sched_yield();
	since = injector.sleeps;
	ck_ok(axvcpu_wake(vcpu));
	/* One may be the sleep that this ends. */
	stay_until_slept(since, 3);
}

/* All on one CPU, and this thread before all others, where that is permitted. */
static void take_precedence(void)
{
	const struct sched_param param = { .sched_priority = sched_get_priority_min(SCHED_FIFO) };
	cpu_set_t one;

	CPU_ZERO(&one);
	CPU_SET((size_t)sched_getcpu(), &one);
	ck_assert_int_eq(sched_setaffinity(0, sizeof(one), &one), 0);
	if (sched_setscheduler(0, SCHED_FIFO | SCHED_RESET_ON_FORK, &param))
		printf("without SCHED_FIFO: %s\n", strerror(errno));
}

START_TEST(an_owner_of_high_priority_sleeps_while_a_reader_is_inside)
{
	static void (*const ways[])(void) = { stay_while_the_owner_waits, wake_it_and_stay };
	pthread_t reader;
	unsigned int sleeps;

	start();
	mock.hook = in_the_reader;
	inside_do = ways[_i];
	take_precedence();
	injector.yields = 0;
	ck_assert_int_eq(pthread_create(&reader, NULL, read_register, NULL), 0);
	if (_i) {
		/* The reader looks at a vCPU that sleeps, and its owner wakes. */
		ck_ok(axvcpu_block(vcpu, -1));
	} else {
		while (!atomic_load(&inside))
			usleep(100);
		sleeps = injector.sleeps;
		ck_assert_int_eq(axvcpu_block(vcpu, 0), -ETIMEDOUT);
		ck_assert_uint_ge(injector.sleeps - sleeps, 3);
	}
	ck_assert_int_eq(axvcpu_state(vcpu), AXVCPU_READY);
	/* However long the reader took. */
	ck_assert_uint_le(injector.yields, 2 * YIELDS);
	pthread_join(reader, NULL);
	mock.hook = NULL;
	end();
}
END_TEST

/* --- free ------------------------------------------------------------------------------------- */

static pthread_t freer;
static atomic_bool leave, sleep_now;

static void stay_until_told(void)
{
	while (!atomic_load(&leave))
		sched_yield();
}

static void *own_and_sleep(void *arg)
{
	(void)arg;
	ck_ok(axvcpu_bind(vcpu));
	while (!atomic_load(&sleep_now))
		sched_yield();
	ck_ok(axvcpu_block(vcpu, -1));
	ck_ok(axvcpu_unbind(vcpu));
	return NULL;
}

/* Free waits for the reader. Before it looks again, the reader has gone and the owner sleeps. */
static void while_free_waits(void)
{
	if (!pthread_equal(pthread_self(), freer))
		return;
	atomic_store(&leave, true);
	atomic_store(&sleep_now, true);
	while (axvcpu_state(vcpu) != AXVCPU_BLOCKED)
		sched_yield();
}

START_TEST(a_vcpu_whose_owner_falls_asleep_under_free_is_not_freed)
{
	/* NULL itself is a pointer to data, which clang does not assign to an atomic pointer to a function. */
	static void (*const nothing)(void);
	pthread_t owner, reader;

	mock_start(&vm, &vcpu, 0);
	ck_ok(axvcpu_setup(vcpu, 0, 0, NULL));
	ck_assert_int_eq(pthread_create(&owner, NULL, own_and_sleep, NULL), 0);
	while (axvcpu_state(vcpu) != AXVCPU_READY)
		sched_yield();
	mock.hook = in_the_reader;
	inside_do = stay_until_told;
	ck_assert_int_eq(pthread_create(&reader, NULL, read_register, NULL), 0);
	while (!atomic_load(&inside))
		sched_yield();
	freer = pthread_self();
	injector.waiting = while_free_waits;
	ck_fails_saying(axvcpu_free(vcpu), EBUSY, "blocked");
	injector.waiting = nothing;
	ck_assert(atomic_load(&leave));
	ck_assert_int_eq(axvcpu_state(vcpu), AXVCPU_BLOCKED);
	ck_ok(axvcpu_wake(vcpu));
	pthread_join(owner, NULL);
	pthread_join(reader, NULL);
	ck_ok(axvcpu_free(vcpu));
	ck_ok(axvm_free(vm));
}
END_TEST

static void add_tests(Suite *suite)
{
	TCase *tcase = suite_case(suite, "waits");

	tcase_add_loop_test(tcase, an_owner_of_high_priority_sleeps_while_a_reader_is_inside, 0, 2);
	tcase_add_test(tcase, a_vcpu_whose_owner_falls_asleep_under_free_is_not_freed);
}

int main(void)
{
	return suite_main("waits", false, add_tests);
}
