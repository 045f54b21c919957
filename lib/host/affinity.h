/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* Which host CPUs a vCPU may use, and what its owner's thread could use before. */
#ifndef LIB_AFFINITY_H
#define LIB_AFFINITY_H

#include <stddef.h>
#include <stdint.h>

struct axvm;
struct axvcpu_config;

struct axv_affinity {
	/* A cpu_set_t of the caller's size; NULL: all CPUs. */
	unsigned char *set;
	size_t set_size;
	/* The thread's own set before bind; NULL: not changed. */
	unsigned char *saved;
	size_t saved_size;
};

/* Copies the CPU set of a config. Returns 0, -EINVAL for an empty one, -ENOMEM. */
int axv_affinity_init(const struct axvm *vm, struct axv_affinity *affinity,
		      const struct axvcpu_config *config);
void axv_affinity_destroy(struct axv_affinity *affinity);

/*
 * Pins the calling thread to 'favor' if it is not negative, allowed and possible, else to the set.
 * Does nothing if there is neither. Failing changes nothing.
 */
int axv_affinity_pin(const struct axvm *vm, struct axv_affinity *affinity, int favor);
/*
 * Gives the calling thread the set that it had before; if none of these CPUs can be used any more,
 * all that can. Failing changes nothing.
 */
int axv_affinity_restore(const struct axvm *vm, struct axv_affinity *affinity);

#endif
