/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
#include "queuedev.h"

#include <errno.h>

#include "state.h"

static void put(struct queuedev *queue, uint8_t byte)
{
	if (queue->count == GUEST_QUEUE_MAX)
		return;
	queue->bytes[(queue->first + queue->count++) % GUEST_QUEUE_MAX] = byte;
}

static uint8_t take(struct queuedev *queue)
{
	uint8_t byte;

	if (queue->count == 0)
		return GUEST_QUEUE_NOTHING;
	byte = queue->bytes[queue->first];
	queue->first = (queue->first + 1) % GUEST_QUEUE_MAX;
	queue->count--;
	return byte;
}

static int queuedev_read(struct axvcpu *vcpu, void *ctx, uint64_t offset, unsigned int width,
			 uint64_t *value)
{
	struct queuedev *queue = ctx;
	unsigned int i;

	(void)vcpu;
	if (offset == GUEST_QUEUE_LENGTH && width == 4)
		*value = queue->count;
	if (offset != GUEST_QUEUE_DATA)
		return AXVM_HANDLED;
	for (i = 0, *value = 0; i < width; i++)
		*value |= (uint64_t)take(queue) << 8 * i;
	return AXVM_HANDLED;
}

static int queuedev_write(struct axvcpu *vcpu, void *ctx, uint64_t offset, unsigned int width,
			  uint64_t value)
{
	struct queuedev *queue = ctx;
	unsigned int i;

	(void)vcpu;
	if (offset == GUEST_QUEUE_LENGTH)
		queue->count = 0;
	for (i = 0; offset == GUEST_QUEUE_DATA && i < width; i++)
		put(queue, (uint8_t)(value >> 8 * i));
	return AXVM_HANDLED;
}

/* The state: the bytes, oldest first. */
static void put_state(struct state *state, void *ctx)
{
	const struct queuedev *queue = ctx;
	size_t i;

	state_put(state, 4, queue->count);
	for (i = 0; i < queue->count; i++)
		state_put(state, 1, queue->bytes[(queue->first + i) % GUEST_QUEUE_MAX]);
}

static int queuedev_save(void *ctx, void *buf, size_t len)
{
	return state_save(buf, len, put_state, ctx);
}

static int queuedev_restore(void *ctx, uint32_t version, const void *buf, size_t len)
{
	struct queuedev *queue = ctx;
	struct state state = state_open(buf, len);
	size_t count = (size_t)state_get(&state, 4);

	(void)version;
	if (state.bad || count > GUEST_QUEUE_MAX || state.size - state.at != count)
		return -EINVAL;
	queue->first = 0;
	queue->count = count;
	state_get_bytes(&state, queue->bytes, count);
	return 0;
}

int queuedev_attach(struct queuedev *queue, struct axvm *vm, struct place place)
{
	queue->first = 0;
	queue->count = 0;
	return device_add(vm,
			  AXVCPU_WITH(axvm_device_config, .name = "queue", .ctx = queue,
				      .read = queuedev_read, .write = queuedev_write,
				      .save = queuedev_save, .restore = queuedev_restore),
			  place, GUEST_QUEUE_SIZE);
}
