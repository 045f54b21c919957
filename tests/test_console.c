/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * Host side of axrun's console, with pipes for stdin and stdout: nothing is lost or read too early,
 * the end of input is reported once, and Ctrl-A works as documented. Needs no KVM.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../examples/axrun/console.h"
#include "../examples/axrun/message.h"
#include "../examples/axrun/signals.h"
#include "suite.h"

/* --- the signals ------------------------------------------------------------------------------ */

static unsigned int ticks;
static bool asked_to_quit;
static bool asked_to_save;

void signals_begin_io(void)
{
}

void signals_end_io(void)
{
}

void signals_request_tick(void)
{
	ticks++;
}

bool signals_stop(void)
{
	return false;
}

void signals_quit(void)
{
	asked_to_quit = true;
}

bool signals_save(void)
{
	asked_to_save = true;
	return true;
}

/* --- the other end ---------------------------------------------------------------------------- */

static struct console console;
static struct outcome outcome;
/* Where one types, and where one reads. */
static int keys;
static int screen;

static void replace(int fd, int with)
{
	ck_assert_int_ge(dup2(with, fd), 0);
	close(with);
}

static void make_console(void)
{
	int in[2], out[2];

	ck_assert_int_eq(pipe(in), 0);
	ck_assert_int_eq(pipe(out), 0);
	replace(STDIN_FILENO, in[0]);
	replace(STDOUT_FILENO, out[1]);
	keys = in[1];
	screen = out[0];
	ck_assert_int_eq(fcntl(keys, F_SETFL, O_NONBLOCK), 0);
	ck_assert_int_eq(fcntl(screen, F_SETFL, O_NONBLOCK), 0);
	outcome = (struct outcome){ 0 };
	console_init(&console, &outcome);
}

static void type(const char *text)
{
	ck_assert_int_eq(write(keys, text, strlen(text)), (ssize_t)strlen(text));
	console_fill(&console);
}

static void expect_keys(const char *text)
{
	ck_assert_uint_eq(console_waiting(&console), strlen(text));
	for (; *text; text++)
		ck_assert_int_eq(console_get(&console), (uint8_t)*text);
	ck_assert_int_eq(console_get(&console), -1);
}

static void expect_on_screen(const char *text)
{
	char shown[64];
	ssize_t n = read(screen, shown, sizeof(shown));

	ck_assert_int_eq(n < 0 ? 0 : n, (ssize_t)strlen(text));
	ck_assert_mem_eq(shown, text, strlen(text));
}

/* --- input ------------------------------------------------------------------------------------ */

START_TEST(input_waits_in_order)
{
	make_console();
	ck_assert_uint_eq(console_waiting(&console), 0);
	ck_assert_int_eq(console_get(&console), -1);
	type("ab");
	type("c");
	expect_keys("abc");
	ck_assert(console_has_room(&console));
}
END_TEST

START_TEST(the_end_of_stdin_is_reported_once)
{
	make_console();
	type("a");
	close(keys);
	console_fill(&console);
	ck_assert(!console_has_room(&console));
	console_fill(&console);
	expect_keys("a\x04");
	ck_assert(!console_ready(&console));
}
END_TEST

/* Pasted input is throttled, and nothing is lost. */
START_TEST(a_large_text_arrives_whole)
{
	enum { SIZE = 1 << 18 };
	char *text = malloc(SIZE);
	size_t typed = 0, received = 0, i;
	bool had_to_wait = false;

	ck_assert_ptr_nonnull(text);
	for (i = 0; i < SIZE; i++)
		text[i] = (char)('a' + i * i % 26);
	make_console();
	while (received < SIZE) {
		ssize_t n = write(keys, text + typed, SIZE - typed);

		typed += n > 0 ? (size_t)n : 0;
		while (console_has_room(&console) && console_waiting(&console) < typed - received)
			console_fill(&console);
		/* Without room nothing is fetched, on any request. */
		if (!console_has_room(&console)) {
			had_to_wait = true;
			i = console_waiting(&console);
			console_fill(&console);
			ck_assert_uint_eq(console_waiting(&console), i);
		}
		/* The guest reads a FIFO's worth, and a bit, so that the ring goes round. */
		for (i = 0; i < 17 && console_waiting(&console); i++)
			ck_assert_int_eq(console_get(&console), text[received++]);
	}
	ck_assert(had_to_wait);
	free(text);
}
END_TEST

START_TEST(input_is_read_on_demand_only)
{
	make_console();
	ck_assert_int_eq(write(keys, "later", 5), 5);
	ck_assert_uint_eq(console_waiting(&console), 0);
	console_put(&console, 'x');
	ck_assert(console_flush(&console));
	ck_assert_uint_eq(console_waiting(&console), 0);
	ck_assert(console_ready(&console));
	expect_keys("later");
}
END_TEST

/* --- the escape ------------------------------------------------------------------------------- */

START_TEST(ctrl_a_is_a_key_unless_there_is_an_escape)
{
	make_console();
	type("\x01x\x01");
	ck_assert(!asked_to_quit);
	expect_keys("\x01x\x01");
}
END_TEST

START_TEST(ctrl_a_x_quits)
{
	make_console();
	console.has_escape = true;
	type("ax\x01");
	ck_assert(!asked_to_quit);
	/* However long after. */
	type("x");
	ck_assert(asked_to_quit);
	expect_keys("ax");
}
END_TEST

START_TEST(ctrl_a_s_saves)
{
	make_console();
	console.has_escape = true;
	type("a\1sb");
	ck_assert(asked_to_save);
	ck_assert_uint_eq(console_waiting(&console), 2);
}
END_TEST

START_TEST(ctrl_a_twice_is_one)
{
	make_console();
	console.has_escape = true;
	type("a\x01\x01x");
	ck_assert(!asked_to_quit);
	expect_keys("a\x01x");
}
END_TEST

START_TEST(unknown_ctrl_a_commands_are_discarded)
{
	make_console();
	console.has_escape = true;
	type("\x01q-\x01\x03+");
	ck_assert(!asked_to_quit);
	expect_keys("-+");
}
END_TEST

START_TEST(ctrl_a_h_prints_help_and_is_not_input)
{
	char help[512] = "";
	int before = dup(STDERR_FILENO);
	int text[2];

	make_console();
	console.has_escape = true;
	ck_assert_int_eq(pipe(text), 0);
	replace(STDERR_FILENO, text[1]);
	type("\x01h");
	replace(STDERR_FILENO, before);
	ck_assert_int_gt(read(text[0], help, sizeof(help) - 1), 0);
	ck_assert_ptr_nonnull(strstr(help, "Ctrl-A x"));
	ck_assert_uint_eq(console_waiting(&console), 0);
	expect_on_screen("");
}
END_TEST

/* --- output ----------------------------------------------------------------------------------- */

START_TEST(output_is_written_together_and_in_order)
{
	make_console();
	ticks = 0;
	console_put(&console, 'a');
	ck_assert_uint_eq(ticks, 1);
	console_put(&console, 'b');
	expect_on_screen("");
	ck_assert(console_flush(&console));
	expect_on_screen("ab");
	/* A guest that waits for an answer shows its question first. */
	console_put(&console, '?');
	ck_assert(!console_ready(&console));
	expect_on_screen("?");
	console_put(&console, '.');
	ck_assert(console_close(&console));
	expect_on_screen(".");
}
END_TEST

START_TEST(output_that_cannot_be_written_ends_the_run)
{
	make_console();
	/* As in axrun. */
	signal(SIGPIPE, SIG_IGN);
	close(screen);
	console_put(&console, 'a');
	ck_assert(outcome_open(&outcome));
	ck_assert(!console_flush(&console));
	ck_assert_int_eq(outcome.ending, RUN_ERROR);
	ck_assert_int_eq(outcome.status, STATUS_ERROR);
	ck_assert_ptr_nonnull(strstr(failure(), "stdout"));
	/* And that is that. */
	console_put(&console, 'b');
	ck_assert(!console_close(&console));
}
END_TEST

/* --- saved states ----------------------------------------------------------------------------- */

static uint8_t saved[8192];

static void put_state(struct state *state, void *ctx)
{
	console_put_state(state, ctx);
}

static size_t save(void)
{
	return (size_t)state_save(saved, sizeof(saved), put_state, &console);
}

static int restore(size_t len)
{
	struct state state = state_open(saved, len);

	return console_get_state(&state, &console);
}

static void expect_input(const char *text)
{
	while (*text)
		ck_assert_int_eq(console_get(&console), *text++);
	ck_assert_int_eq(console_get(&console), -1);
}

START_TEST(saved_input_comes_before_that_of_this_stdin)
{
	size_t len;

	make_console();
	type("xab");
	ck_assert_int_eq(console_get(&console), 'x');
	/* The end of the other stdin is not the end of this one. */
	close(keys);
	console_fill(&console);
	len = save();
	make_console();
	type("cd");
	ck_assert_int_eq(restore(len), 0);
	expect_input("abcd");
	/* A guest that is reset continues in the input. */
	console.in_use = true;
	type("e");
	ck_assert_int_eq(restore(len), 0);
	expect_input("e");
}
END_TEST

START_TEST(input_that_is_not_valid_changes_nothing)
{
	size_t i, len;

	make_console();
	type("abc");
	len = save();
	ck_assert_uint_eq(len, 5);
	for (i = 0; i < len + 2; i++)
		if (i != len)
			ck_assert_int_eq(restore(i), -EINVAL);
	/* More than the buffer holds, and more than is free. */
	saved[0] = saved[1] = 0xff;
	ck_assert_int_eq(restore(sizeof(saved)), -EINVAL);
	saved[0] = 0x00;
	saved[1] = 0x10;
	ck_assert_int_eq(restore(2 + 0x1000), -EINVAL);
	expect_input("abc");
}
END_TEST

static void add_tests(Suite *suite)
{
	TCase *tcase = suite_case(suite, "console");

	tcase_add_test(tcase, input_waits_in_order);
	tcase_add_test(tcase, the_end_of_stdin_is_reported_once);
	tcase_add_test(tcase, a_large_text_arrives_whole);
	tcase_add_test(tcase, input_is_read_on_demand_only);
	tcase_add_test(tcase, ctrl_a_is_a_key_unless_there_is_an_escape);
	tcase_add_test(tcase, ctrl_a_x_quits);
	tcase_add_test(tcase, ctrl_a_s_saves);
	tcase_add_test(tcase, ctrl_a_twice_is_one);
	tcase_add_test(tcase, unknown_ctrl_a_commands_are_discarded);
	tcase_add_test(tcase, ctrl_a_h_prints_help_and_is_not_input);
	tcase_add_test(tcase, output_is_written_together_and_in_order);
	tcase_add_test(tcase, output_that_cannot_be_written_ends_the_run);
	tcase_add_test(tcase, saved_input_comes_before_that_of_this_stdin);
	tcase_add_test(tcase, input_that_is_not_valid_changes_nothing);
}

int main(void)
{
	return suite_main("console", false, add_tests);
}
