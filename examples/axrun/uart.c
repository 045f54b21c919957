/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
#include "uart.h"

/* Registers. The first two are the divisor's while LCR_DLAB is set. */
enum {
	REG_DATA = 0, /* read: RBR; write: THR */
	REG_IER = 1,
	REG_IIR_FCR = 2, /* read: IIR; write: FCR */
	REG_LCR = 3,
	REG_MCR = 4,
	REG_LSR = 5,
	REG_MSR = 6,
	REG_SCR = 7,
	REGS = 8,
};

#define IER_BITS 0x0f
#define IER_RECEIVED 0x01
#define IER_THR_EMPTY 0x02

#define IIR_NONE 0x01
#define IIR_THR_EMPTY 0x02
#define IIR_RECEIVED 0x04
#define IIR_FIFO 0xc0

#define FCR_ENABLE 0x01
#define FCR_CLEAR_RECEIVER 0x02

#define LCR_DLAB 0x80

#define MCR_BITS 0x1f
#define MCR_DTR 0x01
#define MCR_RTS 0x02
#define MCR_OUT1 0x04
#define MCR_OUT2 0x08
#define MCR_LOOP 0x10

#define LSR_DATA_READY 0x01
#define LSR_THR_EMPTY 0x20
#define LSR_IDLE 0x40

#define MSR_CTS 0x10
#define MSR_DSR 0x20
#define MSR_RI 0x40
#define MSR_DCD 0x80

/* Whether somebody looks for input and tells of it, so that the guest need not ask. */
static bool is_told(const struct uart *uart)
{
	return uart->set_line && (uart->ier & IER_RECEIVED);
}

static bool data_ready(struct uart *uart)
{
	if (uart->mcr & MCR_LOOP)
		return uart->looped;
	return is_told(uart) ? console_waiting(uart->console) : console_ready(uart->console);
}

static uint8_t receive(struct uart *uart)
{
	int c;

	if (uart->mcr & MCR_LOOP) {
		uart->looped = false;
		return uart->loop_byte;
	}
	c = console_get(uart->console);
	return c < 0 ? 0 : (uint8_t)c;
}

static void transmit(struct uart *uart, uint8_t c)
{
	uart->thre_pending = true;
	if (uart->mcr & MCR_LOOP) {
		uart->looped = true;
		uart->loop_byte = c;
	} else {
		console_put(uart->console, c);
	}
}

/* Why there is an interrupt: IIR_*. */
static uint8_t cause(struct uart *uart)
{
	if ((uart->ier & IER_RECEIVED) && data_ready(uart))
		return IIR_RECEIVED;
	if ((uart->ier & IER_THR_EMPTY) && uart->thre_pending)
		return IIR_THR_EMPTY;
	return IIR_NONE;
}

/* Also for who has no interrupt connected, and polls. */
static uint8_t identify_interrupt(struct uart *uart)
{
	uint8_t iir = cause(uart);

	if (iir == IIR_THR_EMPTY)
		uart->thre_pending = false;
	return iir | (uart->fcr & FCR_ENABLE ? IIR_FIFO : 0);
}

/* After whatever may have changed it. */
static void update_line(struct uart *uart)
{
	bool line, wants;

	if (!uart->set_line)
		return;
	line = cause(uart) != IIR_NONE;
	if (line != uart->line)
		uart->set_line(uart->line_ctx, line);
	uart->line = line;
	wants = is_told(uart) && !(uart->mcr & MCR_LOOP) && !data_ready(uart);
	if (wants && !uart->wants_input && uart->watch)
		uart->watch(uart->watch_ctx);
	uart->wants_input = wants;
}

/* The other end is always there and ready; in loopback it is the outputs of the modem control. */
static uint8_t modem_status(const struct uart *uart)
{
	if (!(uart->mcr & MCR_LOOP))
		return MSR_CTS | MSR_DSR | MSR_DCD;
	return (uint8_t)((uart->mcr & MCR_RTS ? MSR_CTS : 0) | (uart->mcr & MCR_DTR ? MSR_DSR : 0) |
			 (uart->mcr & MCR_OUT1 ? MSR_RI : 0) |
			 (uart->mcr & MCR_OUT2 ? MSR_DCD : 0));
}

static uint8_t read_reg(struct uart *uart, unsigned int reg)
{
	bool dlab = uart->lcr & LCR_DLAB;

	switch (reg) {
	case REG_DATA:
		return dlab ? (uint8_t)uart->divisor : receive(uart);
	case REG_IER:
		return dlab ? (uint8_t)(uart->divisor >> 8) : uart->ier;
	case REG_IIR_FCR:
		return identify_interrupt(uart);
	case REG_LCR:
		return uart->lcr;
	case REG_MCR:
		return uart->mcr;
	case REG_LSR:
		return (uint8_t)(LSR_THR_EMPTY | LSR_IDLE |
				 (data_ready(uart) ? LSR_DATA_READY : 0));
	case REG_MSR:
		return modem_status(uart);
	default:
		return uart->scr;
	}
}

static void write_ier(struct uart *uart, uint8_t value)
{
	/* The transmitter is empty at this moment, as always: enabling that interrupt raises it. */
	if (value & ~uart->ier & IER_THR_EMPTY)
		uart->thre_pending = true;
	uart->ier = value & IER_BITS;
}

static void write_reg(struct uart *uart, unsigned int reg, uint8_t value)
{
	bool dlab = uart->lcr & LCR_DLAB;

	switch (reg) {
	case REG_DATA:
		if (dlab)
			uart->divisor = (uint16_t)((uart->divisor & 0xff00) | value);
		else
			transmit(uart, value);
		break;
	case REG_IER:
		if (dlab)
			uart->divisor = (uint16_t)((uart->divisor & 0x00ff) | value << 8);
		else
			write_ier(uart, value);
		break;
	case REG_IIR_FCR:
		/*
		 * What the host has sent is kept when the receiver is cleared: drivers do that when
		 * they start, and would lose the beginning of a script on stdin.
		 */
		if (value & FCR_CLEAR_RECEIVER)
			uart->looped = false;
		uart->fcr = value;
		break;
	case REG_LCR:
		uart->lcr = value;
		break;
	case REG_MCR:
		uart->mcr = value & MCR_BITS;
		break;
	case REG_SCR:
		uart->scr = value;
		break;
	default: /* LSR and MSR are read-only. */
		break;
	}
}

/* The chip's bus has 8 bits: a wider access is several, at ascending addresses. */
static uint64_t uart_read(void *ctx, uint64_t offset, unsigned int width)
{
	uint64_t value = 0;
	unsigned int i;

	for (i = 0; i < width; i++)
		value |= (uint64_t)read_reg(ctx, (unsigned int)offset + i) << 8 * i;
	update_line(ctx);
	return value;
}

static void uart_write(void *ctx, uint64_t offset, unsigned int width, uint64_t value)
{
	unsigned int i;

	for (i = 0; i < width; i++)
		write_reg(ctx, (unsigned int)offset + i, (uint8_t)(value >> 8 * i));
	update_line(ctx);
}

int uart_attach(struct uart *uart, struct console *console, struct bus *bus, struct bus_place place)
{
	/* 115200 baud. */
	*uart = (struct uart){
		.lock = PTHREAD_MUTEX_INITIALIZER,
		.console = console,
		.divisor = 1,
	};
	return bus_add(bus, &(struct bus_device){
				    .place = place,
				    .len = REGS,
				    .ctx = uart,
				    .lock = &uart->lock,
				    .read = uart_read,
				    .write = uart_write,
			    });
}

void uart_connect(struct uart *uart, void (*set_line)(void *ctx, bool level), void *ctx)
{
	uart->set_line = set_line;
	uart->line_ctx = ctx;
}

void uart_watch(struct uart *uart, void (*watch)(void *ctx), void *ctx)
{
	uart->watch = watch;
	uart->watch_ctx = ctx;
}

bool uart_wants_input(struct uart *uart)
{
	bool wants;

	pthread_mutex_lock(&uart->lock);
	wants = uart->wants_input;
	pthread_mutex_unlock(&uart->lock);
	return wants;
}

void uart_input(struct uart *uart)
{
	pthread_mutex_lock(&uart->lock);
	update_line(uart);
	pthread_mutex_unlock(&uart->lock);
}
