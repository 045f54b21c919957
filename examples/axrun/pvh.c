/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
#include "pvh.h"

#include <inttypes.h>
#include <string.h>

#include <axvcpu/axvcpu.h>

#include "bytes.h"
#include "e820.h"
#include "elf_image.h"
#include "message.h"

#define NOTE_OWNER "Xen"
#define NOTE_PHYS32_ENTRY 18u

/* --- the format ------------------------------------------------------------------------------- */

static bool pvh_is(const uint8_t *bytes, size_t size)
{
	uint64_t entry;

	return elf_is(bytes, size) &&
	       elf_find_note(bytes, size, NOTE_OWNER, NOTE_PHYS32_ENTRY, &entry);
}

static int pvh_parse(struct image *image, const struct platform *platform, const char *name)
{
	uint64_t entry;

	if (!elf_find_note(image->bytes, image->size, NOTE_OWNER, NOTE_PHYS32_ENTRY, &entry))
		return fail("%s: no note with a PVH entry", name);
	if (elf_parse(image, platform, name, ELF_ENTRY_IGNORED))
		return -1;
	if (!image_has(image, entry))
		return fail("%s: its PVH entry 0x%" PRIx64 " is outside of its segments", name,
			    entry);
	/* A note of 8 bytes can hold it. */
	if (entry > UINT32_MAX)
		return fail("%s: its PVH entry 0x%" PRIx64
			    " is not below 4 GiB, but 32-bit mode is used",
			    name, entry);
	image->entry = entry;
	image->mode = AXVCPU_MODE_32;
	image->protocol = PROTOCOL_PVH;
	return 0;
}

const struct kernel_format pvh_format = {
	.what = "a PVH kernel",
	.platform = "x86_64",
	.is = pvh_is,
	.parse = pvh_parse,
};

/* --- the start info --------------------------------------------------------------------------- */

#define INFO_MAGIC 0x00u /* 4 bytes */
#define INFO_VERSION 0x04u /* 4 */
#define INFO_MODULES 0x0cu /* 4: number of modules */
#define INFO_MODULE_LIST 0x10u /* 8 */
#define INFO_CMDLINE 0x18u /* 8 */
#define INFO_RSDP 0x20u /* 8 */
#define INFO_MEMMAP 0x28u /* 8 */
#define INFO_MEMMAP_ENTRIES 0x30u /* 4 */

#define INFO_MAGIC_VALUE 0x336ec578u
#define INFO_VERSION_VALUE 1u /* the first version with a memory map */

/* In the same page: the only module (address, size, command line, 0) and the memory map. */
#define MODULE 0x40u
#define MEMMAP 0x80u
#define MEMMAP_SIZE 24u /* address, size, type, 0 */

void pvh_fill(uint8_t page[GUEST_PAGE_SIZE], const struct layout *layout, uint64_t rsdp)
{
	struct e820_entry entries[E820_ENTRIES];
	size_t n = e820_make(entries, layout), i;

	memset(page, 0, GUEST_PAGE_SIZE);
	bytes_put(page + INFO_MAGIC, 4, INFO_MAGIC_VALUE);
	bytes_put(page + INFO_VERSION, 4, INFO_VERSION_VALUE);
	bytes_put(page + INFO_CMDLINE, 8, layout->page_gpa + GUEST_PAGE_SIZE);
	bytes_put(page + INFO_RSDP, 8, rsdp);
	if (layout->initrd.size) {
		bytes_put(page + INFO_MODULES, 4, 1);
		bytes_put(page + INFO_MODULE_LIST, 8, layout->page_gpa + MODULE);
		bytes_put(page + MODULE, 8, layout->initrd.gpa);
		bytes_put(page + MODULE + 8, 8, layout->initrd.size);
	}
	bytes_put(page + INFO_MEMMAP, 8, layout->page_gpa + MEMMAP);
	bytes_put(page + INFO_MEMMAP_ENTRIES, 4, n);
	for (i = 0; i < n; i++) {
		uint8_t *entry = page + MEMMAP + i * MEMMAP_SIZE;

		bytes_put(entry, 8, entries[i].gpa);
		bytes_put(entry + 8, 8, entries[i].size);
		bytes_put(entry + 16, 4, entries[i].type);
	}
}
