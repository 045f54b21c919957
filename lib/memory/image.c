/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* Copies of guest memory: made of the pages that are present and not zero, and written back. */
#include "lib/memory/image.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lib/base/cancel.h"
#include "lib/host/hal.h"
#include "lib/host/sys.h"
#include "lib/host/transfer.h"
#include "lib/machine/object.h"
#include "lib/memory/dirty.h"

/* Entries of /proc/self/pagemap that are read at a time, and their bits. */
#define PAGEMAP_ENTRIES 512u
#define PAGEMAP_PRESENT (UINT64_C(3) << 62)
#define PAGEMAP_FILE (UINT64_C(1) << 61)
/* Ranges of changed pages that are taken at a time. */
#define RANGES 64

/* --- finding pages ---------------------------------------------------------------------------- */

struct builder {
	struct axvm *vm;
	struct axv_image *image;
	/* /proc/self/pagemap, or -1: not available. */
	int pagemap;
};

/* A run of pages of a region. */
struct run {
	uint64_t first;
	uint64_t end;
};

/* Finds the first run from run->first on of pages of a memfd. Returns 1, or 0: there is none. */
static int next_data(const struct builder *builder, const struct axv_region *region,
		     struct run *run)
{
	const uint64_t page_size = builder->image->page_size;
	int64_t at = axv_sys_lseek(region->info.fd, run->first * page_size, SEEK_DATA);

	if (at == -ENXIO)
		return 0;
	if (at < 0)
		/* The file system cannot tell: all pages. */
		return at == -EINVAL ? 1 : (int)at;
	run->first = (uint64_t)at / page_size;
	at = axv_sys_lseek(region->info.fd, (uint64_t)at, SEEK_HOLE);
	if (at < 0)
		return (int)at;
	if ((uint64_t)at < region->len)
		run->end = ((uint64_t)at + page_size - 1) / page_size;
	return 1;
}

/* Returns the bitmap of the pages that a region of a clone has from its checkpoint. */
static const uint64_t *cloned_pages(const struct axvm *vm, const struct axv_region *region)
{
	const struct axv_image *origin = vm->origin;

	for (size_t i = 0; origin && i < origin->count; i++)
		if (origin->regions[i].gpa == region->gpa && origin->regions[i].len == region->len)
			return origin->regions[i].present;
	return NULL;
}

/*
 * Whether a page may be other than zero, by its entry. 'cloned' is the bitmap of a clone, whose page
 * tables also have pages of the memfd; NULL: the memory is anonymous.
 */
static bool may_have_data(uint64_t entry, const uint64_t *cloned, uint64_t page)
{
	if (!cloned)
		return entry & PAGEMAP_PRESENT;
	return ((entry & PAGEMAP_PRESENT) && !(entry & PAGEMAP_FILE)) ||
	       (cloned[page / 64] >> page % 64 & 1);
}

/* The same for anonymous memory, and that of clones, by the page tables of this process. */
static int next_mapped(const struct builder *builder, const struct axv_region *region,
		       const uint64_t *cloned, struct run *run)
{
	const uint64_t page_size = builder->image->page_size;
	const uint64_t base = (uintptr_t)region->hva / page_size;
	uint64_t entries[PAGEMAP_ENTRIES];

	while (run->first < run->end) {
		const uint64_t left = run->end - run->first;
		const size_t want = left < PAGEMAP_ENTRIES ? (size_t)left : PAGEMAP_ENTRIES;
		int ret = axv_sys_pread(builder->pagemap, entries, want * sizeof(entries[0]),
					(base + run->first) * sizeof(entries[0]));
		size_t got, i = 0;

		if (ret < 0)
			return ret;
		got = (size_t)ret / sizeof(entries[0]);
		if (!got)
			return -EIO;
		while (i < got && !may_have_data(entries[i], cloned, run->first)) {
			run->first++;
			i++;
		}
		if (i == got)
			continue;
		run->end = run->first;
		while (i < got && may_have_data(entries[i], cloned, run->end)) {
			run->end++;
			i++;
		}
		return 1;
	}
	return 0;
}

/*
 * Finds the first run of pages from run->first on that may be other than zero. Returns 1, 0: there
 * is none, or a negative errno.
 */
static int next_run(const struct builder *builder, const struct axv_region *region, struct run *run)
{
	const uint64_t *cloned = NULL;

	run->end = region->len / builder->image->page_size;
	if (run->first >= run->end)
		return 0;
	/* A hook may map anything. */
	if (!axv_hal_maps_memory(&builder->vm->hal))
		return 1;
	if (region->info.backing == AXVM_MEM_MEMFD)
		return next_data(builder, region, run);
	if (region->info.flags & AXVM_MEM_CLONED)
		cloned = cloned_pages(builder->vm, region);
	/* Anonymous huge pages are those of a memfd, of which some may not be mapped. */
	if ((cloned || region->info.backing == AXVM_MEM_ANONYMOUS) && builder->pagemap >= 0 &&
	    !(region->info.flags & AXVM_MEM_HUGETLB))
		return next_mapped(builder, region, cloned, run);
	return 1;
}

/* --- copying ---------------------------------------------------------------------------------- */

static bool is_zero(const unsigned char *page, uint64_t page_size)
{
	return !page[0] && !memcmp(page, page + 1, page_size - 1);
}

/* Writes pages of a region to the memfd. */
static int write_pages(struct builder *builder, const struct axv_region *region,
		       struct axv_image_region *to, struct run run)
{
	struct axv_image *image = builder->image;
	const uint64_t start = run.first * image->page_size;
	const uint64_t len = (run.end - run.first) * image->page_size;
	/* The kernel copies: memory that was truncated is -EFAULT. */
	const int ret = axv_write_at(image->fd, region->hva + start, len, to->offset + start);

	if (ret)
		return axvcpu_fail(builder->vm, ret == -EFAULT ? -EIO : ret,
				   "checkpoint: copying memory at %#" PRIx64, region->gpa + start);
	for (uint64_t page = run.first; page < run.end; page++)
		to->present[page / 64] |= UINT64_C(1) << page % 64;
	image->pages += run.end - run.first;
	return 0;
}

/* Writes the pages of a run that are not zero. */
static int copy_run(struct builder *builder, const struct axv_region *region,
		    struct axv_image_region *to, struct run run)
{
	const uint64_t page_size = builder->image->page_size;
	struct run some = { .end = run.first };
	int ret = 0;

	/* Looking at it could raise SIGBUS. */
	if (region->truncatable)
		return write_pages(builder, region, to, run);
	while (!ret && some.end < run.end) {
		some.first = some.end;
		while (some.first < run.end &&
		       is_zero(region->hva + some.first * page_size, page_size))
			some.first++;
		some.end = some.first;
		while (some.end < run.end &&
		       !is_zero(region->hva + some.end * page_size, page_size))
			some.end++;
		if (some.first < some.end)
			ret = write_pages(builder, region, to, some);
	}
	return ret;
}

static int copy_region(struct builder *builder, const struct axv_region *region,
		       struct axv_image_region *to)
{
	struct run run = { .first = 0 };
	int ret;

	while ((ret = next_run(builder, region, &run)) > 0) {
		ret = copy_run(builder, region, to, run);
		if (ret)
			return ret;
		run.first = run.end;
	}
	if (ret)
		return axvcpu_fail(builder->vm, ret,
				   "checkpoint: listing the pages of the region at %#" PRIx64,
				   region->gpa);
	return 0;
}

/* --- the object ------------------------------------------------------------------------------- */

struct axv_image *axv_image_share(struct axv_image *image)
{
	atomic_fetch_add(&image->clones, 1);
	return image;
}

void axv_image_free(struct axv_image *image)
{
	/* The last one finds 0. */
	if (!image || atomic_fetch_sub(&image->clones, 1))
		return;
	for (size_t i = 0; i < image->count; i++)
		free(image->regions[i].present);
	free(image->extents);
	if (image->map)
		axv_sys_munmap((void *)(uintptr_t)image->map, image->len);
	if (image->fd >= 0)
		axv_sys_close(image->fd);
	free(image);
}

static int describe_regions(struct axvm *vm, const struct axv_memory_table *table,
			    struct axv_image *image)
{
	for (size_t i = 0; i < table->count; i++) {
		const struct axv_region *region = table->keys[i].region;
		const uint64_t words = (region->len / image->page_size + 63) / 64;
		struct axv_image_region *to = &image->regions[i];

		*to = (struct axv_image_region){ .gpa = region->gpa,
						 .len = region->len,
						 .offset = image->len,
						 .present = axv_sys_calloc(words,
									   sizeof(uint64_t)) };
		if (!to->present)
			return axvcpu_fail(vm, -ENOMEM,
					   "checkpoint: allocating the bitmap of a region");
		image->count++;
		image->len += region->len;
	}
	return 0;
}

/* Creates the memfd, of which no page is allocated. */
static int create_file(struct axvm *vm, struct axv_image *image)
{
	int ret = axv_sys_memfd_create("axvm-checkpoint", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (ret < 0)
		return axvcpu_fail(vm, ret, "checkpoint: memfd_create");
	image->fd = ret;
	ret = axv_sys_ftruncate(image->fd, image->len);
	if (ret)
		return axvcpu_fail(vm, ret, "checkpoint: ftruncate of a memfd to %" PRIu64,
				   image->len);
	return 0;
}

/* Makes the memfd constant, and maps it. */
static int finish_file(struct axvm *vm, struct axv_image *image)
{
	void *map;
	int ret = axv_sys_add_seals(image->fd, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE);

	if (ret)
		return axvcpu_fail(vm, ret, "checkpoint: F_ADD_SEALS of a memfd");
	if (!image->len)
		return 0;
	ret = axv_sys_mmap(image->len, PROT_READ, MAP_PRIVATE | MAP_NORESERVE, image->fd, 0, &map);
	if (ret)
		return axvcpu_fail(vm, ret, "checkpoint: mmap of %" PRIu64 " bytes", image->len);
	image->map = map;
	return 0;
}

static int copy_all(struct builder *builder, const struct axv_memory_table *table)
{
	int ret = 0;

	/* Without /proc, and in some sandboxes: all pages are read. */
	builder->pagemap = axv_sys_open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	for (size_t i = 0; !ret && i < table->count; i++)
		ret = copy_region(builder, table->keys[i].region, &builder->image->regions[i]);
	if (builder->pagemap >= 0)
		axv_sys_close(builder->pagemap);
	return ret;
}

static int build(struct axvm *vm, const struct axv_memory_table *table, struct axv_image **out)
{
	struct axv_image *image =
		axv_sys_calloc(1, sizeof(*image) + table->count * sizeof(image->regions[0]));
	struct builder builder = { .vm = vm, .image = image };
	int ret;

	if (!image)
		return axvcpu_fail(vm, -ENOMEM, "checkpoint: allocating the list of regions");
	image->fd = -1;
	image->page_size = vm->limits.page_size;
	ret = describe_regions(vm, table, image);
	if (!ret)
		ret = create_file(vm, image);
	if (!ret)
		ret = copy_all(&builder, table);
	if (!ret)
		ret = finish_file(vm, image);
	if (ret)
		axv_image_free(image);
	else
		*out = image;
	return ret;
}

int axv_image_new(struct axvm *vm, struct axv_image **out)
{
	struct axv_memory_map *map = &vm->memory;
	int ret, cancel = axv_cancel_disable();
	/* Regions that are unmapped meanwhile stay until the end. */
	_Atomic uint32_t *reader = axv_srcu_read_lock(&map->srcu);

	ret = build(vm, axv_memory_table(map), out);
	axv_srcu_read_unlock(&map->srcu, reader);
	axv_cancel_restore(cancel);
	return ret;
}

/* --- writing it back -------------------------------------------------------------------------- */

static int check(const struct axv_image *image, const struct axvm *vm,
		 const struct axv_memory_table *table)
{
	if (image->page_size != vm->limits.page_size)
		return axvcpu_fail(vm, -EINVAL,
				   "checkpoint: its pages have %" PRIu64
				   " bytes, the host's %" PRIu32,
				   image->page_size, vm->limits.page_size);
	for (size_t i = 0; i < table->count && i < image->count; i++) {
		const struct axv_region *region = table->keys[i].region;
		const struct axv_image_region *saved = &image->regions[i];

		if (region->gpa != saved->gpa || region->len != saved->len)
			return axvcpu_fail(vm, -EINVAL,
					   "checkpoint: region %zu is at %#" PRIx64 " +%#" PRIx64
					   "; the VM's is at %#" PRIx64 " +%#" PRIx64,
					   i, saved->gpa, saved->len, region->gpa, region->len);
	}
	if (table->count != image->count)
		return axvcpu_fail(vm, -EINVAL, "checkpoint: it has %zu regions, the VM has %zu",
				   image->count, table->count);
	return 0;
}

int axv_image_check(const struct axv_image *image, struct axvm *vm)
{
	struct axv_memory_map *map = &vm->memory;
	_Atomic uint32_t *reader = axv_srcu_read_lock(&map->srcu);
	int ret = check(image, vm, axv_memory_table(map));

	axv_srcu_read_unlock(&map->srcu, reader);
	return ret;
}

int axv_image_load(const struct axv_image *image, void *to, uint64_t offset, uint64_t len)
{
	const int ret = axv_read_at(image->fd, to, len, offset);

	/* It is read to memory that was truncated. */
	return ret == -EFAULT ? -EIO : ret;
}

/*
 * Writes pages of one kind: all are in the file, or none. Runs of zeros of 'drop_min' bytes are
 * dropped.
 */
static int restore_run(const struct axv_image *image, struct axvm *vm, struct axv_region *region,
		       const struct axv_image_region *saved, struct run run, uint64_t drop_min)
{
	const uint64_t start = run.first * image->page_size;
	const uint64_t len = (run.end - run.first) * image->page_size;
	int ret;

	if (!axv_image_has_page(saved, run.first))
		ret = axv_memory_zero(vm, region, start, len, drop_min);
	else if (image->map)
		ret = axv_memory_store(vm, region, start, image->map + saved->offset + start, len);
	else
		ret = axv_image_load(image, region->hva + start, saved->offset + start, len);
	if (ret)
		return axvcpu_fail(vm, ret,
				   "checkpoint: writing memory at %#" PRIx64
				   ": its file, or that of the checkpoint, was truncated, or its "
				   "storage failed",
				   region->gpa + start);
	return 0;
}

/* Writes pages of a region. Returns 0 or a negative errno. */
static int restore_pages(const struct axv_image *image, struct axvm *vm, struct axv_region *region,
			 const struct axv_image_region *saved, struct run pages, uint64_t drop_min)
{
	struct run run = { .end = pages.first };
	int ret = 0;

	while (!ret && run.end < pages.end) {
		run.first = run.end++;
		while (run.end < pages.end &&
		       axv_image_has_page(saved, run.end) == axv_image_has_page(saved, run.first))
			run.end++;
		ret = restore_run(image, vm, region, saved, run, drop_min);
	}
	return ret;
}

/* Drops the pages of a region that a clone does not share: it then has those of the image again. */
static bool drop_changes(const struct axv_image *image, const struct axvm *vm,
			 const struct axv_region *region)
{
	return vm->origin == image && (region->info.flags & AXVM_MEM_CLONED) &&
	       !axv_sys_madvise(region->hva, region->len, MADV_DONTNEED);
}

int64_t axv_image_restore_all(const struct axv_image *image, struct axvm *vm)
{
	struct axv_memory_map *map = &vm->memory;
	int cancel = axv_cancel_disable();
	_Atomic uint32_t *reader = axv_srcu_read_lock(&map->srcu);
	const struct axv_memory_table *table = axv_memory_table(map);
	int64_t written = 0;
	int ret = check(image, vm, table);

	for (size_t i = 0; !ret && i < image->count; i++) {
		struct axv_region *region = table->keys[i].region;
		const struct run all = { .end = region->len / image->page_size };

		if (axv_region_host_readonly(region))
			continue;
		if (!drop_changes(image, vm, region)) {
			ret = restore_pages(image, vm, region, &image->regions[i], all,
					    AXV_DROP_UNUSED);
			written += (int64_t)all.end;
		}
		axv_dirty_mark(vm, region, 0, region->len);
	}
	axv_srcu_read_unlock(&map->srcu, reader);
	axv_cancel_restore(cancel);
	return ret ? ret : written;
}

/* Writes the pages of a range, which is in one region, and adds their number to '*written'. */
static int restore_range(const struct axv_image *image, struct axvm *vm,
			 const struct axv_memory_table *table, const struct axvm_dirty_range *range,
			 int64_t *written)
{
	struct axv_region *region;
	size_t i = 0;
	struct run run;

	while (i < image->count && range->gpa - image->regions[i].gpa >= image->regions[i].len)
		i++;
	/* Mapped a moment ago. */
	if (i == image->count)
		return axvcpu_fail(vm, -EINVAL, "checkpoint: it has no memory at %#" PRIx64,
				   range->gpa);
	region = table->keys[i].region;
	if (axv_region_host_readonly(region))
		return 0;
	run.first = (range->gpa - image->regions[i].gpa) / image->page_size;
	run.end = run.first + range->len / image->page_size;
	*written += (int64_t)(run.end - run.first);
	return restore_pages(image, vm, region, &image->regions[i], run, AXV_DROP_USED);
}

int64_t axv_image_restore_dirty(const struct axv_image *image, struct axvm *vm,
				const struct axv_log_reader *logs)
{
	struct axv_memory_map *map = &vm->memory;
	int ret, cancel = axv_cancel_disable();
	_Atomic uint32_t *reader = axv_srcu_read_lock(&map->srcu);
	const struct axv_memory_table *table = axv_memory_table(map);
	struct axvm_dirty_range ranges[RANGES];
	uint64_t cursor = 0;
	int64_t written = 0;
	int n = 0;

	ret = check(image, vm, table);
	while (!ret && (n = axv_dirty_take(vm, logs, &cursor, RANGES, ranges)) > 0)
		for (int i = 0; !ret && i < n; i++)
			ret = restore_range(image, vm, table, &ranges[i], &written);
	if (!ret && n < 0)
		ret = n;
	axv_srcu_read_unlock(&map->srcu, reader);
	axv_cancel_restore(cancel);
	return ret ? ret : written;
}
