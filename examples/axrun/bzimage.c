/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
#include "bzimage.h"

#include <inttypes.h>

#include <axvcpu/axvcpu.h>

#include "bytes.h"
#include "message.h"

/* The first boot protocol with a flag for the 64-bit entry. */
#define VERSION_MIN 0x20cu
#define SECTOR 512u
/* Unit of `syssize`. */
#define PARAGRAPH 16u
/* The first MiB of a PC is in use. */
#define KERNEL_MIN (UINT64_C(1) << 20)

static uint64_t field(const struct image *image, unsigned int offset, unsigned int width)
{
	return bytes_get(image->bytes + offset, width);
}

static bool bzimage_is(const uint8_t *bytes, size_t size)
{
	return size >= SETUP_MAGIC + 4 && bytes_get(bytes + SETUP_MAGIC, 4) == SETUP_MAGIC_VALUE &&
	       bytes_get(bytes + SETUP_BOOT_FLAG, 2) == SETUP_BOOT_FLAG_VALUE;
}

static int check_header(const struct image *image, const char *name)
{
	unsigned int version, end;

	if (image->size < SETUP_FIELDS_END)
		return fail("%s: truncated: it ends within the setup header", name);
	version = (unsigned int)field(image, SETUP_VERSION, 2);
	end = SETUP_JUMP_LEN + 1 + (unsigned int)field(image, SETUP_JUMP_LEN, 1);
	if (version < VERSION_MIN)
		return fail("%s: boot protocol %u.%02u is too old: the 64-bit entry needs 2.12",
			    name, version >> 8, version & 0xff);
	if (end < SETUP_FIELDS_END || end > SETUP_HEADER_MAX)
		return fail("%s: damaged: its setup header ends at 0x%x, which is wrong for "
			    "boot protocol %u.%02u",
			    name, end, version >> 8, version & 0xff);
	if (!(field(image, SETUP_LOADFLAGS, 1) & SETUP_LOADED_HIGH))
		return fail("%s: a zImage, which loads below 1 MiB; use a bzImage", name);
	if (!(field(image, SETUP_XLOADFLAGS, 2) & SETUP_KERNEL_64))
		return fail("%s: the kernel has no 64-bit entry", name);
	return 0;
}

/*
 * Loads the kernel at its preferred address: Linux never runs below it, and memory begins below it
 * and has no gap. A relocatable kernel would move itself to the next multiple of its alignment, so
 * it is loaded there.
 */
static int place(const struct image *image, const char *name, uint64_t *gpa)
{
	uint64_t alignment = field(image, SETUP_ALIGNMENT, 4);

	*gpa = field(image, SETUP_PREF_ADDRESS, 8);
	if (*gpa > UINT64_MAX - 2 * (uint64_t)UINT32_MAX)
		return fail("%s: cannot load it at its preferred address 0x%" PRIx64, name, *gpa);
	if (field(image, SETUP_RELOCATABLE, 1)) {
		if (*gpa < KERNEL_MIN)
			*gpa = KERNEL_MIN;
		if (alignment)
			*gpa = (*gpa + alignment - 1) / alignment * alignment;
	}
	if (*gpa < KERNEL_MIN)
		return fail("%s: cannot load it at its preferred address 0x%" PRIx64, name, *gpa);
	return 0;
}

static int add_kernel(struct image *image, uint64_t gpa, const char *name)
{
	uint64_t sectors = field(image, SETUP_SECTS, 1);
	/* 0 means 4, for very old kernels. */
	uint64_t setup = ((sectors ? sectors : 4) + 1) * SECTOR;
	uint64_t size = field(image, SETUP_SYSSIZE, 4) * PARAGRAPH;
	uint64_t memsz = field(image, SETUP_INIT_SIZE, 4);
	uint64_t there = setup < image->size ? image->size - setup : 0;

	/*
	 * The file may have more data after the kernel, such as a signature, or end within the last
	 * paragraph.
	 */
	if (size >= there + PARAGRAPH)
		return fail("%s: truncated: 0x%" PRIx64 " bytes of setup and 0x%" PRIx64
			    " of kernel, but the file has 0x%zx",
			    name, setup, size, image->size);
	if (size <= SETUP_ENTRY_64)
		return fail("%s: a kernel of 0x%" PRIx64 " bytes is too short for a 64-bit entry",
			    name, size);
	image->segments[0] = (struct image_segment){
		.gpa = gpa,
		.memsz = memsz > size ? memsz : size,
		.data = image->bytes + setup,
		.filesz = size < there ? size : there,
	};
	image->nsegments = 1;
	image->entry = gpa + SETUP_ENTRY_64;
	return 0;
}

static int bzimage_parse(struct image *image, const struct platform *platform, const char *name)
{
	uint64_t gpa;

	(void)platform;
	if (check_header(image, name) || place(image, name, &gpa) || add_kernel(image, gpa, name))
		return -1;
	image->mode = AXVCPU_MODE_64;
	image->protocol = PROTOCOL_ZERO_PAGE;
	image->has_setup_header = true;
	image->initrd_end = field(image, SETUP_INITRD_MAX, 4) + 1;
	image->command_line_max = field(image, SETUP_CMDLINE_SIZE, 4);
	return 0;
}

const struct kernel_format bzimage_format = {
	.what = "a bzImage",
	.platform = "x86_64",
	.is = bzimage_is,
	.parse = bzimage_parse,
};
