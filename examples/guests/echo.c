/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* echo: gives back what the console receives, until end of file (Ctrl-D). */
#include "runtime/guest.h"

int guest_main(void)
{
	int c;

	while ((c = guest_getc()) != GUEST_EOF)
		guest_putc((char)c);
	return 0;
}
