/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* x86_64 over KVM: the table, and what a VM needs beyond what all architectures do. */
#include <errno.h>
#include <stdlib.h>

#include "backends/x86_64/x86_64.h"

/*
 * Intel CPUs without "unrestricted guest" need four pages of guest-physical addresses to emulate
 * real mode. Below the BIOS and above the LAPIC is where everybody puts them.
 */
#define IDENTITY_MAP_ADDR UINT64_C(0xfffbc000)
#define TSS_ADDR (IDENTITY_MAP_ADDR + 0x1000)

/* CPUID 0x80000008, eax: bits of a physical address. */
#define CPUID_ADDRESS_SIZES 0x80000008u

int kvm_arch_vm_type(int kvm_fd, const struct axvm *vm, const struct axvm_config *config)
{
	(void)kvm_fd;
	(void)vm;
	(void)config;
	return 0;
}

static int set_gpa_bits(struct kvm_vm *kvm, const struct axvm_config *config,
			struct axvm_limits *limits)
{
	const struct kvm_cpuid_entry2 *leaf =
		x86_cpuid_find(kvm->arch.cpuid, CPUID_ADDRESS_SIZES, 0);
	/* Without the leaf: 36 bits, as the first CPUs had with PAE. */
	uint32_t bits = leaf && (leaf->eax & 0xff) ? leaf->eax & 0xff : 36;

	if (config->gpa_bits > bits)
		return axvcpu_fail(kvm->vm, -ENOTSUP,
				   "VM config: gpa_bits is %u; this host has %u bits of "
				   "guest-physical addresses",
				   config->gpa_bits, bits);
	if (config->gpa_bits && config->gpa_bits < 32)
		return axvcpu_fail(kvm->vm, -EINVAL, "VM config: gpa_bits is %u: x86 has 32 to %u",
				   config->gpa_bits, bits);
	limits->gpa_bits = config->gpa_bits ? config->gpa_bits : bits;
	return 0;
}

int kvm_arch_vm_init(struct kvm_vm *kvm, int kvm_fd, const struct axvm_config *config,
		     struct axvm_limits *limits)
{
	const uint64_t identity_map = IDENTITY_MAP_ADDR;
	int ret = x86_cpuid_read(kvm, kvm_fd);

	if (!ret)
		ret = set_gpa_bits(kvm, config, limits);
	if (!ret)
		ret = kvm_vm_ioctl(kvm, KVM_SET_IDENTITY_MAP_ADDR, &identity_map);
	if (!ret)
		ret = kvm_vm_result(kvm, kvm_ioctl_value(kvm->fd, KVM_SET_TSS_ADDR, TSS_ADDR),
				    "KVM_SET_TSS_ADDR");
	if (!ret && kvm->kernel_irqchip)
		ret = kvm_vm_result(kvm, kvm_ioctl_value(kvm->fd, KVM_CREATE_IRQCHIP, 0),
				    "KVM_CREATE_IRQCHIP");
	if (ret)
		free(kvm->arch.cpuid);
	return ret;
}

void kvm_arch_vm_destroy(struct kvm_vm *kvm)
{
	free(kvm->arch.cpuid);
}

static const struct axvcpu_arch_ops x86_64_ops = {
	.size = sizeof(struct axvcpu_arch_ops),
	.name = "x86_64",

	.vm_new = kvm_vm_new,
	.vm_free = kvm_vm_free,
	.vm_map = kvm_vm_map,
	.vm_unmap = kvm_vm_unmap,
	.vm_capability = kvm_vm_capability,
	.vm_fd = kvm_vm_fd,

	.vcpu_new = kvm_vcpu_new,
	.vcpu_free = kvm_vcpu_free,
	.set_entry = x86_set_entry,
	.set_ept_root = kvm_set_ept_root,
	.setup = x86_setup,
	.run = kvm_run,
	.complete = kvm_complete,
	.flush = kvm_flush,
	.kick = kvm_kick,
	.get_reg = x86_get_reg,
	.set_reg = x86_set_reg,
	.get_regs = x86_get_regs,
	.set_regs = x86_set_regs,
	.set_return_value = x86_set_return_value,
	.reg_info = x86_reg_info,
	.vcpu_fd = kvm_vcpu_fd,
};

const struct axvcpu_arch_ops *axvcpu_host_arch(void)
{
	return &x86_64_ops;
}
