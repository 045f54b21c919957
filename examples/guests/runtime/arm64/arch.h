/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* Memory and register accesses by a single instruction of known width, and other instructions. */
#ifndef GUEST_ARCH_H
#define GUEST_ARCH_H

#include <stdint.h>

#include "../../abi.h"

/* No I/O ports. */
#define GUEST_HAS_PORTS 0
/* Device memory: unaligned accesses fault. */
#define GUEST_MMIO_UNALIGNED 0
/* The console's interrupt is an SPI; SPIs are numbered from 32. */
#define GUEST_INTERRUPT_CONSOLE (32u + GUEST_GSI_CONSOLE)
/* The virtual timer's interrupt (a PPI), and one that CPUs can send each other. */
#define GUEST_INTERRUPT_TIMER 27u
#define GUEST_INTERRUPT_IPI 5u
/* The highest number of a hypercall. */
#define GUEST_CALL_LAST 0xffffu

/*
 * The hypervisor must emulate these accesses. The hardware describes only plain loads and stores:
 * with a base register, and without writeback.
 */
#define GUEST_MMIO_ACCESS(bits, suffix, size) \
	static inline uint##bits##_t guest_read##bits(uint64_t gpa) \
	{ \
		uint##bits##_t value; \
		__asm__ volatile("ldr" suffix " %" size "0, [%1]" \
				 : "=r"(value) \
				 : "r"(gpa) \
				 : "memory"); \
		return value; \
	} \
	static inline void guest_write##bits(uint64_t gpa, uint##bits##_t value) \
	{ \
		__asm__ volatile("str" suffix " %" size "0, [%1]" \
				 : \
				 : "r"(value), "r"(gpa) \
				 : "memory"); \
	}

GUEST_MMIO_ACCESS(8, "b", "w")
GUEST_MMIO_ACCESS(16, "h", "w")
GUEST_MMIO_ACCESS(32, "", "w")
GUEST_MMIO_ACCESS(64, "", "x")

#include "../mmio.h"

#define guest_read_sysreg(name) \
	__extension__({ \
		uint64_t sysreg_value; \
		__asm__ volatile("mrs %0, " name : "=r"(sysreg_value) : : "memory"); \
		sysreg_value; \
	})
#define guest_write_sysreg(name, value) \
	__asm__ volatile("msr " name ", %0\n\tisb" : : "r"((uint64_t)(value)) : "memory")

/* A call by the SMC calling convention (SMCCC), through HVC. */
static inline uint64_t guest_smccc(uint32_t function, const uint64_t args[6])
{
	register uint64_t x0 __asm__("x0") = function;
	register uint64_t x1 __asm__("x1") = args[0];
	register uint64_t x2 __asm__("x2") = args[1];
	register uint64_t x3 __asm__("x3") = args[2];
	register uint64_t x4 __asm__("x4") = args[3];
	register uint64_t x5 __asm__("x5") = args[4];
	register uint64_t x6 __asm__("x6") = args[5];

	/* The callee may change registers up to x17. */
	__asm__ volatile("hvc #0"
			 : "+r"(x0), "+r"(x1), "+r"(x2), "+r"(x3), "+r"(x4), "+r"(x5), "+r"(x6)
			 :
			 : "memory", "x7", "x8", "x9", "x10", "x11", "x12", "x13", "x14", "x15",
			   "x16", "x17");
	return x0;
}

/* Calls axrun. */
static inline uint64_t guest_hypercall(uint32_t nr, const uint64_t args[6])
{
	return guest_smccc(GUEST_SMCCC_BASE + nr, args);
}

/* Hint for a busy-wait loop. */
static inline void guest_relax(void)
{
	__asm__ volatile("yield");
}

#endif
