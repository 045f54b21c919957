/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* Capabilities of KVM: asked for, required by an option of the config, enabled. */
#include <errno.h>
#include <inttypes.h>

#include "backends/kvm/kvm.h"

int axk_vm_capability(void *arch_vm, unsigned int capability)
{
	struct axk_vm *kvm = arch_vm;
	int ret = axk_ioctl_value(kvm->fd, KVM_CHECK_EXTENSION, capability);

	if (ret < 0)
		return axvcpu_fail(kvm->vm, ret, "KVM_CHECK_EXTENSION of %u", capability);
	return ret;
}

int axk_vm_require(const struct axk_vm *kvm, unsigned int capability, const char *name,
		   const char *option)
{
	int ret = axk_ioctl_value(kvm->fd, KVM_CHECK_EXTENSION, capability);

	if (ret < 0)
		return axvcpu_fail(kvm->vm, ret, "KVM_CHECK_EXTENSION of %s", name);
	if (!ret)
		return axvcpu_fail(kvm->vm, -ENOTSUP,
				   "VM config: %s needs %s, which KVM lacks here", option, name);
	return ret;
}

int axk_vm_enable(const struct axk_vm *kvm, unsigned int capability, uint64_t arg, const char *name)
{
	const struct kvm_enable_cap cap = { .cap = capability, .args = { arg } };
	int ret = axk_ioctl(kvm->fd, KVM_ENABLE_CAP, &cap);

	return ret < 0 ? axvcpu_fail(kvm->vm, ret, "KVM_ENABLE_CAP of %s", name) : 0;
}

int axk_vm_enable_for(const struct axk_vm *kvm, unsigned int capability, uint64_t arg,
		      const char *name, const char *option)
{
	int ret = axk_vm_require(kvm, capability, name, option);

	return ret < 0 ? ret : axk_vm_enable(kvm, capability, arg, name);
}

int axk_capability_failed(const struct axk_vm *kvm, int ret, const char *what,
			  unsigned int capability, const char *name, const char *why)
{
	/* Asked only now, as it costs a system call. */
	if (!axk_ioctl_value(kvm->fd, KVM_CHECK_EXTENSION, capability))
		return axvcpu_fail(kvm->vm, -ENOTSUP, "%s: this KVM lacks %s", what, name);
	return axvcpu_fail(kvm->vm, ret, "%s%s", what, why);
}

/* --- for callers ------------------------------------------------------------------------------ */

static struct kvm_enable_cap enable_cap(unsigned int capability, const uint64_t args[4])
{
	struct kvm_enable_cap cap = { .cap = capability };

	for (int i = 0; i < 4; i++)
		cap.args[i] = args[i];
	return cap;
}

int axk_vm_enable_capability(void *arch_vm, unsigned int capability, const uint64_t args[4])
{
	const struct axk_vm *kvm = arch_vm;
	const struct kvm_enable_cap cap = enable_cap(capability, args);
	int ret = axk_ioctl(kvm->fd, KVM_ENABLE_CAP, &cap);

	if (ret == -ENOTTY)
		return axk_failed_for(kvm, ret, "KVM_ENABLE_CAP", KVM_CAP_ENABLE_CAP_VM);
	return ret < 0 ? axvcpu_fail(kvm->vm, ret, "KVM_ENABLE_CAP of %u", capability) : ret;
}

int axk_vcpu_enable_capability(void *arch_vcpu, unsigned int capability, const uint64_t args[4])
{
	const struct axk_vcpu *vcpu = arch_vcpu;
	const struct kvm_enable_cap cap = enable_cap(capability, args);
	int ret = axk_ioctl(vcpu->fd, KVM_ENABLE_CAP, &cap);

	if (ret == -ENOTTY)
		return axk_failed_for(vcpu->vm, ret, "KVM_ENABLE_CAP", KVM_CAP_ENABLE_CAP);
	return ret < 0 ? axvcpu_fail(vcpu->vm->vm, ret, "KVM_ENABLE_CAP of %u on vCPU %" PRIu32,
				     capability, vcpu->id)
		       : ret;
}
