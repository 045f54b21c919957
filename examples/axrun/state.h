/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * The states of devices in a checkpoint: numbers and bytes, little-endian, without padding.
 *
 * A state that is read may be from a damaged or malicious file. Reading beyond its end gives zeroes
 * and sets `bad`; state_close() then fails. The caller checks the values.
 */
#ifndef AXRUN_STATE_H
#define AXRUN_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct state {
	/* Where to write; NULL: only count. */
	uint8_t *to;
	/* Where to read. */
	const uint8_t *from;
	size_t size;
	/* Bytes written, counted or read. */
	size_t at;
	bool bad;
};

/*
 * A `save` callback: writes with `put`, which is called twice, first to count. Returns the size of
 * the state, and writes nothing if that exceeds `len`.
 */
int state_save(void *buf, size_t len, void (*put)(struct state *state, void *ctx), void *ctx);

void state_put(struct state *state, unsigned int width, uint64_t value);
void state_put_bytes(struct state *state, const void *bytes, size_t len);

struct state state_open(const void *buf, size_t len);
uint64_t state_get(struct state *state, unsigned int width);
void state_get_bytes(struct state *state, void *bytes, size_t len);

/* Returns 0, or -EINVAL if the state had too few bytes or has more. */
int state_close(const struct state *state);

#endif
