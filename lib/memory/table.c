/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* The index of the memory map: look-ups in one version, and publishing a new version. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "lib/host/sys.h"
#include "lib/machine/object.h"
#include "lib/memory/memory.h"

size_t axv_memory_lower_bound(const struct axv_memory_table *table, uint64_t gpa)
{
	size_t low = 0, high = table->count;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (table->keys[mid].gpa <= gpa)
			low = mid + 1;
		else
			high = mid;
	}
	/* 'low' starts above gpa; the region before it may contain gpa. */
	if (low && gpa - table->keys[low - 1].gpa < table->keys[low - 1].region->len)
		low--;
	return low;
}

bool axv_memory_overlap(struct axv_memory_map *map, uint64_t base, uint64_t last, uint64_t *gpa,
			uint64_t *len)
{
	const struct axv_memory_table *table = axv_memory_table(map);
	size_t i = axv_memory_lower_bound(table, base);

	if (i == table->count || table->keys[i].gpa > last)
		return false;
	*gpa = table->keys[i].gpa;
	*len = table->keys[i].region->len;
	return true;
}

size_t axv_memory_find(struct axv_memory_map *map, const struct axv_memory_table *table,
		       uint64_t gpa)
{
	size_t i = atomic_load_explicit(&map->last, memory_order_relaxed);

	if (i < table->count && gpa - table->keys[i].gpa < table->keys[i].region->len)
		return i;
	i = axv_memory_lower_bound(table, gpa);
	if (i == table->count || gpa < table->keys[i].gpa)
		return table->count;
	atomic_store_explicit(&map->last, i, memory_order_relaxed);
	return i;
}

int64_t axv_memory_find_exact(struct axvm *vm, const char *what, uint64_t gpa, uint64_t len)
{
	const struct axv_memory_table *table = axv_memory_table(&vm->memory);
	const size_t at = axv_memory_find(&vm->memory, table, gpa);

	if (at == table->count || table->keys[at].gpa != gpa || table->keys[at].region->len != len)
		return axvcpu_fail(vm, -ENOENT,
				   "%s %#" PRIx64 " +%#" PRIx64
				   ": no region has exactly this range",
				   what, gpa, len);
	return (int64_t)at;
}

static struct axv_memory_table *table_new(size_t count)
{
	struct axv_memory_table *table = axv_sys_calloc(1, sizeof(*table) +
								   count * sizeof(table->keys[0]));

	if (table)
		table->count = count;
	return table;
}

struct axv_memory_table *axv_memory_table_with(const struct axv_memory_table *old, size_t at)
{
	struct axv_memory_table *table = table_new(old->count + 1);

	if (!table)
		return NULL;
	memcpy(table->keys, old->keys, at * sizeof(old->keys[0]));
	memcpy(&table->keys[at + 1], &old->keys[at], (old->count - at) * sizeof(old->keys[0]));
	return table;
}

struct axv_memory_table *axv_memory_table_without(const struct axv_memory_table *old, size_t at)
{
	struct axv_memory_table *table = table_new(old->count - 1);

	if (!table)
		return NULL;
	memcpy(table->keys, old->keys, at * sizeof(old->keys[0]));
	memcpy(&table->keys[at], &old->keys[at + 1], (table->count - at) * sizeof(old->keys[0]));
	return table;
}

int axv_memory_table_init(struct axv_memory_map *map)
{
	struct axv_memory_table *table = table_new(0);

	if (!table)
		return -ENOMEM;
	atomic_store(&map->table, table);
	return 0;
}

/*
 * Frees earlier versions without waiting for readers. While a reader is inside, which may be long
 * if it waits for a page, every change keeps a version; otherwise each is freed one or two changes
 * later.
 */
static void free_retired(struct axv_memory_map *map)
{
	struct axv_memory_table **p = &map->retired;

	while (*p) {
		struct axv_memory_table *table = *p;

		if (!axv_srcu_poll(&map->srcu, table->stamp)) {
			p = &table->next;
			continue;
		}
		*p = table->next;
		free(table);
	}
}

void axv_memory_table_publish(struct axv_memory_map *map, struct axv_memory_table *table)
{
	map->version++;
	struct axv_memory_table *old = atomic_load(&map->table);

	/* Sequentially consistent: this is W1 of lib/memory/srcu.h. */
	atomic_store(&map->table, table);
	old->stamp = axv_srcu_stamp(&map->srcu);
	old->next = map->retired;
	map->retired = old;
	free_retired(map);
}

void axv_memory_table_destroy(struct axv_memory_map *map)
{
	struct axv_memory_table *table = atomic_load(&map->table);

	table->next = map->retired;
	while (table) {
		struct axv_memory_table *next = table->next;

		free(table);
		table = next;
	}
}
