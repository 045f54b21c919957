/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * Guest images: what is to be in memory before the first instruction.
 *
 * Nothing in a file is believed: each offset, length and address is checked before it is used.
 */
#ifndef AXRUN_IMAGE_H
#define AXRUN_IMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "options.h"
#include "platform.h"

#define IMAGE_SEGMENTS 64

struct image_segment {
	/* Guest-physical address and bytes; from `filesz` on they are zero. */
	uint64_t gpa;
	uint64_t memsz;
	const uint8_t *data;
	uint64_t filesz;
};

struct image {
	/* The whole file. */
	uint8_t *file;
	size_t size;
	/* In the order of the file; none overlaps, none wraps around. */
	struct image_segment segments[IMAGE_SEGMENTS];
	size_t nsegments;
	/* First instruction; in raw mode just the program counter. */
	uint64_t entry;
	/* enum axvcpu_mode */
	uint32_t mode;
	/* Its one segment is read-only, outside of memory, where a reset finds it. */
	bool firmware;
};

/* Reads and checks options->guest. Returns 0, or -1 after fail(); image_free() in any case. */
int image_load(struct image *image, const struct options *options, const struct platform *platform);

void image_free(struct image *image);

#endif
