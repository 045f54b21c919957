/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * Regions change between writable and read-only. KVM does not change a slot in this way: the region
 * is unmapped from the guest and mapped again, while no vCPU can notice.
 */
#include <errno.h>
#include <inttypes.h>

#include "lib/base/cancel.h"
#include "lib/machine/object.h"
#include "lib/machine/vcpus.h"
#include "lib/memory/dirty.h"

static int check_region(const struct axvm *vm, const struct axv_region *region, bool readonly)
{
	const struct axvm_region *info = &region->info;

	if (region->chunk)
		return axvcpu_fail(vm, -EBUSY,
				   "set_readonly %#" PRIx64
				   ": the region belongs to axvm_alloc_frame()",
				   region->gpa);
	if (!readonly && info->backing == AXVM_MEM_FILE && (info->flags & AXVM_MEM_SHARED) &&
	    (info->flags & AXVM_MEM_READONLY))
		return axvcpu_fail(vm, -EROFS,
				   "set_readonly %#" PRIx64
				   ": the file was mapped read-only and shared; unmap the region, "
				   "and map it writable",
				   region->gpa);
	return 0;
}

static int guest_map(const struct axvm *vm, const struct axv_region *region, uint32_t flags)
{
	struct axvm_region info = axv_region_info(region);

	info.flags = flags;
	return HAS_OP(vm->ops, vm_map) ? vm->ops->vm_map(vm->arch, &info, region->slot) : 0;
}

static int guest_unmap(struct axvm *vm, struct axv_region *region)
{
	const struct axvm_region info = axv_region_info(region);
	int ret = 0;

	if (region->is_absent)
		return 0;
	/* The hypervisor forgets its bitmap with the mapping. */
	if (info.flags & AXVM_MEM_LOG_DIRTY)
		ret = axv_dirty_fetch(vm, region);
	if (!ret && HAS_OP(vm->ops, vm_unmap))
		ret = vm->ops->vm_unmap(vm->arch, &info, region->slot);
	return ret;
}

/* The caller holds 'change'. */
static int set_readonly(struct axvm *vm, uint64_t gpa, uint64_t len, bool readonly)
{
	const int64_t at = axv_memory_find_exact(vm, "set_readonly", gpa, len);
	struct axv_region *region;
	uint32_t flags;
	int ret;

	if (at < 0)
		return (int)at;
	region = axv_memory_table(&vm->memory)->keys[at].region;
	flags = axv_region_flags(region);
	if (!(flags & AXVM_MEM_READONLY) == !readonly && !region->is_absent)
		return 0;
	ret = check_region(vm, region, readonly);
	if (!ret)
		ret = guest_unmap(vm, region);
	if (ret)
		return ret;
	region->is_absent = true;
	flags = readonly ? flags | AXVM_MEM_READONLY : flags & ~AXVM_MEM_READONLY;
	ret = guest_map(vm, region, flags);
	if (!ret)
		atomic_store(&region->flags, flags);
	if (ret && guest_map(vm, region, axv_region_flags(region)))
		return axvcpu_fail(vm, ret,
				   "set_readonly %#" PRIx64 " +%#" PRIx64
				   ": the region could not be mapped again, and the guest does not "
				   "have it until another axvm_set_readonly() succeeds",
				   gpa, len);
	region->is_absent = false;
	return ret;
}

int axvm_set_readonly(struct axvm *vm, uint64_t gpa, uint64_t len, bool readonly)
{
	int cancel, ret = axv_vm_check_process(vm);

	if (ret)
		return ret;
	cancel = axv_cancel_disable();
	ret = axv_vcpus_check_rest(vm, "set_readonly");
	if (!ret) {
		pthread_mutex_lock(&vm->memory.change);
		ret = set_readonly(vm, gpa, len, readonly);
		pthread_mutex_unlock(&vm->memory.change);
	}
	axv_cancel_restore(cancel);
	return ret;
}
