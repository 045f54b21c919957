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
struct frame_chunk;

struct region {
	uint64_t gpa;
	uint64_t len;
	unsigned char *hva;
	uint32_t slot;
	/* Writing from the host would fault. */
	bool host_readonly;
	/* Accesses may be SIGBUS: the kernel copies. */
	bool truncatable;
	/* What lib/memory/frames.c knows of it, if it is one of its; freed with it. */
	struct frame_chunk *chunk;
	/* As asked for, and as listed. */
	struct axvm_region info;
};

/* An index entry: the key beside the pointer keeps the binary search within one array. */
struct region_key {
	uint64_t gpa;
	struct region *region;
};

/* A version of the index: sorted by gpa, not overlapping; constant once it is published. */
struct memory_table {
	/* Of an earlier version: the next one, and when no reader has it any more. */
	struct memory_table *next;
	uint64_t stamp;

	size_t count;
	struct region_key keys[];
};

struct memory_map {
	/* Serialises changes. Look-ups do not take it, and its holder never waits for them. */
	pthread_mutex_t change;
	/* Look-ups are its readers, and copies to and from guest memory until they end. */
	struct srcu srcu;
	_Atomic(struct memory_table *) table;
	/* Earlier versions that a reader may still have. */
	struct memory_table *retired;
	/* Index of the latest hit: a hint, checked before use. */
	atomic_size_t last;
	/* Slot numbers in use, one bit each; grows. */
	uint64_t *slots;
	size_t slot_words;
};

int memory_init(struct memory_map *map);
/* Unmaps all from the host; the hypervisor's side is gone already. */
void memory_destroy(struct axvm *vm);

/*
 * Maps 'info' at the highest free address from 'floor' up that is a multiple of its length, a
 * power of two. The region belongs to 'chunk': only memory_unmap_chunk() unmaps it, and frees that.
 */
int memory_map_chunk(struct axvm *vm, struct axvm_region *info, uint64_t floor,
		     struct frame_chunk *chunk);
int memory_unmap_chunk(struct axvm *vm, uint64_t gpa, uint64_t len);
/* The chunk that the address is in, or NULL. For a reader of 'srcu', which keeps it. */
struct frame_chunk *memory_find_chunk(struct axvm *vm, uint64_t gpa);

/* --- memory_table.c: the index ----------------------------------------------------------------- */

/* -ENOMEM. */
int memory_table_init(struct memory_map *map);
void memory_table_destroy(struct memory_map *map);

/* The present version: for readers of 'srcu', and for the thread that holds 'change'. */
static inline const struct memory_table *memory_table(struct memory_map *map)
{
	return atomic_load(&map->table);
}

/* The index of the region that holds 'gpa', or table->count. */
size_t memory_find(struct memory_map *map, const struct memory_table *table, uint64_t gpa);
/* The index of the first region that ends above 'gpa': where it is, or where it would go. */
size_t memory_lower_bound(const struct memory_table *table, uint64_t gpa);

/* A copy with room for a region at index 'at', or without the one there. NULL: out of memory. */
struct memory_table *memory_table_with(const struct memory_table *old, size_t at);
struct memory_table *memory_table_without(const struct memory_table *old, size_t at);
/* Puts 'table' in the place of the present version. Needs 'change'. */
void memory_table_publish(struct memory_map *map, struct memory_table *table);

/* --- address.c: defaults of the HAL ----------------------------------------------------------- */

void *address_phys_to_virt(void *ctx, struct axvm *vm, uint64_t gpa);
int address_virt_to_phys(void *ctx, struct axvm *vm, const void *ptr, uint64_t *gpa);

#endif
