/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * Resets of the in-kernel GIC: the part that each CPU has, with that CPU; all of it with the whole VM.
 * KVM has a single operation for the ITS only, so the others are reset register by register.
 */
#include <errno.h>

#include "backends/arm64/gic_regs.h"
#include "backends/kvm/device.h"
#include "backends/kvm/state.h"

#define ICC_CTLR_EL1 0xc664
/* Fields of ICC_CTLR_EL1 that a guest can change: CBPR, EOImode. */
#define ICC_CTLR_WRITABLE UINT64_C(3)

/* Writes the reset values of this kind of reset. */
static int reset_regs(const struct axk_vm *kvm, struct axk_gic_table table, uint64_t cpu,
		      enum axk_gic_reset reset)
{
	int ret = 0;

	for (size_t i = 0; !ret && i < table.n; i++) {
		const struct axk_gic_regs *regs = &table.regs[i];
		const uint32_t count = axk_arm64_gic_count(&kvm->arch.gic, regs);

		for (uint32_t k = 0; !ret && k < count && regs->reset == reset; k++)
			ret = axk_arm64_gic_set(kvm, regs, cpu, k, regs->value);
	}
	return ret;
}

/* --- one CPU ---------------------------------------------------------------------------------- */

int axk_arm64_gic_reset_vcpu(struct axk_vcpu *vcpu)
{
	const struct axk_vm *kvm = vcpu->vm;
	int ret;

	if (!axk_arm64_gic_is_ready(kvm))
		return 0;
	ret = reset_regs(kvm, axk_arm64_gic_cpu(&kvm->arch.gic), axk_arm64_gic_cpu_attr(vcpu),
			 AXK_GIC_RESET_CPU);
	/* Another vCPU is in the guest: KVM then refuses access to the GIC, so this state stays. */
	if (ret == -EBUSY)
		return 0;
	return axk_vcpu_result(vcpu, ret, "KVM_SET_DEVICE_ATTR of the GIC");
}

/* Its other fields describe the host, and KVM only accepts its own values. */
static int reset_icc_ctlr(const struct axk_vm *kvm, uint64_t cpu)
{
	static const struct axk_gic_regs ctlr = { .group = KVM_DEV_ARM_VGIC_GRP_CPU_SYSREGS,
						  .reg = ICC_CTLR_EL1 };
	uint64_t value = 0;
	int ret = axk_arm64_gic_get(kvm, &ctlr, cpu, 0, &value);

	return ret ? ret : axk_arm64_gic_set(kvm, &ctlr, cpu, 0, value & ~ICC_CTLR_WRITABLE);
}

int axk_arm64_gic_reset_rest(struct axk_vcpu *vcpu)
{
	const struct axk_vm *kvm = vcpu->vm;
	const struct axk_arm64_gic *gic = &kvm->arch.gic;
	const uint64_t cpu = axk_arm64_gic_cpu_attr(vcpu);
	int ret;

	if (!axk_arm64_gic_is_ready(kvm))
		return 0;
	ret = gic->its_fd < 0 ? 0 : axk_arm64_gic_lpis_off(kvm, cpu);
	if (!ret)
		ret = reset_regs(kvm, axk_arm64_gic_cpu(gic), cpu, AXK_GIC_RESET_VM);
	if (!ret && gic->version == 3)
		ret = reset_icc_ctlr(kvm, cpu);
	return axk_vcpu_result(vcpu, ret, "KVM_SET_DEVICE_ATTR of the GIC");
}

/* --- the VM ----------------------------------------------------------------------------------- */

int axk_arm64_vm_reset(void *arch_vm)
{
	static const uint64_t low[AXK_LINES_WORDS];
	struct axk_vm *kvm = arch_vm;
	const struct axk_arm64_gic *gic = &kvm->arch.gic;
	int ret;

	if (!axk_arm64_gic_is_ready(kvm))
		return 0;
	ret = axk_arm64_gic_set_lines(kvm, low);
	if (ret)
		return ret;
	ret = reset_regs(kvm, axk_arm64_gic_dist(gic), 0, AXK_GIC_RESET_VM);
	if (ret)
		return axk_vm_result(kvm, ret, "KVM_SET_DEVICE_ATTR of the GIC");
	if (gic->its_fd < 0)
		return 0;
	return axk_device_set(kvm, gic->its_fd, KVM_DEV_ARM_VGIC_GRP_CTRL,
			      KVM_DEV_ARM_ITS_CTRL_RESET, NULL, "KVM_DEV_ARM_ITS_CTRL_RESET");
}
