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

/* Routes whose EOI is an exit, with a split irqchip: as many as an IOAPIC has. */
#define IOAPIC_PINS 24

int kvm_arch_vm_type(int kvm_fd, const struct axvm *vm, const struct axvm_config *config)
{
	(void)kvm_fd;
	return config->arch_config
		       ? axvcpu_fail(vm, -EINVAL, "VM config: x86_64 takes no arch_config")
		       : 0;
}

static int set_gpa_bits(struct kvm_vm *kvm, const struct axvm_config *config,
			struct axvm_limits *limits)
{
	uint32_t bits = x86_cpuid_gpa_bits(kvm->arch.cpuid);

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

/* Before the first vCPU, which gets its LAPIC from it. */
static int create_irqchip(struct kvm_vm *kvm)
{
	int ret = 0;

	if (kvm->irqchip == AXVM_IRQCHIP_KERNEL)
		ret = kvm_vm_result(kvm, kvm_ioctl_value(kvm->fd, KVM_CREATE_IRQCHIP, 0),
				    "KVM_CREATE_IRQCHIP");
	else if (kvm->irqchip == AXVM_IRQCHIP_SPLIT)
		ret = kvm_vm_enable_for(kvm, KVM_CAP_SPLIT_IRQCHIP, IOAPIC_PINS,
					"KVM_CAP_SPLIT_IRQCHIP", "irqchip");
	/* An id of 8 bits reaches 255 vCPUs: the last one means all of them. */
	if (!ret && kvm->kernel_irqchip && kvm->max_vcpus > 255)
		ret = kvm_vm_enable_for(kvm, KVM_CAP_X2APIC_API,
					KVM_X2APIC_API_USE_32BIT_IDS |
						KVM_X2APIC_API_DISABLE_BROADCAST_QUIRK,
					"KVM_CAP_X2APIC_API", "max_vcpus above 255");
	return ret;
}

int kvm_arch_vm_init(struct kvm_vm *kvm, int kvm_fd, const struct axvm_config *config,
		     struct axvm_limits *limits)
{
	const uint64_t identity_map = IDENTITY_MAP_ADDR;
	int ret = x86_cpuid_read(kvm->vm, kvm_fd, &kvm->arch.cpuid);

	if (!ret)
		ret = set_gpa_bits(kvm, config, limits);
	if (!ret)
		ret = kvm_vm_ioctl(kvm, KVM_SET_IDENTITY_MAP_ADDR, &identity_map);
	if (!ret)
		ret = kvm_vm_result(kvm, kvm_ioctl_value(kvm->fd, KVM_SET_TSS_ADDR, TSS_ADDR),
				    "KVM_SET_TSS_ADDR");
	if (!ret)
		ret = create_irqchip(kvm);
	if (!ret)
		ret = x86_forward_init(kvm, config);
	if (ret)
		free(kvm->arch.cpuid);
	return ret;
}

void kvm_arch_vm_destroy(struct kvm_vm *kvm)
{
	free(kvm->arch.cpuid);
}

int kvm_arch_vcpu_created(struct kvm_vcpu *vcpu)
{
	(void)vcpu;
	return 0;
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
	.vm_enable_capability = kvm_vm_enable_capability,
	.vm_set_irq_line = kvm_set_irq_line,
	.vm_signal_msi = kvm_signal_msi,
	.vm_set_routes = kvm_set_routes,
	.vm_irqfd = kvm_irqfd,
	.vm_ioeventfd = kvm_ioeventfd,

	.vcpu_new = kvm_vcpu_new,
	.vcpu_free = kvm_vcpu_free,
	.set_entry = x86_set_entry,
	.set_ept_root = kvm_set_ept_root,
	.setup = x86_setup,
	.run = kvm_run,
	.bind = kvm_bind,
	.unbind = kvm_unbind,
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
	.vcpu_enable_capability = kvm_vcpu_enable_capability,
	.inject_interrupt = x86_inject_interrupt,
	.inject_anywhere = x86_inject_anywhere,
	.inject_nmi = x86_inject_nmi,
	.inject_exception = x86_inject_exception,
	.request_irq_window = x86_request_irq_window,
	.set_debug = x86_set_debug,
	.translate = x86_translate,
	.reset = x86_reset,

	.percpu_enable = kvm_percpu_enable,
	.percpu_disable = kvm_percpu_disable,
	.percpu_guest_page_table_levels = kvm_percpu_guest_page_table_levels,
	.percpu_capability = kvm_percpu_capability,
	.percpu_fd = kvm_percpu_fd,
};

const struct axvcpu_arch_ops *axvcpu_host_arch(void)
{
	return &x86_64_ops;
}
