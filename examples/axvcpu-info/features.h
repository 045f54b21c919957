/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * KVM features that the library can use. Irqchips and forwards are tested by creating a VM; the
 * rest are capabilities.
 */
#ifndef INFO_FEATURES_H
#define INFO_FEATURES_H

#include <stdbool.h>
#include <stddef.h>

#include <axvcpu/axvcpu.h>

/* Architectures that have a feature. */
#define ON_X86_64 1u
#define ON_ARM64 2u
#define ON_RISCV64 4u
#define ON_ALL (ON_X86_64 | ON_ARM64 | ON_RISCV64)

/* Maximum length of the lists below. */
#define MAX_TRIALS 8
#define MAX_CAPABILITIES 64

/* A kind of VM that the host may be able to create. */
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
	/* KVM_CAP_*. `old_number`: a capability with the same meaning on older kernels; 0: none. */
	unsigned int number;
	unsigned int old_number;
	/* Relevant bits of the value; 0: all. */
	unsigned int mask;
	/* Description for the text report. */
	const char *text;
};

/* Ends with a NULL name. */
extern const struct capability capabilities[];

/* Whether this host's architecture is in the mask. */
bool is_on_host(unsigned int on);
/* Whether a VM of that kind can be created on the open device. */
bool trial_succeeds(const struct trial *trial, int kvm_fd);
/* The value that KVM reports for the capability; 0 if it is unsupported. */
unsigned int capability_value(const struct capability *capability, struct axvm *vm);

#endif
