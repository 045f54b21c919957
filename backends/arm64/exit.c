/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* The exits that only arm64 has. */
#include <errno.h>

#include "backends/arm64/arm64.h"
#include "kvm_arch_decode.h"

/* Bit of a data abort's syndrome: the access was a store. */
#define ISS_WNR (1u << 6)

/* An access outside of memory by an instruction that the hardware did not decode. */
static void decode_undecoded(const struct kvm_run *run, struct axvcpu_exit *exit)
{
	uint64_t iss = run->arm_nisv.esr_iss;

	axk_exit_plain(exit, AXVCPU_EXIT_NESTED_PAGE_FAULT);
	exit->raw_code = iss;
	exit->u.page_fault = (struct axvcpu_exit_page_fault){
		.addr = run->arm_nisv.fault_ipa,
		.access = iss & ISS_WNR ? AXVCPU_ACCESS_WRITE : AXVCPU_ACCESS_READ,
	};
}

/* KVM reports only the errno. */
void axk_arch_locate_fault(struct axk_vcpu *vcpu, struct axvcpu_exit_page_fault *fault)
{
	(void)vcpu;
	(void)fault;
}

/* PSCI SYSTEM_SUSPEND. The instruction has completed already, as for forwarded calls. */
static int decode_suspend(struct axk_vcpu *vcpu, struct axvcpu_exit *exit)
{
	struct axvcpu_exit_suspend *suspend = &exit->u.suspend;
	int ret = axk_get_one_reg(vcpu, ARM64_GPR(1), &suspend->entry_point);

	if (!ret)
		ret = axk_get_one_reg(vcpu, ARM64_GPR(2), &suspend->arg);
	if (ret)
		return ret;
	exit->kind = AXVCPU_EXIT_SYSTEM_SUSPEND;
	exit->answerable = 1;
	axk_arm64_preset_result(vcpu, (uint64_t)AXVCPU_PSCI_DENIED);
	return 1;
}

int axk_arch_decode(struct axk_vcpu *vcpu, struct axvcpu_exit *exit)
{
	switch (vcpu->run->exit_reason) {
	case KVM_EXIT_SYSTEM_EVENT:
		if (vcpu->run->system_event.type == KVM_SYSTEM_EVENT_SUSPEND)
			return decode_suspend(vcpu, exit);
		axk_exit_plain(exit, AXVCPU_EXIT_UNHANDLED);
		return 1;
	case KVM_EXIT_ARM_NISV:
		decode_undecoded(vcpu->run, exit);
		return 1;
	case KVM_EXIT_HYPERCALL:
		return axk_arm64_decode_call(vcpu, exit);
	case KVM_EXIT_DEBUG:
		return axk_arm64_decode_debug(vcpu, exit);
	default:
		axk_exit_plain(exit, AXVCPU_EXIT_UNHANDLED);
		return 1;
	}
}

bool axk_arch_decode_forwarded(struct axk_vcpu *vcpu, struct axvcpu_exit *exit)
{
	(void)vcpu;
	(void)exit;
	return true;
}

int axk_arch_complete(struct axk_vcpu *vcpu, const struct axvcpu_answer *answer)
{
	return axk_arm64_complete_call(vcpu, answer);
}

/* --- before an entry ---------------------------------------------------------------------------- */

int axk_arch_before_entry(struct axk_vcpu *vcpu, struct axvcpu_exit *exit)
{
	int ret = axk_arm64_finish_call(vcpu);

	(void)exit;
	if (ret)
		return ret;
	ret = axk_arm64_start_pmu(vcpu);
	if (ret)
		return ret;
	ret = axk_arm64_raise_early(vcpu);
	if (ret)
		return ret;
	/* This entry takes the abort. */
	vcpu->arch.aborts = false;
	return 0;
}

int axk_arch_interrupted(struct axk_vcpu *vcpu)
{
	(void)vcpu;
	return 0;
}

bool axk_arch_swallow(struct axk_vcpu *vcpu)
{
	(void)vcpu;
	return false;
}
