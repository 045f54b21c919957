/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* The state transitions of axvcpu/crate.h. */
#include "axvcpu/crate.h"

#include <errno.h>

#include "lib/base/cancel.h"
#include "lib/machine/object.h"
#include "lib/vcpu/vcpu.h"

void axvcpu_set_current(struct axvcpu *vcpu)
{
	axv_thread_set_current(vcpu);
}

static int check_state(struct axvcpu *vcpu, enum axvcpu_state state, const char *what)
{
	int ret = axv_vm_check_process(vcpu->vm);

	if (ret)
		return ret;
	if ((unsigned int)state > AXVCPU_BLOCKED)
		return axvcpu_fail(vcpu->vm, -EINVAL, "%s: vCPU %u: %u is not a state", what,
				   vcpu->id, (unsigned int)state);
	return 0;
}

/* For a state that has an owner, stores the caller's record in *record; else NULL. */
static int prepare_owner(struct axvcpu *vcpu, enum axvcpu_state state, const char *what,
			 struct axv_thread_record **record)
{
	*record = NULL;
	if (!(IN_OWNED & IN(state)))
		return 0;
	*record = axv_thread_record_get();
	if (*record)
		return 0;
	return axvcpu_fail(vcpu->vm, -ENOMEM, "%s: vCPU %u: allocating the owner's record", what,
			   vcpu->id);
}

int axvcpu_set_state(struct axvcpu *vcpu, enum axvcpu_state state)
{
	struct axv_thread_record *record;
	struct axv_op op;
	uint64_t word;
	int ret = check_state(vcpu, state, "set_state");

	if (!ret)
		ret = prepare_owner(vcpu, state, "set_state", &record);
	if (ret)
		return ret;
	if (!axv_op_try(vcpu, ~0u, &op, &word)) {
		axv_thread_record_put(record);
		return axvcpu_fail(vcpu->vm, -EBUSY,
				   "set_state: vCPU %u is in use by another thread", vcpu->id);
	}
	if (record)
		axv_op_own(vcpu, &op, record);
	axv_op_leave(vcpu, &op, state);
	return 0;
}

/* The function that a transition calls, and its argument. */
struct transition {
	int (*fn)(void *ctx);
	int (*arch_fn)(void *arch, void *ctx);
	void *ctx;
};

static int transition(struct axvcpu *vcpu, enum axvcpu_state from, enum axvcpu_state to,
		      const struct transition *t, const char *what)
{
	struct axv_thread_record *record = NULL;
	struct axv_op op;
	int cancel, ret = check_state(vcpu, from, what);

	if (ret)
		return ret;
	ret = check_state(vcpu, to, what);
	if (ret)
		return ret;
	if (to == AXVCPU_READY) {
		ret = prepare_owner(vcpu, to, what, &record);
		if (ret)
			return ret;
	}
	ret = axv_op_begin_long(vcpu, IN(from), what, &op);
	if (ret) {
		axv_thread_record_put(record);
		return ret;
	}
	cancel = axv_cancel_disable();
	if (t->arch_fn) {
		ret = t->arch_fn(vcpu->arch, t->ctx);
	} else if (t->fn) {
		/* As in the crate: the vCPU is current only in functions that receive its arch. */
		axv_thread_set_current(op.previous);
		ret = t->fn(t->ctx);
	}
	axv_cancel_restore(cancel);
	if (!ret && record)
		axv_op_own(vcpu, &op, record);
	else
		axv_thread_record_put(record);
	axv_op_end(vcpu, &op, ret ? from : to);
	return ret;
}

int axvcpu_transition_state(struct axvcpu *vcpu, enum axvcpu_state from, enum axvcpu_state to)
{
	const struct transition t = { 0 };

	return transition(vcpu, from, to, &t, "transition_state");
}

int axvcpu_with_state_transition(struct axvcpu *vcpu, enum axvcpu_state from, enum axvcpu_state to,
				 int (*fn)(void *ctx), void *ctx)
{
	const struct transition t = { .fn = fn, .ctx = ctx };

	return transition(vcpu, from, to, &t, "with_state_transition");
}

int axvcpu_manipulate_arch(struct axvcpu *vcpu, enum axvcpu_state from, enum axvcpu_state to,
			   int (*fn)(void *arch, void *ctx), void *ctx)
{
	const struct transition t = { .arch_fn = fn, .ctx = ctx };

	return transition(vcpu, from, to, &t, "manipulate_arch");
}

int axvcpu_with_current(struct axvcpu *vcpu, int (*fn)(void *ctx), void *ctx)
{
	int ret = axv_vm_check_process(vcpu->vm);

	if (ret)
		return ret;
	if (axv_thread.current)
		return axvcpu_fail(vcpu->vm, -EBUSY, "with_current: vCPU %u is already current",
				   axv_thread.current->id);
	axv_thread_set_current(vcpu);
	ret = fn(ctx);
	axv_thread_set_current(NULL);
	return ret;
}
