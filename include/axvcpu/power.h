/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/**
 * @file power.h
 * Power of vCPUs: reset, start, stop, pause.
 *
 * Power is separate from the state of a vCPU. It decides whether the vCPU executes when it is run.
 * If the vCPU is off, waits for its start, or is paused, axvcpu_run() sleeps until that changes, or
 * a kick or a signal comes. Its state is Blocked meanwhile, so other threads can access its
 * registers.
 *
 * The functions that change it are requests (request.h). They may be called from any thread while
 * the vCPU runs, in all states except Created and Invalid, and do not change the state. They are
 * carried out at once if the caller is the owner or the vCPU has none; otherwise by the owner
 * before it enters the guest next. axvcpu_send_request() with a timeout waits for that.
 */
#ifndef AXVCPU_POWER_H
#define AXVCPU_POWER_H

#include <stdint.h>

#include <axvcpu/error.h>

#ifdef __cplusplus
extern "C" {
#endif

struct axvcpu;

/** Power of a vCPU. */
enum axvcpu_power {
	/** It executes. */
	AXVCPU_POWER_ON = 0,
	/** It was stopped. */
	AXVCPU_POWER_OFF = 1,
	/** It was created with AXVCPU_F_START_OFF and has not been started yet. */
	AXVCPU_POWER_WAITING = 2,
	/** It is off or waiting, and a start has been requested. */
	AXVCPU_POWER_STARTING = 3,
};

/**
 * Returns the power of a vCPU.
 *
 * Another thread may change it at any time.
 *
 * @param vcpu the vCPU.
 * @return the power.
 *
 * States: any; unchanged.
 * Threads: any, and signal handlers.
 */
AXVCPU_API enum axvcpu_power axvcpu_power(const struct axvcpu *vcpu);

/**
 * Resets a vCPU, sets its entry point, and powers it on.
 *
 * The other registers get the state that axvcpu_setup() gave them. A pause remains: a paused vCPU
 * executes after axvcpu_resume(). This also works after a terminal exit. On riscv64 it also starts
 * a hart that waits for the SBI call hart_start. If the guest issues hart_start at the same time,
 * the guest's entry point is used.
 *
 * Pending interrupts, exceptions and open exits are discarded, with these exceptions on arm64: an
 * SError remains pending, and interrupts that are pending in the GIC for this vCPU remain if
 * another vCPU is in the guest at that moment, as KVM then refuses access. Other inputs of the
 * interrupt controllers remain as they are; the guest has to clear them.
 *
 * A return value of 0 means that the reset was done or queued (request.h).
 *
 * @param vcpu  the vCPU.
 * @param entry guest address of the first instruction.
 * @param arg   first argument of the guest, as `arg` of struct axvcpu_setup_config.
 * @return 0; -EINVAL: the mode does not allow this entry point; -ENOTSUP: the backend has no reset;
 *         -EBADFD; -ENOMEM; -ENOSPC: the request queue is full; -EPERM; errnos of the kernel.
 *
 * States: all except Created and Invalid; unchanged.
 * Threads: any.
 */
AXVCPU_API int axvcpu_reset(struct axvcpu *vcpu, uint64_t entry, uint64_t arg);

/**
 * Starts a vCPU that is off or waiting, as a CPU_UP exit requests.
 *
 * This is axvcpu_reset() for a vCPU that does not execute. x86 in 16-bit mode: as a SIPI does, with
 * CS at the entry point and IP 0 if the entry point is page-aligned.
 *
 * A return value of 0 means that the start was done or queued (request.h).
 *
 * @param vcpu  the vCPU.
 * @param entry guest address of the first instruction.
 * @param arg   first argument of the guest, as `arg` of struct axvcpu_setup_config.
 * @return 0; -EALREADY: it is on, or another start is pending; -EINVAL: the mode does not allow
 *         this entry point; -ENOTSUP: the backend has no reset; -EBADFD; -ENOMEM; -ENOSPC: the
 *         request queue is full; -EPERM; errnos of the kernel.
 *
 * States: all except Created and Invalid; unchanged.
 * Threads: any.
 */
AXVCPU_API int axvcpu_start(struct axvcpu *vcpu, uint64_t entry, uint64_t arg);

/**
 * Powers a vCPU off, as a CPU_DOWN exit requests.
 *
 * A return value of 0 means that the stop was done or queued (request.h).
 *
 * @param vcpu the vCPU.
 * @return 0; -EBADFD; -ENOMEM; -ENOSPC: the request queue is full; -EPERM.
 *
 * States: all except Created and Invalid; unchanged.
 * Threads: any.
 */
AXVCPU_API int axvcpu_stop(struct axvcpu *vcpu);

/**
 * Pauses a vCPU: it does not execute until axvcpu_resume(), whatever its power.
 *
 * @param vcpu       the vCPU.
 * @param timeout_ns longest time to wait until it is paused, in nanoseconds; negative: no limit; 0:
 *                   do not wait, the pause is done or queued.
 * @return 0; -ETIMEDOUT: the owner did not pause it in time, and will not; -EBADFD; -EBUSY: the
 *         caller is inside an operation on this vCPU and would wait for itself; -ECANCELED: the
 *         vCPU was freed; -ENOMEM; -ENOSPC: the request queue is full, and `timeout_ns` is 0;
 *         -EPERM.
 *
 * States: all except Created and Invalid; unchanged.
 * Threads: any.
 */
AXVCPU_API int axvcpu_pause(struct axvcpu *vcpu, int64_t timeout_ns);

/**
 * Ends the pause of a vCPU, however many times axvcpu_pause() was called.
 *
 * A return value of 0 means that it was done or queued (request.h).
 *
 * @param vcpu the vCPU.
 * @return 0; -EBADFD; -ENOMEM; -ENOSPC: the request queue is full; -EPERM.
 *
 * States: all except Created and Invalid; unchanged.
 * Threads: any.
 */
AXVCPU_API int axvcpu_resume(struct axvcpu *vcpu);

#ifdef __cplusplus
}
#endif

#endif
