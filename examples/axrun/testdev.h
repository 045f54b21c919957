/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* The test device: registers to read and write, by port and by MMIO. Described in guests/abi.h. */
#ifndef AXRUN_TESTDEV_H
#define AXRUN_TESTDEV_H

#include <stdint.h>

#include "../guests/abi.h"
#include "device.h"

struct testdev {
	uint8_t regs[GUEST_TEST_SIZE];
	uint64_t writes;
};

/*
 * Adds it to the VM: its MMIO registers at `gpa`, and its ports unless `port` is 0. Returns 0, or
 * -1 after fail().
 */
int testdev_attach(struct testdev *testdev, struct axvm *vm, uint64_t gpa, uint64_t port);

#endif
