/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* The memory map of a PC, in the format that all its boot protocols share. */
#ifndef AXRUN_E820_H
#define AXRUN_E820_H

#include <stddef.h>
#include <stdint.h>

#include "layout.h"

enum e820_type {
	E820_RAM = 1,
	E820_RESERVED = 2,
};

struct e820_entry {
	uint64_t gpa;
	uint64_t size;
	uint32_t type;
};

/* Each range of memory may have an entry, and the hidden part splits the first one. */
#define E820_ENTRIES (GUEST_RANGES + 2)

/* Fills in the entries in ascending order; returns their number. */
size_t e820_make(struct e820_entry entries[E820_ENTRIES], const struct layout *layout);

#endif
