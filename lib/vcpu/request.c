/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * Requests to a vCPU, and the queue that holds them. The vCPU ioctls of KVM wait while KVM_RUN is in
 * progress, so other threads never make them: they queue a request, take the owner out of the guest,
 * and the owner carries it out.
 */
#include "lib/vcpu/request.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "axvcpu/regs.h"
#include "lib/base/wait.h"
#include "lib/host/sys.h"
#include "lib/machine/object.h"
#include "lib/vcpu/power.h"
#include "lib/vcpu/vcpu.h"

/* On the sender's stack if the sender waits for the result, else on the heap. */
struct queued_request {
	struct queued_request *next;
	struct axvcpu_request request;
	bool waited_for;
	/* Number of times to carry it out. */
	uint32_t times;
	int result;
	/* A futex: 1 when 'result' is there. */
	_Atomic uint32_t done;
};

/* The longest single wait on the futex; the sender then checks 'done' and its deadline again. */
#define LOOK_AGAIN_NS 1000000000

/*
 * Limits of the queue for requests that no sender waits for. A guest may cause injections, so these
 * leave room for other requests.
 */
#define INJECTIONS_MAX 4096
#define UNWAITED_MAX (2 * INJECTIONS_MAX)
/* Injections that one queued request can stand for: the x86 backend keeps as many of one vector. */
#define TIMES_MAX UINT16_MAX

/* --- carrying out ------------------------------------------------------------------------------------ */

static int set_reg(struct axvcpu *vcpu, const struct axvcpu_request *request)
{
	int ret = axv_vcpu_flush(vcpu);

	if (ret)
		return ret;
	ret = vcpu->ops->set_reg(vcpu->arch, request->u.reg.id, request->u.reg.value);
	return axv_vm_reg_result(vcpu->vm, ret, "set_reg", request->u.reg.id);
}

/* Called inside an operation. check() has checked that the backend has the operation. */
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
		return axv_power_reset(vcpu, request);
	case AXVCPU_REQUEST_RESET_TO_SETUP:
		return axv_power_reset_to_setup(vcpu);
	case AXVCPU_REQUEST_STOP:
		axv_power_set(vcpu, AXVCPU_POWER_OFF);
		return 0;
	case AXVCPU_REQUEST_PAUSE:
	case AXVCPU_REQUEST_RESUME:
		axv_power_pause(vcpu, request->kind == AXVCPU_REQUEST_PAUSE);
		return 0;
	default:
		return -EINVAL;
	}
}

/* Carries the request out 'times' times, or until it fails. */
static int carry_out_all(struct axvcpu *vcpu, const struct queued_request *queued)
{
	int ret = 0;

	for (uint32_t i = 0; !ret && i < queued->times; i++)
		ret = carry_out(vcpu, &queued->request);
	return ret;
}

/* --- the queue ------------------------------------------------------------------------------------------ */

void axv_queue_init(struct axv_request_queue *queue)
{
	pthread_mutex_init(&queue->lock, NULL);
	queue->first = NULL;
	queue->last = NULL;
	queue->unwaited = 0;
}

static struct queued_request *take_all(struct axv_request_queue *queue)
{
	struct queued_request *first;

	pthread_mutex_lock(&queue->lock);
	first = queue->first;
	queue->first = NULL;
	queue->last = NULL;
	queue->unwaited = 0;
	pthread_mutex_unlock(&queue->lock);
	return first;
}

static void put(struct axv_request_queue *queue, struct queued_request *queued)
{
	queued->next = NULL;
	pthread_mutex_lock(&queue->lock);
	if (queue->last)
		queue->last->next = queued;
	else
		queue->first = queued;
	queue->last = queued;
	queue->unwaited += !queued->waited_for;
	pthread_mutex_unlock(&queue->lock);
}

/* Whether 'queued', the last one in the queue, can also stand for the new 'request'. */
static bool stands_for(const struct queued_request *queued, const struct axvcpu_request *request)
{
	if (queued->waited_for || queued->request.kind != request->kind)
		return false;
	switch (request->kind) {
	case AXVCPU_REQUEST_INTERRUPT:
		return queued->request.u.vector == request->u.vector;
	case AXVCPU_REQUEST_NMI:
		return true;
	case AXVCPU_REQUEST_IRQ_LINE:
		return queued->request.u.line.line == request->u.line.line &&
		       !queued->request.u.line.level == !request->u.line.level;
	default:
		return false;
	}
}

/*
 * Returns 1 if the last queued request now stands for this one, too; 0 if this one must be queued;
 * -ENOSPC if the queue is full.
 */
static int add_to_last(struct axv_request_queue *queue, const struct axvcpu_request *request)
{
	const bool injects = request->kind <= AXVCPU_REQUEST_IRQ_LINE;
	struct queued_request *last;
	int ret = 0;

	pthread_mutex_lock(&queue->lock);
	last = queue->last;
	if (last && stands_for(last, request)) {
		ret = last->times < TIMES_MAX ? 1 : -ENOSPC;
		/* Setting a line to the same level twice has no further effect. */
		if (ret == 1 && request->kind != AXVCPU_REQUEST_IRQ_LINE)
			last->times++;
	} else if (queue->unwaited >= (injects ? INJECTIONS_MAX : UNWAITED_MAX)) {
		ret = -ENOSPC;
	}
	pthread_mutex_unlock(&queue->lock);
	return ret;
}

/* Removes a request from the queue. Returns false if the owner has taken it already. */
static bool withdraw(struct axv_request_queue *queue, const struct queued_request *queued)
{
	struct queued_request *previous = NULL, *at;

	pthread_mutex_lock(&queue->lock);
	for (at = queue->first; at && at != queued; at = at->next)
		previous = at;
	if (at) {
		if (previous)
			previous->next = at->next;
		else
			queue->first = at->next;
		if (queue->last == at)
			queue->last = previous;
	}
	pthread_mutex_unlock(&queue->lock);
	return at;
}

/* Frees the request or hands it back to its sender: the caller must not touch it afterwards. */
static void answer(struct queued_request *queued, int result)
{
	if (!queued->waited_for) {
		free(queued);
		return;
	}
	queued->result = result;
	/* The sender's stack frame may end once it sees this; futex wake only uses the address. */
	atomic_store(&queued->done, 1);
	axv_sys_futex_wake((const uint32_t *)&queued->done);
}

void axv_queue_destroy(struct axv_request_queue *queue)
{
	struct queued_request *next;

	for (struct queued_request *queued = take_all(queue); queued; queued = next) {
		next = queued->next;
		answer(queued, -ECANCELED);
	}
	pthread_mutex_destroy(&queue->lock);
}

void axv_queue_drain(struct axvcpu *vcpu)
{
	struct queued_request *next;

	/* Cleared before the queue is read: later requests set it again. */
	atomic_fetch_and(&vcpu->attention, ~ATTENTION_REQUESTS);
	for (struct queued_request *queued = take_all(&vcpu->requests); queued; queued = next) {
		next = queued->next;
		answer(queued, carry_out_all(vcpu, queued));
	}
}

void axv_queue_drain_unowned(struct axvcpu *vcpu)
{
	struct axv_op op;
	uint64_t word;

	/*
	 * A sender queues its request, then looks for an owner; a leaving owner first releases the
	 * vCPU, then looks for requests. Each has a fence between its two steps, so at least one of
	 * them sees the other.
	 */
	atomic_thread_fence(memory_order_seq_cst);
	while ((atomic_load(&vcpu->attention) & ATTENTION_REQUESTS) &&
	       axv_op_try(vcpu, IN(AXVCPU_FREE), &op, &word)) {
		axv_queue_drain(vcpu);
		axv_op_leave(vcpu, &op, op.from);
		atomic_thread_fence(memory_order_seq_cst);
	}
}

void axv_op_end(struct axvcpu *vcpu, const struct axv_op *op, enum axvcpu_state to)
{
	axv_op_leave(vcpu, op, to);
	/* Requests queued during the operation could not run, and no owner will run them later. */
	if (to == AXVCPU_FREE)
		axv_queue_drain_unowned(vcpu);
}

/* --- sending ---------------------------------------------------------------------------------------------- */

static int require(const struct axvcpu *vcpu, bool supported, const char *name)
{
	if (supported)
		return 0;
	return axv_vm_not_supported(vcpu->vm, name);
}

/*
 * Checks that the backend has the operation, so that the sender gets the error, not only the owner.
 */
static int check(const struct axvcpu *vcpu, const struct axvcpu_request *request)
{
	const struct axvcpu_arch_ops *ops = vcpu->ops;

	switch (request->kind) {
	case AXVCPU_REQUEST_INTERRUPT:
		return require(vcpu, HAS_OP(ops, inject_interrupt), "inject_interrupt");
	case AXVCPU_REQUEST_NMI:
		return require(vcpu, HAS_OP(ops, inject_nmi), "inject_nmi");
	case AXVCPU_REQUEST_EXCEPTION:
		return require(vcpu, HAS_OP(ops, inject_exception), "inject_exception");
	case AXVCPU_REQUEST_IRQ_LINE:
		return require(vcpu, HAS_OP(ops, set_irq_line), "set_irq_line");
	case AXVCPU_REQUEST_RESET:
	case AXVCPU_REQUEST_START:
	case AXVCPU_REQUEST_RESET_TO_SETUP:
		return require(vcpu, HAS_OP(ops, reset), "reset");
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

/* Allows one start at a time, from the request until it has been carried out. */
static int claim_start(struct axvcpu *vcpu)
{
	if (vcpu->power == AXVCPU_POWER_ON || atomic_exchange(&vcpu->starting, true))
		return axvcpu_fail(vcpu->vm, -EALREADY,
				   "start: vCPU %" PRIu32 " is already on or starting", vcpu->id);
	/* Another start may have completed between the two checks. */
	if (vcpu->power != AXVCPU_POWER_ON)
		return 0;
	atomic_store(&vcpu->starting, false);
	return axvcpu_fail(vcpu->vm, -EALREADY, "start: vCPU %" PRIu32 " is already on", vcpu->id);
}

/* Waits for the result; withdraws the request when the timeout expires. */
static int wait_for(struct axvcpu *vcpu, struct queued_request *queued, int64_t timeout_ns)
{
	int64_t end = axv_deadline_in(timeout_ns);

	while (!atomic_load(&queued->done)) {
		int64_t left = axv_deadline_left(end);
		struct timespec ts;

		if (!left) {
			if (withdraw(&vcpu->requests, queued)) {
				if (queued->request.kind == AXVCPU_REQUEST_START)
					atomic_store(&vcpu->starting, false);
				return axvcpu_fail(vcpu->vm, -ETIMEDOUT,
						   "request: vCPU %" PRIu32
						   ": timed out before the owner ran it",
						   vcpu->id);
			}
			/* The owner has begun to carry it out: the result will come. */
			end = NO_DEADLINE;
			continue;
		}
		ts = axv_timespec_of(left < LOOK_AGAIN_NS ? left : LOOK_AGAIN_NS);
		axv_sys_futex_wait((const uint32_t *)&queued->done, &ts);
	}
	return queued->result;
}

/* Queues a request whose sender does not wait. */
static int enqueue_unwaited(struct axvcpu *vcpu, const struct axvcpu_request *request)
{
	int ret = add_to_last(&vcpu->requests, request);
	struct queued_request *queued;

	if (ret < 0)
		return axvcpu_fail(vcpu->vm, ret,
				   "request: vCPU %" PRIu32
				   ": the queue is full; the owner must call axvcpu_run() to empty "
				   "it",
				   vcpu->id);
	if (ret)
		return 0;
	queued = axv_sys_calloc(1, sizeof(*queued));
	if (!queued)
		return axvcpu_fail(vcpu->vm, -ENOMEM,
				   "request: vCPU %" PRIu32 ": allocating a request", vcpu->id);
	queued->request = *request;
	queued->times = 1;
	put(&vcpu->requests, queued);
	return 0;
}

static int enqueue(struct axvcpu *vcpu, const struct axvcpu_request *request, int64_t timeout_ns)
{
	struct queued_request queued = { .request = *request, .waited_for = true, .times = 1 };
	int ret = 0;

	if (!timeout_ns)
		ret = enqueue_unwaited(vcpu, request);
	else if (axv_thread.current == vcpu)
		ret = axvcpu_fail(vcpu->vm, -EBUSY,
				  "request: vCPU %" PRIu32
				  ": inside an operation on this vCPU the timeout must be 0",
				  vcpu->id);
	else
		put(&vcpu->requests, &queued);
	if (ret) {
		if (request->kind == AXVCPU_REQUEST_START)
			atomic_store(&vcpu->starting, false);
		return ret;
	}
	atomic_fetch_or(&vcpu->attention, ATTENTION_REQUESTS);
	/* Ends a sleep even if the backend has no kick. */
	if (axv_vcpu_leave_guest(vcpu))
		axvcpu_wake(vcpu);
	axv_queue_drain_unowned(vcpu);
	if (!timeout_ns)
		return 0;
	return wait_for(vcpu, &queued, timeout_ns);
}

/* A request that is carried out at once ends axvcpu_block(), as a queued one does. */
static int wake_if_done(struct axvcpu *vcpu, int ret)
{
	if (!ret)
		axvcpu_wake(vcpu);
	return ret;
}

/*
 * Carries it out at once if the caller is the owner, or if the vCPU has no owner. The owner waits for
 * a short operation of another thread: if it queued the request, it would then wait for itself.
 */
static bool try_at_once(struct axvcpu *vcpu, const struct axvcpu_request *request, int *ret)
{
	const bool owner = axv_state_owner(atomic_load(&vcpu->state)) == axv_thread_serial();
	const unsigned int allowed = IN(AXVCPU_FREE) | (owner ? IN(AXVCPU_READY) : 0);
	unsigned int waits = 0;
	struct axv_op op;
	uint64_t word;

	while (!axv_op_try(vcpu, allowed, &op, &word))
		if (!owner || !axv_state_wait_if_brief(vcpu, word, &waits))
			return false;
	*ret = wake_if_done(vcpu, carry_out(vcpu, request));
	axv_op_end(vcpu, &op, op.from);
	return true;
}

/* Requests need a vCPU that is set up. */
static int check_state(struct axvcpu *vcpu)
{
	uint64_t word = atomic_load(&vcpu->state);

	if (axv_state_of(word) == AXVCPU_CREATED || axv_state_of(word) == AXVCPU_INVALID)
		return axv_state_refuse(vcpu, word, ~(IN(AXVCPU_CREATED) | IN(AXVCPU_INVALID)),
					"request");
	return 0;
}

int axvcpu_send_request(struct axvcpu *vcpu, const struct axvcpu_request *request,
			int64_t timeout_ns)
{
	int ret = axv_vm_check_process(vcpu->vm);

	if (ret)
		return ret;
	ret = check(vcpu, request);
	if (ret)
		return ret;
	ret = check_state(vcpu);
	if (ret)
		return ret;
	/* An in-kernel interrupt controller takes the interrupt without the owner. */
	if (request->kind == AXVCPU_REQUEST_INTERRUPT && HAS_OP(vcpu->ops, inject_anywhere)) {
		ret = vcpu->ops->inject_anywhere(vcpu->arch, request->u.vector);
		if (ret != -EAGAIN)
			return wake_if_done(vcpu, ret);
	}
	if (request->kind == AXVCPU_REQUEST_START) {
		ret = claim_start(vcpu);
		if (ret)
			return ret;
	}
	if (try_at_once(vcpu, request, &ret))
		return ret;
	return enqueue(vcpu, request, timeout_ns);
}

/* --- shorthands --------------------------------------------------------------------------------------------- */

int axvcpu_inject_interrupt(struct axvcpu *vcpu, uint32_t vector)
{
	const struct axvcpu_request request = { .kind = AXVCPU_REQUEST_INTERRUPT,
						.u.vector = vector };

	return axvcpu_send_request(vcpu, &request, 0);
}

/* Only a controller knows trigger modes, and that takes the interrupt without the owner. */
int axvcpu_inject_interrupt_with_trigger(struct axvcpu *vcpu, uint32_t vector,
					 enum axvcpu_trigger trigger)
{
	int ret = axv_vm_check_process(vcpu->vm);

	if (ret)
		return ret;
	if (trigger != AXVCPU_TRIGGER_EDGE && trigger != AXVCPU_TRIGGER_LEVEL)
		return axvcpu_fail(vcpu->vm, -EINVAL,
				   "inject: vCPU %" PRIu32 ": unknown trigger %d", vcpu->id,
				   (int)trigger);
	ret = require(vcpu, HAS_OP(vcpu->ops, inject_with_trigger), "inject_with_trigger");
	if (!ret)
		ret = check_state(vcpu);
	if (ret)
		return ret;
	ret = vcpu->ops->inject_with_trigger(vcpu->arch, vector, trigger);
	if (ret == -EAGAIN)
		return axvcpu_inject_interrupt(vcpu, vector);
	return wake_if_done(vcpu, ret);
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

int axvcpu_reset(struct axvcpu *vcpu, uint64_t entry, uint64_t arg)
{
	const struct axvcpu_request request = { .kind = AXVCPU_REQUEST_RESET,
						.u.start = { entry, arg } };

	return axvcpu_send_request(vcpu, &request, 0);
}

int axvcpu_start(struct axvcpu *vcpu, uint64_t entry, uint64_t arg)
{
	const struct axvcpu_request request = { .kind = AXVCPU_REQUEST_START,
						.u.start = { entry, arg } };

	return axvcpu_send_request(vcpu, &request, 0);
}

int axvcpu_stop(struct axvcpu *vcpu)
{
	const struct axvcpu_request request = { .kind = AXVCPU_REQUEST_STOP };

	return axvcpu_send_request(vcpu, &request, 0);
}

int axvcpu_pause(struct axvcpu *vcpu, int64_t timeout_ns)
{
	const struct axvcpu_request request = { .kind = AXVCPU_REQUEST_PAUSE };

	return axvcpu_send_request(vcpu, &request, timeout_ns);
}

int axvcpu_resume(struct axvcpu *vcpu)
{
	const struct axvcpu_request request = { .kind = AXVCPU_REQUEST_RESUME };

	return axvcpu_send_request(vcpu, &request, 0);
}

/* --- the window for an interrupt -------------------------------------------------------------- */

int axvcpu_request_irq_window(struct axvcpu *vcpu)
{
	struct axv_op op;
	int ret = axv_vm_check_process(vcpu->vm);

	if (ret)
		return ret;
	if (!HAS_OP(vcpu->ops, request_irq_window))
		return axv_vm_not_supported(vcpu->vm, "request_irq_window");
	ret = axv_op_begin(vcpu, IN(AXVCPU_FREE) | IN(AXVCPU_READY), "request_irq_window", &op);
	if (ret)
		return ret;
	ret = vcpu->ops->request_irq_window(vcpu->arch);
	axv_op_end(vcpu, &op, op.from);
	return ret;
}
