/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* Unaligned little-endian numbers in file headers and guest tables. */
#ifndef AXRUN_BYTES_H
#define AXRUN_BYTES_H

#include <stdint.h>

static inline uint64_t bytes_get(const uint8_t *at, unsigned int width)
{
	uint64_t value = 0;

	while (width-- > 0)
		value = value << 8 | at[width];
	return value;
}

static inline void bytes_put(uint8_t *at, unsigned int width, uint64_t value)
{
	unsigned int i;

	for (i = 0; i < width; i++)
		at[i] = (uint8_t)(value >> 8 * i);
}

#endif
