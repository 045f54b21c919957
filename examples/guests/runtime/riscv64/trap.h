/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* Instructions that may fault. */
#ifndef GUEST_TRAP_H
#define GUEST_TRAP_H

#include <stdint.h>

/*
 * If the instruction at `from` faults, execution continues at `to` with the cause in a0. The table
 * has a section of its own.
 */
struct guest_fixup {
	uint64_t from;
	uint64_t to;
};

#define GUEST_FIXUP(from, to) \
	"\t.pushsection .fixups, \"a\"\n" \
	"\t.quad " from ", " to "\n" \
	"\t.popsection\n"

/* No fault; not a valid cause. */
#define GUEST_NO_FAULT 64u
#define GUEST_FAULT_ILLEGAL 2u

/*
 * Swaps a CSR, by number, with `value`. Returns GUEST_NO_FAULT, or the cause of the exception, with
 * `value` unchanged.
 */
#define guest_try_csr(csr, value) \
	__extension__({ \
		register uint64_t try_cause __asm__("a0") = GUEST_NO_FAULT; \
		uint64_t try_value = (value); \
		__asm__ volatile("1:\tcsrrw %1, %2, %1\n" \
				 "2:\n" GUEST_FIXUP("1b", "2b") \
				 : "+r"(try_cause), "+r"(try_value) \
				 : "i"(csr) \
				 : "memory"); \
		(value) = try_value; \
		try_cause; \
	})

#endif
