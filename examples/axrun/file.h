/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * Files to be loaded into guest memory. They are read, not mapped: a mapping would change with the
 * file, and access to pages of a truncated file raises SIGBUS.
 */
#ifndef AXRUN_FILE_H
#define AXRUN_FILE_H

#include <stddef.h>
#include <stdint.h>

/* Larger than any guest program, kernel or initramfs. */
#define FILE_MAX (UINT64_C(1) << 30)

struct file {
	/* As on the command line, for messages. */
	const char *name;
	/* Allocated by mmap(). */
	const uint8_t *data;
	size_t size;
};

/* Reads a regular file. Returns 0, or -1 after fail(); call file_free() in either case. */
int file_read(struct file *file, const char *name);

/* The same without fail(). */
int file_try(struct file *file, const char *name);

void file_free(struct file *file);

#endif
