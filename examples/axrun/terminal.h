/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * The terminal on stdin while a guest uses it: characters go to the guest at once and are not
 * echoed. Other processing by the terminal depends on the mode.
 *
 * All functions except terminal_open() are async-signal-safe.
 */
#ifndef AXRUN_TERMINAL_H
#define AXRUN_TERMINAL_H

#include <stdbool.h>

enum terminal_mode {
	/* ^C, ^\ and ^Z still send signals, to axrun. Enter is a newline. */
	TERMINAL_SIGNALS,
	/*
	 * Every key goes to the guest, and its output is not translated: the guest has a terminal
	 * driver.
	 */
	TERMINAL_RAW,
};

/*
 * Takes the terminal if stdin is one, at once or when axrun comes to the foreground. Returns
 * whether stdin is a terminal.
 */
bool terminal_open(enum terminal_mode mode);

/* Takes the terminal again after a stop. */
void terminal_resume(void);

/* Restores the terminal. May be called at any time, and repeatedly. */
void terminal_restore(void);

#endif
