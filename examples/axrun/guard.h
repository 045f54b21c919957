/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * A process that restores the terminal on stdin if axrun is killed by SIGKILL, by the user or by
 * the OOM killer. It does nothing else, and ends with axrun.
 *
 * All functions except guard_start() are async-signal-safe, and do nothing if there is no guard.
 */
#ifndef AXRUN_GUARD_H
#define AXRUN_GUARD_H

#include <termios.h>

/*
 * Starts the guard. Call it before there are threads and a VM, which it must not inherit. If fork()
 * fails, there is no guard.
 */
void guard_start(void);

/*
 * From now on, if axrun is killed, set the terminal to `found`; unless it has changed from `ours`,
 * for example by a parent process that was faster. With NULL, leave it alone.
 */
void guard_tell(const struct termios *found, const struct termios *ours);

/* Ends the guard and waits for it. exit() calls this, too. */
void guard_end(void);

#endif
