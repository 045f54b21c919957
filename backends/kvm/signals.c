/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * Signals that end KVM_RUN. During KVM_RUN, KVM sets the thread's signal mask to that of the vCPU:
 * the signals that the owner blocks, except the kick signal. So a kick also ends the run of a
 * thread that has blocked the kick signal since bind.
 */
#include <signal.h>
#include <string.h>

#include "backends/kvm/kvm.h"
#include "lib/vcpu/timer.h"

/* Size of the kernel's signal set, which is the beginning of a sigset_t. */
#define SET_SIZE sizeof(uint64_t)
/* Real-time signals queue. If more than this many are pending, the rest ends the next KVM_RUN. */
#define SIGNALS_MAX 64

static int set_mask(struct axk_vcpu *vcpu, const sigset_t *blocked)
{
	union {
		struct kvm_signal_mask mask;
		unsigned char bytes[sizeof(struct kvm_signal_mask) + SET_SIZE];
	} arg = { .mask.len = SET_SIZE };
	sigset_t set = *blocked;
	uint64_t word;
	int ret;

	sigdelset(&set, vcpu->vm->kick_signal);
	memcpy(&word, &set, sizeof(word));
	if (vcpu->has_signal_mask && vcpu->signal_mask == word)
		return 0;
	memcpy(arg.mask.sigset, &word, sizeof(word));
	ret = axk_vcpu_ioctl(vcpu, KVM_SET_SIGNAL_MASK, &arg.mask);
	if (ret)
		return ret;
	vcpu->signal_mask = word;
	vcpu->has_signal_mask = true;
	return 0;
}

static int read_mask(const struct axk_vcpu *vcpu, sigset_t *blocked)
{
	return axk_vcpu_result(vcpu, axv_sys_sigmask(SIG_BLOCK, NULL, blocked),
			       "reading the signal mask");
}

int axk_bind(void *arch_vcpu)
{
	struct axk_vcpu *vcpu = arch_vcpu;
	sigset_t blocked;
	int ret = read_mask(vcpu, &blocked);

	vcpu->kick_blocked = false;
	if (ret)
		return ret;
	return set_mask(vcpu, &blocked);
}

int axk_unbind(void *arch_vcpu)
{
	struct axk_vcpu *vcpu = arch_vcpu;
	int ret = axk_vcpu_ioctl(vcpu, KVM_SET_SIGNAL_MASK, (struct kvm_signal_mask *)NULL);

	if (!ret)
		vcpu->has_signal_mask = false;
	return ret;
}

bool axk_take_kick_signals(const struct axk_vcpu *vcpu)
{
	const int kick = vcpu->vm->kick_signal;
	siginfo_t info;
	int n = 0;

	for (; n < SIGNALS_MAX && axv_sys_sigtake(kick, &info) == kick; n++)
		if (info.si_code == SI_TIMER)
			axv_timer_expired();
	return n;
}

int axk_unexplained_signal(struct axk_vcpu *vcpu)
{
	sigset_t blocked;
	int ret = read_mask(vcpu, &blocked);

	if (ret)
		return ret;
	vcpu->kick_blocked = sigismember(&blocked, vcpu->vm->kick_signal);
	/* A blocked signal stays pending, and would end every KVM_RUN. */
	if (vcpu->kick_blocked && axk_take_kick_signals(vcpu))
		return 1;
	return set_mask(vcpu, &blocked);
}
