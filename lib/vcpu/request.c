/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * The mailbox. KVM's vCPU calls wait behind KVM_RUN, so other threads never make them: they leave a
 * request, take the owner out of the guest, and the owner carries it out.
 */
#include "lib/vcpu/request.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "axvcpu/regs.h"
#include "lib/vcpu/power.h"
#include "lib/host/sys.h"
#include "lib/vcpu/vcpu.h"
#include "lib/machine/vm.h"
#include "lib/base/wait.h"

/* A letter: on the sender's stack if it waits for the answer, else on the heap. */
struct mail {
	struct mail *next;
	struct axvcpu_request request;
	bool waited_for;
	/* How often it is carried out. */
	uint32_t times;
	int result;
	/* A futex: 1 when 'result' is there. */
	_Atomic uint32_t done;
};

/* An owner that does not answer is looked for again after this time. */
#define LOOK_AGAIN_NS 1000000000

/*
 * How many letters there can be that no sender waits for. A guest may be what causes injections: so
 * they leave room for all else.
 */
#define INJECTIONS_MAX 4096
#define UNWAITED_MAX (2 * INJECTIONS_MAX)
/* Injections in one letter: as many of a vector as wait in the queue of x86. */
#define TIMES_MAX UINT16_MAX

/* --- carrying out ------------------------------------------------------------------------------------ */

static int set_reg(struct axvcpu *vcpu, const struct axvcpu_request *request)
{
	int ret = vcpu_flush(vcpu);

	return ret ? ret : vcpu->ops->set_reg(vcpu->arch, request->u.reg.id, request->u.reg.value);
}

/* Inside an operation; what may be missing has been checked by check(). */
static int carry_out(struct axvcpu *vcpu, const struct axvcpu_request *request)
{
	const struct axvcpu_arch_ops *ops = vcpu->ops;

	switch (request->kind) {
	case AXVCPU_REQUEST_INTERRUPT:
		return ops->inject_interrupt(vcpu->arch, request->u.vector);
	case AXVCPU_REQUEST_NMI:
		return ops->inject_nmi(vcpu->arch);
	case AXVCPU_REQUEST_EXCEPTION:
		return ops->inject_exception(vcpu->arch, &request->u.exception);
	case AXVCPU_REQUEST_IRQ_LINE:
		return ops->set_irq_line(vcpu->arch, request->u.line.line, request->u.line.level);
	case AXVCPU_REQUEST_SET_REG:
		return set_reg(vcpu, request);
	case AXVCPU_REQUEST_RESET:
	case AXVCPU_REQUEST_START:
		return power_reset(vcpu, request);
	case AXVCPU_REQUEST_STOP:
		power_set(vcpu, AXVCPU_POWER_OFF);
		return 0;
	case AXVCPU_REQUEST_PAUSE:
	case AXVCPU_REQUEST_RESUME:
		power_pause(vcpu, request->kind == AXVCPU_REQUEST_PAUSE);
		return 0;
	default:
		return -EINVAL;
	}
}

/* As often as it was asked for, or until it fails. */
static int carry_out_all(struct axvcpu *vcpu, const struct mail *mail)
{
	int ret = 0;

	for (uint32_t i = 0; !ret && i < mail->times; i++)
		ret = carry_out(vcpu, &mail->request);
	return ret;
}

/* --- the box -------------------------------------------------------------------------------------------- */

void mailbox_init(struct mailbox *mailbox)
{
	pthread_mutex_init(&mailbox->lock, NULL);
	mailbox->first = NULL;
	mailbox->last = NULL;
	mailbox->unwaited = 0;
}

static struct mail *take_all(struct mailbox *mailbox)
{
	struct mail *first;

	pthread_mutex_lock(&mailbox->lock);
	first = mailbox->first;
	mailbox->first = NULL;
	mailbox->last = NULL;
	mailbox->unwaited = 0;
	pthread_mutex_unlock(&mailbox->lock);
	return first;
}

static void put(struct mailbox *mailbox, struct mail *mail)
{
	mail->next = NULL;
	pthread_mutex_lock(&mailbox->lock);
	if (mailbox->last)
		mailbox->last->next = mail;
	else
		mailbox->first = mail;
	mailbox->last = mail;
	mailbox->unwaited += !mail->waited_for;
	pthread_mutex_unlock(&mailbox->lock);
}

/* Whether 'mail', the latest one, can stand for the same request that comes next as well. */
static bool stands_for(const struct mail *mail, const struct axvcpu_request *request)
{
	if (mail->waited_for || mail->request.kind != request->kind)
		return false;
	switch (request->kind) {
	case AXVCPU_REQUEST_INTERRUPT:
		return mail->request.u.vector == request->u.vector;
	case AXVCPU_REQUEST_NMI:
		return true;
	case AXVCPU_REQUEST_IRQ_LINE:
		return mail->request.u.line.line == request->u.line.line &&
		       !mail->request.u.line.level == !request->u.line.level;
	default:
		return false;
	}
}

/*
 * Returns 1 if the latest mail now stands for the request, too; 0: it needs one of its own;
 * -ENOSPC.
 */
static int add_to_latest(struct mailbox *mailbox, const struct axvcpu_request *request)
{
	const bool injects = request->kind <= AXVCPU_REQUEST_IRQ_LINE;
	struct mail *last;
	int ret = 0;

	pthread_mutex_lock(&mailbox->lock);
	last = mailbox->last;
	if (last && stands_for(last, request)) {
		ret = last->times < TIMES_MAX ? 1 : -ENOSPC;
		/* A line that is set twice is set once. */
		if (ret == 1 && request->kind != AXVCPU_REQUEST_IRQ_LINE)
			last->times++;
	} else if (mailbox->unwaited >= (injects ? INJECTIONS_MAX : UNWAITED_MAX)) {
		ret = -ENOSPC;
	}
	pthread_mutex_unlock(&mailbox->lock);
	return ret;
}

/* Takes one out again. False: the owner has it. */
static bool withdraw(struct mailbox *mailbox, const struct mail *mail)
{
	struct mail *previous = NULL, *at;

	pthread_mutex_lock(&mailbox->lock);
	for (at = mailbox->first; at && at != mail; at = at->next)
		previous = at;
	if (at) {
		if (previous)
			previous->next = at->next;
		else
			mailbox->first = at->next;
		if (mailbox->last == at)
			mailbox->last = previous;
	}
	pthread_mutex_unlock(&mailbox->lock);
	return at;
}

/* The mail is gone when this returns. */
static void answer(struct mail *mail, int result)
{
	if (!mail->waited_for) {
		free(mail);
		return;
	}
	mail->result = result;
	/* The waiter may leave its stack frame as soon as it sees this: the wake is but an address. */
	atomic_store(&mail->done, 1);
	sys_futex_wake((const uint32_t *)&mail->done);
}

void mailbox_destroy(struct mailbox *mailbox)
{
	struct mail *next;

	for (struct mail *mail = take_all(mailbox); mail; mail = next) {
		next = mail->next;
		answer(mail, -ECANCELED);
	}
	pthread_mutex_destroy(&mailbox->lock);
}

void mailbox_drain(struct axvcpu *vcpu)
{
	struct mail *next;

	/* Before the look into the box: what comes in later sets it again. */
	atomic_fetch_and(&vcpu->attention, ~ATTENTION_MAIL);
	for (struct mail *mail = take_all(&vcpu->mailbox); mail; mail = next) {
		next = mail->next;
		answer(mail, carry_out_all(vcpu, mail));
	}
}

void mailbox_drain_unowned(struct axvcpu *vcpu)
{
	struct op op;

	/*
	 * A sender puts its mail in and then looks for an owner; an owner that leaves says so and then
	 * looks for mail. With this between the two steps, one of them sees the other.
	 */
	atomic_thread_fence(memory_order_seq_cst);
	while ((atomic_load(&vcpu->attention) & ATTENTION_MAIL) &&
	       op_try(vcpu, IN(AXVCPU_FREE), &op)) {
		mailbox_drain(vcpu);
		op_leave(vcpu, &op, op.from);
		atomic_thread_fence(memory_order_seq_cst);
	}
}

/* --- sending ---------------------------------------------------------------------------------------------- */

/* Whether the backend can do it at all: known to the sender, not only to the owner. */
static int check(const struct axvcpu *vcpu, const struct axvcpu_request *request)
{
	const struct axvcpu_arch_ops *ops = vcpu->ops;

	switch (request->kind) {
	case AXVCPU_REQUEST_INTERRUPT:
		return HAS_OP(ops, inject_interrupt) ? 0 : vcpu_missing(vcpu, "inject_interrupt");
	case AXVCPU_REQUEST_NMI:
		return HAS_OP(ops, inject_nmi) ? 0 : vcpu_missing(vcpu, "inject_nmi");
	case AXVCPU_REQUEST_EXCEPTION:
		return HAS_OP(ops, inject_exception) ? 0 : vcpu_missing(vcpu, "inject_exception");
	case AXVCPU_REQUEST_IRQ_LINE:
		return HAS_OP(ops, set_irq_line) ? 0 : vcpu_missing(vcpu, "set_irq_line");
	case AXVCPU_REQUEST_RESET:
	case AXVCPU_REQUEST_START:
		return HAS_OP(ops, reset) ? 0 : vcpu_missing(vcpu, "reset");
	case AXVCPU_REQUEST_SET_REG:
	case AXVCPU_REQUEST_STOP:
	case AXVCPU_REQUEST_PAUSE:
	case AXVCPU_REQUEST_RESUME:
		return 0;
	default:
		return axvcpu_fail(vcpu->vm, -EINVAL,
				   "request: vCPU %" PRIu32 ": unknown kind %" PRIu32, vcpu->id,
				   request->kind);
	}
}

/* Only one start at a time, from the moment at which it is asked for. */
static int claim_start(struct axvcpu *vcpu)
{
	if (vcpu->power == AXVCPU_POWER_ON || atomic_exchange(&vcpu->starting, true))
		return axvcpu_fail(vcpu->vm, -EALREADY, "start: vCPU %" PRIu32 " is on", vcpu->id);
	/* It may have been started between the two. */
	if (vcpu->power != AXVCPU_POWER_ON)
		return 0;
	atomic_store(&vcpu->starting, false);
	return axvcpu_fail(vcpu->vm, -EALREADY, "start: vCPU %" PRIu32 " is on", vcpu->id);
}

/* Waits for the answer, or takes the mail back when the time is over. */
static int wait_for(struct axvcpu *vcpu, struct mail *mail, int64_t timeout_ns)
{
	int64_t end = deadline_in(timeout_ns);

	while (!atomic_load(&mail->done)) {
		int64_t left = deadline_left(end);
		struct timespec ts;

		if (!left) {
			if (withdraw(&vcpu->mailbox, mail)) {
				if (mail->request.kind == AXVCPU_REQUEST_START)
					atomic_store(&vcpu->starting, false);
				return axvcpu_fail(vcpu->vm, -ETIMEDOUT,
						   "request: vCPU %" PRIu32
						   ": its owner has not got to it",
						   vcpu->id);
			}
			/* The owner is at it, and will answer soon. */
			end = NO_DEADLINE;
			continue;
		}
		ts = timespec_of(left < LOOK_AGAIN_NS ? left : LOOK_AGAIN_NS);
		sys_futex_wait((const uint32_t *)&mail->done, &ts);
	}
	return mail->result;
}

/* Into the box, for the sender not to wait. */
static int drop(struct axvcpu *vcpu, const struct axvcpu_request *request)
{
	int ret = add_to_latest(&vcpu->mailbox, request);
	struct mail *mail;

	if (ret < 0)
		return axvcpu_fail(vcpu->vm, ret,
				   "request: vCPU %" PRIu32 ": its mailbox is full: its owner has "
				   "not run it for a long time",
				   vcpu->id);
	if (ret)
		return 0;
	mail = sys_calloc(1, sizeof(*mail));
	if (!mail)
		return axvcpu_fail(vcpu->vm, -ENOMEM, "request: vCPU %" PRIu32, vcpu->id);
	mail->request = *request;
	mail->times = 1;
	put(&vcpu->mailbox, mail);
	return 0;
}

static int send_mail(struct axvcpu *vcpu, const struct axvcpu_request *request, int64_t timeout_ns)
{
	struct mail mail = { .request = *request, .waited_for = true, .times = 1 };
	int ret = 0;

	if (!timeout_ns)
		ret = drop(vcpu, request);
	else if (thread.current == vcpu)
		ret = axvcpu_fail(vcpu->vm, -EBUSY,
				  "request: vCPU %" PRIu32 ": the caller would wait for itself",
				  vcpu->id);
	else
		put(&vcpu->mailbox, &mail);
	if (ret) {
		if (request->kind == AXVCPU_REQUEST_START)
			atomic_store(&vcpu->starting, false);
		return ret;
	}
	atomic_fetch_or(&vcpu->attention, ATTENTION_MAIL);
	/* A sleep ends even where the backend has no kick. */
	if (vcpu_leave_guest(vcpu))
		axvcpu_wake(vcpu);
	mailbox_drain_unowned(vcpu);
	return timeout_ns ? wait_for(vcpu, &mail, timeout_ns) : 0;
}

/* An axvcpu_block() ends for what has been done at once as it does for mail. */
static int done(struct axvcpu *vcpu, int ret)
{
	if (!ret)
		axvcpu_wake(vcpu);
	return ret;
}

/* At once, if the caller may: it is the owner, or there is none. */
static bool try_at_once(struct axvcpu *vcpu, const struct axvcpu_request *request, int *ret)
{
	bool owner = state_owner(atomic_load(&vcpu->state)) == thread_serial();
	struct op op;

	if (!op_try(vcpu, IN(AXVCPU_FREE) | (owner ? IN(AXVCPU_READY) : 0), &op))
		return false;
	*ret = done(vcpu, carry_out(vcpu, request));
	op_end(vcpu, &op, op.from);
	return true;
}

int axvcpu_send_request(struct axvcpu *vcpu, const struct axvcpu_request *request,
			int64_t timeout_ns)
{
	uint64_t word = atomic_load(&vcpu->state);
	int ret = vm_check_process(vcpu->vm);

	if (!ret)
		ret = check(vcpu, request);
	if (ret)
		return ret;
	if (state_of(word) == AXVCPU_CREATED || state_of(word) == AXVCPU_INVALID)
		return state_refuse(vcpu, word, "request");
	/* Controllers in the kernel need no owner. */
	if (request->kind == AXVCPU_REQUEST_INTERRUPT && HAS_OP(vcpu->ops, inject_anywhere)) {
		ret = vcpu->ops->inject_anywhere(vcpu->arch, request->u.vector);
		if (ret != -EAGAIN)
			return done(vcpu, ret);
	}
	if (request->kind == AXVCPU_REQUEST_START) {
		ret = claim_start(vcpu);
		if (ret)
			return ret;
	}
	return try_at_once(vcpu, request, &ret) ? ret : send_mail(vcpu, request, timeout_ns);
}

/* --- shorthands ---------------------------------------------------------------------------------------------- */

int axvcpu_inject_interrupt(struct axvcpu *vcpu, uint32_t vector)
{
	const struct axvcpu_request request = { .kind = AXVCPU_REQUEST_INTERRUPT,
						.u.vector = vector };

	return axvcpu_send_request(vcpu, &request, 0);
}

int axvcpu_inject_nmi(struct axvcpu *vcpu)
{
	const struct axvcpu_request request = { .kind = AXVCPU_REQUEST_NMI };

	return axvcpu_send_request(vcpu, &request, 0);
}

int axvcpu_inject_exception(struct axvcpu *vcpu, const struct axvcpu_exception *exception)
{
	const struct axvcpu_request request = { .kind = AXVCPU_REQUEST_EXCEPTION,
						.u.exception = *exception };

	return axvcpu_send_request(vcpu, &request, 0);
}

int axvcpu_set_irq_line(struct axvcpu *vcpu, uint32_t line, bool level)
{
	const struct axvcpu_request request = { .kind = AXVCPU_REQUEST_IRQ_LINE,
						.u.line = { line, level } };

	return axvcpu_send_request(vcpu, &request, 0);
}
