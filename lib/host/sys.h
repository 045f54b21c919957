/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * All system calls and allocations of the library. Tests wrap these functions at link time (ld
 * --wrap) to make any of them fail; the cost in the library is a direct call.
 *
 * Each returns 0 or a positive value, or a negative errno; errno is not used. None is a
 * cancellation point: a thread that ends in one would leave locks held.
 */
#ifndef LIB_SYS_H
#define LIB_SYS_H

#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <time.h>

#ifdef AXVCPU_SYS_INLINE
#include <sys/syscall.h>

#include "arch_syscall.h"
#endif

int axv_sys_open(const char *path, int flags);
int axv_sys_close(int fd);
/* A second descriptor of the same file, closed by execve(). */
int axv_sys_dup(int fd);
/* Returns the number of bytes read. */
int axv_sys_read(int fd, void *buf, size_t len);
/* Returns the number of bytes written. */
int axv_sys_write(int fd, const void *buf, size_t len);
/* The same at an offset. */
int axv_sys_pread(int fd, void *buf, size_t len, uint64_t offset);
int axv_sys_pwrite(int fd, const void *buf, size_t len, uint64_t offset);
/* Returns the new position. */
int64_t axv_sys_lseek(int fd, uint64_t offset, int whence);
/* A new eventfd, which does not block. */
int axv_sys_eventfd(void);
int axv_sys_epoll_create(void);
/* Waits for 'fd' to become readable, too. axv_sys_epoll_wait() then stores 'data'. */
int axv_sys_epoll_add(int epoll, int fd, uint64_t data);
/* Waits until one descriptor is readable. */
int axv_sys_epoll_wait(int epoll, uint64_t *data);
/* Reads directory entries, each a struct dirent. Returns the number of bytes; 0 at the end. */
int axv_sys_getdents(int fd, void *entries, size_t len);
/* Enters the kernel directly, without libc. */
int axv_sys_ioctl(int fd, unsigned long request, uintptr_t arg);
int axv_sys_mmap(size_t len, int prot, int flags, int fd, uint64_t offset, void **addr);
int axv_sys_munmap(void *addr, size_t len);
int axv_sys_madvise(void *addr, size_t len, int advice);
int axv_sys_memfd_create(const char *name, unsigned int flags);
int axv_sys_ftruncate(int fd, uint64_t len);
int axv_sys_fstat(int fd, struct stat *st);
/* Returns the seals of a memfd, F_SEAL_*; -EINVAL for any other file. */
int axv_sys_get_seals(int fd);
int axv_sys_add_seals(int fd, int seals);
/*
 * Lets the kernel copy within this process, whose id is 'self': a page that cannot be accessed is
 * -EFAULT instead of a signal. Returns the number of bytes copied, which may be less than 'len'.
 */
ssize_t axv_sys_copy(pid_t self, void *to, const void *from, size_t len);
/* The calling thread's CPU set. The first returns the number of bytes that the kernel wrote. */
int axv_sys_getaffinity(void *set, size_t size);
int axv_sys_setaffinity(const void *set, size_t size);
int axv_sys_sigaction(int sig, const struct sigaction *act, struct sigaction *old);
int axv_sys_sigmask(int how, const sigset_t *set, sigset_t *old);
/*
 * Consumes a pending signal that the calling thread blocks, without running its handler. Returns
 * the signal, with its siginfo in '*info', or -EAGAIN if it is not pending.
 */
int axv_sys_sigtake(int sig, siginfo_t *info);
/* Creates a timer of CLOCK_MONOTONIC that sends 'sig' to the calling thread. Returns its id. */
int axv_sys_timer_create(int sig);
/* Sets a timer to a time, and to repeat after that. Time 0 stops it, interval 0 does not repeat. */
int axv_sys_timer_set(int id, int64_t at_ns, int64_t interval_ns);
int axv_sys_timer_delete(int id);
/* Sends a signal to one thread of a process. Async-signal-safe. */
int axv_sys_tkill(pid_t pid, pid_t tid, int sig);
/* Private futexes. The first waits while *word is 0. */
int axv_sys_futex_wait(const uint32_t *word, const struct timespec *timeout);
int axv_sys_futex_wake(const uint32_t *word);
/* Cannot fail. */
void axv_sys_yield(void);
int axv_sys_thread_create(pthread_t *thread, const pthread_attr_t *attr, void *(*fn)(void *arg),
			  void *arg);
int axv_sys_setspecific(pthread_key_t key, const void *value);
/* For operations with at most one argument. */
int axv_sys_prctl(int option, unsigned long arg);
/*
 * Set all ids (real, effective, saved, file system) of the calling thread only. The libc functions
 * change all threads, and abort the process if one of them cannot be changed.
 */
int axv_sys_setgroups(size_t n, const uint32_t *groups);
int axv_sys_setgid(uint32_t gid);
int axv_sys_setuid(uint32_t uid);
/* CLOCK_MONOTONIC in nanoseconds. Cannot fail. */
int64_t axv_sys_now_ns(void);
/* CLOCK_REALTIME in nanoseconds. Cannot fail. */
int64_t axv_sys_realtime_ns(void);
/* NULL when out of memory. Released by free(). */
void *axv_sys_calloc(size_t n, size_t size);

/*
 * axv_sys_ioctl() without an argument, for KVM_RUN: inline in the shipped library; a call, which
 * tests can wrap, in the objects that tests link.
 */
static inline long axv_sys_ioctl_hot(int fd, unsigned long request)
{
#ifdef AXVCPU_SYS_INLINE
	return axv_arch_syscall3(SYS_ioctl, fd, (long)request, 0);
#else
	return axv_sys_ioctl(fd, request, 0);
#endif
}

#endif
