/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* Strict parsing: the whole text must match; no sign, no blanks, no overflow. */
#ifndef AXRUN_PARSE_H
#define AXRUN_PARSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A number, decimal or with 0x hexadecimal. */
bool parse_number(const char *text, uint64_t *value);

/*
 * A number of bytes, with an optional suffix K, M, G or T, also Ki or KiB: powers of 1024. With a
 * suffix a decimal fraction is allowed, rounded down to whole bytes.
 */
bool parse_size(const char *text, uint64_t *bytes);

/* Seconds, with an optional fraction, converted to nanoseconds, rounded up. */
bool parse_seconds(const char *text, uint64_t *ns);

/* Converts a list such as 0,2-3 to an allocated cpu_set_t of `*size` bytes. */
bool parse_cpu_list(const char *text, void **set, size_t *size);

#endif
