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
 * Checks a struct of the caller that receives the result of the call 'what': -EINVAL, with a
 * message, if its size leaves no room for one.
 */
int axv_sized_check(const struct axvm *vm, const char *what, const void *given);
/* Copies the library's struct 'own' to the caller's, which was checked: as many members as fit. */
void axv_sized_give(void *given, const void *own);

#endif
