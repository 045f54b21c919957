/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * Small valid kernels of each format, which tests/test_kernels.c and tests/fuzz/images.c break, and the
 * properties of each file that the loader accepts.
 */
#ifndef TESTS_KERNELS_H
#define TESTS_KERNELS_H

#include <stddef.h>
#include <stdint.h>

#include "../examples/axrun/image.h"
#include "../examples/axrun/layout.h"
#include "../examples/axrun/unpack.h"

struct kernel_sample {
	const char *name;
	/* The platform that it is for. */
	const char *platform;
	/* Size of the file, and of the headers in it, where a flipped bit matters most. */
	size_t size;
	size_t head;
	/* Fills in `size` bytes, which are zero. */
	void (*make)(uint8_t *bytes);
	/* How it is packed; NULL: not at all. And whether a checksum has each bit of it. */
	const struct unpack_format *format;
	bool checked;
	/* The loader's result. */
	uint64_t entry;
	uint32_t mode;
	size_t command_line_max;
};

/* Terminated by one without a name. */
extern const struct kernel_sample kernels_x86[];
/* For arm64 and riscv64, also compressed. */
extern const struct kernel_sample kernels_image[];

/* Produces the data by which an accepted kernel of x86_64 starts, from a file that is valid or not. */
void kernels_start(const struct image *image, const struct layout *layout);

/* Checks an accepted image: each part has a separate place, within the file and within memory. */
void kernels_check(const struct image *image, const struct layout *layout);

#endif
