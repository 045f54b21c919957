/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* The signals of threads that the library creates. */
#ifndef LIB_SIGNALS_H
#define LIB_SIGNALS_H

#include <signal.h>
#include <stddef.h>

#include "lib/base/compiler.h"

/*
 * Leaves the program's signals to its other threads: blocks them in the caller, for the threads that
 * it creates then. Synchronous signals stay unblocked.
 */
static inline void axv_signals_block(sigset_t *old)
{
	static const int own[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGSYS, SIGABRT };
	sigset_t mask;

	sigfillset(&mask);
	for (size_t i = 0; i < ARRAY_SIZE(own); i++)
		sigdelset(&mask, own[i]);
	pthread_sigmask(SIG_BLOCK, &mask, old);
}

#endif
