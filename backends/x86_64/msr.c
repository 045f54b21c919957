/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* Model-specific registers: accesses that become exits, and those that KVM stores. */
#include <errno.h>
#include <inttypes.h>

#include "backends/x86_64/x86_64.h"

/* --- configuring exits ------------------------------------------------------------------------ */

#define REGISTERS_MAX (KVM_MSR_FILTER_MAX_BITMAP_SIZE * 8)

static int check_range(const struct axk_vm *kvm, uint32_t i, const struct axvm_sysreg_range *range)
{
	uint64_t last = (uint64_t)range->base + (range->count - 1);

	if (range->count > REGISTERS_MAX)
		return axvcpu_fail(kvm->vm, -EINVAL,
				   "sysregs[%" PRIu32 "]: count is %" PRIu32 "; the maximum is %d",
				   i, range->count, REGISTERS_MAX);
	/* KVM accepts these MSRs and then does not filter them. */
	if (range->base <= X2APIC_MSR_LAST && last >= X2APIC_MSR_FIRST)
		return axvcpu_fail(kvm->vm, -EINVAL,
				   "sysregs[%" PRIu32
				   "] has x2APIC MSRs (0x800 to 0x8ff), which KVM cannot filter",
				   i);
	return 0;
}

static int check_ranges(const struct axk_vm *kvm, const struct axvm_sysreg_range *ranges,
			uint32_t count)
{
	int ret = 0;

	if (count > KVM_MSR_FILTER_MAX_RANGES)
		return axvcpu_fail(kvm->vm, -EINVAL,
				   "sysregs: %" PRIu32 " ranges; the maximum is %d", count,
				   KVM_MSR_FILTER_MAX_RANGES);
	for (uint32_t i = 0; !ret && i < count; i++)
		ret = check_range(kvm, i, &ranges[i]);
	return ret;
}

/* Other MSRs are allowed. The first range that contains an MSR and filters that access decides. */
static int set_filter(const struct axk_vm *kvm, const struct axvm_sysreg_range *ranges,
		      uint32_t count)
{
	static const __u8 denied[KVM_MSR_FILTER_MAX_BITMAP_SIZE];
	struct kvm_msr_filter filter = { .flags = KVM_MSR_FILTER_DEFAULT_ALLOW };

	for (uint32_t i = 0; i < count; i++) {
		const struct axvm_sysreg_range *range = &ranges[i];

		filter.ranges[i] = (struct kvm_msr_filter_range){
			.flags = (range->access & AXVCPU_ACCESS_READ ? KVM_MSR_FILTER_READ : 0) |
				 (range->access & AXVCPU_ACCESS_WRITE ? KVM_MSR_FILTER_WRITE : 0),
			.nmsrs = range->count,
			.base = range->base,
			/* KVM does not write to it. */
			.bitmap = (__u8 *)denied,
		};
	}
	return axk_vm_ioctl(kvm, KVM_X86_SET_MSR_FILTER, &filter);
}

/* Enables exits for these KVM_MSR_EXIT_REASON_*, in addition to the present ones. */
static int enable_reasons(struct axk_vm *kvm, uint32_t reasons, const char *option)
{
	uint32_t all = kvm->arch.msr_reasons | reasons;
	int ret;

	if (all == kvm->arch.msr_reasons)
		return 0;
	ret = axk_vm_enable_for(kvm, KVM_CAP_X86_USER_SPACE_MSR, all, "KVM_CAP_X86_USER_SPACE_MSR",
				option);
	if (!ret)
		kvm->arch.msr_reasons = all;
	return ret;
}

int axk_x86_set_sysregs(void *arch_vm, const struct axvm_sysreg_range *ranges, uint32_t count)
{
	struct axk_vm *kvm = arch_vm;
	int ret = check_ranges(kvm, ranges, count);

	if (ret)
		return ret;
	ret = axk_vm_require(kvm, KVM_CAP_X86_MSR_FILTER, "KVM_CAP_X86_MSR_FILTER", "sysregs");
	if (ret < 0)
		return ret;
	ret = enable_reasons(kvm, KVM_MSR_EXIT_REASON_FILTER, "sysregs");
	if (ret)
		return ret;
	return set_filter(kvm, ranges, count);
}

int axk_x86_msr_init(struct axk_vm *kvm, const struct axvm_config *config)
{
	uint32_t reasons = 0;
	int ret;

	if (config->forward & AXVM_FORWARD_UNKNOWN_SYSREGS)
		reasons |= KVM_MSR_EXIT_REASON_UNKNOWN;
	/* Without an in-kernel LAPIC, KVM reports x2APIC accesses as invalid, not as unknown. */
	kvm->arch.invalid_msrs = config->irqchip == AXVM_IRQCHIP_NONE &&
				 (config->forward &
				  (AXVM_FORWARD_UNKNOWN_SYSREGS | AXVM_FORWARD_IPIS));
	if (kvm->arch.invalid_msrs)
		reasons |= KVM_MSR_EXIT_REASON_INVAL;
	ret = enable_reasons(kvm, reasons, "forward");
	if (ret || !config->nsysregs)
		return ret;
	return axk_x86_set_sysregs(kvm, config->sysregs, config->nsysregs);
}

/* --- exits ------------------------------------------------------------------------------------------ */

/* Whether the exit is an invalid access that the caller did not ask for: see 'invalid_msrs'. */
static bool not_asked_for(const struct axk_vcpu *vcpu)
{
	const struct kvm_run *run = vcpu->run;
	bool x2apic = run->msr.index >= X2APIC_MSR_FIRST && run->msr.index <= X2APIC_MSR_LAST;

	return run->msr.reason == KVM_MSR_EXIT_REASON_INVAL && vcpu->vm->arch.invalid_msrs &&
	       !(x2apic && (vcpu->forward & AXVM_FORWARD_UNKNOWN_SYSREGS));
}

bool axk_x86_decode_msr(struct axk_vcpu *vcpu, struct axvcpu_exit *exit, bool write)
{
	struct kvm_run *run = vcpu->run;
	struct axvcpu_exit_sysreg *sysreg = &exit->u.sysreg;

	if (vcpu->forward & AXVM_FORWARD_IPIS) {
		int ret = axk_x86_decode_ipi_msr(vcpu, exit, write);

		if (ret >= 0)
			return ret;
	}
	if (not_asked_for(vcpu)) {
		run->msr.error = 1;
		return false;
	}
	exit->kind = write ? AXVCPU_EXIT_SYSREG_WRITE : AXVCPU_EXIT_SYSREG_READ;
	exit->answerable = 1;
	exit->raw_code = run->msr.reason;
	*sysreg = (struct axvcpu_exit_sysreg){ .addr = run->msr.index,
					       .value = write ? run->msr.data : 0,
					       .write_mask = UINT64_MAX };
	/* Unanswered, a read returns 0 and a write has no effect. */
	run->msr.error = 0;
	if (!write)
		run->msr.data = 0;
	return true;
}

int axk_x86_complete_msr(struct axk_vcpu *vcpu, const struct axvcpu_answer *answer)
{
	struct kvm_run *run = vcpu->run;

	switch (answer->kind) {
	case AXVCPU_ANSWER_VALUE:
		if (run->exit_reason == KVM_EXIT_X86_RDMSR)
			run->msr.data = answer->u.value;
		run->msr.error = 0;
		return 0;
	case AXVCPU_ANSWER_FAULT:
		run->msr.error = 1;
		return 0;
	default:
		return axvcpu_fail(vcpu->vm->vm, -EINVAL,
				   "complete: an MSR takes a value or a fault");
	}
}

/* --- MSRs that KVM stores --------------------------------------------------------------------- */

/* struct kvm_msrs, which ends in a flexible array, with one entry. */
struct one_msr {
	__u32 nmsrs;
	__u32 pad;
	struct kvm_msr_entry entry;
};
_Static_assert(offsetof(struct one_msr, entry) == sizeof(struct kvm_msrs), "struct kvm_msrs");

/* Returns the number of MSRs that KVM has read or set, 0 or 1, or a negative errno. */
static int msr_ioctl(const struct axk_vcpu *vcpu, bool set, const struct one_msr *msr)
{
	return axk_vcpu_result(vcpu,
			       axv_sys_ioctl(vcpu->fd, set ? KVM_SET_MSRS : KVM_GET_MSRS,
					     (uintptr_t)msr),
			       set ? "KVM_SET_MSRS" : "KVM_GET_MSRS");
}

int axk_x86_get_msr(struct axk_vcpu *vcpu, uint32_t index, uint64_t *value)
{
	struct one_msr msr = { .nmsrs = 1, .entry.index = index };
	int ret = msr_ioctl(vcpu, false, &msr);

	if (ret < 0)
		return ret;
	if (ret != 1)
		return -ENOENT;
	*value = msr.entry.data;
	return 0;
}

int axk_x86_try_set_msr(struct axk_vcpu *vcpu, uint32_t index, uint64_t value)
{
	const struct one_msr msr = { .nmsrs = 1, .entry = { .index = index, .data = value } };

	return msr_ioctl(vcpu, true, &msr);
}

int axk_x86_set_msr(struct axk_vcpu *vcpu, uint32_t index, uint64_t value)
{
	uint64_t present;
	int ret = axk_x86_try_set_msr(vcpu, index, value);

	if (ret < 0)
		return ret;
	if (ret == 1)
		return 0;
	/* KVM does not report whether it lacks the MSR or refuses the value. */
	ret = axk_x86_get_msr(vcpu, index, &present);
	if (ret)
		return ret;
	return axvcpu_fail(vcpu->vm->vm, -EINVAL,
			   "set_reg: vCPU %" PRIu32 ": KVM refuses %#" PRIx64 " for MSR %#" PRIx32,
			   vcpu->id, value, index);
}
