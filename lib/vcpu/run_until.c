/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * Runs with a deadline. The timer of the thread is set for the earliest deadline of its runs so far
 * that has not passed: a run with a later one need not set it. When it expires too early for the
 * current run, it is set again.
 */
#include <errno.h>
#include <signal.h>

#include "axvcpu/deadline.h"
#include "lib/base/wait.h"
#include "lib/host/sys.h"
#include "lib/machine/object.h"
#include "lib/vcpu/timer.h"
#include "lib/vcpu/vcpu.h"

/*
 * Before a run for which the timer is not set. It could expire too late for a deadline that has
 * passed: the kick then comes from here.
 */
static int prepare(struct axvcpu *vcpu, int64_t deadline_ns)
{
	int ret = axv_vm_check_process(vcpu->vm);

	if (ret)
		return ret;
	if (axv_sys_now_ns() < deadline_ns)
		return axv_timer_set(vcpu, deadline_ns);
	/* As if it had been set. */
	axv_thread.timer.at = deadline_ns;
	axv_timer_expired();
	return 0;
}

/*
 * After an exit NOTHING. Returns whether to run again: only the timer has ended the run, and it was
 * set for an earlier deadline.
 */
static bool run_again(struct axvcpu_exit *exit, int64_t deadline_ns)
{
	struct axv_thread_timer *timer = &axv_thread.timer;
	int64_t now = axv_sys_now_ns();

	if (now >= deadline_ns) {
		exit->kind = AXVCPU_EXIT_DEADLINE;
		axv_timer_stop();
		return false;
	}
	if (now < timer->at && !timer->expired)
		return false;
	/* The next run sets it. */
	timer->expired = 1;
	return !exit->kicked;
}

int axvcpu_run_until(struct axvcpu *vcpu, int64_t deadline_ns, struct axvcpu_exit *exit)
{
	struct axv_thread_timer *timer = &axv_thread.timer;
	int ret;

	if (unlikely(!HAS_OP(vcpu->ops, kick)))
		return axv_vm_not_supported(vcpu->vm, "kick");
	if (unlikely(timer->pid != vcpu->vm->process.pid))
		axv_timer_forget(vcpu->vm->process.pid);
	/* If the timer expires before this, 'expired' is seen below; else the handler kicks. */
	timer->vcpu = vcpu;
	atomic_signal_fence(memory_order_seq_cst);
	do {
		ret = 0;
		if (unlikely(timer->expired) || unlikely(deadline_ns < timer->at))
			ret = prepare(vcpu, deadline_ns);
		if (!ret)
			ret = axvcpu_run(vcpu, exit);
	} while (!ret && unlikely(exit->kind == AXVCPU_EXIT_NOTHING) &&
		 run_again(exit, deadline_ns));
	timer->vcpu = NULL;
	return ret;
}

int axvcpu_run_for(struct axvcpu *vcpu, int64_t budget_ns, struct axvcpu_exit *exit)
{
	return axvcpu_run_until(vcpu, axv_deadline_in(budget_ns), exit);
}
