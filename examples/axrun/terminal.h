/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * The terminal on stdin while a guest has it: each character goes to the guest at once and is not
 * echoed. How much is left of what the terminal does itself is a matter of the guest.
 *
 * All but terminal_open() are async-signal-safe.
 */
#ifndef AXRUN_TERMINAL_H
#define AXRUN_TERMINAL_H

#include <stdbool.h>

enum terminal_mode {
	/* ^C, ^\ and ^Z still make signals, which are axrun's. Enter is a newline. */
	TERMINAL_SIGNALS,
	/* Every key is the guest's, and what it writes arrives as it is: it has a terminal driver. */
	TERMINAL_RAW,
};

/*
 * Takes the terminal, if stdin is one, now or once axrun is in the foreground. Whether it is one.
 */
bool terminal_open(enum terminal_mode mode);

/* Takes it again, after a stop. */
void terminal_resume(void);

/* Gives it back as it was found. May be called at any time, and again. */
void terminal_restore(void);

#endif
