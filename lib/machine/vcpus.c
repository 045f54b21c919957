/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* The vCPUs of a VM: by id, and as a list. */
#include "lib/machine/vcpus.h"

#include <errno.h>
#include <inttypes.h>

#include "axvcpu/vcpu.h"
#include "lib/base/cancel.h"
#include "lib/host/sys.h"
#include "lib/machine/object.h"
#include "lib/vcpu/vcpu.h"

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

int axv_vcpus_list(struct axvm *vm, const char *what, struct axvcpu ***vcpus)
{
	/* At least one element: calloc() may return NULL for none. */
	*vcpus = axv_sys_calloc(vm->limits.vcpus, sizeof(**vcpus));
	if (!*vcpus)
		return axvcpu_fail(vm, -ENOMEM, "%s: allocating the list of vCPUs", what);
	return axvm_vcpus(vm, 0, vm->limits.vcpus, *vcpus);
}

/* Whether the vCPU cannot enter the guest until its owner, or another thread, makes it. */
static bool rests(struct axvcpu *vcpu)
{
	const uint64_t word = atomic_load(&vcpu->state);

	switch (axv_state_of(word)) {
	case AXVCPU_CREATED:
	case AXVCPU_FREE:
		return true;
	case AXVCPU_READY:
	case AXVCPU_BLOCKED:
		return (atomic_load(&vcpu->attention) & ATTENTION_PARKED) ||
		       axv_state_owner(word) == axv_thread_serial();
	default:
		return false;
	}
}

int axv_vcpus_check_rest(struct axvm *vm, const char *what)
{
	int cancel = axv_cancel_disable(), ret = 0;
	uint32_t seen = 0;

	pthread_mutex_lock(&vm->lock);
	for (uint32_t id = 0; id < vm->limits.vcpus && seen < vm->nvcpus && !ret; id++) {
		struct axvcpu *vcpu = vm->vcpus[id];

		if (!vcpu)
			continue;
		seen++;
		if (!rests(vcpu))
			ret = axvcpu_fail(vm, -EBUSY,
					  "%s: vCPU %" PRIu32 " is %s; it must be paused, or Free",
					  what, id, axvcpu_state_name(axvcpu_state(vcpu)));
	}
	pthread_mutex_unlock(&vm->lock);
	axv_cancel_restore(cancel);
	return ret;
}

void axv_vcpus_invalidate(struct axvm *vm)
{
	for (uint32_t id = 0; id < vm->limits.vcpus; id++) {
		struct axvcpu *vcpu = axvm_vcpu(vm, id);
		struct axv_op op;

		if (vcpu && !axv_op_begin(vcpu, IN(AXVCPU_CREATED) | IN_REGS, "load", &op))
			axv_op_end(vcpu, &op, AXVCPU_INVALID);
	}
}
