/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
#include "terminal.h"

#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <termios.h>
#include <unistd.h>

#include "guard.h"

/* Written by the main thread before there are handlers, and by handlers, which exclude another. */
static bool have_terminal;
static enum terminal_mode mode;
static struct termios found;
static volatile sig_atomic_t taken;

/*
 * Without this, a process in the background that changes the terminal is stopped, by default. It
 * must not be, on its way out.
 */
static void set(const struct termios *settings)
{
	sigset_t block, old;

	sigemptyset(&block);
	sigaddset(&block, SIGTTOU);
	sigprocmask(SIG_BLOCK, &block, &old);
	tcsetattr(STDIN_FILENO, TCSANOW, settings);
	sigprocmask(SIG_SETMASK, &old, NULL);
}

void terminal_resume(void)
{
	struct termios settings;

	/* In the background it is somebody else's, and so are its settings. */
	if (!have_terminal || taken || tcgetpgrp(STDIN_FILENO) != getpgrp() ||
	    tcgetattr(STDIN_FILENO, &settings))
		return;
	found = settings;
	settings.c_iflag &= ~(tcflag_t)(IXON | IXOFF | IXANY | ISTRIP);
	settings.c_lflag &= ~(tcflag_t)(ICANON | ECHO | ECHONL | IEXTEN);
	if (mode == TERMINAL_RAW) {
		settings.c_iflag &= ~(tcflag_t)(ICRNL | INLCR | IGNCR | IGNBRK | BRKINT | PARMRK |
						INPCK);
		settings.c_lflag &= ~(tcflag_t)ISIG;
		settings.c_oflag &= ~(tcflag_t)OPOST;
	}
	settings.c_cc[VMIN] = 1;
	settings.c_cc[VTIME] = 0;
	taken = 1;
	/* First: it may be killed at any moment. */
	guard_tell(&found, &settings);
	set(&settings);
}

void terminal_restore(void)
{
	if (!taken)
		return;
	set(&found);
	taken = 0;
	guard_tell(NULL, NULL);
}

bool terminal_open(enum terminal_mode how)
{
	if (!isatty(STDIN_FILENO))
		return false;
	mode = how;
	have_terminal = true;
	atexit(terminal_restore);
	terminal_resume();
	return true;
}
