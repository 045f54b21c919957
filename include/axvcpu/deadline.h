/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/**
 * @file deadline.h
 * Deadlines: runs that end at a point in time.
 *
 * A thread that uses them has one timer of the kernel, which sends the kick signal of the VM to the
 * thread. The timer is created by the first run with a deadline, and deleted when the thread ends.
 * A run whose deadline is later than the time for which the timer is set makes no system call for
 * it. So a deadline that moves with each run, or is rarely reached, costs a few instructions.
 *
 * A deadline that was reached in another call of the thread may end one axvcpu_run() with NOTHING,
 * as any signal may.
 */
#ifndef AXVCPU_DEADLINE_H
#define AXVCPU_DEADLINE_H

#include <stdint.h>

#include <axvcpu/error.h>

#ifdef __cplusplus
extern "C" {
#endif

struct axvcpu;
struct axvcpu_exit;

/** No deadline, for axvcpu_run_until(). */
#define AXVCPU_NO_DEADLINE INT64_MAX

/**
 * Runs the guest until its next exit, or until a deadline.
 *
 * As axvcpu_run(). If the deadline passes first, the exit is DEADLINE. If it has passed already, a
 * pending answer and requests are carried out, the guest executes no instruction, and the exit is
 * DEADLINE. An exit that occurs at the deadline is reported first, and DEADLINE by the next call
 * with this deadline. The sleep of a vCPU that is off or paused ends, too.
 *
 * The exit comes after the deadline, never before. If `kick_signal` of struct axvm_config is not 0,
 * the caller's handler gets the signals of the timer, and DEADLINE may be late by 1 ms more.
 *
 * @param vcpu        the vCPU.
 * @param deadline_ns the deadline: a time of CLOCK_MONOTONIC, in nanoseconds; AXVCPU_NO_DEADLINE:
 *                    none.
 * @param exit        receives the exit.
 * @return 0; -ENOTSUP: the backend cannot be kicked; -EAGAIN: the timer would exceed
 *         RLIMIT_SIGPENDING; -ENOMEM; errnos of axvcpu_run().
 *
 * States: Ready; Running meanwhile; Ready afterwards.
 * Threads: the owner.
 * Source: AxVCpuExitReason::PreemptionTimer
 */
AXVCPU_API int axvcpu_run_until(struct axvcpu *vcpu, int64_t deadline_ns, struct axvcpu_exit *exit);

/**
 * Runs the guest until its next exit, or for a time.
 *
 * It is axvcpu_run_until() with a deadline that is `budget_ns` from now. The time includes that of
 * the hypervisor and of other threads that get the host's CPU.
 *
 * @param vcpu      the vCPU.
 * @param budget_ns the time in nanoseconds; negative: no deadline.
 * @param exit      receives the exit.
 * @return 0; errnos of axvcpu_run_until().
 *
 * States: Ready; Running meanwhile; Ready afterwards.
 * Threads: the owner.
 */
AXVCPU_API int axvcpu_run_for(struct axvcpu *vcpu, int64_t budget_ns, struct axvcpu_exit *exit);

#ifdef __cplusplus
}
#endif

#endif
