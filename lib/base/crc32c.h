/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * CRC-32C (Castagnoli), as of iSCSI, RFC 3720: polynomial 0x1edc6f41, bits reflected, complemented
 * before and after. It finds every change of up to three bits in a piece of less than 256 MiB, and
 * every change within 32 consecutive bits.
 */
#ifndef LIB_CRC32C_H
#define LIB_CRC32C_H

#include <stddef.h>
#include <stdint.h>

/* Tables for eight bytes at a time. The caller fills them once for many pieces. */
struct axv_crc32c {
	uint32_t table[8][256];
};

void axv_crc32c_init(struct axv_crc32c *crc32c);
/* Returns the checksum of a piece that follows one with the checksum 'crc'; 0: nothing. */
uint32_t axv_crc32c(const struct axv_crc32c *crc32c, uint32_t crc, const void *data, size_t len);

#endif
