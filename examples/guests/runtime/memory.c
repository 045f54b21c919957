/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * The functions that compilers call in freestanding code, too. The empty assembly keeps them from
 * seeing what the loops do, and calling the function that the loop is in.
 */
#include "guest.h"

#define OPAQUE() __asm__ volatile("" : : : "memory")

void *memcpy(void *restrict to, const void *restrict from, size_t len)
{
	unsigned char *t = to;
	const unsigned char *f = from;

	while (len--) {
		*t++ = *f++;
		OPAQUE();
	}
	return to;
}

void *memset(void *to, int byte, size_t len)
{
	unsigned char *t = to;

	while (len--) {
		*t++ = (unsigned char)byte;
		OPAQUE();
	}
	return to;
}
