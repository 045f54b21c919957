/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* The byte queue: bytes that a guest writes are read back in order. Described in guests/abi.h. */
#ifndef AXRUN_QUEUEDEV_H
#define AXRUN_QUEUEDEV_H

#include <stddef.h>
#include <stdint.h>

#include "../guests/abi.h"
#include "device.h"

struct queuedev {
	uint8_t bytes[GUEST_QUEUE_MAX];
	/* Index of the oldest byte, and the number of bytes. */
	size_t first;
	size_t count;
};

/* Adds it to the VM. Returns 0, or -1 after fail(). */
int queuedev_attach(struct queuedev *queue, struct axvm *vm, struct place place);

#endif
