/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
#include "testdev.h"

#include "message.h"
#include "state.h"

/* Little-endian, as the guest sees it. */
static void store(struct testdev *testdev, uint64_t offset, unsigned int width, uint64_t value)
{
	unsigned int i;

	for (i = 0; i < width; i++)
		testdev->regs[offset + i] = (uint8_t)(value >> 8 * i);
}

static int testdev_read(struct axvcpu *vcpu, void *ctx, uint64_t offset, unsigned int width,
			uint64_t *value)
{
	const struct testdev *testdev = ctx;
	unsigned int i;

	(void)vcpu;
	for (i = 0, *value = 0; i < width; i++)
		*value |= (uint64_t)testdev->regs[offset + i] << 8 * i;
	return AXVM_HANDLED;
}

/*
 * The read-only registers are updated last, so an access that overlaps them does not change them.
 */
static int testdev_write(struct axvcpu *vcpu, void *ctx, uint64_t offset, unsigned int width,
			 uint64_t value)
{
	struct testdev *testdev = ctx;

	(void)vcpu;
	store(testdev, offset, width, value);
	store(testdev, GUEST_TEST_ID, 4, GUEST_TEST_MAGIC);
	store(testdev, GUEST_TEST_WIDTH, 4, width);
	store(testdev, GUEST_TEST_WRITES, 8, ++testdev->writes);
	return AXVM_HANDLED;
}

/* The state: the registers, with the read-only ones. */
static void put_state(struct state *state, void *ctx)
{
	const struct testdev *testdev = ctx;

	state_put_bytes(state, testdev->regs, sizeof(testdev->regs));
	state_put(state, 8, testdev->writes);
}

static int testdev_save(void *ctx, void *buf, size_t len)
{
	return state_save(buf, len, put_state, ctx);
}

static int testdev_restore(void *ctx, uint32_t version, const void *buf, size_t len)
{
	struct state state = state_open(buf, len);
	struct testdev new;
	int err;

	(void)version;
	state_get_bytes(&state, new.regs, sizeof(new.regs));
	new.writes = state_get(&state, 8);
	err = state_close(&state);
	if (!err)
		*(struct testdev *)ctx = new;
	return err;
}

int testdev_attach(struct testdev *testdev, struct axvm *vm, uint64_t gpa, uint64_t port)
{
	const struct axvm_device_range ranges[] = {
		{ .base = gpa, .len = GUEST_TEST_SIZE },
		{ .base = port, .len = GUEST_TEST_PORTS, .space = AXVM_SPACE_PORT },
	};
	const struct axvm_device_config config =
		AXVCPU_WITH(axvm_device_config, .name = "test", .ctx = testdev, .ranges = ranges,
			    .nranges = port ? 2 : 1, .read = testdev_read, .write = testdev_write,
			    .save = testdev_save, .restore = testdev_restore);

	*testdev = (struct testdev){ 0 };
	store(testdev, GUEST_TEST_ID, 4, GUEST_TEST_MAGIC);
	if (axvm_add_device(vm, &config, NULL))
		return fail("cannot add a device: %s", axvcpu_last_error());
	return 0;
}
