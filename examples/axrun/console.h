/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * The host's side of the console: stdin and stdout.
 *
 * Output is written when the buffer is full, when the guest looks for input in vain, shortly after
 * the first character (signals_request_tick()), and at the end. Output that fails ends the run.
 *
 * The two directions have a lock each, so that somebody who types Ctrl-A x is heard while stdout
 * takes nothing. Output has no lock of its own: whoever sends, a serial port, has one already.
 */
#ifndef AXRUN_CONSOLE_H
#define AXRUN_CONSOLE_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "outcome.h"

struct console {
	/* --- output, and what goes with it: guarded by the sender's lock ----------------------- */
	struct outcome *outcome;
	/* stdout has failed: what the guest writes is lost. */
	bool broken;
	uint8_t out[4096];
	size_t out_len;
	/* Questions for input in a row that found none. */
	unsigned int in_vain;
	/* --- input ------------------------------------------------------------------------------ */
	pthread_mutex_t in_lock;
	/* A ring. */
	uint8_t in[4096];
	size_t in_first;
	size_t in_len;
	bool in_ended;
	/* Ctrl-A is for axrun: set before any other thread runs. */
	bool has_escape;
	/* It has been typed, and the next key says what it means. */
	bool escaped;
};

void console_init(struct console *console, struct outcome *outcome);

/* Tells whoever is at the terminal how to leave. */
void console_greet(void);

/* --- output: with the sender's lock ----------------------------------------------------------- */

/* Writes a character. */
void console_put(struct console *console, uint8_t c);

/*
 * Writes what is buffered. False if that was not possible: stdout failed, which ends the run, or
 * the run is to end and stdout takes nothing.
 */
bool console_flush(struct console *console);

/*
 * Writes what is buffered for the last time, and closes stdout. False if anything the guest wrote
 * is lost: fail() has been called, or the run was to end.
 */
bool console_close(struct console *console);

/*
 * The guest waits for input: whether there is a character to read. Writes what is buffered, and
 * looks at stdin. Does not wait; but a guest that does nothing but ask is made to sleep a little, as
 * it would use up a host CPU.
 */
bool console_ready(struct console *console);

/* --- input: any thread ------------------------------------------------------------------------ */

/*
 * Whether more is to be fetched from stdin: there is room for it, and stdin has not ended. What does
 * not fit stays where it is, and whoever sends it waits.
 */
bool console_has_room(struct console *console);

/*
 * Fetches what is on stdin, without waiting for it. At its end there is one more character, a ^D
 * (0x04): guests have no other way to learn of it.
 */
void console_fill(struct console *console);

/* How many characters have been fetched, and not been read yet. */
size_t console_waiting(struct console *console);

/* Reads one of them; -1 if there is none. */
int console_get(struct console *console);

#endif
