/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * The clocks of a VM: the time policies. The backend reads and sets them through a vCPU that is not
 * in a run.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "axvcpu/regs.h"
#include "axvcpu/vcpu_state.h"
#include "lib/base/sized.h"
#include "lib/host/sys.h"
#include "lib/machine/checkpoint.h"
#include "lib/machine/object.h"
#include "lib/machine/vcpus.h"
#include "lib/text/error.h"
#include "lib/vcpu/vcpu.h"

#define NS_PER_S UINT64_C(1000000000)
/*
 * A counter that is further than this from the value that was set was not set. Exceeds any delay
 * between two system calls.
 */
#define TOLERANCE_S 600

/* --- operations on one vCPU ------------------------------------------------------------------- */

/* As the backend has it, completed by the library. */
static int get_clock(struct axvcpu *vcpu, struct axvm_clock *clock)
{
	struct axvm_clock read = AXVM_CLOCK_INIT;
	struct axv_op op;
	int ret = axv_op_begin(vcpu, IN_REGS, "get_clock", &op);

	if (ret)
		return ret;
	ret = vcpu->ops->get_clock(vcpu->arch, &read);
	/* A backend may store a struct of its own. */
	read.size = sizeof(read);
	if (!ret && !read.realtime_ns)
		read.realtime_ns = axv_sys_realtime_ns();
	axv_op_end(vcpu, &op, op.from);
	if (!ret)
		*clock = read;
	return ret;
}

static int set_clock(struct axvcpu *vcpu, const struct axvm_clock *saved,
		     const struct axvm_clock *target)
{
	struct axv_op op;
	int ret = axv_op_begin(vcpu, IN_REGS, "set_clock", &op);

	if (ret)
		return ret;
	ret = vcpu->ops->set_clock(vcpu->arch, saved, target);
	axv_op_end(vcpu, &op, op.from);
	return ret;
}

static int shift_counter(struct axvcpu *vcpu, uint64_t delta)
{
	struct axv_op op;
	int ret;

	if (!HAS_OP(vcpu->ops, shift_counter))
		return 0;
	ret = axv_op_begin(vcpu, IN_REGS, "set_clock", &op);
	if (ret)
		return ret;
	ret = vcpu->ops->shift_counter(vcpu->arch, delta);
	axv_op_end(vcpu, &op, op.from);
	return ret;
}

/* --- the vCPUs -------------------------------------------------------------------------------- */

static int no_vcpu(const struct axvm *vm, const char *what)
{
	return axvcpu_fail(vm, -EBADFD, "%s: the VM has no vCPU", what);
}

/* Shifts the first 'count' counters back after a failure 'ret', which it returns. */
static int undo_shift(struct axvcpu *const *vcpus, int count, uint64_t delta, int ret)
{
	char message[256];
	bool undone = true;

	axv_error_keep(message);
	for (int i = 0; i < count; i++)
		undone &= !shift_counter(vcpus[i], -delta);
	if (undone)
		return ret;
	return axvcpu_fail(vcpus[0]->vm, ret, "%s; some counters stay changed", message);
}

/* On failure, those that were shifted are shifted back. */
static int shift_counters(struct axvcpu *const *vcpus, int count, uint64_t delta)
{
	int i = 0, ret = 0;

	while (!ret && i < count)
		ret = shift_counter(vcpus[i++], delta);
	/* The last one has failed. */
	return ret ? undo_shift(vcpus, i - 1, delta, ret) : 0;
}

/* A guest's counter has one frequency. The clocks are read again if it was changed. */
static int set_frequency(struct axvcpu *const *vcpus, int count, uint64_t hz,
			 struct axvm_clock *now)
{
	char message[256];
	bool undone = true;
	int i = 0, ret = 0;

	if (hz == now->counter_hz)
		return 0;
	while (!ret && i < count)
		ret = axvcpu_set_reg(vcpus[i++], AXVCPU_REG_COUNTER_HZ, hz);
	if (!ret)
		return get_clock(vcpus[0], now);
	/* The backend has no such register. */
	if (ret == -ENOENT)
		ret = axvcpu_fail(vcpus[0]->vm, -ENOTSUP,
				  "set_clock: the saved counter has %" PRIu64
				  " Hz, and the backend cannot change the %" PRIu64
				  " Hz of this one",
				  hz, now->counter_hz);
	axv_error_keep(message);
	/* The last one has failed. */
	for (i--; i > 0; i--)
		undone &= !axvcpu_set_reg(vcpus[i - 1], AXVCPU_REG_COUNTER_HZ, now->counter_hz);
	if (undone)
		return ret;
	return axvcpu_fail(vcpus[0]->vm, ret, "%s; some frequencies stay changed", message);
}

/* --- the policies ----------------------------------------------------------------------------- */

static uint64_t ticks(uint64_t ns, uint64_t hz)
{
	/* Two products: ns * hz would overflow within seconds. */
	return ns / NS_PER_S * hz + ns % NS_PER_S * hz / NS_PER_S;
}

/* The saved clocks at the moment of 'now'. */
static struct axvm_clock target_of(const struct axvm_clock *saved, const struct axvm_clock *now,
				   uint32_t policy)
{
	struct axvm_clock target = *saved;
	uint64_t passed = 0, n;

	target.realtime_ns = now->realtime_ns;
	if (policy == AXVM_TIME_CATCH_UP && now->realtime_ns > saved->realtime_ns)
		passed = (uint64_t)now->realtime_ns - (uint64_t)saved->realtime_ns;
	n = ticks(passed, saved->counter_hz);
	target.counter += n;
	target.physical_counter += n;
	target.kvmclock_ns += passed;
	return target;
}

static int check_counter(struct axvcpu *vcpu, const struct axvm_clock *target)
{
	struct axvm_clock now;
	int ret;

	/* An offset that was set is in effect. */
	if (HAS_OP(vcpu->ops, shift_counter))
		return 0;
	ret = get_clock(vcpu, &now);
	if (ret)
		return ret;
	/* It may have been set a moment too early, by the time that a read takes. */
	if (now.counter - target->counter + now.counter_hz <= (TOLERANCE_S + 1) * now.counter_hz)
		return 0;
	return axvcpu_fail(vcpu->vm, -EIO,
			   "set_clock: KVM has not set the counter: it is %" PRIu64 ", not %" PRIu64
			   " (on arm64, KVM_ARM_SET_COUNTER_OFFSET fixes its offset)",
			   now.counter, target->counter);
}

/* --- the calls -------------------------------------------------------------------------------- */

int axvm_get_clock(struct axvm *vm, struct axvm_clock *clock)
{
	struct axvcpu *vcpu;
	struct axvm_clock now;
	int ret = axv_vm_check_process(vm);

	if (ret)
		return ret;
	if (!HAS_OP(vm->ops, get_clock))
		return axv_vm_not_supported(vm, "get_clock");
	ret = axv_sized_check(vm, "get_clock", clock);
	if (ret)
		return ret;
	ret = axvm_vcpus(vm, 0, 1, &vcpu);
	if (!ret)
		return no_vcpu(vm, "get_clock");
	if (ret > 0)
		ret = get_clock(vcpu, &now);
	if (!ret)
		axv_sized_give(clock, &now);
	return ret;
}

static int change(struct axvcpu *const *vcpus, int count, const struct axvm_clock *saved,
		  uint32_t policy)
{
	struct axvm_clock now, target;
	int ret = get_clock(vcpus[0], &now);

	if (!ret)
		ret = set_frequency(vcpus, count, saved->counter_hz, &now);
	if (ret)
		return ret;
	if (policy == AXVM_TIME_KEEP)
		return set_clock(vcpus[0], saved, NULL);
	target = target_of(saved, &now, policy);
	ret = shift_counters(vcpus, count, target.counter - now.counter);
	if (ret)
		return ret;
	ret = set_clock(vcpus[0], saved, &target);
	if (ret)
		return undo_shift(vcpus, count, target.counter - now.counter, ret);
	return check_counter(vcpus[0], &target);
}

int axv_clock_keep(struct axvcpu *vcpu, const struct axvm_clock *saved)
{
	return set_clock(vcpu, saved, NULL);
}

int axvm_set_clock(struct axvm *vm, const struct axvm_clock *given, uint32_t policy)
{
	struct axvcpu **vcpus = NULL;
	struct axvm_clock saved;
	int ret = axv_vm_check_process(vm);

	if (ret)
		return ret;
	if (!HAS_OP(vm->ops, get_clock) || !HAS_OP(vm->ops, set_clock))
		return axv_vm_not_supported(vm, "set_clock");
	ret = axv_sized_copy(vm, "struct axvm_clock", &saved, sizeof(saved), given);
	if (ret)
		return ret;
	if (policy > AXVM_TIME_KEEP || !saved.counter_hz)
		return axvcpu_fail(vm, -EINVAL,
				   "set_clock: policy %" PRIu32 " is unknown, or counter_hz is 0",
				   policy);
	ret = axv_vcpus_list(vm, "set_clock", &vcpus);
	if (!ret)
		ret = no_vcpu(vm, "set_clock");
	if (ret > 0)
		ret = change(vcpus, ret, &saved, policy);
	free(vcpus);
	return ret;
}
