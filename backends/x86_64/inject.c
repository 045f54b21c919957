/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * Interrupts, NMIs and exceptions for one vCPU.
 *
 * With an in-kernel LAPIC an interrupt is a message to it, from any thread. Without, KVM takes one
 * vector at a time, and only when the guest can take it: the others wait here. KVM delivers a
 * vector that it has taken without checking the guest's interrupt flag again, so it must get none
 * before the instruction of an open exit is completed, nor together with an exception.
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "backends/x86_64/x86_64.h"

/* The lowest vector that a LAPIC accepts. */
#define LAPIC_VECTOR_MIN 16

#define MSI_ADDRESS UINT64_C(0xfee00000)
#define MSI_DESTINATION_SHIFT 12
/* KVM_X2APIC_API_USE_32BIT_IDS: position of the destination bits above the eighth. */
#define MSI_DESTINATION_HIGH_SHIFT 32

#define VECTOR_NMI 2
#define VECTORS_EXCEPTIONS 32
/* #DF, #TS, #NP, #SS, #GP, #PF, #AC, #CP, #VC, #SX */
#define HAVE_ERROR_CODE \
	(1u << 8 | 1u << 10 | 1u << 11 | 1u << 12 | 1u << 13 | 1u << 14 | 1u << 17 | 1u << 21 | \
	 1u << 29 | 1u << 30)

/* --- pending vectors -------------------------------------------------------------------------- */

static bool none_pending(const struct axk_x86_pending *pending)
{
	uint64_t any = 0;

	for (size_t i = 0; i < ARRAY_SIZE(pending->vectors); i++)
		any |= pending->vectors[i];
	return !any;
}

/* Returns the highest pending vector. There must be one. */
static unsigned int highest_pending(const struct axk_x86_pending *pending)
{
	size_t i = ARRAY_SIZE(pending->vectors) - 1;

	while (!pending->vectors[i])
		i--;
	return (unsigned int)i * 64 + 63 - (unsigned int)__builtin_clzll(pending->vectors[i]);
}

static int pending_add(struct axk_vcpu *vcpu, unsigned int vector)
{
	struct axk_x86_pending *pending = &vcpu->arch.pending;

	if (pending->count[vector] == UINT16_MAX)
		return axvcpu_fail(vcpu->vm->vm, -ENOSPC,
				   "inject: vCPU %" PRIu32
				   ": vector %u is already pending %d times",
				   vcpu->id, vector, UINT16_MAX);
	pending->count[vector]++;
	pending->vectors[vector / 64] |= UINT64_C(1) << vector % 64;
	vcpu->has_pending_work = true;
	return 0;
}

static void pending_remove(struct axk_x86_pending *pending, unsigned int vector)
{
	if (--pending->count[vector] == 0)
		pending->vectors[vector / 64] &= ~(UINT64_C(1) << vector % 64);
}

/* --- entries of the table --------------------------------------------------------------------- */

/* Sends a message to the LAPIC. 'mode': bits of its data. Returns -EAGAIN without a LAPIC. */
static int send(const struct axk_vcpu *vcpu, uint32_t vector, uint32_t mode)
{
	/* Fixed, to a physical destination. */
	const struct axvm_msi msi = {
		.address = MSI_ADDRESS | (uint64_t)(vcpu->id & 0xff) << MSI_DESTINATION_SHIFT |
			   (uint64_t)(vcpu->id & ~0xffu) << MSI_DESTINATION_HIGH_SHIFT,
		.data = vector | mode,
	};
	bool lapic = vcpu->vm->kernel_irqchip;
	int ret;

	if (vector >= X86_VECTORS || (lapic && vector < LAPIC_VECTOR_MIN))
		return axvcpu_fail(vcpu->vm->vm, -EINVAL,
				   "inject: vCPU %" PRIu32 ": vector is %" PRIu32
				   "; it must be %d to 255",
				   vcpu->id, vector, lapic ? LAPIC_VECTOR_MIN : 0);
	if (!lapic)
		return -EAGAIN;
	ret = axk_signal_msi(vcpu->vm, &msi);
	if (ret < 0)
		return ret;
	return 0;
}

int axk_x86_inject_anywhere(void *arch_vcpu, uint32_t vector)
{
	return send(arch_vcpu, vector, 0);
}

int axk_x86_inject_with_trigger(void *arch_vcpu, uint32_t vector, uint32_t trigger)
{
	const struct axk_vcpu *vcpu = arch_vcpu;

	if (trigger == AXVCPU_TRIGGER_EDGE)
		return send(vcpu, vector, 0);
	if (!vcpu->vm->kernel_irqchip)
		return axvcpu_fail(vcpu->vm->vm, -ENOTSUP,
				   "inject: vCPU %" PRIu32
				   ": AXVCPU_TRIGGER_LEVEL needs an in-kernel LAPIC "
				   "(AXVM_IRQCHIP_KERNEL or AXVM_IRQCHIP_SPLIT)",
				   vcpu->id);
	return send(vcpu, vector, X86_MSI_ASSERT | X86_MSI_LEVEL);
}

int axk_x86_inject_interrupt(void *arch_vcpu, uint32_t vector)
{
	int ret = axk_x86_inject_anywhere(arch_vcpu, vector);

	if (ret != -EAGAIN)
		return ret;
	return pending_add(arch_vcpu, vector);
}

int axk_x86_inject_nmi(void *arch_vcpu)
{
	struct axk_vcpu *vcpu = arch_vcpu;
	int ret = axk_x86_need_regs(vcpu);

	if (ret)
		return ret;
	/* KVM keeps the NMI until the guest can take it, also during an open exit. */
	return axk_vcpu_result(vcpu, axk_ioctl_value(vcpu->fd, KVM_NMI, 0), "KVM_NMI");
}

int axk_x86_check_exception(const struct axk_vcpu *vcpu, const struct axvcpu_exception *exception)
{
	const struct axvm *vm = vcpu->vm->vm;
	bool has_error_code;

	if (exception->vector >= VECTORS_EXCEPTIONS || exception->vector == VECTOR_NMI)
		return axvcpu_fail(vm, -EINVAL,
				   "inject: vCPU %" PRIu32 ": vector %" PRIu32
				   " is not an exception",
				   vcpu->id, exception->vector);
	has_error_code = HAVE_ERROR_CODE >> exception->vector & 1;
	if (has_error_code != !!exception->has_error_code)
		return axvcpu_fail(vm, -EINVAL,
				   "inject: vCPU %" PRIu32 ": exception %" PRIu32
				   " has %s error code",
				   vcpu->id, exception->vector, has_error_code ? "an" : "no");
	return 0;
}

static int already_pending(const struct axk_vcpu *vcpu, unsigned int vector)
{
	return axvcpu_fail(vcpu->vm->vm, -EBUSY,
			   "inject: vCPU %" PRIu32 ": exception %u is already pending", vcpu->id,
			   vector);
}

int axk_x86_inject_exception(void *arch_vcpu, const struct axvcpu_exception *exception)
{
	struct axk_vcpu *vcpu = arch_vcpu;
	struct axk_x86_pending *pending = &vcpu->arch.pending;
	struct kvm_vcpu_events events;
	int ret = axk_x86_check_exception(vcpu, exception);

	if (!ret)
		ret = axk_x86_need_regs(vcpu);
	if (!ret)
		ret = axk_vcpu_ioctl(vcpu, KVM_GET_VCPU_EVENTS, &events);
	if (ret)
		return ret;
	if (pending->has_exception)
		return already_pending(vcpu, pending->exception.vector);
	if (events.exception.injected || events.exception.pending)
		return already_pending(vcpu, events.exception.nr);
	/* KVM gets it at the next entry: the latest exit may be open and wait for its answer. */
	pending->exception = *exception;
	pending->has_exception = true;
	vcpu->has_pending_work = true;
	return 0;
}

int axk_x86_request_irq_window(void *arch_vcpu)
{
	struct axk_vcpu *vcpu = arch_vcpu;

	if (vcpu->vm->kernel_irqchip)
		return axvcpu_fail(
			vcpu->vm->vm, -ENOTSUP,
			"irq_window: vCPU %" PRIu32
			": not supported with an in-kernel LAPIC, which injects by itself",
			vcpu->id);
	vcpu->arch.pending.window = true;
	vcpu->has_pending_work = true;
	return 0;
}

void axk_x86_inject_reset(struct axk_vcpu *vcpu)
{
	memset(&vcpu->arch.pending, 0, sizeof(vcpu->arch.pending));
	vcpu->run->request_interrupt_window = 0;
	/* Without an in-kernel LAPIC, KVM loads CR8 from here on every entry. */
	vcpu->run->cr8 = 0;
	axk_x86_irq_state_changed(vcpu);
}

/* --- the run loop ----------------------------------------------------------------------------- */

/* An injected exception does not wake a halted vCPU. */
static int wake_up(struct axk_vcpu *vcpu)
{
	struct kvm_mp_state state;
	int ret = axk_vcpu_ioctl(vcpu, KVM_GET_MP_STATE, &state);

	if (ret || state.mp_state != KVM_MP_STATE_HALTED)
		return ret;
	state.mp_state = KVM_MP_STATE_RUNNABLE;
	return axk_vcpu_ioctl(vcpu, KVM_SET_MP_STATE, &state);
}

static int give_exception(struct axk_vcpu *vcpu)
{
	struct axk_x86_pending *pending = &vcpu->arch.pending;
	struct kvm_vcpu_events events;
	bool take_back;
	int ret = axk_vcpu_ioctl(vcpu, KVM_GET_VCPU_EVENTS, &events);

	if (ret)
		return ret;
	/* Completing the latest exit has raised an exception: that is delivered first. */
	if (events.exception.injected || events.exception.pending)
		return 0;
	/* An interrupt that KVM has taken would be delivered with interrupts disabled. */
	take_back = events.interrupt.injected && !events.interrupt.soft &&
		    !vcpu->vm->kernel_irqchip && pending->count[events.interrupt.nr] < UINT16_MAX;
	if (take_back)
		events.interrupt.injected = 0;
	events.exception.injected = 1;
	events.exception.nr = (__u8)pending->exception.vector;
	events.exception.has_error_code = !!pending->exception.has_error_code;
	events.exception.error_code = pending->exception.error_code;
	events.exception.pending = 0;
	/* KVM must not write any optional field. */
	events.flags = 0;
	if (vcpu->vm->kernel_irqchip)
		ret = wake_up(vcpu);
	if (!ret)
		ret = axk_vcpu_ioctl(vcpu, KVM_SET_VCPU_EVENTS, &events);
	if (ret)
		return ret;
	pending->has_exception = false;
	axk_x86_irq_state_changed(vcpu);
	if (!take_back)
		return 0;
	return pending_add(vcpu, events.interrupt.nr);
}

static int give_interrupt(struct axk_vcpu *vcpu)
{
	const struct kvm_interrupt interrupt = { .irq = highest_pending(&vcpu->arch.pending) };
	int ret = axk_vcpu_ioctl(vcpu, KVM_INTERRUPT, &interrupt);

	if (ret)
		return ret;
	pending_remove(&vcpu->arch.pending, interrupt.irq);
	axk_x86_irq_state_changed(vcpu);
	return 0;
}

static bool can_take(const struct axk_vcpu *vcpu)
{
	return vcpu->run->ready_for_interrupt_injection;
}

/* Returns the IRQ_WINDOW exit that the caller requested. */
static int exit_irq_window(struct axk_vcpu *vcpu, struct axvcpu_exit *exit)
{
	vcpu->arch.pending.window = false;
	vcpu->has_pending_work = true;
	axk_exit_plain(exit, AXVCPU_EXIT_IRQ_WINDOW);
	exit->raw_reason = KVM_EXIT_IRQ_WINDOW_OPEN;
	exit->raw_code = 0;
	return 1;
}

int axk_arch_before_entry(struct axk_vcpu *vcpu, struct axvcpu_exit *exit)
{
	const struct axk_x86_pending *pending = &vcpu->arch.pending;
	bool waits = pending->window || !none_pending(pending);
	int ret = 0;

	/* The registers have the guest's interrupt flag, and the events would replace others. */
	if (pending->has_exception || waits) {
		ret = axk_x86_need_regs(vcpu);
		if (ret || vcpu->stashed)
			return ret;
	}
	/* Completes an open exit first: its instruction may change the guest's interrupt flag. */
	if (axk_is_open(vcpu) && (pending->has_exception || (waits && can_take(vcpu)))) {
		ret = axk_flush(vcpu);
		if (ret || vcpu->stashed)
			return ret;
	}
	if (pending->has_exception)
		ret = give_exception(vcpu);
	if (ret)
		return ret;
	/* Some KVMs do not exit for a window that is open already at the entry. */
	if (pending->window && can_take(vcpu))
		return exit_irq_window(vcpu, exit);
	if (!none_pending(pending) && can_take(vcpu)) {
		ret = give_interrupt(vcpu);
		if (ret)
			return ret;
	}
	waits = pending->window || !none_pending(pending);
	vcpu->run->request_interrupt_window = waits;
	vcpu->has_pending_work |= waits || pending->has_exception;
	return 0;
}

/* Only if axk_arch_before_entry() makes progress before the re-entry, so that the run loop ends. */
int axk_arch_interrupted(struct axk_vcpu *vcpu)
{
	(void)vcpu;
	return 0;
}

bool axk_arch_swallow(struct axk_vcpu *vcpu)
{
	const struct axk_x86_pending *pending = &vcpu->arch.pending;

	if (!can_take(vcpu))
		return false;
	switch (vcpu->run->exit_reason) {
	case KVM_EXIT_IRQ_WINDOW_OPEN:
		return pending->window || !none_pending(pending);
	case KVM_EXIT_HLT:
		/* A CPU with a pending interrupt does not halt. */
		return !none_pending(pending);
	default:
		return false;
	}
}
