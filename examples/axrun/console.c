/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
#include "console.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "message.h"
#include "signals.h"

#define END_OF_INPUT 0x04
/* A guest that asked so often does nothing else. */
#define PATIENCE 100u
#define NAP_MS 1

void console_init(struct console *console, struct outcome *outcome)
{
	*console = (struct console){ .lock = PTHREAD_MUTEX_INITIALIZER, .outcome = outcome };
}

/* After a write that did not work. Whether to try again. */
static bool may_retry(struct console *console, int error)
{
	struct pollfd out = { .fd = STDOUT_FILENO, .events = POLLOUT };

	/* stdout may be non-blocking, as whoever shares it with axrun pleases. */
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

/* These have the lock. */

static bool flush(struct console *console)
{
	size_t done = 0;

	if (console->broken)
		return false;
	/* It may take long, if nobody reads. */
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

static void put(struct console *console, uint8_t c)
{
	console->in_vain = 0;
	/* If it stays full the run is about to end, and its output has nowhere to go. */
	if (console->out_len == sizeof(console->out) && !flush(console))
		return;
	console->out[console->out_len++] = c;
	signals_request_tick();
}

static bool close_output(struct console *console)
{
	bool written = flush(console);

	/* Some file systems tell only now that the disk is full. */
	if (close(STDOUT_FILENO) && errno != EINTR && !console->broken)
		written = may_retry(console, errno);
	return written;
}

static void fill(struct console *console, int timeout_ms)
{
	struct pollfd in = { .fd = STDIN_FILENO, .events = POLLIN };
	ssize_t n;

	if (console->in_ended || poll(&in, 1, timeout_ms) <= 0)
		return;
	n = read(STDIN_FILENO, console->in, sizeof(console->in));
	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	if (n <= 0) {
		console->in_ended = true;
		console->in[0] = END_OF_INPUT;
		n = 1;
	}
	console->in_pos = 0;
	console->in_len = (size_t)n;
}

static bool ready(struct console *console)
{
	bool nap;

	if (console->in_pos < console->in_len)
		return true;
	if (console->out_len)
		flush(console);
	nap = console->in_vain >= PATIENCE;
	if (!nap)
		console->in_vain++;
	if (console->in_ended && nap)
		poll(NULL, 0, NAP_MS);
	else
		fill(console, nap ? NAP_MS : 0);
	if (console->in_pos == console->in_len)
		return false;
	console->in_vain = 0;
	return true;
}

/* --- for everybody ---------------------------------------------------------------------------- */

bool console_flush(struct console *console)
{
	bool written;

	pthread_mutex_lock(&console->lock);
	written = flush(console);
	pthread_mutex_unlock(&console->lock);
	return written;
}

void console_put(struct console *console, uint8_t c)
{
	pthread_mutex_lock(&console->lock);
	put(console, c);
	pthread_mutex_unlock(&console->lock);
}

bool console_close(struct console *console)
{
	bool written;

	pthread_mutex_lock(&console->lock);
	written = close_output(console);
	pthread_mutex_unlock(&console->lock);
	return written;
}

bool console_ready(struct console *console)
{
	bool found;

	pthread_mutex_lock(&console->lock);
	found = ready(console);
	pthread_mutex_unlock(&console->lock);
	return found;
}

bool console_waiting(struct console *console)
{
	bool waiting;

	pthread_mutex_lock(&console->lock);
	waiting = console->in_pos < console->in_len;
	pthread_mutex_unlock(&console->lock);
	return waiting;
}

int console_fill(struct console *console)
{
	int filled;

	pthread_mutex_lock(&console->lock);
	if (console->in_pos == console->in_len)
		fill(console, 0);
	if (console->in_pos < console->in_len)
		filled = 1;
	else
		filled = console->in_ended ? -1 : 0;
	pthread_mutex_unlock(&console->lock);
	return filled;
}

int console_get(struct console *console)
{
	int c = -1;

	pthread_mutex_lock(&console->lock);
	if (ready(console))
		c = console->in[console->in_pos++];
	pthread_mutex_unlock(&console->lock);
	return c;
}
