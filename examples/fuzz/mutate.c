/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
#include "mutate.h"

#include <stdlib.h>
#include <string.h>

#include "target.h"

/* Longest part of an input that is inserted, overwritten or removed at a time. */
#define PART_MAX 16

void corpus_seed(struct corpus *corpus, uint64_t seed)
{
	/* Any state except 0. */
	corpus->random = (seed + 1) * UINT64_C(0x9e3779b97f4a7c15) | 1;
}

/* A number below `below`, by xorshift64*. */
static size_t choose(struct corpus *corpus, size_t below)
{
	uint64_t state = corpus->random;

	state ^= state >> 12;
	state ^= state << 25;
	state ^= state >> 27;
	corpus->random = state;
	return (size_t)((state * UINT64_C(0x2545f4914f6cdd1d)) >> 32) % below;
}

static size_t smaller(size_t a, size_t b)
{
	return a < b ? a : b;
}

void corpus_add(struct corpus *corpus, const struct input *input)
{
	struct input copy = { .len = input->len, .bytes = malloc(input->len + 1) };
	struct input *inputs = realloc(corpus->inputs, (corpus->count + 1) * sizeof(copy));

	if (!copy.bytes || !inputs)
		target_die("out of memory");
	memcpy(copy.bytes, input->bytes, input->len);
	inputs[corpus->count++] = copy;
	corpus->inputs = inputs;
}

void corpus_free(struct corpus *corpus)
{
	for (size_t i = 0; i < corpus->count; i++)
		free(corpus->inputs[i].bytes);
	free(corpus->inputs);
	*corpus = (struct corpus){ 0 };
}

/* --- mutations -------------------------------------------------------------------------------- */

/* Makes bytes for an insertion: a part of any input, or a random byte, repeated. */
static size_t make_part(struct corpus *corpus, uint8_t part[PART_MAX])
{
	const struct input *from = &corpus->inputs[choose(corpus, corpus->count)];
	size_t len, at;

	if (!from->len || choose(corpus, 2)) {
		len = choose(corpus, 4) ? 1 : 1 + choose(corpus, PART_MAX);
		memset(part, (int)choose(corpus, 256), len);
		return len;
	}
	at = choose(corpus, from->len);
	len = 1 + choose(corpus, smaller(PART_MAX, from->len - at));
	memcpy(part, from->bytes + at, len);
	return len;
}

static void insert(struct corpus *corpus, struct input *input, size_t at, size_t max)
{
	uint8_t part[PART_MAX];
	const size_t len = smaller(make_part(corpus, part), max - input->len);

	memmove(input->bytes + at + len, input->bytes + at, input->len - at);
	memcpy(input->bytes + at, part, len);
	input->len += len;
}

static void overwrite(struct corpus *corpus, struct input *input, size_t at)
{
	uint8_t part[PART_MAX];
	const size_t len = smaller(make_part(corpus, part), input->len - at);

	memcpy(input->bytes + at, part, len);
}

static void cut(struct corpus *corpus, struct input *input, size_t at)
{
	const size_t len = 1 + choose(corpus, smaller(PART_MAX, input->len - at));

	memmove(input->bytes + at, input->bytes + at + len, input->len - at - len);
	input->len -= len;
}

static void mutate_once(struct corpus *corpus, struct input *input, size_t max)
{
	size_t at;

	if (!input->len) {
		insert(corpus, input, 0, max);
		return;
	}
	at = choose(corpus, input->len);
	switch (choose(corpus, 6)) {
	case 0:
		input->bytes[at] ^= (uint8_t)(1u << choose(corpus, 8));
		break;
	case 1:
		input->bytes[at] = (uint8_t)choose(corpus, 256);
		break;
	case 2:
		input->bytes[at] = (uint8_t)(input->bytes[at] + choose(corpus, 33) - 16);
		break;
	case 3:
		insert(corpus, input, choose(corpus, input->len + 1), max);
		break;
	case 4:
		overwrite(corpus, input, at);
		break;
	default:
		cut(corpus, input, at);
		break;
	}
}

/* Half of the time one of the latest inputs: these are at the frontier. */
static const struct input *choose_input(struct corpus *corpus)
{
	const size_t among = choose(corpus, 2) ? corpus->count : smaller(corpus->count, 8);

	return &corpus->inputs[corpus->count - 1 - choose(corpus, among)];
}

void mutate(struct corpus *corpus, struct input *input, size_t max)
{
	const struct input *from = choose_input(corpus);
	size_t times = 1 + choose(corpus, 2);

	input->len = smaller(from->len, max);
	memcpy(input->bytes, from->bytes, input->len);
	while (times--)
		mutate_once(corpus, input, max);
}
