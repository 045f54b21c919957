/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * Interrupts and exceptions for one vCPU. Interrupts go through the AIA, or through the single
 * external line without one. KVM cannot raise exceptions, so these are injected by setting the
 * registers as a CPU does.
 */
#include <errno.h>
#include <inttypes.h>

#include "axvcpu/interrupt.h"
#include "backends/riscv64/riscv64.h"

#define SSTATUS_SIE (UINT64_C(1) << 1)
#define SSTATUS_SPIE (UINT64_C(1) << 5)
#define SSTATUS_SPP (UINT64_C(1) << 8)
/* The lower bits of stvec select the vector mode of interrupts; exceptions go to the base. */
#define STVEC_MODE UINT64_C(3)

#define CAUSE_ILLEGAL_INSTRUCTION 2u
/* Causes from here on are not exceptions of supervisor mode. */
#define CAUSES 64u

/* --- interrupts ------------------------------------------------------------------------------- */

int axk_riscv_inject_interrupt(void *arch_vcpu, uint32_t vector)
{
	struct axk_vcpu *vcpu = arch_vcpu;

	if (!vcpu->vm->kernel_irqchip)
		return axvcpu_fail(vcpu->vm->vm, -ENOTSUP,
				   "inject: vCPU %" PRIu32
				   ": the VM has no in-kernel irqchip; use axvcpu_set_irq_line()",
				   vcpu->id);
	return axk_riscv_aia_send(vcpu, vector);
}

int axk_riscv_inject_with_trigger(void *arch_vcpu, uint32_t vector, uint32_t trigger)
{
	const struct axk_vcpu *vcpu = arch_vcpu;

	if (trigger == AXVCPU_TRIGGER_LEVEL && vcpu->vm->kernel_irqchip)
		return axvcpu_fail(vcpu->vm->vm, -ENOTSUP,
				   "inject: vCPU %" PRIu32
				   ": AXVCPU_TRIGGER_LEVEL: an IMSIC takes only messages, which are "
				   "edges",
				   vcpu->id);
	return axk_riscv_inject_interrupt(arch_vcpu, vector);
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
	struct kvm_interrupt interrupt = { .irq = KVM_INTERRUPT_UNSET };

	if (line)
		return axvcpu_fail(vcpu->vm->vm, -EINVAL,
				   "set_irq_line: vCPU %" PRIu32 ": line is %" PRIu32
				   "; it must be 0, the external interrupt",
				   vcpu->id, line);
	if (vcpu->vm->kernel_irqchip)
		return axvcpu_fail(
			vcpu->vm->vm, -ENOTSUP,
			"set_irq_line: vCPU %" PRIu32
			": with AXVM_IRQCHIP_KERNEL the IMSIC drives the external interrupt",
			vcpu->id);
	if (level)
		interrupt.irq = KVM_INTERRUPT_SET;
	return axk_vcpu_ioctl(vcpu, KVM_INTERRUPT, &interrupt);
}

/* --- exceptions ------------------------------------------------------------------------------- */

int axk_riscv_inject_exception(void *arch_vcpu, const struct axvcpu_exception *exception)
{
	struct axk_vcpu *vcpu = arch_vcpu;

	if (exception->vector >= CAUSES)
		return axvcpu_fail(vcpu->vm->vm, -EINVAL,
				   "inject: vCPU %" PRIu32 ": cause %" PRIu32
				   " is not an exception",
				   vcpu->id, exception->vector);
	if (exception->has_error_code)
		return axvcpu_fail(vcpu->vm->vm, -EINVAL,
				   "inject: vCPU %" PRIu32
				   ": riscv64 exceptions have no error code; set stval instead",
				   vcpu->id);
	if (vcpu->arch.has_exception)
		return axvcpu_fail(vcpu->vm->vm, -EBUSY,
				   "inject: vCPU %" PRIu32 ": exception %" PRIu32
				   " is already pending",
				   vcpu->id, vcpu->arch.exception);
	/* Taken at the next entry: the latest exit may be open and wait for its answer. */
	vcpu->arch.has_exception = true;
	vcpu->arch.exception = exception->vector;
	vcpu->has_pending_work = true;
	return 0;
}

int axk_riscv_fault_access(struct axk_vcpu *vcpu)
{
	const struct axvcpu_exception illegal = { .vector = CAUSE_ILLEGAL_INSTRUCTION };
	/* stval may hold the instruction, or 0 if it does not. */
	int ret = axk_riscv_set(vcpu, RISCV_CSR(stval), 0);

	if (ret)
		return ret;
	ret = axk_riscv_inject_exception(vcpu, &illegal);
	/* Cancels the access: KVM completes it only if exit_reason still has it. */
	if (!ret)
		vcpu->run->exit_reason = KVM_EXIT_UNKNOWN;
	return ret;
}

/* Sets the registers as a trap into supervisor mode does. Reads all before it writes any. */
static int take_exception(struct axk_vcpu *vcpu)
{
	uint64_t pc, mode, sstatus, stvec;
	int ret = axk_riscv_get(vcpu, RISCV_CORE(regs.pc), &pc);

	if (ret)
		return ret;
	ret = axk_riscv_get(vcpu, RISCV_CORE(mode), &mode);
	if (ret)
		return ret;
	ret = axk_riscv_get(vcpu, RISCV_CSR(sstatus), &sstatus);
	if (ret)
		return ret;
	ret = axk_riscv_get(vcpu, RISCV_CSR(stvec), &stvec);
	if (ret)
		return ret;
	ret = axk_riscv_set(vcpu, RISCV_CSR(sepc), pc);
	if (ret)
		return ret;
	ret = axk_riscv_set(vcpu, RISCV_CSR(scause), vcpu->arch.exception);
	if (ret)
		return ret;
	ret = axk_riscv_set(vcpu, RISCV_CSR(sstatus),
			    (sstatus & ~(SSTATUS_SIE | SSTATUS_SPIE | SSTATUS_SPP)) |
				    (sstatus & SSTATUS_SIE ? SSTATUS_SPIE : 0) |
				    (mode == KVM_RISCV_MODE_S ? SSTATUS_SPP : 0));
	if (ret)
		return ret;
	ret = axk_riscv_set(vcpu, RISCV_CORE(mode), KVM_RISCV_MODE_S);
	if (ret)
		return ret;
	/* The pc last: if a write fails, the next entry repeats all of this. */
	ret = axk_riscv_set(vcpu, RISCV_CORE(regs.pc), stvec & ~STVEC_MODE);
	if (ret)
		return ret;
	vcpu->arch.has_exception = false;
	return 0;
}

/* --- the run loop ----------------------------------------------------------------------------- */

int axk_arch_before_entry(struct axk_vcpu *vcpu, struct axvcpu_exit *exit)
{
	int ret = 0;

	(void)exit;
	if (!vcpu->arch.has_exception)
		return 0;
	/* Completes the instruction of an open exit first. */
	if (axk_is_open(vcpu)) {
		ret = axk_flush(vcpu);
		if (ret || vcpu->stashed)
			return ret;
	}
	return take_exception(vcpu);
}

bool axk_arch_swallow(struct axk_vcpu *vcpu)
{
	/* The hart has run. */
	vcpu->arch.stopped = false;
	return false;
}
