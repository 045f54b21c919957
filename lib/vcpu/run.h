/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * The slow path of run and complete: run.c. It works through the ops table, with any backend. And the
 * fast path as the rest of lib/ sees it: backends/kvm/fast_run.c has axvcpu_run() and
 * axvcpu_complete(), and calls what is declared here for all that it does not do itself.
 */
#ifndef LIB_VCPU_RUN_H
#define LIB_VCPU_RUN_H

struct axvcpu;
struct axvcpu_answer;
struct axvcpu_exit;

/* --- run.c, complete.c ------------------------------------------------------------------------ */

/* axvcpu_run() and axvcpu_complete() in every state, by every thread, with every backend. */
int axv_run_slow_path(struct axvcpu *vcpu, struct axvcpu_exit *exit);
int axv_complete_slow_path(struct axvcpu *vcpu, const struct axvcpu_answer *answer);
/*
 * Ends a run that the fast path began: the vCPU is Running and current, and the backend has returned
 * 'ret', with 'exit' filled in if that is 0. Returns the result of axvcpu_run().
 */
int axv_run_end(struct axvcpu *vcpu, struct axvcpu_exit *exit, int ret);

/* --- backends/kvm/fast_run.c ------------------------------------------------------------------- */

/* After the backend has created its part of the vCPU: whether, and when, the fast path may run it. */
void axv_fast_run_attach(struct axvcpu *vcpu);

#endif
