/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
#include "lib/base/wait.h"

#include "lib/host/sys.h"

#define NS_PER_S 1000000000

/* Yields before the first sleep: a short operation on another CPU usually ends within these. */
#define YIELDS 16
#define SLEEP_MIN_NS 20000
/* SLEEP_MIN_NS is doubled at most this many times, to 1.28 ms. */
#define DOUBLINGS 6

int64_t axv_deadline_in(int64_t timeout_ns)
{
	int64_t now;

	if (timeout_ns < 0)
		return NO_DEADLINE;
	now = axv_sys_now_ns();
	return timeout_ns < NO_DEADLINE - now ? now + timeout_ns : NO_DEADLINE;
}

int64_t axv_deadline_left(int64_t deadline)
{
	int64_t now;

	if (deadline == NO_DEADLINE)
		return NO_DEADLINE;
	now = axv_sys_now_ns();
	return deadline > now ? deadline - now : 0;
}

struct timespec axv_timespec_of(int64_t ns)
{
	return (struct timespec){ .tv_sec = ns / NS_PER_S, .tv_nsec = ns % NS_PER_S };
}

void axv_wait_briefly(unsigned int *waits)
{
	/*
	 * A futex that never changes: its timeout is the sleep, so no other system call is needed.
	 */
	static const uint32_t never;
	unsigned int sleeps = *waits - YIELDS;
	struct timespec ts;

	if ((*waits)++ < YIELDS) {
		axv_sys_yield();
		return;
	}
	ts = axv_timespec_of((int64_t)SLEEP_MIN_NS << (sleeps < DOUBLINGS ? sleeps : DOUBLINGS));
	axv_sys_futex_wait(&never, &ts);
}
