/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * The fault injection of tests/test_faults.c for single steps: each system call and allocation of a
 * step fails in turn, in a new VM each time, and then the step is retried. For programs that are
 * linked with the injector.
 */
#ifndef TESTS_SWEEP_H
#define TESTS_SWEEP_H

#include "guest.h"

#define SWEEP_VCPUS 2

/* Two vCPUs of a guest that writes GUEST_VALUE to GUEST_MMIO; the second has yet to be started. */
struct sweep_world {
	struct axvm *vm;
	struct axvcpu *vcpus[SWEEP_VCPUS];
	struct axvcpu_exit exit;
	/* An eventfd. */
	int fd;
};

struct sweep_step {
	const char *name;
	/* enum axvm_irqchip */
	uint32_t irqchip;
	/* Preparation; NULL: none. */
	void (*prepare)(struct sweep_world *world);
	/* The step: returns 0 or a count, or an errno. */
	int (*take)(struct sweep_world *world);
	/* Checks the effect of the step; NULL: no visible effect. */
	void (*see)(struct sweep_world *world);
	/* System calls and allocations that it makes at least; 0: none at all. */
	unsigned int calls;
	/* It looks again when a wait fails. */
	bool waits;
	/* Has another way if it cannot open a file. */
	bool does_without_files;
	/* It makes threads, which leave stacks behind, for the next one. */
	bool has_threads;
	/* Makes another world than sweep_world_begin(). */
	void (*begin)(struct sweep_world *world);
};

void sweep_world_begin(struct sweep_world *world, uint32_t irqchip);
/* The same with a VM of this config, in which it sets max_vcpus. */
void sweep_world_begin_with(struct sweep_world *world, struct axvm_config *config);
void sweep_world_end(struct sweep_world *world);

/* Fails each call of steps[step] in turn, in every way. */
void sweep(const struct sweep_step *steps, int step);

/* The load of a saved state: if it fails, the former state stays. */
struct sweep_load {
	/* Makes a world whose present state is not the saved one. */
	void (*begin)(struct sweep_world *world);
	int (*take)(struct sweep_world *world);
	/* Checks that the world has the saved state, or the former one. */
	void (*see)(struct sweep_world *world, bool saved);
};

/*
 * Fails each call of a load in turn: alone, or with all that follow, after which the vCPUs may also be
 * Invalid.
 */
void sweep_loads(const struct sweep_load *load, bool persist);

/* --- parts of steps --------------------------------------------------------------------------- */

static inline struct axvcpu *sweep_first(const struct sweep_world *world)
{
	return world->vcpus[0];
}

/* To prepare: the first vCPU is the calling thread's. */
void sweep_bound(struct sweep_world *world);
/* To take: the first vCPU runs, to something. */
int sweep_run(struct sweep_world *world);
/* To see: the guest runs as if nothing had happened. */
void sweep_see_the_guest_run(struct sweep_world *world);
/* System calls of a run that ends in this kind. */
unsigned int sweep_calls_of_run(struct sweep_world *world, enum axvcpu_exit_kind kind);

#endif
