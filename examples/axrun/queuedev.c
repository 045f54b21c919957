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

static uint64_t queuedev_read(void *ctx, uint64_t offset, unsigned int width)
{
	struct queuedev *queue = ctx;
	uint64_t value = 0;
	unsigned int i;

	if (offset == GUEST_QUEUE_LENGTH && width == 4)
		return queue->count;
	if (offset != GUEST_QUEUE_DATA)
		return UINT64_MAX;
	for (i = 0; i < width; i++)
		value |= (uint64_t)take(queue) << 8 * i;
	return value;
}

static void queuedev_write(void *ctx, uint64_t offset, unsigned int width, uint64_t value)
{
	struct queuedev *queue = ctx;
	unsigned int i;

	if (offset == GUEST_QUEUE_LENGTH)
		queue->count = 0;
	for (i = 0; offset == GUEST_QUEUE_DATA && i < width; i++)
		put(queue, (uint8_t)(value >> 8 * i));
}

int queuedev_attach(struct queuedev *queue, struct bus *bus, struct bus_place place)
{
	pthread_mutex_init(&queue->lock, NULL);
	queue->first = 0;
	queue->count = 0;
	return bus_add(bus, &(struct bus_device){
				    .place = place,
				    .len = GUEST_QUEUE_SIZE,
				    .ctx = queue,
				    .lock = &queue->lock,
				    .read = queuedev_read,
				    .write = queuedev_write,
			    });
}
