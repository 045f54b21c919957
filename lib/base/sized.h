/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
#ifndef LIB_SIZED_H
#define LIB_SIZED_H

#include <stddef.h>

struct axvm;

/* Larger than any config: a size above it is garbage, not a newer header. */
#define SIZED_MAX 4096

/*
 * Copies a caller's config, which begins with its size, into one of this library's size. NULL gives
 * the defaults. Fields that the caller's header lacks become zero; fields that this library lacks
 * must be zero. Returns 0, or -EINVAL or -E2BIG with a message that names 'what'.
 */
int axv_sized_copy(const struct axvm *vm, const char *what, void *own, size_t own_size,
		   const void *given);

/*
 * Copies one of this library's structs, which begins with its size, to a caller's: as many members
 * as fit into the size that the caller has set. Returns 0, or -EINVAL with a message that names
 * 'what'.
 */
int axv_sized_give(const struct axvm *vm, const char *what, void *given, const void *own);

#endif
