/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
#include "linux_image.h"

#include <inttypes.h>
#include <string.h>

#include <axvcpu/axvcpu.h>

#include "bytes.h"
#include "message.h"

/* Header fields. All numbers are little-endian, even in a big-endian kernel. */
#define HEADER_SIZE 64u
#define TEXT_OFFSET 8u
#define IMAGE_SIZE 16u
#define FLAGS 24u
#define MAGIC 56u
#define PE_OFFSET 60u

#define MAGIC_ARM64 0x644d5241u /* "ARM\x64" */
#define MAGIC_RISCV 0x05435352u /* "RSC\x05" */

#define FLAG_BIG_ENDIAN 1u

/*
 * The initrd must be in the same 32 GiB window as the kernel, aligned to 1 GiB: arm64 requires it,
 * and riscv64 maps at least as much.
 */
#define WINDOW (UINT64_C(32) << 30)
#define WINDOW_ALIGN (UINT64_C(1) << 30)

/* An image with an EFI stub is also a PE file, with this header and sections. */
#define PE_MAGIC 0x00004550u /* "PE\0\0" */
#define PE_HEADER_SIZE 24u
#define PE_SECTIONS 6u
#define PE_OPTIONAL_SIZE 20u
#define SECTION_SIZE 40u
#define SECTION_DATA_SIZE 16u
#define SECTION_DATA 20u

static bool is_image(const uint8_t *bytes, size_t size, uint32_t magic)
{
	return size >= HEADER_SIZE && bytes_get(bytes + MAGIC, 4) == magic;
}

static bool is_arm64(const uint8_t *bytes, size_t size)
{
	return is_image(bytes, size, MAGIC_ARM64);
}

static bool is_riscv64(const uint8_t *bytes, size_t size)
{
	return is_image(bytes, size, MAGIC_RISCV);
}

/*
 * Checks for truncation. The header does not have the length of the file, as image_size includes
 * .bss; the PE sections tell it. Without a PE header the file is assumed to be complete.
 */
static int check_whole(const struct image *image, const char *name)
{
	uint64_t pe = bytes_get(image->bytes + PE_OFFSET, 4);
	uint64_t section, sections, data;

	if (memcmp(image->bytes, "MZ", 2) != 0)
		return 0;
	if (pe > image->size || image->size - pe < PE_HEADER_SIZE)
		return fail("%s: truncated: it ends within its headers", name);
	if (bytes_get(image->bytes + pe, 4) != PE_MAGIC)
		return fail("%s: damaged: it begins as a PE file, but has no PE header", name);
	sections = bytes_get(image->bytes + pe + PE_SECTIONS, 2);
	section = pe + PE_HEADER_SIZE + bytes_get(image->bytes + pe + PE_OPTIONAL_SIZE, 2);
	for (; sections-- > 0; section += SECTION_SIZE) {
		if (section > image->size || image->size - section < SECTION_SIZE)
			return fail("%s: truncated: it ends within its headers", name);
		data = (uint64_t)bytes_get(image->bytes + section + SECTION_DATA, 4) +
		       bytes_get(image->bytes + section + SECTION_DATA_SIZE, 4);
		if (data > image->size)
			return fail("%s: truncated: a section ends at byte %" PRIu64
				    ", but the file at %zu",
				    name, data, image->size);
	}
	return 0;
}

static int check_header(const struct image *image, const struct platform *platform,
			const char *name)
{
	uint64_t text_offset = bytes_get(image->bytes + TEXT_OFFSET, 8);
	uint64_t memsz = bytes_get(image->bytes + IMAGE_SIZE, 8);

	if (bytes_get(image->bytes + FLAGS, 8) & FLAG_BIG_ENDIAN)
		return fail("%s: big-endian kernels are not supported", name);
	/* Linux before 3.17 has no image_size. */
	if (!memsz)
		return fail("%s: its header has no image size, as before Linux 3.17", name);
	if (memsz < image->size)
		return fail("%s: the file has 0x%zx bytes, but its header asks for only 0x%" PRIx64
			    " bytes of memory",
			    name, image->size, memsz);
	if (text_offset % GUEST_PAGE_SIZE)
		return fail("%s: its load offset 0x%" PRIx64 " is not page-aligned", name,
			    text_offset);
	if (memsz > UINT64_MAX - platform->ram_gpa ||
	    text_offset > UINT64_MAX - platform->ram_gpa - memsz)
		return fail("%s: it would wrap around the address space: 0x%" PRIx64
			    " bytes, at 0x%" PRIx64 " from the start of memory",
			    name, memsz, text_offset);
	return check_whole(image, name);
}

/* Memory begins at a multiple of 2 MiB, to which the kernel's text_offset is added. */
static int parse(struct image *image, const struct platform *platform, const char *name)
{
	uint64_t gpa;

	if (check_header(image, platform, name))
		return -1;
	gpa = platform->ram_gpa + bytes_get(image->bytes + TEXT_OFFSET, 8);
	image->segments[0] = (struct image_segment){
		.gpa = gpa,
		.memsz = bytes_get(image->bytes + IMAGE_SIZE, 8),
		.data = image->bytes,
		.filesz = image->size,
	};
	image->nsegments = 1;
	image->entry = gpa;
	image->mode = AXVCPU_MODE_64;
	image->initrd_end = (gpa & ~(WINDOW_ALIGN - 1)) + WINDOW;
	return 0;
}

const struct kernel_format arm64_image_format = {
	.what = "an arm64 Image",
	.platform = "arm64",
	.is = is_arm64,
	.parse = parse,
};

const struct kernel_format riscv64_image_format = {
	.what = "a riscv64 Image",
	.platform = "riscv64",
	.is = is_riscv64,
	.parse = parse,
};
