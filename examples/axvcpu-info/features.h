/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* The options of KVM that the library can use: each is tried, or asked for by its capability. */
#ifndef INFO_FEATURES_H
#define INFO_FEATURES_H

#include <stdbool.h>
#include <stddef.h>

#include <axvcpu/axvcpu.h>

/* The architectures that have a feature. */
#define ON_X86_64 1u
#define ON_ARM64 2u
#define ON_RISCV64 4u
#define ON_ALL (ON_X86_64 | ON_ARM64 | ON_RISCV64)

/* Entries of the lists below, at most. */
#define MAX_TRIALS 8
#define MAX_CAPABILITIES 64

/* A VM of this kind can be created, or not. */
struct trial {
	const char *name;
	unsigned int on;
	uint32_t irqchip;
	uint32_t gic_version;
	uint32_t gic_flags;
	uint32_t forward;
};

/* Both lists end with a NULL name. */
extern const struct trial irqchip_trials[];
extern const struct trial forward_trials[];

struct capability {
	const char *name;
	unsigned int on;
	/* KVM_CAP_*. Another one that says the same on older kernels; 0: none. */
	unsigned int number;
	unsigned int old_number;
	/* The bits of the answer that count; 0: all. */
	unsigned int mask;
	/* For a person. */
	const char *text;
};

/* Likewise. */
extern const struct capability capabilities[];

/* Whether this host's architecture is one of them. */
bool is_on_host(unsigned int on);
/* Whether a VM of that kind can be created on the open device. */
bool trial_succeeds(const struct trial *trial, int kvm_fd);
/* What KVM says of the capability; 0: not there. */
unsigned int capability_value(const struct capability *capability, struct axvm *vm);

#endif
