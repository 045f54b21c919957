/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* Several CPUs. */
#ifndef GUEST_SMP_H
#define GUEST_SMP_H

#include <stdbool.h>
#include <stdint.h>

/* The number of CPUs; and the number of this one, from 0. */
unsigned int guest_cpus(void);
unsigned int guest_cpu(void);

/*
 * Starts all other CPUs and waits until they run. Each calls `run` with its number, and halts
 * forever when that returns.
 */
void guest_cpus_start(void (*run)(unsigned int cpu));

/* Starts one of the other CPUs on the given stack. */
void guest_cpu_run(unsigned int cpu, void (*run)(unsigned int cpu), void *stack_end);

/* A spinlock; zero means unlocked. */
struct guest_lock {
	uint32_t taken;
};

void guest_lock(struct guest_lock *lock);
void guest_unlock(struct guest_lock *lock);

/* Waits until a counter in shared memory reaches the value. */
void guest_wait_for(const uint64_t *counter, uint64_t value);

/* --- implemented per architecture ------------------------------------------------------------- */

/* Starts a CPU at guest_cpu_main() on the given stack. */
void guest_cpu_start(unsigned int cpu, void *stack_end);
_Noreturn void guest_cpu_main(void);

#endif
