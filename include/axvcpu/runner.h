/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/**
 * @file runner.h
 * The runner: a thread for every vCPU, which binds it, runs it and calls a handler for its exits,
 * until somebody says stop.
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

/** What a handler returns to go on. */
#define AXVM_CONTINUE 0
/** What a handler returns to end the VM. */
#define AXVM_STOP 1

/** What to run and how. Initialise with AXVM_RUNNER_CONFIG_INIT. */
struct axvm_runner_config {
	/** sizeof(struct axvm_runner_config) */
	size_t size;
	/**
	 * Called for every exit, by the vCPU's own thread, which is its owner: it may answer,
	 * block, and ask for anything of any vCPU. It may end its thread by pthread_exit(): the
	 * vCPU is given up, and the others stop. A cancellation of the thread takes effect in the
	 * handler alone, at the next cancellation point, with the same result.
	 *
	 * @param ctx  as given here.
	 * @return AXVM_CONTINUE, AXVM_STOP, or a negative errno, with which the VM then ends.
	 */
	int (*handler)(struct axvcpu *vcpu, struct axvcpu_exit *exit, void *ctx);
	void *ctx;
	/** The vCPUs, all Free. */
	struct axvcpu *const *vcpus;
	size_t nvcpus;
	/**
	 * The threads are named this and the vCPU's number; NULL: "vcpu". Linux shows 15 characters.
	 */
	const char *name;
	/** Bytes of each thread's stack; 0: the system's default. */
	size_t stack_size;
};
#define AXVM_RUNNER_CONFIG_INIT AXVCPU_INIT(struct axvm_runner_config)

/**
 * Starts the threads. Either all of them run afterwards, or none.
 *
 * @param runner receives the runner, which must be freed before the vCPUs.
 * @return 0; -EINVAL, -E2BIG: the config; -EBADFD: a vCPU is not Free; -EAGAIN, -ENOMEM: a thread
 *         cannot be made; or what bind returned.
 *
 * Threads: any.
 */
AXVCPU_API int axvm_runner_start(struct axvm *vm, const struct axvm_runner_config *config,
				 struct axvm_runner **runner);

/**
 * Asks all threads to end; each does after the exit that it is at. Does not wait.
 *
 * @return 0; -EPERM, without a message. Threads: any, handlers and signal handlers included.
 */
AXVCPU_API int axvm_runner_stop(struct axvm_runner *runner);

/**
 * Waits until all threads have ended.
 *
 * @param timeout_ns how long at most, in nanoseconds; negative: without a limit.
 * @return 0: ended by AXVM_STOP or axvm_runner_stop(); -ETIMEDOUT: not yet; else the first error:
 *         of a handler, or of a run; -ECANCELED: a thread has ended in its handler, by
 *         pthread_exit() or a cancellation.
 *
 * Threads: any but the runner's own (-EBUSY).
 */
AXVCPU_API int axvm_runner_join(struct axvm_runner *runner, int64_t timeout_ns);

/**
 * Pauses all vCPUs and waits until none is in the guest. Those in a handler pause when it returns.
 *
 * @return as axvcpu_pause(); if it fails, those paused already go on. Threads: any but the
 *         runner's own (-EBUSY).
 */
AXVCPU_API int axvm_runner_pause(struct axvm_runner *runner, int64_t timeout_ns);

/** Lets all go on. @return as axvcpu_resume(). Threads: any. */
AXVCPU_API int axvm_runner_resume(struct axvm_runner *runner);

/**
 * Stops, joins and frees. The vCPUs are Free again.
 *
 * @param runner the runner; NULL is nothing.
 * @return as axvm_runner_join() without a limit; in a forked child, which has none of the threads, 0.
 *         Threads: one, not the runner's own.
 */
AXVCPU_API int axvm_runner_free(struct axvm_runner *runner);

#ifdef __cplusplus
}
#endif

#endif
