/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
#include "input.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "message.h"
#include "signals.h"

/* Interval at which a full input buffer is checked for room. */
#define PATIENCE_MS 100
/* Retry interval while the guest is not ready for the input. */
#define BUSY_MS 1

static void wake(void *ctx)
{
	const struct input *input = ctx;
	const uint64_t one = 1;

	/* Fails only if the counter is full, and then the thread is awake already. */
	if (write(input->wake_fd, &one, sizeof(one)) < 0)
		return;
}

/*
 * Sleeps until woken or, if axrun wants input, until stdin has some. While the guest is busy,
 * sleeps for BUSY_MS only, and ignores stdin: pasted text is no reason to retry earlier.
 */
static void wait_for_input(const struct input *input, bool wants, bool busy)
{
	const struct console *console = input->console;
	bool listens = wants || console->has_escape;
	bool room = console_has_room(input->console);
	struct pollfd fds[2] = {
		{ .fd = input->wake_fd, .events = POLLIN },
		{ .fd = STDIN_FILENO, .events = POLLIN },
	};
	uint64_t count;
	int timeout = -1;

	if (busy)
		timeout = BUSY_MS;
	/* A guest that polls for its input frees space without a wake-up. */
	else if (listens && !room)
		timeout = PATIENCE_MS;
	if (poll(fds, listens && room && !busy ? 2 : 1, timeout) < 0)
		return;
	if (fds[0].revents && read(input->wake_fd, &count, sizeof(count)) < 0)
		return;
	if (busy || fds[1].revents)
		console_fill(input->console);
}

static void *work(void *arg)
{
	struct input *input = arg;

	signals_thread_start();
	while (!atomic_load(&input->ends)) {
		/* Read before sleeping; a later change wakes the thread. */
		bool wants = uart_wants_input(input->uart);
		bool has = wants && console_waiting(input->console);

		if (!has || !uart_input(input->uart))
			wait_for_input(input, wants, has);
	}
	return NULL;
}

int input_start(struct input *input, struct uart *uart, struct console *console)
{
	sigset_t all, old;
	int err;

	*input = (struct input){ .uart = uart, .console = console, .wake_fd = -1 };
	if (!uart->set_line && !console->has_escape)
		return 0;
	input->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (input->wake_fd < 0)
		return fail("cannot watch stdin: %s", strerror(errno));
	uart_watch(uart, wake, input);
	/* Signals are for the main thread only. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	err = pthread_create(&input->thread, NULL, work, input);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (!err)
		return 0;
	close(input->wake_fd);
	input->wake_fd = -1;
	return fail("cannot create the thread that watches stdin: %s", strerror(err));
}

void input_stop(struct input *input)
{
	if (input->wake_fd < 0)
		return;
	atomic_store(&input->ends, 1);
	wake(input);
	pthread_join(input->thread, NULL);
	/* The port may change while no guest runs: a restored state. */
	uart_watch(input->uart, NULL, NULL);
	close(input->wake_fd);
}
