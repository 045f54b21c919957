/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* The host CPUs that a vCPU may use, and those that its owner's thread could use before bind. */
#ifndef LIB_AFFINITY_H
#define LIB_AFFINITY_H

#include <stddef.h>
#include <stdint.h>

struct axvm;
struct axvcpu_config;

struct axv_affinity {
	/* A copy of the caller's cpu_set_t; NULL: all CPUs. */
	unsigned char *set;
	size_t set_size;
	/* The thread's set before bind; NULL if bind did not change it. */
	unsigned char *saved;
	size_t saved_size;
};

/* Copies the CPU set of a config. Returns 0, -EINVAL for an empty or malformed set, or -ENOMEM. */
int axv_affinity_init(const struct axvm *vm, struct axv_affinity *affinity,
		      const struct axvcpu_config *config);
void axv_affinity_destroy(struct axv_affinity *affinity);

/*
 * Pins the calling thread to the CPU 'favor' if that is not negative, in the set and usable, else
 * to the set. Does nothing without either. On failure nothing has changed.
 */
int axv_affinity_pin(const struct axvm *vm, struct axv_affinity *affinity, int favor);
/*
 * Restores the calling thread's earlier set; if none of its CPUs is usable any more, sets all that
 * are. On failure nothing has changed.
 */
int axv_affinity_restore(const struct axvm *vm, struct axv_affinity *affinity);

#endif
