/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * The installed guests, which may be named without a path: in the folder that $AXRUN_GUESTS names, or
 * where "make install" puts them. Beside them is a list, with a line of each.
 */
#ifndef AXRUN_GUESTS_H
#define AXRUN_GUESTS_H

#include <stdbool.h>

#include "file.h"

/* For messages and --help. */
#define GUESTS_VARIABLE "AXRUN_GUESTS"

const char *guests_folder(void);

/*
 * Its path, to be freed, for a name without a slash that is no file here; NULL: the name is a path, or
 * there is no such guest, either.
 */
char *guests_find(const char *name);

/* Whether it is such a name, and there is no file here that is called so. */
bool guests_is_name(const char *name);

/* Reads the list. Returns 0, or -1 after fail(); file_free() in any case. */
int guests_read_list(struct file *list);

#endif
