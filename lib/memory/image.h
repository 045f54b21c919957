/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * A copy of guest memory, in a memfd or in a part of a file: the pages of all regions that are not
 * zero. It does not change once it is made, except that others may change or truncate the file.
 */
#ifndef LIB_IMAGE_H
#define LIB_IMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/memory/memory.h"

struct axv_image_region {
	uint64_t gpa;
	uint64_t len;
	/* Offset of its first page in the file. */
	uint64_t offset;
	/* Bitmap of the pages that are in the file; all others are zero. */
	uint64_t *present;
};

/* A run of pages that are in the file, with its checksum. */
struct axv_image_extent {
	/* From the first page of the image. */
	uint64_t offset;
	uint32_t len;
	uint32_t crc;
};

struct axv_image {
	/* VMs that were cloned from it, and use it beside its checkpoint. */
	atomic_uint clones;
	int fd;
	/* The memfd, constant and read-only. NULL: a file, whose mapping could raise SIGBUS. */
	const unsigned char *map;
	/* The sizes of all regions, which are at 'base' of the file, one behind another. */
	uint64_t len;
	uint64_t base;
	/* Pages in the file, and their size. */
	uint64_t pages;
	uint64_t page_size;
	/* Of a file: all runs of pages, in ascending order. */
	struct axv_image_extent *extents;
	size_t nextents;
	size_t count;
	struct axv_image_region regions[];
};

static inline bool axv_image_has_page(const struct axv_image_region *region, uint64_t page)
{
	return region->present[page / 64] >> page % 64 & 1;
}

/* Copies the memory of a VM, whose vCPUs and devices must not write to it meanwhile. */
int axv_image_new(struct axvm *vm, struct axv_image **image);
/* A clone uses the image, until it calls axv_image_free(), too. */
struct axv_image *axv_image_share(struct axv_image *image);
/* Frees it when no other uses it. 'image' may be NULL. */
void axv_image_free(struct axv_image *image);
/* Reads from the file, at an offset of it. Returns 0 or a negative errno; -EIO: truncated. */
int axv_image_load(const struct axv_image *image, void *to, uint64_t offset, uint64_t len);
/* Returns 0 if the VM has exactly the regions of the image, or -EINVAL with a message. */
int axv_image_check(const struct axv_image *image, struct axvm *vm);
/*
 * Writes the image to the memory of a VM that has its regions: all pages, or those that the dirty
 * logs have, of which 'logs' is the reader; they are then empty. Memory that is read-only for the host stays.
 * In a clone of the image, axv_image_restore_all() drops the pages that the clone does not share.
 * Returns the number of pages written, or a negative errno.
 */
int64_t axv_image_restore_all(const struct axv_image *image, struct axvm *vm);
int64_t axv_image_restore_dirty(const struct axv_image *image, struct axvm *vm,
				const struct axv_log_reader *logs);

/* --- image_file.c: images in files of others -------------------------------------------------- */

/* The size of the list that describes an image in a file. */
size_t axv_image_list_size(const struct axv_image *image);
/*
 * Writes the pages to a file, from 'base' on, where it has only zeros, and their list to 'list'.
 * Returns 0 or a negative errno.
 */
int axv_image_write(const struct axv_image *image, int fd, uint64_t base, void *list);
/*
 * Creates an image of 'len' bytes of a file from 'base' on, of which it reads nothing. 'list', of
 * 'size' bytes, is not trusted. Returns 0 or a negative errno.
 */
int axv_image_open(int fd, uint64_t base, uint64_t len, uint32_t page_size, const void *list,
		   size_t size, struct axv_image **image);
/*
 * Compares the pages of a file with their checksums, and all others with zero. Returns 0 or a
 * negative errno.
 */
int axv_image_verify(const struct axv_image *image);

#endif
