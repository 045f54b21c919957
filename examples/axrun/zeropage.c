/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
#include "zeropage.h"

#include <string.h>

#include "bytes.h"
#include "bzimage.h"
#include "e820.h"

#define ZERO_RSDP 0x070u /* 8 bytes; unused before protocol 2.14 */
#define ZERO_E820_ENTRIES 0x1e8u /* 1 */
#define ZERO_E820 0x2d0u /* 20 each: address, size, type */
#define ZERO_E820_SIZE 20u

#define VERSION 0x20fu
#define LOADER_UNKNOWN 0xffu
#define VID_MODE_NORMAL 0xffffu

/* Copied from the file; for an ELF kernel, the values a bzImage would have. */
static void fill_header(uint8_t *page, const struct image *image)
{
	if (image->has_setup_header) {
		/* The parser has checked that this does not exceed SETUP_HEADER_MAX. */
		size_t end = SETUP_JUMP_LEN + 1u + image->bytes[SETUP_JUMP_LEN];

		memcpy(page + SETUP_HEADER, image->bytes + SETUP_HEADER, end - SETUP_HEADER);
	} else {
		bytes_put(page + SETUP_BOOT_FLAG, 2, SETUP_BOOT_FLAG_VALUE);
		bytes_put(page + SETUP_MAGIC, 4, SETUP_MAGIC_VALUE);
		bytes_put(page + SETUP_VERSION, 2, VERSION);
		bytes_put(page + SETUP_LOADFLAGS, 1, SETUP_LOADED_HIGH);
	}
	bytes_put(page + SETUP_VID_MODE, 2, VID_MODE_NORMAL);
	bytes_put(page + SETUP_LOADER, 1, LOADER_UNKNOWN);
	bytes_put(page + SETUP_CODE32_START, 4, image->segments[0].gpa);
	bytes_put(page + SETUP_DATA, 8, 0);
}

static void fill_e820(uint8_t *page, const struct layout *layout)
{
	struct e820_entry entries[E820_ENTRIES];
	size_t n = e820_make(entries, layout), i;

	page[ZERO_E820_ENTRIES] = (uint8_t)n;
	for (i = 0; i < n; i++) {
		uint8_t *entry = page + ZERO_E820 + i * ZERO_E820_SIZE;

		bytes_put(entry, 8, entries[i].gpa);
		bytes_put(entry + 8, 8, entries[i].size);
		bytes_put(entry + 16, 4, entries[i].type);
	}
}

void zeropage_fill(uint8_t page[GUEST_PAGE_SIZE], const struct image *image,
		   const struct layout *layout, uint64_t rsdp)
{
	memset(page, 0, GUEST_PAGE_SIZE);
	fill_header(page, image);
	fill_e820(page, layout);
	bytes_put(page + ZERO_RSDP, 8, rsdp);
	/* All are below 4 GiB, as they are in the first range of memory. */
	bytes_put(page + SETUP_CMD_LINE, 4, layout->page_gpa + GUEST_PAGE_SIZE);
	bytes_put(page + SETUP_RAMDISK, 4, layout->initrd.gpa);
	bytes_put(page + SETUP_RAMDISK_SIZE, 4, layout->initrd.size);
}
