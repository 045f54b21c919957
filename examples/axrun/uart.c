/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
#include "uart.h"

#include <errno.h>

#include "state.h"

/* Calls of uart_input() that wait for a handler which emptied the FIFO to read IIR_NONE. */
#define PATIENCE 10u

/* Registers. With LCR_DLAB set, the first two hold the divisor. */
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
#define IER_LINE_STATUS 0x04
#define IER_MODEM_STATUS 0x08

#define IIR_MODEM_STATUS 0x00
#define IIR_NONE 0x01
#define IIR_THR_EMPTY 0x02
#define IIR_RECEIVED 0x04
#define IIR_LINE_STATUS 0x06
#define IIR_TIMEOUT 0x0c
#define IIR_FIFO 0xc0

#define FCR_ENABLE 0x01
#define FCR_CLEAR_RECEIVER 0x02
#define FCR_TRIGGER_SHIFT 6

#define LCR_BREAK 0x40
#define LCR_DLAB 0x80

#define MCR_BITS 0x1f
#define MCR_DTR 0x01
#define MCR_RTS 0x02
#define MCR_OUT1 0x04
#define MCR_OUT2 0x08
#define MCR_LOOP 0x10

#define LSR_DATA_READY 0x01
#define LSR_OVERRUN 0x02
#define LSR_BREAK 0x10
#define LSR_THR_EMPTY 0x20
#define LSR_IDLE 0x40
#define LSR_FIFO_ERROR 0x80

/* The lower half has the changes since the last read; for RI, only falling edges. */
#define MSR_CHANGES 0x0f
#define MSR_CTS 0x10
#define MSR_DSR 0x20
#define MSR_RI 0x40
#define MSR_DCD 0x80

/* --- the receiver ----------------------------------------------------------------------------- */

static bool in_loop(const struct uart *uart)
{
	return uart->mcr & MCR_LOOP;
}

static unsigned int capacity(const struct uart *uart)
{
	return uart->fcr & FCR_ENABLE ? UART_FIFO : 1;
}

static unsigned int received(const struct uart *uart)
{
	return uart->loop.len + uart->offered;
}

/* Number of characters that raises IIR_RECEIVED. */
static unsigned int trigger(const struct uart *uart)
{
	static const uint8_t levels[] = { 1, 4, 8, 14 };

	return uart->fcr & FCR_ENABLE ? levels[uart->fcr >> FCR_TRIGGER_SHIFT] : 1;
}

/* Whether uart_input() fills the FIFO. Otherwise the guest's polling does. */
static bool is_told(const struct uart *uart)
{
	return uart->set_line && (uart->ier & IER_RECEIVED);
}

/*
 * Whether the other end may send. It stops while the guest sets DTR but not RTS, as with CRTSCTS.
 */
static bool may_receive(const struct uart *uart)
{
	return !in_loop(uart) && (uart->mcr & (MCR_DTR | MCR_RTS)) != MCR_DTR;
}

static void offer(struct uart *uart)
{
	size_t n;

	if (received(uart) || !may_receive(uart))
		return;
	n = console_waiting(uart->console);
	uart->offered = n < capacity(uart) ? (unsigned int)n : capacity(uart);
}

/* The characters stay in the console. The guest must show again that it receives. */
static void withdraw(struct uart *uart)
{
	uart->offered = 0;
	uart->polls = false;
}

/* A guest that polls twice in a row is waiting: check stdin, and allow a delay. */
static void ask(struct uart *uart, unsigned int reg)
{
	bool again = uart->last_read == reg;

	if (is_told(uart) || received(uart))
		return;
	if (reg == REG_LSR && again)
		uart->polls = true;
	if (!uart->polls && !(uart->ier & IER_RECEIVED))
		return;
	offer(uart);
	if (again && !received(uart) && may_receive(uart) && console_ready(uart->console))
		offer(uart);
}

static void loop_back(struct uart *uart, uint8_t c, bool is_break)
{
	struct uart_loop *loop = &uart->loop;
	unsigned int place;

	if (loop->len == capacity(uart)) {
		uart->overrun = true;
		/* A full FIFO drops the new character; the single register is overwritten. */
		if (uart->fcr & FCR_ENABLE)
			return;
		loop->len = 0;
	}
	place = (loop->first + loop->len++) % UART_FIFO;
	loop->chars[place] = c;
	loop->breaks[place] = is_break;
}

static uint8_t receive(struct uart *uart)
{
	struct uart_loop *loop = &uart->loop;
	uint8_t c;
	int got;

	if (loop->len) {
		c = loop->chars[loop->first];
		loop->first = (loop->first + 1) % UART_FIFO;
		loop->len--;
		return c;
	}
	if (!uart->offered)
		return 0;
	if (--uart->offered == 0)
		uart->patience = PATIENCE;
	got = console_get(uart->console);
	return got < 0 ? 0 : (uint8_t)got;
}

static bool break_is_next(const struct uart *uart)
{
	return uart->loop.len && uart->loop.breaks[uart->loop.first];
}

static bool has_break(const struct uart *uart)
{
	const struct uart_loop *loop = &uart->loop;
	unsigned int i;

	for (i = 0; i < loop->len; i++)
		if (loop->breaks[(loop->first + i) % UART_FIFO])
			return true;
	return false;
}

static uint8_t line_status(struct uart *uart)
{
	uint8_t status = LSR_THR_EMPTY | LSR_IDLE;

	ask(uart, REG_LSR);
	if (received(uart))
		status |= LSR_DATA_READY;
	if (uart->overrun)
		status |= LSR_OVERRUN;
	if ((uart->fcr & FCR_ENABLE) && has_break(uart))
		status |= LSR_FIFO_ERROR;
	if (break_is_next(uart)) {
		status |= LSR_BREAK;
		uart->loop.breaks[uart->loop.first] = false;
	}
	uart->overrun = false;
	return status;
}

static void clear_receiver(struct uart *uart)
{
	uart->loop.len = 0;
	withdraw(uart);
}

/* --- the transmitter -------------------------------------------------------------------------- */

static void transmit(struct uart *uart, uint8_t c)
{
	uart->thre_pending = true;
	if (!in_loop(uart))
		console_put(uart->console, c);
	else if (!(uart->lcr & LCR_BREAK))
		loop_back(uart, c, false);
}

/* --- the modem lines -------------------------------------------------------------------------- */

/* The other end is always present and ready. In loopback, the lines are the outputs of MCR. */
static uint8_t modem_lines(const struct uart *uart)
{
	if (!in_loop(uart))
		return MSR_CTS | MSR_DSR | MSR_DCD;
	return (uint8_t)((uart->mcr & MCR_RTS ? MSR_CTS : 0) | (uart->mcr & MCR_DTR ? MSR_DSR : 0) |
			 (uart->mcr & MCR_OUT1 ? MSR_RI : 0) |
			 (uart->mcr & MCR_OUT2 ? MSR_DCD : 0));
}

static void note_modem_lines(struct uart *uart)
{
	uint8_t now = modem_lines(uart);
	uint8_t changed = (uart->msr ^ now) & (uint8_t)~MSR_CHANGES;

	if (now & MSR_RI)
		changed &= (uint8_t)~MSR_RI;
	uart->msr = now | (uart->msr & MSR_CHANGES) | changed >> 4;
}

static uint8_t modem_status(struct uart *uart)
{
	uint8_t status = uart->msr;

	uart->msr &= (uint8_t)~MSR_CHANGES;
	return status;
}

/* --- the interrupt ---------------------------------------------------------------------------- */

/* The pending interrupt of highest priority: IIR_*. */
static uint8_t cause(const struct uart *uart)
{
	unsigned int n = received(uart);

	if ((uart->ier & IER_LINE_STATUS) && (uart->overrun || break_is_next(uart)))
		return IIR_LINE_STATUS;
	if ((uart->ier & IER_RECEIVED) && n)
		return n >= trigger(uart) ? IIR_RECEIVED : IIR_TIMEOUT;
	if ((uart->ier & IER_THR_EMPTY) && uart->thre_pending)
		return IIR_THR_EMPTY;
	if ((uart->ier & IER_MODEM_STATUS) && (uart->msr & MSR_CHANGES))
		return IIR_MODEM_STATUS;
	return IIR_NONE;
}

/* Also used by a guest that polls without an interrupt. */
static uint8_t identify_interrupt(struct uart *uart)
{
	uint8_t iir;

	ask(uart, REG_IIR_FCR);
	iir = cause(uart);
	if (iir == IIR_THR_EMPTY)
		uart->thre_pending = false;
	if (iir == IIR_NONE && uart->patience) {
		/* The interrupt handler has finished. */
		uart->patience = 0;
		if (uart->watch)
			uart->watch(uart->watch_ctx);
	}
	return iir | (uart->fcr & FCR_ENABLE ? IIR_FIFO : 0);
}

/* Called after everything that may change the interrupt. */
static void update_line(struct uart *uart)
{
	bool line, wants, wanted;

	if (!uart->set_line)
		return;
	line = cause(uart) != IIR_NONE;
	if (line != uart->line)
		uart->set_line(uart->line_ctx, line);
	uart->line = line;
	wants = is_told(uart) && !received(uart) && may_receive(uart);
	wanted = atomic_load_explicit(&uart->wants_input, memory_order_relaxed);
	if (wants == wanted)
		return;
	atomic_store(&uart->wants_input, wants);
	if (wants && uart->watch)
		uart->watch(uart->watch_ctx);
}

/* --- the registers ---------------------------------------------------------------------------- */

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
		return line_status(uart);
	case REG_MSR:
		return modem_status(uart);
	default:
		return uart->scr;
	}
}

static void write_ier(struct uart *uart, uint8_t value)
{
	/* The transmitter is always empty: enabling its interrupt raises it. */
	if (value & ~uart->ier & IER_THR_EMPTY)
		uart->thre_pending = true;
	uart->ier = value & IER_BITS;
	if (!(value & IER_RECEIVED))
		withdraw(uart);
}

static void write_fcr(struct uart *uart, uint8_t value)
{
	/*
	 * Switching the FIFOs on or off also clears them. While they are off, the other bits read
	 * as 0.
	 */
	if ((value ^ uart->fcr) & FCR_ENABLE || value & FCR_CLEAR_RECEIVER)
		clear_receiver(uart);
	uart->fcr = value & FCR_ENABLE ? value : 0;
}

/* A break outside of loopback has no effect. */
static void write_lcr(struct uart *uart, uint8_t value)
{
	if (value & ~uart->lcr & LCR_BREAK && in_loop(uart))
		loop_back(uart, 0, true);
	uart->lcr = value;
}

static void write_mcr(struct uart *uart, uint8_t value)
{
	uart->mcr = value & MCR_BITS;
	if (in_loop(uart))
		withdraw(uart);
	note_modem_lines(uart);
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
		write_fcr(uart, value);
		break;
	case REG_LCR:
		write_lcr(uart, value);
		break;
	case REG_MCR:
		write_mcr(uart, value);
		break;
	case REG_SCR:
		uart->scr = value;
		break;
	default: /* LSR and MSR are read-only. */
		break;
	}
}

/* The chip has an 8-bit bus: a wider access becomes several, at ascending addresses. */
static int uart_read(struct axvcpu *vcpu, void *ctx, uint64_t offset, unsigned int width,
		     uint64_t *value)
{
	struct uart *uart = ctx;
	unsigned int i;

	(void)vcpu;
	pthread_mutex_lock(&uart->lock);
	for (i = 0, *value = 0; i < width; i++) {
		unsigned int reg = (unsigned int)offset + i;

		*value |= (uint64_t)read_reg(uart, reg) << 8 * i;
		uart->last_read = reg;
	}
	update_line(uart);
	pthread_mutex_unlock(&uart->lock);
	return AXVM_HANDLED;
}

static int uart_write(struct axvcpu *vcpu, void *ctx, uint64_t offset, unsigned int width,
		      uint64_t value)
{
	struct uart *uart = ctx;
	unsigned int i;

	(void)vcpu;
	pthread_mutex_lock(&uart->lock);
	for (i = 0; i < width; i++)
		write_reg(uart, (unsigned int)offset + i, (uint8_t)(value >> 8 * i));
	uart->last_read = REGS;
	update_line(uart);
	pthread_mutex_unlock(&uart->lock);
	return AXVM_HANDLED;
}

/* --- saved states ----------------------------------------------------------------------------- */

/* The output up to here belongs to the run that is saved. */
static int uart_quiesce(void *ctx)
{
	return uart_flush(ctx) ? 0 : -EIO;
}

static void put_state(struct state *state, void *ctx)
{
	struct uart *uart = ctx;
	const struct uart_loop *loop = &uart->loop;
	unsigned int i;

	state_put(state, 2, uart->divisor);
	state_put(state, 1, uart->ier);
	state_put(state, 1, uart->fcr);
	state_put(state, 1, uart->lcr);
	state_put(state, 1, uart->mcr);
	state_put(state, 1, uart->msr);
	state_put(state, 1, uart->scr);
	state_put(state, 1, uart->overrun);
	state_put(state, 1, uart->thre_pending);
	state_put(state, 1, uart->offered);
	state_put(state, 1, uart->patience);
	state_put(state, 1, uart->polls);
	state_put(state, 1, uart->last_read);
	state_put(state, 1, uart->line);
	state_put(state, 1, loop->len);
	for (i = 0; i < loop->len; i++) {
		state_put(state, 1, loop->chars[(loop->first + i) % UART_FIFO]);
		state_put(state, 1, loop->breaks[(loop->first + i) % UART_FIFO]);
	}
	console_put_state(state, uart->console);
}

static int uart_save(void *ctx, void *buf, size_t len)
{
	struct uart *uart = ctx;
	int size;

	pthread_mutex_lock(&uart->lock);
	size = state_save(buf, len, put_state, uart);
	pthread_mutex_unlock(&uart->lock);
	return size;
}

/* The registers, and what is received. The other members stay. */
static int get_state(struct state *state, struct uart *uart)
{
	struct uart_loop *loop = &uart->loop;
	unsigned int i;

	uart->divisor = (uint16_t)state_get(state, 2);
	uart->ier = (uint8_t)state_get(state, 1) & IER_BITS;
	uart->fcr = (uint8_t)state_get(state, 1);
	uart->lcr = (uint8_t)state_get(state, 1);
	uart->mcr = (uint8_t)state_get(state, 1) & MCR_BITS;
	uart->msr = (uint8_t)state_get(state, 1);
	uart->scr = (uint8_t)state_get(state, 1);
	uart->overrun = state_get(state, 1);
	uart->thre_pending = state_get(state, 1);
	uart->offered = (unsigned int)state_get(state, 1);
	uart->patience = (unsigned int)state_get(state, 1);
	uart->polls = state_get(state, 1);
	uart->last_read = (unsigned int)state_get(state, 1);
	uart->line = state_get(state, 1);
	loop->first = 0;
	loop->len = (unsigned int)state_get(state, 1);
	if (loop->len > capacity(uart) || uart->offered > capacity(uart) ||
	    uart->patience > PATIENCE || uart->last_read > REGS)
		return -EINVAL;
	for (i = 0; i < loop->len; i++) {
		loop->chars[i] = (uint8_t)state_get(state, 1);
		loop->breaks[i] = state_get(state, 1);
	}
	return 0;
}

/* The end of the other stdin is not offered any more, and the guest may have read on in this one. */
static void limit_offer(struct uart *uart)
{
	size_t n = console_waiting(uart->console);

	if (uart->offered > n)
		uart->offered = (unsigned int)n;
	update_line(uart);
}

static int uart_restore(void *ctx, uint32_t version, const void *buf, size_t len)
{
	struct uart *uart = ctx, checked = { 0 };
	struct state state = state_open(buf, len), again = state;
	int err = get_state(&state, &checked);

	(void)version;
	if (!err)
		err = console_get_state(&state, uart->console);
	if (err)
		return err;
	pthread_mutex_lock(&uart->lock);
	get_state(&again, uart);
	limit_offer(uart);
	pthread_mutex_unlock(&uart->lock);
	return 0;
}

/* --- public functions ------------------------------------------------------------------------- */

int uart_attach(struct uart *uart, struct console *console, struct axvm *vm, struct place place)
{
	/* Divisor 1: 115200 baud. */
	*uart = (struct uart){
		.lock = PTHREAD_MUTEX_INITIALIZER,
		.console = console,
		.divisor = 1,
		.last_read = REGS,
	};
	uart->msr = modem_lines(uart);
	return device_add(vm,
			  AXVCPU_WITH(axvm_device_config, .name = "uart",
				      .flags = AXVM_DEVICE_SELF_LOCKED, .ctx = uart,
				      .read = uart_read, .write = uart_write,
				      .quiesce = uart_quiesce, .save = uart_save,
				      .restore = uart_restore),
			  place, REGS);
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
	return atomic_load(&uart->wants_input);
}

bool uart_input(struct uart *uart)
{
	bool now;

	if (pthread_mutex_trylock(&uart->lock))
		return false;
	now = !uart->patience;
	if (!now)
		uart->patience--;
	else if (is_told(uart))
		offer(uart);
	update_line(uart);
	pthread_mutex_unlock(&uart->lock);
	return now;
}

void uart_print(struct uart *uart, const uint8_t *bytes, size_t n)
{
	size_t i;

	pthread_mutex_lock(&uart->lock);
	for (i = 0; i < n; i++)
		console_put(uart->console, bytes[i]);
	pthread_mutex_unlock(&uart->lock);
}

size_t uart_take(struct uart *uart, uint8_t *bytes, size_t max)
{
	size_t n = 0;
	int c;

	pthread_mutex_lock(&uart->lock);
	/* The offered characters are still in the console. */
	uart->offered = 0;
	if (max && (console_waiting(uart->console) || console_ready(uart->console)))
		while (n < max && (c = console_get(uart->console)) >= 0)
			bytes[n++] = (uint8_t)c;
	update_line(uart);
	pthread_mutex_unlock(&uart->lock);
	return n;
}

bool uart_flush(struct uart *uart)
{
	bool written;

	pthread_mutex_lock(&uart->lock);
	written = console_flush(uart->console);
	pthread_mutex_unlock(&uart->lock);
	return written;
}
