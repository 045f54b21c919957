/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* Exceptions that the caller injects: SError, and the external abort of an access. */
#include <errno.h>
#include <inttypes.h>

#include "axvcpu/interrupt.h"
#include "backends/arm64/arm64.h"

/* The part of ESR_EL1 that a caller can choose. */
#define ISS_MASK 0xffffffu

static int require(struct axk_vcpu *vcpu, unsigned int capability, const char *name,
		   const char *what)
{
	int ret = axk_vm_capability(vcpu->vm, capability);

	if (ret < 0)
		return ret;
	if (ret)
		return 0;
	return axvcpu_fail(vcpu->vm->vm, -ENOTSUP,
			   "inject: vCPU %" PRIu32 ": %s needs %s, which this KVM lacks", vcpu->id,
			   what, name);
}

static int check_serror(struct axk_vcpu *vcpu, const struct axvcpu_exception *exception)
{
	if (!exception->has_error_code)
		return 0;
	if (exception->error_code & ~ISS_MASK)
		return axvcpu_fail(vcpu->vm->vm, -EINVAL,
				   "inject: vCPU %" PRIu32 ": error code %#" PRIx32
				   " is wider than 24 bits",
				   vcpu->id, exception->error_code);
	return require(vcpu, KVM_CAP_ARM_INJECT_SERROR_ESR, "KVM_CAP_ARM_INJECT_SERROR_ESR",
		       "an error code");
}

/* KVM takes the address from the latest exit, so that must be a memory access. */
static int check_abort(struct axk_vcpu *vcpu, const struct axvcpu_exception *exception)
{
	const struct axvm *vm = vcpu->vm->vm;

	if (exception->has_error_code)
		return axvcpu_fail(
			vm, -EINVAL,
			"inject: vCPU %" PRIu32
			": KVM sets the error code of an external abort; has_error_code must be "
			"0",
			vcpu->id);
	if (vcpu->run->exit_reason != KVM_EXIT_MMIO && vcpu->run->exit_reason != KVM_EXIT_ARM_NISV)
		return axvcpu_fail(vm, -EINVAL,
				   "inject: vCPU %" PRIu32
				   ": the latest exit is not a memory access, which an abort needs",
				   vcpu->id);
	return require(vcpu, KVM_CAP_ARM_INJECT_EXT_DABT, "KVM_CAP_ARM_INJECT_EXT_DABT",
		       "an external abort");
}

static int check(struct axk_vcpu *vcpu, const struct axvcpu_exception *exception)
{
	switch (exception->vector) {
	case AXVCPU_ARM64_SERROR:
		return check_serror(vcpu, exception);
	case AXVCPU_ARM64_DATA_ABORT:
		return check_abort(vcpu, exception);
	default:
		return axvcpu_fail(vcpu->vm->vm, exception->vector > 0x3f ? -EINVAL : -ENOTSUP,
				   "inject: vCPU %" PRIu32 ": exception class %#" PRIx32
				   ": KVM only supports SError (0x2f) and external aborts (0x25)",
				   vcpu->id, exception->vector);
	}
}

int axk_arm64_inject_exception(void *arch_vcpu, const struct axvcpu_exception *exception)
{
	struct axk_vcpu *vcpu = arch_vcpu;
	const bool aborts = exception->vector == AXVCPU_ARM64_DATA_ABORT;
	struct kvm_vcpu_events events;
	int ret = check(vcpu, exception);

	if (!ret)
		ret = axk_vcpu_ioctl(vcpu, KVM_GET_VCPU_EVENTS, &events);
	if (ret)
		return ret;
	if (vcpu->arch.aborts || (!aborts && events.exception.serror_pending))
		return axvcpu_fail(vcpu->vm->vm, -EBUSY,
				   "inject: vCPU %" PRIu32 ": another exception is already pending",
				   vcpu->id);
	/* Not the events that KVM reported: it must only add the new one. */
	events = (struct kvm_vcpu_events){ .exception = {
						   .serror_pending = !aborts,
						   .serror_has_esr = !aborts &&
								     exception->has_error_code,
						   .ext_dabt_pending = aborts,
						   .serror_esr = exception->error_code,
					   } };
	ret = axk_vcpu_ioctl(vcpu, KVM_SET_VCPU_EVENTS, &events);
	if (!ret && aborts) {
		vcpu->arch.aborts = true;
		vcpu->has_pending_work = true;
	}
	return ret;
}
