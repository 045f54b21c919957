/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * Dispatch of port and MMIO accesses to devices.
 *
 * As on a real bus, unclaimed addresses read as all ones, and writes to them are ignored.
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
	/* Held during the callbacks, as CPUs run concurrently; may be NULL. */
	pthread_mutex_t *lock;
	/* `offset + width` is at most `len`; `width` is 1 to 8. */
	uint64_t (*read)(void *ctx, uint64_t offset, unsigned int width);
	void (*write)(void *ctx, uint64_t offset, unsigned int width, uint64_t value);
};

struct bus {
	struct bus_device devices[BUS_DEVICES];
	size_t ndevices;
};

/*
 * Adds a device, before any CPU runs. Returns 0, or -1 after fail() if it overlaps another or the
 * table is full.
 */
int bus_add(struct bus *bus, const struct bus_device *device);

/* Reads. If no device claims the address, returns false and sets `*value` to all ones. */
bool bus_read(const struct bus *bus, enum bus_space space, uint64_t addr, unsigned int width,
	      uint64_t *value);

/* Writes. Returns false if no device claims the address. */
bool bus_write(const struct bus *bus, enum bus_space space, uint64_t addr, unsigned int width,
	       uint64_t value);

#endif
