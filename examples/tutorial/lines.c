/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* lines: counts the lines that the console receives. */
#include "runtime/guest.h"

int guest_main(void)
{
	int c, lines = 0;

	while ((c = guest_getc()) != GUEST_EOF)
		lines += c == '\n';
	guest_print_dec((uint64_t)lines);
	guest_print(" lines\n");
	return 0;
}
