/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* Dirty tracking: logs of regions, and taking pages from them. */
#include "lib/memory/dirty.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <string.h>

#include "lib/base/cancel.h"
#include "lib/host/sys.h"
#include "lib/machine/object.h"

/* The cursor of a round that has visited all regions. No page begins there. */
#define ROUND_END UINT64_MAX

static uint64_t pages_of(const struct axvm *vm, const struct axv_region *region)
{
	return region->len / vm->limits.page_size;
}

/* Bits 'first' to 'last' of a word. */
static uint64_t bits_between(unsigned int first, unsigned int last)
{
	return UINT64_MAX << first & UINT64_MAX >> (63 - last);
}

/* --- recording -------------------------------------------------------------------------------- */

void axv_dirty_mark_logged(const struct axvm *vm, struct axv_region *region, uint64_t offset,
			   uint64_t len)
{
	const uint64_t first = offset / vm->limits.page_size;
	const uint64_t last = (offset + (len - 1)) / vm->limits.page_size;

	for (uint64_t word = first / 64; word <= last / 64; word++) {
		const unsigned int low = word == first / 64 ? first % 64 : 0;
		const unsigned int high = word == last / 64 ? last % 64 : 63;

		__atomic_fetch_or(&region->log->bits[word], bits_between(low, high),
				  __ATOMIC_SEQ_CST);
	}
}

int axv_dirty_fetch(struct axvm *vm, struct axv_region *region)
{
	const struct axvm_region info = axv_region_info(region);
	struct axv_dirty_log *log = region->log;
	uint64_t *bitmap = log->bits + log->words;
	const uint64_t rest = pages_of(vm, region) % 64;
	int ret;

	/* The guest cannot write to it, and its bitmap was fetched before it was removed. */
	if (region->is_absent)
		return 0;
	ret = vm->ops->vm_get_dirty(vm->arch, &info, region->slot, bitmap);
	if (ret)
		return ret;
	/* No backend may report pages beyond the region. */
	if (rest)
		bitmap[log->words - 1] &= bits_between(0, (unsigned int)rest - 1);
	for (size_t i = 0; i < log->words; i++)
		if (bitmap[i])
			__atomic_fetch_or(&log->bits[i], bitmap[i], __ATOMIC_SEQ_CST);
	return 0;
}

/* --- switching logs --------------------------------------------------------------------------- */

int axv_dirty_check(const struct axvm *vm)
{
	if (!HAS_OP(vm->ops, vm_set_dirty_log) || !HAS_OP(vm->ops, vm_get_dirty))
		return axv_vm_not_supported(vm, "dirty tracking");
	return 0;
}

int axv_dirty_prepare(const struct axvm *vm, struct axv_region *region)
{
	const size_t words = (size_t)((pages_of(vm, region) + 63) / 64);
	struct axv_dirty_log *log = region->log;

	if (log) {
		/* A writer that saw the log on earlier may still set a bit, which does no harm. */
		for (size_t i = 0; i < words; i++)
			__atomic_store_n(&log->bits[i], 0, __ATOMIC_RELAXED);
		return 0;
	}
	log = axv_sys_calloc(1, sizeof(*log) + 2 * words * sizeof(log->bits[0]));
	if (!log)
		return axvcpu_fail(vm, -ENOMEM, "dirty log of %#" PRIx64 ": allocating the bitmaps",
				   region->gpa);
	log->words = words;
	region->log = log;
	return 0;
}

/* The caller holds 'change'. Returns 1 if it must wait for writers, 0, or a negative errno. */
static int set_log(struct axvm *vm, uint64_t gpa, uint64_t len, bool on)
{
	const int64_t at = axv_memory_find_exact(vm, "set_dirty_log", gpa, len);
	struct axv_region *region;
	struct axvm_region info;
	int ret;

	if (at < 0)
		return (int)at;
	region = axv_memory_table(&vm->memory)->keys[at].region;
	info = axv_region_info(region);
	if (!(info.flags & AXVM_MEM_LOG_DIRTY) == !on)
		return 0;
	ret = on ? axv_dirty_prepare(vm, region) : 0;
	if (ret)
		return ret;
	info.flags ^= AXVM_MEM_LOG_DIRTY;
	if (!region->is_absent)
		ret = vm->ops->vm_set_dirty_log(vm->arch, &info, region->slot);
	if (ret)
		return ret;
	/* Releases the log's contents to writers: axv_region_flags(). */
	atomic_store(&region->flags, info.flags);
	return on;
}

int axv_dirty_check_reader(struct axvm *vm, const struct axv_log_reader *reader, const char *what)
{
	if (atomic_load(&vm->memory.log_reader) == reader)
		return 0;
	return axvcpu_fail(vm, -EBUSY,
			   "%s: a checkpoint uses the dirty logs: it was created with "
			   "AXVM_CHECKPOINT_TRACK",
			   what);
}

int axvm_set_dirty_log(struct axvm *vm, uint64_t gpa, uint64_t len, bool on)
{
	int ret = axv_vm_check_process(vm);

	if (!ret)
		ret = axv_dirty_check(vm);
	return ret ? ret : axv_dirty_set_log(vm, NULL, gpa, len, on);
}

int axv_dirty_set_log(struct axvm *vm, const struct axv_log_reader *reader, uint64_t gpa,
		      uint64_t len, bool on)
{
	struct axv_memory_map *map = &vm->memory;
	int ret, cancel = axv_cancel_disable();

	pthread_mutex_lock(&map->change);
	ret = axv_dirty_check_reader(vm, reader, "set_dirty_log");
	if (!ret)
		ret = set_log(vm, gpa, len, on);
	pthread_mutex_unlock(&map->change);
	/* Not under 'change': its holder never waits for readers. */
	if (ret > 0)
		axv_srcu_synchronize(&map->srcu);
	axv_cancel_restore(cancel);
	return ret < 0 ? ret : 0;
}

/* --- taking ----------------------------------------------------------------------------------- */

struct taker {
	const struct axvm *vm;
	struct axvm_dirty_range *ranges;
	size_t count;
	/* Number of ranges so far. */
	size_t n;
};

/* Adds pages to the ranges. Returns whether there was room. */
static bool add(struct taker *taker, const struct axv_region *region, uint64_t page, uint64_t pages)
{
	const uint64_t offset = page * taker->vm->limits.page_size;
	const uint64_t len = pages * taker->vm->limits.page_size;
	unsigned char *hva = region->hva + offset;

	if (taker->n) {
		struct axvm_dirty_range *last = &taker->ranges[taker->n - 1];

		/* A range does not cross regions: their memory need not be adjacent. */
		if (offset && last->gpa + last->len == region->gpa + offset) {
			last->len += len;
			return true;
		}
	}
	if (taker->n == taker->count)
		return false;
	taker->ranges[taker->n++] =
		(struct axvm_dirty_range){ .gpa = region->gpa + offset, .len = len, .hva = hva };
	return true;
}

/* Takes the pages of one word from page 'page' on. Returns the next page to visit. */
static uint64_t take_word(struct taker *taker, const struct axv_region *region, uint64_t page)
{
	const uint64_t word = page / 64;
	uint64_t bits = __atomic_load_n(&region->log->bits[word], __ATOMIC_RELAXED);

	bits &= UINT64_MAX << page % 64;
	while (bits) {
		const unsigned int first = (unsigned int)__builtin_ctzll(bits);
		/* Zero if all 64 bits are set. */
		const uint64_t clear = ~(bits >> first);
		const unsigned int run = clear ? (unsigned int)__builtin_ctzll(clear) : 64;
		const uint64_t taken = bits_between(first, first + run - 1);

		if (!add(taker, region, word * 64 + first, run))
			return word * 64 + first;
		/* Before the caller reads the pages. */
		__atomic_fetch_and(&region->log->bits[word], ~taken, __ATOMIC_SEQ_CST);
		bits &= ~taken;
	}
	return (word + 1) * 64;
}

/*
 * Takes pages of a region from address *cursor on, which moves to the next address to visit.
 * Returns whether the region is finished.
 */
static bool take_region(struct taker *taker, const struct axv_region *region, uint64_t *cursor)
{
	const uint64_t page_size = taker->vm->limits.page_size;
	const uint64_t pages = pages_of(taker->vm, region);
	uint64_t page = *cursor > region->gpa ? (*cursor - region->gpa) / page_size : 0;

	while (page < pages) {
		const uint64_t next = take_word(taker, region, page);

		if (next / 64 == page / 64) {
			*cursor = region->gpa + next * page_size;
			return false;
		}
		page = next;
	}
	/* Also right for a region that ends with the address space: the result is 0. */
	*cursor = region->gpa + region->len;
	if (!*cursor)
		*cursor = ROUND_END;
	return true;
}

/* The caller holds 'change'. Returns 0 or a negative errno. */
static int take(struct axvm *vm, struct taker *taker, uint64_t *cursor)
{
	const struct axv_memory_table *table = axv_memory_table(&vm->memory);

	for (size_t i = axv_memory_lower_bound(table, *cursor); i < table->count; i++) {
		struct axv_region *region = table->keys[i].region;

		if (!(axv_region_flags(region) & AXVM_MEM_LOG_DIRTY))
			continue;
		if (*cursor <= region->gpa) {
			const int ret = axv_dirty_fetch(vm, region);

			if (ret) {
				*cursor = region->gpa;
				return ret;
			}
		}
		if (!take_region(taker, region, cursor))
			return 0;
	}
	*cursor = ROUND_END;
	return 0;
}

int axvm_take_dirty(struct axvm *vm, uint64_t *cursor, size_t count,
		    struct axvm_dirty_range *ranges)
{
	int ret = axv_vm_check_process(vm);

	if (ret)
		return ret;
	if (!cursor || !ranges || !count || count > INT_MAX)
		return axvcpu_fail(vm, -EINVAL, "take_dirty: %s",
				   !cursor   ? "the cursor is NULL"
				   : !ranges ? "the array is NULL"
					     : "the array must have 1 to INT_MAX elements");
	return axv_dirty_take(vm, NULL, cursor, count, ranges);
}

int axv_dirty_take(struct axvm *vm, const struct axv_log_reader *reader, uint64_t *cursor,
		   size_t count, struct axvm_dirty_range *ranges)
{
	struct taker taker = { .vm = vm, .ranges = ranges, .count = count };
	uint64_t next = *cursor;
	int cancel, ret;

	if (next == ROUND_END) {
		*cursor = 0;
		return 0;
	}
	cancel = axv_cancel_disable();
	pthread_mutex_lock(&vm->memory.change);
	ret = axv_dirty_check_reader(vm, reader, "take_dirty");
	if (!ret)
		ret = take(vm, &taker, &next);
	pthread_mutex_unlock(&vm->memory.change);
	axv_cancel_restore(cancel);
	/* Pages taken before a failure are reported first; the next call tries again. */
	if (ret && !taker.n)
		return ret;
	*cursor = taker.n ? next : 0;
	return (int)taker.n;
}
