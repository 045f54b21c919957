/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * Between the fast path and the slow path of run and complete. The fast path,
 * backends/kvm/fast_run.c, defines axvcpu_run() and axvcpu_complete(). It calls the slow path,
 * run.c and complete.c, for all other cases; the slow path works through the ops table, with any
 * backend.
 */
#ifndef LIB_VCPU_RUN_H
#define LIB_VCPU_RUN_H

struct axvcpu;
struct axvcpu_answer;
struct axvcpu_exit;

/* --- run.c, complete.c ------------------------------------------------------------------------ */

/* axvcpu_run() and axvcpu_complete() for every state, thread and backend. */
int axv_run_slow_path(struct axvcpu *vcpu, struct axvcpu_exit *exit);
int axv_complete_slow_path(struct axvcpu *vcpu, const struct axvcpu_answer *answer);
/*
 * Ends a run that the fast path began. The vCPU is Running and current. 'ret' is the backend's
 * result; if it is 0, 'exit' is filled in. Returns the result of axvcpu_run().
 */
int axv_run_end(struct axvcpu *vcpu, struct axvcpu_exit *exit, int ret);

/* --- backends/kvm/fast_run.c ------------------------------------------------------------------- */

/* Decides whether the fast path may run the vCPU. Call it after the ops table's vcpu_new. */
void axv_fast_run_attach(struct axvcpu *vcpu);

#endif
