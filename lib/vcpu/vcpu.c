/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* The life cycle of a vCPU: new, setup, bind, unbind, free. lib/vcpu/run.c runs it. */
#include "lib/vcpu/vcpu.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/cancel.h"
#include "lib/base/sized.h"
#include "lib/host/sys.h"
#include "lib/machine/object.h"
#include "lib/vcpu/kick.h"
#include "lib/vcpu/power.h"
#include "lib/vcpu/request.h"
#include "lib/vcpu/run.h"

/* --- new and free ---------------------------------------------------------------------------- */

static int check_config(const struct axvm *vm, const struct axvcpu_config *config)
{
	uint32_t unknown = config->flags &
			   ~(AXVCPU_F_STRICT | AXVCPU_F_FAVOR_CPU | AXVCPU_F_START_OFF);

	if (unknown)
		return axvcpu_fail(vm, -EINVAL, "vCPU %" PRIu32 ": unknown flags %#" PRIx32,
				   config->id, unknown);
	if (config->id >= vm->limits.vcpus)
		return axvcpu_fail(vm, -EINVAL,
				   "vCPU %" PRIu32
				   ": the id must be below max_vcpus, which is %" PRIu32,
				   config->id, vm->limits.vcpus);
	if (config->reserved)
		return axvcpu_fail(vm, -EINVAL, "vCPU %" PRIu32 ": the reserved field must be 0",
				   config->id);
	/* No kernel supports as many CPUs. */
	if ((config->flags & AXVCPU_F_FAVOR_CPU) && config->favor_cpu > UINT16_MAX)
		return axvcpu_fail(vm, -EINVAL,
				   "vCPU %" PRIu32 ": favor_cpu is %" PRIu32 "; the maximum is %d",
				   config->id, config->favor_cpu, UINT16_MAX);
	return 0;
}

static int vcpu_init(struct axvm *vm, struct axvcpu *vcpu, const struct axvcpu_config *config)
{
	int ret = axv_affinity_init(vm, &vcpu->affinity, config);

	if (ret)
		return ret;
	vcpu->ops = vm->ops;
	vcpu->vm = vm;
	vcpu->mark = vm->process.mark;
	vcpu->id = config->id;
	vcpu->flags = config->flags;
	vcpu->favor_cpu = config->favor_cpu;
	vcpu->attention = ATTENTION_FINALIZE;
	axv_slots_init(vcpu->slots);
	axv_queue_init(&vcpu->requests);
	if (config->flags & AXVCPU_F_START_OFF)
		axv_power_set(vcpu, AXVCPU_POWER_WAITING);
	vcpu->state = AXVCPU_CREATED | STATE_ATTENTION;
	ret = vm->ops->vcpu_new(vm->arch, config, &vcpu->arch);
	if (ret) {
		axv_queue_destroy(&vcpu->requests);
		axv_affinity_destroy(&vcpu->affinity);
		return ret;
	}
	axv_fast_run_attach(vcpu);
	return 0;
}

/* With the VM's lock held. */
static int new_locked(struct axvm *vm, const struct axvcpu_config *config, struct axvcpu **out)
{
	struct axvcpu *vcpu;
	int ret;

	if (vm->finalized)
		return axvcpu_fail(vm, -EBUSY, "vCPU %" PRIu32 ": the VM is already finalized",
				   config->id);
	if (vm->vcpus[config->id])
		return axvcpu_fail(vm, -EEXIST, "vCPU %" PRIu32 " already exists", config->id);
	vcpu = axv_sys_calloc(1, sizeof(*vcpu));
	if (!vcpu)
		return axvcpu_fail(vm, -ENOMEM, "vCPU %" PRIu32 ": allocating it", config->id);
	ret = vcpu_init(vm, vcpu, config);
	if (ret) {
		free(vcpu);
		return ret;
	}
	vm->vcpus[config->id] = vcpu;
	vm->nvcpus++;
	*out = vcpu;
	return 0;
}

int axvcpu_new(struct axvm *vm, const struct axvcpu_config *given, struct axvcpu **out)
{
	struct axvcpu_config config;
	int cancel, ret = axv_vm_check_process(vm);

	if (ret)
		return ret;
	ret = axv_sized_copy(vm, "struct axvcpu_config", &config, sizeof(config), given);
	if (ret)
		return ret;
	ret = check_config(vm, &config);
	if (ret)
		return ret;
	cancel = axv_cancel_disable();
	pthread_mutex_lock(&vm->lock);
	ret = new_locked(vm, &config, out);
	pthread_mutex_unlock(&vm->lock);
	axv_cancel_restore(cancel);
	return ret;
}

/* Restores the thread's signal mask and CPU set. If the second fails, rolls the first back. */
static int restore_thread(struct axvcpu *vcpu)
{
	int ret = axv_kick_signal_restore(vcpu->vm, &vcpu->old_signals);

	if (ret)
		return ret;
	ret = axv_affinity_restore(vcpu->vm, &vcpu->affinity);
	if (ret)
		axv_kick_signal_unblock(vcpu->vm, &vcpu->old_signals);
	return ret;
}

static void leave_vm(struct axvm *vm, const struct axvcpu *vcpu)
{
	vcpu->ops->vcpu_free(vcpu->arch);
	vm->vcpus[vcpu->id] = NULL;
	vm->nvcpus--;
}

int axvcpu_free(struct axvcpu *vcpu)
{
	const unsigned int any = IN(AXVCPU_INVALID) | IN(AXVCPU_CREATED) | IN_REGS |
				 IN(AXVCPU_RUNNING);
	struct axvm *vm;
	struct axv_op op;
	bool copy;
	int cancel, ret = 0;

	if (!vcpu)
		return 0;
	vm = vcpu->vm;
	/* In a forked child no lock is taken, and requests may lie on stacks that are gone. */
	copy = axvm_is_copy(vm);
	if (copy)
		axv_op_begin_copy(vcpu, &op);
	else
		ret = axv_op_begin_long(vcpu, any, "free", &op);
	if (ret)
		return ret;
	/* Checked inside the operation: now the owner cannot go to sleep. */
	if (!copy && op.from == AXVCPU_BLOCKED) {
		axv_op_leave(vcpu, &op, op.from);
		return axvcpu_fail(vcpu->vm, -EBUSY,
				   "free: vCPU %u: its owner is blocked (axvcpu_block() or pause)",
				   vcpu->id);
	}
	/* Best effort: the vCPU is freed even if this fails. */
	if (op.from == AXVCPU_READY && op.owner == axv_thread_serial())
		restore_thread(vcpu);
	if (copy) {
		leave_vm(vm, vcpu);
	} else {
		axv_queue_destroy(&vcpu->requests);
		cancel = axv_cancel_disable();
		/* Backends need not expect that vCPUs are created and freed at the same time. */
		pthread_mutex_lock(&vm->lock);
		leave_vm(vm, vcpu);
		pthread_mutex_unlock(&vm->lock);
		axv_cancel_restore(cancel);
	}
	axv_thread_set_current(op.previous == vcpu ? NULL : op.previous);
	axv_affinity_destroy(&vcpu->affinity);
	axv_thread_record_put(vcpu->owner);
	free(vcpu);
	return 0;
}

/* --- setup, bind, unbind ---------------------------------------------------------------------- */

/* Inside an operation. */
static int setup(struct axvcpu *vcpu, uint64_t entry, uint64_t ept_root,
		 const struct axvcpu_setup_config *given)
{
	struct axvcpu_setup_config config;
	int ret = axv_sized_copy(vcpu->vm, "struct axvcpu_setup_config", &config, sizeof(config),
				 given);

	if (ret)
		return ret;
	if (config.flags)
		return axvcpu_fail(vcpu->vm, -EINVAL, "setup: vCPU %u: unknown flags %#" PRIx32,
				   vcpu->id, config.flags);
	ret = vcpu->ops->set_entry(vcpu->arch, entry);
	if (ret)
		return ret;
	ret = vcpu->ops->set_ept_root(vcpu->arch, ept_root);
	if (ret)
		return ret;
	ret = vcpu->ops->setup(vcpu->arch, &config);
	if (ret)
		return ret;
	vcpu->setup_entry = entry;
	vcpu->setup_arg = config.arg;
	return 0;
}

int axvcpu_setup(struct axvcpu *vcpu, uint64_t entry, uint64_t ept_root,
		 const struct axvcpu_setup_config *given)
{
	struct axv_op op;
	int ret = axv_op_begin_long(vcpu, IN(AXVCPU_CREATED), "setup", &op);

	if (ret)
		return ret;
	ret = setup(vcpu, entry, ept_root, given);
	axv_op_end(vcpu, &op, ret ? AXVCPU_CREATED : AXVCPU_FREE);
	return ret;
}

static int bind_thread(struct axvcpu *vcpu)
{
	int favor = vcpu->flags & AXVCPU_F_FAVOR_CPU ? (int)vcpu->favor_cpu : -1;
	int ret = axv_affinity_pin(vcpu->vm, &vcpu->affinity, favor);

	if (ret)
		return ret;
	ret = axv_kick_signal_unblock(vcpu->vm, &vcpu->old_signals);
	if (ret)
		axv_affinity_restore(vcpu->vm, &vcpu->affinity);
	return ret;
}

/* Makes the calling thread the owner. Inside an operation. */
static int take(struct axvcpu *vcpu, struct axv_op *op)
{
	struct axv_thread_record *record = axv_thread_record_get();
	int ret;

	if (!record)
		return axvcpu_fail(vcpu->vm, -ENOMEM, "vCPU %u: allocating the owner's record",
				   vcpu->id);
	ret = bind_thread(vcpu);
	if (ret)
		goto put_record;
	if (HAS_OP(vcpu->ops, bind)) {
		ret = vcpu->ops->bind(vcpu->arch);
		if (ret)
			goto restore;
	}
	axv_op_own(vcpu, op, record);
	return 0;

restore:
	restore_thread(vcpu);
put_record:
	axv_thread_record_put(record);
	return ret;
}

int axvcpu_bind(struct axvcpu *vcpu)
{
	struct axv_op op;
	int ret = axv_op_begin_long(vcpu, IN(AXVCPU_FREE), "bind", &op);

	if (ret)
		return ret;
	ret = take(vcpu, &op);
	axv_op_end(vcpu, &op, ret ? AXVCPU_FREE : AXVCPU_READY);
	return ret;
}

int axvcpu_adopt(struct axvcpu *vcpu)
{
	struct axv_op op;
	int ret = axv_op_begin(vcpu, IN(AXVCPU_READY) | IN(AXVCPU_BLOCKED), "adopt", &op);

	if (ret)
		return ret;
	if (axv_thread_record_ended(vcpu->owner))
		ret = take(vcpu, &op);
	else
		ret = axvcpu_fail(vcpu->vm, -EBUSY,
				  "adopt: vCPU %u: its owner, thread %d, has not ended", vcpu->id,
				  (int)vcpu->tid);
	axv_op_end(vcpu, &op, ret ? op.from : AXVCPU_READY);
	return ret;
}

/* The reverse of take(), except for the state word. Inside an operation. */
static int release(struct axvcpu *vcpu)
{
	int ret = axv_vcpu_flush(vcpu);

	if (ret)
		return ret;
	if (HAS_OP(vcpu->ops, unbind)) {
		ret = vcpu->ops->unbind(vcpu->arch);
		if (ret)
			return ret;
	}
	ret = restore_thread(vcpu);
	if (ret && HAS_OP(vcpu->ops, bind))
		vcpu->ops->bind(vcpu->arch);
	return ret;
}

int axvcpu_unbind(struct axvcpu *vcpu)
{
	struct axv_op op;
	int ret = axv_op_begin_owner(vcpu, IN(AXVCPU_READY), "unbind", &op);

	if (ret)
		return ret;
	ret = release(vcpu);
	axv_op_end(vcpu, &op, ret ? AXVCPU_READY : AXVCPU_FREE);
	return ret;
}

int axvcpu_flush(struct axvcpu *vcpu)
{
	struct axv_op op;
	int ret = axv_op_begin(vcpu, IN(AXVCPU_FREE) | IN(AXVCPU_READY), "flush", &op);

	if (ret)
		return ret;
	ret = axv_vcpu_flush(vcpu);
	axv_op_end(vcpu, &op, op.from);
	return ret;
}

/* --- reading its properties ------------------------------------------------------------------- */

uint32_t axvcpu_id(const struct axvcpu *vcpu)
{
	return vcpu->id;
}

uint64_t axvcpu_vm_id(const struct axvcpu *vcpu)
{
	return vcpu->vm->id;
}

struct axvm *axvcpu_vm(const struct axvcpu *vcpu)
{
	return vcpu->vm;
}

bool axvcpu_is_bsp(const struct axvcpu *vcpu)
{
	return vcpu->id == 0;
}

void *axvcpu_arch(const struct axvcpu *vcpu)
{
	return vcpu->arch;
}

int axvcpu_favor_cpu(const struct axvcpu *vcpu)
{
	int ret = axv_vm_check_process(vcpu->vm);

	if (ret)
		return ret;
	return vcpu->flags & AXVCPU_F_FAVOR_CPU ? (int)vcpu->favor_cpu : -ENOENT;
}

int axvcpu_cpu_set(const struct axvcpu *vcpu, void *set, size_t size)
{
	const struct axv_affinity *affinity = &vcpu->affinity;
	int ret = axv_vm_check_process(vcpu->vm);

	if (ret)
		return ret;
	if (!affinity->set)
		return -ENOENT;
	if (size && size < affinity->set_size)
		return axvcpu_fail(vcpu->vm, -EINVAL,
				   "cpu_set: vCPU %u: size is %zu; the set has %zu bytes", vcpu->id,
				   size, affinity->set_size);
	if (size) {
		memset(set, 0, size);
		memcpy(set, affinity->set, affinity->set_size);
	}
	return (int)affinity->set_size;
}

int axvcpu_fd(const struct axvcpu *vcpu)
{
	int ret = axv_vm_check_process(vcpu->vm);

	if (ret)
		return ret;
	if (!HAS_OP(vcpu->ops, vcpu_fd))
		return axv_vm_not_supported(vcpu->vm, "axvcpu_fd");
	return vcpu->ops->vcpu_fd(vcpu->arch);
}

int axvcpu_enable_capability(struct axvcpu *vcpu, unsigned int capability, const uint64_t args[4])
{
	struct axv_op op;
	int ret = axv_vm_check_process(vcpu->vm);

	if (ret)
		return ret;
	if (!HAS_OP(vcpu->ops, vcpu_enable_capability))
		return axv_vm_not_supported(vcpu->vm, "enable_capability");
	ret = axv_op_begin(vcpu, IN(AXVCPU_CREATED) | IN_REGS, "enable_capability", &op);
	if (ret)
		return ret;
	ret = vcpu->ops->vcpu_enable_capability(vcpu->arch, capability,
						args ? args : (const uint64_t[4]){ 0 });
	axv_op_end(vcpu, &op, op.from);
	return ret;
}
