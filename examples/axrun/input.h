/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * A thread that waits for stdin. While the guest waits for the serial port's interrupt, it passes
 * new input to the port; and it handles Ctrl-A x whatever the guest does. It reads ahead only if
 * that escape is enabled.
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
	/* Wakes the thread: the guest has begun to wait, or the run ends. */
	int wake_fd;
	atomic_int ends;
	pthread_t thread;
};

/*
 * input_start() starts the thread if the port's interrupt is connected or the console has an
 * escape, and returns 0, or -1 after fail(). input_stop() ends it. In between, uart_attach() must
 * not be called.
 */
int input_start(struct input *input, struct uart *uart, struct console *console);
void input_stop(struct input *input);

#endif
