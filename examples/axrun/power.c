/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
#include "power.h"

#include "../guests/abi.h"

/* The machine never wakes from a sleep state, so there is no status to report. */
static int power_read(struct axvcpu *vcpu, void *ctx, uint64_t offset, unsigned int width,
		      uint64_t *value)
{
	(void)vcpu;
	(void)ctx;
	(void)offset;
	(void)width;
	*value = 0;
	return AXVM_HANDLED;
}

static int power_write(struct axvcpu *vcpu, void *ctx, uint64_t offset, unsigned int width,
		       uint64_t value)
{
	(void)vcpu;
	(void)width;
	if (offset == GUEST_POWER_SLEEP && (value & 0xff) == GUEST_POWER_OFF)
		outcome_set(ctx, RUN_POWER_OFF, 0);
	if (offset == GUEST_POWER_RESET && (value & 0xff) == GUEST_POWER_RESET_VALUE)
		outcome_set(ctx, RUN_RESET, STATUS_RESET);
	return AXVM_HANDLED;
}

int power_attach(struct outcome *outcome, struct axvm *vm, struct place place)
{
	return device_add(vm,
			  AXVCPU_WITH(axvm_device_config, .name = "power", .ctx = outcome,
				      .read = power_read, .write = power_write),
			  place, GUEST_POWER_SIZE);
}
