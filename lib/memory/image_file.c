/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * Images in files that others can change: written with checksums, opened without reading them, and
 * verified. docs/checkpoints.md describes the list of an image. Pages are read by pread(), because
 * a mapping of a file that is truncated raises SIGBUS.
 */
#include <endian.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "axvcpu/arch.h"
#include "lib/base/crc32c.h"
#include "lib/host/sys.h"
#include "lib/host/transfer.h"
#include "lib/memory/image.h"

/* The largest extent: the buffer of a copy, and a multiple of all page sizes. */
#define EXTENT_MAX 0x100000u

/* The list, all numbers little-endian: this, the regions, the extents. */
struct list {
	uint64_t regions;
	uint64_t extents;
};

struct list_region {
	uint64_t gpa;
	uint64_t len;
};

struct list_extent {
	uint64_t offset;
	uint32_t len;
	uint32_t crc;
};

_Static_assert(sizeof(struct list) == 16 && sizeof(struct list_region) == 16 &&
		       sizeof(struct list_extent) == 16,
	       "no padding");

/* --- walking ---------------------------------------------------------------------------------- */

/* A place in the extents of an image: the region and the page in it, or the index of an extent. */
struct cursor {
	size_t region;
	uint64_t page;
	size_t extent;
};

/* Finds the next run of pages of the region at the cursor, which moves behind it. */
static bool next_run(const struct axv_image *image, const struct axv_image_region *region,
		     struct cursor *cursor, struct axv_image_extent *extent)
{
	const uint64_t pages = region->len / image->page_size;
	uint64_t page = cursor->page, first;

	while (page < pages && !axv_image_has_page(region, page))
		page = page % 64 || region->present[page / 64] ? page + 1 : page + 64;
	if (page >= pages)
		return false;
	first = page;
	while (page < pages && axv_image_has_page(region, page) &&
	       (page - first) * image->page_size < EXTENT_MAX)
		page++;
	cursor->page = page;
	*extent = (struct axv_image_extent){
		.offset = region->offset - image->base + first * image->page_size,
		.len = (uint32_t)((page - first) * image->page_size),
	};
	return true;
}

/* Finds the next extent of an image. One that is a file's has a checksum. */
static bool next_extent(const struct axv_image *image, struct cursor *cursor,
			struct axv_image_extent *extent)
{
	if (image->extents) {
		if (cursor->extent == image->nextents)
			return false;
		*extent = image->extents[cursor->extent++];
		return true;
	}
	for (; cursor->region < image->count; cursor->region++) {
		if (next_run(image, &image->regions[cursor->region], cursor, extent))
			return true;
		cursor->page = 0;
	}
	return false;
}

/* The guest address of an offset in the image, which is within a region. */
static uint64_t to_gpa(const struct axv_image *image, uint64_t offset)
{
	size_t i = 0;

	while (i + 1 < image->count && offset >= image->regions[i + 1].offset - image->base)
		i++;
	return image->regions[i].gpa + (offset - (image->regions[i].offset - image->base));
}

/* Reads pages of the image to a buffer. */
static int load(const struct axv_image *image, unsigned char *buf, uint64_t offset, uint64_t len)
{
	int ret = axv_image_load(image, buf, image->base + offset, len);

	if (!ret)
		return 0;
	return axvcpu_fail(NULL, ret,
			   "checkpoint: reading its memory at %#" PRIx64
			   ": the file was truncated, or its storage failed",
			   to_gpa(image, offset));
}

/* Reads an extent to a buffer, and computes its checksum. Compares it with that of a file. */
static int load_extent(const struct axv_image *image, const struct axv_crc32c *crc32c,
		       unsigned char *buf, struct axv_image_extent *extent)
{
	const uint32_t expected = extent->crc;
	int ret = load(image, buf, extent->offset, extent->len);

	if (ret)
		return ret;
	extent->crc = axv_crc32c(crc32c, 0, buf, extent->len);
	if (!image->extents || extent->crc == expected)
		return 0;
	return axvcpu_fail(NULL, -EIO,
			   "checkpoint: the memory at %#" PRIx64 " +%#" PRIx32
			   " is damaged: its checksum is %#" PRIx32 ", not %#" PRIx32,
			   to_gpa(image, extent->offset), extent->len, extent->crc, expected);
}

static unsigned char *new_buffer(void)
{
	unsigned char *buf = axv_sys_calloc(1, EXTENT_MAX);

	if (!buf)
		axvcpu_fail(NULL, -ENOMEM, "checkpoint: allocating a buffer of %u bytes",
			    EXTENT_MAX);
	return buf;
}

/* --- writing ---------------------------------------------------------------------------------- */

size_t axv_image_list_size(const struct axv_image *image)
{
	struct cursor cursor = { .region = 0 };
	struct axv_image_extent extent;
	size_t extents = 0;

	while (next_extent(image, &cursor, &extent))
		extents++;
	return sizeof(struct list) + image->count * sizeof(struct list_region) +
	       extents * sizeof(struct list_extent);
}

static int store(const struct axv_image *image, int fd, const unsigned char *buf, uint64_t base,
		 const struct axv_image_extent *extent)
{
	const int ret = axv_write_at(fd, buf, extent->len, base + extent->offset);

	return ret ? axvcpu_fail(NULL, ret, "checkpoint: writing memory at %#" PRIx64 " to a file",
				 to_gpa(image, extent->offset))
		   : 0;
}

/* Copies the extents, and adds them to the list. Returns their number, or a negative errno. */
static int64_t copy_extents(const struct axv_image *image, int fd, uint64_t base,
			    unsigned char *list)
{
	struct cursor cursor = { .region = 0 };
	struct axv_image_extent extent;
	struct axv_crc32c crc32c;
	unsigned char *buf = new_buffer();
	int64_t extents = 0;
	int ret = buf ? 0 : -ENOMEM;

	axv_crc32c_init(&crc32c);
	while (!ret && next_extent(image, &cursor, &extent)) {
		ret = load_extent(image, &crc32c, buf, &extent);
		if (!ret)
			ret = store(image, fd, buf, base, &extent);
		if (!ret) {
			const struct list_extent entry = { .offset = htole64(extent.offset),
							   .len = htole32(extent.len),
							   .crc = htole32(extent.crc) };

			memcpy(list, &entry, sizeof(entry));
			list += sizeof(entry);
			extents++;
		}
	}
	free(buf);
	return ret ? ret : extents;
}

int axv_image_write(const struct axv_image *image, int fd, uint64_t base, void *list)
{
	struct list header = { .regions = htole64(image->count) };
	unsigned char *at = (unsigned char *)list + sizeof(header);
	int64_t extents;

	for (size_t i = 0; i < image->count; i++) {
		const struct list_region region = { .gpa = htole64(image->regions[i].gpa),
						    .len = htole64(image->regions[i].len) };

		memcpy(at, &region, sizeof(region));
		at += sizeof(region);
	}
	extents = copy_extents(image, fd, base, at);
	if (extents < 0)
		return (int)extents;
	header.extents = htole64((uint64_t)extents);
	memcpy(list, &header, sizeof(header));
	return 0;
}

/* --- opening ---------------------------------------------------------------------------------- */

/* Checks a region, and adds it to the image, which has 'room' bytes of the file. */
static int add_region(struct axv_image *image, const unsigned char *from, uint64_t room)
{
	const struct axv_image_region *last = image->count ? &image->regions[image->count - 1]
							   : NULL;
	struct axv_image_region *region = &image->regions[image->count];
	struct list_region entry;
	uint64_t gpa, len;

	memcpy(&entry, from, sizeof(entry));
	gpa = le64toh(entry.gpa);
	len = le64toh(entry.len);
	if (!len || gpa % image->page_size || len % image->page_size ||
	    len - 1 > UINT64_MAX - gpa ||
	    (last && (gpa < last->gpa || gpa - last->gpa < last->len)))
		return axvcpu_fail(NULL, -EINVAL,
				   "checkpoint: region %zu, %#" PRIx64 " +%#" PRIx64
				   ", is not aligned or overlaps",
				   image->count, gpa, len);
	if (len > room - image->len)
		return axvcpu_fail(NULL, -EINVAL,
				   "checkpoint: region %zu, %#" PRIx64 " +%#" PRIx64
				   ", ends behind the file",
				   image->count, gpa, len);
	*region = (struct axv_image_region){ .gpa = gpa,
					     .len = len,
					     .offset = image->base + image->len };
	region->present = axv_sys_calloc((size_t)((len / image->page_size + 63) / 64),
					 sizeof(uint64_t));
	if (!region->present)
		return axvcpu_fail(NULL, -ENOMEM, "checkpoint: allocating the bitmap of a region");
	image->count++;
	image->len += len;
	return 0;
}

/*
 * Checks an extent, which must be in one region, and behind the one before. '*region' is the index
 * of that one's region.
 */
static int add_extent(struct axv_image *image, const unsigned char *from, size_t *region)
{
	struct axv_image_extent *extent = &image->extents[image->nextents];
	const struct axv_image_extent *last = image->nextents ? extent - 1 : NULL;
	const struct axv_image_region *in;
	struct list_extent entry;
	uint64_t start = 0, page;

	memcpy(&entry, from, sizeof(entry));
	extent->offset = le64toh(entry.offset);
	extent->len = le32toh(entry.len);
	extent->crc = le32toh(entry.crc);
	while (*region < image->count &&
	       extent->offset - (image->regions[*region].offset - image->base) >=
		       image->regions[*region].len)
		++*region;
	in = &image->regions[*region];
	if (*region < image->count)
		start = extent->offset - (in->offset - image->base);
	if (*region == image->count || !extent->len || extent->len > EXTENT_MAX ||
	    extent->len % image->page_size || start % image->page_size ||
	    extent->len > in->len - start || (last && extent->offset < last->offset + last->len))
		return axvcpu_fail(NULL, -EINVAL,
				   "checkpoint: extent %zu, %#" PRIx64 " +%#" PRIx32
				   ", is not aligned, overlaps, or is not within a region",
				   image->nextents, extent->offset, extent->len);
	for (page = start / image->page_size; page < (start + extent->len) / image->page_size;
	     page++)
		in->present[page / 64] |= UINT64_C(1) << page % 64;
	image->pages += extent->len / image->page_size;
	image->nextents++;
	return 0;
}

static int add_all(struct axv_image *image, const unsigned char *at, uint64_t regions,
		   uint64_t extents, uint64_t room)
{
	size_t region = 0;
	int ret = 0;

	for (uint64_t i = 0; !ret && i < regions; i++, at += sizeof(struct list_region))
		ret = add_region(image, at, room);
	if (!ret && image->len != room)
		ret = axvcpu_fail(NULL, -EINVAL,
				  "checkpoint: its regions have %#" PRIx64
				  " bytes, its file has %#" PRIx64 " for them",
				  image->len, room);
	for (uint64_t i = 0; !ret && i < extents; i++, at += sizeof(struct list_extent))
		ret = add_extent(image, at, &region);
	return ret;
}

/* Allocates an image with its descriptor. */
static int create(int fd, uint64_t base, uint32_t page_size, uint64_t regions, uint64_t extents,
		  struct axv_image **out)
{
	struct axv_image *image =
		axv_sys_calloc(1, sizeof(*image) + (size_t)regions * sizeof(image->regions[0]));

	if (!image)
		return axvcpu_fail(NULL, -ENOMEM, "checkpoint: allocating the list of regions");
	image->base = base;
	image->page_size = page_size;
	image->fd = axv_sys_dup(fd);
	if (image->fd < 0) {
		const int ret = image->fd;

		axv_image_free(image);
		return axvcpu_fail(NULL, ret, "checkpoint: F_DUPFD_CLOEXEC");
	}
	/* One at least, as NULL means none. */
	image->extents = axv_sys_calloc((size_t)extents + 1, sizeof(image->extents[0]));
	if (!image->extents) {
		axv_image_free(image);
		return axvcpu_fail(NULL, -ENOMEM, "checkpoint: allocating the list of extents");
	}
	*out = image;
	return 0;
}

int axv_image_open(int fd, uint64_t base, uint64_t room, uint32_t page_size, const void *list,
		   size_t size, struct axv_image **out)
{
	struct list header = { .regions = 0 };
	struct axv_image *image = NULL;
	uint64_t regions, extents;
	int ret;

	if (size >= sizeof(header))
		memcpy(&header, list, sizeof(header));
	regions = le64toh(header.regions);
	extents = le64toh(header.extents);
	if (size < sizeof(header) || regions > size || extents > size ||
	    sizeof(header) + regions * sizeof(struct list_region) +
			    extents * sizeof(struct list_extent) !=
		    size)
		return axvcpu_fail(NULL, -EINVAL,
				   "checkpoint: %" PRIu64 " regions and %" PRIu64
				   " extents do not have %zu bytes",
				   regions, extents, size);
	ret = create(fd, base, page_size, regions, extents, &image);
	if (ret)
		return ret;
	ret = add_all(image, (const unsigned char *)list + sizeof(header), regions, extents, room);
	if (ret)
		axv_image_free(image);
	else
		*out = image;
	return ret;
}

/* --- verifying -------------------------------------------------------------------------------- */

/* Checks that bytes outside of all extents are zero. */
static int verify_gap(const struct axv_image *image, unsigned char *buf, uint64_t from, uint64_t to)
{
	while (from < to) {
		const int64_t at = axv_sys_lseek(image->fd, image->base + from, SEEK_DATA);
		uint64_t some;
		int ret;

		/* No more data; or the file system cannot tell, and all is read. */
		if (at == -ENXIO)
			return 0;
		if (at < 0 && at != -EINVAL)
			return axvcpu_fail(NULL, (int)at, "checkpoint: lseek of its file");
		if (at > 0)
			from = (uint64_t)at - image->base;
		if (from >= to)
			return 0;
		some = to - from < EXTENT_MAX ? to - from : EXTENT_MAX;
		ret = load(image, buf, from, some);
		if (ret)
			return ret;
		if (buf[0] || memcmp(buf, buf + 1, (size_t)some - 1) != 0)
			return axvcpu_fail(NULL, -EIO,
					   "checkpoint: the memory at %#" PRIx64 " +%#" PRIx64
					   " is damaged: it is not zero",
					   to_gpa(image, from), some);
		from += some;
	}
	return 0;
}

/* A hole at the end of the file is not missed otherwise. */
static int check_size(const struct axv_image *image)
{
	struct stat st;
	int ret = axv_sys_fstat(image->fd, &st);

	if (ret)
		return axvcpu_fail(NULL, ret, "checkpoint: fstat of its file");
	if ((uint64_t)st.st_size >= image->base + image->len)
		return 0;
	return axvcpu_fail(NULL, -EIO, "checkpoint: its file was truncated to %" PRId64 " bytes",
			   (int64_t)st.st_size);
}

int axv_image_verify(const struct axv_image *image)
{
	struct axv_crc32c crc32c;
	unsigned char *buf;
	uint64_t end = 0;
	int ret;

	/* A sealed memfd. */
	if (!image->extents)
		return 0;
	ret = check_size(image);
	if (ret)
		return ret;
	buf = new_buffer();
	if (!buf)
		return -ENOMEM;
	axv_crc32c_init(&crc32c);
	for (size_t i = 0; !ret && i < image->nextents; i++) {
		struct axv_image_extent extent = image->extents[i];

		ret = verify_gap(image, buf, end, extent.offset);
		if (!ret)
			ret = load_extent(image, &crc32c, buf, &extent);
		end = extent.offset + extent.len;
	}
	if (!ret)
		ret = verify_gap(image, buf, end, image->len);
	free(buf);
	return ret;
}
