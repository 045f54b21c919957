/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * The slow path of run, through the ops table: checks the state, does the pending work, enters the
 * guest and completes the exit. backends/kvm/fast_run.c is the fast path.
 */
#include "lib/vcpu/run.h"

#include <errno.h>

#include "lib/base/cancel.h"
#include "lib/machine/object.h"
#include "lib/vcpu/power.h"
#include "lib/vcpu/request.h"
#include "lib/vcpu/vcpu.h"

/* Kinds after which the vCPU cannot run until it is reset. */
#define TERMINAL_KINDS \
	(IN(AXVCPU_EXIT_SYSTEM_DOWN) | IN(AXVCPU_EXIT_SYSTEM_RESET) | IN(AXVCPU_EXIT_SHUTDOWN) | \
	 IN(AXVCPU_EXIT_INTERNAL_ERROR))

/* Returned by do_pending_work() for a vCPU that is paused or off. */
#define PARKED 1

/* Does the work that 'attention' names, before an entry. Returns 0, PARKED, or a negative errno. */
static int do_pending_work(struct axvcpu *vcpu)
{
	uint32_t attention;

	if (atomic_load(&vcpu->attention) & ATTENTION_REQUESTS)
		axv_queue_drain(vcpu);
	attention = atomic_load(&vcpu->attention);
	if (attention & ATTENTION_TERMINAL)
		return axvcpu_fail(
			vcpu->vm, -EBADFD,
			"run: vCPU %u stopped on a terminal exit (%s); call axvcpu_reset() "
			"first",
			vcpu->id, axvcpu_exit_name(vcpu->terminal_kind));
	if (attention & ATTENTION_FINALIZE) {
		int ret = axvm_finalize(vcpu->vm);

		if (ret)
			return ret;
	}
	return attention & ATTENTION_PARKED ? PARKED : 0;
}

/* EINTR without a kick: asks the HAL whether the signal stands for a host interrupt. */
static void ask_hal(const struct axvcpu *vcpu, struct axvcpu_exit *exit)
{
	const struct axvcpu_hal *hal = &vcpu->vm->hal;
	uint64_t vector;
	int cancel;

	if (!hal->irq_fetch)
		return;
	cancel = axv_cancel_disable();
	if (hal->irq_fetch(hal->ctx, &vector)) {
		exit->kind = AXVCPU_EXIT_EXTERNAL_INTERRUPT;
		exit->u.external_interrupt.vector = vector;
		if (hal->irq_handler)
			hal->irq_handler(hal->ctx, vector);
	}
	axv_cancel_restore(cancel);
}

/* Completes 'exit' after the backend's run has returned 'ret'. */
static int finish_exit(struct axvcpu *vcpu, struct axvcpu_exit *exit, int ret)
{
	if (ret)
		return ret;
	/* There is nothing to answer, even if a custom backend says so. */
	if (exit->kind == AXVCPU_EXIT_NOTHING)
		exit->answerable = 0;
	vcpu->open_exit_kind = exit->answerable ? exit->kind : AXVCPU_EXIT_NOTHING;
	if (exit->kind < 32 && (TERMINAL_KINDS & IN(exit->kind))) {
		vcpu->terminal_kind = exit->kind;
		atomic_fetch_or(&vcpu->attention, ATTENTION_TERMINAL);
	}
	/* The backend also sets it for requests; callers only get kicks of axvcpu_kick(). */
	if (exit->kicked)
		exit->kicked = !!atomic_exchange(&vcpu->kick, 0);
	else if (exit->kind == AXVCPU_EXIT_NOTHING)
		ask_hal(vcpu, exit);
	return 0;
}

/* After the operation has ended: the functions may use the vCPU. */
static void call_end_functions(const struct axvcpu *vcpu, const struct axvcpu_exit *exit, int ret)
{
	if (!ret && exit->kind == AXVCPU_EXIT_EOI)
		axv_irq_ended(vcpu->vm, exit->u.eoi.vector);
}

int axv_run_slow_path(struct axvcpu *vcpu, struct axvcpu_exit *exit)
{
	struct axv_op op;
	int ret = axv_op_begin_owner(vcpu, IN(AXVCPU_READY), "run", &op);

	if (ret)
		return ret;
	while ((ret = do_pending_work(vcpu)) == PARKED) {
		uint64_t word;

		/* Blocked, so that other threads can read the registers of a paused vCPU. */
		axv_op_leave(vcpu, &op, AXVCPU_BLOCKED);
		ret = axv_power_park(vcpu, exit);
		/* Only axvcpu_set_state() can have changed the state meanwhile. */
		if (!axv_vcpu_awaken(vcpu, AXVCPU_READY | STATE_BUSY | STATE_BRIEF, &word))
			return axv_state_refuse(vcpu, word, IN(AXVCPU_READY), "run");
		axv_thread_set_current(vcpu);
		if (ret) {
			/* Written only now that the operation excludes other threads again. */
			vcpu->open_exit_kind = AXVCPU_EXIT_NOTHING;
			axv_op_end(vcpu, &op, AXVCPU_READY);
			return ret < 0 ? ret : 0;
		}
	}
	if (!ret) {
		vcpu->open_exit_kind = AXVCPU_EXIT_NOTHING;
		exit->kicked = 0;
		axv_op_enter(vcpu, &op);
		ret = finish_exit(vcpu, exit, vcpu->ops->run(vcpu->arch, exit));
	}
	axv_op_end(vcpu, &op, AXVCPU_READY);
	call_end_functions(vcpu, exit, ret);
	return ret;
}

int axv_run_end(struct axvcpu *vcpu, struct axvcpu_exit *exit, int ret)
{
	const struct axv_op op = { .from = AXVCPU_READY, .owner = axv_thread_serial() };

	ret = finish_exit(vcpu, exit, ret);
	axv_op_end(vcpu, &op, AXVCPU_READY);
	call_end_functions(vcpu, exit, ret);
	return ret;
}
