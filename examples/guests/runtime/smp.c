/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* Several CPUs: starting them, their stacks, and synchronisation. */
#include "smp.h"

#include "arch.h"
#include "guest.h"

#define STACK_SIZE 8192

/* From the linker script. */
extern char guest_image_end[];

static void (*run_on)(unsigned int cpu);
static uint64_t running;

unsigned int guest_cpus(void)
{
	return guest_boot_page()->ncpus;
}

/* The stacks follow the image. */
static char *stack_of(unsigned int cpu)
{
	const struct guest_range *ranges;
	size_t n = guest_memory(&ranges), i;
	uint64_t end = (uintptr_t)guest_image_end + (uint64_t)cpu * STACK_SIZE;

	for (i = 0; i < n; i++)
		if (end - 1 >= ranges[i].gpa && end <= ranges[i].gpa + ranges[i].size)
			return guest_image_end + (size_t)cpu * STACK_SIZE;
	guest_print("guest: not enough memory for the stacks of all CPUs\n");
	guest_exit(2);
}

_Noreturn void guest_cpu_main(void)
{
	__atomic_fetch_add(&running, 1, __ATOMIC_SEQ_CST);
	run_on(guest_cpu());
	guest_halt();
}

void guest_cpu_run(unsigned int cpu, void (*run)(unsigned int cpu), void *stack_end)
{
	run_on = run;
	guest_cpu_start(cpu, stack_end);
}

/* One at a time, as all CPUs get their parameters from the same variables. */
void guest_cpus_start(void (*run)(unsigned int cpu))
{
	unsigned int cpu;

	for (cpu = 1; cpu < guest_cpus(); cpu++) {
		guest_cpu_run(cpu, run, stack_of(cpu));
		guest_wait_for(&running, cpu);
	}
}

void guest_lock(struct guest_lock *lock)
{
	while (__atomic_exchange_n(&lock->taken, 1, __ATOMIC_ACQUIRE))
		guest_relax();
}

void guest_unlock(struct guest_lock *lock)
{
	__atomic_store_n(&lock->taken, 0, __ATOMIC_RELEASE);
}

void guest_wait_for(const uint64_t *counter, uint64_t value)
{
	while (__atomic_load_n(counter, __ATOMIC_SEQ_CST) < value)
		guest_relax();
}
