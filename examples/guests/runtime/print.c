/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* Console output of text and numbers. */
#include "guest.h"

void guest_print(const char *text)
{
	while (*text)
		guest_putc(*text++);
}

void guest_print_dec(uint64_t value)
{
	char digits[21];
	char *p = digits + sizeof(digits) - 1;

	*p = '\0';
	do {
		*--p = (char)('0' + value % 10);
		value /= 10;
	} while (value);
	guest_print(p);
}

void guest_print_hex(uint64_t value)
{
	int shift;

	guest_print("0x");
	for (shift = 60; shift >= 0; shift -= 4)
		guest_putc("0123456789abcdef"[value >> shift & 15]);
}

bool guest_check(const char *name, bool passed)
{
	guest_print(name);
	guest_print(passed ? ": ok\n" : ": FAILED\n");
	return passed;
}
