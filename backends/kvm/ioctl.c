/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* Messages of failed ioctls. */
#include "backends/kvm/ioctl.h"

#include <inttypes.h>

#include "backends/kvm/kvm.h"

int axk_vcpu_result(const struct axk_vcpu *vcpu, int ret, const char *what)
{
	return likely(ret >= 0)
		       ? ret
		       : axvcpu_fail(vcpu->vm->vm, ret, "%s on vCPU %" PRIu32, what, vcpu->id);
}

int axk_vm_result(const struct axk_vm *kvm, int ret, const char *what)
{
	return likely(ret >= 0) ? ret : axvcpu_fail(kvm->vm, ret, "%s", what);
}
