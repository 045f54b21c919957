/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
#include "queuedev.h"

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

int queuedev_attach(struct queuedev *queue, struct axvm *vm, struct place place)
{
	queue->first = 0;
	queue->count = 0;
	return device_add(vm,
			  AXVCPU_WITH(axvm_device_config, .name = "queue", .ctx = queue,
				      .read = queuedev_read, .write = queuedev_write),
			  place, GUEST_QUEUE_SIZE);
}
