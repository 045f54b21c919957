/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* Memory slots. */
#include <inttypes.h>

#include "backends/kvm/kvm.h"

static int set_slot(struct axk_vm *kvm, const struct axvm_region *region, uint32_t slot,
		    uint64_t len)
{
	const struct kvm_userspace_memory_region kvm_region = {
		.slot = slot,
		.flags = (region->flags & AXVM_MEM_READONLY ? KVM_MEM_READONLY : 0) |
			 (region->flags & AXVM_MEM_LOG_DIRTY ? KVM_MEM_LOG_DIRTY_PAGES : 0),
		.guest_phys_addr = region->gpa,
		.memory_size = len,
		.userspace_addr = (uintptr_t)region->hva,
	};
	int ret;

	/* Counted before the change: a KVM_RUN that fails because of it sees the new count. */
	atomic_fetch_add(&kvm->slot_changes, 1);
	ret = axk_ioctl(kvm->fd, KVM_SET_USER_MEMORY_REGION, &kvm_region);
	if (ret < 0)
		return axvcpu_fail(kvm->vm, ret,
				   "KVM_SET_USER_MEMORY_REGION of %#" PRIx64 " +%#" PRIx64
				   " in slot %" PRIu32,
				   region->gpa, len, slot);
	return 0;
}

/* Also sets other flags of an existing slot. */
int axk_vm_map(void *arch_vm, const struct axvm_region *region, uint32_t slot)
{
	int ret = axk_dirty_begin(arch_vm, region, slot);

	if (ret)
		return ret;
	ret = set_slot(arch_vm, region, slot, region->len);
	if (ret)
		axk_dirty_end(arch_vm, slot);
	return ret;
}

int axk_vm_unmap(void *arch_vm, const struct axvm_region *region, uint32_t slot)
{
	int ret = set_slot(arch_vm, region, slot, 0);

	if (!ret)
		axk_dirty_end(arch_vm, slot);
	return ret;
}

int axk_set_dirty_log(void *arch_vm, const struct axvm_region *region, uint32_t slot)
{
	int ret;

	if (region->flags & AXVM_MEM_LOG_DIRTY)
		return axk_vm_map(arch_vm, region, slot);
	ret = set_slot(arch_vm, region, slot, region->len);
	if (!ret)
		axk_dirty_end(arch_vm, slot);
	return ret;
}
