/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/**
 * @file crate.h
 * State transitions as the axvcpu crate offers them.
 *
 * They are for hypervisors that are ported from Rust, and for tests of an architecture. A VMM does
 * not need them: axvcpu_setup(), axvcpu_bind(), axvcpu_run() and the other calls of vcpu.h make
 * every transition that a vCPU needs, and refuse the others. axvcpu.h does not include this file.
 */
#ifndef AXVCPU_CRATE_H
#define AXVCPU_CRATE_H

#include <axvcpu/vcpu.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Sets the state of a vCPU, whatever it was.
 *
 * This is unsafe: the library then relies on a state that the backend may not be in, so later calls
 * may fail in ways that their documentation does not list. It is for tests, and to leave Invalid. A
 * state that has an owner (Ready, Running, Blocked) makes the calling thread the owner.
 *
 * @param vcpu  the vCPU.
 * @param state the new state.
 * @return 0; -EINVAL: not a state; -EBUSY: another operation is in progress on the vCPU; -ENOMEM;
 *         -EPERM.
 *
 * States: any.
 * Threads: any.
 * Source: AxVCpu::set_state()
 */
AXVCPU_API int axvcpu_set_state(struct axvcpu *vcpu, enum axvcpu_state state);

/**
 * Moves a vCPU from one state to another. Moving to Ready makes the calling thread the owner.
 *
 * @param vcpu the vCPU.
 * @param from the state that it must be in.
 * @param to   the new state.
 * @return 0; -EBADFD: the state is not `from`; -EBUSY: another operation is in progress on the
 *         vCPU; -EINVAL: not a state; -ENOMEM; -EPERM.
 *
 * States: `from`; `to` on success.
 * Threads: any.
 * Source: AxVCpu::transition_state()
 */
AXVCPU_API int axvcpu_transition_state(struct axvcpu *vcpu, enum axvcpu_state from,
				       enum axvcpu_state to);

/**
 * Calls a function, and moves the vCPU to another state if it returns 0.
 *
 * While `fn` runs the state is `from`, and every other call that needs the vCPU fails with -EBUSY.
 * If `fn` fails, the state remains `from`; in the crate the vCPU becomes Invalid.
 *
 * @param vcpu the vCPU.
 * @param from the state that it must be in.
 * @param to   the state that it has if `fn` returned 0.
 * @param fn   called once, in the calling thread; must return, and must not end the thread.
 * @param ctx  passed to `fn`.
 * @return the value that `fn` returned; -EBADFD: the state is not `from`; -EBUSY: another operation
 *         is in progress on the vCPU; -EINVAL: not a state; -ENOMEM; -EPERM.
 *
 * States: `from`; `to` on success, `from` if `fn` failed.
 * Threads: any.
 * Source: AxVCpu::with_state_transition()
 */
AXVCPU_API int axvcpu_with_state_transition(struct axvcpu *vcpu, enum axvcpu_state from,
					    enum axvcpu_state to, int (*fn)(void *ctx), void *ctx);

/**
 * Calls a function on the backend's object of a vCPU, and changes the state if it returns 0.
 *
 * This is axvcpu_with_state_transition() for functions of an architecture: while `fn` runs, the
 * vCPU is the current vCPU of the calling thread.
 *
 * @param vcpu the vCPU.
 * @param from the state that it must be in.
 * @param to   the state that it has if `fn` returned 0.
 * @param fn   called once, in the calling thread, with axvcpu_arch() of the vCPU; must return, and
 *             must not end the thread.
 * @param ctx  passed to `fn`.
 * @return the value that `fn` returned; -EBADFD: the state is not `from`; -EBUSY: another operation
 *         is in progress on the vCPU; -EINVAL: not a state; -ENOMEM; -EPERM.
 *
 * States: `from`; `to` on success, `from` if `fn` failed.
 * Threads: any.
 * Source: AxVCpu::manipulate_arch_vcpu()
 */
AXVCPU_API int axvcpu_manipulate_arch(struct axvcpu *vcpu, enum axvcpu_state from,
				      enum axvcpu_state to, int (*fn)(void *arch, void *ctx),
				      void *ctx);

/**
 * Calls a function while a vCPU is the current vCPU of the calling thread.
 *
 * @param vcpu the vCPU.
 * @param fn   called once, in the calling thread.
 * @param ctx  passed to `fn`.
 * @return the value that `fn` returned; -EBUSY: the thread has a current vCPU, and `fn` was not
 *         called; -EPERM.
 *
 * States: any; unchanged.
 * Threads: any.
 * Source: AxVCpu::with_current_cpu_set()
 */
AXVCPU_API int axvcpu_with_current(struct axvcpu *vcpu, int (*fn)(void *ctx), void *ctx);

/**
 * Sets the current vCPU of the calling thread, which axvcpu_current() returns.
 *
 * This is unsafe: every operation of the library sets it and restores the previous one.
 *
 * @param vcpu the vCPU; NULL clears it.
 *
 * States: any; unchanged.
 * Threads: any.
 * Source: set_current_vcpu(), clear_current_vcpu()
 */
AXVCPU_API void axvcpu_set_current(struct axvcpu *vcpu);

#ifdef __cplusplus
}
#endif

#endif
