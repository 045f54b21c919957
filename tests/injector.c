/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
#include "injector.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "lib/host/sys.h"

struct injector injector;

void injector_arm(unsigned int n, unsigned int variant, bool persist)
{
	injector.calls = 0;
	injector.fail_at = n;
	injector.variant = variant;
	injector.persist = persist;
	injector.failed = NULL;
	injector.expected = 0;
	injector.harmless = true;
	injector.armed = true;
}

void injector_disarm(void)
{
	injector.armed = false;
}

void injector_ioctl(unsigned long request, int result, unsigned int times)
{
	injector.request = request;
	injector.result = result;
	injector.times = times;
	injector.skip = 0;
	injector.request_calls = 0;
}

static bool hit(void)
{
	unsigned int call;

	if (!injector.armed)
		return false;
	/* The runner's threads count with the one that makes them. */
	call = __atomic_add_fetch(&injector.calls, 1, __ATOMIC_SEQ_CST);
	return injector.fail_at &&
	       (call == injector.fail_at || (injector.persist && call > injector.fail_at));
}

/* The result of a failing call, by variant, and the library's result if it differs. */
struct failure {
	int err[INJECTOR_VARIANTS];
	int expected[INJECTOR_VARIANTS];
};

/* Whether this call fails; its errno goes to *err. */
static bool fails(const char *what, const struct failure *failure, int *err)
{
	unsigned int v = injector.variant;

	if (!hit())
		return false;
	*err = -failure->err[v];
	/* If several apply, the first one that matters is the library's result. */
	if (injector.harmless) {
		injector.failed = what;
		injector.expected = failure->expected[v] ? -failure->expected[v] : *err;
		injector.harmless = false;
	}
	return true;
}

/* The same for a call whose failure the library rightly ignores: it is made, and then fails. */
static bool fails_harmlessly(const char *what)
{
	if (!hit())
		return false;
	if (!injector.failed)
		injector.failed = what;
	return true;
}

/* Without Check, which is not set up before its tests run. */
static void must_close_on_exec(int does, const char *name)
{
	if (does)
		return;
	fprintf(stderr, "%s is opened for every program to come\n", name);
	abort();
}

/* The linker's names of the wrappers and of the wrapped functions. */
#define WRAP(type, name, ...) \
	type __real_##name(__VA_ARGS__); \
	type __wrap_##name(__VA_ARGS__); \
	type __wrap_##name(__VA_ARGS__)

WRAP(int, axv_sys_open, const char *path, int flags)
{
	static const struct failure failure = { .err = { EMFILE, EACCES } };
	int ret;

	must_close_on_exec(flags & O_CLOEXEC, path);
	if (injector.open_result)
		return injector.open_result;
	if (fails("open", &failure, &ret))
		return ret;
	ret = __real_axv_sys_open(path, flags);
	injector.opened += ret >= 0;
	return ret;
}

WRAP(int, axv_sys_close, int fd)
{
	int ret = __real_axv_sys_close(fd);

	injector.opened -= ret == 0;
	/* Linux closes the descriptor whatever result it returns. */
	return fails_harmlessly("close") ? -EINTR : ret;
}

WRAP(int, axv_sys_dup, int fd)
{
	static const struct failure failure = { .err = { EMFILE, EBADF } };
	int ret;

	if (fails("F_DUPFD_CLOEXEC", &failure, &ret))
		return ret;
	ret = __real_axv_sys_dup(fd);
	injector.opened += ret >= 0;
	return ret;
}

WRAP(int, axv_sys_read, int fd, void *buf, size_t len)
{
	static const struct failure failure = { .err = { EIO, EINTR } };
	int ret;

	return fails("read", &failure, &ret) ? ret : __real_axv_sys_read(fd, buf, len);
}

WRAP(int, axv_sys_write, int fd, const void *buf, size_t len)
{
	static const struct failure failure = { .err = { EIO, EBADF } };
	int ret;

	return fails("write", &failure, &ret) ? ret : __real_axv_sys_write(fd, buf, len);
}

WRAP(int, axv_sys_pread, int fd, void *buf, size_t len, uint64_t offset)
{
	static const struct failure failure = { .err = { EIO, EINTR } };
	int ret;

	return fails("pread", &failure, &ret) ? ret : __real_axv_sys_pread(fd, buf, len, offset);
}

WRAP(int, axv_sys_pwrite, int fd, const void *buf, size_t len, uint64_t offset)
{
	static const struct failure failure = { .err = { ENOSPC, EINTR } };
	int ret;

	return fails("pwrite", &failure, &ret) ? ret : __real_axv_sys_pwrite(fd, buf, len, offset);
}

WRAP(int64_t, axv_sys_lseek, int fd, uint64_t offset, int whence)
{
	static const struct failure failure = { .err = { EBADF, EOVERFLOW } };
	int ret;

	return fails("lseek", &failure, &ret) ? ret : __real_axv_sys_lseek(fd, offset, whence);
}

WRAP(int, axv_sys_eventfd, void)
{
	static const struct failure failure = { .err = { EMFILE, ENOMEM } };
	int ret;

	if (fails("eventfd", &failure, &ret))
		return ret;
	ret = __real_axv_sys_eventfd();
	injector.opened += ret >= 0;
	return ret;
}

WRAP(int, axv_sys_epoll_create, void)
{
	static const struct failure failure = { .err = { EMFILE, ENOMEM } };
	int ret;

	if (fails("epoll_create1", &failure, &ret))
		return ret;
	ret = __real_axv_sys_epoll_create();
	injector.opened += ret >= 0;
	return ret;
}

WRAP(int, axv_sys_epoll_add, int epoll, int fd, uint64_t data)
{
	static const struct failure failure = { .err = { ENOSPC, ENOMEM } };
	int ret;

	return fails("epoll_ctl", &failure, &ret) ? ret : __real_axv_sys_epoll_add(epoll, fd, data);
}

WRAP(int, axv_sys_getdents, int fd, void *entries, size_t len)
{
	static const struct failure failure = { .err = { EIO, EBADF } };
	int ret;

	return fails("getdents64", &failure, &ret) ? ret
						   : __real_axv_sys_getdents(fd, entries, len);
}

static const struct {
	unsigned long request;
	const char *name;
	struct failure failure;
} ioctls[] = {
	{ KVM_GET_API_VERSION, "KVM_GET_API_VERSION", { { ENOTTY, EBADF }, { ENODEV, EBADF } } },
	{ KVM_CREATE_VM, "KVM_CREATE_VM", { { ENOMEM, EMFILE }, { 0 } } },
	{ KVM_GET_VCPU_MMAP_SIZE, "KVM_GET_VCPU_MMAP_SIZE", { { EINVAL, EIO }, { 0 } } },
	{ KVM_CHECK_EXTENSION, "KVM_CHECK_EXTENSION", { { EINVAL, EIO }, { 0 } } },
	{ KVM_CREATE_VCPU, "KVM_CREATE_VCPU", { { ENOMEM, EMFILE }, { 0 } } },
	{ KVM_SET_USER_MEMORY_REGION, "KVM_SET_USER_MEMORY_REGION", { { ENOMEM, EINVAL }, { 0 } } },
	{ KVM_GET_DIRTY_LOG, "KVM_GET_DIRTY_LOG", { { ENOMEM, EFAULT }, { 0 } } },
	{ KVM_RESET_DIRTY_RINGS, "KVM_RESET_DIRTY_RINGS", { { ENOMEM, EINVAL }, { 0 } } },
	/* Errnos that a guest cannot cause: the others are exits. */
	{ KVM_RUN, "KVM_RUN", { { ENOMEM, EBADF }, { 0 } } },
#include "ioctls.inc"
};

/* Whether this ioctl, if it succeeds, leaves a descriptor. */
static bool opens(unsigned long request, uintptr_t arg)
{
	switch (request) {
	case KVM_CREATE_VM:
	case KVM_CREATE_VCPU:
		return true;
	case KVM_CREATE_DEVICE:
		return !(((const struct kvm_create_device *)arg)->flags & KVM_CREATE_DEVICE_TEST);
	default:
		return false;
	}
}

WRAP(int, axv_sys_ioctl, int fd, unsigned long request, uintptr_t arg)
{
	static const struct failure other = { { EIO, EINVAL }, { 0 } };
	const struct failure *failure = &other;
	const char *name = "ioctl";
	int ret;

	if (request == injector.request) {
		injector.request_calls++;
		injector.request_arg = arg;
		if (injector.skip) {
			injector.skip--;
		} else if (injector.times) {
			injector.times--;
			return injector.result;
		}
	}
	for (size_t i = 0; i < sizeof(ioctls) / sizeof(ioctls[0]); i++) {
		if (ioctls[i].request == request) {
			failure = &ioctls[i].failure;
			name = ioctls[i].name;
		}
	}
	if (fails(name, failure, &ret))
		return ret;
	ret = __real_axv_sys_ioctl(fd, request, arg);
	if (ret >= 0)
		injector.opened += opens(request, arg);
	return ret;
}

WRAP(int, axv_sys_mmap, size_t len, int prot, int flags, int fd, uint64_t offset, void **addr)
{
	static const struct failure failure = { .err = { ENOMEM, EAGAIN } };
	int ret;

	if (fails("mmap", &failure, &ret))
		return ret;
	ret = __real_axv_sys_mmap(len, prot, flags, fd, offset, addr);
	if (!ret)
		injector.mapped += len;
	return ret;
}

WRAP(int, axv_sys_munmap, void *addr, size_t len)
{
	int ret = __real_axv_sys_munmap(addr, len);

	if (!ret)
		injector.mapped -= len;
	return fails_harmlessly("munmap") ? -ENOMEM : ret;
}

WRAP(int, axv_sys_madvise, void *addr, size_t len, int advice)
{
	return fails_harmlessly("madvise") ? -EINVAL : __real_axv_sys_madvise(addr, len, advice);
}

WRAP(int, axv_sys_memfd_create, const char *name, unsigned int flags)
{
	static const struct failure failure = { .err = { EMFILE, ENOMEM } };
	int ret;

	must_close_on_exec(flags & MFD_CLOEXEC, name);
	if (fails("memfd_create", &failure, &ret))
		return ret;
	ret = __real_axv_sys_memfd_create(name, flags);
	injector.opened += ret >= 0;
	return ret;
}

WRAP(int, axv_sys_ftruncate, int fd, uint64_t len)
{
	static const struct failure failure = { .err = { EINTR, EFBIG } };
	int ret;

	return fails("ftruncate", &failure, &ret) ? ret : __real_axv_sys_ftruncate(fd, len);
}

WRAP(int, axv_sys_fstat, int fd, struct stat *st)
{
	static const struct failure failure = { .err = { EBADF, EOVERFLOW } };
	int ret;

	return fails("fstat", &failure, &ret) ? ret : __real_axv_sys_fstat(fd, st);
}

/* Without seals, a file may be truncated, and that is all. */
WRAP(int, axv_sys_get_seals, int fd)
{
	return fails_harmlessly("F_GET_SEALS") ? -EINVAL : __real_axv_sys_get_seals(fd);
}

WRAP(int, axv_sys_add_seals, int fd, int seals)
{
	static const struct failure failure = { .err = { EPERM, EBUSY } };
	int ret;

	return fails("F_ADD_SEALS", &failure, &ret) ? ret : __real_axv_sys_add_seals(fd, seals);
}

/* Not EPERM and its like, after which the library copies by itself: tests/test_truncated.c. */
WRAP(ssize_t, axv_sys_copy, pid_t self, void *to, const void *from, size_t len)
{
	static const struct failure failure = { .err = { EFAULT, ENOMEM }, .expected = { EIO, 0 } };
	int ret;

	return fails("process_vm_readv", &failure, &ret) ? ret
							 : __real_axv_sys_copy(self, to, from, len);
}

/* Not EINVAL, by which the kernel asks for a larger set, or refuses all CPUs of one. */
WRAP(int, axv_sys_getaffinity, void *set, size_t size)
{
	static const struct failure failure = { .err = { ESRCH, EPERM } };
	int ret;

	return fails("sched_getaffinity", &failure, &ret) ? ret
							  : __real_axv_sys_getaffinity(set, size);
}

WRAP(int, axv_sys_setaffinity, const void *set, size_t size)
{
	static const struct failure failure = { .err = { EPERM, ENOMEM } };
	int ret;

	return fails("sched_setaffinity", &failure, &ret) ? ret
							  : __real_axv_sys_setaffinity(set, size);
}

WRAP(int, axv_sys_sigaction, int sig, const struct sigaction *act, struct sigaction *old)
{
	static const struct failure failure = { .err = { EINVAL, EFAULT } };
	int ret;

	return fails("sigaction", &failure, &ret) ? ret : __real_axv_sys_sigaction(sig, act, old);
}

WRAP(int, axv_sys_sigmask, int how, const sigset_t *set, sigset_t *old)
{
	static const struct failure failure = { .err = { EINVAL, EFAULT } };
	int ret;

	return fails("pthread_sigmask", &failure, &ret) ? ret
							: __real_axv_sys_sigmask(how, set, old);
}

/* If it says so although it has taken one, the run returns for nothing, which any run may. */
WRAP(int, axv_sys_sigtake, int sig, siginfo_t *info)
{
	int ret = __real_axv_sys_sigtake(sig, info);

	return fails_harmlessly("rt_sigtimedwait") ? -EAGAIN : ret;
}

WRAP(int, axv_sys_timer_create, int sig)
{
	static const struct failure failure = { .err = { EAGAIN, ENOMEM } };
	int ret;

	if (fails("timer_create", &failure, &ret))
		return ret;
	ret = __real_axv_sys_timer_create(sig);
	injector.timers += ret >= 0;
	return ret;
}

WRAP(int, axv_sys_timer_set, int id, int64_t at_ns, int64_t interval_ns)
{
	static const struct failure failure = { .err = { EINVAL, EPERM } };
	int ret;

	return fails("timer_settime", &failure, &ret)
		       ? ret
		       : __real_axv_sys_timer_set(id, at_ns, interval_ns);
}

WRAP(int, axv_sys_timer_delete, int id)
{
	int ret = __real_axv_sys_timer_delete(id);

	injector.timers -= !ret;
	return fails_harmlessly("timer_delete") ? -EINVAL : ret;
}

WRAP(int, axv_sys_tkill, pid_t pid, pid_t tid, int sig)
{
	return fails_harmlessly("tgkill") ? -ESRCH : __real_axv_sys_tkill(pid, tid, sig);
}

WRAP(int, axv_sys_futex_wait, const uint32_t *word, const struct timespec *timeout)
{
	static const struct failure failure = { .err = { EINTR, EFAULT } };
	int ret;

	atomic_fetch_add(&injector.sleeps, 1);
	return fails("futex", &failure, &ret) ? ret : __real_axv_sys_futex_wait(word, timeout);
}

WRAP(int, axv_sys_futex_wake, const uint32_t *word)
{
	return fails_harmlessly("futex") ? -EFAULT : __real_axv_sys_futex_wake(word);
}

WRAP(void, axv_sys_yield, void)
{
	void (*waiting)(void) = atomic_load(&injector.waiting);

	atomic_fetch_add(&injector.yields, 1);
	if (waiting)
		waiting();
	__real_axv_sys_yield();
}

WRAP(int, axv_sys_thread_create, pthread_t *thread, const pthread_attr_t *attr,
     void *(*fn)(void *arg), void *arg)
{
	static const struct failure failure = { .err = { EAGAIN, EPERM } };
	int ret;

	return fails("pthread_create", &failure, &ret)
		       ? ret
		       : __real_axv_sys_thread_create(thread, attr, fn, arg);
}

WRAP(int, axv_sys_setspecific, pthread_key_t key, const void *value)
{
	static const struct failure failure = { .err = { ENOMEM, EINVAL },
						.expected = { ENOMEM, ENOMEM } };
	int ret;

	return fails("pthread_setspecific", &failure, &ret)
		       ? ret
		       : __real_axv_sys_setspecific(key, value);
}

WRAP(int, axv_sys_prctl, int option, unsigned long arg)
{
	static const struct failure failure = { .err = { EPERM, EINVAL } };
	int ret;

	return fails("prctl", &failure, &ret) ? ret : __real_axv_sys_prctl(option, arg);
}

WRAP(int, axv_sys_setgroups, size_t n, const uint32_t *groups)
{
	static const struct failure failure = { .err = { EPERM, ENOMEM } };
	int ret;

	return fails("setgroups", &failure, &ret) ? ret : __real_axv_sys_setgroups(n, groups);
}

WRAP(int, axv_sys_setgid, uint32_t gid)
{
	static const struct failure failure = { .err = { EPERM, EINVAL } };
	int ret;

	return fails("setresgid", &failure, &ret) ? ret : __real_axv_sys_setgid(gid);
}

WRAP(int, axv_sys_setuid, uint32_t uid)
{
	static const struct failure failure = { .err = { EPERM, EAGAIN } };
	int ret;

	return fails("setresuid", &failure, &ret) ? ret : __real_axv_sys_setuid(uid);
}

WRAP(void *, axv_sys_calloc, size_t n, size_t size)
{
	static const struct failure failure = { .err = { ENOMEM, ENOMEM } };
	int ret;

	return fails("calloc", &failure, &ret) ? NULL : __real_axv_sys_calloc(n, size);
}
