/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * Kicks: ask the backend to leave the guest, and interrupt the owner's system call by a signal.
 * docs/threads.md explains why no kick is lost.
 */
#include "lib/vcpu/kick.h"

#include <errno.h>

#include "lib/host/sys.h"
#include "lib/machine/object.h"
#include "lib/vcpu/timer.h"
#include "lib/vcpu/vcpu.h"

/* The signal of a kick only has to interrupt a system call. That of a timer is the only message. */
static void on_kick(int sig, siginfo_t *info, void *context)
{
	(void)sig;
	(void)context;
	if (info->si_code == SI_TIMER)
		axv_timer_expired();
}

static int check_given(const struct axvm *vm, int sig)
{
	struct sigaction action;
	int ret = axv_sys_sigaction(sig, NULL, &action);

	if (ret)
		return axvcpu_fail(vm, ret, "kick_signal: %d is not a usable signal", sig);
	if (!(action.sa_flags & SA_SIGINFO) &&
	    (action.sa_handler == SIG_DFL || action.sa_handler == SIG_IGN))
		return axvcpu_fail(vm, -EINVAL,
				   "kick_signal: signal %d has no handler; install one first", sig);
	return sig;
}

int axv_kick_signal_choose(const struct axvm *vm, int sig)
{
	struct sigaction action;

	if (sig)
		return check_given(vm, sig);
	for (sig = SIGRTMIN; sig <= SIGRTMAX; sig++) {
		int ret = axv_sys_sigaction(sig, NULL, &action);

		if (ret)
			return axvcpu_fail(vm, ret, "sigaction of signal %d", sig);
		if ((action.sa_flags & SA_SIGINFO) && action.sa_sigaction == on_kick)
			return sig;
		if ((action.sa_flags & SA_SIGINFO) || action.sa_handler != SIG_DFL)
			continue;
		action = (struct sigaction){ .sa_sigaction = on_kick, .sa_flags = SA_SIGINFO };
		sigemptyset(&action.sa_mask);
		/* No SA_RESTART: the signal must end the system call. */
		ret = axv_sys_sigaction(sig, &action, NULL);
		if (ret)
			return axvcpu_fail(vm, ret, "sigaction of signal %d", sig);
		return sig;
	}
	return axvcpu_fail(vm, -EBUSY,
			   "all real-time signals have handlers; choose a signal in kick_signal");
}

int axv_kick_signal_unblock(const struct axvm *vm, sigset_t *old)
{
	sigset_t set;
	int ret;

	sigemptyset(&set);
	sigaddset(&set, vm->kick_signal);
	ret = axv_sys_sigmask(SIG_UNBLOCK, &set, old);
	if (ret)
		return axvcpu_fail(vm, ret, "unblocking signal %d", vm->kick_signal);
	return 0;
}

int axv_kick_signal_restore(const struct axvm *vm, const sigset_t *old)
{
	sigset_t set;
	int ret;

	if (!sigismember(old, vm->kick_signal))
		return 0;
	sigemptyset(&set);
	sigaddset(&set, vm->kick_signal);
	ret = axv_sys_sigmask(SIG_BLOCK, &set, NULL);
	if (ret)
		return axvcpu_fail(vm, ret, "blocking signal %d", vm->kick_signal);
	return 0;
}

int axv_vcpu_leave_guest(struct axvcpu *vcpu)
{
	uint64_t word;
	int ret;

	/* No message, no errno: this may be a signal handler. */
	if (!HAS_OP(vcpu->ops, kick))
		return -ENOTSUP;
	ret = vcpu->ops->kick(vcpu->arch);
	if (ret)
		return ret;
	axvcpu_wake(vcpu);
	/*
	 * An owner that is not Running here will see the backend's kick when it enters. The signal
	 * can only fail if the owner has ended, and then no thread is in the guest.
	 */
	word = atomic_load(&vcpu->state);
	if (axv_state_of(word) == AXVCPU_RUNNING)
		axv_sys_tkill(vcpu->vm->process.pid, atomic_load(&vcpu->tid),
			      vcpu->vm->kick_signal);
	return 0;
}

int axvcpu_kick(struct axvcpu *vcpu)
{
	/* No message, no errno: this may be a signal handler. */
	if (axvm_is_copy(vcpu->vm))
		return -EPERM;
	if (!HAS_OP(vcpu->ops, kick))
		return -ENOTSUP;
	/* Set before the backend's kick: a run that ends because of that finds it set. */
	atomic_store(&vcpu->kick, true);
	return axv_vcpu_leave_guest(vcpu);
}
