/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* Resets of the in-kernel AIA: the IMSIC of a vCPU; the APLIC with the whole VM. */
#include "backends/kvm/device.h"
#include "backends/riscv64/riscv64.h"

/* Numbers of IMSIC registers. */
#define IMSIC_EIDELIVERY 0x70u
#define IMSIC_EITHRESHOLD 0x72u
#define IMSIC_EIP0 0x80u
#define IMSIC_EIE0 0xc0u

/* Offsets of APLIC registers. */
#define APLIC_DOMAINCFG 0x0u
#define APLIC_SOURCECFG 0x4u
#define APLIC_CLRIP 0x1d00u
#define APLIC_CLRIE 0x1f00u
#define APLIC_TARGET 0x3004u

/* --- one vCPU --------------------------------------------------------------------------------- */

static int set_imsic(const struct axk_vcpu *vcpu, uint32_t reg, unsigned long value)
{
	return axk_device_set(vcpu->vm, vcpu->vm->arch.aia, KVM_DEV_RISCV_AIA_GRP_IMSIC,
			      KVM_DEV_RISCV_AIA_IMSIC_MKATTR((unsigned long)vcpu->id, reg), &value,
			      "KVM_DEV_RISCV_AIA_GRP_IMSIC");
}

int axk_riscv_aia_reset(struct axk_vcpu *vcpu)
{
	const struct axk_vm_arch *arch = &vcpu->vm->arch;
	int ret;

	if (!vcpu->vm->kernel_irqchip || !atomic_load(&arch->aia_ready))
		return 0;
	ret = set_imsic(vcpu, IMSIC_EIDELIVERY, 0);
	if (ret)
		return ret;
	ret = set_imsic(vcpu, IMSIC_EITHRESHOLD, 0);
	if (ret)
		return ret;
	/* The 64-bit registers have the even numbers. */
	for (uint32_t i = 0; i <= arch->ids / 64; i++) {
		ret = set_imsic(vcpu, IMSIC_EIE0 + 2 * i, 0);
		if (ret)
			return ret;
		ret = set_imsic(vcpu, IMSIC_EIP0 + 2 * i, 0);
		if (ret)
			return ret;
	}
	return 0;
}

/* --- the VM ----------------------------------------------------------------------------------- */

static int set_aplic(const struct axk_vm *kvm, uint32_t offset, uint32_t value)
{
	return axk_device_set(kvm, kvm->arch.aia, KVM_DEV_RISCV_AIA_GRP_APLIC, offset, &value,
			      "KVM_DEV_RISCV_AIA_GRP_APLIC");
}

/* KVM only clears the bits of active sources, so before these are made inactive. */
static int clear_pending(const struct axk_vm *kvm)
{
	int ret = 0;

	for (uint32_t word = 0; !ret && word <= kvm->arch.sources / 32; word++) {
		ret = set_aplic(kvm, APLIC_CLRIE + 4 * word, UINT32_MAX);
		if (!ret)
			ret = set_aplic(kvm, APLIC_CLRIP + 4 * word, UINT32_MAX);
	}
	return ret;
}

int axk_riscv_vm_reset(void *arch_vm)
{
	struct axk_vm *kvm = arch_vm;
	int ret;

	if (!kvm->kernel_irqchip || !atomic_load(&kvm->arch.aia_ready))
		return 0;
	ret = set_aplic(kvm, APLIC_DOMAINCFG, 0);
	if (!ret)
		ret = axk_lower_lines(kvm);
	if (!ret)
		ret = clear_pending(kvm);
	for (uint32_t source = 0; !ret && source < kvm->arch.sources; source++) {
		ret = set_aplic(kvm, APLIC_SOURCECFG + 4 * source, 0);
		if (!ret)
			ret = set_aplic(kvm, APLIC_TARGET + 4 * source, 0);
	}
	return ret;
}
