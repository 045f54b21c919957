/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * The console device: a 16550A. Characters take no time, whatever the speed: the transmitter is
 * always empty, and a FIFO below its trigger level has timed out.
 *
 * Typed characters stay in the console until the guest reads them. The FIFO offers up to 16 of
 * them, and only to a guest that receives: one that enabled the receiver interrupt, or read the
 * line status twice in a row. Without this rule a script on stdin would lose its beginning, as
 * drivers clear the FIFO and drain the receiver when they start.
 */
#ifndef AXRUN_UART_H
#define AXRUN_UART_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "device.h"
#include "console.h"

#define UART_FIFO 16u

/* Characters received in loopback mode. */
struct uart_loop {
	uint8_t chars[UART_FIFO];
	/* Per element of `chars`: it is a break that the line status has not reported yet. */
	bool breaks[UART_FIFO];
	unsigned int first;
	unsigned int len;
};

struct uart {
	/* Guards the device and the console's output. */
	pthread_mutex_t lock;
	struct console *console;
	uint16_t divisor;
	uint8_t ier;
	uint8_t fcr;
	uint8_t lcr;
	uint8_t mcr;
	uint8_t msr;
	uint8_t scr;
	/* A character arrived while the receiver was full. */
	bool overrun;
	/* The transmitter became empty, and the guest has not read this cause yet. */
	bool thre_pending;
	struct uart_loop loop;
	/* Number of console characters in the FIFO, after those in `loop`. */
	unsigned int offered;
	/*
	 * Remaining calls of uart_input() that must not refill the FIFO, which the guest has just
	 * emptied.
	 */
	unsigned int patience;
	/* The guest receives by polling. */
	bool polls;
	/* Register of the last access; REGS if that was a write. */
	unsigned int last_read;
	/* Called when the interrupt level changes; may be NULL. */
	void (*set_line)(void *ctx, bool level);
	void *line_ctx;
	bool line;
	/* Called when the guest begins to wait for input; may be NULL. */
	void (*watch)(void *ctx);
	void *watch_ctx;
	atomic_bool wants_input;
};

/* Adds the device to the VM, in its reset state. Returns 0, or -1 after fail(). */
int uart_attach(struct uart *uart, struct console *console, struct axvm *vm, struct place place);

/* Connects the level-triggered interrupt. Before any CPU runs. */
void uart_connect(struct uart *uart, void (*set_line)(void *ctx, bool level), void *ctx);

/*
 * `watch` is called when a guest with a connected interrupt begins to wait for input, during which
 * it may sleep. It must not call back. Before any CPU runs.
 */
void uart_watch(struct uart *uart, void (*watch)(void *ctx), void *ctx);

/* Whether the guest waits for uart_input(). Any thread; does not take the lock. */
bool uart_wants_input(struct uart *uart);

/*
 * Fills the FIFO with console input for a guest that waits. If the interrupt is connected, this
 * function alone fills it, and only after the guest has read IIR_NONE: so an interrupt handler ends
 * between two FIFOs. Otherwise Linux's handler would loop with interrupts disabled while text is
 * pasted. Any thread; does not wait for the lock. Returns false if it must be called again, after a
 * millisecond or when `watch` is called: either the handler has not finished, for ten calls at
 * most, or the port is in use, possibly for long, as it writes to stdout.
 */
bool uart_input(struct uart *uart);

/* Writes to the console, bypassing the port's registers. Any thread. */
void uart_print(struct uart *uart, const uint8_t *bytes, size_t n);

/*
 * Takes up to `max` console characters, bypassing the registers, beginning with those offered in
 * the FIFO. Returns their number. Does not block, but a guest that polls repeatedly is slowed down.
 * Any thread.
 */
size_t uart_take(struct uart *uart, uint8_t *bytes, size_t max);

/* Writes the guest's output: console_flush(). Any thread. */
bool uart_flush(struct uart *uart);

#endif
