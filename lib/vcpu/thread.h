/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* The threads of this process: their numbers, the vCPU that each operates on, and their end. */
#ifndef LIB_THREAD_H
#define LIB_THREAD_H

#include <stdbool.h>
#include <stdint.h>

struct axvcpu;
struct axv_thread_record;

struct axv_thread {
	/* The vCPU that it operates on. */
	struct axvcpu *current;
	/* The state word of a vCPU that it may run at once; STATE_NONE while one is current. */
	uint64_t ready;
	/* axv_thread_serial(), or 0 before it was first asked for. */
	uint64_t serial;
};
extern _Thread_local struct axv_thread axv_thread;

/* The calling thread's number. The kernel uses ids again; no two threads have one of these. */
uint64_t axv_thread_serial(void);
void axv_thread_set_current(struct axvcpu *vcpu);

/*
 * The calling thread's record, which remains after its end, for whoever asks whether it has ended.
 * NULL: out of memory. Released by axv_thread_record_put().
 */
struct axv_thread_record *axv_thread_record_get(void);
void axv_thread_record_put(struct axv_thread_record *record);
/* Whether the thread has ended. NULL is a thread that is not known to have. */
bool axv_thread_record_ended(const struct axv_thread_record *record);

#endif
