/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * The console's device: a 16550A, and nothing newer. Characters take no time, whatever speed is set:
 * the transmitter is always empty, and a receiver whose FIFO is not filled to its trigger level has
 * timed out.
 *
 * What has been typed stays in the console until the guest reads it. The FIFO only offers up to 16
 * characters of it, and only to a guest that receives: one that lets the receiver's interrupt in, or
 * asks for the line status twice in a row. Drivers clear the FIFO and read away what is in the
 * receiver when they start, and a script on stdin would lose its beginning.
 */
#ifndef AXRUN_UART_H
#define AXRUN_UART_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "bus.h"
#include "console.h"

#define UART_FIFO 16u

/* What the chip has sent to itself. */
struct uart_loop {
	uint8_t chars[UART_FIFO];
	/* By place in `chars`: it is a break that the line status has not told of. */
	bool breaks[UART_FIFO];
	unsigned int first;
	unsigned int len;
};

struct uart {
	/* Guards all, and the output of the console. */
	pthread_mutex_t lock;
	struct console *console;
	uint16_t divisor;
	uint8_t ier;
	uint8_t fcr;
	uint8_t lcr;
	uint8_t mcr;
	uint8_t msr;
	uint8_t scr;
	/* A character found the receiver full. */
	bool overrun;
	/* The transmitter became empty, and nobody has asked why there is an interrupt. */
	bool thre_pending;
	struct uart_loop loop;
	/* How many of the console's characters are in the FIFO, behind the above. */
	unsigned int offered;
	/* How many more times uart_input() fills no FIFO that the guest has just emptied. */
	unsigned int patience;
	/* A guest without an interrupt has shown that it receives. */
	bool polls;
	/* Which register the latest access has read; none if it was a write. */
	unsigned int last_read;
	/* Who is told of each change of the interrupt's level; NULL: nobody. */
	void (*set_line)(void *ctx, bool level);
	void *line_ctx;
	bool line;
	/* Who is told when the guest begins to wait for input; NULL: nobody. */
	void (*watch)(void *ctx);
	void *watch_ctx;
	atomic_bool wants_input;
};

/* Puts it on the bus, as after a reset. Returns 0, or -1 after fail(). */
int uart_attach(struct uart *uart, struct console *console, struct bus *bus,
		struct bus_place place);

/* Connects its interrupt, a level. Before any CPU runs. */
void uart_connect(struct uart *uart, void (*set_line)(void *ctx, bool level), void *ctx);

/*
 * With its interrupt connected, the guest may sleep until something is typed: `watch` is called when
 * it begins to, and does not call back. Before any CPU runs.
 */
void uart_watch(struct uart *uart, void (*watch)(void *ctx), void *ctx);

/* Whether the guest waits for uart_input(). Any thread; does not wait for the lock. */
bool uart_wants_input(struct uart *uart);

/*
 * Fills the FIFO of a guest that waits, with what the console has. Only this does, if the interrupt
 * is connected, and not before the guest has been told that there is no reason for one any more: so a
 * handler comes to an end between two FIFOs. Linux's otherwise goes on and on with interrupts off, as long
 * as text is pasted. Any thread; does not wait for the lock. False if it must be called again, in a
 * millisecond or when `watch` is called: the handler has not ended, at the most ten times, or the port is in
 * use, perhaps for long: it writes to stdout.
 */
bool uart_input(struct uart *uart);

/* Writes to the console, past the port's registers. Any thread. */
void uart_print(struct uart *uart, const uint8_t *bytes, size_t n);

/*
 * Takes up to so many of the console's characters, past the registers, and returns how many: those first that
 * the FIFO offers. Does not wait; but a guest that asks again and again is slowed down. Any thread.
 */
size_t uart_take(struct uart *uart, uint8_t *bytes, size_t max);

/* Writes out what the guest has sent: console_flush(). Any thread. */
bool uart_flush(struct uart *uart);

#endif
