/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * The host's side of the console: stdin and stdout.
 *
 * Output is written when the buffer is full, when the guest looks for input in vain, shortly after
 * the first character (signals_request_tick()), and at the end. Output that fails ends the run.
 *
 * Any thread may call any of these functions, but for the first and the last time.
 */
#ifndef AXRUN_CONSOLE_H
#define AXRUN_CONSOLE_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "outcome.h"

struct console {
	/* Guards all the rest. */
	pthread_mutex_t lock;
	struct outcome *outcome;
	/* stdout has failed: what the guest writes is lost. */
	bool broken;
	uint8_t out[4096];
	size_t out_len;
	uint8_t in[512];
	size_t in_pos;
	size_t in_len;
	bool in_ended;
	/* Questions for input in a row that found none. */
	unsigned int in_vain;
};

void console_init(struct console *console, struct outcome *outcome);

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
 * Whether there is a character to read. At the end of stdin there is one more, a ^D (0x04): guests
 * have no other way to learn of it.
 *
 * Does not wait; but a guest that does nothing but ask is made to sleep a little, as it would use
 * up a host CPU.
 */
bool console_ready(struct console *console);

/* Whether there is one that has been fetched from stdin already. */
bool console_waiting(struct console *console);

/*
 * Fetches what is on stdin, if nothing is waiting, without waiting for it. 1: there is something to
 * read; 0: there is not; -1: and there will never be.
 */
int console_fill(struct console *console);

/* Reads a character; -1 if there is none. */
int console_get(struct console *console);

#endif
