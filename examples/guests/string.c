/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * string [ITEMS]: moves ITEMS (700) items to the byte queue and back by string instructions of 1, 2
 * and 4 bytes. Detects lost, doubled and reordered items, also when moving backwards.
 */
#include "arch.h"
#include "runtime/guest.h"

#define DEFAULT_ITEMS 700
#define ITEMS_MAX 4000
#define DATA GUEST_PORT_QUEUE
#define LENGTH (GUEST_PORT_QUEUE + GUEST_QUEUE_LENGTH)

static uint8_t sent[ITEMS_MAX * 4];
static uint8_t received[ITEMS_MAX * 4];

/* The instructions of one width. They update the count of remaining items and the address. */
struct width {
	const char *name;
	size_t bytes;
	uint64_t (*out)(const void **from, uint64_t items);
	uint64_t (*in)(void **to, uint64_t items);
};

#define STRING_IO(bits, letter) \
	static uint64_t out##bits(const void **from, uint64_t items) \
	{ \
		__asm__ volatile("rep outs" letter \
				 : "+S"(*from), "+c"(items) \
				 : "d"(DATA) \
				 : "memory"); \
		return items; \
	} \
	static uint64_t in##bits(void **to, uint64_t items) \
	{ \
		__asm__ volatile("rep ins" letter \
				 : "+D"(*to), "+c"(items) \
				 : "d"(DATA) \
				 : "memory"); \
		return items; \
	}

STRING_IO(8, "b")
STRING_IO(16, "w")
STRING_IO(32, "l")

static const struct width widths[] = {
	{ "1 byte", 1, out8, in8 },
	{ "2 bytes", 2, out16, in16 },
	{ "4 bytes", 4, out32, in32 },
};

static void fill(size_t len, uint8_t seed)
{
	size_t i;

	/* 251 is not a power of 2, so that each page differs from the next one. */
	for (i = 0; i < len; i++) {
		sent[i] = (uint8_t)((i + seed) % 251);
		received[i] = 0xaa;
	}
}

static bool same(size_t len)
{
	size_t i;

	for (i = 0; i < len; i++)
		if (sent[i] != received[i])
			return false;
	return true;
}

static bool there_and_back(const struct width *width, uint64_t items)
{
	size_t len = items * width->bytes;
	const void *from = sent;
	void *to = received;
	bool passed;

	fill(len, (uint8_t)width->bytes);
	guest_out32(LENGTH, 0);
	passed = width->out(&from, items) == 0 && from == sent + len;
	passed &= guest_in32(LENGTH) == len;
	passed &= width->in(&to, items) == 0 && to == received + len;
	return passed && guest_in32(LENGTH) == 0 && same(len);
}

/* From the last item to the first, the order of the port accesses. */
static bool backwards(const struct width *width)
{
	const uint64_t items = 20;
	size_t len = items * width->bytes;
	const void *from = sent + len - width->bytes;
	void *to = received + len - width->bytes;
	bool passed;

	fill(len, 7);
	guest_out32(LENGTH, 0);
	__asm__ volatile("std" : : : "memory");
	passed = width->out(&from, items) == 0;
	__asm__ volatile("cld" : : : "memory");
	/* The last bytes from the queue belong to the first item, in order within an item. */
	passed &= guest_in8(DATA) == sent[len - width->bytes];
	guest_out32(LENGTH, 0);
	from = sent + len - width->bytes;
	__asm__ volatile("std" : : : "memory");
	passed &= width->out(&from, items) == 0 && width->in(&to, items) == 0;
	__asm__ volatile("cld" : : : "memory");
	return passed && same(len) && to == (void *)(received - width->bytes);
}

/* A count of 0 moves nothing. */
static bool none(const struct width *width)
{
	const void *from = sent;
	void *to = received;

	guest_out32(LENGTH, 0);
	return width->out(&from, 0) == 0 && from == sent && width->in(&to, 0) == 0 &&
	       to == received && guest_in32(LENGTH) == 0;
}

int guest_main(void)
{
	uint64_t items = DEFAULT_ITEMS;
	const char *word;
	bool passed = true;
	size_t i;

	if ((guest_word(0, &word) && !guest_word_number(0, &items)) || items > ITEMS_MAX) {
		guest_print("usage: string [ITEMS], at most 4000\n");
		return 2;
	}
	for (i = 0; i < sizeof(widths) / sizeof(widths[0]); i++) {
		guest_print("string: ");
		passed &= guest_check(widths[i].name, there_and_back(&widths[i], items));
		guest_print("string: backwards, ");
		passed &= guest_check(widths[i].name, backwards(&widths[i]));
		guest_print("string: none, ");
		passed &= guest_check(widths[i].name, none(&widths[i]));
	}
	return passed ? 0 : 1;
}
