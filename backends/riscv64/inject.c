/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * What is brought to one vCPU: interrupts by the AIA or by the one line there is without it, and
 * exceptions, which KVM does not know how to raise: they are registers, written as a CPU would.
 */
#include <errno.h>
#include <inttypes.h>

#include "axvcpu/interrupt.h"
#include "backends/riscv64/riscv64.h"

#define SSTATUS_SIE (UINT64_C(1) << 1)
#define SSTATUS_SPIE (UINT64_C(1) << 5)
#define SSTATUS_SPP (UINT64_C(1) << 8)
/* The lower bits of stvec say where interrupts go; exceptions go to the base. */
#define STVEC_MODE UINT64_C(3)

#define CAUSE_ILLEGAL_INSTRUCTION 2u
/* Those beyond are for nobody. */
#define CAUSES 64u

/* --- interrupts ------------------------------------------------------------------------------- */

int axk_riscv_inject_interrupt(void *arch_vcpu, uint32_t vector)
{
	struct axk_vcpu *vcpu = arch_vcpu;

	if (!vcpu->vm->kernel_irqchip)
		return axvcpu_fail(vcpu->vm->vm, -ENOTSUP,
				   "inject: vCPU %" PRIu32
				   ": without AXVM_IRQCHIP_KERNEL there is but a line: "
				   "axvcpu_set_irq_line()",
				   vcpu->id);
	return axk_riscv_aia_send(vcpu, vector);
}

int axk_riscv_inject_nmi(void *arch_vcpu)
{
	const struct axk_vcpu *vcpu = arch_vcpu;

	return axvcpu_fail(vcpu->vm->vm, -ENOTSUP,
			   "inject: vCPU %" PRIu32 ": supervisor mode has no NMI", vcpu->id);
}

int axk_riscv_set_irq_line(void *arch_vcpu, uint32_t line, bool level)
{
	const struct axk_vcpu *vcpu = arch_vcpu;
	const struct kvm_interrupt interrupt = { .irq = level ? KVM_INTERRUPT_SET
							      : KVM_INTERRUPT_UNSET };

	if (line)
		return axvcpu_fail(vcpu->vm->vm, -EINVAL,
				   "set_irq_line: vCPU %" PRIu32 ": line %" PRIu32
				   ": there is but 0, the external interrupt",
				   vcpu->id, line);
	if (vcpu->vm->kernel_irqchip)
		return axvcpu_fail(vcpu->vm->vm, -ENOTSUP,
				   "set_irq_line: vCPU %" PRIu32
				   ": its external interrupt is the IMSIC's",
				   vcpu->id);
	return axk_vcpu_ioctl(vcpu, KVM_INTERRUPT, &interrupt);
}

/* --- exceptions ------------------------------------------------------------------------------- */

int axk_riscv_inject_exception(void *arch_vcpu, const struct axvcpu_exception *exception)
{
	struct axk_vcpu *vcpu = arch_vcpu;

	if (exception->vector >= CAUSES)
		return axvcpu_fail(vcpu->vm->vm, -EINVAL,
				   "inject: vCPU %" PRIu32 ": cause %" PRIu32 " is no exception",
				   vcpu->id, exception->vector);
	if (exception->has_error_code)
		return axvcpu_fail(vcpu->vm->vm, -EINVAL,
				   "inject: vCPU %" PRIu32
				   ": no exception has an error code; what it is about is in stval",
				   vcpu->id);
	if (vcpu->arch.has_exception)
		return axvcpu_fail(vcpu->vm->vm, -EBUSY,
				   "inject: vCPU %" PRIu32 ": exception %" PRIu32 " is on its way",
				   vcpu->id, vcpu->arch.exception);
	/* Not yet: the latest exit may be open, and wait for its answer. */
	vcpu->arch.has_exception = true;
	vcpu->arch.exception = exception->vector;
	vcpu->has_pending_work = true;
	return 0;
}

int axk_riscv_fault_access(struct axk_vcpu *vcpu)
{
	const struct axvcpu_exception illegal = { .vector = CAUSE_ILLEGAL_INSTRUCTION };
	/* The instruction could be there; 0 is allowed, and says that it is not. */
	int ret = axk_riscv_set(vcpu, RISCV_CSR(stval), 0);

	if (!ret)
		ret = axk_riscv_inject_exception(vcpu, &illegal);
	/* KVM finishes only what it finds here, and forgets the rest. */
	if (!ret)
		vcpu->run->exit_reason = KVM_EXIT_UNKNOWN;
	return ret;
}

/* As a CPU takes a trap into supervisor mode. Nothing is written before all is read. */
static int take_exception(struct axk_vcpu *vcpu)
{
	uint64_t pc, mode, sstatus, stvec;
	int ret = axk_riscv_get(vcpu, RISCV_CORE(regs.pc), &pc);

	if (!ret)
		ret = axk_riscv_get(vcpu, RISCV_CORE(mode), &mode);
	if (!ret)
		ret = axk_riscv_get(vcpu, RISCV_CSR(sstatus), &sstatus);
	if (!ret)
		ret = axk_riscv_get(vcpu, RISCV_CSR(stvec), &stvec);
	if (ret)
		return ret;
	ret = axk_riscv_set(vcpu, RISCV_CSR(sepc), pc);
	if (!ret)
		ret = axk_riscv_set(vcpu, RISCV_CSR(scause), vcpu->arch.exception);
	if (!ret)
		ret = axk_riscv_set(vcpu, RISCV_CSR(sstatus),
				    (sstatus & ~(SSTATUS_SIE | SSTATUS_SPIE | SSTATUS_SPP)) |
					    (sstatus & SSTATUS_SIE ? SSTATUS_SPIE : 0) |
					    (mode == KVM_RISCV_MODE_S ? SSTATUS_SPP : 0));
	if (!ret)
		ret = axk_riscv_set(vcpu, RISCV_CORE(mode), KVM_RISCV_MODE_S);
	/* Last: until then, a second try does the same. */
	if (!ret)
		ret = axk_riscv_set(vcpu, RISCV_CORE(regs.pc), stvec & ~STVEC_MODE);
	if (!ret)
		vcpu->arch.has_exception = false;
	return ret;
}

/* --- the run loop ----------------------------------------------------------------------------- */

int axk_arch_before_entry(struct axk_vcpu *vcpu, struct axvcpu_exit *exit)
{
	int ret = 0;

	(void)exit;
	if (!vcpu->arch.has_exception)
		return 0;
	/* The instruction of an open exit comes first. */
	if (axk_is_open(vcpu)) {
		ret = axk_flush(vcpu);
		if (ret || vcpu->stashed)
			return ret;
	}
	return take_exception(vcpu);
}

bool axk_arch_swallow(struct axk_vcpu *vcpu)
{
	(void)vcpu;
	return false;
}
