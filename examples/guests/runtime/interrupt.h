/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * Interrupts: handlers, sleep, a CPU's own timer, other CPUs. All of it is written once per
 * architecture. Interrupts have the architecture's numbers; arch.h names those that all have.
 */
#ifndef GUEST_INTERRUPT_H
#define GUEST_INTERRUPT_H

#include <stddef.h>
#include <stdint.h>

/* Prepares this CPU: its interrupts are off, and may be switched on. */
void guest_interrupts_start(void);

/* Who is called for an interrupt, on whatever CPU, with interrupts off. Before any comes. */
void guest_on_interrupt(unsigned int number, void (*handler)(unsigned int number));

void guest_interrupts_on(void);
void guest_interrupts_off(void);

/*
 * Lets this CPU sleep until it has taken an interrupt. They are off before and afterwards, so that
 * none slips through between a look and the sleep.
 */
void guest_wait(void);

/* GUEST_INTERRUPT_TIMER in so many microseconds, or every so many; 0: no more. */
void guest_timer_once(uint32_t us);
void guest_timer_every(uint32_t us);

/*
 * Lets GUEST_INTERRUPT_CONSOLE in, to this CPU: when something has been received. Only with
 * GUEST_IRQCHIP_KERNEL.
 */
void guest_console_interrupts(void);

/* An interrupt for another CPU, for all others, for this one. */
void guest_ipi(unsigned int cpu, unsigned int number);
void guest_ipi_others(unsigned int number);
void guest_ipi_self(unsigned int number);

/* Further ways to interrupt another CPU, which all arrive as `number`. */
struct guest_ipi_way {
	const char *name;
	unsigned int number;
	/* How many CPUs can be reached like that. */
	unsigned int ncpus;
	void (*send)(unsigned int cpu);
};
/* Returns their number. */
size_t guest_ipi_ways(const struct guest_ipi_way **ways);

#endif
