/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * What the guest does not ask for itself: a thread that sleeps on stdin and tells the serial port that
 * something has been typed, while the guest waits for its interrupt; and that hears Ctrl-A x whatever
 * the guest does. It reads what somebody types in advance only if there is that key.
 */
#ifndef AXRUN_INPUT_H
#define AXRUN_INPUT_H

#include <pthread.h>
#include <stdatomic.h>

#include "console.h"
#include "uart.h"

struct input {
	struct uart *uart;
	struct console *console;
	/* Wakes the thread: the guest waits now, or the end has come. */
	int wake_fd;
	atomic_int ends;
	pthread_t thread;
};

/*
 * Starts the thread, if the port's interrupt is connected or the console has an escape; ends it. 0,
 * or -1 after fail(). Between the two the port is not to be attached again.
 */
int input_start(struct input *input, struct uart *uart, struct console *console);
void input_stop(struct input *input);

#endif
