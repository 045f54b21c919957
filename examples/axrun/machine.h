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

void machine_free(struct machine *machine);

#endif
