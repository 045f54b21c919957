/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* Accesses that must be one instruction of a known width: I/O ports and device registers. */
#ifndef GUEST_ARCH_H
#define GUEST_ARCH_H

#include <stdint.h>

/* There are I/O ports. */
#define GUEST_HAS_PORTS 1
/* Device registers may be accessed at any address, even across a page boundary. */
#define GUEST_MMIO_UNALIGNED 1

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

/* Tells the CPU that this is a loop that waits. */
static inline void guest_relax(void)
{
	__asm__ volatile("pause");
}

#endif
