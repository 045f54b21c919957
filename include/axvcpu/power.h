/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/**
 * @file power.h
 * A vCPU's power, which is apart from its state: whether it executes when it is run.
 *
 * axvcpu_run() of a vCPU that is off, waits for its start, or is paused, sleeps until that
 * changes or a kick comes; its state is Blocked meanwhile, so registers can be looked at.
 *
 * All functions here may be called from any thread, while the vCPU runs; in all states but Created
 * and Invalid; they leave the state alone. They are requests (request.h): done at once, or by the
 * owner before its next entry; axvcpu_send_request() waits for that.
 */
#ifndef AXVCPU_POWER_H
#define AXVCPU_POWER_H

#include <stdint.h>

#include <axvcpu/error.h>

#ifdef __cplusplus
extern "C" {
#endif

struct axvcpu;

/** Whether a vCPU executes. */
enum axvcpu_power {
	AXVCPU_POWER_ON = 0,
	/** It was stopped. */
	AXVCPU_POWER_OFF = 1,
	/** It was made with AXVCPU_F_START_OFF and has not been started yet. */
	AXVCPU_POWER_WAITING = 2,
	/** It is off or waits, and axvcpu_start() has asked for the end of that. */
	AXVCPU_POWER_STARTING = 3,
};

/** The power of a vCPU at this moment. Any state, any thread, signal handlers. */
AXVCPU_API enum axvcpu_power axvcpu_power(const struct axvcpu *vcpu);

/**
 * Gives a vCPU the state that setup gave it, at another entry point, and switches it on. Also
 * after a terminal exit. On riscv64 also of a hart that waits for SBI's hart_start, which it then need
 * not; if the guest calls that at the same time, the guest's entry wins.
 *
 * Pending interrupts, exceptions and open exits are gone; on arm64 not an SError,
 * and what waits in the GIC for this CPU only if no other vCPU is in the guest at that moment, as KVM
 * lets nobody at it then. The VM's other inputs are the guest's to clear.
 *
 * @param entry guest address of the first instruction.
 * @param arg   first argument, as in setup.
 * @return 0; -EINVAL: the entry does not go with the mode; -ENOTSUP; -EBADFD; -ENOMEM; -ENOSPC: the
 *         mailbox is full; errnos of the kernel.
 */
AXVCPU_API int axvcpu_reset(struct axvcpu *vcpu, uint64_t entry, uint64_t arg);

/**
 * Starts a vCPU that is off or waits, as a CPU_UP exit asks for: a reset, and power on. x86 in
 * 16-bit mode: as SIPI does, with CS at the entry and IP 0, if the entry is page-aligned.
 *
 * @return as axvcpu_reset(); -EALREADY: it is on, or about to be.
 */
AXVCPU_API int axvcpu_start(struct axvcpu *vcpu, uint64_t entry, uint64_t arg);

/** Switches a vCPU off, as a CPU_DOWN exit asks for. @return 0; -EBADFD; -ENOMEM; -ENOSPC. */
AXVCPU_API int axvcpu_stop(struct axvcpu *vcpu);

/**
 * Keeps a vCPU from executing until axvcpu_resume(), whatever its power.
 *
 * @param timeout_ns how long to wait until it is paused, as in axvcpu_send_request().
 * @return 0; as axvcpu_send_request().
 */
AXVCPU_API int axvcpu_pause(struct axvcpu *vcpu, int64_t timeout_ns);

/** Undoes axvcpu_pause(), however often that was called. @return 0; -EBADFD; -ENOMEM; -ENOSPC. */
AXVCPU_API int axvcpu_resume(struct axvcpu *vcpu);

#ifdef __cplusplus
}
#endif

#endif
