/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/**
 * @file error.h
 * How failures are reported.
 *
 * A pointer must not be NULL: the behaviour is undefined then, as a rule a crash. That goes for objects,
 * exits, answers, buffers and out-parameters. The exceptions: axvm_free(), axvcpu_free(),
 * axvm_runner_free() and axpercpu_destroy() of NULL do nothing, and where a comment gives NULL a
 * meaning, as for most configs, it has that.
 *
 * Every function that can fail returns 0 (or a count) or a negative errno, and leaves its
 * out-parameters untouched on failure. The value of `errno` itself is not part of the API.
 *
 * The library's own errnos, a closed set:
 *
 * | errno            | meaning                                                                   |
 * | ---------------- | ------------------------------------------------------------------------- |
 * | -EINVAL          | an argument makes no sense; the message names it                          |
 * | -E2BIG           | a config is newer than this library and uses a field unknown to it        |
 * | -ENOMEM          | out of host memory                                                        |
 * | -ENOTSUP         | this backend, host or build cannot do it; the message names what lacks    |
 * | -EBADFD          | the vCPU or per-CPU state is in a state that does not allow the call      |
 * | -EBUSY           | another thread is inside the vCPU, or the object is still in use          |
 * | -EPERM           | the VM was created by another process, of which this is a forked child    |
 * |                  | (vm.h): any call on a VM, vCPU or runner; or a capability is missing      |
 * | -EEXIST          | guest memory overlaps, or a vCPU of that id exists or existed             |
 * | -ENOENT          | there is no such region, frame, register or vCPU                          |
 * | -EFAULT          | a guest-physical range is not (wholly) guest memory                       |
 * | -EROFS           | the host has no write access to that guest memory                         |
 * | -ENOSPC          | a table is full: memory slots, vCPUs, routes, interrupts and requests     |
 * |                  | that wait; or an area given is too small                                  |
 * | -ENODEV          | there is no /dev/kvm, or it is not KVM                                    |
 * | -EACCES          | /dev/kvm may not be opened by this user                                   |
 * | -EALREADY        | it is on, or enabled, already                                             |
 * | -ECANCELED       | the vCPU was freed before the request was begun; or a thread of a runner  |
 * |                  | has ended in its handler                                                  |
 * | -EAGAIN          | a thread cannot be made now                                               |
 * | -EINTR           | a signal handler ran while the call waited                                |
 * | -ETIMEDOUT       | the given time has passed                                                 |
 * | -EIO             | KVM or /proc answered with something that cannot be interpreted; or guest |
 * |                  | memory that is a file is gone: it was truncated, or its storage fails     |
 * | -ENOTRECOVERABLE | privileges are half dropped: the process must exit                        |
 *
 * Any other errno comes from the kernel, unchanged; the message says from which call.
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

/* What is called for every exit: past the procedure linkage table. */
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
 * The calling thread's latest failure message: which call, on what, errno, and a hint.
 *
 * @return a string that stays valid and unchanged until the next library call of this thread
 *         fails; "" if none has failed yet. Never NULL.
 *
 * Threads: any; each sees only its own messages. Not async-signal-safe.
 */
AXVCPU_API const char *axvcpu_last_error(void);

/**
 * The symbolic name of an errno.
 *
 * @param err an errno, negative or positive.
 * @return "EINVAL" and so on; "OK" for 0; "E???" for a number without a name. A constant string.
 *
 * Threads: any. Async-signal-safe.
 */
AXVCPU_API const char *axvcpu_error_name(int err);

/** The version of the library in use, "major.minor.patch". A constant string; any thread. */
AXVCPU_API const char *axvcpu_version(void);

#ifdef __cplusplus
}
#endif

#endif
