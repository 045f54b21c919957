/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* Debugging a guest from outside: KVM_SET_GUEST_DEBUG, of which riscv64 has EBREAK alone. */
#include <errno.h>
#include <inttypes.h>

#include "axvcpu/debug.h"
#include "backends/riscv64/riscv64.h"

static int refuse(const struct axk_vcpu *vcpu, const char *what)
{
	return axvcpu_fail(vcpu->vm->vm, -ENOTSUP,
			   "set_debug: vCPU %" PRIu32 ": %s, which KVM lacks on riscv64", vcpu->id,
			   what);
}

int axk_riscv_set_debug(void *arch_vcpu, const struct axvcpu_debug *debug)
{
	struct axk_vcpu *vcpu = arch_vcpu;
	struct kvm_guest_debug guest = { 0 };
	int ret;

	if (debug->npoints)
		return refuse(vcpu, "points take breakpoints and watchpoints of the hardware");
	if (debug->flags & AXVCPU_DEBUG_STEP)
		return refuse(vcpu, "AXVCPU_DEBUG_STEP takes KVM_GUESTDBG_SINGLESTEP");
	if (debug->flags & AXVCPU_DEBUG_SOFTWARE)
		guest.control = KVM_GUESTDBG_ENABLE;
	/* A KVM that cannot debug at all needs not be told to leave it. */
	if (!guest.control && !vcpu->arch.debugged)
		return 0;
	ret = axk_vcpu_ioctl(vcpu, KVM_SET_GUEST_DEBUG, &guest);
	if (!ret)
		vcpu->arch.debugged = guest.control;
	/* Asked only now, as it costs a system call. */
	else if (!axk_ioctl_value(vcpu->vm->fd, KVM_CHECK_EXTENSION, KVM_CAP_SET_GUEST_DEBUG))
		return axvcpu_fail(vcpu->vm->vm, -ENOTSUP,
				   "set_debug: vCPU %" PRIu32
				   ": this KVM lacks KVM_CAP_SET_GUEST_DEBUG: Linux 6.10 has it",
				   vcpu->id);
	return ret;
}
