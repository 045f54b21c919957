/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * Every function of lib/host/sys.h, wrapped (ld --wrap): counted, and made to fail where a test wants
 * it. A program that uses it is linked with the library's objects, not with the library.
 */
#ifndef TESTS_INJECTOR_H
#define TESTS_INJECTOR_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "suite.h"

/* A call may fail in more than one way. */
#define INJECTOR_VARIANTS 2u
/* Ways in which tests use it: each variant, for one call or for all that follow, too. */
#define INJECTOR_WAYS (2 * INJECTOR_VARIANTS)

struct injector {
	/* Calls count, and fail, only while this is set. */
	bool armed;
	unsigned int calls;
	/* The call that fails, from 1 up; 0: none. With 'persist' all that follow, too. */
	unsigned int fail_at;
	bool persist;
	/* With which of its errnos. */
	unsigned int variant;

	/* Instead of counting: this ioctl returns 'result' the next 'times' times. */
	unsigned long request;
	int result;
	unsigned int times;
	/* Only after it has been made this many times. */
	unsigned int skip;
	/* How often it was called, 'armed' or not. */
	unsigned int request_calls;
	/* And with which argument, the latest time. */
	uintptr_t request_arg;

	/* Result of axv_sys_open() instead of opening; 0: it opens. */
	int open_result;

	/*
	 * How often a thread gave the CPU up for another one, and how often one slept; 'armed' or
	 * not.
	 */
	atomic_uint yields;
	atomic_uint sleeps;
	/* Called for each of these yields; NULL: not at all. */
	_Atomic(void (*)(void)) waiting;

	/* The first call that was made to fail; NULL if none was. */
	const char *failed;
	/* The result that the library's function must then return. */
	int expected;
	/* The failure need not be reported: the library continues. */
	bool harmless;

	/* Bytes that axv_sys_mmap() gave and axv_sys_munmap() did not take. */
	uint64_t mapped;
	/*
	 * The same for axv_sys_open(), axv_sys_memfd_create() and axv_sys_close(), except KVM's
	 * own.
	 */
	long opened;
	/* Timers that were created and not deleted. */
	atomic_int timers;
};

extern struct injector injector;

/*
 * The way for a step's turn, of as many turns as there is time for: where that is one only, each step
 * has another.
 */
static inline unsigned int injector_way(int step, unsigned int turn)
{
	return ((unsigned int)step + turn) % INJECTOR_WAYS;
}

/*
 * The call that fails after the n-th has: the next one. In an emulated machine a step of many calls
 * has gaps that grow with n, since each call takes a new VM.
 */
static inline unsigned int injector_next(unsigned int n)
{
	return n + 1 + (suite_scale(2) < 2 ? n / 32 : 0);
}

/* Counts from here on; the n-th call fails. 0: none. */
void injector_arm(unsigned int n, unsigned int variant, bool persist);
void injector_disarm(void);

/* The ioctl 'request' is not made but returns 'result', 'times' times. */
void injector_ioctl(unsigned long request, int result, unsigned int times);

#endif
