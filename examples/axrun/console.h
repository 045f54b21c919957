/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * The host side of the console: stdin and stdout.
 *
 * Output is written when the buffer is full, when the guest polls for input and finds none, shortly
 * after the first character (signals_request_tick()), and at the end. A failed write ends the run.
 *
 * Input has its own lock, so that Ctrl-A x works while stdout blocks. Output has none: each caller,
 * such as the serial port, holds its own.
 */
#ifndef AXRUN_CONSOLE_H
#define AXRUN_CONSOLE_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "outcome.h"
#include "state.h"

struct console {
	/* --- output: guarded by the caller's lock --------------------------------------------- */
	struct outcome *outcome;
	/* stdout failed: the guest's output is dropped. */
	bool broken;
	uint8_t out[4096];
	size_t out_len;
	/* Consecutive polls that found no input. */
	unsigned int in_vain;
	/* --- input: guarded by in_lock -------------------------------------------------------- */
	pthread_mutex_t in_lock;
	/* A ring buffer. */
	uint8_t in[4096];
	size_t in_first;
	size_t in_len;
	bool in_ended;
	/* The guest has run with this stdin. */
	bool in_use;
	/* Ctrl-A is axrun's escape key. Set before any other thread runs. */
	bool has_escape;
	/* The escape key was typed: the next key is a command. */
	bool escaped;
};

void console_init(struct console *console, struct outcome *outcome);

/* Prints how to leave axrun. */
void console_greet(void);

/* --- output: with the caller's lock held ------------------------------------------------------ */

/* Appends a character to the output buffer. */
void console_put(struct console *console, uint8_t c);

/*
 * Writes the buffered output. Returns false if that failed: stdout failed, which ends the run, or
 * the run is ending and stdout blocks.
 */
bool console_flush(struct console *console);

/*
 * Writes the buffered output for the last time, and closes stdout. Returns false if guest output is
 * lost: then fail() has been called, or the run was about to end.
 */
bool console_close(struct console *console);

/*
 * The guest polls for input: returns whether a character is available. Writes the buffered output
 * and checks stdin. Does not block; but a guest that only polls is slowed down, as it would use up
 * a host CPU.
 */
bool console_ready(struct console *console);

/* --- input: any thread ------------------------------------------------------------------------ */

/*
 * Whether stdin should be read: there is room, and no end of file yet. Input that does not fit
 * stays in stdin, and its sender blocks.
 */
bool console_has_room(struct console *console);

/*
 * Reads the available input from stdin, without blocking. End of file appends one more character,
 * ^D (0x04), as guests have no other way to notice it.
 */
void console_fill(struct console *console);

/* Number of characters that are buffered and not yet taken. */
size_t console_waiting(struct console *console);

/* Takes one character; -1 if there is none. */
int console_get(struct console *console);

/* --- saved states: no other thread uses the console ------------------------------------------- */

/*
 * The characters that were read from stdin, and that the guest has not taken. The end of stdin is
 * not among them.
 */
void console_put_state(struct state *state, struct console *console);

/*
 * Reads the same from the rest of a state: the characters come before those of this stdin. If the
 * guest has run already, they are dropped: a guest that is reset continues in the input. Returns 0,
 * or -EINVAL, then nothing has changed.
 */
int console_get_state(struct state *state, struct console *console);

#endif
