/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
#include "console.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "message.h"
#include "signals.h"

#define END_OF_INPUT 0x04
/* Ctrl-A. */
#define ESCAPE 0x01
/* Bytes per read from stdin. */
#define CHUNK 512
/* A guest that polls so many times in a row without success does nothing else. */
#define PATIENCE 100u
#define NAP_MS 1

void console_init(struct console *console, struct outcome *outcome)
{
	*console = (struct console){
		.outcome = outcome,
		.in_lock = PTHREAD_MUTEX_INITIALIZER,
	};
}

/* --- output ----------------------------------------------------------------------------------- */

/* Called after a failed write. Returns whether to try again. */
static bool may_retry(struct console *console, int error)
{
	struct pollfd out = { .fd = STDOUT_FILENO, .events = POLLOUT };

	/* stdout may be non-blocking: another process that shares it may have set that. */
	if (error == EAGAIN)
		error = poll(&out, 1, -1) < 0 ? errno : 0;
	if (error == 0)
		return true;
	if (error == EINTR)
		return !signals_stop();
	fail("cannot write the guest's output to stdout: %s", strerror(error));
	outcome_set(console->outcome, RUN_ERROR, STATUS_ERROR);
	console->broken = true;
	return false;
}

bool console_flush(struct console *console)
{
	size_t done = 0;

	if (console->broken)
		return false;
	/* May block, if no process reads. */
	signals_begin_io();
	while (done < console->out_len) {
		ssize_t n = write(STDOUT_FILENO, console->out + done, console->out_len - done);

		if (n >= 0)
			done += (size_t)n;
		else if (!may_retry(console, errno))
			break;
	}
	signals_end_io();
	console->out_len -= done;
	memmove(console->out, console->out + done, console->out_len);
	return console->out_len == 0;
}

void console_put(struct console *console, uint8_t c)
{
	console->in_vain = 0;
	/* If it stays full, the run is about to end and its output cannot be written. */
	if (console->out_len == sizeof(console->out) && !console_flush(console))
		return;
	console->out[console->out_len++] = c;
	signals_request_tick();
}

bool console_close(struct console *console)
{
	bool written = console_flush(console);

	/* Some file systems report a full disk only on close(). */
	if (close(STDOUT_FILENO) && errno != EINTR && !console->broken)
		written = may_retry(console, errno);
	return written;
}

/* --- input ------------------------------------------------------------------------------------ */

/* On stderr, as the guest's output may go to a file. The terminal does not translate newlines. */
static void print_help(void)
{
	static const char help[] = "\r\n"
				   "axrun: Ctrl-A x       ends axrun, at once\r\n"
				   "axrun: Ctrl-A s       saves the machine, with --save\r\n"
				   "axrun: Ctrl-A h       prints this text\r\n"
				   "axrun: Ctrl-A Ctrl-A  sends a Ctrl-A to the guest\r\n";

	fputs(help, stderr);
}

void console_greet(void)
{
	fputs("axrun: Ctrl-A x ends axrun, Ctrl-A h helps\r\n", stderr);
}

/* Returns whether the key is for the guest. */
static bool filter(struct console *console, uint8_t key)
{
	if (!console->has_escape)
		return true;
	if (!console->escaped) {
		console->escaped = key == ESCAPE;
		return !console->escaped;
	}
	console->escaped = false;
	switch (key) {
	case ESCAPE:
		return true;
	case 'x':
	case 'X':
		signals_quit();
		return false;
	case 's':
	case 'S':
		if (!signals_save())
			fputs("\r\naxrun: nothing to save to: axrun was started without --save\r\n",
			      stderr);
		return false;
	case 'h':
	case 'H':
	case '?':
		print_help();
		return false;
	default:
		return false;
	}
}

static bool has_room(const struct console *console)
{
	return !console->in_ended && console->in_len < sizeof(console->in);
}

static void append(struct console *console, uint8_t c)
{
	console->in[(console->in_first + console->in_len++) % sizeof(console->in)] = c;
}

static void fill(struct console *console)
{
	struct pollfd in = { .fd = STDIN_FILENO, .events = POLLIN };
	uint8_t keys[CHUNK];
	size_t room = sizeof(console->in) - console->in_len;
	ssize_t i, n;

	if (!has_room(console) || poll(&in, 1, 0) <= 0)
		return;
	n = read(STDIN_FILENO, keys, room < sizeof(keys) ? room : sizeof(keys));
	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	if (n <= 0) {
		console->in_ended = true;
		append(console, END_OF_INPUT);
	}
	for (i = 0; i < n; i++)
		if (filter(console, keys[i]))
			append(console, keys[i]);
}

bool console_has_room(struct console *console)
{
	bool room;

	pthread_mutex_lock(&console->in_lock);
	room = has_room(console);
	pthread_mutex_unlock(&console->in_lock);
	return room;
}

void console_fill(struct console *console)
{
	pthread_mutex_lock(&console->in_lock);
	fill(console);
	pthread_mutex_unlock(&console->in_lock);
}

size_t console_waiting(struct console *console)
{
	size_t n;

	pthread_mutex_lock(&console->in_lock);
	n = console->in_len;
	pthread_mutex_unlock(&console->in_lock);
	return n;
}

int console_get(struct console *console)
{
	int c = -1;

	pthread_mutex_lock(&console->in_lock);
	if (console->in_len) {
		c = console->in[console->in_first];
		console->in_first = (console->in_first + 1) % sizeof(console->in);
		console->in_len--;
	}
	pthread_mutex_unlock(&console->in_lock);
	return c;
}

/* --- saved states ----------------------------------------------------------------------------- */

void console_put_state(struct state *state, struct console *console)
{
	size_t i, len;

	pthread_mutex_lock(&console->in_lock);
	len = console->in_len;
	/* The last one is END_OF_INPUT then. */
	if (console->in_ended && len)
		len--;
	state_put(state, 2, len);
	for (i = 0; i < len; i++)
		state_put(state, 1, console->in[(console->in_first + i) % sizeof(console->in)]);
	pthread_mutex_unlock(&console->in_lock);
}

/* In front of those that are there. */
static void insert(struct console *console, uint8_t c)
{
	console->in_first = (console->in_first + sizeof(console->in) - 1) % sizeof(console->in);
	console->in[console->in_first] = c;
	console->in_len++;
}

int console_get_state(struct state *state, struct console *console)
{
	uint8_t bytes[sizeof(console->in)];
	size_t len = (size_t)state_get(state, 2);
	int err;

	if (len > sizeof(bytes))
		return -EINVAL;
	state_get_bytes(state, bytes, len);
	err = state_close(state);
	if (err || console->in_use)
		return err;
	pthread_mutex_lock(&console->in_lock);
	if (len > sizeof(bytes) - console->in_len)
		err = -EINVAL;
	while (!err && len > 0)
		insert(console, bytes[--len]);
	pthread_mutex_unlock(&console->in_lock);
	return err;
}

/* --- input and output ------------------------------------------------------------------------- */

bool console_ready(struct console *console)
{
	struct pollfd in = { .fd = STDIN_FILENO, .events = POLLIN };

	if (console->out_len)
		console_flush(console);
	if (console->in_vain < PATIENCE)
		console->in_vain++;
	else
		poll(&in, console_has_room(console) ? 1 : 0, NAP_MS);
	console_fill(console);
	if (!console_waiting(console))
		return false;
	console->in_vain = 0;
	return true;
}
