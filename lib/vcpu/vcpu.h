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
#include "lib/machine/devices.h"
#include "lib/vcpu/thread.h"

/*
 * The state word: enum axvcpu_state; whether a thread is inside an operation (run is RUNNING |
 * BUSY); whether 'attention' and 'open_exit_kind' are not 0; and, from bit STATE_OWNER_SHIFT, the
 * owner's axv_thread_serial() while Ready, Running or Blocked. One word, so that a single
 * compare-and-swap of run or complete checks all of it. The bit PROCESS_MARK is never set in it.
 */
#define STATE_MASK UINT64_C(0xff)
#define STATE_BUSY UINT64_C(0x100)
#define STATE_ATTENTION UINT64_C(0x200)
#define STATE_OPEN_EXIT UINT64_C(0x400)
#define STATE_FLAGS (STATE_ATTENTION | STATE_OPEN_EXIT)
/*
 * With BUSY: the operation is short, and other threads wait for it instead of failing with -EBUSY.
 */
#define STATE_BRIEF UINT64_C(0x800)
#define STATE_OWNER_SHIFT 16
/* A value that no vCPU's state word has. */
#define STATE_NONE UINT64_MAX

/* Reasons for run to take the slow path. */
#define ATTENTION_FINALIZE (1u << 0) /* the VM may not be finalized yet */
#define ATTENTION_TERMINAL (1u << 1) /* the latest exit was a terminal one */
#define ATTENTION_REQUESTS (1u << 2) /* the queue may hold requests */
#define ATTENTION_PARKED (1u << 3) /* paused, or not switched on */
#define ATTENTION_SLOW_PATH (1u << 4) /* the fast path does not know this vCPU's exits */

struct axv_prepared;
struct axvcpu_load_config;

/* Requests of other threads to the owner: lib/vcpu/request.c. */
struct axv_request_queue {
	pthread_mutex_t lock;
	struct queued_request *first;
	struct queued_request *last;
	/* Number of requests whose senders do not wait; it is limited. */
	uint32_t unwaited;
};

struct axvcpu {
	/* --- fields that run uses, together --- */
	/* Only lib/vcpu/state.c, lib/vcpu/block.c and backends/kvm/fast_run.c write it. */
	_Atomic uint64_t state;
	void *arch;
	/* Kind of the latest exit while it waits for an answer; else AXVCPU_EXIT_NOTHING. */
	uint32_t open_exit_kind;
	/*
	 * ATTENTION_*: why run must take the slow path. axv_op_leave() copies into the state word
	 * whether this and 'open_exit_kind' are set. A thread that sets a bit during a run also
	 * kicks, which ends the run and so updates the word.
	 */
	_Atomic uint32_t attention;
	/* Whether the backend has work before the next entry: no fast path then. Not NULL. */
	const bool *backend_has_work;
	const struct axvcpu_arch_ops *ops;
	struct axvm *vm;
	/* 'mark' of the VM's struct axv_process. */
	const uint64_t *mark;
	/* A futex: 1 if axvcpu_wake() was called and no block has consumed it. */
	_Atomic uint32_t wake;
	/*
	 * Whether axvcpu_kick() was called and no run has reported it. (The backend's kick may also
	 * be due to a request.) A full word, like 'starting': riscv64 exchanges smaller ones by a
	 * function call.
	 */
	_Atomic uint32_t kick;
	/* For axvcpu_dispatch(). */
	struct axv_slot slots[SPACES];

	/* --- the rest --- */
	uint32_t id;
	uint32_t flags;
	uint32_t favor_cpu;
	struct axv_affinity affinity;
	struct axv_request_queue requests;
	/* The entry point and argument of axvcpu_setup(), for resets of the VM. */
	uint64_t setup_entry;
	uint64_t setup_arg;
	/* enum axvcpu_power; written inside an operation only. */
	_Atomic uint32_t power;
	/* A START request is queued or being carried out. */
	_Atomic uint32_t starting;
	bool paused;
	/* Kind of the exit that set ATTENTION_TERMINAL, for the message. */
	uint32_t terminal_kind;
	/*
	 * The owner's kernel thread id, for signals; stored before the state word names the owner.
	 */
	_Atomic pid_t tid;
	/* The latest owner's record; NULL before the first. Used inside an operation only. */
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

/* A set of states, as a bit mask. */
#define IN(state) (1u << (state))
/* The states that have an owner. */
#define IN_OWNED (IN(AXVCPU_READY) | IN(AXVCPU_RUNNING) | IN(AXVCPU_BLOCKED))
#define IN_REGS (IN(AXVCPU_FREE) | IN(AXVCPU_READY) | IN(AXVCPU_BLOCKED))

/* An operation in progress: the vCPU that was current before, the state it began in, the owner. */
struct axv_op {
	struct axvcpu *previous;
	enum axvcpu_state from;
	/*
	 * axv_thread_serial() of the owner that axv_op_end() stores, if the new state has an owner.
	 */
	uint64_t owner;
};

/*
 * Begins an operation that needs one of the states 'allowed': until axv_op_end(), no other thread
 * can begin one, and the vCPU is current. The operation must be short, or continue with
 * axv_op_enter(): other threads wait for it. Returns 0, or -EBADFD, -EBUSY or, in a forked child,
 * -EPERM, with a message that names 'what'.
 */
int axv_op_begin(struct axvcpu *vcpu, unsigned int allowed, const char *what, struct axv_op *op);
/* The same for operations that may take long: other threads get -EBUSY instead of waiting. */
int axv_op_begin_long(struct axvcpu *vcpu, unsigned int allowed, const char *what,
		      struct axv_op *op);
/*
 * axv_op_begin() without waiting and without a message. Returns whether the operation has begun;
 * '*word' is the state word that allowed or refused it.
 */
bool axv_op_try(struct axvcpu *vcpu, unsigned int allowed, struct axv_op *op, uint64_t *word);
/*
 * Waits a moment if, by the state word 'word', another thread is inside a short operation, such as
 * reading a register. Returns false if not. '*waits' is that of axv_wait_briefly().
 */
bool axv_state_wait_if_brief(const struct axvcpu *vcpu, uint64_t word, unsigned int *waits);
/* axv_op_begin() for operations that only the owner may use. */
int axv_op_begin_owner(struct axvcpu *vcpu, unsigned int allowed, const char *what,
		       struct axv_op *op);
/*
 * In a forked child, where no other thread uses the copy: begins even if the state word says busy.
 */
void axv_op_begin_copy(struct axvcpu *vcpu, struct axv_op *op);
/*
 * Makes the calling thread the owner; takes over the reference to its record. Inside an operation.
 */
void axv_op_own(struct axvcpu *vcpu, struct axv_op *op, struct axv_thread_record *record);
/* Ends the operation in state 'to', and drains the queue if the vCPU then has no owner. */
void axv_op_end(struct axvcpu *vcpu, const struct axv_op *op, enum axvcpu_state to);
/* The same without draining the queue. */
void axv_op_leave(struct axvcpu *vcpu, const struct axv_op *op, enum axvcpu_state to);
/* Moves from Ready to Running, within the operation. axvcpu_kick() signals Running vCPUs only. */
void axv_op_enter(struct axvcpu *vcpu, const struct axv_op *op);

/* Fails: 'what' is refused in the state 'word', as it needs one of 'allowed'. Returns -EBADFD or -EBUSY. */
int axv_state_refuse(struct axvcpu *vcpu, uint64_t word, unsigned int allowed, const char *what);

/* complete.c: completes an open exit without an answer. Called inside an operation. */
int axv_vcpu_flush(struct axvcpu *vcpu);
/*
 * vcpu_state.c: carries out the requests that wait, and completes an exit that takes no answer.
 * Messages begin with 'what'.
 */
int axv_vcpu_settle(struct axvcpu *vcpu, const char *what);
/*
 * axvcpu_load() with a complete config. If 'prepared' is not NULL, the first load fills it, and
 * later ones of the same state into the same vCPU use it.
 */
int axv_vcpu_load(struct axvcpu *vcpu, const void *state, size_t size,
		  const struct axvcpu_load_config *config, struct axv_prepared *prepared);
/*
 * Checks that axvcpu_load() with this complete config would begin. Changes nothing, except that an
 * open exit may be completed.
 */
int axv_vcpu_check_load(struct axvcpu *vcpu, const void *state, size_t size,
			const struct axvcpu_load_config *config);
/* For clones: AXVCPU_F_* of the vCPU whose saved state this is. */
int axv_vcpu_saved_flags(struct axvm *vm, const void *state, size_t size, uint32_t *flags);
/* Sets up a vCPU as that one was. The backend must have setup_saved. */
int axv_vcpu_setup_saved(struct axvcpu *vcpu, const void *state, size_t size);

/* kick.c: makes the vCPU leave the guest, or its sleep, without reporting a kick to the caller. */
int axv_vcpu_leave_guest(struct axvcpu *vcpu);

/* block.c: sleeps until a wake, and consumes it. Returns 0, -ETIMEDOUT or -EINTR. */
int axv_vcpu_sleep(struct axvcpu *vcpu, int64_t timeout_ns);
/*
 * Moves from Blocked to the state and flags 'to', after waiting for a short operation of another
 * thread. Returns false, with the state word in *word, if the vCPU is not Blocked.
 */
bool axv_vcpu_awaken(struct axvcpu *vcpu, uint64_t to, uint64_t *word);

#endif
