/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * smp [COUNT]: starts all CPUs, and each adds to sums in shared memory, COUNT times (100). One sum
 * is updated by atomic instructions, the other under a lock.
 */
#include "runtime/guest.h"
#include "runtime/smp.h"

#define DEFAULT_COUNT 100
/* So many CPUs start at the same time. More would mostly wait, if the host has fewer CPUs. */
#define TOGETHER 8

static uint64_t count = DEFAULT_COUNT;
static uint64_t sum;
static struct guest_lock lock;
/* Volatile, so that an addition is a separate load and store, and races would show. */
static volatile uint64_t locked_sum;
/* Filled in by each CPU. */
static uint64_t seen[GUEST_CPUS_MAX];
static uint64_t started;
static uint64_t done;

static void add(unsigned int cpu)
{
	uint64_t i;

	seen[cpu]++;
	__atomic_fetch_add(&started, 1, __ATOMIC_SEQ_CST);
	if (guest_cpus() <= TOGETHER)
		guest_wait_for(&started, guest_cpus());
	for (i = 0; i < count; i++) {
		__atomic_fetch_add(&sum, cpu + 1, __ATOMIC_SEQ_CST);
		guest_lock(&lock);
		locked_sum = locked_sum + cpu + 1;
		guest_unlock(&lock);
	}
	__atomic_fetch_add(&done, 1, __ATOMIC_SEQ_CST);
}

static bool all_seen(void)
{
	unsigned int cpu;

	for (cpu = 0; cpu < guest_cpus(); cpu++)
		if (seen[cpu] != 1)
			return false;
	return true;
}

int guest_main(void)
{
	uint64_t n = guest_cpus();
	uint64_t expected;
	const char *word;
	bool passed;

	if (guest_word(0, &word) && !guest_word_number(0, &count)) {
		guest_print("usage: smp [COUNT]\n");
		return 2;
	}
	guest_cpus_start(add);
	add(0);
	guest_wait_for(&done, n);
	guest_print("smp: ");
	guest_print_dec(n);
	guest_print(n == 1 ? " CPU, sum " : " CPUs, sum ");
	guest_print_dec(sum);
	guest_print("\n");
	expected = n * (n + 1) / 2 * count;
	passed = guest_check("smp: each CPU", all_seen());
	passed &= guest_check("smp: atomic sum", sum == expected);
	passed &= guest_check("smp: locked sum", locked_sum == expected);
	return passed ? 0 : 1;
}
