/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* The vCPU object and its state machine, as the files of lib/ share them. */
#ifndef LIB_VCPU_H
#define LIB_VCPU_H

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "axvcpu/arch.h"
#include "axvcpu/vcpu.h"
#include "lib/affinity.h"
#include "lib/compiler.h"

/* In the state word beside the state: a thread is inside an operation. Run is RUNNING | BUSY. */
#define STATE_BUSY 0x100u
#define STATE_MASK 0xffu

/* Reasons for run to take the slow way in. */
#define ATTENTION_FINALIZE (1u << 0) /* the VM may not be finalized yet */
#define ATTENTION_TERMINAL (1u << 1) /* the latest exit was the last one */
#define ATTENTION_MAIL (1u << 2) /* the mailbox may hold requests */
#define ATTENTION_PARKED (1u << 3) /* paused, or not switched on */

/* What other threads ask of the owner: lib/request.c. */
struct mailbox {
	pthread_mutex_t lock;
	struct mail *first;
	struct mail **end;
};

struct axvcpu {
	/* --- what run touches, together --- */
	const struct axvcpu_arch_ops *ops;
	void *arch;
	/* enum axvcpu_state, perhaps with STATE_BUSY. Only lib/state.c and run write it. */
	atomic_uint state;
	/* The thread that bound it, while Ready, Running or Blocked. */
	_Atomic pid_t owner;
	_Atomic uint32_t attention;
	/* The latest exit waits for an answer. */
	bool answerable;
	uint32_t last_kind;
	struct axvm *vm;
	/* 1: a wake has come that no block has used. A futex. */
	_Atomic uint32_t wake;
	/* axvcpu_kick() that no run has reported; what the backend was told may also be mail. */
	atomic_bool kick;

	/* --- the rest --- */
	uint32_t id;
	uint32_t flags;
	uint32_t favor_cpu;
	struct affinity affinity;
	struct mailbox mailbox;
	/* enum axvcpu_power; written by whoever is inside. */
	_Atomic uint32_t power;
	/* A start is on its way. */
	atomic_bool starting;
	bool paused;
	/* The owner's signal mask before bind. */
	sigset_t old_signals;
};

/* gettid() of this thread, or 0 before it was first asked for. */
extern _Thread_local pid_t self_tid_cache;
extern _Thread_local struct axvcpu *current_vcpu;

pid_t self_tid_slow(void);

static inline pid_t self_tid(void)
{
	return likely(self_tid_cache) ? self_tid_cache : self_tid_slow();
}

/* States as a set, for state_enter(). */
#define IN(state) (1u << (state))
#define IN_REGS (IN(AXVCPU_FREE) | IN(AXVCPU_READY) | IN(AXVCPU_BLOCKED))

/* An operation in progress: who was current before, and the state to go back to. */
struct op {
	struct axvcpu *previous;
	enum axvcpu_state from;
};

/*
 * Begins an operation that needs one of the states 'allowed': nobody else gets in until op_end(),
 * and the vCPU is current. Returns 0, or -EBADFD or -EBUSY with a message that says 'what'.
 */
int op_begin(struct axvcpu *vcpu, unsigned int allowed, const char *what, struct op *op);
/* The same without a message: whether it has begun. */
bool op_try(struct axvcpu *vcpu, unsigned int allowed, struct op *op);
/* The same, for operations of the owner alone. */
int op_begin_owner(struct axvcpu *vcpu, unsigned int allowed, const char *what, struct op *op);
/* Ends it in state 'to'. A vCPU that has no owner then has its mailbox emptied. */
void op_end(struct axvcpu *vcpu, const struct op *op, enum axvcpu_state to);
/* The same without a look into the mailbox. */
void op_leave(struct axvcpu *vcpu, const struct op *op, enum axvcpu_state to);

/* Why 'what' is refused when the state word is 'word'. -EBADFD, or -EBUSY. */
int state_refuse(struct axvcpu *vcpu, unsigned int word, const char *what);
/* And when the caller is not the owner. */
int owner_refuse(struct axvcpu *vcpu, const char *what);

/* Finishes an open I/O exit. Inside an operation. */
int vcpu_flush(struct axvcpu *vcpu);

/* kick.c: takes the vCPU out of the guest, or out of its sleep, for a reason of the library's. */
int vcpu_leave_guest(struct axvcpu *vcpu);

/* block.c: sleeps until a wake, which is used up. 0, -ETIMEDOUT or -EINTR. */
int vcpu_sleep(struct axvcpu *vcpu, int64_t timeout_ns);
/* From Blocked on to the state word 'to', when nobody is looking at registers. False: not Blocked. */
bool vcpu_awaken(struct axvcpu *vcpu, unsigned int to, unsigned int *word);

#endif
