/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* The memory map: regions by guest-physical address. */
#ifndef LIB_MEMORY_H
#define LIB_MEMORY_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "axvcpu/memory.h"

struct axvm;
struct frame_chunk;

struct region {
	uint64_t gpa;
	uint64_t len;
	unsigned char *hva;
	uint32_t slot;
	/* Writing from the host would fault. */
	bool host_readonly;
	/* What lib/frames.c knows of it, if it is one of its; freed with it. */
	struct frame_chunk *chunk;
	/* As asked for, and as listed. */
	struct axvm_region info;
};

/* An index entry: the key beside the pointer keeps the binary search within one array. */
struct region_key {
	uint64_t gpa;
	struct region *region;
};

struct memory_map {
	/* Serialises changes; look-ups do not take it. */
	pthread_mutex_t change;
	/* Guards 'keys' and the regions they point to against removal. */
	pthread_rwlock_t lock;
	/* Sorted by gpa, not overlapping. */
	struct region_key *keys;
	size_t count;
	size_t capacity;
	/* Index of the latest hit: a hint, checked before use. */
	atomic_size_t last;
	/* Slot numbers in use, one bit each; grows. */
	uint64_t *slots;
	size_t slot_words;
};

int memory_init(struct memory_map *map);
/* Unmaps all from the host; the hypervisor's side is gone already. */
void memory_destroy(struct axvm *vm);

/* The index of the region that holds 'gpa', or map->count. The caller holds a lock of the map. */
size_t memory_find(struct memory_map *map, uint64_t gpa);

/*
 * Maps 'info' at the highest free address from 'floor' up that is a multiple of its length, a
 * power of two. The region belongs to 'chunk': nobody else unmaps it, and it frees that.
 */
int memory_map_chunk(struct axvm *vm, struct axvm_region *info, uint64_t floor,
		     struct frame_chunk *chunk);
int memory_unmap_chunk(struct axvm *vm, uint64_t gpa, uint64_t len);
/* The chunk that the address is in, or NULL. */
struct frame_chunk *memory_find_chunk(struct axvm *vm, uint64_t gpa);

/* --- address.c: defaults of the HAL ----------------------------------------------------------- */

void *address_phys_to_virt(void *ctx, struct axvm *vm, uint64_t gpa);
int address_virt_to_phys(void *ctx, struct axvm *vm, const void *ptr, uint64_t *gpa);

#endif
