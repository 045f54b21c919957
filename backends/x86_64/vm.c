/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* The x86_64 part of creating a VM. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "axvcpu/x86_64.h"
#include "backends/x86_64/x86_64.h"
#include "lib/base/sized.h"

/*
 * Intel CPUs without "unrestricted guest" need four pages of guest-physical addresses to emulate
 * real mode. As in other VMMs, these lie between the LAPIC and the BIOS.
 */
#define IDENTITY_MAP_ADDR UINT64_C(0xfffbc000)
#define TSS_ADDR (IDENTITY_MAP_ADDR + 0x1000)

int axk_arch_vm_type(int kvm_fd, const struct axvm *vm, const struct axvm_config *config)
{
	(void)kvm_fd;
	(void)vm;
	(void)config;
	return 0;
}

static int read_config(const struct axvm *vm, const struct axvm_config *config,
		       struct axvm_x86_config *x86)
{
	int ret = axv_sized_copy(vm, "struct axvm_x86_config", x86, sizeof(*x86),
				 config->arch_config);

	if (ret)
		return ret;
	if (x86->flags & ~AXVM_X86_PIT || x86->reserved)
		return axvcpu_fail(vm, -EINVAL,
				   "VM config: x86: flags are %#" PRIx32 ", reserved is %" PRIu32
				   "; only AXVM_X86_PIT is known",
				   x86->flags, x86->reserved);
	if ((x86->flags & AXVM_X86_PIT) && config->irqchip != AXVM_IRQCHIP_KERNEL)
		return axvcpu_fail(vm, -EINVAL,
				   "VM config: AXVM_X86_PIT needs AXVM_IRQCHIP_KERNEL; irqchip is "
				   "%" PRIu32,
				   config->irqchip);
	return 0;
}

static int set_gpa_bits(struct axk_vm *kvm, const struct axvm_config *config,
			struct axvm_limits *limits)
{
	uint32_t bits = axk_x86_cpuid_gpa_bits(kvm->arch.cpuid);

	if (config->gpa_bits > bits)
		return axvcpu_fail(kvm->vm, -ENOTSUP,
				   "VM config: gpa_bits is %u; this host has %u bits of "
				   "guest-physical addresses",
				   config->gpa_bits, bits);
	if (config->gpa_bits && config->gpa_bits < 32)
		return axvcpu_fail(kvm->vm, -EINVAL,
				   "VM config: gpa_bits is %u; it must be 32 to %u on x86_64",
				   config->gpa_bits, bits);
	limits->gpa_bits = config->gpa_bits ? config->gpa_bits : bits;
	return 0;
}

/* Called before the first vCPU is created, which gets its LAPIC from the irqchip. */
static int create_irqchip(struct axk_vm *kvm)
{
	int ret = 0;

	if (kvm->irqchip == AXVM_IRQCHIP_KERNEL)
		ret = axk_vm_result(kvm, axk_ioctl_value(kvm->fd, KVM_CREATE_IRQCHIP, 0),
				    "KVM_CREATE_IRQCHIP");
	else if (kvm->irqchip == AXVM_IRQCHIP_SPLIT)
		ret = axk_vm_enable_for(kvm, KVM_CAP_SPLIT_IRQCHIP, IOAPIC_PINS,
					"KVM_CAP_SPLIT_IRQCHIP", "irqchip");
	/* An 8-bit id addresses 255 vCPUs: the last value is the broadcast. */
	if (!ret && kvm->kernel_irqchip && kvm->max_vcpus > 255)
		ret = axk_vm_enable_for(kvm, KVM_CAP_X2APIC_API,
					KVM_X2APIC_API_USE_32BIT_IDS |
						KVM_X2APIC_API_DISABLE_BROADCAST_QUIRK,
					"KVM_CAP_X2APIC_API", "max_vcpus above 255");
	return ret;
}

/* With port 0x61, which counts channel 2 and has its output. */
static int create_pit(const struct axk_vm *kvm)
{
	const struct kvm_pit_config pit = { .flags = KVM_PIT_SPEAKER_DUMMY };
	int ret = axk_vm_require(kvm, KVM_CAP_PIT2, "KVM_CAP_PIT2", "AXVM_X86_PIT");

	if (ret < 0)
		return ret;
	return axk_vm_ioctl(kvm, KVM_CREATE_PIT2, &pit);
}

int axk_arch_vm_init(struct axk_vm *kvm, int kvm_fd, const struct axvm_config *config,
		     struct axvm_limits *limits)
{
	const uint64_t identity_map = IDENTITY_MAP_ADDR;
	struct axvm_x86_config x86;
	int ret = read_config(kvm->vm, config, &x86);

	if (ret)
		return ret;
	ret = axk_x86_cpuid_read(kvm->vm, kvm_fd, &kvm->arch.cpuid);
	if (ret)
		return ret;
	ret = axk_x86_msr_list_read(kvm->vm, kvm_fd, &kvm->arch.msrs);
	if (ret)
		goto free_cpuid;
	ret = set_gpa_bits(kvm, config, limits);
	if (ret)
		goto free_msrs;
	ret = axk_vm_ioctl(kvm, KVM_SET_IDENTITY_MAP_ADDR, &identity_map);
	if (ret)
		goto free_msrs;
	ret = axk_vm_result(kvm, axk_ioctl_value(kvm->fd, KVM_SET_TSS_ADDR, TSS_ADDR),
			    "KVM_SET_TSS_ADDR");
	if (ret)
		goto free_msrs;
	ret = create_irqchip(kvm);
	if (!ret && (x86.flags & AXVM_X86_PIT))
		ret = create_pit(kvm);
	if (ret)
		goto free_msrs;
	ret = axk_x86_forward_init(kvm, config);
	if (ret)
		goto free_msrs;
	return 0;

free_msrs:
	free(kvm->arch.msrs);
free_cpuid:
	free(kvm->arch.cpuid);
	return ret;
}

void axk_arch_vm_destroy(struct axk_vm *kvm)
{
	free(kvm->arch.msrs);
	free(kvm->arch.cpuid);
}

int axk_arch_vcpu_created(struct axk_vcpu *vcpu)
{
	(void)vcpu;
	return 0;
}
