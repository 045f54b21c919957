/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* MMIO addresses of axrun's devices. Included by arch.h after guest_read8() and so on. */
#ifndef GUEST_MMIO_H
#define GUEST_MMIO_H

#include <stdint.h>

#include "../abi.h"

static inline uint8_t guest_console_read(unsigned int reg)
{
	return guest_read8(GUEST_GPA_CONSOLE + reg);
}

static inline void guest_console_write(unsigned int reg, uint8_t value)
{
	guest_write8(GUEST_GPA_CONSOLE + reg, value);
}

static inline void guest_exit_write(uint8_t status)
{
	guest_write8(GUEST_GPA_EXIT, status);
}

static inline uint32_t guest_checkpoint_read(unsigned int reg)
{
	return guest_read32(GUEST_GPA_CHECKPOINT + reg);
}

static inline void guest_checkpoint_write(unsigned int reg, uint32_t value)
{
	guest_write32(GUEST_GPA_CHECKPOINT + reg, value);
}

/* Address of a register of a CPU's timer. */
static inline uint64_t guest_timer_gpa(unsigned int cpu, unsigned int reg)
{
	return GUEST_GPA_TIMER + (uint64_t)cpu * GUEST_TIMER_SIZE + reg;
}

#endif
