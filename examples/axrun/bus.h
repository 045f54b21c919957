/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * Which device answers which I/O port and which address.
 *
 * What no device claims reads as all ones, and writes to it are lost, as on a real bus.
 */
#ifndef AXRUN_BUS_H
#define AXRUN_BUS_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BUS_DEVICES 16

enum bus_space {
	BUS_PORT,
	BUS_MMIO,
};

struct bus_place {
	enum bus_space space;
	uint64_t base;
};

struct bus_device {
	struct bus_place place;
	uint64_t len;
	void *ctx;
	/* Held while one of the functions runs, as CPUs do not wait for each other; NULL: none. */
	pthread_mutex_t *lock;
	/* `offset + width` is at most `len`; a width is 1 to 8. */
	uint64_t (*read)(void *ctx, uint64_t offset, unsigned int width);
	void (*write)(void *ctx, uint64_t offset, unsigned int width, uint64_t value);
};

struct bus {
	struct bus_device devices[BUS_DEVICES];
	size_t ndevices;
};

/*
 * Adds a device, before any CPU runs. Returns 0, or -1 after fail(): it overlaps, or the table is
 * full.
 */
int bus_add(struct bus *bus, const struct bus_device *device);

/* Reads; false, and all ones in `*value`, if nobody claims the address. */
bool bus_read(const struct bus *bus, enum bus_space space, uint64_t addr, unsigned int width,
	      uint64_t *value);

/* Writes; false if nobody claims the address. */
bool bus_write(const struct bus *bus, enum bus_space space, uint64_t addr, unsigned int width,
	       uint64_t value);

#endif
