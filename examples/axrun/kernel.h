/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * Linux kernels: which format a file has. Each format has a file of its own.
 *
 * Their headers are not believed, either: see image.h.
 */
#ifndef AXRUN_KERNEL_H
#define AXRUN_KERNEL_H

#include <stdbool.h>

#include "file.h"
#include "image.h"

struct kernel_format {
	/* For messages: "a bzImage". */
	const char *what;
	/* The name of the platform that it is for; NULL: parse() looks at that. */
	const char *platform;
	/* Other files look like this, too: one has to be named as a kernel. */
	bool only_if_told;
	/* Whether the bytes look like it, whatever they are wrong in. */
	bool (*is)(const uint8_t *bytes, size_t size);
	/*
	 * Fills the segments, entry, mode, protocol, and what limits there are, from image->bytes.
	 * Returns 0, or -1 after fail(), which begins with the name.
	 */
	int (*parse)(struct image *image, const struct platform *platform, const char *name);
};

bool kernel_is(const struct file *file);

/* Of image->bytes, the file of options->guest. Returns 0, or -1 after fail(). */
int kernel_parse(struct image *image, const struct options *options,
		 const struct platform *platform);

#endif
