/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* The kick signal. */
#ifndef LIB_KICK_H
#define LIB_KICK_H

#include <signal.h>

struct axvm;

/*
 * Checks the caller's signal; if 'sig' is 0, chooses one and installs an empty handler. Returns the
 * signal, or a negative errno with a message.
 */
int axv_kick_signal_choose(const struct axvm *vm, int sig);

/* Unblocks the signal in the calling thread; 'old' receives the earlier mask. */
int axv_kick_signal_unblock(const struct axvm *vm, sigset_t *old);
/* Blocks the signal again if it is blocked in 'old'. */
int axv_kick_signal_restore(const struct axvm *vm, const sigset_t *old);

#endif
