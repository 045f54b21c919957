/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* A reset: KVM_ARM_VCPU_INIT resets the CPU, then the state that setup made is set again. */
#include <errno.h>

#include "backends/arm64/arm64.h"

/* Resets the registers that KVM_ARM_VCPU_INIT leaves unchanged. */
static int reset_the_rest(struct axk_vcpu *vcpu)
{
	static const uint64_t left[] = { ARM64_CORE_REG(sp_el1), ARM64_CORE_REG(elr_el1),
					 ARM64_CORE_REG(spsr[KVM_SPSR_EL1]), KVM_REG_ARM_TIMER_CVAL,
					 KVM_REG_ARM_PTIMER_CVAL };
	const uint64_t zero = 0;

	for (size_t i = 0; i < ARRAY_SIZE(left); i++) {
		int ret = axk_set_one_reg(vcpu, left[i], &zero);

		/* Some KVMs lack the register of the physical timer. */
		if (ret && ret != -ENOENT)
			return ret;
	}
	return 0;
}

static int reset_cpu(struct axk_vcpu *vcpu, const struct axvcpu_setup_config *config)
{
	const struct kvm_mp_state runnable = { .mp_state = KVM_MP_STATE_RUNNABLE };
	/*
	 * Older KVMs require the same features as before, so a vCPU that was initialised with
	 * KVM_ARM_VCPU_POWER_OFF is off after this.
	 */
	int ret = axk_vcpu_ioctl(vcpu, KVM_ARM_VCPU_INIT, &vcpu->arch.init);

	if (ret)
		return ret;
	ret = axk_vcpu_ioctl(vcpu, KVM_SET_MP_STATE, &runnable);
	if (ret)
		return ret;
	ret = reset_the_rest(vcpu);
	if (ret)
		return ret;
	ret = axk_arm64_enter_mode(vcpu, config);
	if (ret)
		return ret;
	ret = axk_arm64_irq_reset(vcpu);
	if (ret)
		return ret;
	return axk_arm64_gic_reset_vcpu(vcpu);
}

int axk_arm64_vm_reset_vcpu(void *arch_vcpu)
{
	struct axk_vcpu *vcpu = arch_vcpu;
	const struct kvm_mp_state stopped = { .mp_state = KVM_MP_STATE_STOPPED };
	const bool off = vcpu->arch.init.features[0] >> KVM_ARM_VCPU_POWER_OFF & 1;
	int ret = off ? axk_vcpu_ioctl(vcpu, KVM_SET_MP_STATE, &stopped) : 0;

	if (ret)
		return ret;
	return axk_arm64_gic_reset_rest(vcpu);
}

int axk_arm64_reset(void *arch_vcpu, uint64_t entry, uint64_t arg, bool start)
{
	struct axk_vcpu *vcpu = arch_vcpu;
	struct axvcpu_setup_config config = vcpu->arch.setup;
	uint64_t old_entry = vcpu->entry;
	int ret;

	/* A started CPU has the same state as one that was reset. */
	(void)start;
	config.arg = arg;
	vcpu->entry = entry;
	ret = axk_arm64_check_mode(vcpu, &config);
	if (!ret)
		ret = axk_drop_exits(vcpu);
	if (ret) {
		vcpu->entry = old_entry;
		return ret;
	}
	ret = reset_cpu(vcpu, &config);
	if (ret)
		return ret;
	axk_arm64_end_cpu_on(vcpu);
	axk_arm64_psci_started(vcpu);
	vcpu->arch.nresults = 0;
	vcpu->arch.aborts = false;
	vcpu->arch.setup.arg = arg;
	return 0;
}
