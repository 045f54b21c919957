/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* Names of errnos, states, exit kinds and the like; the version. */
#include <errno.h>
#include <limits.h>

#include "axvcpu/axvcpu.h"
#include "lib/base/compiler.h"

#define STRING_(x) #x
#define STRING(x) STRING_(x)

const char *axvcpu_version(void)
{
	return STRING(AXVCPU_VERSION_MAJOR) "." STRING(AXVCPU_VERSION_MINOR) "." STRING(
		AXVCPU_VERSION_PATCH);
}

/* Errnos that the library, KVM, mmap or the scheduler can return. */
static const struct {
	int err;
	const char *name;
} errors[] = {
	{ 0, "OK" },
	{ E2BIG, "E2BIG" },
	{ EACCES, "EACCES" },
	{ EAGAIN, "EAGAIN" },
	{ EALREADY, "EALREADY" },
	{ EBADF, "EBADF" },
	{ EBADFD, "EBADFD" },
	{ EBUSY, "EBUSY" },
	{ ECANCELED, "ECANCELED" },
	{ ECHILD, "ECHILD" },
	{ EEXIST, "EEXIST" },
	{ EFAULT, "EFAULT" },
	{ EFBIG, "EFBIG" },
	{ EHWPOISON, "EHWPOISON" },
	{ EINTR, "EINTR" },
	{ EINVAL, "EINVAL" },
	{ EIO, "EIO" },
	{ EISDIR, "EISDIR" },
	{ EMFILE, "EMFILE" },
	{ ENFILE, "ENFILE" },
	{ ENODEV, "ENODEV" },
	{ ENOENT, "ENOENT" },
	{ ENOEXEC, "ENOEXEC" },
	{ ENOMEM, "ENOMEM" },
	{ ENOSPC, "ENOSPC" },
	{ ENOSYS, "ENOSYS" },
	{ ENOTRECOVERABLE, "ENOTRECOVERABLE" },
	{ ENOTSUP, "ENOTSUP" },
	{ ENOTTY, "ENOTTY" },
	{ ENXIO, "ENXIO" },
	{ EOVERFLOW, "EOVERFLOW" },
	{ EPERM, "EPERM" },
	{ EPIPE, "EPIPE" },
	{ ERANGE, "ERANGE" },
	{ EROFS, "EROFS" },
	{ ESPIPE, "ESPIPE" },
	{ ESRCH, "ESRCH" },
	{ ETIMEDOUT, "ETIMEDOUT" },
};

const char *axvcpu_error_name(int err)
{
	for (size_t i = 0; i < ARRAY_SIZE(errors); i++)
		if (errors[i].err == err || errors[i].err == -(long)err)
			return errors[i].name;
	return "E???";
}

static const char *const states[] = {
	[AXVCPU_INVALID] = "Invalid", [AXVCPU_CREATED] = "Created", [AXVCPU_FREE] = "Free",
	[AXVCPU_READY] = "Ready",     [AXVCPU_RUNNING] = "Running", [AXVCPU_BLOCKED] = "Blocked",
};

const char *axvcpu_state_name(enum axvcpu_state state)
{
	return (unsigned int)state < ARRAY_SIZE(states) ? states[state] : "?";
}

static const char *const statuses[] = {
	[AXVM_STATUS_READY] = "ready",	   [AXVM_STATUS_RUNNING] = "running",
	[AXVM_STATUS_PAUSED] = "paused",   [AXVM_STATUS_STOPPING] = "stopping",
	[AXVM_STATUS_STOPPED] = "stopped", [AXVM_STATUS_FAILED] = "failed",
};

const char *axvm_status_name(uint32_t status)
{
	return status < ARRAY_SIZE(statuses) ? statuses[status] : "?";
}

static const char *const end_reasons[] = {
	[AXVM_END_NONE] = "none",
	[AXVM_END_CLEAN] = "clean",
	[AXVM_END_POWERED_OFF] = "powered off",
	[AXVM_END_RESET] = "reset",
	[AXVM_END_FORCED] = "forced",
	[AXVM_END_FAULT] = "fault",
};

const char *axvm_end_reason_name(uint32_t reason)
{
	return reason < ARRAY_SIZE(end_reasons) ? end_reasons[reason] : "?";
}

static const char *const exits[] = {
	[AXVCPU_EXIT_NOTHING] = "NOTHING",
	[AXVCPU_EXIT_HYPERCALL] = "HYPERCALL",
	[AXVCPU_EXIT_MMIO_READ] = "MMIO_READ",
	[AXVCPU_EXIT_MMIO_WRITE] = "MMIO_WRITE",
	[AXVCPU_EXIT_SYSREG_READ] = "SYSREG_READ",
	[AXVCPU_EXIT_SYSREG_WRITE] = "SYSREG_WRITE",
	[AXVCPU_EXIT_IO_READ] = "IO_READ",
	[AXVCPU_EXIT_IO_WRITE] = "IO_WRITE",
	[AXVCPU_EXIT_EXTERNAL_INTERRUPT] = "EXTERNAL_INTERRUPT",
	[AXVCPU_EXIT_NESTED_PAGE_FAULT] = "NESTED_PAGE_FAULT",
	[AXVCPU_EXIT_HALT] = "HALT",
	[AXVCPU_EXIT_CPU_UP] = "CPU_UP",
	[AXVCPU_EXIT_CPU_DOWN] = "CPU_DOWN",
	[AXVCPU_EXIT_SYSTEM_DOWN] = "SYSTEM_DOWN",
	[AXVCPU_EXIT_FAIL_ENTRY] = "FAIL_ENTRY",
	[AXVCPU_EXIT_SEND_IPI] = "SEND_IPI",
	[AXVCPU_EXIT_SYSTEM_RESET] = "SYSTEM_RESET",
	[AXVCPU_EXIT_SHUTDOWN] = "SHUTDOWN",
	[AXVCPU_EXIT_INTERNAL_ERROR] = "INTERNAL_ERROR",
	[AXVCPU_EXIT_UNHANDLED] = "UNHANDLED",
	[AXVCPU_EXIT_IRQ_WINDOW] = "IRQ_WINDOW",
	[AXVCPU_EXIT_DEBUG] = "DEBUG",
	[AXVCPU_EXIT_NOTIFY] = "NOTIFY",
	[AXVCPU_EXIT_EOI] = "EOI",
	[AXVCPU_EXIT_DEADLINE] = "DEADLINE",
	[AXVCPU_EXIT_SYSTEM_SUSPEND] = "SYSTEM_SUSPEND",
	[AXVCPU_EXIT_SYSTEM_CRASH] = "SYSTEM_CRASH",
	[AXVCPU_EXIT_SYSTEM_WAKEUP] = "SYSTEM_WAKEUP",
};

const char *axvcpu_exit_name(uint32_t kind)
{
	return kind < ARRAY_SIZE(exits) && exits[kind] ? exits[kind] : "?";
}

static const char *const internal_errors[] = {
	[AXVCPU_INTERNAL_UNKNOWN] = "UNKNOWN",
	[AXVCPU_INTERNAL_EMULATION] = "EMULATION",
	[AXVCPU_INTERNAL_SIMUL_EX] = "SIMUL_EX",
	[AXVCPU_INTERNAL_DELIVERY_EV] = "DELIVERY_EV",
	[AXVCPU_INTERNAL_UNEXPECTED_EXIT_REASON] = "UNEXPECTED_EXIT_REASON",
};

const char *axvcpu_internal_error_name(uint32_t error)
{
	return internal_errors[error < ARRAY_SIZE(internal_errors) ? error : 0];
}
