/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * The run loop: into the guest, and what came out of it. One system call for an exit; whatever
 * costs more is on a path of its own.
 */
#include <errno.h>
#include <string.h>

#include "backends/kvm/host_run.h"

/* A vCPU that waits for INIT or SIPI answers EAGAIN when something comes: more often is a storm. */
#define AGAIN_TRIES 64
/* Pieces in which one instruction's I/O can still be open: more is not one instruction. */
#define PIECES_MAX 4096

/* --- exits that all architectures have ---------------------------------------------------------- */

static uint32_t internal_error(uint32_t suberror)
{
	switch (suberror) {
	case KVM_INTERNAL_ERROR_EMULATION:
		return AXVCPU_INTERNAL_EMULATION;
	case KVM_INTERNAL_ERROR_SIMUL_EX:
		return AXVCPU_INTERNAL_SIMUL_EX;
	case KVM_INTERNAL_ERROR_DELIVERY_EV:
		return AXVCPU_INTERNAL_DELIVERY_EV;
	case KVM_INTERNAL_ERROR_UNEXPECTED_EXIT_REASON:
		return AXVCPU_INTERNAL_UNEXPECTED_EXIT_REASON;
	default:
		return AXVCPU_INTERNAL_UNKNOWN;
	}
}

/* The instruction that could not be emulated, of KVMs from Linux 5.15 on that could read it. */
static void decode_insn(const struct kvm_run *run, struct axvcpu_exit_internal *internal)
{
	/* Words: flags; then the number of bytes, and the bytes, in 16 bytes together. */
	const unsigned char *bytes = (const unsigned char *)&run->internal.data[1];
	uint32_t n = bytes[0];

	internal->ninsn = 0;
	if (internal->error != AXVCPU_INTERNAL_EMULATION || internal->ndata < 3 ||
	    !(internal->data[0] & KVM_INTERNAL_ERROR_EMULATION_FLAG_INSTRUCTION_BYTES))
		return;
	internal->ninsn = n < ARRAY_SIZE(internal->insn) ? n : ARRAY_SIZE(internal->insn) - 1;
	memcpy(internal->insn, &bytes[1], internal->ninsn);
}

static void decode_internal_error(const struct kvm_run *run, struct axvcpu_exit *exit)
{
	struct axvcpu_exit_internal *internal = &exit->u.internal;
	uint32_t n = run->internal.ndata;

	kvm_exit_plain(exit, AXVCPU_EXIT_INTERNAL_ERROR);
	exit->raw_code = run->internal.suberror;
	internal->suberror = run->internal.suberror;
	internal->ndata = n < ARRAY_SIZE(internal->data) ? n : ARRAY_SIZE(internal->data);
	for (uint32_t i = 0; i < internal->ndata; i++)
		internal->data[i] = run->internal.data[i];
	internal->error = internal_error(internal->suberror);
	decode_insn(run, internal);
}

static void decode_system_event(const struct kvm_run *run, struct axvcpu_exit *exit)
{
	exit->raw_code = run->system_event.type;
	switch (run->system_event.type) {
	case KVM_SYSTEM_EVENT_SHUTDOWN:
		kvm_exit_plain(exit, AXVCPU_EXIT_SYSTEM_DOWN);
		break;
	case KVM_SYSTEM_EVENT_RESET:
		kvm_exit_plain(exit, AXVCPU_EXIT_SYSTEM_RESET);
		break;
	default:
		kvm_exit_plain(exit, AXVCPU_EXIT_UNHANDLED);
		break;
	}
}

static void decode_fail_entry(const struct kvm_run *run, struct axvcpu_exit *exit)
{
	kvm_exit_plain(exit, AXVCPU_EXIT_FAIL_ENTRY);
	exit->raw_code = run->fail_entry.hardware_entry_failure_reason;
	exit->u.fail_entry.reason = run->fail_entry.hardware_entry_failure_reason;
	exit->u.fail_entry.cpu = run->fail_entry.cpu;
}

/* As kvm_arch_decode(). */
static int decode(struct kvm_vcpu *vcpu, struct axvcpu_exit *exit)
{
	const struct kvm_run *run = vcpu->run;
	uint32_t awaits;

	if (host_decode(vcpu, exit, &awaits))
		return !vcpu->forward || kvm_arch_decode_forwarded(vcpu, exit);
	exit->raw_reason = run->exit_reason;
	exit->raw_code = 0;
	vcpu->answer = NULL;
	switch (run->exit_reason) {
	case KVM_EXIT_UNKNOWN:
		kvm_exit_plain(exit, AXVCPU_EXIT_UNHANDLED);
		exit->raw_code = run->hw.hardware_exit_reason;
		break;
	case KVM_EXIT_SHUTDOWN:
		kvm_exit_plain(exit, AXVCPU_EXIT_SHUTDOWN);
		break;
	case KVM_EXIT_SYSTEM_EVENT:
		decode_system_event(run, exit);
		break;
	case KVM_EXIT_FAIL_ENTRY:
		decode_fail_entry(run, exit);
		break;
	case KVM_EXIT_INTERNAL_ERROR:
		decode_internal_error(run, exit);
		break;
	default:
		return kvm_arch_decode(vcpu, exit);
	}
	return 1;
}

/* --- open exits --------------------------------------------------------------------------------- */

/* KVM_RUN has finished it, and has not come to another exit. */
static void close_exit(struct kvm_vcpu *vcpu)
{
	if (kvm_is_open(vcpu))
		vcpu->run->exit_reason = KVM_EXIT_UNKNOWN;
}

/* --- kicks ------------------------------------------------------------------------------------- */

/*
 * A kicker sets first 'kick', then 'immediate_exit'; the owner clears first 'immediate_exit', then
 * takes 'kick': all four in one order that every thread agrees on. So if the owner's clearing wipes
 * out a kicker's request, the owner then finds that kicker's 'kick'. And if it has come and gone
 * in between, what is left is an immediate_exit without a kick, which costs one empty entry.
 */
int kvm_kick(void *arch_vcpu)
{
	struct kvm_vcpu *vcpu = arch_vcpu;

	atomic_store(&vcpu->kick, true);
	__atomic_store_n(&vcpu->run->immediate_exit, 1, __ATOMIC_SEQ_CST);
	return 0;
}

static inline bool exit_requested(const struct kvm_vcpu *vcpu)
{
	return __atomic_load_n(&vcpu->run->immediate_exit, __ATOMIC_RELAXED);
}

static bool take_kick(struct kvm_vcpu *vcpu)
{
	__atomic_store_n(&vcpu->run->immediate_exit, 0, __ATOMIC_SEQ_CST);
	return atomic_exchange(&vcpu->kick, 0);
}

/* --- running ----------------------------------------------------------------------------------- */

static void exit_nothing(struct axvcpu_exit *exit)
{
	kvm_exit_plain(exit, AXVCPU_EXIT_NOTHING);
	exit->raw_reason = KVM_EXIT_INTR;
	exit->raw_code = 0;
}

/* Why resolve() has entered again. */
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
static bool may_pass(struct kvm_vcpu *vcpu, int ret, struct attempts *attempts)
{
	unsigned int changes;

	if (!kvm_arch_fault_may_pass(ret) || vcpu->run->exit_reason == KVM_EXIT_MEMORY_FAULT)
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
static bool guest_fault(struct kvm_vcpu *vcpu, int ret, struct axvcpu_exit *exit)
{
	const struct kvm_run *run = vcpu->run;
	struct axvcpu_exit_page_fault *fault = &exit->u.page_fault;
	const struct kvm_uapi_memory_fault *details = (const void *)&run->hw;

	if (ret != -EFAULT && ret != -EHWPOISON && !kvm_arch_guest_errno(ret))
		return false;
	close_exit(vcpu);
	kvm_exit_plain(exit, AXVCPU_EXIT_NESTED_PAGE_FAULT);
	exit->raw_reason = run->exit_reason;
	exit->raw_code = 0;
	*fault = (struct axvcpu_exit_page_fault){ .error = (uint32_t)-ret };
	if (run->exit_reason == KVM_EXIT_MEMORY_FAULT) {
		exit->raw_code = details->flags;
		fault->addr = details->gpa;
		fault->size = details->size;
	} else {
		kvm_arch_locate_fault(vcpu, fault);
	}
	return true;
}

/* The same of a guest that the hardware cannot be in. KVM says no more than the errno. */
static bool guest_refused(const struct kvm_vcpu *vcpu, int ret, struct axvcpu_exit *exit)
{
	if (vcpu->run->exit_reason != KVM_EXIT_FAIL_ENTRY || !kvm_arch_refused_entry(ret))
		return false;
	kvm_exit_plain(exit, AXVCPU_EXIT_FAIL_ENTRY);
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
static int not_an_exit(struct kvm_vcpu *vcpu, int ret, struct attempts *attempts,
		       struct axvcpu_exit *exit)
{
	if (ret == -EINTR) {
		bool requested = exit_requested(vcpu);

		close_exit(vcpu);
		exit_nothing(exit);
		if (!requested)
			return kvm_unexplained_signal(vcpu);
		if (vcpu->kick_blocked)
			kvm_take_kick_signals(vcpu);
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
	return kvm_vcpu_result(vcpu, ret, "KVM_RUN");
}

/*
 * KVM_RUN has returned 'ret'. Enters again while there is no reason not to. Returns 1 when the guest
 * came out with an exit, which is to be decoded; 0 when 'exit' is written already; or an errno.
 */
static int resolve(struct kvm_vcpu *vcpu, struct axvcpu_exit *exit, int ret)
{
	struct attempts attempts = { 0 };

	while (ret) {
		ret = not_an_exit(vcpu, ret, &attempts, exit);
		if (ret != 1)
			return ret;
		kvm_arch_entry_barrier();
		ret = sys_ioctl(vcpu->fd, KVM_RUN, 0);
	}
	return 1;
}

static int enter(struct kvm_vcpu *vcpu, struct axvcpu_exit *exit)
{
	kvm_arch_entry_barrier();
	return resolve(vcpu, exit, sys_ioctl(vcpu->fd, KVM_RUN, 0));
}

/* A kick may have come beside an exit. */
static void answer_kick(struct kvm_vcpu *vcpu, struct axvcpu_exit *exit)
{
	if (exit_requested(vcpu))
		exit->kicked = take_kick(vcpu);
}

/*
 * 1: handed out. 0: the exit was for the backend alone. Or an errno: something of it could not be
 * read, and the next run hands it out.
 */
static int hand_out(struct kvm_vcpu *vcpu, struct axvcpu_exit *exit)
{
	int ret = decode(vcpu, exit);

	if (ret > 0)
		answer_kick(vcpu, exit);
	if (ret < 0)
		vcpu->stashed = vcpu->slow = true;
	return ret;
}

/* There is something to do before the guest is entered, and perhaps between entries. */
static int run_slowly(struct kvm_vcpu *vcpu, struct axvcpu_exit *exit)
{
	for (;;) {
		int ret = 0;

		if (!vcpu->stashed) {
			vcpu->slow = false;
			ret = kvm_arch_before_entry(vcpu, exit);
		}
		if (ret < 0) {
			/* To be tried again. */
			vcpu->slow = true;
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
			ret = enter(vcpu, exit);
			if (ret != 1)
				return ret;
			if (kvm_arch_swallow(vcpu))
				continue;
		}
		ret = hand_out(vcpu, exit);
		if (ret)
			return ret < 0 ? ret : 0;
	}
}

int kvm_run_rest(struct kvm_vcpu *vcpu, struct axvcpu_exit *exit, int ret)
{
	ret = resolve(vcpu, exit, ret);
	while (ret == 1) {
		ret = hand_out(vcpu, exit);
		if (ret)
			return ret < 0 ? ret : 0;
		ret = enter(vcpu, exit);
	}
	return ret;
}

int kvm_run(void *arch_vcpu, struct axvcpu_exit *exit)
{
	struct kvm_vcpu *vcpu = arch_vcpu;

	if (vcpu->slow)
		return run_slowly(vcpu, exit);
	kvm_arch_entry_barrier();
	return kvm_run_rest(vcpu, exit, sys_ioctl(vcpu->fd, KVM_RUN, 0));
}

/* --- answers and flush -------------------------------------------------------------------------- */

int kvm_complete(void *arch_vcpu, const struct axvcpu_answer *answer)
{
	struct kvm_vcpu *vcpu = arch_vcpu;

	if (answer->kind == AXVCPU_ANSWER_VALUE && host_answer(vcpu, answer->u.value))
		return 0;
	if (vcpu->run->exit_reason == KVM_EXIT_MMIO)
		return axvcpu_fail(vcpu->vm->vm, -EINVAL, "complete: MMIO takes a value");
	return kvm_arch_complete(vcpu, answer);
}

int kvm_flush(void *arch_vcpu)
{
	struct kvm_vcpu *vcpu = arch_vcpu;
	int ret;

	if (!kvm_is_open(vcpu) || vcpu->stashed)
		return 0;
	__atomic_store_n(&vcpu->run->immediate_exit, 1, __ATOMIC_SEQ_CST);
	ret = sys_ioctl(vcpu->fd, KVM_RUN, 0);
	/* Ours is done with; one that a kicker made in the meantime is not. */
	__atomic_store_n(&vcpu->run->immediate_exit, 0, __ATOMIC_SEQ_CST);
	if (atomic_load(&vcpu->kick))
		__atomic_store_n(&vcpu->run->immediate_exit, 1, __ATOMIC_SEQ_CST);
	if (ret && ret != -EINTR)
		return kvm_vcpu_result(vcpu, ret, "KVM_RUN");
	vcpu->stashed = !ret;
	vcpu->slow |= vcpu->stashed;
	if (ret)
		close_exit(vcpu);
	return 0;
}

int kvm_drop_exits(struct kvm_vcpu *vcpu)
{
	for (int i = 0; i < PIECES_MAX && (kvm_is_open(vcpu) || vcpu->stashed); i++) {
		int ret;

		/* What was met on the way is nobody's any more, but may be open in turn. */
		vcpu->stashed = false;
		ret = kvm_flush(vcpu);
		if (ret)
			return ret;
	}
	return 0;
}
