/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * Harts that another hart has started. KVM resets such a hart only when it is in KVM_RUN, and user
 * space cannot see that the reset is pending: KVM_GET_MP_STATE reports a runnable hart, and
 * KVM_GET_ONE_REG the registers that it had before. So the reset must have happened before registers
 * are saved, which would lose it, and before they are loaded, which it would undo.
 */
#include <signal.h>

#include "backends/kvm/enter.h"
#include "backends/riscv64/riscv64.h"
#include "lib/host/sys.h"

/* Whether the hart is stopped, in *stopped. */
static int read_stopped(const struct axk_vcpu *vcpu, bool *stopped)
{
	struct kvm_mp_state state;
	int ret = axk_vcpu_ioctl(vcpu, KVM_GET_MP_STATE, &state);

	if (!ret)
		*stopped = state.mp_state == KVM_MP_STATE_STOPPED;
	return ret;
}

void axk_riscv_note_stopped(struct axk_vcpu *vcpu, bool stopped)
{
	vcpu->arch.stopped = stopped;
	/* The next exit, which proves that the hart has run, takes the way of axk_arch_swallow(). */
	vcpu->has_pending_work |= stopped;
}

int axk_riscv_set_mp_state(struct axk_vcpu *vcpu, uint32_t mp_state)
{
	const struct kvm_mp_state state = { .mp_state = mp_state };
	int ret = axk_vcpu_ioctl(vcpu, KVM_SET_MP_STATE, &state);

	if (!ret)
		axk_riscv_note_stopped(vcpu, mp_state == KVM_MP_STATE_STOPPED);
	return ret;
}

int axk_arch_interrupted(struct axk_vcpu *vcpu)
{
	bool stopped = false;
	/* No other hart could start it. */
	int ret = vcpu->vm->arch.ncreated > 1 ? read_stopped(vcpu, &stopped) : 0;

	/* A hart that was stopped before may have been started, and may not have entered KVM_RUN. */
	if (!ret)
		axk_riscv_note_stopped(vcpu, stopped || vcpu->arch.stopped);
	return ret;
}

/* Enters KVM_RUN, in which the stopped hart sleeps until the timer sends the signal. */
static int sleep_in_kvm(struct axk_vcpu *vcpu, int timer, int64_t ns)
{
	/* It repeats: a signal that comes before KVM_RUN does not end it. */
	int ret = axv_sys_timer_set(timer, axv_sys_now_ns() + ns, ns);

	if (ret)
		return axk_vcpu_result(vcpu, ret, "timer_settime");
	ret = (int)axk_enter(vcpu);
	axv_sys_timer_set(timer, 0, 0);
	return ret == -EINTR ? 0 : axk_vcpu_result(vcpu, ret, "KVM_RUN");
}

/*
 * Lets KVM reset the stopped hart, if that is pending: KVM does it when a signal ends the sleep. A
 * signal that is pending before the sleep ends KVM_RUN without it, so longer ones follow. The program
 * counter changes with the reset, except if the hart was started where it was.
 */
static int wait_for_reset(struct axk_vcpu *vcpu, int timer)
{
	static const int64_t waits_ns[] = { 200000, 1000000, 5000000, 20000000 };
	uint64_t before, now;
	int ret = axk_riscv_get(vcpu, RISCV_CORE(regs.pc), &before);

	now = before;
	for (size_t i = 0; !ret && now == before && i < sizeof(waits_ns) / sizeof(waits_ns[0]); i++) {
		ret = sleep_in_kvm(vcpu, timer, waits_ns[i]);
		if (!ret)
			ret = axk_riscv_get(vcpu, RISCV_CORE(regs.pc), &now);
	}
	return ret;
}

/* The same with a timer of the calling thread, which must not block its signal. */
static int reset_by_kvm(struct axk_vcpu *vcpu)
{
	const int timer = axv_sys_timer_create(vcpu->vm->kick_signal);
	sigset_t kick, old;
	int ret;

	if (timer < 0)
		return axk_vcpu_result(vcpu, timer, "timer_create");
	sigemptyset(&kick);
	sigaddset(&kick, vcpu->vm->kick_signal);
	ret = axk_vcpu_result(vcpu, axv_sys_sigmask(SIG_UNBLOCK, &kick, &old),
			      "unblocking the kick signal");
	if (!ret) {
		/* A kick that waits for the next run would end each KVM_RUN at once. */
		__atomic_store_n(&vcpu->run->immediate_exit, 0, __ATOMIC_SEQ_CST);
		ret = wait_for_reset(vcpu, timer);
		if (atomic_load(&vcpu->kick))
			__atomic_store_n(&vcpu->run->immediate_exit, 1, __ATOMIC_SEQ_CST);
		axv_sys_sigmask(SIG_SETMASK, &old, NULL);
	}
	axv_sys_timer_delete(timer);
	return ret;
}

int axk_riscv_finish_start(struct axk_vcpu *vcpu)
{
	bool stopped = true;
	int failed, ret = vcpu->arch.stopped ? read_stopped(vcpu, &stopped) : 0;

	if (ret || stopped)
		return ret;
	ret = axk_riscv_set_mp_state(vcpu, KVM_MP_STATE_STOPPED);
	if (ret)
		return ret;
	ret = reset_by_kvm(vcpu);
	/* Also after a failure: the guest has started it. */
	failed = axk_riscv_set_mp_state(vcpu, KVM_MP_STATE_RUNNABLE);
	if (!ret)
		ret = failed;
	/* The next call tries again. */
	axk_riscv_note_stopped(vcpu, ret);
	return ret;
}
