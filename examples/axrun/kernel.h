/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * Linux kernel formats, each in a file of its own.
 *
 * Their headers are not trusted either: see image.h.
 */
#ifndef AXRUN_KERNEL_H
#define AXRUN_KERNEL_H

#include <stdbool.h>

#include "file.h"
#include "image.h"

struct kernel_format {
	/* The format's name in messages: "a bzImage". */
	const char *what;
	/* Name of the platform; NULL: parse() checks it. */
	const char *platform;
	/* Other files may look the same: use this format only with --kernel. */
	bool only_if_told;
	/* Whether the bytes look like this format, valid or not. */
	bool (*is)(const uint8_t *bytes, size_t size);
	/*
	 * Fills in segments, entry, mode, protocol and limits from image->bytes. Returns 0, or -1
	 * after fail() with a message that begins with the name.
	 */
	int (*parse)(struct image *image, const struct platform *platform, const char *name);
};

bool kernel_is(const struct file *file);

/* Parses image->bytes, read from options->guest. Returns 0, or -1 after fail(). */
int kernel_parse(struct image *image, const struct options *options,
		 const struct platform *platform);

#endif
