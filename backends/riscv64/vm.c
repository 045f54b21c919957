/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* The riscv64 part of creating a VM. */
#include <errno.h>
#include <stdlib.h>

#include "backends/riscv64/riscv64.h"

/* The width of Sv39x4, the smallest mode of 64-bit hosts. */
#define GPA_BITS_MIN 41u

/* --- the width of guest-physical addresses ------------------------------------------------------ */

static int host_gpa_bits(const struct axvm *vm, int kvm_fd)
{
	int ret = axk_ioctl_value(kvm_fd, KVM_CHECK_EXTENSION, KVM_CAP_VM_GPA_BITS);

	if (ret < 0)
		return axvcpu_fail(vm, ret, "KVM_CHECK_EXTENSION of KVM_CAP_VM_GPA_BITS");
	/* KVMs before Linux 5.17, without the capability, use the smallest mode. */
	if (!ret)
		return (int)GPA_BITS_MIN;
	return ret < KVM_GPA_BITS_MAX ? ret : KVM_GPA_BITS_MAX;
}

/*
 * Sv39x4, Sv48x4 and Sv57x4 have three, four and five levels, with two more bits at the top level.
 */
int axk_arch_guest_page_table_levels(int kvm_fd)
{
	int bits = host_gpa_bits(NULL, kvm_fd);

	if (bits < 0)
		return bits;
	if (bits > 50)
		return 5;
	return bits > 41 ? 4 : 3;
}

static int set_gpa_bits(struct axk_vm *kvm, int kvm_fd, const struct axvm_config *config,
			struct axvm_limits *limits)
{
	struct kvm_enable_cap cap = { .cap = KVM_CAP_VM_GPA_BITS };
	int bits = host_gpa_bits(kvm->vm, kvm_fd);
	int ret;

	if (bits < 0)
		return bits;
	/* KVM refuses a slot at the end of its address space, so the last bit is not used. */
	bits--;
	if (config->gpa_bits > (uint32_t)bits)
		return axvcpu_fail(kvm->vm, -ENOTSUP,
				   "VM config: gpa_bits is %u; this host has %d bits of "
				   "guest-physical addresses (KVM_CAP_VM_GPA_BITS)",
				   config->gpa_bits, bits);
	if (config->gpa_bits && config->gpa_bits < 32)
		return axvcpu_fail(kvm->vm, -EINVAL,
				   "VM config: gpa_bits is %u; it must be 32 to %d on riscv64",
				   config->gpa_bits, bits);
	limits->gpa_bits = config->gpa_bits ? config->gpa_bits : (uint32_t)bits;
	if (!config->gpa_bits)
		return 0;
	/* Linux 7.1 then uses fewer page-table levels. Older KVMs refuse, which is harmless. */
	cap.args[0] = limits->gpa_bits + 1;
	ret = axk_ioctl(kvm->fd, KVM_ENABLE_CAP, &cap);
	if (ret == -EINVAL || ret == -ENOTTY)
		return 0;
	return axk_vm_result(kvm, ret, "KVM_ENABLE_CAP of KVM_CAP_VM_GPA_BITS");
}

/* --- the VM ------------------------------------------------------------------------------------- */

int axk_arch_vm_type(int kvm_fd, const struct axvm *vm, const struct axvm_config *config)
{
	(void)kvm_fd;
	return axk_riscv_aia_check(vm, config);
}

/* Newer KVMs can reset a vCPU by its MP state, if that is enabled. */
static int init_reset(struct axk_vm *kvm)
{
	int ret = axk_ioctl_value(kvm->fd, KVM_CHECK_EXTENSION, KVM_CAP_RISCV_MP_STATE_RESET);

	if (ret < 0)
		return axvcpu_fail(kvm->vm, ret,
				   "KVM_CHECK_EXTENSION of KVM_CAP_RISCV_MP_STATE_RESET");
	kvm->arch.has_reset = ret;
	if (!ret)
		return 0;
	return axk_vm_enable(kvm, KVM_CAP_RISCV_MP_STATE_RESET, 0, "KVM_CAP_RISCV_MP_STATE_RESET");
}

int axk_arch_vm_init(struct axk_vm *kvm, int kvm_fd, const struct axvm_config *config,
		     struct axvm_limits *limits)
{
	int ret = set_gpa_bits(kvm, kvm_fd, config, limits);

	if (ret)
		return ret;
	kvm->arch.created = axv_sys_calloc(kvm->max_vcpus, sizeof(kvm->arch.created[0]));
	if (!kvm->arch.created)
		return axvcpu_fail(kvm->vm, -ENOMEM, "VM: allocating room for %u vCPUs",
				   kvm->max_vcpus);
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

	/* More than max_vcpus: KVM has created two vCPUs with one id. */
	if (arch->ncreated == vcpu->vm->max_vcpus)
		return axk_vcpu_result(
			vcpu, -EIO,
			"KVM_CREATE_VCPU: more vCPUs than ids: creation of the last one");
	arch->created[arch->ncreated++] = vcpu->id;
	return 0;
}
