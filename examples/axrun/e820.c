/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
#include "e820.h"

static void add(struct e820_entry *entries, size_t *n, uint64_t gpa, uint64_t end, uint32_t type)
{
	if (end > gpa)
		entries[(*n)++] = (struct e820_entry){ gpa, end - gpa, type };
}

size_t e820_make(struct e820_entry entries[E820_ENTRIES], const struct layout *layout)
{
	uint64_t hidden = layout->hidden.gpa, hidden_end = hidden + layout->hidden.size;
	size_t n = 0;
	uint32_t i;

	for (i = 0; i < layout->nranges; i++) {
		uint64_t gpa = layout->ram[i].gpa, end = gpa + layout->ram[i].size;

		if (layout->hidden.size && hidden >= gpa && hidden_end <= end) {
			add(entries, &n, gpa, hidden, E820_RAM);
			add(entries, &n, hidden, hidden_end, E820_RESERVED);
			gpa = hidden_end;
		}
		add(entries, &n, gpa, end, E820_RAM);
	}
	return n;
}
