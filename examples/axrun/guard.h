/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * A process that gives the terminal on stdin back if axrun is killed, when axrun itself no longer can: by
 * SIGKILL, or by the kernel when memory has run out. It does nothing else, and ends with axrun.
 *
 * All but guard_start() are async-signal-safe, and do nothing where there is no guard.
 */
#ifndef AXRUN_GUARD_H
#define AXRUN_GUARD_H

#include <termios.h>

/*
 * Makes it. Before there are threads and a VM, of which it is to have nothing. Where no process can be
 * made there is none.
 */
void guard_start(void);

/*
 * From now on the terminal is to be set to 'found' if axrun is killed, unless it is no longer as 'ours'
 * by then: whoever waits for axrun may be quicker. Without them there is nothing to be done.
 */
void guard_tell(const struct termios *found, const struct termios *ours);

/* Ends it, and waits until it has ended. So does exit(). */
void guard_end(void);

#endif
