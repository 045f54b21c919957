/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
#include "bus.h"

#include "message.h"

int bus_add(struct bus *bus, const struct bus_device *device)
{
	size_t i;

	if (bus->ndevices == BUS_DEVICES)
		return fail("too many devices");
	for (i = 0; i < bus->ndevices; i++) {
		const struct bus_device *other = &bus->devices[i];

		if (other->place.space == device->place.space &&
		    other->place.base < device->place.base + device->len &&
		    device->place.base < other->place.base + other->len)
			return fail("two devices overlap");
	}
	bus->devices[bus->ndevices++] = *device;
	return 0;
}

/* A device claims an access only if the whole access is within its registers. */
static const struct bus_device *find(const struct bus *bus, enum bus_space space, uint64_t addr,
				     unsigned int width)
{
	size_t i;

	for (i = 0; i < bus->ndevices; i++) {
		const struct bus_device *device = &bus->devices[i];

		if (device->place.space == space && addr >= device->place.base &&
		    width <= device->len && addr - device->place.base <= device->len - width)
			return device;
	}
	return NULL;
}

static void take(const struct bus_device *device)
{
	if (device->lock)
		pthread_mutex_lock(device->lock);
}

static void release(const struct bus_device *device)
{
	if (device->lock)
		pthread_mutex_unlock(device->lock);
}

bool bus_read(const struct bus *bus, enum bus_space space, uint64_t addr, unsigned int width,
	      uint64_t *value)
{
	const struct bus_device *device = find(bus, space, addr, width);

	*value = UINT64_MAX;
	if (!device)
		return false;
	take(device);
	*value = device->read(device->ctx, addr - device->place.base, width);
	release(device);
	return true;
}

bool bus_write(const struct bus *bus, enum bus_space space, uint64_t addr, unsigned int width,
	       uint64_t value)
{
	const struct bus_device *device = find(bus, space, addr, width);

	if (!device)
		return false;
	take(device);
	device->write(device->ctx, addr - device->place.base, width, value);
	release(device);
	return true;
}
