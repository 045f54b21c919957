/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
#include "testdev.h"

/* Little-endian, as the guest sees it. */
static void store(struct testdev *testdev, uint64_t offset, unsigned int width, uint64_t value)
{
	unsigned int i;

	for (i = 0; i < width; i++)
		testdev->regs[offset + i] = (uint8_t)(value >> 8 * i);
}

static uint64_t testdev_read(void *ctx, uint64_t offset, unsigned int width)
{
	const struct testdev *testdev = ctx;
	uint64_t value = 0;
	unsigned int i;

	for (i = 0; i < width; i++)
		value |= (uint64_t)testdev->regs[offset + i] << 8 * i;
	return value;
}

/*
 * The read-only registers are updated last, so an access that overlaps them does not change them.
 */
static void testdev_write(void *ctx, uint64_t offset, unsigned int width, uint64_t value)
{
	struct testdev *testdev = ctx;

	store(testdev, offset, width, value);
	store(testdev, GUEST_TEST_ID, 4, GUEST_TEST_MAGIC);
	store(testdev, GUEST_TEST_WIDTH, 4, width);
	store(testdev, GUEST_TEST_WRITES, 8, ++testdev->writes);
}

int testdev_attach(struct testdev *testdev, struct bus *bus, uint64_t gpa, uint64_t port)
{
	struct bus_device device = {
		.place = { BUS_MMIO, gpa },
		.len = GUEST_TEST_SIZE,
		.ctx = testdev,
		.lock = &testdev->lock,
		.read = testdev_read,
		.write = testdev_write,
	};

	*testdev = (struct testdev){ .lock = PTHREAD_MUTEX_INITIALIZER };
	store(testdev, GUEST_TEST_ID, 4, GUEST_TEST_MAGIC);
	if (bus_add(bus, &device))
		return -1;
	if (!port)
		return 0;
	device.place = (struct bus_place){ BUS_PORT, port };
	device.len = GUEST_TEST_PORTS;
	return bus_add(bus, &device);
}
