/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* Several CPUs. */
#ifndef GUEST_SMP_H
#define GUEST_SMP_H

#include <stdbool.h>
#include <stdint.h>

/* How many there are; and which one this is, from 0. */
unsigned int guest_cpus(void);
unsigned int guest_cpu(void);

/*
 * Starts all others, and waits until they run: each calls `run` with its number, and halts for good
 * when that returns.
 */
void guest_cpus_start(void (*run)(unsigned int cpu));

/* Starts one of the others, on that stack. */
void guest_cpu_run(unsigned int cpu, void (*run)(unsigned int cpu), void *stack_end);

/* A lock, open if zero. */
struct guest_lock {
	uint32_t taken;
};

void guest_lock(struct guest_lock *lock);
void guest_unlock(struct guest_lock *lock);

/* Waits until a counter in shared memory has at least that value. */
void guest_wait_for(const uint64_t *counter, uint64_t value);

/* --- per architecture ------------------------------------------------------------------------- */

/* Starts a CPU in guest_cpu_main(), on that stack. */
void guest_cpu_start(unsigned int cpu, void *stack_end);
_Noreturn void guest_cpu_main(void);

#endif
