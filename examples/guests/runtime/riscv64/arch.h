/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* Memory and register accesses by a single instruction of known width, and other instructions. */
#ifndef GUEST_ARCH_H
#define GUEST_ARCH_H

#include <stdint.h>

#include "../../abi.h"

/* No I/O ports. */
#define GUEST_HAS_PORTS 0
/* The hypervisor does not emulate unaligned accesses. */
#define GUEST_MMIO_UNALIGNED 0
/*
 * Interrupt numbers are those of the causes: the supervisor software interrupt, which CPUs send
 * each other, and the timer interrupt. External interrupts follow, in the order of their
 * identities.
 */
#define GUEST_INTERRUPT_IPI 1u
#define GUEST_INTERRUPT_TIMER 5u
#define GUEST_INTERRUPT_EXTERNAL 16u
/* The console's identity; identity 1 is used for IPIs. */
#define GUEST_INTERRUPT_CONSOLE (GUEST_INTERRUPT_EXTERNAL + 2)
/* The highest number of a hypercall. */
#define GUEST_CALL_LAST UINT32_MAX

/* The hypervisor decodes these instructions, including their compressed forms. */
#define GUEST_MMIO_ACCESS(bits, load, store) \
	static inline uint##bits##_t guest_read##bits(uint64_t gpa) \
	{ \
		uint##bits##_t value; \
		__asm__ volatile(load " %0, 0(%1)" : "=r"(value) : "r"(gpa) : "memory"); \
		return value; \
	} \
	static inline void guest_write##bits(uint64_t gpa, uint##bits##_t value) \
	{ \
		__asm__ volatile(store " %0, 0(%1)" : : "r"(value), "r"(gpa) : "memory"); \
	}

GUEST_MMIO_ACCESS(8, "lbu", "sb")
GUEST_MMIO_ACCESS(16, "lhu", "sh")
GUEST_MMIO_ACCESS(32, "lw", "sw")
GUEST_MMIO_ACCESS(64, "ld", "sd")

#include "../mmio.h"

/* CSRs by name or number, as assemblers do not know all names. */
#define guest_read_csr(csr) \
	__extension__({ \
		uint64_t csr_value; \
		__asm__ volatile("csrr %0, " csr : "=r"(csr_value) : : "memory"); \
		csr_value; \
	})
#define guest_write_csr(csr, value) \
	__asm__ volatile("csrw " csr ", %0" : : "r"((uint64_t)(value)) : "memory")
#define guest_set_csr(csr, bits) \
	__asm__ volatile("csrs " csr ", %0" : : "r"((uint64_t)(bits)) : "memory")
#define guest_clear_csr(csr, bits) \
	__asm__ volatile("csrc " csr ", %0" : : "r"((uint64_t)(bits)) : "memory")

/* Return values of an SBI call. */
struct guest_sbi {
	int64_t error;
	uint64_t value;
};

static inline struct guest_sbi guest_sbi(uint64_t extension, uint64_t function,
					 const uint64_t args[6])
{
	register uint64_t a0 __asm__("a0") = args[0];
	register uint64_t a1 __asm__("a1") = args[1];
	register uint64_t a2 __asm__("a2") = args[2];
	register uint64_t a3 __asm__("a3") = args[3];
	register uint64_t a4 __asm__("a4") = args[4];
	register uint64_t a5 __asm__("a5") = args[5];
	register uint64_t a6 __asm__("a6") = function;
	register uint64_t a7 __asm__("a7") = extension;

	__asm__ volatile("ecall"
			 : "+r"(a0), "+r"(a1)
			 : "r"(a2), "r"(a3), "r"(a4), "r"(a5), "r"(a6), "r"(a7)
			 : "memory");
	return (struct guest_sbi){ (int64_t)a0, a1 };
}

/* Calls axrun. axrun returns no error, so an error means that the call did not reach it. */
static inline uint64_t guest_hypercall(uint32_t nr, const uint64_t args[6])
{
	struct guest_sbi result = guest_sbi(GUEST_SBI_EXTENSION, nr, args);

	return result.error ? (uint64_t)result.error : result.value;
}

/* Hint for a busy-wait loop: `pause`, encoded as a fence that orders nothing. */
static inline void guest_relax(void)
{
	__asm__ volatile(".insn i 0x0f, 0, x0, x0, 0x010");
}

#endif
