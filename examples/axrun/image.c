/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
#include "image.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <axvcpu/axvcpu.h>

#include "elf_image.h"
#include "message.h"

/* The whole file is read into memory once; no guest program or kernel is as large as this. */
#define IMAGE_MAX (UINT64_C(1) << 30)

static const char *file_type(mode_t mode)
{
	switch (mode & S_IFMT) {
	case S_IFDIR:
		return "a directory";
	case S_IFIFO:
		return "a pipe";
	case S_IFCHR:
	case S_IFBLK:
		return "a device";
	case S_IFSOCK:
		return "a socket";
	}
	return "not a regular file";
}

static int check_file(int fd, const char *name, size_t *size)
{
	struct stat st;

	if (fstat(fd, &st))
		return fail("%s: %s", name, strerror(errno));
	if (!S_ISREG(st.st_mode))
		return fail("%s: %s, not an image", name, file_type(st.st_mode));
	if (st.st_size <= 0)
		return fail("%s: empty", name);
	if ((uint64_t)st.st_size > IMAGE_MAX)
		return fail("%s: too large: %jd bytes; an image has at most %" PRIu64, name,
			    (intmax_t)st.st_size, IMAGE_MAX);
	*size = (size_t)st.st_size;
	return 0;
}

static int read_all(int fd, const char *name, uint8_t *buf, size_t size)
{
	size_t done = 0;

	while (done < size) {
		ssize_t n = read(fd, buf + done, size - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return fail("%s: %s", name, strerror(errno));
		if (n == 0)
			return fail("%s: became shorter while it was read", name);
		done += (size_t)n;
	}
	return 0;
}

static int read_file(struct image *image, const char *name)
{
	/* O_NONBLOCK and O_NOCTTY: opening a pipe or a terminal must have no effect. */
	int fd = open(name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	int err = -1;

	if (fd < 0)
		return fail("%s: %s", *name ? name : "the guest's file name is empty",
			    strerror(errno));
	if (check_file(fd, name, &image->size))
		goto out;
	image->file = malloc(image->size);
	if (!image->file) {
		fail("%s: no memory for %zu bytes", name, image->size);
		goto out;
	}
	err = read_all(fd, name, image->file, image->size);
out:
	close(fd);
	return err;
}

static int place_firmware(struct image *image, const struct platform *platform, uint64_t *gpa)
{
	if (image->size > platform->firmware_max)
		return fail("an image of %zu bytes is too large for firmware: at most %" PRIu64
			    " bytes; with --load it goes into memory",
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
		.data = image->file,
		.filesz = image->size,
	};
	image->nsegments = 1;
	return 0;
}

int image_load(struct image *image, const struct options *options, const struct platform *platform)
{
	*image = (struct image){ 0 };
	if (read_file(image, options->guest))
		return -1;
	if (!elf_is(image)) {
		if (flat_parse(image, options, platform))
			return -1;
	} else {
		if (options->load_given)
			return fail("--load is for flat images; %s is ELF and says where it goes",
				    options->guest);
		if (elf_parse(image, platform, options->guest))
			return -1;
	}
	if (options->mode_given)
		image->mode = options->mode;
	if (options->entry_given)
		image->entry = options->entry;
	return 0;
}

void image_free(struct image *image)
{
	free(image->file);
	image->file = NULL;
}
