/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* Recognises files of other types, so that they are not run as machine code. */
#ifndef AXRUN_FOREIGN_H
#define AXRUN_FOREIGN_H

#include <stddef.h>
#include <stdint.h>

/* The type, such as "a zip archive"; NULL if axrun does not recognise it. */
const char *foreign_kind(const uint8_t *bytes, size_t size);

/* Calls fail() with that type. Returns -1. */
int foreign_refuse(const char *name, const char *kind);

#endif
