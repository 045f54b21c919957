/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* The map of a PC's memory, as all its boot protocols have it. */
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

/* Each range of memory, and what is hidden in the first. */
#define E820_ENTRIES (GUEST_RANGES + 2)

/* Fills in the entries, ascending; returns how many. */
size_t e820_make(struct e820_entry entries[E820_ENTRIES], const struct layout *layout);

#endif
