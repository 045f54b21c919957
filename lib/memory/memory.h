/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* The memory map: regions by guest-physical address. */
#ifndef LIB_MEMORY_H
#define LIB_MEMORY_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "axvcpu/memory.h"
#include "lib/memory/srcu.h"

struct axvm;
struct axv_dirty_log;
struct frame_chunk;

struct axv_region {
	uint64_t gpa;
	uint64_t len;
	unsigned char *hva;
	uint32_t slot;
	/* AXVM_MEM_* at present. Of these, READONLY and LOG_DIRTY may change, under 'change'. */
	_Atomic uint32_t flags;
	/* Others own the memory: while the guest must not write to it, nor must the host. */
	bool is_foreign;
	/* The guest does not have it: axvm_set_readonly() could not map it again. Under 'change'. */
	bool is_absent;
	/* Accesses may raise SIGBUS, so the kernel copies instead. */
	bool truncatable;
	/* If lib/memory/frames.c owns the region: its chunk, which is freed with the region. */
	struct frame_chunk *chunk;
	/* NULL until the log is first switched on; freed with the region. lib/memory/dirty.h */
	struct axv_dirty_log *log;
	/* As given to axvm_map(); axv_region_info() has the present flags. */
	struct axvm_region info;
};

/* Acquires: if a flag is set, the stores before it was set are visible. */
static inline uint32_t axv_region_flags(const struct axv_region *region)
{
	return atomic_load_explicit(&region->flags, memory_order_acquire);
}

/* As axvm_regions() returns it. */
static inline struct axvm_region axv_region_info(const struct axv_region *region)
{
	struct axvm_region info = region->info;

	info.flags = axv_region_flags(region);
	info.slot = region->slot;
	return info;
}

static inline bool axv_region_host_readonly(const struct axv_region *region)
{
	return region->is_foreign && (axv_region_flags(region) & AXVM_MEM_READONLY);
}

/* An index entry: the key beside the pointer keeps the binary search within one array. */
struct axv_region_key {
	uint64_t gpa;
	struct axv_region *region;
};

/* A version of the index: sorted by gpa, not overlapping; constant once it is published. */
struct axv_memory_table {
	/* For an earlier version: the list, and the SRCU stamp after which no reader uses it. */
	struct axv_memory_table *next;
	uint64_t stamp;

	size_t count;
	struct axv_region_key keys[];
};

/* A reader of dirty logs that others must not use. */
struct axv_log_reader {
	/* NULL after the VM was freed. */
	_Atomic(struct axvm *) vm;
};

struct axv_memory_map {
	/* Serialises changes. Look-ups do not take it, and its holder never waits for them. */
	pthread_mutex_t change;
	/* Its readers are look-ups, and copies to and from guest memory. */
	struct axv_srcu srcu;
	_Atomic(struct axv_memory_table *) table;
	/* Earlier versions that a reader may still use. */
	struct axv_memory_table *retired;
	/* Index of the latest hit: a hint, checked before use. */
	atomic_size_t last;
	/* Changed whenever a region is mapped or unmapped. Under 'change'. */
	uint64_t version;
	/* The only reader of the dirty logs; NULL: the callers of axvm_take_dirty(). */
	_Atomic(struct axv_log_reader *) log_reader;
	/* Bitmap of the slot numbers in use; it grows. */
	uint64_t *slots;
	size_t slot_words;
};

int axv_memory_init(struct axv_memory_map *map);
/* Unmaps all regions from the host. The guest's mappings must be gone. */
void axv_memory_destroy(struct axvm *vm);

/*
 * Maps 'info', which is valid except for its range. 'chunk' is that of a region of frames, or NULL.
 * With AXVM_MEM_CLONED the memory is that of info->fd at info->fd_offset, copy
 * on write; the HAL must be the default one.
 */
int axv_memory_map(struct axvm *vm, const struct axvm_region *info, struct frame_chunk *chunk);
/*
 * Maps 'info' at the highest free address from 'floor' up that is a multiple of its length, a power
 * of two. The region belongs to 'chunk': only axv_memory_unmap_chunk() unmaps it, and frees
 * 'chunk'.
 */
int axv_memory_map_chunk(struct axvm *vm, struct axvm_region *info, uint64_t floor,
			 struct frame_chunk *chunk);
int axv_memory_unmap_chunk(struct axvm *vm, uint64_t gpa, uint64_t len);
/* Returns the chunk that contains the address, or NULL. The caller must be a reader of 'srcu'. */
struct frame_chunk *axv_memory_find_chunk(struct axvm *vm, uint64_t gpa);

/* clear.c: fills memory with zeros, except read-only regions and files. */
void axv_memory_clear(struct axvm *vm);
/*
 * Fills pages of a region with zeros; at least 'drop_min' bytes are dropped, where that is possible.
 * The dirty log does not get them. Returns 0 or a negative errno.
 */
int axv_memory_zero(const struct axvm *vm, const struct axv_region *region, uint64_t offset,
		    uint64_t len, uint64_t drop_min);
/*
 * A dropped page costs a fault at its next use. Of a few pages, all are probably used again. A guest
 * that was reset uses again most of the pages that it had changed, unless they are very many.
 */
#define AXV_DROP_UNUSED UINT64_C(0x10000)
#define AXV_DROP_USED UINT64_C(0x800000)
/*
 * access.c: writes 'from', or zeros if it is NULL, to a region. The dirty log does not get it. Returns
 * 0, or a negative errno if the memory is truncatable. The caller is a reader of 'srcu'.
 */
int axv_memory_store(const struct axvm *vm, const struct axv_region *region, uint64_t offset,
		     const void *from, uint64_t len);

/* --- table.c: the index ----------------------------------------------------------------------- */

/* Returns 0 or -ENOMEM. */
int axv_memory_table_init(struct axv_memory_map *map);
void axv_memory_table_destroy(struct axv_memory_map *map);

/* Returns the current version. The caller must be a reader of 'srcu' or hold 'change'. */
static inline const struct axv_memory_table *axv_memory_table(struct axv_memory_map *map)
{
	return atomic_load(&map->table);
}

/* Returns the index of the region that contains 'gpa', or table->count. */
size_t axv_memory_find(struct axv_memory_map *map, const struct axv_memory_table *table,
		       uint64_t gpa);
/*
 * Returns the index of the region with exactly this range, or -ENOENT with a message that begins
 * with 'what'.
 */
int64_t axv_memory_find_exact(struct axvm *vm, const char *what, uint64_t gpa, uint64_t len);
/*
 * Returns the index of the first region that ends above 'gpa', which is where a new one would go.
 */
size_t axv_memory_lower_bound(const struct axv_memory_table *table, uint64_t gpa);
/*
 * Whether a region has an address from 'base' to 'last'; *gpa and *len are then its range. The
 * caller must hold 'change'.
 */
bool axv_memory_overlap(struct axv_memory_map *map, uint64_t base, uint64_t last, uint64_t *gpa,
			uint64_t *len);

/* A copy with room for a region at index 'at', or without the region there. NULL: out of memory. */
struct axv_memory_table *axv_memory_table_with(const struct axv_memory_table *old, size_t at);
struct axv_memory_table *axv_memory_table_without(const struct axv_memory_table *old, size_t at);
/* Makes 'table' the current version. The caller must hold 'change'. */
void axv_memory_table_publish(struct axv_memory_map *map, struct axv_memory_table *table);

/* --- address.c: defaults of the HAL ----------------------------------------------------------- */

void *axv_address_phys_to_virt(void *ctx, struct axvm *vm, uint64_t gpa);
int axv_address_virt_to_phys(void *ctx, struct axvm *vm, const void *ptr, uint64_t *gpa);

#endif
