/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * parse [COMMANDS]: sets, adds and swaps numbers, as in =0,7;=1,5;+0,1;~0,1; and prints them. The
 * parser has a bug, for examples/fuzz to find.
 */
#include "runtime/fuzz.h"
#include "runtime/guest.h"

#define SLOTS 8

static uint64_t slots[SLOTS];

struct text {
	const uint8_t *at;
	const uint8_t *end;
};

static bool take(struct text *text, uint8_t byte)
{
	if (text->at == text->end || *text->at != byte)
		return false;
	text->at++;
	return true;
}

/* A decimal number, modulo 2^32. */
static bool take_number(struct text *text, uint32_t *number)
{
	const uint8_t *start = text->at;

	for (*number = 0; text->at < text->end && *text->at >= '0' && *text->at <= '9'; text->at++)
		*number = *number * 10 + *text->at - '0';
	return text->at > start;
}

/* The bug: it does not check b. */
static bool swap(uint32_t a, uint32_t b)
{
	uint64_t kept;

	if (a >= SLOTS)
		return false;
	kept = slots[a];
	slots[a] = slots[b];
	slots[b] = kept;
	return true;
}

/* One command: =SLOT,NUMBER; sets, +SLOT,SLOT; adds, ~SLOT,SLOT; swaps. */
static bool run_command(struct text *text)
{
	const uint8_t command = *text->at++;
	uint32_t a, b;

	if (!take_number(text, &a) || !take(text, ',') || !take_number(text, &b) ||
	    !take(text, ';'))
		return false;
	switch (command) {
	case '=':
		if (a >= SLOTS)
			return false;
		slots[a] = b;
		return true;
	case '+':
		if (a >= SLOTS || b >= SLOTS)
			return false;
		slots[a] += slots[b];
		return true;
	case '~':
		return swap(a, b);
	default:
		return false;
	}
}

static bool run_all(const uint8_t *bytes, size_t len)
{
	struct text text = { bytes, bytes + len };

	while (text.at < text.end)
		if (!run_command(&text))
			return false;
	return true;
}

int guest_main(void)
{
	size_t len, i;
	const uint8_t *input = guest_fuzz_input(&len);
	const char *word;

	if (input) {
		run_all(input, len);
		return 0;
	}
	len = guest_word(0, &word);
	if (!run_all((const uint8_t *)word, len)) {
		guest_print("parse: not a command\n");
		return 1;
	}
	guest_print("parse:");
	for (i = 0; i < SLOTS; i++) {
		guest_print(" ");
		guest_print_dec(slots[i]);
	}
	guest_print("\n");
	return 0;
}
