/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
#include "lib/host/sys.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "arch_syscall.h"

static inline int result(long ret)
{
	return ret < 0 ? -errno : (int)ret;
}

/* Not libc's functions of these names, which are cancellation points. */
int axv_sys_open(const char *path, int flags)
{
	return result(syscall(SYS_openat, AT_FDCWD, path, flags, 0));
}

int axv_sys_close(int fd)
{
	return result(syscall(SYS_close, fd));
}

int axv_sys_dup(int fd)
{
	return result(fcntl(fd, F_DUPFD_CLOEXEC, 0));
}

int axv_sys_read(int fd, void *buf, size_t len)
{
	return result(syscall(SYS_read, fd, buf, len));
}

int axv_sys_write(int fd, const void *buf, size_t len)
{
	return result(syscall(SYS_write, fd, buf, len));
}

int axv_sys_pread(int fd, void *buf, size_t len, uint64_t offset)
{
	return result(syscall(SYS_pread64, fd, buf, len, (off_t)offset));
}

int axv_sys_pwrite(int fd, const void *buf, size_t len, uint64_t offset)
{
	return result(syscall(SYS_pwrite64, fd, buf, len, (off_t)offset));
}

int64_t axv_sys_lseek(int fd, uint64_t offset, int whence)
{
	const off_t ret = lseek(fd, (off_t)offset, whence);

	return ret < 0 ? -errno : ret;
}

int axv_sys_eventfd(void)
{
	return result(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
}

int axv_sys_epoll_create(void)
{
	return result(epoll_create1(EPOLL_CLOEXEC));
}

int axv_sys_epoll_add(int epoll, int fd, uint64_t data)
{
	struct epoll_event event = { .events = EPOLLIN, .data.u64 = data };

	return result(epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event));
}

int axv_sys_epoll_wait(int epoll, uint64_t *data)
{
	struct epoll_event event;
	/* Not the libc function, which is a cancellation point. */
	int ret = result(syscall(SYS_epoll_pwait, epoll, &event, 1, -1, NULL, 8));

	if (ret > 0)
		*data = event.data.u64;
	return ret;
}

int axv_sys_getdents(int fd, void *entries, size_t len)
{
	return result(syscall(SYS_getdents64, fd, entries, len));
}

int axv_sys_ioctl(int fd, unsigned long request, uintptr_t arg)
{
	return (int)axv_arch_syscall3(SYS_ioctl, fd, (long)request, (long)arg);
}

int axv_sys_mmap(size_t len, int prot, int flags, int fd, uint64_t offset, void **addr)
{
	void *p = mmap(NULL, len, prot, flags, fd, (off_t)offset);

	if (p == MAP_FAILED)
		return -errno;
	*addr = p;
	return 0;
}

int axv_sys_munmap(void *addr, size_t len)
{
	return result(munmap(addr, len));
}

int axv_sys_madvise(void *addr, size_t len, int advice)
{
	return result(madvise(addr, len, advice));
}

int axv_sys_memfd_create(const char *name, unsigned int flags)
{
	return result(memfd_create(name, flags));
}

int axv_sys_ftruncate(int fd, uint64_t len)
{
	return result(ftruncate(fd, (off_t)len));
}

int axv_sys_fstat(int fd, struct stat *st)
{
	return result(fstat(fd, st));
}

int axv_sys_get_seals(int fd)
{
	return result(fcntl(fd, F_GET_SEALS));
}

int axv_sys_add_seals(int fd, int seals)
{
	return result(fcntl(fd, F_ADD_SEALS, seals));
}

ssize_t axv_sys_copy(pid_t self, void *to, const void *from, size_t len)
{
	const struct iovec local = { to, len }, remote = { (void *)(uintptr_t)from, len };
	ssize_t ret = process_vm_readv(self, &local, 1, &remote, 1, 0);

	return ret < 0 ? -errno : ret;
}

int axv_sys_getaffinity(void *set, size_t size)
{
	/* Not the libc function, which does not return how many bytes the kernel wrote. */
	return result(syscall(SYS_sched_getaffinity, 0, size, set));
}

int axv_sys_setaffinity(const void *set, size_t size)
{
	return result(syscall(SYS_sched_setaffinity, 0, size, set));
}

int axv_sys_sigaction(int sig, const struct sigaction *act, struct sigaction *old)
{
	return result(sigaction(sig, act, old));
}

int axv_sys_sigmask(int how, const sigset_t *set, sigset_t *old)
{
	return -pthread_sigmask(how, set, old);
}

int axv_sys_sigtake(int sig, siginfo_t *info)
{
	/* Not the libc function, which is a cancellation point. */
	static const struct timespec now;
	const uint64_t set = UINT64_C(1) << (sig - 1);

	return result(syscall(SYS_rt_sigtimedwait, &set, info, &now, sizeof(set)));
}

/* Of <linux/time.h>, which cannot be included beside libc's <time.h>. */
#ifndef sigev_notify_thread_id
#define sigev_notify_thread_id _sigev_un._tid
#endif

int axv_sys_timer_create(int sig)
{
	struct sigevent event = { .sigev_notify = SIGEV_THREAD_ID, .sigev_signo = sig };
	int id = -1, ret;

	event.sigev_notify_thread_id = gettid();
	ret = result(syscall(SYS_timer_create, CLOCK_MONOTONIC, &event, &id));
	return ret ? ret : id;
}

int axv_sys_timer_set(int id, int64_t at_ns, int64_t interval_ns)
{
	/* As the kernel has it on all 64-bit architectures. */
	const struct {
		int64_t interval[2];
		int64_t value[2];
	} time = {
		.interval = { interval_ns / 1000000000, interval_ns % 1000000000 },
		.value = { at_ns / 1000000000, at_ns % 1000000000 },
	};

	return result(syscall(SYS_timer_settime, id, TIMER_ABSTIME, &time, NULL));
}

int axv_sys_timer_delete(int id)
{
	return result(syscall(SYS_timer_delete, id));
}

int axv_sys_tkill(pid_t pid, pid_t tid, int sig)
{
	return (int)axv_arch_syscall3(SYS_tgkill, pid, tid, sig);
}

int axv_sys_futex_wait(const uint32_t *word, const struct timespec *timeout)
{
	return result(syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, 0, timeout));
}

int axv_sys_futex_wake(const uint32_t *word)
{
	return (int)axv_arch_syscall3(SYS_futex, (long)word, FUTEX_WAKE_PRIVATE, 1);
}

void axv_sys_yield(void)
{
	sched_yield();
}

int axv_sys_thread_create(pthread_t *thread, const pthread_attr_t *attr, void *(*fn)(void *arg),
			  void *arg)
{
	return -pthread_create(thread, attr, fn, arg);
}

int axv_sys_setspecific(pthread_key_t key, const void *value)
{
	return -pthread_setspecific(key, value);
}

int axv_sys_prctl(int option, unsigned long arg)
{
	return result(prctl(option, arg, 0ul, 0ul, 0ul));
}

int axv_sys_setgroups(size_t n, const uint32_t *groups)
{
	return result(syscall(SYS_setgroups, n, groups));
}

int axv_sys_setgid(uint32_t gid)
{
	return result(syscall(SYS_setresgid, gid, gid, gid));
}

int axv_sys_setuid(uint32_t uid)
{
	return result(syscall(SYS_setresuid, uid, uid, uid));
}

static int64_t read_clock(clockid_t id)
{
	struct timespec ts;

	clock_gettime(id, &ts);
	return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

int64_t axv_sys_now_ns(void)
{
	return read_clock(CLOCK_MONOTONIC);
}

int64_t axv_sys_realtime_ns(void)
{
	return read_clock(CLOCK_REALTIME);
}

void *axv_sys_calloc(size_t n, size_t size)
{
	return calloc(n, size);
}
