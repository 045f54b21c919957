/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * Compressed kernels: by gzip, alone or within a "zboot" image, which unpacks itself on machines with EFI
 * only.
 */
#ifndef AXRUN_UNPACK_H
#define AXRUN_UNPACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "image.h"

/* Whether the bytes are one of these. */
bool unpack_is(const uint8_t *bytes, size_t size);

/*
 * Replaces image->bytes by what is in them, of at most image->unpack_max bytes: in image->unpacked. What
 * follows the compressed data is not looked at. Returns 0, or -1 after fail().
 */
int unpack(struct image *image, const char *name);

#endif
