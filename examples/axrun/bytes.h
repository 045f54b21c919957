/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* Little-endian numbers out of a file, where they have no alignment. */
#ifndef AXRUN_BYTES_H
#define AXRUN_BYTES_H

#include <stdint.h>

static inline uint16_t bytes_le16(const uint8_t *bytes)
{
	return (uint16_t)(bytes[0] | bytes[1] << 8);
}

static inline uint32_t bytes_le32(const uint8_t *bytes)
{
	return bytes_le16(bytes) | (uint32_t)bytes_le16(bytes + 2) << 16;
}

static inline uint64_t bytes_le64(const uint8_t *bytes)
{
	return bytes_le32(bytes) | (uint64_t)bytes_le32(bytes + 4) << 32;
}

#endif
