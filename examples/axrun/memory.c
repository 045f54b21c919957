/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
#include "memory.h"

#include <stdlib.h>

#include "message.h"

/* Bytes that go into memory. */
struct content {
	uint64_t gpa;
	const uint8_t *data;
	uint64_t len;
	/* Those at the begin that are mapped from the file, if any. */
	const struct file *file;
	uint64_t mapped;
};

/* The segments, and the initrd; by ascending address. */
struct contents {
	struct content item[IMAGE_SEGMENTS + 1];
	size_t n;
};

/* Smaller ones are copied: a region of their own costs more. */
#define MAPPED_MIN (UINT64_C(64) << 10)

static uint64_t offset_in(const struct file *file, const uint8_t *data)
{
	return (uint64_t)(data - file->data);
}

/* Whether the data are the file's own, not unpacked. */
static bool lies_in(const struct file *file, const uint8_t *data)
{
	return file->data && data >= file->data && data < file->data + file->size;
}

/* The file that the image's data lie in; NULL: none. */
static const struct file *file_of(const struct image *image, const uint8_t *data)
{
	if (lies_in(&image->file, data))
		return &image->file;
	return lies_in(&image->unpacked, data) ? &image->unpacked : NULL;
}

static void add(struct contents *contents, uint64_t gpa, const uint8_t *data, uint64_t len,
		const struct file *file)
{
	struct content *content = &contents->item[contents->n++];

	*content = (struct content){ .gpa = gpa, .data = data, .len = len };
	if (!file || len < MAPPED_MIN || gpa % GUEST_PAGE_SIZE ||
	    offset_in(file, data) % GUEST_PAGE_SIZE)
		return;
	content->file = file;
	content->mapped = len & ~(uint64_t)(GUEST_PAGE_SIZE - 1);
}

static int by_address(const void *a, const void *b)
{
	const struct content *x = a, *y = b;

	return (x->gpa > y->gpa) - (x->gpa < y->gpa);
}

static void collect(struct contents *contents, const struct options *options,
		    const struct image *image, const struct layout *layout)
{
	bool maps = !options->huge_pages && !image->firmware;
	size_t i;

	for (i = 0; i < image->nsegments; i++)
		if (image->segments[i].filesz)
			add(contents, image->segments[i].gpa, image->segments[i].data,
			    image->segments[i].filesz,
			    maps ? file_of(image, image->segments[i].data) : NULL);
	if (image->initrd.size)
		add(contents, layout->initrd.gpa, image->initrd.data, image->initrd.size,
		    maps ? &image->initrd : NULL);
	qsort(contents->item, contents->n, sizeof(contents->item[0]), by_address);
}

static int map(struct axvm *vm, const struct axvm_region *region)
{
	if (axvm_map(vm, region))
		return fail("cannot give the guest its memory: %s", axvcpu_last_error());
	return 0;
}

static int map_fresh(struct axvm *vm, uint64_t gpa, uint64_t end, uint32_t flags)
{
	struct axvm_region region = AXVM_REGION_INIT;

	if (gpa == end)
		return 0;
	region.gpa = gpa;
	region.len = end - gpa;
	region.flags = flags;
	return map(vm, &region);
}

static int map_file(struct axvm *vm, const struct content *content)
{
	struct axvm_region region = AXVM_REGION_INIT;

	region.gpa = content->gpa;
	region.len = content->mapped;
	region.backing = AXVM_MEM_FILE;
	region.fd = content->file->fd;
	region.fd_offset = offset_in(content->file, content->data);
	return map(vm, &region);
}

/* What is mapped of files, and fresh memory between. */
static int map_range(struct axvm *vm, const struct options *options,
		     const struct contents *contents, const struct guest_range *range)
{
	uint32_t flags = options->huge_pages ? AXVM_MEM_HUGETLB : AXVM_MEM_THP;
	uint64_t gpa = range->gpa, end = range->gpa + range->size;
	size_t i;

	for (i = 0; i < contents->n; i++) {
		const struct content *content = &contents->item[i];

		if (!content->mapped || content->gpa < gpa || content->gpa >= end)
			continue;
		if (map_fresh(vm, gpa, content->gpa, flags) || map_file(vm, content))
			return -1;
		gpa = content->gpa + content->mapped;
	}
	return map_fresh(vm, gpa, end, flags);
}

/* The rest of each segment is zero already: this is fresh memory. */
static int copy(struct axvm *vm, const struct content *content)
{
	if (content->mapped < content->len &&
	    axvm_write(vm, content->gpa + content->mapped, content->data + content->mapped,
		       content->len - content->mapped))
		return fail("cannot load the image: %s", axvcpu_last_error());
	return 0;
}

int memory_make(struct axvm *vm, const struct options *options, const struct image *image,
		const struct layout *layout)
{
	struct contents contents = { .n = 0 };
	size_t i;

	collect(&contents, options, image, layout);
	for (i = 0; i < layout->nranges; i++)
		if (map_range(vm, options, &contents, &layout->ram[i]))
			return -1;
	if (layout->firmware.size &&
	    map_fresh(vm, layout->firmware.gpa, layout->firmware.gpa + layout->firmware.size,
		      AXVM_MEM_READONLY))
		return -1;
	for (i = 0; i < contents.n; i++)
		if (copy(vm, &contents.item[i]))
			return -1;
	return 0;
}
