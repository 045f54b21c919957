/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * The state machine: one atomic word. Every operation begins with a compare-and-swap on it, so a
 * second thread is refused whichever operation it tries.
 */
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "lib/base/wait.h"
#include "lib/host/sys.h"
#include "lib/machine/object.h"
#include "lib/vcpu/vcpu.h"

static uint64_t make_word(const struct axvcpu *vcpu, enum axvcpu_state state, uint64_t owner)
{
	bool slow = atomic_load(&vcpu->attention) || *vcpu->backend_has_work;

	return (uint64_t)state | (IN_OWNED & IN(state) ? owner << STATE_OWNER_SHIFT : 0) |
	       (slow ? STATE_ATTENTION : 0) | (vcpu->open_exit_kind ? STATE_OPEN_EXIT : 0);
}

struct axvcpu *axvcpu_current(void)
{
	return axv_thread.current;
}

enum axvcpu_state axvcpu_state(const struct axvcpu *vcpu)
{
	return axv_state_of(atomic_load(&vcpu->state));
}

/* Room for the names of all states. */
#define NAMES_MAX 64

/* Writes the names of the states in the set 'allowed' to 'buf'. */
static void name_states(unsigned int allowed, char buf[NAMES_MAX])
{
	size_t n = 0;

	buf[0] = 0;
	for (unsigned int state = AXVCPU_INVALID; state <= AXVCPU_BLOCKED && n < NAMES_MAX; state++)
		if (allowed & IN(state))
			n += (size_t)snprintf(buf + n, NAMES_MAX - n, "%s%s", n ? ", " : "",
					      axvcpu_state_name((enum axvcpu_state)state));
}

int axv_state_refuse(struct axvcpu *vcpu, uint64_t word, unsigned int allowed, const char *what)
{
	enum axvcpu_state state = axv_state_of(word);
	char names[NAMES_MAX];

	if ((word & STATE_BUSY) && axv_thread.current != vcpu)
		return axvcpu_fail(vcpu->vm, -EBUSY,
				   "%s: vCPU %u is in use by another thread (state %s)", what,
				   vcpu->id, axvcpu_state_name(state));
	if (word & STATE_BUSY)
		return axvcpu_fail(vcpu->vm, -EBADFD,
				   "%s: vCPU %u: called inside another operation on this vCPU",
				   what, vcpu->id);
	if (vcpu->flags & AXVCPU_F_STRICT)
		atomic_compare_exchange_strong(&vcpu->state, &word,
					       AXVCPU_INVALID | (word & STATE_FLAGS));
	name_states(allowed, names);
	return axvcpu_fail(vcpu->vm, -EBADFD, "%s: vCPU %u: not allowed in state %s; allowed: %s",
			   what, vcpu->id, axvcpu_state_name(state), names);
}

/* Returns whether the operation has begun. *word is the state word that was seen. */
static bool begin(struct axvcpu *vcpu, unsigned int allowed, uint64_t busy, struct axv_op *op,
		  uint64_t *word)
{
	*word = atomic_load_explicit(&vcpu->state, memory_order_relaxed);
	op->previous = axv_thread.current;
	do {
		if ((*word & STATE_BUSY) || !(allowed & IN(axv_state_of(*word))))
			return false;
	} while (!atomic_compare_exchange_weak(&vcpu->state, word, *word | busy));
	op->from = axv_state_of(*word);
	op->owner = axv_state_owner(*word);
	axv_thread_set_current(vcpu);
	return true;
}

bool axv_op_try(struct axvcpu *vcpu, unsigned int allowed, struct axv_op *op, uint64_t *word)
{
	return begin(vcpu, allowed, STATE_BUSY | STATE_BRIEF, op, word);
}

bool axv_state_wait_if_brief(const struct axvcpu *vcpu, uint64_t word, unsigned int *waits)
{
	if (!(word & STATE_BRIEF) || axv_thread.current == vcpu)
		return false;
	axv_wait_briefly(waits);
	return true;
}

static int begin_or_refuse(struct axvcpu *vcpu, unsigned int allowed, uint64_t busy,
			   const char *what, struct axv_op *op)
{
	unsigned int waits = 0;
	uint64_t word;
	int ret = axv_vm_check_process(vcpu->vm);

	if (ret)
		return ret;
	while (!begin(vcpu, allowed, busy, op, &word))
		if (!axv_state_wait_if_brief(vcpu, word, &waits))
			return axv_state_refuse(vcpu, word, allowed, what);
	return 0;
}

int axv_op_begin(struct axvcpu *vcpu, unsigned int allowed, const char *what, struct axv_op *op)
{
	return begin_or_refuse(vcpu, allowed, STATE_BUSY | STATE_BRIEF, what, op);
}

int axv_op_begin_long(struct axvcpu *vcpu, unsigned int allowed, const char *what,
		      struct axv_op *op)
{
	return begin_or_refuse(vcpu, allowed, STATE_BUSY, what, op);
}

int axv_op_begin_owner(struct axvcpu *vcpu, unsigned int allowed, const char *what,
		       struct axv_op *op)
{
	int ret = axv_op_begin(vcpu, allowed, what, op);
	bool ended;
	pid_t tid;

	if (ret || op->owner == axv_thread_serial())
		return ret;
	ended = axv_thread_record_ended(vcpu->owner);
	tid = vcpu->tid;
	axv_op_leave(vcpu, op, op->from);
	return axvcpu_fail(vcpu->vm, -EBUSY, "%s: vCPU %u belongs to thread %d%s", what, vcpu->id,
			   (int)tid, ended ? ", which has ended; call axvcpu_adopt()" : "");
}

void axv_op_begin_copy(struct axvcpu *vcpu, struct axv_op *op)
{
	uint64_t word = atomic_load(&vcpu->state);

	op->previous = axv_thread.current;
	op->from = axv_state_of(word);
	op->owner = axv_state_owner(word);
	axv_thread_set_current(vcpu);
}

void axv_op_own(struct axvcpu *vcpu, struct axv_op *op, struct axv_thread_record *record)
{
	axv_thread_record_put(vcpu->owner);
	vcpu->owner = record;
	/* Not cached per thread: after a fork, the child's thread has a different one. */
	atomic_store(&vcpu->tid, gettid());
	op->owner = axv_thread_serial();
}

void axv_op_enter(struct axvcpu *vcpu, const struct axv_op *op)
{
	atomic_store(&vcpu->state, make_word(vcpu, AXVCPU_RUNNING, op->owner) | STATE_BUSY);
}

void axv_op_leave(struct axvcpu *vcpu, const struct axv_op *op, enum axvcpu_state to)
{
	axv_thread_set_current(op->previous);
	atomic_store_explicit(&vcpu->state, make_word(vcpu, to, op->owner), memory_order_release);
}
