/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * Interrupts: handlers, sleep, timers and IPIs. Implemented per architecture. Interrupt numbers are
 * the architecture's; arch.h names those that all architectures have.
 */
#ifndef GUEST_INTERRUPT_H
#define GUEST_INTERRUPT_H

#include <stddef.h>
#include <stdint.h>

/* Prepares this CPU to take interrupts. They are still disabled. */
void guest_interrupts_start(void);

/*
 * Sets the handler of an interrupt for all CPUs; it runs with interrupts disabled. Call before the
 * first such interrupt.
 */
void guest_on_interrupt(unsigned int number, void (*handler)(unsigned int number));

void guest_interrupts_on(void);
void guest_interrupts_off(void);

/*
 * Sleeps until this CPU has taken an interrupt. Interrupts are disabled before and after, so that
 * none is missed between a check and the sleep.
 */
void guest_wait(void);

/* GUEST_INTERRUPT_TIMER after or every `us` microseconds; 0 stops the timer. */
void guest_timer_once(uint32_t us);
void guest_timer_every(uint32_t us);

/*
 * Routes GUEST_INTERRUPT_CONSOLE, raised by received characters, to this CPU. Requires
 * GUEST_IRQCHIP_KERNEL.
 */
void guest_console_interrupts(void);

/* Interrupts another CPU, all other CPUs, or this CPU. */
void guest_ipi(unsigned int cpu, unsigned int number);
void guest_ipi_others(unsigned int number);
void guest_ipi_self(unsigned int number);

/* Additional methods to interrupt another CPU; each arrives as `number`. */
struct guest_ipi_way {
	const char *name;
	unsigned int number;
	/* Number of CPUs that the method can reach. */
	unsigned int ncpus;
	void (*send)(unsigned int cpu);
};
/* Returns the number of methods. */
size_t guest_ipi_ways(const struct guest_ipi_way **ways);

#endif
