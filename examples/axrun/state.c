/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
#include "state.h"

#include <errno.h>
#include <string.h>

#include "bytes.h"

int state_save(void *buf, size_t len, void (*put)(struct state *state, void *ctx), void *ctx)
{
	struct state state = { 0 };

	put(&state, ctx);
	if (state.at > len)
		return (int)state.at;
	state = (struct state){ .to = buf };
	put(&state, ctx);
	return (int)state.at;
}

void state_put(struct state *state, unsigned int width, uint64_t value)
{
	if (state->to)
		bytes_put(state->to + state->at, width, value);
	state->at += width;
}

void state_put_bytes(struct state *state, const void *bytes, size_t len)
{
	if (state->to)
		memcpy(state->to + state->at, bytes, len);
	state->at += len;
}

struct state state_open(const void *buf, size_t len)
{
	return (struct state){ .from = buf, .size = len };
}

void state_get_bytes(struct state *state, void *bytes, size_t len)
{
	state->bad |= len > state->size - state->at;
	if (state->bad) {
		memset(bytes, 0, len);
		return;
	}
	memcpy(bytes, state->from + state->at, len);
	state->at += len;
}

uint64_t state_get(struct state *state, unsigned int width)
{
	uint8_t bytes[8];

	state_get_bytes(state, bytes, width);
	return bytes_get(bytes, width);
}

int state_close(const struct state *state)
{
	return state->bad || state->at != state->size ? -EINVAL : 0;
}
