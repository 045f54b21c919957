/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* crash [KIND]: crashes, in a way of this architecture; "list" names them, the first is default. */
#include "runtime/guest.h"

static int list(void)
{
	size_t i;

	for (i = 0; i < guest_ncrashes; i++) {
		guest_print(guest_crashes[i].name);
		guest_print("\n");
	}
	return 0;
}

int guest_main(void)
{
	const char *word;
	size_t i;

	if (guest_word_is(0, "list"))
		return list();
	for (i = 0; i < guest_ncrashes; i++)
		if (guest_word(0, &word) == 0 || guest_word_is(0, guest_crashes[i].name)) {
			guest_crashes[i].crash();
			guest_print("crash: survived\n");
			return 1;
		}
	guest_print("crash: no such kind; try: crash list\n");
	return 2;
}
