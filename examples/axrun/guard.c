/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
#include "guard.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

/* A message to the guard. Writes of up to PIPE_BUF bytes to a pipe are atomic. */
struct order {
	bool taken;
	struct termios found, ours;
};

_Static_assert(sizeof(struct order) <= PIPE_BUF, "an order could arrive in two pieces");

static pid_t guard;
/* Write end of a pipe that only axrun has: when axrun is gone, the guard reads end of file. */
static int orders = -1;

static bool same(const struct termios *a, const struct termios *b)
{
	return a->c_iflag == b->c_iflag && a->c_oflag == b->c_oflag && a->c_cflag == b->c_cflag &&
	       a->c_lflag == b->c_lflag && !memcmp(a->c_cc, b->c_cc, sizeof(a->c_cc));
}

static _Noreturn void watch(int from)
{
	struct order order = { 0 }, next;
	struct termios now;
	sigset_t all;

	prctl(PR_SET_NAME, "axrun-guard");
	/* Signals to axrun's process group, or from the terminal, must not end the guard. */
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, NULL);
	setpgid(0, 0);
	/* Readers of axrun's output wait until all writers have closed it. */
	close_range(STDIN_FILENO + 1, (unsigned int)from - 1, 0);
	close_range((unsigned int)from + 1, UINT_MAX, 0);
	while (read(from, &next, sizeof(next)) == sizeof(next))
		order = next;
	if (order.taken && !tcgetattr(STDIN_FILENO, &now) && same(&now, &order.ours))
		tcsetattr(STDIN_FILENO, TCSANOW, &order.found);
	_exit(0);
}

void guard_start(void)
{
	int ends[2];

	if (!isatty(STDIN_FILENO) || pipe2(ends, O_CLOEXEC))
		return;
	guard = fork();
	if (guard == 0) {
		close(ends[1]);
		watch(ends[0]);
	}
	close(ends[0]);
	orders = ends[1];
	if (guard < 0)
		guard_end();
	else
		atexit(guard_end);
}

void guard_tell(const struct termios *found, const struct termios *ours)
{
	struct order order = { 0 };

	if (orders < 0)
		return;
	if (found) {
		order.taken = true;
		order.found = *found;
		order.ours = *ours;
	}
	while (write(orders, &order, sizeof(order)) < 0 && errno == EINTR)
		;
}

void guard_end(void)
{
	if (orders < 0)
		return;
	close(orders);
	orders = -1;
	if (guard > 0)
		while (waitpid(guard, NULL, 0) < 0 && errno == EINTR)
			;
}
