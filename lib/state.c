/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * The state machine: one atomic word, changed by compare-and-swap alone, so that a second thread
 * is caught whatever it tries. Beside it, the thread's current vCPU.
 */
#include <errno.h>
#include <pthread.h>
#include <unistd.h>

#include "lib/request.h"
#include "lib/vcpu.h"
#include "lib/vm.h"

_Thread_local pid_t self_tid_cache;
_Thread_local struct axvcpu *current_vcpu;

pid_t self_tid_slow(void)
{
	self_tid_cache = gettid();
	return self_tid_cache;
}

/* The thread that comes out of a fork is another one: it owns nothing, and is kicked by its id. */
static void forget_self(void)
{
	self_tid_cache = 0;
}

__attribute__((constructor)) static void watch_forks(void)
{
	pthread_atfork(NULL, NULL, forget_self);
}

struct axvcpu *axvcpu_current(void)
{
	return current_vcpu;
}

void axvcpu_set_current(struct axvcpu *vcpu)
{
	current_vcpu = vcpu;
}

enum axvcpu_state axvcpu_state(const struct axvcpu *vcpu)
{
	return (enum axvcpu_state)(atomic_load(&vcpu->state) & STATE_MASK);
}

int state_refuse(struct axvcpu *vcpu, unsigned int word, const char *what)
{
	enum axvcpu_state state = (enum axvcpu_state)(word & STATE_MASK);

	if ((word & STATE_BUSY) && vm_result(vcpu->vm, -EBUSY) == -EPERM)
		return -EPERM;
	if ((word & STATE_BUSY) && current_vcpu != vcpu)
		return axvcpu_fail(vcpu->vm, -EBUSY, "%s: vCPU %u: another thread is inside (%s)",
				   what, vcpu->id, axvcpu_state_name(state));
	if ((vcpu->flags & AXVCPU_F_STRICT) && !(word & STATE_BUSY))
		atomic_compare_exchange_strong(&vcpu->state, &word, AXVCPU_INVALID);
	return axvcpu_fail(vcpu->vm, -EBADFD, "%s: vCPU %u: not allowed in state %s", what,
			   vcpu->id, axvcpu_state_name(state));
}

int owner_refuse(struct axvcpu *vcpu, const char *what)
{
	if (vm_result(vcpu->vm, -EBUSY) == -EPERM)
		return -EPERM;
	return axvcpu_fail(vcpu->vm, -EBUSY, "%s: vCPU %u belongs to thread %d", what, vcpu->id,
			   (int)atomic_load(&vcpu->owner));
}

/* Leaves the word that stood in the way in 'word'. */
static bool op_enter(struct axvcpu *vcpu, unsigned int allowed, struct op *op, unsigned int *word)
{
	*word = atomic_load_explicit(&vcpu->state, memory_order_relaxed);
	op->previous = current_vcpu;
	do {
		/* A busy word is beyond every bit of 'allowed'. */
		if (*word > STATE_MASK || !(allowed & 1u << *word))
			return false;
	} while (!atomic_compare_exchange_weak(&vcpu->state, word, *word | STATE_BUSY));
	op->from = (enum axvcpu_state)*word;
	current_vcpu = vcpu;
	return true;
}

bool op_try(struct axvcpu *vcpu, unsigned int allowed, struct op *op)
{
	unsigned int word;

	return op_enter(vcpu, allowed, op, &word);
}

int op_begin(struct axvcpu *vcpu, unsigned int allowed, const char *what, struct op *op)
{
	unsigned int word;

	return likely(op_enter(vcpu, allowed, op, &word)) ? 0 : state_refuse(vcpu, word, what);
}

int op_begin_owner(struct axvcpu *vcpu, unsigned int allowed, const char *what, struct op *op)
{
	int ret = op_begin(vcpu, allowed, what, op);

	if (ret || likely(atomic_load_explicit(&vcpu->owner, memory_order_relaxed) == self_tid()))
		return ret;
	op_end(vcpu, op, op->from);
	return owner_refuse(vcpu, what);
}

void op_leave(struct axvcpu *vcpu, const struct op *op, enum axvcpu_state to)
{
	current_vcpu = op->previous;
	atomic_store_explicit(&vcpu->state, to, memory_order_release);
}

void op_end(struct axvcpu *vcpu, const struct op *op, enum axvcpu_state to)
{
	op_leave(vcpu, op, to);
	/* What was asked meanwhile found somebody inside, and has no owner to wait for. */
	if (to == AXVCPU_FREE)
		mailbox_drain_unowned(vcpu);
}

/* --- for those who extend it ----------------------------------------------------------------- */

static int check_state(struct axvcpu *vcpu, enum axvcpu_state state, const char *what)
{
	if ((unsigned int)state > AXVCPU_BLOCKED)
		return axvcpu_fail(vcpu->vm, -EINVAL, "%s: vCPU %u: %u is not a state", what,
				   vcpu->id, (unsigned int)state);
	return 0;
}

int axvcpu_set_state(struct axvcpu *vcpu, enum axvcpu_state state)
{
	unsigned int word = atomic_load(&vcpu->state);
	int ret = check_state(vcpu, state, "set_state");

	if (ret)
		return ret;
	do {
		if (word & STATE_BUSY)
			return axvcpu_fail(vcpu->vm, -EBUSY, "set_state: vCPU %u: in use",
					   vcpu->id);
	} while (!atomic_compare_exchange_weak(&vcpu->state, &word, state));
	atomic_store(&vcpu->owner, self_tid());
	return 0;
}

/* What a transition's function is called with. */
struct transition {
	int (*fn)(void *ctx);
	int (*arch_fn)(void *arch, void *ctx);
	void *ctx;
};

static int transition(struct axvcpu *vcpu, enum axvcpu_state from, enum axvcpu_state to,
		      const struct transition *t, const char *what)
{
	struct op op;
	int ret = check_state(vcpu, from, what);

	if (!ret)
		ret = check_state(vcpu, to, what);
	if (!ret)
		ret = op_begin(vcpu, IN(from), what, &op);
	if (ret)
		return ret;
	if (t->arch_fn) {
		ret = t->arch_fn(vcpu->arch, t->ctx);
	} else if (t->fn) {
		/* The crate makes the vCPU current only for functions that get its arch. */
		current_vcpu = op.previous;
		ret = t->fn(t->ctx);
	}
	if (!ret && to == AXVCPU_READY)
		atomic_store(&vcpu->owner, self_tid());
	op_end(vcpu, &op, ret ? from : to);
	return ret;
}

int axvcpu_transition_state(struct axvcpu *vcpu, enum axvcpu_state from, enum axvcpu_state to)
{
	const struct transition t = { 0 };

	return transition(vcpu, from, to, &t, "transition_state");
}

int axvcpu_with_state_transition(struct axvcpu *vcpu, enum axvcpu_state from, enum axvcpu_state to,
				 int (*fn)(void *ctx), void *ctx)
{
	const struct transition t = { .fn = fn, .ctx = ctx };

	return transition(vcpu, from, to, &t, "with_state_transition");
}

int axvcpu_manipulate_arch(struct axvcpu *vcpu, enum axvcpu_state from, enum axvcpu_state to,
			   int (*fn)(void *arch, void *ctx), void *ctx)
{
	const struct transition t = { .arch_fn = fn, .ctx = ctx };

	return transition(vcpu, from, to, &t, "manipulate_arch");
}

int axvcpu_with_current(struct axvcpu *vcpu, int (*fn)(void *ctx), void *ctx)
{
	int ret;

	if (current_vcpu)
		return axvcpu_fail(vcpu->vm, -EBUSY, "with_current: vCPU %u is current already",
				   current_vcpu->id);
	current_vcpu = vcpu;
	ret = fn(ctx);
	current_vcpu = NULL;
	return ret;
}
