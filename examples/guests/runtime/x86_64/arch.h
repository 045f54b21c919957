/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* Port and MMIO accesses by a single instruction of known width. */
#ifndef GUEST_ARCH_H
#define GUEST_ARCH_H

#include <stdint.h>

#include "../../abi.h"

/* There are I/O ports. */
#define GUEST_HAS_PORTS 1
/* Device registers may be accessed at any alignment, even across a page boundary. */
#define GUEST_MMIO_UNALIGNED 1
/* Interrupt vectors of the timer and the console, and one that CPUs can send each other. */
#define GUEST_INTERRUPT_TIMER 0x20u
#define GUEST_INTERRUPT_CONSOLE 0x21u
#define GUEST_INTERRUPT_IPI 0x40u
/* The non-maskable interrupt. */
#define GUEST_INTERRUPT_NMI 2u
/* The highest number of a hypercall. */
#define GUEST_CALL_LAST UINT32_MAX

#define GUEST_PORT_ACCESS(bits, letter) \
	static inline uint##bits##_t guest_in##bits(uint16_t port) \
	{ \
		uint##bits##_t value; \
		__asm__ volatile("in" letter " %1, %0" : "=a"(value) : "Nd"(port) : "memory"); \
		return value; \
	} \
	static inline void guest_out##bits(uint16_t port, uint##bits##_t value) \
	{ \
		__asm__ volatile("out" letter " %0, %1" : : "a"(value), "Nd"(port) : "memory"); \
	}

#define GUEST_MMIO_ACCESS(bits, letter) \
	static inline uint##bits##_t guest_read##bits(uint64_t gpa) \
	{ \
		uint##bits##_t value; \
		__asm__ volatile("mov" letter " (%1), %0" : "=r"(value) : "r"(gpa) : "memory"); \
		return value; \
	} \
	static inline void guest_write##bits(uint64_t gpa, uint##bits##_t value) \
	{ \
		__asm__ volatile("mov" letter " %0, (%1)" : : "r"(value), "r"(gpa) : "memory"); \
	}

GUEST_PORT_ACCESS(8, "b")
GUEST_PORT_ACCESS(16, "w")
GUEST_PORT_ACCESS(32, "l")
GUEST_MMIO_ACCESS(8, "b")
GUEST_MMIO_ACCESS(16, "w")
GUEST_MMIO_ACCESS(32, "l")
GUEST_MMIO_ACCESS(64, "q")

static inline uint8_t guest_console_read(unsigned int reg)
{
	return guest_in8((uint16_t)(GUEST_PORT_CONSOLE + reg));
}

static inline void guest_console_write(unsigned int reg, uint8_t value)
{
	guest_out8((uint16_t)(GUEST_PORT_CONSOLE + reg), value);
}

static inline void guest_exit_write(uint8_t status)
{
	guest_out8(GUEST_PORT_EXIT, status);
}

static inline uint32_t guest_checkpoint_read(unsigned int reg)
{
	return guest_in32((uint16_t)(GUEST_PORT_CHECKPOINT + reg));
}

static inline void guest_checkpoint_write(unsigned int reg, uint32_t value)
{
	guest_out32((uint16_t)(GUEST_PORT_CHECKPOINT + reg), value);
}

/*
 * Calls axrun. The number is written to the doorbell. All usable registers hold arguments, so the
 * port must be an immediate.
 */
static inline uint64_t guest_hypercall(uint32_t nr, const uint64_t args[6])
{
	register uint64_t r8 __asm__("r8") = args[4];
	register uint64_t r9 __asm__("r9") = args[5];
	uint64_t result = nr;

	__asm__ volatile("outl %%eax, %1"
			 : "+a"(result)
			 : "N"(GUEST_PORT_DOORBELL), "D"(args[0]), "S"(args[1]), "d"(args[2]),
			   "c"(args[3]), "r"(r8), "r"(r9)
			 : "memory");
	return result;
}

/* Hint for a busy-wait loop. */
static inline void guest_relax(void)
{
	__asm__ volatile("pause");
}

#endif
