/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * The path of an exit: run and complete. Nearly always the vCPU is the caller's own and Ready, its
 * architecture the host's, and the exit a frequent one: all that is inlined here, the backend and
 * the system call too, and calls nothing. The rest goes the slow way, through the ops table.
 */
#include <errno.h>

#include "host_run.h"
#include "lib/base/cancel.h"
#include "lib/vcpu/power.h"
#include "lib/vcpu/request.h"
#include "lib/host/sys.h"
#include "lib/vcpu/vcpu.h"
#include "lib/machine/vm.h"

/* Kinds after which there is nothing left to run. */
#define TERMINAL_KINDS \
	(IN(AXVCPU_EXIT_SYSTEM_DOWN) | IN(AXVCPU_EXIT_SYSTEM_RESET) | IN(AXVCPU_EXIT_SHUTDOWN) | \
	 IN(AXVCPU_EXIT_INTERNAL_ERROR))

/* --- the slow way ----------------------------------------------------------------------------- */

/* What attend() returns for a vCPU that is not to execute. */
#define PARKED 1

/* What must be seen to before the guest is entered. 0, PARKED, or an errno. */
static int attend(struct axvcpu *vcpu)
{
	uint32_t attention;
	int ret = 0;

	if (atomic_load(&vcpu->attention) & ATTENTION_MAIL)
		mailbox_drain(vcpu);
	attention = atomic_load(&vcpu->attention);
	if (attention & ATTENTION_TERMINAL)
		return axvcpu_fail(vcpu->vm, -EBADFD,
				   "run: vCPU %u has had its last exit: reset it", vcpu->id);
	if (attention & ATTENTION_FINALIZE)
		ret = axvm_finalize(vcpu->vm);
	if (ret)
		return ret;
	return attention & ATTENTION_PARKED ? PARKED : 0;
}

/* A signal that no kick explains may be the host's interrupt. */
static void ask_hal(const struct axvcpu *vcpu, struct axvcpu_exit *exit)
{
	const struct axvcpu_hal *hal = &vcpu->vm->hal;
	uint64_t vector;
	int cancel;

	if (!hal->irq_fetch)
		return;
	cancel = cancel_disable();
	if (hal->irq_fetch(hal->ctx, &vector)) {
		exit->kind = AXVCPU_EXIT_EXTERNAL_INTERRUPT;
		exit->u.external_interrupt.vector = vector;
		if (hal->irq_handler)
			hal->irq_handler(hal->ctx, vector);
	}
	cancel_restore(cancel);
}

/* What follows the backend's run, which has returned 'ret'. */
static int after_run(struct axvcpu *vcpu, struct axvcpu_exit *exit, int ret)
{
	if (ret)
		return ret;
	vcpu->awaits = exit->answerable ? AWAITS(exit->kind) : 0;
	if (exit->kind < 32 && (TERMINAL_KINDS & IN(exit->kind)))
		atomic_fetch_or(&vcpu->attention, ATTENTION_TERMINAL);
	/* What took it out of the guest may have been mail, and not a kick. */
	if (exit->kicked)
		exit->kicked = !!atomic_exchange(&vcpu->kick, 0);
	else if (exit->kind == AXVCPU_EXIT_NOTHING)
		ask_hal(vcpu, exit);
	return 0;
}

/* Into the guest. 'op' has begun. */
static int run_inside(struct axvcpu *vcpu, const struct op *op, struct axvcpu_exit *exit)
{
	vcpu->awaits = 0;
	exit->kicked = 0;
	op_enter(vcpu, op);
	return after_run(vcpu, exit, vcpu->ops->run(vcpu->arch, exit));
}

static noinline int run_slow(struct axvcpu *vcpu, struct axvcpu_exit *exit)
{
	struct op op;
	int ret = op_begin_owner(vcpu, IN(AXVCPU_READY), "run", &op);

	if (ret)
		return ret;
	while ((ret = attend(vcpu)) == PARKED) {
		uint64_t word;

		/* Others may look at the registers of a vCPU that they have paused. */
		op_leave(vcpu, &op, AXVCPU_BLOCKED);
		ret = power_park(vcpu, exit);
		/* Only the unsafe set_state moves it from there meanwhile. */
		if (!vcpu_awaken(vcpu, AXVCPU_READY | STATE_BUSY | STATE_BRIEF, &word))
			return state_refuse(vcpu, word, "run");
		thread_set_current(vcpu);
		if (ret) {
			/* Not before others were kept out again. */
			vcpu->awaits = 0;
			op_end(vcpu, &op, AXVCPU_READY);
			return ret < 0 ? ret : 0;
		}
	}
	if (!ret)
		ret = run_inside(vcpu, &op, exit);
	op_end(vcpu, &op, AXVCPU_READY);
	return ret;
}

/* The fast way has led into the guest, and what came out of it is not a frequent exit. */
static noinline int run_rest(struct axvcpu *vcpu, struct axvcpu_exit *exit, int ret)
{
	const struct op op = { .from = AXVCPU_READY, .owner = thread_serial() };

	thread_set_current(vcpu);
	exit->kicked = 0;
	/* A forked child comes this far: KVM refuses it, and what follows would write to struct kvm_run. */
	if (ret && vm_check_process(vcpu->vm))
		ret = -EPERM;
	else
		ret = after_run(vcpu, exit, host_run_rest(vcpu->arch, exit, ret));
	op_end(vcpu, &op, AXVCPU_READY);
	return ret;
}

static noinline int complete_slow(struct axvcpu *vcpu, const struct axvcpu_answer *answer)
{
	struct op op;
	int ret = op_begin_owner(vcpu, IN(AXVCPU_READY), "complete", &op);

	if (ret)
		return ret;
	if (!vcpu->awaits || !HAS_OP(vcpu->ops, complete))
		ret = axvcpu_fail(vcpu->vm, -EBADFD, "complete: vCPU %u: nothing to answer",
				  vcpu->id);
	else
		ret = vcpu->ops->complete(vcpu->arch, answer);
	if (!ret)
		vcpu->awaits = 0;
	op_end(vcpu, &op, AXVCPU_READY);
	return ret;
}

/* --- the fast way ----------------------------------------------------------------------------- */

/* What changes in the state word; axvcpu_kick() in other threads looks for it. */
#define READY_TO_RUNNING ((AXVCPU_RUNNING | STATE_BUSY) - AXVCPU_READY)

int axvcpu_run(struct axvcpu *vcpu, struct axvcpu_exit *exit)
{
	uint64_t word = thread.ready;
	uint32_t awaits = 0;
	long ret;

	/* Not Ready, another thread's, attention, no answer; or another vCPU is current. */
	if (unlikely(!atomic_compare_exchange_strong(&vcpu->state, &word, word + READY_TO_RUNNING)))
		return run_slow(vcpu, exit);
	thread.current = vcpu;
	ret = host_enter(vcpu->arch);
	if (unlikely(ret))
		return run_rest(vcpu, exit, (int)ret);
	if (unlikely(!host_decode(vcpu->arch, exit, &awaits)))
		return run_rest(vcpu, exit, 0);
	thread.current = NULL;
	word = thread.ready;
	if (awaits) {
		vcpu->awaits = AWAITS(awaits);
		word |= STATE_AWAITS;
	}
	atomic_store_explicit(&vcpu->state, word, memory_order_release);
	return 0;
}

int axvcpu_complete(struct axvcpu *vcpu, const struct axvcpu_answer *answer)
{
	const uint64_t ready = thread.ready;
	/*
	 * Ready, with an answer due. Without its mark this may be a forked child, whose answer would reach
	 * the parent: then the bit of the mark remains, which no state word has.
	 */
	uint64_t word = ready + (STATE_AWAITS - PROCESS_MARK) + *vcpu->mark;

	if (unlikely(answer->kind != AXVCPU_ANSWER_VALUE) ||
	    unlikely(!atomic_compare_exchange_strong(&vcpu->state, &word,
						     ready | STATE_BUSY | STATE_BRIEF)))
		return complete_slow(vcpu, answer);
	if (unlikely(!host_answer(vcpu->arch, answer->u.value))) {
		atomic_store_explicit(&vcpu->state, word, memory_order_release);
		return complete_slow(vcpu, answer);
	}
	vcpu->awaits = 0;
	atomic_store_explicit(&vcpu->state, ready, memory_order_release);
	return 0;
}
