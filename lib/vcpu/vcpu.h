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
#include "lib/base/compiler.h"
#include "lib/host/affinity.h"
#include "lib/vcpu/thread.h"

/*
 * The state word: enum axvcpu_state; whether a thread is inside an operation (run is RUNNING |
 * BUSY); whether 'attention' and 'awaits' are not 0; and from STATE_OWNER_SHIFT on the owner's
 * axv_thread_serial(), while Ready, Running or Blocked. One word, so that run and complete check all of it
 * with their compare-and-swap. The bit PROCESS_MARK is set in none.
 */
#define STATE_MASK UINT64_C(0xff)
#define STATE_BUSY UINT64_C(0x100)
#define STATE_ATTENTION UINT64_C(0x200)
#define STATE_OPEN_EXIT UINT64_C(0x400)
#define STATE_FLAGS (STATE_ATTENTION | STATE_OPEN_EXIT)
/* Beside BUSY: for a moment only. Others wait, and are not refused. */
#define STATE_BRIEF UINT64_C(0x800)
#define STATE_OWNER_SHIFT 16
/* No vCPU's. */
#define STATE_NONE UINT64_MAX

/* Reasons for run to take the slow way. */
#define ATTENTION_FINALIZE (1u << 0) /* the VM may not be finalized yet */
#define ATTENTION_TERMINAL (1u << 1) /* the latest exit was the last one */
#define ATTENTION_REQUESTS (1u << 2) /* the queue may hold requests */
#define ATTENTION_PARKED (1u << 3) /* paused, or not switched on */
#define ATTENTION_SLOW_PATH (1u << 4) /* the fast path does not know this vCPU's exits */

/* What other threads ask of the owner: lib/vcpu/request.c. */
struct axv_request_queue {
	pthread_mutex_t lock;
	struct queued_request *first;
	struct queued_request *last;
	/* Letters of senders that do not wait, of which there can be only so many. */
	uint32_t unwaited;
};

struct axvcpu {
	/* --- what run touches, together --- */
	/* Only lib/vcpu/state.c, lib/vcpu/block.c and lib/vcpu/run.c write it. */
	_Atomic uint64_t state;
	void *arch;
	/* Kind of the latest exit while it waits for an answer; else AXVCPU_EXIT_NOTHING. */
	uint32_t open_exit_kind;
	/*
	 * Why run has to take the slow way. Like 'awaits' shown in the state word by axv_op_end(): what
	 * another thread adds comes with a kick, which leads there.
	 */
	_Atomic uint32_t attention;
	/* Whether the backend must work before the next entry: no fast path then. Never NULL. */
	const bool *backend_has_work;
	const struct axvcpu_arch_ops *ops;
	struct axvm *vm;
	/* Of the VM's struct axv_process. */
	const uint64_t *mark;
	/* 1: a wake has come that no block has used. A futex. */
	_Atomic uint32_t wake;
	/*
	 * axvcpu_kick() that no run has reported; what the backend was told may also be a request. A word, as
	 * 'starting': exchanging less is a call on some machines.
	 */
	_Atomic uint32_t kick;

	/* --- the rest --- */
	uint32_t id;
	uint32_t flags;
	uint32_t favor_cpu;
	struct axv_affinity affinity;
	struct axv_request_queue requests;
	/* enum axvcpu_power; written by whoever is inside. */
	_Atomic uint32_t power;
	/* A start is on its way. */
	_Atomic uint32_t starting;
	bool paused;
	/* The kernel's id of the owner, for signals: older than the state that says that there is one. */
	_Atomic pid_t tid;
	/* The latest owner's; NULL before there was one. By whoever is inside. */
	struct axv_thread_record *owner;
	/* The owner's signal mask before bind. */
	sigset_t old_signals;
};

static inline enum axvcpu_state axv_state_of(uint64_t word)
{
	return (enum axvcpu_state)(word & STATE_MASK);
}

static inline uint64_t axv_state_owner(uint64_t word)
{
	return word >> STATE_OWNER_SHIFT;
}

/* States as a set. */
#define IN(state) (1u << (state))
/* The states that have an owner. */
#define IN_OWNED (IN(AXVCPU_READY) | IN(AXVCPU_RUNNING) | IN(AXVCPU_BLOCKED))
#define IN_REGS (IN(AXVCPU_FREE) | IN(AXVCPU_READY) | IN(AXVCPU_BLOCKED))

/* An operation in progress: who was current before, the state it came from, and the owner. */
struct axv_op {
	struct axvcpu *previous;
	enum axvcpu_state from;
	/* What axv_op_end() leaves, in a state that has an owner: its axv_thread_serial(). */
	uint64_t owner;
};

/*
 * Begins an operation that needs one of the states 'allowed': nobody else gets in until axv_op_end(),
 * and the vCPU is current. It takes but a moment, or goes on with axv_op_enter(): who comes meanwhile
 * waits. Returns 0, or -EBADFD, -EBUSY or, in a forked child, -EPERM, with a message that says 'what'.
 */
int axv_op_begin(struct axvcpu *vcpu, unsigned int allowed, const char *what, struct axv_op *op);
/* The same, for operations that may take their time: who comes meanwhile is refused. */
int axv_op_begin_long(struct axvcpu *vcpu, unsigned int allowed, const char *what,
		      struct axv_op *op);
/* axv_op_begin() without a message: whether it has begun. */
bool axv_op_try(struct axvcpu *vcpu, unsigned int allowed, struct axv_op *op);
/* axv_op_begin(), for operations of the owner alone. */
int axv_op_begin_owner(struct axvcpu *vcpu, unsigned int allowed, const char *what,
		       struct axv_op *op);
/* In a forked child, which alone can use its copy: begins whatever another thread was at. */
void axv_op_begin_copy(struct axvcpu *vcpu, struct axv_op *op);
/* Makes the calling thread the owner; takes the reference of its record. Inside an operation. */
void axv_op_own(struct axvcpu *vcpu, struct axv_op *op, struct axv_thread_record *record);
/* Ends it in state 'to'. A vCPU that has no owner then has its queue drained. */
void axv_op_end(struct axvcpu *vcpu, const struct axv_op *op, enum axvcpu_state to);
/* The same without a look at the queue. */
void axv_op_leave(struct axvcpu *vcpu, const struct axv_op *op, enum axvcpu_state to);
/* From Ready: Running, as axvcpu_kick() looks for it. */
void axv_op_enter(struct axvcpu *vcpu, const struct axv_op *op);

/* Why 'what' is refused when the state word is 'word'. -EBADFD, or -EBUSY. */
int axv_state_refuse(struct axvcpu *vcpu, uint64_t word, const char *what);

/* complete.c: finishes an open I/O exit. Called inside an operation. */
int axv_vcpu_flush(struct axvcpu *vcpu);

/* kick.c: takes the vCPU out of the guest, or out of its sleep, for a reason of the library's. */
int axv_vcpu_leave_guest(struct axvcpu *vcpu);

/* block.c: sleeps until a wake, which is used up. 0, -ETIMEDOUT or -EINTR. */
int axv_vcpu_sleep(struct axvcpu *vcpu, int64_t timeout_ns);
/* From Blocked on to the state word 'to', when nobody is looking at registers. False: not Blocked. */
bool axv_vcpu_awaken(struct axvcpu *vcpu, uint64_t to, uint64_t *word);

#endif
