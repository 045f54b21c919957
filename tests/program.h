/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * For tests/ARCH/programs.S. What is between "program NAME" and "end NAME" is the guest's: it is
 * copied to GUEST_CODE and runs there, so it must not care where it is. C knows it as PROGRAM(NAME)
 * (tests/guest.h), and a "mark NAME, PLACE" in it as PROGRAM_AT(NAME, PLACE).
 */
#ifndef TESTS_PROGRAM_H
#define TESTS_PROGRAM_H

#include "guest_map.h"

.macro program name.globl guest_\name guest_\name
	:.endm

		 .macro end name.Lend_\name
	:.balign 4.globl guest_\name\() _size guest_\name\() _size : .4byte.Lend_\name
	- guest_\name
		  .endm

		  .macro mark name,
	place.Lmark_\name\() _\place :.pushsection.rodata.marks, "a",
	% progbits.balign 4.globl guest_\name\() _at_\place guest_\name\() _at_\place : .4byte
				.Lmark_\name\() _\place
		-
		guest_\name.popsection
			.endm

			.section.note.GNU
		- stack,
	"", % progbits.section.rodata

#endif
