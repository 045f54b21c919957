/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
#include "image.h"

#include <inttypes.h>

#include <axvcpu/axvcpu.h>

#include "elf_image.h"
#include "foreign.h"
#include "guests.h"
#include "kernel.h"
#include "message.h"

static int place_firmware(struct image *image, const struct platform *platform, uint64_t *gpa)
{
	if (image->size > platform->firmware_max)
		return fail("an image of %zu bytes is too large for firmware: at most %" PRIu64
			    " bytes; use --load to put it into memory",
			    image->size, platform->firmware_max);
	*gpa = platform->firmware_end - image->size;
	image->entry = platform->reset_pc;
	image->firmware = true;
	return 0;
}

static int flat_parse(struct image *image, const struct options *options,
		      const struct platform *platform)
{
	uint64_t gpa;

	image->flat = true;
	image->mode = options->mode_given ? options->mode : AXVCPU_MODE_64;
	gpa = image->mode == AXVCPU_MODE_16 ? platform->flat16_gpa : platform->flat_gpa;
	if (options->load_given)
		gpa = options->load;
	image->entry = gpa;
	if (image->mode == AXVCPU_MODE_RAW && !options->load_given && platform->firmware_max &&
	    place_firmware(image, platform, &gpa))
		return -1;
	if (gpa > UINT64_MAX - image->size)
		return fail("--load 0x%" PRIx64 ": the image would wrap around the address space",
			    gpa);
	image->segments[0] = (struct image_segment){
		.gpa = gpa,
		.memsz = image->size,
		.data = image->bytes,
		.filesz = image->size,
	};
	image->nsegments = 1;
	return 0;
}

static int guest_parse(struct image *image, const struct options *options,
		       const struct platform *platform)
{
	const char *kind;

	if (!elf_is(image->bytes, image->size)) {
		kind = options->load_given ? NULL : foreign_kind(image->bytes, image->size);
		if (kind)
			return foreign_refuse(options->guest, kind);
		if (flat_parse(image, options, platform))
			return -1;
	} else {
		if (options->load_given)
			return fail("--load is for flat images; %s is ELF, which has load addresses",
				    options->guest);
		if (elf_parse(image, platform, options->guest, ELF_ENTRY_VIRTUAL))
			return -1;
	}
	if (options->mode_given)
		image->mode = options->mode;
	if (options->entry_given)
		image->entry = options->entry;
	return 0;
}

/*
 * Takes the contents that options_parse() has read to tell kernels from guest programs, even if the
 * file has changed since.
 */
static int take_file(struct image *image, struct options *options)
{
	const char *path = options->guest_path ? options->guest_path : options->guest;

	if (!options->file.data && !options->kernel && !options->guest_path &&
	    guests_is_name(options->guest))
		return fail("%s: no such file, and no such guest in %s; see axrun --list",
			    options->guest, guests_folder());
	if (!options->file.data)
		return file_read(&image->file, path);
	image->file = options->file;
	options->file = (struct file){ .name = NULL };
	return 0;
}

int image_load(struct image *image, struct options *options, const struct platform *platform)
{
	*image = (struct image){
		.unpack_max = options->memory < FILE_MAX ? options->memory : FILE_MAX,
		.initrd_end = UINT64_MAX,
	};
	if (take_file(image, options))
		return -1;
	image->bytes = image->file.data;
	image->size = image->file.size;
	if (!options->kernel)
		return guest_parse(image, options, platform);
	image->kind = IMAGE_LINUX;
	if (kernel_parse(image, options, platform))
		return -1;
	if (options->initrd_path)
		return file_read(&image->initrd, options->initrd_path);
	return 0;
}

bool image_has(const struct image *image, uint64_t gpa)
{
	size_t i;

	for (i = 0; i < image->nsegments; i++)
		if (gpa >= image->segments[i].gpa &&
		    gpa - image->segments[i].gpa < image->segments[i].memsz)
			return true;
	return false;
}

void image_free(struct image *image)
{
	file_free(&image->file);
	file_free(&image->unpacked);
	file_free(&image->initrd);
}
