/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * Files whose bytes are to be in guest memory: mapped, not read, so that they are copied once. A file that
 * becomes shorter before that takes its pages away: SIGBUS.
 */
#ifndef AXRUN_FILE_H
#define AXRUN_FILE_H

#include <stddef.h>
#include <stdint.h>

/* No guest program, kernel or initramfs is as large as this. */
#define FILE_MAX (UINT64_C(1) << 30)

struct file {
	/* As on the command line, for messages. */
	const char *name;
	/* A mapping of its own, which is for reading alone. */
	const uint8_t *data;
	size_t size;
};

/* Opens and maps a regular file. Returns 0, or -1 after fail(); file_close() in any case. */
int file_open(struct file *file, const char *name);

/* The same without a word about it. */
int file_try(struct file *file, const char *name);

void file_close(struct file *file);

#endif
