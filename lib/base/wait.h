/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* Deadlines, and short waits for a condition that no futex announces. */
#ifndef LIB_WAIT_H
#define LIB_WAIT_H

#include <stdint.h>
#include <time.h>

/* No deadline: wait without limit. */
#define NO_DEADLINE INT64_MAX

/*
 * Returns the CLOCK_MONOTONIC time 'timeout_ns' from now; NO_DEADLINE if 'timeout_ns' is negative
 * or the sum does not fit.
 */
int64_t axv_deadline_in(int64_t timeout_ns);
/* Returns the nanoseconds until the deadline: 0 if it has passed, NO_DEADLINE for NO_DEADLINE. */
int64_t axv_deadline_left(int64_t deadline);
struct timespec axv_timespec_of(int64_t ns);

/*
 * One step of waiting for another thread's short operation, which wakes no futex: yields at first,
 * then sleeps, longer each time, so that a thread of lower priority also gets the CPU. '*waits'
 * counts the steps; the caller starts it at 0.
 */
void axv_wait_briefly(unsigned int *waits);

#endif
