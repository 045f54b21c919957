/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * Compressed kernels: alone or within a "zboot" image, which unpacks itself on machines with EFI only.
 * Each format has a file of its own; zstd and xz need a library that axrun may have been built without.
 *
 * Compressed data are not believed, either: neither what they unpack to nor what that takes is without
 * a limit.
 */
#ifndef AXRUN_UNPACK_H
#define AXRUN_UNPACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "image.h"

/* Whether the bytes are one of these. */
bool unpack_is(const uint8_t *bytes, size_t size);

/*
 * Replaces image->bytes by what is in them, of at most image->unpack_max bytes: in image->unpacked. What
 * follows the compressed data is not looked at. Returns 0, or -1 after fail().
 */
int unpack(struct image *image, const char *name);

/* --- for the formats -------------------------------------------------------------------------- */

enum unpack_result {
	UNPACK_DONE,
	/* It ends within the compressed data. */
	UNPACK_TRUNCATED,
	/* It has more than `max` bytes. */
	UNPACK_TOO_LARGE,
	UNPACK_NO_MEMORY,
	/* `why` says what is wrong with it. */
	UNPACK_DAMAGED,
};

struct unpack_job {
	const uint8_t *in;
	size_t in_len;
	uint8_t *out;
	size_t max;
	/* Of UNPACK_DONE: how much it is. */
	size_t out_len;
	/* A constant string. */
	const char *why;
};

struct unpack_format {
	/* For messages. */
	const char *name;
	const char *library;
	/* How data of this format begin. */
	uint8_t magic[6];
	size_t magic_len;
	/* NULL: axrun was built without the library. */
	enum unpack_result (*unpack)(struct unpack_job *job);
};

extern const struct unpack_format unpack_gzip;
extern const struct unpack_format unpack_zstd;
extern const struct unpack_format unpack_xz;

#endif
