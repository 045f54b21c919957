/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* The exits that only riscv64 has: calls of SBI, CSRs, EBREAK. */
#include <errno.h>

#include "backends/riscv64/riscv64.h"

/* KVM has preset the answer that nobody is there to give: SBI_ERR_NOT_SUPPORTED. */
static void decode_sbi(struct axk_vcpu *vcpu, struct axvcpu_exit *exit)
{
	struct kvm_run *run = vcpu->run;
	struct axvcpu_exit_hypercall *hypercall = &exit->u.hypercall;

	exit->kind = AXVCPU_EXIT_HYPERCALL;
	exit->answerable = 1;
	exit->raw_code = run->riscv_sbi.function_id;
	hypercall->nr = run->riscv_sbi.extension_id;
	for (unsigned int i = 0; i < ARRAY_SIZE(hypercall->args); i++)
		hypercall->args[i] = run->riscv_sbi.args[i];
}

/* Every access reads, and what changes nothing is a read alone. */
static void decode_csr(struct axk_vcpu *vcpu, struct axvcpu_exit *exit)
{
	struct kvm_run *run = vcpu->run;
	uint64_t mask = run->riscv_csr.write_mask;

	exit->kind = mask ? AXVCPU_EXIT_SYSREG_WRITE : AXVCPU_EXIT_SYSREG_READ;
	exit->answerable = 1;
	exit->u.sysreg = (struct axvcpu_exit_sysreg){
		.addr = run->riscv_csr.csr_num,
		.value = run->riscv_csr.new_value & mask,
		.write_mask = mask,
	};
	run->riscv_csr.ret_value = 0;
}

/* KVM says no more than that it was one. */
static void decode_debug(struct axk_vcpu *vcpu, struct axvcpu_exit *exit)
{
	struct axvcpu_exit_debug *debug = &exit->u.debug;

	axk_exit_plain(exit, AXVCPU_EXIT_DEBUG);
	*debug = (struct axvcpu_exit_debug){ .reason = AXVCPU_DEBUGGED_SOFTWARE };
	axk_riscv_get(vcpu, RISCV_CORE(regs.pc), &debug->pc);
}

int axk_arch_decode(struct axk_vcpu *vcpu, struct axvcpu_exit *exit)
{
	switch (vcpu->run->exit_reason) {
	case KVM_EXIT_RISCV_SBI:
		decode_sbi(vcpu, exit);
		break;
	case KVM_EXIT_RISCV_CSR:
		decode_csr(vcpu, exit);
		break;
	case KVM_EXIT_DEBUG:
		decode_debug(vcpu, exit);
		break;
	default:
		axk_exit_plain(exit, AXVCPU_EXIT_UNHANDLED);
		break;
	}
	return 1;
}

bool axk_arch_decode_forwarded(struct axk_vcpu *vcpu, struct axvcpu_exit *exit)
{
	(void)vcpu;
	(void)exit;
	return true;
}

static int complete_sbi(struct axk_vcpu *vcpu, const struct axvcpu_answer *answer)
{
	struct kvm_run *run = vcpu->run;

	switch (answer->kind) {
	case AXVCPU_ANSWER_VALUE:
		run->riscv_sbi.ret[0] = answer->u.value;
		run->riscv_sbi.ret[1] = 0;
		return 0;
	case AXVCPU_ANSWER_PAIR:
		run->riscv_sbi.ret[0] = answer->u.pair[0];
		run->riscv_sbi.ret[1] = answer->u.pair[1];
		return 0;
	default:
		return axvcpu_fail(vcpu->vm->vm, -EINVAL,
				   "complete: a call of SBI takes two words, or a value");
	}
}

static int complete_csr(struct axk_vcpu *vcpu, const struct axvcpu_answer *answer)
{
	switch (answer->kind) {
	case AXVCPU_ANSWER_VALUE:
		vcpu->run->riscv_csr.ret_value = answer->u.value;
		return 0;
	case AXVCPU_ANSWER_FAULT:
		return axk_riscv_fault_access(vcpu);
	default:
		return axvcpu_fail(vcpu->vm->vm, -EINVAL,
				   "complete: a CSR takes a value or a fault");
	}
}

int axk_arch_complete(struct axk_vcpu *vcpu, const struct axvcpu_answer *answer)
{
	return vcpu->run->exit_reason == KVM_EXIT_RISCV_SBI ? complete_sbi(vcpu, answer)
							    : complete_csr(vcpu, answer);
}
