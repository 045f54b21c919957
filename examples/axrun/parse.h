/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* Texts to values, strictly: the whole text, no sign, no blank, no overflow. */
#ifndef AXRUN_PARSE_H
#define AXRUN_PARSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A number, decimal or with 0x hexadecimal. */
bool parse_number(const char *text, uint64_t *value);

/*
 * A number of bytes, with an optional suffix K, M, G or T, also as Ki or KiB: powers of 1024. With a suffix
 * it may have a decimal fraction; what that makes of a byte is left out.
 */
bool parse_size(const char *text, uint64_t *bytes);

/* Seconds, with an optional fraction, to nanoseconds; a fraction of these counts as a whole. */
bool parse_seconds(const char *text, uint64_t *ns);

/* A list such as 0,2-3 to an allocated cpu_set_t of `*size` bytes. */
bool parse_cpu_list(const char *text, void **set, size_t *size);

#endif
