/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* The machine's memory, with the image and the initrd. */
#ifndef AXRUN_MEMORY_H
#define AXRUN_MEMORY_H

#include <axvcpu/axvcpu.h>

#include "image.h"
#include "layout.h"
#include "options.h"

/*
 * Maps the memory of a new VM and copies the files into it. Mapping the pages of the files instead
 * would work, but the guest would fault them in one by one, without huge pages; docs/boot.md has
 * the figures. Returns 0, or -1 after fail().
 */
int memory_make(struct axvm *vm, const struct options *options, const struct image *image,
		const struct layout *layout);

#endif
