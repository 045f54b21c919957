/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* What a VM of riscv64 needs beyond the code that all architectures share. */
#include <errno.h>
#include <stdlib.h>

#include "backends/riscv64/riscv64.h"

/* What Sv39x4 has, the smallest that 64-bit hosts know. */
#define GPA_BITS_MIN 41u

/* --- the width of guest-physical addresses ------------------------------------------------------ */

static int host_gpa_bits(const struct axvm *vm, int kvm_fd)
{
	int ret = axk_ioctl_value(kvm_fd, KVM_CHECK_EXTENSION, KVM_CAP_VM_GPA_BITS);

	if (ret < 0)
		return axvcpu_fail(vm, ret, "KVM_CHECK_EXTENSION of KVM_CAP_VM_GPA_BITS");
	/* Linux 5.17 has it: before it, all that KVM made was the smallest. */
	if (!ret)
		return (int)GPA_BITS_MIN;
	return ret < KVM_GPA_BITS_MAX ? ret : KVM_GPA_BITS_MAX;
}

/* Sv39x4, Sv48x4 and Sv57x4: two bits more at the top of three, four and five levels. */
int axk_arch_guest_page_table_levels(int kvm_fd)
{
	int bits = host_gpa_bits(NULL, kvm_fd);

	if (bits < 0)
		return bits;
	return bits > 50 ? 5 : bits > 41 ? 4 : 3;
}

static int set_gpa_bits(struct axk_vm *kvm, int kvm_fd, const struct axvm_config *config,
			struct axvm_limits *limits)
{
	struct kvm_enable_cap cap = { .cap = KVM_CAP_VM_GPA_BITS };
	int bits = host_gpa_bits(kvm->vm, kvm_fd);
	int ret;

	if (bits < 0)
		return bits;
	/* KVM takes no memory that ends where its addresses end: the last bit is to be done without. */
	bits--;
	if (config->gpa_bits > (uint32_t)bits)
		return axvcpu_fail(kvm->vm, -ENOTSUP,
				   "VM config: gpa_bits is %u; this host has %d bits of "
				   "guest-physical addresses (KVM_CAP_VM_GPA_BITS)",
				   config->gpa_bits, bits);
	if (config->gpa_bits && config->gpa_bits < 32)
		return axvcpu_fail(kvm->vm, -EINVAL,
				   "VM config: gpa_bits is %u: riscv64 has 32 to %d",
				   config->gpa_bits, bits);
	limits->gpa_bits = config->gpa_bits ? config->gpa_bits : (uint32_t)bits;
	if (!config->gpa_bits)
		return 0;
	/* Linux 7.1 takes smaller tables for it. Others lose nothing but a level of them. */
	cap.args[0] = limits->gpa_bits + 1;
	ret = axk_ioctl(kvm->fd, KVM_ENABLE_CAP, &cap);
	return ret == -EINVAL || ret == -ENOTTY
		       ? 0
		       : axk_vm_result(kvm, ret, "KVM_ENABLE_CAP of KVM_CAP_VM_GPA_BITS");
}

/* --- the VM ------------------------------------------------------------------------------------- */

int axk_arch_vm_type(int kvm_fd, const struct axvm *vm, const struct axvm_config *config)
{
	(void)kvm_fd;
	return axk_riscv_aia_check(vm, config);
}

/* Newer kernels reset a vCPU when they are asked to; it is asked for only here. */
static int init_reset(struct axk_vm *kvm)
{
	int ret = axk_ioctl_value(kvm->fd, KVM_CHECK_EXTENSION, KVM_CAP_RISCV_MP_STATE_RESET);

	if (ret < 0)
		return axvcpu_fail(kvm->vm, ret,
				   "KVM_CHECK_EXTENSION of KVM_CAP_RISCV_MP_STATE_RESET");
	kvm->arch.has_reset = ret;
	return ret ? axk_vm_enable(kvm, KVM_CAP_RISCV_MP_STATE_RESET, 0,
				   "KVM_CAP_RISCV_MP_STATE_RESET")
		   : 0;
}

int axk_arch_vm_init(struct axk_vm *kvm, int kvm_fd, const struct axvm_config *config,
		     struct axvm_limits *limits)
{
	int ret = set_gpa_bits(kvm, kvm_fd, config, limits);

	if (ret)
		return ret;
	kvm->arch.created = axv_sys_calloc(kvm->max_vcpus, sizeof(kvm->arch.created[0]));
	if (!kvm->arch.created)
		return axvcpu_fail(kvm->vm, -ENOMEM, "VM: room for %u vCPUs", kvm->max_vcpus);
	ret = init_reset(kvm);
	if (!ret)
		ret = axk_riscv_aia_init(kvm, config, limits->gpa_bits);
	if (ret)
		free(kvm->arch.created);
	return ret;
}

void axk_arch_vm_destroy(struct axk_vm *kvm)
{
	axk_riscv_aia_destroy(kvm);
	free(kvm->arch.created);
}

int axk_arch_vcpu_created(struct axk_vcpu *vcpu)
{
	struct axk_vm_arch *arch = &vcpu->vm->arch;

	/* Each id once, or KVM has made a second vCPU of one. */
	if (arch->ncreated == vcpu->vm->max_vcpus)
		return axk_vcpu_result(vcpu, -EIO,
				       "KVM_CREATE_VCPU: more vCPUs than ids, the last");
	arch->created[arch->ncreated++] = vcpu->id;
	return 0;
}
