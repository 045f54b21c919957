/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
#include "exitdev.h"

/* The register is 4 bytes wide, so that it claims 4-byte accesses. */
#define EXITDEV_SIZE 4

static int exitdev_write(struct axvcpu *vcpu, void *ctx, uint64_t offset, unsigned int width,
			 uint64_t value)
{
	(void)vcpu;
	(void)width;
	if (offset == 0)
		outcome_set(ctx, RUN_EXIT, (int)(value & 0xff));
	return AXVM_HANDLED;
}

int exitdev_attach(struct outcome *outcome, struct axvm *vm, struct place place)
{
	return device_add(vm,
			  AXVCPU_WITH(axvm_device_config, .name = "exit", .ctx = outcome,
				      .write = exitdev_write),
			  place, EXITDEV_SIZE);
}
