/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * The installed guests, which can be named without a path. They are in the directory that
 * $AXRUN_GUESTS names, or where "make install" puts them, with a list that describes each in one
 * line.
 */
#ifndef AXRUN_GUESTS_H
#define AXRUN_GUESTS_H

#include <stdbool.h>

#include "file.h"

/* The directory, for messages and --help. */
#define GUESTS_VARIABLE "AXRUN_GUESTS"

const char *guests_folder(void);

/*
 * Path of the guest, to be freed, if the name has no slash and no file in the current directory has
 * it. NULL: the name is a path, or there is no such guest.
 */
char *guests_find(const char *name);

/* Whether the name has no slash and no file in the current directory has it. */
bool guests_is_name(const char *name);

/* Reads the list. Returns 0, or -1 after fail(); call file_free() in either case. */
int guests_read_list(struct file *list);

#endif
