/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * The state machine: one atomic word, changed by compare-and-swap alone, so that a second thread
 * is caught whatever it tries.
 */
#include <errno.h>
#include <unistd.h>

#include "host_run.h"
#include "lib/vcpu/request.h"
#include "lib/host/sys.h"
#include "lib/vcpu/vcpu.h"
#include "lib/machine/vm.h"
#include "lib/base/wait.h"

static uint64_t make_word(const struct axvcpu *vcpu, enum axvcpu_state state, uint64_t owner)
{
	bool slow = atomic_load(&vcpu->attention) || host_is_busy(vcpu->arch);

	return (uint64_t)state | (IN_OWNED & IN(state) ? owner << STATE_OWNER_SHIFT : 0) |
	       (slow ? STATE_ATTENTION : 0) | (vcpu->awaits ? STATE_AWAITS : 0);
}

struct axvcpu *axvcpu_current(void)
{
	return thread.current;
}

enum axvcpu_state axvcpu_state(const struct axvcpu *vcpu)
{
	return state_of(atomic_load(&vcpu->state));
}

int state_refuse(struct axvcpu *vcpu, uint64_t word, const char *what)
{
	enum axvcpu_state state = state_of(word);

	if ((word & STATE_BUSY) && thread.current != vcpu)
		return axvcpu_fail(vcpu->vm, -EBUSY, "%s: vCPU %u: another thread is inside (%s)",
				   what, vcpu->id, axvcpu_state_name(state));
	if ((vcpu->flags & AXVCPU_F_STRICT) && !(word & STATE_BUSY))
		atomic_compare_exchange_strong(&vcpu->state, &word,
					       AXVCPU_INVALID | (word & STATE_FLAGS));
	return axvcpu_fail(vcpu->vm, -EBADFD, "%s: vCPU %u: not allowed in state %s", what,
			   vcpu->id, axvcpu_state_name(state));
}

/* Leaves the word that stood in the way in 'word'. */
static bool begin(struct axvcpu *vcpu, unsigned int allowed, uint64_t busy, struct op *op,
		  uint64_t *word)
{
	*word = atomic_load_explicit(&vcpu->state, memory_order_relaxed);
	op->previous = thread.current;
	do {
		if ((*word & STATE_BUSY) || !(allowed & IN(state_of(*word))))
			return false;
	} while (!atomic_compare_exchange_weak(&vcpu->state, word, *word | busy));
	op->from = state_of(*word);
	op->owner = state_owner(*word);
	thread_set_current(vcpu);
	return true;
}

bool op_try(struct axvcpu *vcpu, unsigned int allowed, struct op *op)
{
	uint64_t word;

	return begin(vcpu, allowed, STATE_BUSY | STATE_BRIEF, op, &word);
}

/*
 * That another thread looks at a register at this moment, or sees to requests, is none of the caller's
 * business: waits. False: that is not what stands in the way.
 */
static bool let_pass(const struct axvcpu *vcpu, uint64_t word, unsigned int *waits)
{
	if (!(word & STATE_BRIEF) || thread.current == vcpu)
		return false;
	wait_briefly(waits);
	return true;
}

static int begin_or_refuse(struct axvcpu *vcpu, unsigned int allowed, uint64_t busy,
			   const char *what, struct op *op)
{
	unsigned int waits = 0;
	uint64_t word;
	int ret = vm_check_process(vcpu->vm);

	if (ret)
		return ret;
	while (!begin(vcpu, allowed, busy, op, &word))
		if (!let_pass(vcpu, word, &waits))
			return state_refuse(vcpu, word, what);
	return 0;
}

int op_begin(struct axvcpu *vcpu, unsigned int allowed, const char *what, struct op *op)
{
	return begin_or_refuse(vcpu, allowed, STATE_BUSY | STATE_BRIEF, what, op);
}

int op_begin_long(struct axvcpu *vcpu, unsigned int allowed, const char *what, struct op *op)
{
	return begin_or_refuse(vcpu, allowed, STATE_BUSY, what, op);
}

int op_begin_owner(struct axvcpu *vcpu, unsigned int allowed, const char *what, struct op *op)
{
	int ret = op_begin(vcpu, allowed, what, op);
	bool ended;
	pid_t tid;

	if (ret || op->owner == thread_serial())
		return ret;
	ended = thread_record_ended(vcpu->owner);
	tid = vcpu->tid;
	op_end(vcpu, op, op->from);
	return axvcpu_fail(vcpu->vm, -EBUSY, "%s: vCPU %u belongs to thread %d%s", what, vcpu->id,
			   (int)tid,
			   ended ? ", which has ended: axvcpu_adopt() takes it over" : "");
}

void op_begin_copy(struct axvcpu *vcpu, struct op *op)
{
	uint64_t word = atomic_load(&vcpu->state);

	op->previous = thread.current;
	op->from = state_of(word);
	op->owner = state_owner(word);
	thread_set_current(vcpu);
}

void op_own(struct axvcpu *vcpu, struct op *op, struct thread_record *record)
{
	thread_record_put(vcpu->owner);
	vcpu->owner = record;
	/* Not kept by the thread: it differs in the thread that comes out of a fork. */
	atomic_store(&vcpu->tid, gettid());
	op->owner = thread_serial();
}

void op_enter(struct axvcpu *vcpu, const struct op *op)
{
	atomic_store(&vcpu->state, make_word(vcpu, AXVCPU_RUNNING, op->owner) | STATE_BUSY);
}

void op_leave(struct axvcpu *vcpu, const struct op *op, enum axvcpu_state to)
{
	thread_set_current(op->previous);
	atomic_store_explicit(&vcpu->state, make_word(vcpu, to, op->owner), memory_order_release);
}

void op_end(struct axvcpu *vcpu, const struct op *op, enum axvcpu_state to)
{
	op_leave(vcpu, op, to);
	/* What was asked meanwhile found somebody inside, and has no owner to wait for. */
	if (to == AXVCPU_FREE)
		mailbox_drain_unowned(vcpu);
}
