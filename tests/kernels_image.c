/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* Kernels for arm64 and riscv64: an Image of each, one packed by gzip, and one in a zboot image. */
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

/* Packed, but not compressed: so its length is known. */
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
		.entry = GUEST_GPA_RAM,
		.mode = AXVCPU_MODE_64,
		.command_line_max = 2047,
	},
	{
		.name = "zboot",
		.platform = "riscv64",
		.size = ZBOOT_SIZE,
		.head = ZBOOT_HEAD + GZIP_HEAD,
		.make = make_zboot,
		.entry = GUEST_GPA_RAM + TEXT_OFFSET,
		.mode = AXVCPU_MODE_64,
		.command_line_max = 1023,
	},
	{ .name = NULL },
};
