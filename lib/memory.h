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

struct region {
	uint64_t gpa;
	uint64_t len;
	unsigned char *hva;
	uint32_t slot;
	/* Writing from the host would fault. */
	bool host_readonly;
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

#endif
