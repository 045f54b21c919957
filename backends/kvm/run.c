/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * The backend's run: enters the guest until it comes out with an exit for the caller. Also the kick,
 * and the answer to an exit.
 */
#include <errno.h>

#include "backends/kvm/enter.h"
#include "backends/kvm/frequent.h"
#include "backends/kvm/kvm.h"

/* A vCPU that waits for INIT or SIPI answers EAGAIN when something comes: more often is a storm. */
#define AGAIN_TRIES 64

/* --- kicks ------------------------------------------------------------------------------------- */

/*
 * A kicker sets first 'kick', then 'immediate_exit'; the owner clears first 'immediate_exit', then
 * takes 'kick': all four in one order that every thread agrees on. So if the owner's clearing wipes
 * out a kicker's request, the owner then finds that kicker's 'kick'. And if it has come and gone
 * in between, what is left is an immediate_exit without a kick, which costs one empty entry.
 */
int axk_kick(void *arch_vcpu)
{
	struct axk_vcpu *vcpu = arch_vcpu;

	atomic_store(&vcpu->kick, true);
	__atomic_store_n(&vcpu->run->immediate_exit, 1, __ATOMIC_SEQ_CST);
	return 0;
}

static inline bool exit_requested(const struct axk_vcpu *vcpu)
{
	return __atomic_load_n(&vcpu->run->immediate_exit, __ATOMIC_RELAXED);
}

static bool take_kick(struct axk_vcpu *vcpu)
{
	__atomic_store_n(&vcpu->run->immediate_exit, 0, __ATOMIC_SEQ_CST);
	return atomic_exchange(&vcpu->kick, 0);
}

/* --- running ----------------------------------------------------------------------------------- */

static void exit_nothing(struct axvcpu_exit *exit)
{
	axk_exit_plain(exit, AXVCPU_EXIT_NOTHING);
	exit->raw_reason = KVM_EXIT_INTR;
	exit->raw_code = 0;
}

/* Why retry_until_exit() has entered again. */
struct attempts {
	/* EAGAIN, so often. */
	int again;
	/* Slots had changed so often at a failure that may pass. */
	bool failed;
	unsigned int slot_changes;
};

/*
 * Whether a failure of which KVM has no details may be none the next time. If no slot changes until
 * then, it is one.
 */
static bool may_pass(struct axk_vcpu *vcpu, int ret, struct attempts *attempts)
{
	unsigned int changes;

	if (!axk_arch_fault_may_pass(ret) || vcpu->run->exit_reason == KVM_EXIT_MEMORY_FAULT)
		return false;
	changes = atomic_load(&vcpu->vm->slot_changes);
	if (attempts->failed && changes == attempts->slot_changes)
		return false;
	attempts->failed = true;
	attempts->slot_changes = changes;
	return true;
}

/*
 * Errnos by which KVM_RUN speaks of the guest, not of us: an access that has no memory behind it,
 * code where none can be. With or without details.
 */
static bool guest_fault(struct axk_vcpu *vcpu, int ret, struct axvcpu_exit *exit)
{
	const struct kvm_run *run = vcpu->run;
	struct axvcpu_exit_page_fault *fault = &exit->u.page_fault;
	const struct axk_uapi_memory_fault *details = (const void *)&run->hw;

	if (ret != -EFAULT && ret != -EHWPOISON && !axk_arch_guest_errno(ret))
		return false;
	axk_close_exit(vcpu);
	axk_exit_plain(exit, AXVCPU_EXIT_NESTED_PAGE_FAULT);
	exit->raw_reason = run->exit_reason;
	exit->raw_code = 0;
	*fault = (struct axvcpu_exit_page_fault){ .error = (uint32_t)-ret };
	if (run->exit_reason == KVM_EXIT_MEMORY_FAULT) {
		exit->raw_code = details->flags;
		fault->addr = details->gpa;
		fault->size = details->size;
	} else {
		axk_arch_locate_fault(vcpu, fault);
	}
	return true;
}

/* The same of a guest that the hardware cannot be in. KVM says no more than the errno. */
static bool guest_refused(const struct axk_vcpu *vcpu, int ret, struct axvcpu_exit *exit)
{
	if (vcpu->run->exit_reason != KVM_EXIT_FAIL_ENTRY || !axk_arch_refused_entry(ret))
		return false;
	axk_exit_plain(exit, AXVCPU_EXIT_FAIL_ENTRY);
	exit->raw_reason = KVM_EXIT_FAIL_ENTRY;
	exit->raw_code = (uint64_t)-ret;
	exit->u.fail_entry.reason = (uint64_t)-ret;
	exit->u.fail_entry.cpu = 0;
	return true;
}

/*
 * KVM_RUN did not end in an exit. Returns 1 to enter again, 0 when 'exit' is written, or the errno
 * for the caller.
 */
static int handle_run_error(struct axk_vcpu *vcpu, int ret, struct attempts *attempts,
			    struct axvcpu_exit *exit)
{
	if (ret == -EINTR) {
		bool requested = exit_requested(vcpu);

		axk_close_exit(vcpu);
		exit_nothing(exit);
		if (!requested)
			return axk_unexplained_signal(vcpu);
		if (vcpu->kick_blocked)
			axk_take_kick_signals(vcpu);
		exit->kicked = take_kick(vcpu);
		return !exit->kicked;
	}
	if (ret == -EAGAIN) {
		if (++attempts->again < AGAIN_TRIES)
			return 1;
		exit_nothing(exit);
		return 0;
	}
	if (may_pass(vcpu, ret, attempts))
		return 1;
	if (guest_fault(vcpu, ret, exit) || guest_refused(vcpu, ret, exit))
		return 0;
	/* Nobody knows how far it came: to finish an exit that is not open does no harm. */
	return axk_vcpu_result(vcpu, ret, "KVM_RUN");
}

/*
 * KVM_RUN has returned 'ret'. Enters again while there is no reason not to. Returns 1 when the guest
 * came out with an exit, which is to be decoded; 0 when 'exit' is written already; or an errno.
 */
static int retry_until_exit(struct axk_vcpu *vcpu, struct axvcpu_exit *exit, int ret)
{
	struct attempts attempts = { 0 };

	while (ret) {
		ret = handle_run_error(vcpu, ret, &attempts, exit);
		if (ret != 1)
			return ret;
		ret = (int)axk_enter(vcpu);
	}
	return 1;
}

/* A kick may have come beside an exit. */
static void answer_kick(struct axk_vcpu *vcpu, struct axvcpu_exit *exit)
{
	if (exit_requested(vcpu))
		exit->kicked = take_kick(vcpu);
}

/*
 * 1: handed out. 0: the exit was for the backend alone. Or an errno: something of it could not be
 * read, and the next run hands it out.
 */
static int decode_and_return(struct axk_vcpu *vcpu, struct axvcpu_exit *exit)
{
	int ret = axk_decode(vcpu, exit);

	if (ret > 0)
		answer_kick(vcpu, exit);
	if (ret < 0)
		vcpu->stashed = vcpu->has_pending_work = true;
	return ret;
}

/* There is something to do before the guest is entered, and perhaps between entries. */
static int run_with_pending_work(struct axk_vcpu *vcpu, struct axvcpu_exit *exit)
{
	for (;;) {
		int ret = 0;

		if (!vcpu->stashed) {
			vcpu->has_pending_work = false;
			ret = axk_arch_before_entry(vcpu, exit);
		}
		if (ret < 0) {
			/* To be tried again. */
			vcpu->has_pending_work = true;
			return ret;
		}
		if (ret) {
			answer_kick(vcpu, exit);
			return 0;
		}
		if (vcpu->stashed) {
			/* A flush has left an exit. */
			vcpu->stashed = false;
		} else {
			ret = retry_until_exit(vcpu, exit, (int)axk_enter(vcpu));
			if (ret != 1)
				return ret;
			if (axk_arch_swallow(vcpu))
				continue;
		}
		ret = decode_and_return(vcpu, exit);
		if (ret)
			return ret < 0 ? ret : 0;
	}
}

int axk_finish_run(struct axk_vcpu *vcpu, struct axvcpu_exit *exit, int ret)
{
	ret = retry_until_exit(vcpu, exit, ret);
	while (ret == 1) {
		ret = decode_and_return(vcpu, exit);
		if (ret)
			return ret < 0 ? ret : 0;
		ret = retry_until_exit(vcpu, exit, (int)axk_enter(vcpu));
	}
	return ret;
}

int axk_run(void *arch_vcpu, struct axvcpu_exit *exit)
{
	struct axk_vcpu *vcpu = arch_vcpu;

	if (vcpu->has_pending_work)
		return run_with_pending_work(vcpu, exit);
	return axk_finish_run(vcpu, exit, (int)axk_enter(vcpu));
}

/* --- answers ------------------------------------------------------------------------------------ */

int axk_complete(void *arch_vcpu, const struct axvcpu_answer *answer)
{
	struct axk_vcpu *vcpu = arch_vcpu;

	if (answer->kind == AXVCPU_ANSWER_VALUE && axk_answer_value(vcpu, answer->u.value))
		return 0;
	if (vcpu->run->exit_reason == KVM_EXIT_MMIO)
		return axvcpu_fail(vcpu->vm->vm, -EINVAL, "complete: MMIO takes a value");
	return axk_arch_complete(vcpu, answer);
}
