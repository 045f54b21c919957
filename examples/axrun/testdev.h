/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* The test device: registers to poke, by port and by MMIO. guests/abi.h describes them. */
#ifndef AXRUN_TESTDEV_H
#define AXRUN_TESTDEV_H

#include <pthread.h>
#include <stdint.h>

#include "../guests/abi.h"
#include "bus.h"

struct testdev {
	pthread_mutex_t lock;
	uint8_t regs[GUEST_TEST_SIZE];
	uint64_t writes;
};

/*
 * Puts it on the bus: its MMIO registers at `gpa`, and its ports, if `port` is not 0. Returns 0, or
 * -1 after fail().
 */
int testdev_attach(struct testdev *testdev, struct bus *bus, uint64_t gpa, uint64_t port);

#endif
