/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* The backend's run: enters the guest until there is an exit for the caller. Kicks and answers. */
#include <errno.h>

#include "backends/kvm/enter.h"
#include "backends/kvm/frequent.h"
#include "backends/kvm/kvm.h"

/* KVM_RUN of a vCPU that waits for INIT or SIPI returns EAGAIN when woken. Limits the retries. */
#define AGAIN_TRIES 64

/* --- kicks ------------------------------------------------------------------------------------- */

/*
 * A kicker sets 'kick', then 'immediate_exit'; the owner clears 'immediate_exit', then exchanges
 * 'kick'. All four are sequentially consistent. So if the owner clears a kicker's 'immediate_exit',
 * it then sees that kicker's 'kick'. If instead it has taken 'kick' before the kicker sets
 * 'immediate_exit', an immediate_exit without a kick is left, which costs one empty entry.
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

/* The entries that retry_until_exit() has repeated. */
struct attempts {
	/* Number of EAGAIN. */
	int again;
	/* Whether a transient failure has occurred, and the number of slot changes at that time. */
	bool failed;
	unsigned int slot_changes;
};

/*
 * Whether a failure without details may be transient, and KVM_RUN should be retried. If it recurs
 * without a slot change in between, it is permanent.
 */
static bool may_be_transient(struct axk_vcpu *vcpu, int ret, struct attempts *attempts)
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
 * Handles errnos of KVM_RUN that the guest causes, not the caller: an access without memory, code
 * outside of memory. KVM may or may not report details.
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

/* The same for a guest state that the hardware refuses. KVM reports only the errno. */
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
 * KVM_RUN failed with 'ret'. Returns 1 to enter again, 0 if 'exit' is filled in, or the negative
 * errno for the caller.
 */
static int handle_run_error(struct axk_vcpu *vcpu, int ret, struct attempts *attempts,
			    struct axvcpu_exit *exit)
{
	if (ret == -EINTR) {
		bool requested = exit_requested(vcpu);

		axk_close_exit(vcpu);
		exit_nothing(exit);
		ret = axk_arch_interrupted(vcpu);
		if (ret)
			return ret;
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
	if (may_be_transient(vcpu, ret, attempts))
		return 1;
	if (guest_fault(vcpu, ret, exit) || guest_refused(vcpu, ret, exit))
		return 0;
	/* An open exit may not be completed yet; completing it twice is harmless. */
	return axk_vcpu_result(vcpu, ret, "KVM_RUN");
}

/*
 * KVM_RUN has returned 'ret'. Enters again as long as errors allow it. Returns 1 if there is an
 * exit to decode; 0 if 'exit' is filled in already; or a negative errno.
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

/* Reports a kick that came together with an exit. */
static void report_kick(struct axk_vcpu *vcpu, struct axvcpu_exit *exit)
{
	if (exit_requested(vcpu))
		exit->kicked = take_kick(vcpu);
}

/*
 * Returns 1 if 'exit' is filled in, 0 if the backend consumed the exit, or a negative errno if
 * decoding failed: the next run decodes the exit again.
 */
static int decode_and_return(struct axk_vcpu *vcpu, struct axvcpu_exit *exit)
{
	int ret = axk_decode(vcpu, exit);

	if (ret > 0)
		report_kick(vcpu, exit);
	if (ret < 0)
		vcpu->stashed = vcpu->has_pending_work = true;
	return ret;
}

/* Does pending work before the guest is entered, and between entries if more comes up. */
static int run_with_pending_work(struct axk_vcpu *vcpu, struct axvcpu_exit *exit)
{
	for (;;) {
		int ret = 0;

		if (!vcpu->stashed) {
			vcpu->has_pending_work = false;
			ret = axk_arch_before_entry(vcpu, exit);
		}
		if (ret < 0) {
			/* The next run tries again. */
			vcpu->has_pending_work = true;
			return ret;
		}
		if (ret) {
			report_kick(vcpu, exit);
			return 0;
		}
		if (vcpu->stashed) {
			/* A flush ended in this exit: decode it without entering. */
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
		return axvcpu_fail(vcpu->vm->vm, -EINVAL, "complete: an MMIO exit takes a value");
	return axk_arch_complete(vcpu, answer);
}
