/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * The console's device: a 16550A. Characters are sent and received at once, whatever speed is set.
 */
#ifndef AXRUN_UART_H
#define AXRUN_UART_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "bus.h"
#include "console.h"

struct uart {
	pthread_mutex_t lock;
	struct console *console;
	uint16_t divisor;
	uint8_t ier;
	uint8_t fcr;
	uint8_t lcr;
	uint8_t mcr;
	uint8_t scr;
	/* The transmitter became empty, and nobody has asked why there is an interrupt. */
	bool thre_pending;
	/* In loopback: the character sent, not yet received. */
	bool looped;
	uint8_t loop_byte;
	/* Who is told of each change of the interrupt's level; NULL: nobody. */
	void (*set_line)(void *ctx, bool level);
	void *line_ctx;
	bool line;
	/* Who is told when the guest begins to wait for input; NULL: nobody. */
	void (*watch)(void *ctx);
	void *watch_ctx;
	bool wants_input;
};

/* Puts it on the bus. Returns 0, or -1 after fail(). */
int uart_attach(struct uart *uart, struct console *console, struct bus *bus,
		struct bus_place place);

/* Connects its interrupt. Before any CPU runs. */
void uart_connect(struct uart *uart, void (*set_line)(void *ctx, bool level), void *ctx);

/*
 * With its interrupt connected, the guest may sleep until something is typed: `watch` is called when
 * it begins to, and does not call back. Before any CPU runs.
 */
void uart_watch(struct uart *uart, void (*watch)(void *ctx), void *ctx);

/* Whether the guest waits for something to be typed. Any thread. */
bool uart_wants_input(struct uart *uart);

/* Something has been typed, and is in the console. Any thread. */
void uart_input(struct uart *uart);

#endif
