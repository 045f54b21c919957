/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * ipi [COUNT]: CPUs interrupt and wake each other, COUNT times (5), by every method. The first CPU
 * interrupts each of the others, by each method; then each CPU interrupts all others, all at the
 * same time; at last the first CPU wakes all others.
 */
#include "arch.h"
#include "runtime/guest.h"
#include "runtime/interrupt.h"
#include "runtime/smp.h"

#define DEFAULT_COUNT 5

static uint64_t count = DEFAULT_COUNT;
/* Number of interrupts that a CPU has taken. */
static uint64_t taken[GUEST_CPUS_MAX];
/* Bit n: CPU n waits until this CPU takes its interrupt. */
static uint64_t senders[GUEST_CPUS_MAX];
static uint64_t ready;
static uint64_t go;
static uint64_t done;
static uint64_t asleep;

static void on_ipi(unsigned int number)
{
	unsigned int cpu = guest_cpu();

	(void)number;
	__atomic_store_n(&senders[cpu], 0, __ATOMIC_SEQ_CST);
	__atomic_fetch_add(&taken[cpu], 1, __ATOMIC_SEQ_CST);
}

/* Interrupts all others, and waits until each has taken it, so that no two are merged. */
static void interrupt_others(unsigned int self)
{
	unsigned int cpu;

	for (cpu = 0; cpu < guest_cpus(); cpu++) {
		if (cpu == self)
			continue;
		__atomic_fetch_or(&senders[cpu], UINT64_C(1) << self, __ATOMIC_SEQ_CST);
		guest_ipi(cpu, GUEST_INTERRUPT_IPI);
		while (__atomic_load_n(&senders[cpu], __ATOMIC_SEQ_CST) & UINT64_C(1) << self)
			guest_relax();
	}
}

static void interrupt_all(unsigned int self)
{
	uint64_t i;

	for (i = 0; i < count; i++)
		interrupt_others(self);
	__atomic_fetch_add(&done, 1, __ATOMIC_SEQ_CST);
}

/* Program of the other CPUs. */
static void follow(unsigned int cpu)
{
	uint64_t before;

	guest_interrupts_start();
	guest_interrupts_on();
	__atomic_fetch_add(&ready, 1, __ATOMIC_SEQ_CST);
	guest_wait_for(&go, 1);
	interrupt_all(cpu);
	guest_wait_for(&done, guest_cpus());
	guest_interrupts_off();
	before = taken[cpu];
	__atomic_fetch_add(&asleep, 1, __ATOMIC_SEQ_CST);
	while (taken[cpu] == before)
		guest_wait();
	__atomic_fetch_sub(&asleep, 1, __ATOMIC_SEQ_CST);
}

/* With one sender and one interrupt at a time, each interrupt is one handler call. */
static bool one_by_one(void (*send)(unsigned int cpu), unsigned int ncpus)
{
	unsigned int cpu;
	uint64_t i;

	for (cpu = 1; cpu < guest_cpus() && cpu < ncpus; cpu++) {
		uint64_t before = taken[cpu];

		for (i = 0; i < count; i++) {
			send(cpu);
			guest_wait_for(&taken[cpu], before + i + 1);
		}
		if (taken[cpu] != before + count)
			return false;
	}
	return true;
}

static void send_fixed(unsigned int cpu)
{
	guest_ipi(cpu, GUEST_INTERRUPT_IPI);
}

static bool to_self(void)
{
	uint64_t before = taken[0];

	guest_ipi_self(GUEST_INTERRUPT_IPI);
	guest_wait_for(&taken[0], before + 1);
	return taken[0] == before + 1;
}

static bool all_at_once(void)
{
	unsigned int cpu;

	__atomic_store_n(&go, 1, __ATOMIC_SEQ_CST);
	interrupt_all(0);
	guest_wait_for(&done, guest_cpus());
	for (cpu = 0; cpu < guest_cpus(); cpu++)
		if (taken[cpu] < count && guest_cpus() > 1)
			return false;
	return true;
}

static bool wake_all(void)
{
	uint64_t before = taken[0];

	guest_wait_for(&asleep, guest_cpus() - 1);
	guest_ipi_others(GUEST_INTERRUPT_IPI);
	while (__atomic_load_n(&asleep, __ATOMIC_SEQ_CST))
		guest_relax();
	return taken[0] == before;
}

static bool each_way(const struct guest_ipi_way *ways, size_t n)
{
	bool passed = true;
	size_t i;

	for (i = 0; i < n; i++) {
		guest_print("ipi: ");
		passed &= guest_check(ways[i].name, one_by_one(ways[i].send, ways[i].ncpus));
	}
	return passed;
}

int guest_main(void)
{
	const struct guest_ipi_way *ways;
	const char *word;
	bool passed;
	size_t nways, i;

	if (guest_word(0, &word) && !guest_word_number(0, &count)) {
		guest_print("usage: ipi [COUNT]\n");
		return 2;
	}
	guest_interrupts_start();
	guest_on_interrupt(GUEST_INTERRUPT_IPI, on_ipi);
	nways = guest_ipi_ways(&ways);
	for (i = 0; i < nways; i++)
		guest_on_interrupt(ways[i].number, on_ipi);
	guest_cpus_start(follow);
	guest_wait_for(&ready, guest_cpus() - 1);
	guest_interrupts_on();
	guest_print("ipi: ");
	guest_print_dec(guest_cpus());
	guest_print(guest_cpus() == 1 ? " CPU\n" : " CPUs\n");
	passed = guest_check("ipi: to each", one_by_one(send_fixed, GUEST_CPUS_MAX));
	passed &= each_way(ways, nways);
	passed &= guest_check("ipi: to itself", to_self());
	passed &= guest_check("ipi: all at once", all_at_once());
	passed &= guest_check("ipi: to all others, asleep", wake_all());
	return passed ? 0 : 1;
}
