/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/**
 * @file crate.h
 * State transitions as the axvcpu crate offers them: for hypervisors that are ported from Rust, and
 * for tests of an architecture. A VMM does not need them: axvcpu_setup(), axvcpu_bind(),
 * axvcpu_run() and the other calls of vcpu.h make every transition that a vCPU needs, and refuse
 * the others. axvcpu.h does not include this file.
 */
#ifndef AXVCPU_CRATE_H
#define AXVCPU_CRATE_H

#include <axvcpu/vcpu.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Sets the state, whatever it was. For tests, and to leave Invalid.
 *
 * Unsafe: the library then relies on a state that the backend may not be in, so later calls may fail
 * in ways that their documentation does not list. A state that has an owner (Ready, Running, Blocked)
 * makes the calling thread the owner.
 *
 * @param vcpu  the vCPU.
 * @param state the new state.
 * @return 0; -EINVAL: not a state; -EBUSY: another operation is in progress on the vCPU; -ENOMEM;
 *         -EPERM: a forked child.
 *
 * States: any. Threads: any. axvcpu: set_state.
 */
AXVCPU_API int axvcpu_set_state(struct axvcpu *vcpu, enum axvcpu_state state);

/**
 * Moves from one state to another. Moving to Ready makes the calling thread the owner.
 *
 * @param vcpu the vCPU.
 * @param from the state that it must be in.
 * @param to   the new state.
 * @return 0; -EBADFD: the state is not `from`; -EBUSY: another operation is in progress on the vCPU;
 *         -EINVAL: not a state; -ENOMEM; -EPERM: a forked child.
 *
 * States: `from`; then `to`. Threads: any. axvcpu: transition_state.
 */
AXVCPU_API int axvcpu_transition_state(struct axvcpu *vcpu, enum axvcpu_state from,
				       enum axvcpu_state to);

/**
 * Calls `fn` and moves from one state to another if it returns 0. While it runs the state is
 * `from`, and every other call that needs the vCPU fails with -EBUSY.
 *
 * @param vcpu the vCPU.
 * @param from the state that it must be in.
 * @param to   the state that it has if `fn` returned 0.
 * @param fn   called once, in the calling thread; must return, and must not end the thread.
 * @param ctx  passed to `fn`.
 * @return the value that `fn` returned; or, without a call of `fn`, as axvcpu_transition_state().
 *
 * States: `from`; then `to`, or `from` if `fn` failed. Threads: any.
 * axvcpu: with_state_transition, except that the crate makes the vCPU Invalid if `fn` fails.
 */
AXVCPU_API int axvcpu_with_state_transition(struct axvcpu *vcpu, enum axvcpu_state from,
					    enum axvcpu_state to, int (*fn)(void *ctx), void *ctx);

/**
 * axvcpu_with_state_transition() for functions of an architecture: while `fn` runs the vCPU is the
 * calling thread's current one, and `fn` receives its architecture object.
 *
 * @param vcpu the vCPU.
 * @param from the state that it must be in.
 * @param to   the state that it has if `fn` returned 0.
 * @param fn   called once, in the calling thread, with axvcpu_arch() of the vCPU; must return, and
 *             must not end the thread.
 * @param ctx  passed to `fn`.
 * @return the value that `fn` returned; or, without a call of `fn`, as axvcpu_transition_state().
 *
 * States: `from`; then `to`, or `from` if `fn` failed. Threads: any. axvcpu: manipulate_arch_vcpu.
 */
AXVCPU_API int axvcpu_manipulate_arch(struct axvcpu *vcpu, enum axvcpu_state from,
				      enum axvcpu_state to, int (*fn)(void *arch, void *ctx),
				      void *ctx);

/**
 * Calls `fn` while the vCPU is the calling thread's current one.
 *
 * @param vcpu the vCPU.
 * @param fn   called once, in the calling thread.
 * @param ctx  passed to `fn`.
 * @return the value that `fn` returned; or, without a call of `fn`, -EBUSY: the thread has a current
 *         vCPU; -EPERM: a forked child.
 *
 * States: any; unchanged. Threads: any. axvcpu: with_current_cpu_set.
 */
AXVCPU_API int axvcpu_with_current(struct axvcpu *vcpu, int (*fn)(void *ctx), void *ctx);

/**
 * Sets the calling thread's current vCPU, which axvcpu_current() returns.
 *
 * Unsafe: every operation of the library sets it and restores the previous one.
 *
 * @param vcpu the vCPU; NULL clears it.
 *
 * States: any; unchanged. Threads: any. axvcpu: set_current_vcpu, clear_current_vcpu.
 */
AXVCPU_API void axvcpu_set_current(struct axvcpu *vcpu);

#ifdef __cplusplus
}
#endif

#endif
