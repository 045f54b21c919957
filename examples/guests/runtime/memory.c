/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * Functions that compilers call even in freestanding code. The empty assembly keeps compilers from
 * replacing the loop by a call to the same function.
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
