/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
#include "power.h"

#include "../guests/abi.h"

/* The machine never wakes from a sleep state, so there is no status to report. */
static uint64_t power_read(void *ctx, uint64_t offset, unsigned int width)
{
	(void)ctx;
	(void)offset;
	(void)width;
	return 0;
}

static void power_write(void *ctx, uint64_t offset, unsigned int width, uint64_t value)
{
	(void)width;
	if (offset == GUEST_POWER_SLEEP && (value & 0xff) == GUEST_POWER_OFF)
		outcome_set(ctx, RUN_POWER_OFF, 0);
	if (offset == GUEST_POWER_RESET && (value & 0xff) == GUEST_POWER_RESET_VALUE)
		outcome_set(ctx, RUN_RESET, STATUS_RESET);
}

int power_attach(struct outcome *outcome, struct bus *bus, struct bus_place place)
{
	return bus_add(bus, &(struct bus_device){
				    .place = place,
				    .len = GUEST_POWER_SIZE,
				    .ctx = outcome,
				    .read = power_read,
				    .write = power_write,
			    });
}
