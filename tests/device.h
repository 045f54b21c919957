/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * Accesses to the devices of a VM of the mock backend, as its guest would make them; and the saved
 * states of axrun's devices.
 */
#ifndef TESTS_DEVICE_H
#define TESTS_DEVICE_H

#include <errno.h>
#include <stdlib.h>

#include "../examples/axrun/device.h"
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

/* --- saved states ----------------------------------------------------------------------------- */

/* The latest device that axrun has added. */
static struct axvm_device_config device_added;

/* In place of axrun's own. */
int device_add(struct axvm *vm, struct axvm_device_config config, struct place place, uint64_t len)
{
	const struct axvm_device_range range = {
		.base = place.base,
		.len = len,
		.space = place.space,
	};

	device_added = config;
	config.ranges = &range;
	config.nranges = 1;
	return axvm_add_device(vm, &config, NULL) ? -1 : 0;
}

/* Returns the size of the state. A buffer that is too small stays as it is. */
static inline size_t device_save(uint8_t *state, size_t max)
{
	int size = device_added.save(device_added.ctx, NULL, 0);

	ck_assert_int_gt(size, 0);
	ck_assert_uint_le((size_t)size, max);
	memset(state, 0x5a, max);
	ck_assert_int_eq(device_added.save(device_added.ctx, state, (size_t)size - 1), size);
	ck_assert_uint_eq(state[0], 0x5a);
	ck_assert_int_eq(device_added.save(device_added.ctx, state, max), size);
	return (size_t)size;
}

static inline int device_restore(const uint8_t *state, size_t size)
{
	return device_added.restore(device_added.ctx, device_added.version, state, size);
}

/* A state that is too short or too long is refused and changes nothing; tries each step-th length. */
static inline void device_check_lengths(size_t step)
{
	const size_t max = 1 << 20;
	uint8_t *good = malloc(max), *now = malloc(max);
	size_t i, size;

	ck_assert_ptr_nonnull(good);
	ck_assert_ptr_nonnull(now);
	size = device_save(good, max);
	for (i = 0; i <= size + step; i += step) {
		if (i == size)
			continue;
		ck_assert_int_eq(device_restore(good, i), -EINVAL);
		ck_assert_uint_eq(device_save(now, max), size);
		ck_assert_mem_eq(now, good, size);
	}
	ck_assert_int_eq(device_restore(good, size), 0);
	free(now);
	free(good);
}

#endif
