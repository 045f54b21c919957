/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* The virtual machine: its vCPUs, its memory with the image in it, ready to run. */
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
	/* enum axvm_irqchip: as the options have it; none, if nobody asked and this KVM has none. */
	uint32_t irqchip;
	/* The GIC's version; 0: there is none. */
	uint32_t gic_version;
};

/* Returns 0, or -1 after fail(); machine_free() in any case. */
int machine_make(struct machine *machine, const struct options *options,
		 const struct platform *platform, const struct image *image,
		 const struct layout *layout);

void machine_free(struct machine *machine);

#endif
