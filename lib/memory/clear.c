/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* Clears guest memory, for the reset of a VM. */
#include <sys/mman.h>

#include "lib/base/cancel.h"
#include "lib/host/hal.h"
#include "lib/host/sys.h"
#include "lib/machine/object.h"
#include "lib/memory/dirty.h"

/* Returns the advice that drops the pages of a region, so that they read as zero; 0: none does. */
static int drop_advice(const struct axvm *vm, const struct axvm_region *region)
{
	/*
	 * A hook may map anything. Dropped huge pages may be missing when they are needed again.
	 * Dropped pages of a clone read as in the checkpoint.
	 */
	if (!axv_hal_maps_memory(&vm->hal) ||
	    (region->flags & (AXVM_MEM_HUGETLB | AXVM_MEM_CLONED)))
		return 0;
	switch (region->backing) {
	case AXVM_MEM_ANONYMOUS:
		return MADV_DONTNEED;
	case AXVM_MEM_MEMFD:
		return MADV_REMOVE;
	default:
		return 0;
	}
}

int axv_memory_zero(const struct axvm *vm, const struct axv_region *region, uint64_t offset,
		    uint64_t len, uint64_t drop_min)
{
	int advice = len < drop_min ? 0 : drop_advice(vm, &region->info);

	/* The kernel refuses it for locked memory, for example. */
	if (advice && !axv_sys_madvise(region->hva + offset, len, advice))
		return 0;
	return axv_memory_store(vm, region, offset, NULL, len);
}

static void clear(const struct axvm *vm, struct axv_region *region)
{
	if (region->info.backing == AXVM_MEM_FILE || (axv_region_flags(region) & AXVM_MEM_READONLY))
		return;
	axv_memory_zero(vm, region, 0, region->len, AXV_DROP_UNUSED);
	axv_dirty_mark(vm, region, 0, region->len);
}

void axv_memory_clear(struct axvm *vm)
{
	struct axv_memory_map *map = &vm->memory;
	int cancel = axv_cancel_disable();
	_Atomic uint32_t *reader = axv_srcu_read_lock(&map->srcu);
	const struct axv_memory_table *table = axv_memory_table(map);

	for (size_t i = 0; i < table->count; i++)
		clear(vm, table->keys[i].region);
	axv_srcu_read_unlock(&map->srcu, reader);
	axv_cancel_restore(cancel);
}
