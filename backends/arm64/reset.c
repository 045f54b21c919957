/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* A reset: KVM makes the CPU anew, and we what setup made of it. */
#include <errno.h>

#include "backends/arm64/arm64.h"

/* Of what a guest can change, KVM_ARM_VCPU_INIT leaves these as they were. */
static int reset_the_rest(struct axk_vcpu *vcpu)
{
	static const uint64_t left[] = { ARM64_CORE_REG(sp_el1), ARM64_CORE_REG(elr_el1),
					 ARM64_CORE_REG(spsr[KVM_SPSR_EL1]), KVM_REG_ARM_TIMER_CVAL,
					 KVM_REG_ARM_PTIMER_CVAL };
	const uint64_t zero = 0;

	for (size_t i = 0; i < ARRAY_SIZE(left); i++) {
		int ret = axk_set_one_reg(vcpu, left[i], &zero);

		/* The physical timer's is not everywhere. */
		if (ret && ret != -ENOENT)
			return ret;
	}
	return 0;
}

int axk_arm64_reset(void *arch_vcpu, uint64_t entry, uint64_t arg, bool start)
{
	const struct kvm_mp_state runnable = { .mp_state = KVM_MP_STATE_RUNNABLE };
	struct axk_vcpu *vcpu = arch_vcpu;
	struct axvcpu_setup_config config = vcpu->arch.setup;
	uint64_t old_entry = vcpu->entry;
	int ret;

	/* A CPU that another one starts is as one that was reset. */
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
	/*
	 * With the same features, which older KVMs insist on: one that has begun off is off again.
	 */
	ret = axk_vcpu_ioctl(vcpu, KVM_ARM_VCPU_INIT, &vcpu->arch.init);
	if (!ret)
		ret = axk_vcpu_ioctl(vcpu, KVM_SET_MP_STATE, &runnable);
	if (!ret)
		ret = reset_the_rest(vcpu);
	if (!ret)
		ret = axk_arm64_enter_mode(vcpu, &config);
	if (!ret)
		ret = axk_arm64_irq_reset(vcpu);
	if (ret)
		return ret;
	axk_arm64_end_cpu_on(vcpu);
	axk_arm64_psci_started(vcpu);
	vcpu->arch.nresults = 0;
	vcpu->arch.aborts = false;
	vcpu->arch.setup.arg = arg;
	return 0;
}
