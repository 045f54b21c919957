/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* The inputs that have reached new coverage, and mutations of them. */
#ifndef FUZZ_MUTATE_H
#define FUZZ_MUTATE_H

#include <stddef.h>
#include <stdint.h>

struct input {
	size_t len;
	uint8_t *bytes;
};

struct corpus {
	struct input *inputs;
	size_t count;
	/* State of the random numbers. */
	uint64_t random;
};

/* The same seed leads to the same mutations. */
void corpus_seed(struct corpus *corpus, uint64_t seed);

/* Adds a copy. */
void corpus_add(struct corpus *corpus, const struct input *input);

/*
 * Chooses one of the inputs, and changes a copy of it in `input->bytes`, which have room for `max`
 * bytes.
 */
void mutate(struct corpus *corpus, struct input *input, size_t max);

void corpus_free(struct corpus *corpus);

#endif
