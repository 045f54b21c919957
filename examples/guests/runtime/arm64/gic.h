/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * The interrupt controller: a GICv3, a GICv2, or, without one, axrun's timer device. All three take
 * and send interrupts by number.
 */
#ifndef GUEST_GIC_H
#define GUEST_GIC_H

#include <stdbool.h>

/* No interrupt is pending. */
#define GIC_NOTHING 1023u

struct gic {
	/* Initialises the controller for this CPU and enables its private interrupts. */
	void (*start)(void);
	/*
	 * Enables a shared interrupt and routes it to that CPU; NULL if there are no shared
	 * interrupts.
	 */
	void (*route)(unsigned int number, unsigned int cpu);
	/* Makes a shared interrupt pending. */
	void (*raise)(unsigned int number);
	/* Acknowledges the pending interrupt; GIC_NOTHING if there is none. */
	unsigned int (*take)(void);
	/* Ends the handling of an interrupt. */
	void (*end)(unsigned int number);
	/* Sends an SGI (number below 16) to a CPU, or to all others. */
	void (*send)(unsigned int cpu, unsigned int number);
	void (*send_others)(unsigned int number);
};

/* The controller of this machine. */
const struct gic *guest_gic(void);

#endif
