/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* The machine's memory, with the image and the initrd in it. */
#ifndef AXRUN_MEMORY_H
#define AXRUN_MEMORY_H

#include <axvcpu/axvcpu.h>

#include "image.h"
#include "layout.h"
#include "options.h"

/*
 * Maps the memory of a VM that has none yet, and copies what the files have into it. The guest would also
 * do with the files' own pages, but it gets those one by one, and huge pages as a whole: docs/boot.md
 * has the figures. Returns 0, or -1 after fail().
 */
int memory_make(struct axvm *vm, const struct options *options, const struct image *image,
		const struct layout *layout);

#endif
