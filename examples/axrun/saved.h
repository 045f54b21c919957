/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* The files of --save, --restore and --verify. */
#ifndef AXRUN_SAVED_H
#define AXRUN_SAVED_H

#include <axvcpu/axvcpu.h>

/* Returns the checkpoint in a file; NULL after fail(). `option` is for the message. */
struct axvm_checkpoint *saved_read(const char *option, const char *path);

/*
 * Writes a file that only its owner may read, as it contains all memory of the guest. An older file
 * stays until this one is complete. Returns 0, or -1 after fail().
 */
int saved_write(const char *path, const struct axvm_checkpoint *checkpoint);

/* Checks a file and prints what it contains. Returns 0, or -1 after fail(). */
int saved_verify(const char *path);

#endif
