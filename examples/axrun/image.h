/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * Guest images: the contents of memory before the first instruction.
 *
 * Files are not trusted: each offset, length and address is checked before it is used.
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
	/* A guest program, which gets a boot page: docs/guests.md. */
	IMAGE_GUEST,
	/* A Linux kernel: docs/boot.md. */
	IMAGE_LINUX,
};

/* How a kernel gets its parameters. */
enum image_protocol {
	/* A device tree. */
	PROTOCOL_TREE,
	/* x86_64: a zero page, at rsi. */
	PROTOCOL_ZERO_PAGE,
	/* x86_64: PVH's start info, at ebx. */
	PROTOCOL_PVH,
};

struct image_segment {
	/* Guest-physical address, size and data; bytes from `filesz` on are zero. */
	uint64_t gpa;
	uint64_t memsz;
	const uint8_t *data;
	uint64_t filesz;
};

struct image {
	struct file file;
	/* The image. The segments point into it: it is the file itself, or `unpacked`. */
	const uint8_t *bytes;
	size_t size;
	/* Contents of a compressed file, and their maximum length. */
	struct file unpacked;
	uint64_t unpack_max;
	enum image_kind kind;
	/*
	 * For a kernel: its protocol, and whether `bytes` begin with the setup header of a bzImage.
	 */
	enum image_protocol protocol;
	bool has_setup_header;
	/* Maximum length of this kernel's command line. */
	uint64_t command_line_max;
	/* In file order, without overlap or wrap-around. */
	struct image_segment segments[IMAGE_SEGMENTS];
	size_t nsegments;
	/* Entry point; in raw mode the value of the program counter. */
	uint64_t entry;
	/* enum axvcpu_mode */
	uint32_t mode;
	/* A flat image does not tell how much memory it uses: its .bss may follow the file. */
	bool flat;
	/* Its only segment is read-only, outside of memory, and contains the reset vector. */
	bool firmware;
	/* The initial RAM disk, of size 0 if there is none. It must end below that address. */
	struct file initrd;
	uint64_t initrd_end;
};

/*
 * Loads and checks the image, from options->file or, if that has been taken already, by reading it;
 * and the initrd. Returns 0, or -1 after fail(); call image_free() in either case.
 */
int image_load(struct image *image, struct options *options, const struct platform *platform);

/* Whether a segment contains that address. */
bool image_has(const struct image *image, uint64_t gpa);

void image_free(struct image *image);

#endif
