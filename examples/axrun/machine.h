/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* The virtual machine: vCPUs, and memory with the image loaded, ready to run. */
#ifndef AXRUN_MACHINE_H
#define AXRUN_MACHINE_H

#include <axvcpu/axvcpu.h>

#include "image.h"
#include "layout.h"
#include "options.h"
#include "platform.h"

struct machine {
	struct axvm *vm;
	struct axvcpu *vcpus[GUEST_CPUS_MAX];
	uint32_t ncpus;
	/* enum axvm_irqchip: from the options, or NONE if there was no option and KVM has none. */
	uint32_t irqchip;
	/* The GIC's version; 0 without a GIC. */
	uint32_t gic_version;
};

/* Returns 0, or -1 after fail(); call machine_free() in either case. */
int machine_make(struct machine *machine, const struct options *options,
		 const struct platform *platform, const struct image *image,
		 const struct layout *layout);

/*
 * The host CPUs of a vCPU in its config, whose id is set. options->cpus is the number of vCPUs.
 * Returns 0, or -1 after fail().
 */
int machine_place_vcpu(struct axvcpu_config *config, const struct options *options);

/* Takes a VM that has its vCPUs and memory already. Returns 0, or -1 after fail(). */
int machine_adopt(struct machine *machine, struct axvm *vm);

/* Whether the machine was made for a Linux kernel. */
bool machine_is_linux(const struct machine *machine, const struct platform *platform);

void machine_free(struct machine *machine);

#endif
