/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
#include "exitdev.h"

/* The register is 4 bytes wide, so that it claims 4-byte accesses. */
#define EXITDEV_SIZE 4

static uint64_t exitdev_read(void *ctx, uint64_t offset, unsigned int width)
{
	(void)ctx;
	(void)offset;
	(void)width;
	return UINT64_MAX;
}

static void exitdev_write(void *ctx, uint64_t offset, unsigned int width, uint64_t value)
{
	(void)width;
	if (offset == 0)
		outcome_set(ctx, RUN_EXIT, (int)(value & 0xff));
}

int exitdev_attach(struct outcome *outcome, struct bus *bus, struct bus_place place)
{
	return bus_add(bus, &(struct bus_device){
				    .place = place,
				    .len = EXITDEV_SIZE,
				    .ctx = outcome,
				    .read = exitdev_read,
				    .write = exitdev_write,
			    });
}
