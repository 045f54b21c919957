/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/**
 * @file runner.h
 * The runner: one thread for each vCPU of a VM.
 *
 * Each thread binds its vCPU, runs it, and calls a handler for its exits, until a handler or
 * another thread stops the runner. A VM has one runner at a time: the next one can start when the
 * threads of the previous one have ended. life.h has the status of the VM.
 *
 * The threads block all signals except the kick signal of the VM and those that report errors
 * (SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGSYS, SIGABRT).
 */
#ifndef AXVCPU_RUNNER_H
#define AXVCPU_RUNNER_H

#include <stddef.h>
#include <stdint.h>

#include <axvcpu/error.h>
#include <axvcpu/exit.h>
#include <axvcpu/init.h>

#ifdef __cplusplus
extern "C" {
#endif

struct axvm;
struct axvcpu;
struct axvm_runner;

/** Returned by a handler to continue. */
#define AXVM_CONTINUE 0
/** Returned by a handler to stop all vCPUs. */
#define AXVM_STOP 1

/**
 * The handler gets all exits, including accesses to devices, and calls axvcpu_dispatch(). Without
 * this flag, the runner calls it first, and the handler does not get exits that a device handles.
 * If such an exit also answers a kick, the handler gets a NOTHING exit with `kicked`.
 */
#define AXVM_RUNNER_ALL_EXITS (1u << 0)

/**
 * Configuration for axvm_runner_start(). Initialise with AXVM_RUNNER_CONFIG_INIT. A handler returns
 * AXVM_CONTINUE or AXVM_STOP.
 */
struct axvm_runner_config {
	/** sizeof(struct axvm_runner_config) */
	size_t size;
	/**
	 * Called for every exit that no device handles (device.h), including NOTHING, by the thread
	 * that owns the vCPU. It may answer
	 * the exit, block, and send requests to any vCPU. It may end its thread by pthread_exit():
	 * the vCPU is then unbound, and the others stop. If the thread is cancelled, that takes
	 * effect only in the handler, at the next cancellation point, with the same result.
	 *
	 * @param vcpu the vCPU.
	 * @param exit the exit.
	 * @param ctx  `ctx` of this config.
	 * @return AXVM_CONTINUE, AXVM_STOP, or a negative errno, which stops all vCPUs and which
	 *         axvm_runner_join() returns.
	 */
	int (*handler)(struct axvcpu *vcpu, struct axvcpu_exit *exit, void *ctx);
	/** Passed to the handler. */
	void *ctx;
	/**
	 * The vCPUs to run, all in state Free. The array is copied. NULL, with `nvcpus` 0: all
	 * vCPUs of the VM.
	 */
	struct axvcpu *const *vcpus;
	/** Number of elements of `vcpus`. */
	size_t nvcpus;
	/**
	 * Prefix of the names of the threads, before the id of the vCPU; NULL: "vcpu". Its first 7
	 * characters are used. Copied.
	 */
	const char *name;
	/** Size of the stack of each thread in bytes; 0: the default of the system. */
	size_t stack_size;
	/**
	 * Longest time of a run in nanoseconds, after which the handler gets a DEADLINE exit
	 * (axvcpu_run_for()); 0 or negative: no limit.
	 */
	int64_t budget_ns;
	/** AXVM_RUNNER_* */
	uint32_t flags;
	uint32_t reserved;
};
#define AXVM_RUNNER_CONFIG_INIT AXVCPU_INIT(struct axvm_runner_config)

/**
 * Starts a thread for each vCPU. Afterwards either all of them run, or none.
 *
 * It calls axvm_finalize() if that has not been done, and returns when all threads have bound their
 * vCPUs.
 *
 * @param vm     the VM.
 * @param config the vCPUs and the handler.
 * @param runner receives the runner, which must be freed before the vCPUs.
 * @return 0; -EINVAL, -E2BIG: the config is not valid; -EBADFD: a vCPU is not Free, or a runner
 *         runs the VM; -EAGAIN; -ENOMEM; -EPERM; errnos of axvm_finalize() and axvcpu_bind().
 *
 * Threads: any.
 */
AXVCPU_API int axvm_runner_start(struct axvm *vm, const struct axvm_runner_config *config,
				 struct axvm_runner **runner);

/**
 * Asks all threads of a runner to end. Each vCPU is kicked, and its thread ends when the handler
 * has returned from the exit.
 *
 * It does not wait, and leaves no message on failure.
 *
 * @param runner the runner.
 * @return 0; -EPERM.
 *
 * Threads: any, including handlers, and signal handlers.
 */
AXVCPU_API int axvm_runner_stop(struct axvm_runner *runner);

/**
 * Stops a runner, and ends handlers that block.
 *
 * This is axvm_runner_stop(), and cancels the threads (pthread_cancel()). That takes effect in the
 * handlers only, at cancellation points such as read() or nanosleep(). A handler that calls none
 * cannot be ended; the call does not wait for it. The reason of the end is then AXVM_END_FORCED,
 * unless the guest or an error has ended the run before. axvm_runner_join() returns -ECANCELED if a
 * handler was ended.
 *
 * @param runner the runner.
 * @return 0; -EPERM.
 *
 * Threads: any, including handlers.
 */
AXVCPU_API int axvm_runner_kill(struct axvm_runner *runner);

/**
 * Waits until all threads of a runner have ended.
 *
 * @param runner     the runner.
 * @param timeout_ns longest time to wait, in nanoseconds; negative: no limit.
 * @return 0: stopped by AXVM_STOP or axvm_runner_stop(); -ETIMEDOUT: vCPUs are still running;
 *         -ECANCELED: a thread has ended in its handler, by pthread_exit() or cancellation; -EBUSY:
 *         called by a thread of the runner; -EPERM; errnos of the first handler, device, run or
 *         unbind that failed.
 *
 * Threads: any except those of the runner.
 */
AXVCPU_API int axvm_runner_join(struct axvm_runner *runner, int64_t timeout_ns);

/**
 * Pauses all vCPUs of a runner, and waits until none of them is in the guest.
 *
 * A vCPU whose thread is in the handler pauses when the handler returns. If the call fails, all
 * vCPUs are resumed, including those that were paused before the call. The end of the runner also
 * resumes them.
 *
 * @param runner     the runner.
 * @param timeout_ns longest time to wait, in nanoseconds; negative: no limit.
 * @return 0; -ETIMEDOUT: a vCPU was not paused in time; -EBADFD: the runner was stopped; -EBUSY:
 *         called by a thread of the runner; -ECANCELED: a vCPU was freed; -ENOMEM; -ENOSPC: a
 *         request queue is full; -EPERM.
 *
 * Threads: any except those of the runner.
 */
AXVCPU_API int axvm_runner_pause(struct axvm_runner *runner, int64_t timeout_ns);

/**
 * Resumes all vCPUs of a runner.
 *
 * @param runner the runner.
 * @return 0; -EBADFD: the runner was stopped; -ENOMEM; -ENOSPC: a request queue is full; -EPERM.
 *
 * Threads: any.
 */
AXVCPU_API int axvm_runner_resume(struct axvm_runner *runner);

/**
 * Stops a runner, waits for its threads, and frees it. Its vCPUs are Free again.
 *
 * The runner is freed even if a handler or a run has failed. In a forked child, which has none of
 * the threads, the call frees the copy and returns 0.
 *
 * @param runner the runner; may be NULL, then nothing happens.
 * @return 0: stopped by AXVM_STOP or axvm_runner_stop(); -EBUSY: called by a thread of the runner,
 *         which was not freed; -ECANCELED: a thread has ended in its handler; errnos of the first
 *         handler or run that failed.
 *
 * Threads: any except those of the runner. The caller must ensure that no other thread uses the
 * runner any more.
 */
AXVCPU_API int axvm_runner_free(struct axvm_runner *runner);

#ifdef __cplusplus
}
#endif

#endif
