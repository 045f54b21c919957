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

#include "file.h"
#include "options.h"
#include "platform.h"

#define IMAGE_SEGMENTS 64

enum image_kind {
	/* A guest program, which finds a boot page: docs/guests.md. */
	IMAGE_GUEST,
	/* A Linux kernel: docs/boot.md. */
	IMAGE_LINUX,
};

/* What a kernel finds when it starts. */
enum image_protocol {
	/* A device tree. */
	PROTOCOL_TREE,
	/* x86_64: a zero page, at rsi. */
	PROTOCOL_ZERO_PAGE,
	/* x86_64: PVH's start info, at ebx. */
	PROTOCOL_PVH,
};

struct image_segment {
	/* Guest-physical address and bytes; from `filesz` on they are zero. */
	uint64_t gpa;
	uint64_t memsz;
	const uint8_t *data;
	uint64_t filesz;
};

struct image {
	struct file file;
	/* What it contains, and what the segments' data lies in: the file itself, or `unpacked`. */
	const uint8_t *bytes;
	size_t size;
	/* If the file is compressed, its contents, of at most so many bytes. */
	struct file unpacked;
	uint64_t unpack_max;
	enum image_kind kind;
	/* Of a kernel; and whether `bytes` begin as a bzImage does, with a setup header. */
	enum image_protocol protocol;
	bool has_setup_header;
	/* Characters of the command line that this kernel takes. */
	uint64_t command_line_max;
	/* In the order of the file; none overlaps, none wraps around. */
	struct image_segment segments[IMAGE_SEGMENTS];
	size_t nsegments;
	/* First instruction; in raw mode just the program counter. */
	uint64_t entry;
	/* enum axvcpu_mode */
	uint32_t mode;
	/* It does not say how much memory it uses: behind the file there may be more, its .bss. */
	bool flat;
	/* Its one segment is read-only, outside of memory, where a reset finds it. */
	bool firmware;
	/* The initial RAM disk; of size 0: there is none. It has to end below that address. */
	struct file initrd;
	uint64_t initrd_end;
};

/*
 * Takes options->file, or reads it if it has been taken before, and the initrd, and checks them. Returns
 * 0, or -1 after fail(); image_free() in any case.
 */
int image_load(struct image *image, struct options *options, const struct platform *platform);

/* Whether one of its segments has that address. */
bool image_has(const struct image *image, uint64_t gpa);

void image_free(struct image *image);

#endif
