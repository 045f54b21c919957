/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * Layout of guest memory.
 *
 * Besides the image there is the boot area: the boot page, the first stack, and space for the
 * library (GDT and page tables) or for the device tree. It is placed as low as possible; or, with a
 * flat image, which does not tell how much memory it uses, at the end of memory.
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
	/*
	 * The whole boot area and its parts: a guest program's page and stack, then the tables or
	 * the device tree.
	 */
	struct guest_range boot;
	/*
	 * The boot page. For Linux on x86_64, the zero page or PVH's start info, with the command
	 * line in the next page.
	 */
	uint64_t page_gpa;
	uint64_t stack_top;
	struct guest_range tables;
	struct guest_range tree;
	/* Memory that a PC reserves from a kernel; of size 0 if there is none. */
	struct guest_range hidden;
	/* As high as the kernel supports; of size 0 if there is none. */
	struct guest_range initrd;
	/* Read-only; of size 0 unless the image is firmware. */
	struct guest_range firmware;
};

/*
 * `tree_size` is the space for a device tree, or 0. Returns 0, or -1 after fail() if the image does
 * not fit into memory.
 */
int layout_make(struct layout *layout, const struct platform *platform, uint64_t memory,
		const struct image *image, uint64_t tree_size);

/* Whether the range is guest memory. */
bool layout_has(const struct layout *layout, uint64_t gpa, uint64_t len);

#endif
