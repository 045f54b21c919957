/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* The vCPUs of a VM: by id, and as a list. */
#include <errno.h>

#include "axvcpu/vcpu.h"
#include "lib/base/cancel.h"
#include "lib/machine/object.h"

struct axvcpu *axvm_vcpu(struct axvm *vm, uint32_t id)
{
	struct axvcpu *vcpu;
	int cancel;

	if (axv_vm_check_process(vm))
		return NULL;
	cancel = axv_cancel_disable();
	pthread_mutex_lock(&vm->lock);
	vcpu = id < vm->limits.vcpus ? vm->vcpus[id] : NULL;
	pthread_mutex_unlock(&vm->lock);
	axv_cancel_restore(cancel);
	return vcpu;
}

int axvm_vcpus(struct axvm *vm, size_t first, size_t count, struct axvcpu **vcpus)
{
	size_t total = 0;
	int cancel, ret = axv_vm_check_process(vm);

	if (ret)
		return ret;
	if (count && !vcpus)
		return axvcpu_fail(vm, -EINVAL, "vcpus: the array is NULL");
	cancel = axv_cancel_disable();
	pthread_mutex_lock(&vm->lock);
	for (uint32_t id = 0; id < vm->limits.vcpus && total < vm->nvcpus; id++) {
		if (!vm->vcpus[id])
			continue;
		if (total >= first && total - first < count)
			vcpus[total - first] = vm->vcpus[id];
		total++;
	}
	pthread_mutex_unlock(&vm->lock);
	axv_cancel_restore(cancel);
	return (int)total;
}
