/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * A copy of guest memory, in a memfd: the pages of all regions that are not zero. It does not change
 * once it is made.
 */
#ifndef LIB_IMAGE_H
#define LIB_IMAGE_H

#include <stddef.h>
#include <stdint.h>

#include "lib/memory/memory.h"

struct axv_image_region {
	uint64_t gpa;
	uint64_t len;
	/* Offset of its first page in the memfd. */
	uint64_t offset;
	/* Bitmap of the pages that are in the memfd; all others are zero. */
	uint64_t *present;
};

struct axv_image {
	/* VMs that were cloned from it, and use it beside its checkpoint. */
	atomic_uint clones;
	/* Constant, read-only. */
	int fd;
	const unsigned char *map;
	uint64_t len;
	/* Pages in the memfd, and their size. */
	uint64_t pages;
	uint64_t page_size;
	size_t count;
	struct axv_image_region regions[];
};

/* Copies the memory of a VM, whose vCPUs and devices must not write to it meanwhile. */
int axv_image_new(struct axvm *vm, struct axv_image **image);
/* A clone uses the image, until it calls axv_image_free(), too. */
struct axv_image *axv_image_share(struct axv_image *image);
/* Frees it when no other uses it. 'image' may be NULL. */
void axv_image_free(struct axv_image *image);
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

#endif
