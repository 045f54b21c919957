/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
#include "lib/base/crc32c.h"

#include <endian.h>
#include <string.h>

/* The polynomial with its bits reflected. */
#define POLYNOMIAL 0x82f63b78u

void axv_crc32c_init(struct axv_crc32c *crc32c)
{
	uint32_t(*const table)[256] = crc32c->table;

	for (uint32_t byte = 0; byte < 256; byte++) {
		uint32_t crc = byte;

		for (int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? POLYNOMIAL : 0);
		table[0][byte] = crc;
	}
	/* table[n] has the checksums of a byte and n bytes of zero. */
	for (int n = 1; n < 8; n++)
		for (int byte = 0; byte < 256; byte++)
			table[n][byte] = table[n - 1][byte] >> 8 ^
					 table[0][table[n - 1][byte] & 0xff];
}

uint32_t axv_crc32c(const struct axv_crc32c *crc32c, uint32_t crc, const void *data, size_t len)
{
	const uint32_t(*const table)[256] = crc32c->table;
	const unsigned char *p = data;
	uint64_t word;

	crc = ~crc;
	for (; len >= 8; p += 8, len -= 8) {
		memcpy(&word, p, 8);
		word = le64toh(word) ^ crc;
		crc = 0;
		for (int i = 0; i < 8; i++)
			crc ^= table[7 - i][word >> 8 * i & 0xff];
	}
	for (; len; p++, len--)
		crc = crc >> 8 ^ table[0][(crc ^ *p) & 0xff];
	return ~crc;
}
