/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* The arm64 part of creating a VM. */
#include <errno.h>
#include <inttypes.h>

#include "backends/arm64/arm64.h"

#define GPA_BITS_MIN 32

/* --- the width of guest-physical addresses --------------------------------------------------- */

static int gpa_bits(const struct axvm *vm, int max, uint32_t wanted)
{
	if (!wanted)
		return max;
	if (wanted < GPA_BITS_MIN)
		return axvcpu_fail(vm, -EINVAL,
				   "VM config: gpa_bits is %" PRIu32
				   "; it must be %d to %d on arm64",
				   wanted, GPA_BITS_MIN, max);
	if (wanted > (uint32_t)max)
		return axvcpu_fail(vm, -ENOTSUP,
				   "VM config: gpa_bits is %" PRIu32
				   "; this host has %d bits of guest-physical addresses "
				   "(KVM_CAP_ARM_VM_IPA_SIZE)",
				   wanted, max);
	return (int)wanted;
}

int axk_arch_vm_type(int kvm_fd, const struct axvm *vm, const struct axvm_config *config)
{
	int max = axk_arm64_max_gpa_bits(vm, kvm_fd);
	int bits;

	if (max < 0)
		return max;
	bits = gpa_bits(vm, max ? max : ARM64_GPA_BITS_DEFAULT, config->gpa_bits);
	/* Without KVM_CAP_ARM_VM_IPA_SIZE the type is 0; only the library enforces the width. */
	if (bits >= 0 && !max)
		return 0;
	return bits;
}

static int set_gpa_bits(const struct axk_vm *kvm, int kvm_fd, const struct axvm_config *config,
			struct axvm_limits *limits)
{
	int max = axk_arm64_max_gpa_bits(kvm->vm, kvm_fd);
	int bits;

	if (max < 0)
		return max;
	bits = gpa_bits(kvm->vm, max ? max : ARM64_GPA_BITS_DEFAULT, config->gpa_bits);
	if (bits < 0)
		return bits;
	limits->gpa_bits = (uint32_t)bits;
	return 0;
}

/* --- the VM ---------------------------------------------------------------------------------- */

/*
 * Enables exits for accesses outside of memory by instructions that the hardware does not decode
 * for KVM, such as those with writeback or two registers. Without them KVM_RUN fails with ENOSYS.
 */
static int enable_nisv_exits(const struct axk_vm *kvm)
{
	int ret = axk_ioctl_value(kvm->fd, KVM_CHECK_EXTENSION, KVM_CAP_ARM_NISV_TO_USER);

	if (ret <= 0)
		return axk_vm_result(kvm, ret, "KVM_CHECK_EXTENSION of KVM_CAP_ARM_NISV_TO_USER");
	return axk_vm_enable(kvm, KVM_CAP_ARM_NISV_TO_USER, 0, "KVM_CAP_ARM_NISV_TO_USER");
}

int axk_arch_vm_init(struct axk_vm *kvm, int kvm_fd, const struct axvm_config *config,
		     struct axvm_limits *limits)
{
	int ret = set_gpa_bits(kvm, kvm_fd, config, limits);

	if (ret)
		return ret;
	ret = enable_nisv_exits(kvm);
	if (ret)
		return ret;
	if (config->forward & AXVM_FORWARD_SUSPEND) {
		ret = axk_vm_enable_for(kvm, KVM_CAP_ARM_SYSTEM_SUSPEND, 0,
					"KVM_CAP_ARM_SYSTEM_SUSPEND", "AXVM_FORWARD_SUSPEND");
		if (ret)
			return ret;
	}
	ret = axk_arm64_smccc_init(kvm, config);
	if (ret)
		return ret;
	ret = axk_arm64_psci_init(kvm);
	if (ret)
		return ret;
	ret = axk_arm64_gic_init(kvm, config, limits->gpa_bits);
	if (ret) {
		axk_arm64_psci_destroy(kvm);
		return ret;
	}
	limits->gic_version = kvm->arch.gic.version;
	return 0;
}

void axk_arch_vm_destroy(struct axk_vm *kvm)
{
	axk_arm64_gic_destroy(kvm);
	axk_arm64_psci_destroy(kvm);
}

int axk_arch_vcpu_created(struct axk_vcpu *vcpu)
{
	vcpu->arch.starts = ARM64_NO_CPU;
	return 0;
}
