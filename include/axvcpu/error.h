/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/**
 * @file error.h
 * Errors: return values and messages.
 *
 * Every function that can fail returns 0 (or a count) on success and a negative errno on failure.
 * On failure it leaves its out-parameters untouched, except the exit of axvcpu_run() and the
 * buffers of functions that copy bytes. It does not set `errno`.
 *
 * Each failure also leaves a message for the calling thread, which axvcpu_last_error() returns. The
 * log hook of the VM receives the same message. These failures leave no message, and
 * axvcpu_last_error() still returns the previous one:
 *
 * - those of functions that may be called from signal handlers;
 * - expected ones: -ETIMEDOUT and -EINTR of axvcpu_block(), -ENOENT of axvcpu_favor_cpu(),
 *   axvcpu_cpu_set() and axvcpu_reg_info();
 * - those of a request that another thread carried out (request.h): the message is left for that
 *   thread.
 *
 * Pointers must not be NULL, except where a comment gives NULL a meaning. The behaviour is
 * otherwise undefined; usually the program crashes. This applies to objects, exits, answers,
 * buffers and out-parameters. axvm_free(), axvcpu_free(), axvm_runner_free() and axpercpu_destroy()
 * accept NULL and do nothing.
 *
 * The library itself returns only the errnos below. All others come from the kernel and are passed
 * on unchanged; the message names the system call.
 *
 * | errno            | meaning                                                                   |
 * | ---------------- | ------------------------------------------------------------------------- |
 * | -EINVAL          | an argument is not valid; the message names it                            |
 * | -E2BIG           | a config uses a member that this version of the library does not know     |
 * | -ENOMEM          | the host is out of memory                                                 |
 * | -ENOTSUP         | the backend, the host or this build does not support it; the message      |
 * |                  | names the missing feature                                                 |
 * | -EBADFD          | the object is in a state that does not allow the call                     |
 * | -EBUSY           | another thread is using the object                                        |
 * | -EPERM           | the VM belongs to another process: this is a forked child (vm.h)          |
 * | -EEXIST          | guest memory or devices overlap, a vCPU of that id exists or existed,      |
 * |                  | another device has that name, or an interrupt number has a route          |
 * | -ENOENT          | there is no such region, frame, register, vCPU, route or end function     |
 * | -EFAULT          | a guest-physical range is not, or not completely, guest memory            |
 * | -EROFS           | the host cannot write to that guest memory                                |
 * | -ENOSPC          | a table or queue is full (memory slots, vCPUs, routes, requests), or an   |
 * |                  | area is too small                                                         |
 * | -ENODEV          | /dev/kvm does not exist, or it is not KVM                                 |
 * | -EACCES          | this user has no permission to open /dev/kvm                              |
 * | -EALREADY        | the object is already on or enabled                                       |
 * | -ECANCELED       | the vCPU was freed before the request was carried out, or a thread of a   |
 * |                  | runner ended in its handler                                               |
 * | -EAGAIN          | no thread can be created at present                                       |
 * | -EINTR           | a signal handler ran while the call waited                                |
 * | -ETIMEDOUT       | the timeout has expired                                                   |
 * | -EIO             | KVM or /proc returned something that the library cannot interpret; or     |
 * |                  | guest memory that is a file is not accessible: the file was truncated, or |
 * |                  | its storage failed; or the memory in a checkpoint file is damaged          |
 * | -ESPIPE          | a checkpoint file is a pipe, a socket or a terminal                       |
 * | -ENOTRECOVERABLE | privileges were dropped only in part: the process must exit               |
 *
 * axvcpu_drop_privileges() also returns -EPERM if a capability is missing.
 */
#ifndef AXVCPU_ERROR_H
#define AXVCPU_ERROR_H

#include <stddef.h>

#if defined(__GNUC__)
#define AXVCPU_API __attribute__((visibility("default")))
#define AXVCPU_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))
#else
#define AXVCPU_API
#define AXVCPU_PRINTF(fmt, args)
#endif

/* For functions that are called at every exit: calls bypass the procedure linkage table. */
#define AXVCPU_API_HOT AXVCPU_API
#if defined(__has_attribute)
#if __has_attribute(__noplt__)
#undef AXVCPU_API_HOT
#define AXVCPU_API_HOT __attribute__((__noplt__, visibility("default")))
#endif
#endif

#ifdef __cplusplus
extern "C" {
#endif

/** Severity of a log message; the values are those of syslog. */
enum axvcpu_log_level {
	AXVCPU_LOG_ERROR = 3,
	AXVCPU_LOG_WARNING = 4,
	AXVCPU_LOG_INFO = 6,
	AXVCPU_LOG_DEBUG = 7,
};

/**
 * Returns the message of the calling thread's latest failure.
 *
 * It names the call, the object, the errno, and if possible what to do.
 *
 * @return the message. The string stays valid and unchanged until the next library call of this
 *         thread fails. It is "" if none has failed yet, and never NULL.
 *
 * Threads: any; each thread has its own message. Not async-signal-safe.
 */
AXVCPU_API const char *axvcpu_last_error(void);

/**
 * Returns the symbolic name of an errno.
 *
 * @param err an errno, negative or positive.
 * @return a constant string: "EINVAL" and so on, "OK" for 0, "E???" for a number without a name.
 *
 * Threads: any, and signal handlers.
 */
AXVCPU_API const char *axvcpu_error_name(int err);

/**
 * Returns the version of the library in use. AXVCPU_VERSION_* is the version of the headers that
 * the program was compiled with.
 *
 * @return a constant string, "major.minor.patch".
 *
 * Threads: any.
 */
AXVCPU_API const char *axvcpu_version(void);

#ifdef __cplusplus
}
#endif

#endif
