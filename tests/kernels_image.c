/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * Kernels for arm64 and riscv64: an Image of each, one packed by each format, and one in a zboot image. None
 * is compressed: so their lengths are known, and it takes no library to make them.
 */
#include <string.h>

#include <zlib.h>

#include "../examples/axrun/bytes.h"
#include "../examples/guests/abi.h"
#include "kernels.h"

#define IMAGE_SIZE 0x3000u
#define MEMORY_SIZE 0x5000u
#define TEXT_OFFSET 0x200000u

/* The PE file: a header, and one section, which ends with the file. */
#define PE_AT 0x40u
#define SECTION_AT (PE_AT + 24 + 112)
#define HEAD_SIZE (SECTION_AT + 40)

static void make_image(uint8_t *bytes, uint32_t magic, uint64_t text_offset)
{
	memcpy(bytes, "MZ", 2);
	bytes_put(bytes + 8, 8, text_offset);
	bytes_put(bytes + 16, 8, MEMORY_SIZE);
	bytes_put(bytes + 24, 8, 0xa);
	bytes_put(bytes + 56, 4, magic);
	bytes_put(bytes + 60, 4, PE_AT);
	memcpy(bytes + PE_AT, "PE", 2);
	bytes_put(bytes + PE_AT + 6, 2, 1);
	bytes_put(bytes + PE_AT + 20, 2, 112);
	bytes_put(bytes + SECTION_AT + 16, 4, IMAGE_SIZE - 0x1000);
	bytes_put(bytes + SECTION_AT + 20, 4, 0x1000);
	memset(bytes + 0x1000, 0x55, IMAGE_SIZE - 0x1000);
}

static void make_arm64(uint8_t *bytes)
{
	make_image(bytes, 0x644d5241, 0);
}

static void make_riscv64(uint8_t *bytes)
{
	make_image(bytes, 0x05435352, TEXT_OFFSET);
}

#define GZIP_HEAD 15u
#define GZIP_SIZE (GZIP_HEAD + IMAGE_SIZE + 8)

static void pack(uint8_t *bytes, void (*make)(uint8_t *bytes))
{
	uint8_t *data = bytes + GZIP_HEAD;

	make(data);
	bytes[0] = 0x1f;
	bytes[1] = 0x8b;
	bytes[2] = 8;
	/* The last block, stored; its length, also inverted. */
	bytes[10] = 1;
	bytes_put(bytes + 11, 2, IMAGE_SIZE);
	bytes_put(bytes + 13, 2, ~IMAGE_SIZE);
	bytes_put(data + IMAGE_SIZE, 4, crc32(0, data, IMAGE_SIZE));
	bytes_put(data + IMAGE_SIZE + 4, 4, IMAGE_SIZE);
}

static void make_gzip(uint8_t *bytes)
{
	pack(bytes, make_arm64);
}

#define ZSTD_HEAD 10u
#define ZSTD_SIZE (ZSTD_HEAD + IMAGE_SIZE)

static void make_zstd(uint8_t *bytes)
{
	bytes_put(bytes, 4, 0xfd2fb528);
	/* One segment, whose length, less 256, has two bytes. */
	bytes[4] = 0x60;
	bytes_put(bytes + 5, 2, IMAGE_SIZE - 256);
	/* The last block, stored. */
	bytes_put(bytes + 7, 3, IMAGE_SIZE << 3 | 1);
	make_arm64(bytes + ZSTD_HEAD);
}

#define XZ_BLOCK 12u
#define XZ_HEAD (XZ_BLOCK + 12 + 3)
/* The end of the chunks, a checksum, the index and the footer. */
#define XZ_SIZE (XZ_HEAD + IMAGE_SIZE + 1 + 4 + 12 + 12)

static void put_crc(uint8_t *to, const uint8_t *from, unsigned int len)
{
	bytes_put(to, 4, crc32(0, from, len));
}

/* A length, 7 bits at a time. All here have two bytes. */
static void put_length(uint8_t *to, unsigned int value)
{
	to[0] = (uint8_t)(value | 0x80);
	to[1] = (uint8_t)(value >> 7);
}

static void make_xz(uint8_t *bytes)
{
	static const uint8_t header[] = { 0xfd, '7', 'z', 'X', 'Z', 0, 0, 1 };
	uint8_t *block = bytes + XZ_BLOCK, *data = bytes + XZ_HEAD, *index, *footer;

	memcpy(bytes, header, sizeof(header));
	put_crc(bytes + 8, bytes + 6, 2);
	/* 12 bytes of header; LZMA2, with a dictionary of 1 MiB. */
	block[0] = 2;
	block[2] = 0x21;
	block[3] = 1;
	block[4] = 16;
	put_crc(block + 8, block, 8);
	/* One chunk, stored. */
	block[12] = 1;
	block[13] = (uint8_t)((IMAGE_SIZE - 1) >> 8);
	block[14] = (uint8_t)(IMAGE_SIZE - 1);
	make_riscv64(data);
	put_crc(data + IMAGE_SIZE + 1, data, IMAGE_SIZE);
	index = data + IMAGE_SIZE + 1 + 4;
	index[1] = 1;
	put_length(index + 2, 12 + 3 + IMAGE_SIZE + 1 + 4);
	put_length(index + 4, IMAGE_SIZE);
	put_crc(index + 8, index, 8);
	footer = index + 12;
	bytes_put(footer + 4, 4, 12 / 4 - 1);
	footer[9] = 1;
	put_crc(footer, footer + 4, 6);
	memcpy(footer + 10, "YZ", 2);
}

#define ZBOOT_HEAD 64u
#define ZBOOT_SIZE (ZBOOT_HEAD + GZIP_SIZE)

static void make_zboot(uint8_t *bytes)
{
	memcpy(bytes, "MZ\0\0zimg", 8);
	bytes_put(bytes + 8, 4, ZBOOT_HEAD);
	bytes_put(bytes + 12, 4, GZIP_SIZE);
	memcpy(bytes + 24, "gzip", sizeof("gzip"));
	pack(bytes + ZBOOT_HEAD, make_riscv64);
}

const struct kernel_sample kernels_image[] = {
	{
		.name = "arm64",
		.platform = "arm64",
		.size = IMAGE_SIZE,
		.head = HEAD_SIZE,
		.make = make_arm64,
		.entry = GUEST_GPA_RAM,
		.mode = AXVCPU_MODE_64,
		.command_line_max = 2047,
	},
	{
		.name = "riscv64",
		.platform = "riscv64",
		.size = IMAGE_SIZE,
		.head = HEAD_SIZE,
		.make = make_riscv64,
		.entry = GUEST_GPA_RAM + TEXT_OFFSET,
		.mode = AXVCPU_MODE_64,
		.command_line_max = 1023,
	},
	{
		.name = "gzip",
		.platform = "arm64",
		.size = GZIP_SIZE,
		.head = GZIP_HEAD,
		.make = make_gzip,
		.format = &unpack_gzip,
		.entry = GUEST_GPA_RAM,
		.mode = AXVCPU_MODE_64,
		.command_line_max = 2047,
	},
	{
		.name = "zstd",
		.platform = "arm64",
		.size = ZSTD_SIZE,
		.head = ZSTD_HEAD,
		.make = make_zstd,
		.format = &unpack_zstd,
		.entry = GUEST_GPA_RAM,
		.mode = AXVCPU_MODE_64,
		.command_line_max = 2047,
	},
	{
		.name = "xz",
		.platform = "riscv64",
		.size = XZ_SIZE,
		.head = XZ_HEAD,
		.make = make_xz,
		.format = &unpack_xz,
		.checked = true,
		.entry = GUEST_GPA_RAM + TEXT_OFFSET,
		.mode = AXVCPU_MODE_64,
		.command_line_max = 1023,
	},
	{
		.name = "zboot",
		.platform = "riscv64",
		.size = ZBOOT_SIZE,
		.head = ZBOOT_HEAD + GZIP_HEAD,
		.make = make_zboot,
		.format = &unpack_gzip,
		.entry = GUEST_GPA_RAM + TEXT_OFFSET,
		.mode = AXVCPU_MODE_64,
		.command_line_max = 1023,
	},
	{ .name = NULL },
};
