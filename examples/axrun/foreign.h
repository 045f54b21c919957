/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* Files that are plainly something else than guests and kernels, and would not run as machine code. */
#ifndef AXRUN_FOREIGN_H
#define AXRUN_FOREIGN_H

#include <stddef.h>
#include <stdint.h>

/* What the bytes are, such as "a zip archive"; NULL: nothing that axrun knows by sight. */
const char *foreign_kind(const uint8_t *bytes, size_t size);

/* fail() with that. Returns -1. */
int foreign_refuse(const char *name, const char *kind);

#endif
