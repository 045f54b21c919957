/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * Included before each source file, unless configured with --disable-hardening: makes libc's
 * functions check buffer sizes. Not without optimization, as libc then warns. A value from the
 * user's flags or the compiler is kept.
 */
#if defined(__OPTIMIZE__) && !defined(_FORTIFY_SOURCE) && !defined(__SANITIZE_ADDRESS__)
#define _FORTIFY_SOURCE 2
#ifdef __has_builtin
#if __has_builtin(__builtin_dynamic_object_size)
#undef _FORTIFY_SOURCE
#define _FORTIFY_SOURCE 3
#endif
#endif
#endif
