/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* Accesses to the devices of a VM of the mock backend, as its guest would make them. */
#ifndef TESTS_DEVICE_H
#define TESTS_DEVICE_H

#include "mock.h"
#include "suite.h"

static struct axvm *device_vm;
static struct axvcpu *device_vcpu;

/* A new VM, without devices, for the functions below. It replaces an earlier one. */
static inline void device_begin(void)
{
	if (device_vm) {
		ck_ok(axvcpu_free(device_vcpu));
		ck_ok(axvm_free(device_vm));
	}
	mock_start(&device_vm, &device_vcpu, 0);
	ck_ok(axvcpu_setup(device_vcpu, 0, 0, NULL));
	ck_ok(axvcpu_bind(device_vcpu));
}

static inline bool device_access(uint32_t space, bool write, uint64_t addr, unsigned int width,
				 uint64_t *value)
{
	struct axvcpu_exit exit = { .answerable = !write };

	if (space == AXVM_SPACE_PORT) {
		exit.kind = write ? AXVCPU_EXIT_IO_WRITE : AXVCPU_EXIT_IO_READ;
		exit.u.io.buf = value;
		exit.u.io.is_write = write;
		exit.u.io.width = (uint8_t)width;
		exit.u.io.port = (uint16_t)addr;
		exit.u.io.count = 1;
	} else {
		exit.kind = write ? AXVCPU_EXIT_MMIO_WRITE : AXVCPU_EXIT_MMIO_READ;
		exit.u.mmio.addr = addr;
		exit.u.mmio.width = (uint8_t)width;
		exit.u.mmio.data = *value;
	}
	mock.exit = exit;
	ck_ok(axvcpu_run(device_vcpu, &exit));
	return axvcpu_dispatch(device_vcpu, &exit) == 1;
}

/* Returns whether a device claims the access; if not, *value is all ones. */
static inline bool device_read(uint32_t space, uint64_t addr, unsigned int width, uint64_t *value)
{
	bool claimed;

	*value = UINT64_MAX;
	claimed = device_access(space, false, addr, width, value);
	if (claimed)
		*value = mock.answer.u.value & UINT64_MAX >> (64 - 8 * width);
	return claimed;
}

static inline bool device_write(uint32_t space, uint64_t addr, unsigned int width, uint64_t value)
{
	return device_access(space, true, addr, width, &value);
}

#endif
