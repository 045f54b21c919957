/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
#include "terminal.h"

#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <termios.h>
#include <unistd.h>

#include "guard.h"

/*
 * Written by the main thread before handlers are installed, then only by handlers, which do not
 * interrupt each other.
 */
static bool have_terminal;
static enum terminal_mode mode;
static struct termios found;
static volatile sig_atomic_t taken;

/*
 * With SIGTTOU not blocked, a background process that changes the terminal is stopped. That must
 * not happen while axrun ends.
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

	/* A background process must not change the terminal, which another one uses. */
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
	/* First, as axrun may be killed at any moment. */
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
