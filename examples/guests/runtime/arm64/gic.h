/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * The interrupt controller: a GICv3, a GICv2, or, if there is none, what axrun's timer device has of
 * one. All three take and send interrupts by number.
 */
#ifndef GUEST_GIC_H
#define GUEST_GIC_H

#include <stdbool.h>

/* No interrupt waits. */
#define GIC_NOTHING 1023u

struct gic {
	/* Prepares it for this CPU; all of its own interrupts are let in. */
	void (*start)(void);
	/* Lets in one that all CPUs share, and leads it to that CPU; NULL: there are none. */
	void (*route)(unsigned int number, unsigned int cpu);
	/* Lets one wait that all CPUs share. */
	void (*raise)(unsigned int number);
	/* Takes the one that waits; GIC_NOTHING if none does. */
	unsigned int (*take)(void);
	/* Is done with it. */
	void (*end)(unsigned int number);
	/* One of the first 16, to a CPU, or to all but this one. */
	void (*send)(unsigned int cpu, unsigned int number);
	void (*send_others)(unsigned int number);
};

/* What there is. */
const struct gic *guest_gic(void);

#endif
