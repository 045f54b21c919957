/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* The kick signal. */
#ifndef LIB_KICK_H
#define LIB_KICK_H

#include <signal.h>

struct axvm;

/*
 * Checks the caller's signal, or finds one and gives it an empty handler if 'sig' is 0. Returns
 * the signal, or a negative errno with a message.
 */
int axv_kick_signal_choose(const struct axvm *vm, int sig);

/* Lets the signal through to the calling thread; 'old' receives its mask. */
int axv_kick_signal_unblock(const struct axvm *vm, sigset_t *old);
/* Blocks it again if 'old' had it blocked. */
int axv_kick_signal_restore(const struct axvm *vm, const sigset_t *old);

#endif
