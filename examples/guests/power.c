/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * power [off|reset|typed|cpus]: switches the machine off or resets it, or CPUs off and on. power
 * typed: waits for a key, o for off or r for reset. power cpus [COUNT]: starts CPUs, which switch
 * themselves off, COUNT times each (5).
 */
#include "arch.h"
#include "runtime/guest.h"
#include "runtime/power.h"
#include "runtime/smp.h"

#define DEFAULT_COUNT 5
#define STACK_SIZE 8192

static char stack[STACK_SIZE] __attribute__((aligned(16)));
static uint64_t starts[GUEST_CPUS_MAX];
static uint64_t leave;

static void visit(unsigned int cpu)
{
	__atomic_fetch_add(&starts[cpu], 1, __ATOMIC_SEQ_CST);
	guest_wait_for(&leave, 1);
	guest_cpu_off();
}

/*
 * Starts a CPU and lets it switch off. Checks the reported states, and that it cannot be started
 * twice.
 */
static bool round_trip(unsigned int cpu)
{
	bool passed = !guest_cpu_is_on(cpu);
	uint64_t before = starts[cpu];

	__atomic_store_n(&leave, 0, __ATOMIC_SEQ_CST);
	guest_cpu_run(cpu, visit, stack + sizeof(stack));
	guest_wait_for(&starts[cpu], before + 1);
	passed &= guest_cpu_is_on(cpu) && guest_cpu_refuses(cpu);
	__atomic_store_n(&leave, 1, __ATOMIC_SEQ_CST);
	while (guest_cpu_is_on(cpu))
		guest_relax();
	return passed && starts[cpu] == before + 1;
}

static bool round_trips(uint64_t count)
{
	unsigned int cpu;
	uint64_t i;

	for (i = 0; i < count; i++)
		for (cpu = 1; cpu < guest_cpus(); cpu++)
			if (!round_trip(cpu))
				return false;
	return true;
}

static int cpus(void)
{
	uint64_t count = DEFAULT_COUNT;
	const char *word;
	bool passed;

	if (guest_word(1, &word) && !guest_word_number(1, &count))
		return 2;
	passed = guest_check("power: CPUs go on and off", round_trips(count));
	passed &= guest_check("power: a CPU is on", guest_cpu_is_on(0) && guest_cpu_refuses(0));
	passed &= guest_check("power: a CPU that is not there", guest_cpu_refuses(guest_cpus()));
	return passed ? 0 : 1;
}

int guest_main(void)
{
	const char *word;

	if (guest_word_is(0, "cpus"))
		return cpus();
	if (guest_word_is(0, "reset") || (guest_word_is(0, "typed") && guest_getc() == 'r')) {
		guest_reset();
	} else if (guest_word_is(0, "off") || guest_word_is(0, "typed") || !guest_word(0, &word)) {
		guest_power_off();
	} else {
		guest_print("usage: power [off|reset|typed|cpus [COUNT]]\n");
		return 2;
	}
	guest_print("power: still on\n");
	return 1;
}
