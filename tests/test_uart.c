/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * axrun's serial port, with a console that is two strings: as drivers probe it and use it, as
 * programs that poll do, and that nothing which was typed gets lost on the way. And SBI's debug
 * console, which is another way to the same. Needs no KVM.
 */
#include <string.h>

#include "../examples/axrun/console.h"
#include "../examples/axrun/dbcn.h"
#include "../examples/axrun/uart.h"
#include "device.h"
#include "suite.h"

enum {
	DATA = 0,
	IER = 1,
	IIR = 2,
	FCR = 2,
	LCR = 3,
	MCR = 4,
	LSR = 5,
	MSR = 6,
	SCR = 7,
};

/* --- the console ------------------------------------------------------------------------------ */

static const char *typed;
static char printed[64];
static size_t nprinted;
static unsigned int questions;

size_t console_waiting(struct console *console)
{
	(void)console;
	return strlen(typed);
}

bool console_ready(struct console *console)
{
	questions++;
	return console_waiting(console);
}

int console_get(struct console *console)
{
	return console_waiting(console) ? *typed++ : -1;
}

void console_put(struct console *console, uint8_t c)
{
	(void)console;
	ck_assert_uint_lt(nprinted, sizeof(printed) - 1);
	printed[nprinted++] = (char)c;
}

void console_put_state(struct state *state, struct console *console)
{
	(void)console;
	state_put(state, 1, strlen(typed));
}

int console_get_state(struct state *state, struct console *console)
{
	(void)console;
	state_get(state, 1);
	return state_close(state);
}

bool console_flush(struct console *console)
{
	(void)console;
	return true;
}

/* --- the port --------------------------------------------------------------------------------- */

static const struct place com1 = { AXVM_SPACE_PORT, 0x3f8 };
static struct uart uart;
static unsigned int line_changes;
static bool line;
static unsigned int waits;

static void make_uart(void)
{
	device_begin();
	typed = "";
	memset(printed, 0, sizeof(printed));
	nprinted = 0;
	questions = 0;
	ck_assert_int_eq(uart_attach(&uart, NULL, device_vm, com1), 0);
}

static void set_line(void *ctx, bool level)
{
	ck_assert_ptr_eq(ctx, &uart);
	ck_assert(level != line);
	line = level;
	line_changes++;
}

static void watch(void *ctx)
{
	ck_assert_ptr_eq(ctx, &uart);
	waits++;
}

static void make_connected_uart(void)
{
	make_uart();
	line = false;
	line_changes = 0;
	waits = 0;
	uart_connect(&uart, set_line, &uart);
	uart_watch(&uart, watch, &uart);
}

static uint8_t in(unsigned int reg)
{
	uint64_t value;

	ck_assert(device_read(AXVM_SPACE_PORT, 0x3f8 + reg, 1, &value));
	return (uint8_t)value;
}

static void out(unsigned int reg, uint8_t value)
{
	ck_assert(device_write(AXVM_SPACE_PORT, 0x3f8 + reg, 1, value));
}

/* Reads the received characters, as a driver does. */
static void expect_received(const char *text)
{
	for (; *text; text++) {
		ck_assert_uint_eq(in(LSR)&0x01, 0x01);
		ck_assert_uint_eq(in(DATA), (uint8_t)*text);
	}
	ck_assert_uint_eq(in(LSR), 0x60);
}

/* --- which chip it is ------------------------------------------------------------------------- */

/* The steps by which Linux's 8250 driver detects the port. */
static void probe(void)
{
	uint8_t ier = in(IER), mcr, lcr;

	out(IER, 0);
	ck_assert_uint_eq(in(IER)&0x0f, 0);
	out(IER, 0x0f);
	ck_assert_uint_eq(in(IER)&0x0f, 0x0f);
	out(IER, ier);

	mcr = in(MCR);
	lcr = in(LCR);
	out(MCR, 0x10 | 0x0a);
	ck_assert_uint_eq(in(MSR)&0xf0, 0x90);
	out(MCR, mcr);

	out(LCR, 0xbf);
	out(FCR, 0);
	out(LCR, 0);
	out(FCR, 0x01);
	ck_assert_uint_eq(in(IIR) >> 6, 3);
	out(LCR, lcr);
}

START_TEST(a_driver_finds_a_port_with_fifos)
{
	make_uart();
	probe();
	ck_assert_uint_eq(in(MCR), 0);
	ck_assert_uint_eq(in(LCR), 0);
	ck_assert_uint_eq(in(IER), 0);
	out(FCR, 0);
	ck_assert_uint_eq(in(IIR) >> 6, 0);
	ck_assert_uint_eq(nprinted, 0);
}
END_TEST

START_TEST(no_register_of_a_newer_chip_is_there)
{
	uint8_t status;

	make_uart();
	probe();
	/* The EFR of a 16650, at the place of the IIR: with DLAB, and behind 0xbf. */
	out(LCR, 0x80);
	ck_assert_uint_ne(in(IIR), 0);
	out(LCR, 0xbf);
	ck_assert_uint_ne(in(IIR), 0);
	/* National Semiconductor's bank 2 shows the loop bit there. */
	out(LCR, 0);
	status = in(MCR);
	out(LCR, 0xe0);
	ck_assert_uint_eq((in(IIR) ^ status) & 0x10, 0);
	out(LCR, 0);
	out(MCR, status ^ 0x10);
	out(LCR, 0xe0);
	ck_assert_uint_eq((in(IIR) ^ status) & 0x10, 0);
	out(LCR, 0);
	out(MCR, status);
	/* The 64 bytes of a 16750, without DLAB and with it. */
	out(FCR, 0x21);
	ck_assert_uint_eq(in(IIR) >> 5, 6);
	out(FCR, 0x01);
	out(LCR, 0x80);
	out(FCR, 0x21);
	ck_assert_uint_eq(in(IIR) >> 5, 6);
	out(FCR, 0x01);
	out(LCR, 0);
	/* The unit enable bit of an XScale; the flow control of later 550s; the id of a 16850. */
	out(IER, 0x40);
	ck_assert_uint_eq(in(IER), 0);
	out(MCR, 0xe0);
	ck_assert_uint_eq(in(MCR), 0);
	out(LCR, 0x80);
	out(DATA, 0);
	out(IER, 0);
	ck_assert_uint_eq(in(DATA), 0);
	ck_assert_uint_eq(in(IER), 0);
	out(LCR, 0);
	ck_assert_uint_eq(nprinted, 0);
}
END_TEST

START_TEST(the_fifo_has_16_characters)
{
	unsigned int i, n;

	make_uart();
	out(FCR, 0x07);
	out(MCR, 0x10);
	for (i = 0; i < 256; i++)
		out(DATA, (uint8_t)i);
	for (n = 0; in(LSR)&0x01 && n < 256; n++)
		ck_assert_uint_eq(in(DATA), n);
	ck_assert_uint_eq(n, 16);
	ck_assert_uint_eq(nprinted, 0);
}
END_TEST

START_TEST(the_scratch_register_keeps_what_is_written)
{
	make_uart();
	out(SCR, 0xa5);
	ck_assert_uint_eq(in(SCR), 0xa5);
	out(SCR, 0x5a);
	ck_assert_uint_eq(in(SCR), 0x5a);
}
END_TEST

START_TEST(the_divisor_hides_data_and_interrupt_enable)
{
	make_uart();
	typed = "x";
	out(IER, 0x05);
	out(LCR, 0x83);
	out(DATA, 0x34);
	out(IER, 0x12);
	ck_assert_uint_eq(in(DATA), 0x34);
	ck_assert_uint_eq(in(IER), 0x12);
	out(LCR, 0x03);
	ck_assert_uint_eq(in(LCR), 0x03);
	ck_assert_uint_eq(in(IER), 0x05);
	expect_received("x");
	ck_assert_uint_eq(nprinted, 0);
}
END_TEST

START_TEST(a_wide_access_is_several_and_must_stay_inside)
{
	uint64_t value;

	make_uart();
	out(SCR, 0x77);
	ck_assert(device_read(AXVM_SPACE_PORT, 0x3fe, 2, &value));
	ck_assert_uint_eq(value, 0x77b0);
	ck_assert(!device_read(AXVM_SPACE_PORT, 0x3ff, 2, &value));
	ck_assert_uint_eq(value, UINT64_MAX);
	ck_assert(!device_read(AXVM_SPACE_PORT, 0x3f7, 1, &value));
	ck_assert(!device_read(AXVM_SPACE_MMIO, 0x3f8, 1, &value));
	ck_assert(!device_write(AXVM_SPACE_PORT, 0x400, 1, 0));
}
END_TEST

START_TEST(two_devices_do_not_share_an_address)
{
	struct uart other;

	make_uart();
	ck_assert_int_eq(uart_attach(&other, NULL, device_vm, com1), -1);
}
END_TEST

/* --- input ------------------------------------------------------------------------------------ */

START_TEST(polling_receives_all_input)
{
	make_uart();
	ck_assert_uint_eq(in(LSR), 0x60);
	ck_assert_uint_eq(in(DATA), 0);
	typed = "abc";
	/* The first look may be a starting driver; the second is a reader that waits. */
	ck_assert_uint_eq(in(LSR), 0x60);
	ck_assert_uint_eq(in(LSR), 0x61);
	ck_assert_uint_eq(in(DATA), 'a');
	/* From then on each look finds the next. */
	expect_received("bc");
	ck_assert_uint_eq(in(DATA), 0);
}
END_TEST

START_TEST(console_reads_stdin_only_for_a_waiting_guest)
{
	unsigned int i;

	make_uart();
	/* As a driver writes: it looks whether there is room, and sends. */
	for (i = 0; i < 16; i++) {
		ck_assert_uint_eq(in(LSR), 0x60);
		out(DATA, 'o');
	}
	ck_assert_uint_eq(in(LSR), 0x60);
	ck_assert_uint_eq(questions, 0);
	in(LSR);
	in(LSR);
	ck_assert_uint_eq(questions, 2);
}
END_TEST

/* The driver clears its FIFO, and discards its contents, when it opens the port. */
static void start_driver(void)
{
	out(FCR, 0x01);
	out(FCR, 0x07);
	out(FCR, 0x00);
	in(LSR);
	in(DATA);
	in(IIR);
	in(MSR);
	ck_assert_uint_ne(in(LSR), 0xff);

	/* Does the transmitter's interrupt come again when it is enabled again? */
	ck_assert_uint_eq(in(LSR)&0x20, 0x20);
	out(IER, 0x02);
	ck_assert_uint_eq(in(IIR), 0x02);
	out(IER, 0x00);
	out(IER, 0x02);
	ck_assert_uint_eq(in(IIR), 0x02);
	out(IER, 0x00);

	out(LCR, 0x03);
	out(MCR, 0x08);
	out(IER, 0x02);
	ck_assert_uint_eq(in(LSR)&0x40, 0x40);
	ck_assert_uint_eq(in(IIR)&0x01, 0);
	out(IER, 0x00);
	in(LSR);
	in(DATA);
	in(IIR);
	in(MSR);

	out(LCR, 0x93);
	out(DATA, 0x01);
	out(IER, 0x00);
	out(LCR, 0x13);
	out(FCR, 0x81);
	out(MCR, 0x0b);
	out(IER, 0x05);
}

START_TEST(a_driver_that_starts_loses_no_input)
{
	make_connected_uart();
	typed = "script";
	probe();
	out(FCR, 0x01);
	out(FCR, 0x07);
	out(FCR, 0x00);
	in(DATA);
	out(IER, 0);
	ck_assert(!line);
	start_driver();
	ck_assert_uint_gt(waits, 0);
	uart_input(&uart);
	ck_assert(line);
	ck_assert_uint_eq(in(IIR), 0xcc);
	expect_received("script");
	ck_assert(!line);
	ck_assert_uint_eq(questions, 0);
}
END_TEST

START_TEST(a_cleared_fifo_gives_back_what_was_typed)
{
	make_connected_uart();
	start_driver();
	typed = "abc";
	uart_input(&uart);
	ck_assert_uint_eq(in(DATA), 'a');
	out(FCR, 0x83);
	ck_assert_uint_eq(in(LSR), 0x60);
	ck_assert(!line);
	ck_assert(uart_wants_input(&uart));
	uart_input(&uart);
	expect_received("bc");
	ck_assert_uint_eq(in(IIR), 0xc1);
	/* The same without the FIFO, and when the interrupt is switched off for a while. */
	typed = "de";
	uart_input(&uart);
	out(FCR, 0x00);
	uart_input(&uart);
	ck_assert_uint_eq(in(DATA), 'd');
	ck_assert_uint_eq(in(IIR), 0x01);
	uart_input(&uart);
	ck_assert(line);
	out(IER, 0x00);
	ck_assert(!line);
	ck_assert_uint_eq(in(DATA), 0);
	out(IER, 0x01);
	uart_input(&uart);
	expect_received("e");
}
END_TEST

START_TEST(the_trigger_level_tells_enough_from_a_timeout)
{
	static const unsigned int levels[] = { 1, 4, 8, 14 };
	unsigned int i, n;

	for (i = 0; i < 4; i++) {
		make_connected_uart();
		out(IER, 0x01);
		out(FCR, (uint8_t)(i << 6 | 0x01));
		typed = "0123456789abcdefghij";
		uart_input(&uart);
		for (n = 16; n > 0; n--) {
			ck_assert(line);
			ck_assert_uint_eq(in(IIR), n >= levels[i] ? 0xc4 : 0xcc);
			in(DATA);
		}
		ck_assert_uint_eq(in(IIR), 0xc1);
		ck_assert(!line);
	}
	/* One FIFO is one interrupt: a handler comes to its end before there is more. */
	ck_assert_str_eq(typed, "ghij");
	ck_assert_uint_eq(in(LSR), 0x60);
	uart_input(&uart);
	expect_received("ghij");
}
END_TEST

/* Also if it sends, and whatever it looks at on the way. */
START_TEST(a_handler_ends_before_there_is_more)
{
	make_connected_uart();
	out(FCR, 0x01);
	out(IER, 0x03);
	typed = "0123456789abcdefghij";
	ck_assert(uart_input(&uart));
	expect_received("0123456789abcdef");
	for (unsigned int i = 0; i < 5; i++) {
		ck_assert(!uart_input(&uart));
		ck_assert_uint_eq(in(LSR), 0x60);
		ck_assert_uint_eq(in(IIR), 0xc2);
		out(DATA, 'x');
	}
	ck_assert_uint_eq(in(IIR), 0xc2);
	waits = 0;
	ck_assert_uint_eq(in(IIR), 0xc1);
	ck_assert_uint_eq(waits, 1);
	ck_assert(uart_input(&uart));
	expect_received("ghij");
}
END_TEST

START_TEST(a_handler_that_does_not_ask_gets_more_all_the_same)
{
	unsigned int tries = 0;

	make_connected_uart();
	out(IER, 0x01);
	typed = "ab";
	ck_assert(uart_input(&uart));
	expect_received("a");
	while (!uart_input(&uart))
		ck_assert_uint_lt(tries++, 20);
	ck_assert_uint_gt(tries, 0);
	expect_received("b");
}
END_TEST

START_TEST(without_a_fifo_one_character_is_all_there_is)
{
	make_connected_uart();
	out(IER, 0x01);
	typed = "ab";
	uart_input(&uart);
	ck_assert_uint_eq(in(IIR), 0x04);
	expect_received("a");
	ck_assert(!line);
	ck_assert_uint_eq(in(IIR), 0x01);
	uart_input(&uart);
	ck_assert(line);
	expect_received("b");
}
END_TEST

START_TEST(waiting_for_input_gets_an_interrupt)
{
	make_connected_uart();
	ck_assert(!uart_wants_input(&uart));
	uart_input(&uart);
	ck_assert_uint_eq(line_changes, 0);
	out(IER, 0x01);
	ck_assert(uart_wants_input(&uart));
	ck_assert_uint_eq(waits, 1);
	in(LSR);
	in(LSR);
	ck_assert_uint_eq(waits, 1);
	ck_assert_uint_eq(questions, 0);

	typed = "x";
	uart_input(&uart);
	ck_assert(line);
	ck_assert(!uart_wants_input(&uart));
	in(DATA);
	ck_assert(!line);
	ck_assert(uart_wants_input(&uart));
	ck_assert_uint_eq(waits, 2);
	/* In loopback, input from outside is blocked. */
	out(MCR, 0x10);
	ck_assert(!uart_wants_input(&uart));
	out(DATA, 'l');
	ck_assert(line);
	in(DATA);
	ck_assert(!line);
}
END_TEST

/* A thread must remain that reads Ctrl-A x while stdout blocks. */
/* The wait does not depend on a clock that can be set. */
START_TEST(a_busy_port_blocks_no_other_thread)
{
	make_connected_uart();
	out(IER, 0x01);
	typed = "x";
	pthread_mutex_lock(&uart.lock);
	ck_assert(uart_wants_input(&uart));
	ck_assert(!uart_input(&uart));
	pthread_mutex_unlock(&uart.lock);
	ck_assert(!line);
	ck_assert(uart_input(&uart));
	expect_received("x");
}
END_TEST

START_TEST(dropped_rts_stops_input_until_it_is_back)
{
	make_connected_uart();
	start_driver();
	typed = "abc";
	/* Throttled: DTR stays up. */
	out(MCR, 0x09);
	ck_assert(!uart_wants_input(&uart));
	uart_input(&uart);
	ck_assert_uint_eq(in(LSR), 0x60);
	ck_assert(!line);
	out(MCR, 0x0b);
	ck_assert(uart_wants_input(&uart));
	uart_input(&uart);
	expect_received("abc");
}
END_TEST

/* --- loopback --------------------------------------------------------------------------------- */

START_TEST(loopback_stays_in_the_port)
{
	make_uart();
	typed = "x";
	in(LSR);
	ck_assert_uint_eq(in(LSR), 0x61);
	out(MCR, 0x10);
	ck_assert_uint_eq(in(LSR), 0x60);
	out(DATA, 'l');
	ck_assert_uint_eq(in(LSR), 0x61);
	ck_assert_uint_eq(in(DATA), 'l');
	ck_assert_uint_eq(in(LSR), 0x60);
	/* Characters sent and not received stay in the receiver, before input from outside. */
	out(DATA, 'm');
	out(MCR, 0);
	ck_assert_uint_eq(in(DATA), 'm');
	in(LSR);
	in(LSR);
	expect_received("x");
	ck_assert_uint_eq(nprinted, 0);
}
END_TEST

START_TEST(a_full_receiver_overruns)
{
	unsigned int i;

	make_connected_uart();
	out(MCR, 0x10);
	out(IER, 0x04);
	/* The register has the last character. */
	out(DATA, 'a');
	ck_assert(!line);
	out(DATA, 'b');
	ck_assert(line);
	ck_assert_uint_eq(in(IIR), 0x06);
	ck_assert_uint_eq(in(LSR), 0x63);
	ck_assert(!line);
	ck_assert_uint_eq(in(IIR), 0x01);
	ck_assert_uint_eq(in(LSR), 0x61);
	ck_assert_uint_eq(in(DATA), 'b');
	/* The FIFO has the first ones. */
	out(FCR, 0x01);
	for (i = 0; i < 17; i++)
		out(DATA, (uint8_t)('a' + i));
	ck_assert_uint_eq(in(LSR), 0x63);
	expect_received("abcdefghijklmnop");
}
END_TEST

START_TEST(a_break_is_a_character_of_its_own)
{
	make_connected_uart();
	out(FCR, 0x01);
	out(IER, 0x04);
	out(MCR, 0x10);
	out(DATA, 'a');
	out(LCR, 0x43);
	/* While the line is held nothing else gets through. */
	out(DATA, 'b');
	out(LCR, 0x43);
	out(LCR, 0x03);
	out(DATA, 'c');
	/* It is reported when it is the next to be read. */
	ck_assert(!line);
	ck_assert_uint_eq(in(LSR), 0xe1);
	ck_assert_uint_eq(in(DATA), 'a');
	ck_assert(line);
	ck_assert_uint_eq(in(IIR), 0xc6);
	ck_assert_uint_eq(in(LSR), 0xf1);
	ck_assert(!line);
	ck_assert_uint_eq(in(LSR), 0x61);
	ck_assert_uint_eq(in(DATA), 0);
	expect_received("c");
	/* It means nothing to the other end, and the output that follows is written. */
	out(MCR, 0);
	out(LCR, 0x43);
	out(LCR, 0x03);
	out(DATA, 'd');
	ck_assert_str_eq(printed, "d");
	ck_assert_uint_eq(in(LSR), 0x60);
}
END_TEST

START_TEST(a_change_of_the_fifo_empties_it)
{
	make_uart();
	out(MCR, 0x10);
	out(FCR, 0x01);
	out(DATA, 'a');
	out(FCR, 0x00);
	ck_assert_uint_eq(in(LSR), 0x60);
	out(DATA, 'b');
	out(FCR, 0x01);
	ck_assert_uint_eq(in(LSR), 0x60);
	out(DATA, 'c');
	out(FCR, 0x41);
	ck_assert_uint_eq(in(LSR), 0x61);
	out(FCR, 0x43);
	ck_assert_uint_eq(in(LSR), 0x60);
	/* Clearing the transmitter's, which is empty, changes nothing. */
	out(DATA, 'd');
	out(FCR, 0x45);
	expect_received("d");
}
END_TEST

/* --- modem lines ------------------------------------------------------------------------------ */

START_TEST(modem_line_changes_are_reported_once)
{
	make_connected_uart();
	/* The other end is there, and always was. */
	ck_assert_uint_eq(in(MSR), 0xb0);
	out(IER, 0x08);
	ck_assert(!line);
	/* All outputs are down: so are the inputs now. */
	out(MCR, 0x10);
	ck_assert(line);
	ck_assert_uint_eq(in(IIR), 0x00);
	ck_assert_uint_eq(in(MSR), 0x0b);
	ck_assert(!line);
	ck_assert_uint_eq(in(MSR), 0x00);
	ck_assert_uint_eq(in(IIR), 0x01);

	out(MCR, 0x12);
	ck_assert_uint_eq(in(MSR), 0x11);
	out(MCR, 0x13);
	ck_assert_uint_eq(in(MSR), 0x32);
	/* Only the trailing edge of the ring indicator counts. */
	out(MCR, 0x17);
	ck_assert(!line);
	ck_assert_uint_eq(in(MSR), 0x70);
	out(MCR, 0x13);
	ck_assert_uint_eq(in(MSR), 0x34);
	out(MCR, 0x1b);
	ck_assert_uint_eq(in(MSR), 0xb8);
	/* There and back are two changes, which add up. */
	out(MCR, 0x19);
	out(MCR, 0x1a);
	ck_assert_uint_eq(in(MSR), 0x93);
	ck_assert(!line);
}
END_TEST

/* --- interrupts ------------------------------------------------------------------------------- */

START_TEST(the_most_urgent_cause_comes_first)
{
	make_connected_uart();
	out(FCR, 0x01);
	/* All at once: a change of the modem lines, an empty transmitter, data, an overrun. */
	out(MCR, 0x10);
	out(IER, 0x0f);
	for (unsigned int i = 0; i < 17; i++)
		out(DATA, 'x');
	ck_assert_uint_eq(in(IIR), 0xc6);
	in(LSR);
	ck_assert_uint_eq(in(IIR), 0xc4);
	while (in(LSR)&0x01)
		in(DATA);
	ck_assert_uint_eq(in(IIR), 0xc2);
	ck_assert_uint_eq(in(IIR), 0xc0);
	in(MSR);
	ck_assert_uint_eq(in(IIR), 0xc1);
	ck_assert(!line);
}
END_TEST

START_TEST(each_cause_can_be_kept_out)
{
	static const struct {
		uint8_t ier;
		uint8_t iir;
	} causes[] = { { 0x04, 0xc6 }, { 0x01, 0xc4 }, { 0x02, 0xc2 }, { 0x08, 0xc0 } };
	unsigned int i, n;

	for (i = 0; i < 4; i++) {
		make_connected_uart();
		out(FCR, 0x01);
		out(MCR, 0x10);
		for (n = 0; n < 17; n++)
			out(DATA, 'x');
		ck_assert(!line);
		ck_assert_uint_eq(in(IIR), 0xc1);
		out(IER, causes[i].ier);
		ck_assert(line);
		ck_assert_uint_eq(in(IIR), causes[i].iir);
		out(IER, 0);
		ck_assert(!line);
		ck_assert_uint_eq(in(IIR), 0xc1);
	}
}
END_TEST

START_TEST(polling_reads_interrupt_causes)
{
	make_uart();
	ck_assert_uint_eq(in(IIR), 0x01);
	out(IER, 0x03);
	typed = "x";
	ck_assert_uint_eq(in(IIR), 0x04);
	in(DATA);
	ck_assert_uint_eq(in(IIR), 0x02);
	ck_assert_uint_eq(in(IIR), 0x01);
	out(DATA, 'y');
	ck_assert_uint_eq(in(IIR), 0x02);
	ck_assert_uint_eq(in(IIR), 0x01);
	out(IER, 0);
	out(DATA, 'z');
	ck_assert_uint_eq(in(IIR), 0x01);
	ck_assert_str_eq(printed, "yz");
}
END_TEST

START_TEST(a_burst_of_output_moves_the_line_twice)
{
	unsigned int burst, i;

	make_connected_uart();
	out(FCR, 0x01);
	out(IER, 0x02);
	ck_assert(line);
	for (burst = 0; burst < 3; burst++) {
		line_changes = 0;
		ck_assert_uint_eq(in(IIR), 0xc2);
		ck_assert(!line);
		for (i = 0; i < 16; i++)
			out(DATA, 'o');
		ck_assert(line);
		ck_assert_uint_eq(line_changes, 2);
	}
	ck_assert_uint_eq(nprinted, 48);
	out(IER, 0x00);
	ck_assert(!line);
}
END_TEST

/* --- SBI's debug console ---------------------------------------------------------------------- */

enum { CONSOLE_WRITE, CONSOLE_READ, CONSOLE_WRITE_BYTE, CONSOLE_FUNCTIONS };

#define INVALID_PARAM (-3)
#define NOT_SUPPORTED (-2)

/* Two regions that do not touch, of 8 KiB. */
#define MEMORY 0x100000u
#define OTHER 0x200000u
#define MEMORY_SIZE 0x2000u

static struct axvm *vm;

static void make_vm(void)
{
	struct axvm_config config = AXVM_CONFIG_INIT;
	struct axvm_region region = AXVM_REGION_INIT;

	memset(&mock, 0, sizeof(mock));
	config.arch = &mock_ops;
	ck_ok(axvm_new(&config, &vm));
	region.gpa = MEMORY;
	region.len = MEMORY_SIZE;
	ck_ok(axvm_map(vm, &region));
	region.gpa = OTHER;
	ck_ok(axvm_map(vm, &region));
}

static struct dbcn_result dbcn(uint64_t function, uint64_t a, uint64_t b, uint64_t c)
{
	const uint64_t args[6] = { a, b, c };

	return dbcn_call(vm, &uart, function, args);
}

static void expect_result(struct dbcn_result result, int64_t error, uint64_t value)
{
	ck_assert_int_eq(result.error, error);
	ck_assert_uint_eq(result.value, value);
}

/* --- saved states ----------------------------------------------------------------------------- */

#define STATE_MAX 256

/* Two characters received in loopback, with an interrupt for them. */
static void fill_port(void)
{
	out(LCR, 0x80);
	out(DATA, 0x34);
	out(IER, 0x12);
	out(LCR, 0x03);
	out(FCR, 0x01);
	out(SCR, 0x56);
	out(MCR, 0x1a);
	out(DATA, 'a');
	out(DATA, 'b');
	out(IER, 0x01);
}

START_TEST(a_saved_port_is_restored)
{
	uint8_t state[STATE_MAX];
	size_t size;

	make_connected_uart();
	fill_port();
	ck_assert(line);
	size = device_save(state, sizeof(state));
	/* All is changed. */
	ck_assert_uint_eq(in(DATA), 'a');
	out(LCR, 0x80);
	out(DATA, 1);
	out(LCR, 0x00);
	out(IER, 0x00);
	out(FCR, 0x00);
	out(SCR, 0x00);
	out(MCR, 0x00);
	ck_assert(!line);
	/* The library restores the line. */
	line = true;
	ck_assert_int_eq(device_restore(state, size), 0);
	ck_assert(line);
	ck_assert_uint_eq(in(LCR), 0x03);
	ck_assert_uint_eq(in(SCR), 0x56);
	ck_assert_uint_eq(in(MCR), 0x1a);
	ck_assert_uint_eq(in(IER), 0x01);
	ck_assert_uint_eq(in(IIR)&0xc0, 0xc0);
	ck_assert_uint_eq(in(DATA), 'a');
	ck_assert_uint_eq(in(DATA), 'b');
	ck_assert(!line);
	out(LCR, 0x80);
	ck_assert_uint_eq(in(DATA), 0x34);
	ck_assert_uint_eq(in(IER), 0x12);
}
END_TEST

START_TEST(a_state_that_is_not_valid_changes_nothing)
{
	uint8_t good[STATE_MAX], bad[STATE_MAX], now[STATE_MAX];
	size_t size, i, refused = 0;

	make_uart();
	fill_port();
	size = device_save(good, sizeof(good));
	device_check_lengths(1);
	for (i = 0; i < size; i++) {
		memcpy(bad, good, size);
		bad[i] = 0xff;
		if (device_restore(bad, size)) {
			refused++;
			ck_assert_uint_eq(device_save(now, sizeof(now)), size);
			ck_assert_mem_eq(now, good, size);
		}
		ck_assert_int_eq(device_restore(good, size), 0);
	}
	/* The number offered, the patience, the latest register, and the length of the loop. */
	ck_assert_uint_eq(refused, 4);
}
END_TEST

START_TEST(the_debug_console_prints_what_lies_in_memory)
{
	make_uart();
	make_vm();
	ck_ok(axvm_write(vm, MEMORY + MEMORY_SIZE - 5, "hello", 5));
	expect_result(dbcn(CONSOLE_WRITE, 5, MEMORY + MEMORY_SIZE - 5, 0), 0, 5);
	expect_result(dbcn(CONSOLE_WRITE_BYTE, 0x4321, 0, 0), 0, 0);
	out(DATA, '?');
	ck_assert_str_eq(printed, "hello!?");
	expect_result(dbcn(CONSOLE_FUNCTIONS, 0, 0, 0), NOT_SUPPORTED, 0);
	expect_result(dbcn(UINT64_MAX, 0, 0, 0), NOT_SUPPORTED, 0);
	ck_ok(axvm_free(vm));
}
END_TEST

START_TEST(the_debug_console_shares_what_was_typed_with_the_port)
{
	char text[8] = "";

	make_connected_uart();
	make_vm();
	typed = "abcdef";
	out(FCR, 0x01);
	out(IER, 0x01);
	ck_assert(uart_input(&uart));
	ck_assert(line);
	/*
	 * Characters offered by the FIFO are not read twice, and the interrupt has no reason any
	 * more.
	 */
	expect_result(dbcn(CONSOLE_READ, 4, OTHER, 0), 0, 4);
	ck_ok(axvm_read(vm, OTHER, text, 4));
	ck_assert_str_eq(text, "abcd");
	ck_assert(!line);
	ck_assert(uart_input(&uart));
	expect_received("ef");
	expect_result(dbcn(CONSOLE_READ, 4, OTHER, 0), 0, 0);
	ck_ok(axvm_free(vm));
}
END_TEST

/* A guest may ask for anything: the result is bounded, and in its own memory. */
START_TEST(the_debug_console_takes_no_address_that_is_not_memory)
{
	static const struct {
		uint64_t len, low, high;
	} bad[] = {
		{ 1, 0, 0 },
		{ 1, MEMORY - 1, 0 },
		{ 2, MEMORY + MEMORY_SIZE - 1, 0 },
		{ 1, MEMORY, 1 },
		{ 16, UINT64_MAX, 0 },
		{ 16, UINT64_MAX - 7, 0 },
		{ UINT64_MAX, MEMORY, 0 },
		{ UINT64_MAX - MEMORY + 1, MEMORY, 0 },
	};
	size_t i;

	make_uart();
	make_vm();
	typed = "kept";
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		expect_result(dbcn(CONSOLE_WRITE, bad[i].len, bad[i].low, bad[i].high),
			      INVALID_PARAM, 0);
		expect_result(dbcn(CONSOLE_READ, bad[i].len, bad[i].low, bad[i].high),
			      INVALID_PARAM, 0);
	}
	ck_assert_str_eq(printed, "");
	ck_assert_str_eq(typed, "kept");
	expect_result(dbcn(CONSOLE_WRITE, 0, MEMORY, 0), 0, 0);
	expect_result(dbcn(CONSOLE_READ, 0, MEMORY, 0), 0, 0);
	ck_assert_str_eq(typed, "kept");
	ck_ok(axvm_free(vm));
}
END_TEST

static void add_tests(Suite *suite)
{
	TCase *tcase = suite_case(suite, "uart");

	tcase_add_test(tcase, a_driver_finds_a_port_with_fifos);
	tcase_add_test(tcase, no_register_of_a_newer_chip_is_there);
	tcase_add_test(tcase, the_fifo_has_16_characters);
	tcase_add_test(tcase, the_scratch_register_keeps_what_is_written);
	tcase_add_test(tcase, the_divisor_hides_data_and_interrupt_enable);
	tcase_add_test(tcase, a_wide_access_is_several_and_must_stay_inside);
	tcase_add_test(tcase, two_devices_do_not_share_an_address);
	tcase_add_test(tcase, polling_receives_all_input);
	tcase_add_test(tcase, console_reads_stdin_only_for_a_waiting_guest);
	tcase_add_test(tcase, a_driver_that_starts_loses_no_input);
	tcase_add_test(tcase, a_cleared_fifo_gives_back_what_was_typed);
	tcase_add_test(tcase, the_trigger_level_tells_enough_from_a_timeout);
	tcase_add_test(tcase, a_handler_ends_before_there_is_more);
	tcase_add_test(tcase, a_handler_that_does_not_ask_gets_more_all_the_same);
	tcase_add_test(tcase, without_a_fifo_one_character_is_all_there_is);
	tcase_add_test(tcase, waiting_for_input_gets_an_interrupt);
	tcase_add_test(tcase, a_busy_port_blocks_no_other_thread);
	tcase_add_test(tcase, dropped_rts_stops_input_until_it_is_back);
	tcase_add_test(tcase, loopback_stays_in_the_port);
	tcase_add_test(tcase, a_full_receiver_overruns);
	tcase_add_test(tcase, a_break_is_a_character_of_its_own);
	tcase_add_test(tcase, a_change_of_the_fifo_empties_it);
	tcase_add_test(tcase, modem_line_changes_are_reported_once);
	tcase_add_test(tcase, the_most_urgent_cause_comes_first);
	tcase_add_test(tcase, each_cause_can_be_kept_out);
	tcase_add_test(tcase, polling_reads_interrupt_causes);
	tcase_add_test(tcase, a_burst_of_output_moves_the_line_twice);
	tcase_add_test(tcase, a_saved_port_is_restored);
	tcase_add_test(tcase, a_state_that_is_not_valid_changes_nothing);
	tcase_add_test(tcase, the_debug_console_prints_what_lies_in_memory);
	tcase_add_test(tcase, the_debug_console_shares_what_was_typed_with_the_port);
	tcase_add_test(tcase, the_debug_console_takes_no_address_that_is_not_memory);
}

int main(void)
{
	return suite_main("uart", false, add_tests);
}
