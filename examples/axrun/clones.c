/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
#include "clones.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "message.h"
#include "outcome.h"
#include "signals.h"

#define LINE_MAX_BYTES 1024

struct clone {
	pid_t pid;
	/* Its stdout; -1 when it has ended. */
	int out;
	/* The line that is not complete yet. */
	char line[LINE_MAX_BYTES];
	size_t len;
};

/* The signals that end all clones. */
static const int forwarded[] = { SIGHUP, SIGINT, SIGQUIT, SIGTERM };

static struct clone clones[CLONES_MAX];
/* Used by the signal handler: the number of clones, and the signal. */
static volatile sig_atomic_t nclones;
static volatile sig_atomic_t caught;

static void tell_all(int signal)
{
	int i;

	for (i = 0; i < nclones; i++)
		kill(clones[i].pid, signal);
}

/* They end in order, and this process after them. */
static void on_signal(int signal)
{
	int saved_errno = errno;

	caught = signal;
	tell_all(signal);
	errno = saved_errno;
}

/* --- the processes ---------------------------------------------------------------------------- */

/* Signals that are ignored stay ignored. */
static void replace_handlers(void (*from)(int), void (*to)(int))
{
	struct sigaction action = { .sa_handler = to }, old;
	size_t i;

	sigfillset(&action.sa_mask);
	for (i = 0; i < sizeof(forwarded) / sizeof(forwarded[0]); i++)
		if (!sigaction(forwarded[i], NULL, &old) && old.sa_handler == from)
			sigaction(forwarded[i], &action, NULL);
}

/* In the new process. Its group is its own: the terminal's signals come from the parent. */
static void become_clone(pid_t parent, int in, int out)
{
	int i;

	for (i = 0; i < nclones; i++)
		close(clones[i].out);
	setpgid(0, 0);
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	replace_handlers(on_signal, SIG_DFL);
	/* The parent ended before prctl(). The signal is blocked until start_all() ends. */
	if (getppid() != parent)
		raise(SIGTERM);
	/* Both are open, so that neither call fails. */
	dup2(in, STDIN_FILENO);
	dup2(out, STDOUT_FILENO);
	close(in);
	close(out);
}

/* Returns 1 in the new process, 0 in the old one, or -1 after fail(). */
static int start(int in)
{
	struct clone *clone = &clones[nclones];
	pid_t parent = getpid();
	int ends[2];

	if (pipe2(ends, O_CLOEXEC))
		return fail("cannot create a pipe: %s", strerror(errno));
	*clone = (struct clone){ .out = ends[0], .pid = fork() };
	if (clone->pid == 0) {
		close(ends[0]);
		become_clone(parent, in, ends[1]);
		return 1;
	}
	close(ends[1]);
	if (clone->pid < 0) {
		close(ends[0]);
		return fail("cannot create a process: %s", strerror(errno));
	}
	nclones++;
	return 0;
}

/* --- their output ----------------------------------------------------------------------------- */

static void print_line(struct clone *clone)
{
	printf("%d: %.*s\n", (int)(clone - clones) + 1, (int)clone->len, clone->line);
	clone->len = 0;
	if (fflush(stdout) != EOF)
		return;
	fail("cannot write to stdout");
	tell_all(SIGTERM);
}

static void take_output(struct clone *clone)
{
	char bytes[4096];
	ssize_t i, n = read(clone->out, bytes, sizeof(bytes));

	if (n < 0 && errno == EINTR)
		return;
	for (i = 0; i < n; i++) {
		if (bytes[i] != '\n')
			clone->line[clone->len++] = bytes[i];
		if (bytes[i] == '\n' || clone->len == sizeof(clone->line))
			print_line(clone);
	}
	if (n > 0)
		return;
	if (clone->len)
		print_line(clone);
	close(clone->out);
	clone->out = -1;
}

/* Until all have ended. poll() ignores negative descriptors. */
static void take_all_output(void)
{
	struct pollfd fds[CLONES_MAX];
	int i, open;

	for (;;) {
		for (i = open = 0; i < nclones; i++) {
			fds[i] = (struct pollfd){ .fd = clones[i].out, .events = POLLIN };
			open += clones[i].out >= 0;
		}
		if (!open)
			return;
		if (poll(fds, (nfds_t)nclones, -1) < 0)
			continue;
		for (i = 0; i < nclones; i++)
			if (fds[i].revents)
				take_output(&clones[i]);
	}
}

static int wait_for(const struct clone *clone)
{
	int status;

	while (waitpid(clone->pid, &status, 0) < 0)
		if (errno != EINTR)
			return STATUS_ERROR;
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

/* --- all of it -------------------------------------------------------------------------------- */

/* Returns 1 in a new process; in this one 0 when all have been started, or -1 after fail(). */
static int start_all(uint32_t n)
{
	sigset_t all, old;
	int ends[2], ret = 0;

	/* Reads return the end of the input. */
	if (pipe2(ends, O_CLOEXEC))
		return fail("cannot create a pipe: %s", strerror(errno));
	close(ends[1]);
	replace_handlers(SIG_DFL, on_signal);
	/* A signal finds all clones or none. */
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &old);
	while (!ret && (uint32_t)nclones < n)
		ret = start(ends[0]);
	sigprocmask(SIG_SETMASK, &old, NULL);
	if (ret <= 0)
		close(ends[0]);
	return ret;
}

int clones_run(struct options *options, int (*run)(struct options *options))
{
	int i, n, status = 0, started = start_all(options->clones);

	if (started > 0)
		return run(options);
	if (started < 0)
		tell_all(SIGTERM);
	take_all_output();
	/* Their numbers may belong to other processes from now on. */
	n = nclones;
	nclones = 0;
	for (i = 0; i < n; i++) {
		int one = wait_for(&clones[i]);

		status = status ? status : one;
	}
	if (failure()) {
		fprintf(stderr, "axrun: %s\n", failure());
		status = STATUS_ERROR;
	}
	if (caught)
		signals_die(caught);
	return status;
}
