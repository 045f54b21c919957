/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* How long to wait: deadlines, and waits for a moment that nothing announces. */
#ifndef LIB_WAIT_H
#define LIB_WAIT_H

#include <stdint.h>
#include <time.h>

/* A deadline that never comes. */
#define NO_DEADLINE INT64_MAX

/* The time of CLOCK_MONOTONIC in 'timeout_ns'; NO_DEADLINE if that is negative, or does not fit. */
int64_t axv_deadline_in(int64_t timeout_ns);
/* Nanoseconds until then: 0 when it is over, NO_DEADLINE for NO_DEADLINE. */
int64_t axv_deadline_left(int64_t deadline);
struct timespec axv_timespec_of(int64_t ns);

/*
 * Waits once more for another thread that is at something brief and wakes no one: yields at first,
 * then sleeps, longer every time, so that a thread of lower priority gets the CPU, too. '*waits'
 * counts; it begins at 0.
 */
void axv_wait_briefly(unsigned int *waits);

#endif
