/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * The timer of a thread, for runs with a deadline. It sends the kick signal of a VM to the thread.
 * The handler of the library then kicks the vCPU, so a signal that comes right before KVM_RUN is not
 * lost. With a handler of the caller, the timer repeats its signal.
 */
#ifndef LIB_TIMER_H
#define LIB_TIMER_H

#include <stdint.h>
#include <sys/types.h>

struct axvcpu;

/*
 * Sets the calling thread's timer for runs of 'vcpu' to a time of CLOCK_MONOTONIC. Returns 0, or a
 * negative errno with a message.
 */
int axv_timer_set(struct axvcpu *vcpu, int64_t at_ns);
/* Forgets the timer of the thread that has forked this process, 'pid'. */
void axv_timer_forget(pid_t pid);
/* Stops the timer if it repeats its signal. Call it after a run has reported the deadline. */
void axv_timer_stop(void);
/*
 * The calling thread has received the signal of its timer, or its deadline has passed: kicks the
 * vCPU of the current run with a deadline. Async-signal-safe.
 */
void axv_timer_expired(void);

#endif
