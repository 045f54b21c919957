/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* What C11 lacks. */
#ifndef LIB_COMPILER_H
#define LIB_COMPILER_H

#define likely(x) __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)
#define noinline __attribute__((__noinline__))
#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

#endif
