/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* ELF images, of 64 and 32 bits. */
#ifndef AXRUN_ELF_IMAGE_H
#define AXRUN_ELF_IMAGE_H

#include <stdbool.h>

#include "image.h"

/* Whether the file says that it is one. */
bool elf_is(const struct image *image);

/*
 * Fills the segments, the entry and the mode from the file; name is for messages. Returns 0, or -1
 * after fail().
 */
int elf_parse(struct image *image, const struct platform *platform, const char *name);

#endif
