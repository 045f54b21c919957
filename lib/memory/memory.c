/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* The memory map: mapping, unmapping, listing. lib/memory/access.c reads and writes through it. */
#include "lib/memory/memory.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/cancel.h"
#include "lib/base/sized.h"
#include "lib/host/sys.h"
#include "lib/machine/object.h"
#include "lib/memory/dirty.h"
#include "lib/text/error.h"

#define FLAGS_ANY (AXVM_MEM_READONLY | AXVM_MEM_POPULATE | AXVM_MEM_THP | AXVM_MEM_LOG_DIRTY)

/* The flags that each backing allows. */
static const uint32_t backing_flags[] = {
	[AXVM_MEM_ANONYMOUS] = FLAGS_ANY | AXVM_MEM_HUGETLB,
	[AXVM_MEM_MEMFD] = FLAGS_ANY | AXVM_MEM_HUGETLB,
	[AXVM_MEM_FILE] = FLAGS_ANY | AXVM_MEM_SHARED,
	[AXVM_MEM_CALLER] = AXVM_MEM_READONLY | AXVM_MEM_LOG_DIRTY,
};

int axv_memory_init(struct axv_memory_map *map)
{
	int ret = -pthread_mutex_init(&map->change, NULL);

	if (ret)
		return ret;
	ret = axv_srcu_init(&map->srcu);
	if (!ret) {
		ret = axv_memory_table_init(map);
		if (ret)
			axv_srcu_destroy(&map->srcu);
	}
	if (ret)
		pthread_mutex_destroy(&map->change);
	return ret;
}

static void host_unmap(struct axvm *vm, struct axv_region *region)
{
	if (region->info.backing != AXVM_MEM_CALLER)
		vm->hal.unmap_memory(vm->hal.ctx, &region->info);
}

static void region_free(struct axvm *vm, struct axv_region *region)
{
	host_unmap(vm, region);
	free(region->log);
	free(region->chunk);
	free(region);
}

void axv_memory_destroy(struct axvm *vm)
{
	struct axv_memory_map *map = &vm->memory;
	const struct axv_memory_table *table = axv_memory_table(map);
	int cancel = axv_cancel_disable();

	for (size_t i = 0; i < table->count; i++)
		region_free(vm, table->keys[i].region);
	axv_cancel_restore(cancel);
	axv_memory_table_destroy(map);
	free(map->slots);
	axv_srcu_destroy(&map->srcu);
	pthread_mutex_destroy(&map->change);
}

/* --- checks --------------------------------------------------------------------------------- */

static int check_range(const struct axvm *vm, uint64_t gpa, uint64_t len)
{
	uint64_t page = vm->limits.page_size;
	unsigned int bits = vm->limits.gpa_bits;

	if (!len)
		return axvcpu_fail(vm, -EINVAL, "map %#" PRIx64 ": the length is 0", gpa);
	if (gpa % page || len % page)
		return axvcpu_fail(vm, -EINVAL,
				   "map %#" PRIx64 " +%#" PRIx64
				   ": the %s is not a multiple of the host's page size, %" PRIu64,
				   gpa, len, gpa % page ? "address" : "length", page);
	if (gpa + len - 1 < gpa)
		return axvcpu_fail(vm, -EINVAL,
				   "map %#" PRIx64 " +%#" PRIx64 ": the range wraps around", gpa,
				   len);
	if (bits < 64 && (gpa + len - 1) >> bits)
		return axvcpu_fail(vm, -EINVAL,
				   "map %#" PRIx64 " +%#" PRIx64
				   ": beyond this VM's %u bits of guest-physical addresses",
				   gpa, len, bits);
	if (len > vm->limits.region_bytes)
		return axvcpu_fail(vm, -EINVAL,
				   "map %#" PRIx64 " +%#" PRIx64 ": a region has at most %#" PRIx64
				   " bytes here; map several regions",
				   gpa, len, vm->limits.region_bytes);
	return 0;
}

static int check_backing(const struct axvm *vm, const struct axvm_region *region)
{
	uint64_t page = vm->limits.page_size;
	uint32_t known = FLAGS_ANY | AXVM_MEM_HUGETLB | AXVM_MEM_SHARED;

	if (region->backing >= sizeof(backing_flags) / sizeof(backing_flags[0]))
		return axvcpu_fail(vm, -EINVAL, "map %#" PRIx64 ": unknown backing %" PRIu32,
				   region->gpa, region->backing);
	if (region->flags & ~known)
		return axvcpu_fail(vm, -EINVAL, "map %#" PRIx64 ": unknown flags %#" PRIx32,
				   region->gpa, region->flags & ~known);
	if (region->flags & ~backing_flags[region->backing])
		return axvcpu_fail(vm, -EINVAL,
				   "map %#" PRIx64 ": flags %#" PRIx32
				   " are not allowed with backing %" PRIu32,
				   region->gpa, region->flags & ~backing_flags[region->backing],
				   region->backing);
	if (region->backing == AXVM_MEM_CALLER) {
		/* KVM would accept address 0. */
		if (!region->hva)
			return axvcpu_fail(vm, -EINVAL, "map %#" PRIx64 ": hva is NULL",
					   region->gpa);
		if ((uintptr_t)region->hva % page)
			return axvcpu_fail(vm, -EINVAL,
					   "map %#" PRIx64
					   ": hva %p is not a multiple of the page size, %" PRIu64,
					   region->gpa, region->hva, page);
		if ((uintptr_t)region->hva + region->len - 1 < (uintptr_t)region->hva)
			return axvcpu_fail(vm, -EINVAL, "map %#" PRIx64 ": hva %p wraps around",
					   region->gpa, region->hva);
	}
	if (region->backing == AXVM_MEM_FILE && region->fd_offset % page)
		return axvcpu_fail(vm, -EINVAL,
				   "map %#" PRIx64 ": fd_offset %#" PRIx64
				   " is not a multiple of the page size, %" PRIu64,
				   region->gpa, region->fd_offset, page);
	return 0;
}

/* Returns a device's range of addresses from 'base' to 'last', or NULL. */
static const struct axv_range *device_at(struct axvm *vm, uint64_t base, uint64_t last)
{
	return axv_device_overlap(atomic_load(&vm->devices.tables[AXVM_SPACE_MMIO]), base, last);
}

/* Returns the index for a region of this range, or -EEXIST. */
static int64_t check_overlap(struct axvm *vm, const struct axv_memory_table *table, uint64_t gpa,
			     uint64_t len)
{
	size_t i = axv_memory_lower_bound(table, gpa);
	const struct axv_range *range = device_at(vm, gpa, gpa + len - 1);

	if (i < table->count && table->keys[i].gpa <= gpa + len - 1)
		return axvcpu_fail(vm, -EEXIST,
				   "map %#" PRIx64 " +%#" PRIx64 ": overlaps the region %#" PRIx64
				   " +%#" PRIx64,
				   gpa, len, table->keys[i].gpa, table->keys[i].region->len);
	if (range)
		return axvcpu_fail(vm, -EEXIST,
				   "map %#" PRIx64 " +%#" PRIx64 ": overlaps %#" PRIx64
				   " +%#" PRIx64 " of device %s",
				   gpa, len, range->live.base, range->len,
				   range->live.device->name);
	return (int64_t)i;
}

/* --- slots ------------------------------------------------------------------------------------ */

/* Makes sure that a free number exists besides the 'used' ones, so that slot_take() cannot fail. */
static int reserve_slot(struct axv_memory_map *map, size_t used)
{
	size_t words = map->slot_words * 2 + 1;
	uint64_t *slots;

	if (used < map->slot_words * 64)
		return 0;
	slots = axv_sys_calloc(words, sizeof(*slots));
	if (!slots)
		return -ENOMEM;
	if (map->slots)
		memcpy(slots, map->slots, map->slot_words * sizeof(*slots));
	free(map->slots);
	map->slots = slots;
	map->slot_words = words;
	return 0;
}

/* Returns the lowest free number; one exists after reserve_slot(). */
static uint32_t slot_take(struct axv_memory_map *map)
{
	size_t word = 0;
	unsigned int bit;

	while (!~map->slots[word])
		word++;
	bit = (unsigned int)__builtin_ctzll(~map->slots[word]);
	map->slots[word] |= UINT64_C(1) << bit;
	return (uint32_t)(word * 64 + bit);
}

static void slot_give(struct axv_memory_map *map, uint32_t slot)
{
	map->slots[slot / 64] &= ~(UINT64_C(1) << slot % 64);
}

/* --- map and unmap --------------------------------------------------------------------------- */

static int host_map(struct axvm *vm, struct axv_region *region)
{
	struct axvm_region *info = &region->info;
	unsigned int failures = axv_error_count;
	int ret;

	if (info->backing != AXVM_MEM_CALLER) {
		ret = vm->hal.map_memory(vm->hal.ctx, info);
		/* A hook may fail without a message, and then the latest message is an old one. */
		if (ret) {
			const char *why = "the HAL's map_memory failed";

			if (axv_error_count != failures)
				why = axvcpu_last_error();
			return axvcpu_fail(vm, ret, "map %#" PRIx64 " +%#" PRIx64 ": %s", info->gpa,
					   info->len, why);
		}
		if (!info->hva || (uintptr_t)info->hva % vm->limits.page_size) {
			host_unmap(vm, region);
			return axvcpu_fail(vm, -EINVAL,
					   "map %#" PRIx64 ": the HAL's memory at %p is unaligned",
					   info->gpa, info->hva);
		}
	}
	/* The caller may close the file after the call. */
	if (info->backing == AXVM_MEM_FILE)
		info->fd = -1;
	region->hva = info->hva;
	/* The host may write to what is read-only for the guest, unless others own it. */
	region->is_foreign = info->backing == AXVM_MEM_CALLER || (info->flags & AXVM_MEM_SHARED);
	region->truncatable = info->flags & AXVM_MEM_TRUNCATABLE;
	atomic_init(&region->flags, info->flags);
	return 0;
}

static int region_new(struct axvm *vm, const struct axvm_region *info, struct axv_region **out)
{
	struct axv_region *region = axv_sys_calloc(1, sizeof(*region));
	int ret;

	if (!region)
		return axvcpu_fail(vm, -ENOMEM, "map %#" PRIx64 ": allocating the region",
				   info->gpa);
	region->gpa = info->gpa;
	region->len = info->len;
	region->info = *info;
	ret = host_map(vm, region);
	if (ret) {
		free(region);
		return ret;
	}
	*out = region;
	return 0;
}

/* Maps a region that is not in the index yet into the guest. */
static int guest_map(struct axvm *vm, struct axv_region *region)
{
	struct axvm_region info;
	int ret = 0;

	if (region->info.flags & AXVM_MEM_LOG_DIRTY)
		ret = axv_dirty_prepare(vm, region);
	if (ret)
		return ret;
	region->slot = slot_take(&vm->memory);
	info = axv_region_info(region);
	if (HAS_OP(vm->ops, vm_map))
		ret = vm->ops->vm_map(vm->arch, &info, region->slot);
	if (ret)
		slot_give(&vm->memory, region->slot);
	return ret;
}

/* The caller holds 'change'. After guest_map() has succeeded, nothing can fail. */
static int map_locked(struct axvm *vm, const struct axvm_region *info, struct frame_chunk *chunk)
{
	struct axv_memory_map *map = &vm->memory;
	const struct axv_memory_table *table = axv_memory_table(map);
	int64_t at = check_overlap(vm, table, info->gpa, info->len);
	struct axv_memory_table *new;
	struct axv_region *region = NULL;
	int ret;

	if (at < 0)
		return (int)at;
	if (table->count >= vm->limits.regions)
		return axvcpu_fail(vm, -ENOSPC,
				   "map %#" PRIx64 ": all %" PRIu32 " slots are in use", info->gpa,
				   vm->limits.regions);
	new = axv_memory_table_with(table, (size_t)at);
	if (!new || reserve_slot(map, table->count)) {
		free(new);
		return axvcpu_fail(vm, -ENOMEM, "map %#" PRIx64 ": allocating the index",
				   info->gpa);
	}
	ret = region_new(vm, info, &region);
	if (!ret) {
		ret = guest_map(vm, region);
		if (ret)
			region_free(vm, region);
	}
	if (ret) {
		free(new);
		return ret;
	}
	region->chunk = chunk;
	new->keys[at] = (struct axv_region_key){ region->gpa, region };
	axv_memory_table_publish(map, new);
	return 0;
}

int axvm_map(struct axvm *vm, const struct axvm_region *given)
{
	struct axvm_region info;
	int cancel, ret = axv_vm_check_process(vm);

	if (ret)
		return ret;
	if (!given)
		return axvcpu_fail(vm, -EINVAL, "map: the region is NULL");
	ret = axv_sized_copy(vm, "struct axvm_region", &info, sizeof(info), given);
	if (ret)
		return ret;
	ret = check_range(vm, info.gpa, info.len);
	if (ret)
		return ret;
	ret = check_backing(vm, &info);
	if (!ret && (info.flags & AXVM_MEM_LOG_DIRTY))
		ret = axv_dirty_check(vm);
	if (ret)
		return ret;
	if (info.backing != AXVM_MEM_CALLER)
		info.hva = NULL;
	if (info.backing != AXVM_MEM_FILE)
		info.fd = -1;

	cancel = axv_cancel_disable();
	pthread_mutex_lock(&vm->memory.change);
	/* Only the reader of the logs may switch one on. */
	if (info.flags & AXVM_MEM_LOG_DIRTY)
		ret = axv_dirty_check_reader(vm, NULL, "map");
	if (!ret)
		ret = map_locked(vm, &info, NULL);
	pthread_mutex_unlock(&vm->memory.change);
	axv_cancel_restore(cancel);
	return ret;
}

/* Removes the region from the guest and from the index. The caller holds 'change'. */
static int take_out(struct axvm *vm, uint64_t gpa, uint64_t len, bool chunk,
		    struct axv_region **out)
{
	struct axv_memory_map *map = &vm->memory;
	const struct axv_memory_table *table = axv_memory_table(map);
	const int64_t at = axv_memory_find_exact(vm, "unmap", gpa, len);
	struct axv_memory_table *new;
	struct axv_region *region;

	if (at < 0)
		return (int)at;
	region = table->keys[at].region;
	if (region->chunk && !chunk)
		return axvcpu_fail(vm, -EBUSY,
				   "unmap %#" PRIx64
				   ": the region belongs to axvm_alloc_frame() and is unmapped "
				   "automatically",
				   gpa);
	new = axv_memory_table_without(table, (size_t)at);
	if (!new)
		return axvcpu_fail(vm, -ENOMEM, "unmap %#" PRIx64 ": allocating the index", gpa);
	if (!region->is_absent && HAS_OP(vm->ops, vm_unmap)) {
		const struct axvm_region info = axv_region_info(region);
		int ret = vm->ops->vm_unmap(vm->arch, &info, region->slot);

		if (ret) {
			free(new);
			return ret;
		}
	}
	slot_give(map, region->slot);
	axv_memory_table_publish(map, new);
	*out = region;
	return 0;
}

static int unmap(struct axvm *vm, uint64_t gpa, uint64_t len, bool chunk)
{
	struct axv_memory_map *map = &vm->memory;
	struct axv_region *region = NULL;
	int ret;

	pthread_mutex_lock(&map->change);
	ret = take_out(vm, gpa, len, chunk, &region);
	pthread_mutex_unlock(&map->change);
	if (ret)
		return ret;
	/* Not under 'change': other maps and unmaps must not wait for look-ups. */
	axv_srcu_synchronize(&map->srcu);
	region_free(vm, region);
	return 0;
}

int axvm_unmap(struct axvm *vm, uint64_t gpa, uint64_t len)
{
	int cancel, ret = axv_vm_check_process(vm);

	if (ret)
		return ret;
	cancel = axv_cancel_disable();
	ret = unmap(vm, gpa, len, false);
	axv_cancel_restore(cancel);
	return ret;
}

/* --- regions of the library ------------------------------------------------------------------- */

/* Finds room for axv_memory_map_chunk(). The caller holds 'change'. */
static int find_gap(struct axvm *vm, uint64_t len, uint64_t floor, uint64_t *gpa)
{
	const struct axv_memory_table *table = axv_memory_table(&vm->memory);
	unsigned int bits = vm->limits.gpa_bits;
	uint64_t last = bits < 64 ? (UINT64_C(1) << bits) - 1 : UINT64_MAX;
	uint64_t at;

	if (last < floor || last - floor < len - 1)
		return -ENOSPC;
	at = last - (len - 1);
	for (;;) {
		size_t i = axv_memory_lower_bound(table, at);
		const struct axv_range *range = device_at(vm, at, at + (len - 1));
		uint64_t start;

		if (i < table->count && table->keys[i].gpa <= at + (len - 1))
			start = table->keys[i].gpa;
		else if (range)
			start = range->live.base;
		else
			break;
		/* The next candidate, which ends below this region or device. */
		start &= ~(len - 1);
		if (start < floor || start - floor < len)
			return -ENOSPC;
		at = start - len;
	}
	*gpa = at;
	return 0;
}

int axv_memory_map(struct axvm *vm, const struct axvm_region *info, struct frame_chunk *chunk)
{
	int ret = check_range(vm, info->gpa, info->len);

	if (ret)
		return ret;
	pthread_mutex_lock(&vm->memory.change);
	ret = map_locked(vm, info, chunk);
	pthread_mutex_unlock(&vm->memory.change);
	return ret;
}

int axv_memory_map_chunk(struct axvm *vm, struct axvm_region *info, uint64_t floor,
			 struct frame_chunk *chunk)
{
	struct axv_memory_map *map = &vm->memory;
	int ret;

	pthread_mutex_lock(&map->change);
	ret = find_gap(vm, info->len, floor, &info->gpa);
	if (ret)
		axvcpu_fail(vm, ret,
			    "map: no %#" PRIx64 " bytes are free between %#" PRIx64
			    " and the end of the %u-bit guest-physical address space",
			    info->len, floor, vm->limits.gpa_bits);
	else
		ret = map_locked(vm, info, chunk);
	pthread_mutex_unlock(&map->change);
	return ret;
}

int axv_memory_unmap_chunk(struct axvm *vm, uint64_t gpa, uint64_t len)
{
	return unmap(vm, gpa, len, true);
}

struct frame_chunk *axv_memory_find_chunk(struct axvm *vm, uint64_t gpa)
{
	struct axv_memory_map *map = &vm->memory;
	const struct axv_memory_table *table = axv_memory_table(map);
	size_t i = axv_memory_find(map, table, gpa);

	return i < table->count ? table->keys[i].region->chunk : NULL;
}

int axvm_regions(struct axvm *vm, size_t first, size_t count, struct axvm_region *regions)
{
	struct axv_memory_map *map = &vm->memory;
	unsigned char *out = (unsigned char *)regions;
	const struct axv_memory_table *table;
	_Atomic uint32_t *reader;
	size_t stride = 0;
	int total = axv_vm_check_process(vm);

	if (total)
		return total;
	if (count) {
		if (!regions)
			return axvcpu_fail(vm, -EINVAL, "regions: the array is NULL");
		stride = regions->size;
		if (stride < sizeof(stride))
			return axvcpu_fail(
				vm, -EINVAL,
				"regions: size of the first element is %zu; initialise it with "
				"AXVM_REGION_INIT",
				stride);
		/* Garbage: an array with this stride would be written out of bounds. */
		if (stride > SIZED_MAX)
			return axvcpu_fail(
				vm, -E2BIG,
				"regions: size of the first element is %zu; the maximum is %d",
				stride, SIZED_MAX);
	}
	reader = axv_srcu_read_lock(&map->srcu);
	table = axv_memory_table(map);
	for (size_t i = first; i < table->count && i - first < count; i++, out += stride) {
		const struct axvm_region info = axv_region_info(table->keys[i].region);

		memset(out, 0, stride);
		memcpy(out, &info, stride < sizeof(info) ? stride : sizeof(info));
		memcpy(out, &stride, sizeof(stride));
	}
	total = (int)table->count;
	axv_srcu_read_unlock(&map->srcu, reader);
	return total;
}
