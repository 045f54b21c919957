/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * Calls that the guest makes by HVC or SMC. KVM forwards those that its filter selects, with the
 * function number only: arguments are read from the registers, one system call each, and results
 * are written to registers. The instruction has completed already at the exit.
 */
#include <errno.h>

#include "backends/arm64/arm64.h"
#include "backends/kvm/device.h"

#define NOT_SUPPORTED ((uint64_t)-1)

/* --- the filter ------------------------------------------------------------------------------ */

struct range {
	uint32_t first;
	uint32_t last;
};

/*
 * All function numbers except two ranges: KVM does not forward architecture calls, 0x80000000 and
 * 0xc0000000 with 16 bits; PSCI calls are the first 32 of 0x84000000 and 0xc4000000.
 */
static const struct range calls[] = {
	{ 0x00000000, 0x7fffffff }, { 0x80010000, 0x83ffffff }, { 0x84000020, 0xbfffffff },
	{ 0xc0010000, 0xc3ffffff }, { 0xc4000020, 0xffffffff },
};
/* PSCI CPU_OFF, CPU_ON and AFFINITY_INFO; the latter two also with 64-bit arguments. */
static const struct range power_calls[] = {
	{ 0x84000002, 0x84000004 },
	{ 0xc4000003, 0xc4000004 },
};

static int forward(const struct axk_vm *kvm, const struct range *range, size_t n,
		   const char *option)
{
	int ret = axk_device_has(kvm, kvm->fd, KVM_ARM_VM_SMCCC_CTRL, KVM_ARM_VM_SMCCC_FILTER);

	if (ret < 0)
		return ret;
	if (!ret)
		return axvcpu_fail(
			kvm->vm, -ENOTSUP,
			"VM config: %s needs KVM_ARM_VM_SMCCC_FILTER, which this KVM lacks "
			"(Linux 6.4 or later has it)",
			option);
	ret = 0;
	for (size_t i = 0; !ret && i < n; i++) {
		const struct axk_uapi_arm64_smccc_filter filter = {
			.base = range[i].first,
			.nr_functions = range[i].last - range[i].first + 1,
			.action = ARM64_UAPI_SMCCC_FORWARD,
		};

		ret = axk_device_set(kvm, kvm->fd, KVM_ARM_VM_SMCCC_CTRL, KVM_ARM_VM_SMCCC_FILTER,
				     &filter, "KVM_ARM_VM_SMCCC_FILTER");
	}
	return ret;
}

int axk_arm64_smccc_init(const struct axk_vm *kvm, const struct axvm_config *config)
{
	int ret = 0;

	if (config->forward & AXVM_FORWARD_HYPERCALLS)
		ret = forward(kvm, calls, ARRAY_SIZE(calls), "AXVM_FORWARD_HYPERCALLS");
	if (!ret && (config->forward & AXVM_FORWARD_POWER))
		ret = forward(kvm, power_calls, ARRAY_SIZE(power_calls), "AXVM_FORWARD_POWER");
	return ret;
}

/* --- exits ----------------------------------------------------------------------------------- */

int axk_arm64_decode_call(struct axk_vcpu *vcpu, struct axvcpu_exit *exit)
{
	const struct axk_uapi_arm64_hypercall *call = (const void *)&vcpu->run->hypercall;
	struct axvcpu_exit_hypercall *hypercall = &exit->u.hypercall;
	int ret = 0;

	exit->raw_code = call->flags;
	if (axk_arm64_is_power_call(vcpu, (uint32_t)call->nr))
		return axk_arm64_decode_power_call(vcpu, (uint32_t)call->nr, exit);
	for (unsigned int i = 0; !ret && i < ARRAY_SIZE(hypercall->args); i++)
		ret = axk_get_one_reg(vcpu, ARM64_GPR(i + 1), &hypercall->args[i]);
	if (ret)
		return ret;
	hypercall->nr = call->nr;
	exit->kind = AXVCPU_EXIT_HYPERCALL;
	exit->answerable = 1;
	axk_arm64_preset_result(vcpu, NOT_SUPPORTED);
	return 1;
}

int axk_arm64_complete_call(struct axk_vcpu *vcpu, const struct axvcpu_answer *answer)
{
	struct axk_vcpu_arch *arch = &vcpu->arch;

	switch (answer->kind) {
	case AXVCPU_ANSWER_VALUE:
		axk_arm64_end_cpu_on(vcpu);
		axk_arm64_preset_result(vcpu, answer->u.value);
		return 0;
	case AXVCPU_ANSWER_PAIR:
		axk_arm64_end_cpu_on(vcpu);
		axk_arm64_preset_result(vcpu, answer->u.pair[0]);
		arch->results[arch->nresults++] = answer->u.pair[1];
		return 0;
	default:
		return axvcpu_fail(vcpu->vm->vm, -EINVAL,
				   "complete: a call takes a value (x0) or a pair (x0, x1)");
	}
}

/* --- the end of a call ----------------------------------------------------------------------- */

int axk_arm64_finish_call(struct axk_vcpu *vcpu)
{
	struct axk_vcpu_arch *arch = &vcpu->arch;

	if (arch->nresults && arch->starts != ARM64_NO_CPU)
		arch->results[0] = (uint64_t)axk_arm64_end_cpu_on(vcpu);
	return axk_arm64_write_results(vcpu);
}

int axk_arm64_flush(void *arch_vcpu)
{
	struct axk_vcpu *vcpu = arch_vcpu;
	int ret = vcpu->stashed ? 0 : axk_arm64_finish_call(vcpu);

	if (ret)
		return ret;
	return axk_flush(vcpu);
}
