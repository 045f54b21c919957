/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * memory: writes a word into every page of its memory, reads all of them back and prints a
 * checksum. Pages that it runs from are only read, but are counted as if they had been written, so
 * that the checksum depends only on the memory size.
 */
#include "runtime/guest.h"

static uint64_t pattern(uint64_t gpa)
{
	return (gpa / GUEST_PAGE_SIZE + 1) * UINT64_C(0x9e3779b97f4a7c15);
}

static volatile uint64_t *word_at(uint64_t gpa)
{
	return (volatile uint64_t *)(uintptr_t)gpa;
}

static void fill(const struct guest_range *range)
{
	uint64_t gpa;

	for (gpa = range->gpa; gpa < range->gpa + range->size; gpa += GUEST_PAGE_SIZE)
		if (!guest_page_in_use(gpa))
			*word_at(gpa) = pattern(gpa);
}

static uint64_t sum_up(const struct guest_range *range, uint64_t sum)
{
	uint64_t gpa;

	for (gpa = range->gpa; gpa < range->gpa + range->size; gpa += GUEST_PAGE_SIZE) {
		uint64_t word = *word_at(gpa);

		sum = sum * 31 + (guest_page_in_use(gpa) ? pattern(gpa) : word);
	}
	return sum;
}

int guest_main(void)
{
	const struct guest_range *ranges;
	size_t n = guest_memory(&ranges);
	uint64_t sum = 0, bytes = 0;
	size_t i;

	for (i = 0; i < n; i++) {
		fill(&ranges[i]);
		bytes += ranges[i].size;
	}
	for (i = 0; i < n; i++)
		sum = sum_up(&ranges[i], sum);
	guest_print("memory: ");
	guest_print_dec(bytes);
	guest_print(" bytes, checksum ");
	guest_print_hex(sum);
	guest_print("\n");
	return 0;
}
