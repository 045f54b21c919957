/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* Where things are for the guests of arm64's own suites: for C and for tests/arm64/suites.S. */
#ifndef TESTS_ARM64_GUEST_MAP_H
#define TESTS_ARM64_GUEST_MAP_H

#include "guest_map.h"

/* Lists of work for a guest. */
#define A64_LIST (GUEST_BASE + 0x20000)
/* A second piece of code. */
#define A64_PIECES (GUEST_BASE + 0x30000)
/* Tables of its own. */
#define A64_TABLES (GUEST_BASE + 0x40000)
/* Where "faults" reports exceptions. */
#define A64_TELL (GUEST_MMIO + 0x100)

/* In place of a conduit: there are no more calls. */
#define A64_CALL_END 2
/* An unassigned call number, by which "at" reports. */
#define A64_CALL_AT 0xc6001234

#endif
