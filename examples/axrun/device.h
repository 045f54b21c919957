/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* The places of devices. The library dispatches the accesses to them. */
#ifndef AXRUN_DEVICE_H
#define AXRUN_DEVICE_H

#include <axvcpu/axvcpu.h>

struct place {
	/* enum axvm_space */
	uint32_t space;
	uint64_t base;
};

/* Adds a device with one range of `len`. Returns 0, or -1 after fail(). */
int device_add(struct axvm *vm, struct axvm_device_config config, struct place place, uint64_t len);

#endif
