/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/**
 * @file life.h
 * The life of a VM that a runner runs: its status, why its latest run ended, and its reset.
 *
 * | call or event                       | from                   | to                |
 * | ----------------------------------- | ---------------------- | ----------------- |
 * | axvm_runner_start()                 | ready, stopped, failed | running           |
 * | axvm_runner_pause()                 | running, paused        | paused            |
 * | axvm_runner_resume()                | running, paused        | running           |
 * | axvm_runner_stop(), a handler stops | running, paused        | stopping          |
 * | the last thread ends                | stopping               | stopped or failed |
 * | axvm_reset()                        | ready, stopped, failed | ready             |
 * | axvm_reset()                        | paused                 | paused            |
 *
 * In any other status a call fails with -EBADFD, and its message names the status and the allowed
 * ones. axvm_runner_stop() never fails for the status: a run that is ending or has ended is not
 * stopped again. A failed call does not change the status, except that axvm_runner_pause() then
 * resumes the vCPUs, and the status is running.
 *
 * The runner keeps the status. A VM whose vCPUs are run by the caller's own loops stays ready.
 */
#ifndef AXVCPU_LIFE_H
#define AXVCPU_LIFE_H

#include <stddef.h>
#include <stdint.h>

#include <axvcpu/error.h>
#include <axvcpu/init.h>

#ifdef __cplusplus
extern "C" {
#endif

struct axvm;

/** Status of a VM. */
enum axvm_status {
	/** No runner has run it since it was created or reset. */
	AXVM_STATUS_READY = 0,
	/** A runner runs it. */
	AXVM_STATUS_RUNNING = 1,
	/** axvm_runner_pause() has paused it. */
	AXVM_STATUS_PAUSED = 2,
	/** The threads of the runner are ending. */
	AXVM_STATUS_STOPPING = 3,
	/** The latest run has ended without a fault. */
	AXVM_STATUS_STOPPED = 4,
	/** The latest run has ended with a fault. */
	AXVM_STATUS_FAILED = 5,
};

/** Why a run ended. An error has priority; otherwise the first cause counts. */
enum axvm_end_reason {
	/** It has not ended, or the VM was reset since. */
	AXVM_END_NONE = 0,
	/** By axvm_runner_stop() or AXVM_STOP. */
	AXVM_END_CLEAN = 1,
	/** The guest powered the machine off: the exit SYSTEM_DOWN. */
	AXVM_END_POWERED_OFF = 2,
	/** The guest requested a reset: the exit SYSTEM_RESET. */
	AXVM_END_RESET = 3,
	/** By axvm_runner_kill(). */
	AXVM_END_FORCED = 4,
	/**
	 * By an error of a handler or a run (`error`), or after an exit by which the guest or the
	 * hypervisor failed (`exit_kind`): SHUTDOWN, INTERNAL_ERROR, FAIL_ENTRY, SYSTEM_CRASH.
	 */
	AXVM_END_FAULT = 5,
};

/** In `vcpu` of struct axvm_status_info: no vCPU caused the end. */
#define AXVM_NO_VCPU UINT32_MAX

/** Status of a VM. Initialise with AXVM_STATUS_INFO_INIT. */
struct axvm_status_info {
	/** sizeof(struct axvm_status_info) */
	size_t size;
	/** enum axvm_status */
	uint32_t status;
	/** enum axvm_end_reason. The members below are valid if it is not AXVM_END_NONE. */
	uint32_t reason;
	/** Id of the vCPU that caused the end, or AXVM_NO_VCPU. */
	uint32_t vcpu;
	/** The negative errno of the handler or the run; 0: no error. */
	int32_t error;
	/** The exit after which the run ended, AXVCPU_EXIT_*; AXVCPU_EXIT_NOTHING: another cause. */
	uint32_t exit_kind;
	uint32_t reserved;
	/** The message of the error, or the exit as text; may be empty. Null-terminated. */
	char text[192];
};
#define AXVM_STATUS_INFO_INIT AXVCPU_INIT(struct axvm_status_info)

/**
 * Reads the status of a VM, and why its latest run ended.
 *
 * Both belong together. They remain after axvm_runner_free(), until the next start or reset. When
 * axvm_runner_join() returns 0 or the error of the run, the status is stopped or failed.
 *
 * @param vm   the VM.
 * @param info receives the status. The caller sets `size`; as many members as fit are written.
 * @return 0; -EINVAL: `size` is too small; -EPERM.
 *
 * Threads: any, including handlers.
 */
AXVCPU_API int axvm_get_status(struct axvm *vm, struct axvm_status_info *info);

/**
 * With axvm_reset(): clears guest memory. Read-only regions and those of AXVM_MEM_FILE keep their
 * contents. The caller must load the guest again before it runs.
 */
#define AXVM_RESET_MEMORY (1u << 0)

/**
 * Resets a whole VM: its interrupt controllers, their lines, and its vCPUs.
 *
 * The vCPUs get the state that axvcpu_setup() gave them, including the entry point, the argument
 * and the power: secondary CPUs are off again, or wait for the guest to start them, if they did so
 * after setup. Pending interrupts, exceptions and open
 * exits are discarded. A VM whose run has ended can then run again. A paused VM stays paused;
 * axvm_runner_resume() starts it at its entry point.
 *
 * The vCPUs must not execute meanwhile: each must be Free, paused, or owned by the calling thread.
 * The caller must ensure that no other thread starts, resumes or changes the VM during the call.
 *
 * These remain: registered event descriptors and routes, debug points, the time-stamp counter of
 * x86 and the counters of arm64 and riscv64, and regions of guest memory. KVM cannot lower the line
 * of an event descriptor with AXVM_EVENT_RESAMPLE on x86; the guest's end of interrupt does that.
 * Memory is cleared by dropping its pages, which the kernel provides again when they are accessed.
 * Huge pages, locked memory, memory of the caller, and memory that the hook map_memory has mapped
 * are overwritten instead.
 *
 * After a failure any part of the VM may have been reset, and the status is unchanged. The call can
 * be repeated.
 *
 * @param vm    the VM.
 * @param flags 0, or AXVM_RESET_MEMORY.
 * @return 0; -EINVAL: unknown flags; -EBADFD: a runner runs the VM and it is not paused, or a vCPU
 *         is Invalid; -EBUSY: a vCPU is used by another thread and is not paused; -ENOTSUP: the
 *         backend has no reset; -ENOMEM; -EPERM; errnos of the kernel.
 *
 * Threads: any except handlers.
 */
AXVCPU_API int axvm_reset(struct axvm *vm, uint32_t flags);

/**
 * Returns the name of a status, such as "running".
 *
 * @param status an enum axvm_status.
 * @return a constant string: the name, or "?" for an unknown number.
 *
 * Threads: any.
 */
AXVCPU_API const char *axvm_status_name(uint32_t status);

/**
 * Returns the name of the reason of an end, such as "powered off".
 *
 * @param reason an enum axvm_end_reason.
 * @return a constant string: the name, or "?" for an unknown number.
 *
 * Threads: any.
 */
AXVCPU_API const char *axvm_end_reason_name(uint32_t reason);

#ifdef __cplusplus
}
#endif

#endif
