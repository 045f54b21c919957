/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * Threads of this process: their numbers, the vCPU that each operates on, whether each has ended.
 */
#ifndef LIB_THREAD_H
#define LIB_THREAD_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct axvcpu;
struct axv_thread_record;

/* The thread's timer for runs with a deadline: lib/vcpu/timer.h. */
struct axv_thread_timer {
	/* The vCPU of the current run with a deadline, or NULL. */
	struct axvcpu *volatile vcpu;
	/* The time that the timer is set to; INT64_MAX: not set. */
	int64_t at;
	/* The process that it belongs to: a forked child does not inherit it. */
	pid_t pid;
	/* The signal that it sends; 0: there is no timer. */
	int signal;
	/* The kernel's id of it. */
	int id;
	/* It repeats the signal until it is stopped. */
	bool repeats;
	/* It must be set again before the next run with a deadline. */
	volatile sig_atomic_t expired;
};

struct axv_thread {
	/* The vCPU that the thread operates on, or NULL. */
	struct axvcpu *current;
	/* The state word that allows the fast path; STATE_NONE while a vCPU is current. */
	uint64_t ready;
	/* Result of axv_thread_serial(); 0 before its first call. */
	uint64_t serial;
	struct axv_thread_timer timer;
};
extern _Thread_local struct axv_thread axv_thread;

/* The calling thread's number. The kernel reuses thread ids; these numbers are never reused. */
uint64_t axv_thread_serial(void);
void axv_thread_set_current(struct axvcpu *vcpu);

/*
 * Returns a reference to the calling thread's record, which outlives the thread and tells whether
 * it has ended. NULL: out of memory. Released by axv_thread_record_put().
 */
struct axv_thread_record *axv_thread_record_get(void);
void axv_thread_record_put(struct axv_thread_record *record);
/* Whether the thread has ended. False for NULL. */
bool axv_thread_record_ended(const struct axv_thread_record *record);

#endif
