/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* Shared by all measuring programs. */
#ifndef BENCH_BENCH_H
#define BENCH_BENCH_H

#include <stddef.h>
#include <stdint.h>

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/* Ends the program with a message and status 1. */
_Noreturn void __attribute__((format(printf, 1, 2))) die(const char *fmt, ...);
/* Does so if the library has returned an errno. */
void check(int ret);
/* CLOCK_MONOTONIC, in nanoseconds. */
double now_ns(void);
/* Sorts 'values' and returns the one that 'part', 0 to 1, of them do not exceed. */
double quantile(double *values, size_t n, double part);

#endif
