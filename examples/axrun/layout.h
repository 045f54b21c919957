/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * Where things are in guest memory.
 *
 * Besides the image there is the boot area: the boot page, the first stack, and room for what the library
 * writes (GDT and page tables) or for the device tree. It goes to the lowest place that the image leaves;
 * or, as a flat image does not say what it leaves, to the end of memory.
 */
#ifndef AXRUN_LAYOUT_H
#define AXRUN_LAYOUT_H

#include <stdbool.h>
#include <stdint.h>

#include "../guests/abi.h"
#include "image.h"
#include "platform.h"

struct layout {
	struct guest_range ram[GUEST_RANGES];
	uint32_t nranges;
	/* The whole boot area, and its parts: a guest program's page and stack, and what both have. */
	struct guest_range boot;
	/* The boot page; on x86_64 what Linux finds instead, and its command line in the next one. */
	uint64_t page_gpa;
	uint64_t stack_top;
	struct guest_range tables;
	struct guest_range tree;
	/* Of memory what a kernel is told to leave alone: a PC's. Of size 0 if there is none. */
	struct guest_range hidden;
	/* As high as the kernel takes it; of size 0 if there is none. */
	struct guest_range initrd;
	/* Read-only; of size 0 if the image is no firmware. */
	struct guest_range firmware;
};

/*
 * `tree_size` is the room for a device tree; 0: there is none. Returns 0, or -1 after fail(): the
 * image does not go into that memory.
 */
int layout_make(struct layout *layout, const struct platform *platform, uint64_t memory,
		const struct image *image, uint64_t tree_size);

/* Whether the range is guest memory. */
bool layout_has(const struct layout *layout, uint64_t gpa, uint64_t len);

#endif
