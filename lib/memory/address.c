/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* Guest-physical addresses and host pointers: by the HAL, whose default is the memory map. */
#include <errno.h>
#include <inttypes.h>

#include "lib/machine/object.h"
#include "lib/text/error.h"
#include "lib/memory/memory.h"

void *axv_address_phys_to_virt(void *ctx, struct axvm *vm, uint64_t gpa)
{
	void *ptr = NULL;

	(void)ctx;
	axvm_translate(vm, gpa, 1, &ptr);
	return ptr;
}

int axv_address_virt_to_phys(void *ctx, struct axvm *vm, const void *ptr, uint64_t *gpa)
{
	struct axv_memory_map *map = &vm->memory;
	_Atomic uint32_t *reader = axv_srcu_read_lock(&map->srcu);
	const struct axv_memory_table *table = axv_memory_table(map);
	int ret = -ENOENT;

	(void)ctx;
	for (size_t i = 0; i < table->count && ret; i++) {
		const struct axv_region *region = table->keys[i].region;
		uint64_t offset = (uintptr_t)ptr - (uintptr_t)region->hva;

		if (offset < region->len) {
			*gpa = region->gpa + offset;
			ret = 0;
		}
	}
	axv_srcu_read_unlock(&map->srcu, reader);
	if (ret)
		return axvcpu_fail(vm, ret, "virt_to_phys %p: no region contains it", ptr);
	return 0;
}

void *axvm_phys_to_virt(struct axvm *vm, uint64_t gpa)
{
	unsigned int failures = axv_error_count;
	void *ptr;

	if (axv_vm_check_process(vm))
		return NULL;
	ptr = vm->hal.phys_to_virt(vm->hal.ctx, vm, gpa);
	/* A hook may fail without a message. */
	if (!ptr && axv_error_count == failures)
		axvcpu_fail(vm, -EFAULT, "phys_to_virt %#" PRIx64 ": the HAL's phys_to_virt failed",
			    gpa);
	return ptr;
}

int axvm_virt_to_phys(struct axvm *vm, const void *ptr, uint64_t *gpa)
{
	unsigned int failures = axv_error_count;
	uint64_t found = 0;
	int ret = axv_vm_check_process(vm);

	if (ret)
		return ret;
	ret = vm->hal.virt_to_phys(vm->hal.ctx, vm, ptr, &found);
	if (ret < 0) {
		if (axv_error_count == failures)
			axvcpu_fail(vm, ret, "virt_to_phys %p: the HAL's virt_to_phys failed", ptr);
		return ret;
	}
	*gpa = found;
	return 0;
}
