/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * Compressed kernels: plain, or in a "zboot" image, which unpacks itself only under EFI. Each
 * format has a file of its own; zstd and xz need libraries that may be absent.
 *
 * Compressed data are not trusted either: the size of their contents and the memory for unpacking
 * are limited.
 */
#ifndef AXRUN_UNPACK_H
#define AXRUN_UNPACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "image.h"

/* Whether the bytes are one of these formats. */
bool unpack_is(const uint8_t *bytes, size_t size);

/*
 * Replaces image->bytes by its contents, kept in image->unpacked, of at most image->unpack_max
 * bytes. Bytes after the compressed data are ignored. Returns 0, or -1 after fail().
 */
int unpack(struct image *image, const char *name);

/* --- for the formats -------------------------------------------------------------------------- */

enum unpack_result {
	UNPACK_DONE,
	/* The input ends within the compressed data. */
	UNPACK_TRUNCATED,
	/* The output exceeds `max` bytes. */
	UNPACK_TOO_LARGE,
	UNPACK_NO_MEMORY,
	/* Damaged; `why` has the reason. */
	UNPACK_DAMAGED,
};

struct unpack_job {
	const uint8_t *in;
	size_t in_len;
	uint8_t *out;
	size_t max;
	/* With UNPACK_DONE: the length of the output. */
	size_t out_len;
	/* A constant string. */
	const char *why;
};

struct unpack_format {
	/* Names for messages. */
	const char *name;
	const char *library;
	/* The first bytes of the format. */
	uint8_t magic[6];
	size_t magic_len;
	/* NULL if axrun was built without the library. */
	enum unpack_result (*unpack)(struct unpack_job *job);
};

extern const struct unpack_format unpack_gzip;
extern const struct unpack_format unpack_zstd;
extern const struct unpack_format unpack_xz;

#endif
