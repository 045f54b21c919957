/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * The fast path of run and complete, which nearly every exit takes: the vCPU is Ready, the caller
 * owns it, its backend is this one, and the exit is a frequent one. One compare-and-swap checks the
 * state and the owner; the system call and the decoder are inlined. Everything else takes the slow
 * path, in lib/vcpu/run.c.
 *
 * This is the only file that sees both sides: struct axvcpu of lib/, and struct axk_vcpu behind its
 * 'arch'. It is the third seam between the two, beside the ops table and the HAL.
 */
#include <errno.h>

#include "backends/kvm/enter.h"
#include "backends/kvm/frequent.h"
#include "backends/kvm/kvm.h"
#include "lib/machine/object.h"
#include "lib/vcpu/run.h"
#include "lib/vcpu/vcpu.h"

void axv_fast_run_attach(struct axvcpu *vcpu)
{
	static const bool never;
	const struct axk_vcpu *arch = vcpu->arch;
	/* With another backend, 'arch' is an object of another type. */
	const bool ours = vcpu->ops->run == axk_run;

	vcpu->backend_has_work = ours ? &arch->has_pending_work : &never;
	/* The fast path cannot decode exits of another backend, nor forwarded events. */
	if (!ours || vcpu->vm->forwards)
		atomic_fetch_or(&vcpu->attention, ATTENTION_SLOW_PATH);
}

/*
 * Continues after the fast path has entered the guest: KVM_RUN has returned the errno 'ret', or 0
 * with an exit that is not a frequent one.
 */
static noinline int finish_run(struct axvcpu *vcpu, struct axvcpu_exit *exit, int ret)
{
	axv_thread_set_current(vcpu);
	exit->kicked = 0;
	/* KVM refuses a forked child, which must not write to the parent's struct kvm_run. */
	if (ret && axv_vm_check_process(vcpu->vm))
		ret = -EPERM;
	else
		ret = axk_finish_run(vcpu->arch, exit, ret);
	return axv_run_end(vcpu, exit, ret);
}

/* The change of the state word. axvcpu_kick() of other threads signals Running vCPUs. */
#define READY_TO_RUNNING ((AXVCPU_RUNNING | STATE_BUSY) - AXVCPU_READY)

int axvcpu_run(struct axvcpu *vcpu, struct axvcpu_exit *exit)
{
	uint64_t word = axv_thread.ready;
	uint32_t open_exit_kind = AXVCPU_EXIT_NOTHING;
	long ret;

	/* Fails if not Ready, not the owner, busy, attention, open exit; or a vCPU is current. */
	if (unlikely(!atomic_compare_exchange_strong(&vcpu->state, &word, word + READY_TO_RUNNING)))
		return axv_run_slow_path(vcpu, exit);
	axv_thread.current = vcpu;
	ret = axk_enter(vcpu->arch);
	if (unlikely(ret))
		return finish_run(vcpu, exit, (int)ret);
	if (unlikely(!axk_decode_frequent(vcpu->arch, exit, &open_exit_kind)))
		return finish_run(vcpu, exit, 0);
	axv_thread.current = NULL;
	word = axv_thread.ready;
	if (open_exit_kind) {
		vcpu->open_exit_kind = open_exit_kind;
		word |= STATE_OPEN_EXIT;
	}
	atomic_store_explicit(&vcpu->state, word, memory_order_release);
	return 0;
}

int axvcpu_complete(struct axvcpu *vcpu, const struct axvcpu_answer *answer)
{
	const uint64_t ready = axv_thread.ready;
	/*
	 * The expected word: Ready, with an open exit. In a forked child, whose answer would reach
	 * the parent, *mark is 0: then the word has the bit PROCESS_MARK, which no state word has.
	 */
	uint64_t word = ready + (STATE_OPEN_EXIT - PROCESS_MARK) + *vcpu->mark;

	if (unlikely(answer->kind != AXVCPU_ANSWER_VALUE) ||
	    unlikely(!atomic_compare_exchange_strong(&vcpu->state, &word,
						     ready | STATE_BUSY | STATE_BRIEF)))
		return axv_complete_slow_path(vcpu, answer);
	if (unlikely(!axk_answer_value(vcpu->arch, answer->u.value))) {
		atomic_store_explicit(&vcpu->state, word, memory_order_release);
		return axv_complete_slow_path(vcpu, answer);
	}
	vcpu->open_exit_kind = AXVCPU_EXIT_NOTHING;
	atomic_store_explicit(&vcpu->state, ready, memory_order_release);
	return 0;
}
