/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* The interrupt table, and instructions that may fault. */
#ifndef GUEST_IDT_H
#define GUEST_IDT_H

#include <stdbool.h>
#include <stdint.h>

/* Loads the table, which all CPUs share. */
void guest_idt_load(void);

/*
 * If the instruction at `from` faults, execution continues at `to` with the vector in rax and the
 * error code in rdx. The table has a section of its own.
 */
struct guest_fixup {
	uint64_t from;
	uint64_t to;
};

#define GUEST_FIXUP(from, to) \
	"\t.pushsection .fixups, \"a\"\n" \
	"\t.quad " from ", " to "\n" \
	"\t.popsection\n"

/* No fault; not a valid vector. */
#define GUEST_NO_FAULT 256u
#define GUEST_FAULT_GP 13u

/* Read and write an MSR. Return GUEST_NO_FAULT, or the vector of the exception. */
static inline uint64_t guest_read_msr(uint32_t msr, uint64_t *value)
{
	uint64_t low = 0, high = 0, fault = GUEST_NO_FAULT;

	__asm__ volatile("1:\trdmsr\n"
			 "\tjmp 3f\n"
			 "2:\tmov %%rax, %2\n"
			 "\txor %%eax, %%eax\n"
			 "\txor %%edx, %%edx\n"
			 "3:\n" GUEST_FIXUP("1b", "2b")
			 : "+a"(low), "+d"(high), "+r"(fault)
			 : "c"(msr)
			 : "memory");
	*value = high << 32 | (uint32_t)low;
	return fault;
}

static inline uint64_t guest_write_msr(uint32_t msr, uint64_t value)
{
	uint64_t low = (uint32_t)value, high = value >> 32, fault = GUEST_NO_FAULT;

	__asm__ volatile("1:\twrmsr\n"
			 "\tjmp 3f\n"
			 "2:\tmov %%rax, %2\n"
			 "3:\n" GUEST_FIXUP("1b", "2b")
			 : "+a"(low), "+d"(high), "+r"(fault)
			 : "c"(msr)
			 : "memory");
	return fault;
}

#endif
