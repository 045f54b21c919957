/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * pty_run STEP... -- COMMAND...: runs a command on a terminal of its own, in the foreground, as a
 * shell with job control would, and goes through the steps:
 *
 *   expect TEXT   the command has written that, after what was expected before
 *   send TEXT     somebody types that
 *   raw           the terminal is in the command's hands: no lines, no echo
 *   all-keys      likewise, and no key makes a signal or becomes another one
 *   cooked        the terminal is as it was before
 *   paste N       N characters are typed as fast as they are taken, and the command has written them
 *                 all, in order and nothing else in between
 *   hangup        the terminal is gone, as when its window is closed, and the shell passes on the
 *                 SIGHUP that it gets; there is nothing more to see of the terminal
 *   pause N       N tenths of a second go by
 *   signal N      the command gets signal N
 *   stopped       the command has stopped
 *   continue      the command goes on, in the foreground
 *   exit N        the command has ended with that status
 *   killed N      the command has ended by that signal
 *   within N      from here on N seconds without progress are a hang, not 60
 *   ended         the command has ended in whatever way
 *
 * A step may take any time, as long as there is progress: output of the command, or another step that is
 * done. At the end the terminal must be as it was, if there still is one. The exit status is 0 if all went
 * well; else it says what did not.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#define SECONDS 60

static int master = -1;
static int slave = -1;
static struct termios before;
static pid_t command;
static bool ended;
static int end_status;
static bool is_stopped;
static bool hung_up;
static time_t patience = SECONDS, deadline;
static char written[1 << 16];
static size_t written_len;
static size_t expected_len;

static void die(const char *what, const char *detail)
{
	fprintf(stderr, "pty_run: %s %s\n", what, detail);
	if (command > 0 && !ended)
		kill(command, SIGKILL);
	exit(1);
}

static void open_terminal(void)
{
	const char *name;

	setsid();
	master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (master < 0 || grantpt(master) || unlockpt(master) || !(name = ptsname(master)))
		die("no pseudo-terminal:", strerror(errno));
	/* It becomes the session's controlling terminal. */
	slave = open(name, O_RDWR | O_CLOEXEC);
	if (slave < 0 || tcgetattr(slave, &before))
		die("no terminal:", strerror(errno));
	/* Making the command the foreground is done from the background. */
	signal(SIGTTOU, SIG_IGN);
	/* So that a process survives that sees the effect of a hang-up on the command. */
	signal(SIGHUP, SIG_IGN);
}

static void start(char **argv)
{
	command = fork();
	if (command < 0)
		die("fork:", strerror(errno));
	setpgid(command, command);
	if (command == 0) {
		tcsetpgrp(slave, getpid());
		signal(SIGTTOU, SIG_DFL);
		signal(SIGHUP, SIG_DFL);
		dup2(slave, STDIN_FILENO);
		dup2(slave, STDOUT_FILENO);
		dup2(slave, STDERR_FILENO);
		execvp(argv[0], argv);
		_exit(127);
	}
	tcsetpgrp(slave, command);
	/* It comes to who leads the session. */
	signal(SIGHUP, SIG_IGN);
}

static time_t clock_seconds(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec;
}

static void progress(void)
{
	deadline = clock_seconds() + patience;
}

/* The command's output and its exit status. */
static void look(void)
{
	struct pollfd in = { .fd = master, .events = POLLIN };
	int status;
	ssize_t n;

	/* Without a terminal this waits, and there is nothing to read. */
	if (poll(&in, 1, 5) > 0) {
		n = read(master, written + written_len, sizeof(written) - 1 - written_len);
		if (n > 0) {
			written_len += (size_t)n;
			progress();
		}
	}
	if (ended || waitpid(command, &status, WNOHANG | WUNTRACED) != command)
		return;
	is_stopped = WIFSTOPPED(status);
	if (is_stopped)
		return;
	ended = true;
	end_status = status;
}

static void fail(const char *step, const char *text)
{
	written[written_len] = '\0';
	fprintf(stderr, "pty_run: the command wrote: %s\n", written);
	if (ended)
		fprintf(stderr, "pty_run: the command ended: wait status %#x\n",
			(unsigned int)end_status);
	die(step, text);
}

static bool is_raw(const char *unused)
{
	struct termios now;

	(void)unused;
	return !tcgetattr(slave, &now) && !(now.c_lflag & (ICANON | ECHO));
}

static bool has_all_keys(const char *unused)
{
	struct termios now;

	return is_raw(unused) && !tcgetattr(slave, &now) && !(now.c_lflag & (ISIG | IEXTEN)) &&
	       !(now.c_iflag & (ICRNL | INLCR | IGNCR | IXON)) && !(now.c_oflag & OPOST);
}

static bool is_cooked(const char *unused)
{
	struct termios now;

	(void)unused;
	return !tcgetattr(slave, &now) && now.c_iflag == before.c_iflag &&
	       now.c_oflag == before.c_oflag && now.c_cflag == before.c_cflag &&
	       now.c_lflag == before.c_lflag && !memcmp(now.c_cc, before.c_cc, sizeof(before.c_cc));
}

static bool has_written(const char *text)
{
	const char *found;

	written[written_len] = '\0';
	found = strstr(written + expected_len, text);
	if (found)
		expected_len = (size_t)(found - written) + strlen(text);
	return found;
}

static bool has_stopped(const char *unused)
{
	(void)unused;
	return is_stopped;
}

static bool has_exited(const char *status)
{
	if (ended && !(WIFEXITED(end_status) && WEXITSTATUS(end_status) == atoi(status)))
		fail("exit", status);
	return ended;
}

static bool was_killed(const char *number)
{
	if (ended && !(WIFSIGNALED(end_status) && WTERMSIG(end_status) == atoi(number)))
		fail("killed", number);
	return ended;
}

static bool has_ended(const char *unused)
{
	(void)unused;
	return ended;
}

static void send_text(const char *text)
{
	size_t len = strlen(text);

	if (write(master, text, len) != (ssize_t)len)
		die("send:", strerror(errno));
}

/* The n-th character of a text that has no period that any buffer has; no terminal changes it. */
static char pasted_char(size_t n)
{
	return (char)('!' + n * 7 % 89);
}

/* Echoed bytes are compared at once: they may be more than the buffer holds. */
static void compare_pasted(size_t *received, size_t sent)
{
	size_t i;

	look();
	written[written_len] = '\0';
	for (i = expected_len; i < written_len; i++) {
		if (*received == sent || written[i] != pasted_char(*received)) {
			fprintf(stderr,
				"pty_run: %zu characters were typed, %zu came back, and then: %s\n",
				sent, *received, written + i);
			die("paste:", "not what was typed has come back");
		}
		(*received)++;
	}
	written_len = expected_len = 0;
}

static bool has_pasted(const char *count)
{
	static size_t sent, received;
	size_t total = (size_t)atoi(count);
	int flags = fcntl(master, F_GETFL);
	char text[256];
	size_t n;
	ssize_t done;

	for (n = 0; n < sizeof(text) && sent + n < total; n++)
		text[n] = pasted_char(sent + n);
	/* Bytes not accepted now are offered again, when some output has come back. */
	fcntl(master, F_SETFL, flags | O_NONBLOCK);
	done = n ? write(master, text, n) : 0;
	fcntl(master, F_SETFL, flags);
	sent += done > 0 ? (size_t)done : 0;
	compare_pasted(&received, sent);
	return received == total;
}

static void hang_up(const char *unused)
{
	(void)unused;
	close(master);
	master = -1;
	hung_up = true;
	kill(-command, SIGHUP);
}

static void send_signal(const char *number)
{
	if (kill(command, atoi(number)))
		die("signal:", strerror(errno));
}

static void pause_for(const char *tenths)
{
	struct timespec begin, now;
	long ms;

	clock_gettime(CLOCK_MONOTONIC, &begin);
	do {
		look();
		clock_gettime(CLOCK_MONOTONIC, &now);
		ms = (now.tv_sec - begin.tv_sec) * 1000 + (now.tv_nsec - begin.tv_nsec) / 1000000;
	} while (ms < atoi(tenths) * 100L);
}

static void let_continue(const char *unused)
{
	(void)unused;
	is_stopped = false;
	tcsetpgrp(slave, command);
	kill(command, SIGCONT);
}

static void set_patience(const char *seconds)
{
	patience = atoi(seconds);
}

/* A step either does something or waits for something. */
static const struct step {
	const char *name;
	bool takes_text;
	void (*act)(const char *text);
	bool (*wait)(const char *text);
} steps[] = {
	{ "expect", true, NULL, has_written },
	{ "send", true, send_text, NULL },
	{ "raw", false, NULL, is_raw },
	{ "all-keys", false, NULL, has_all_keys },
	{ "cooked", false, NULL, is_cooked },
	{ "paste", true, NULL, has_pasted },
	{ "hangup", false, hang_up, NULL },
	{ "pause", true, pause_for, NULL },
	{ "signal", true, send_signal, NULL },
	{ "stopped", false, NULL, has_stopped },
	{ "continue", false, let_continue, NULL },
	{ "exit", true, NULL, has_exited },
	{ "killed", true, NULL, was_killed },
	{ "within", true, set_patience, NULL },
	{ "ended", false, NULL, has_ended },
};

static const struct step *find_step(const char *name)
{
	size_t i;

	for (i = 0; i < sizeof(steps) / sizeof(steps[0]); i++)
		if (!strcmp(steps[i].name, name))
			return &steps[i];
	die("no such step:", name);
	return NULL;
}

static void do_step(const struct step *step, const char *text)
{
	progress();
	if (step->act) {
		step->act(text);
		return;
	}
	while (!step->wait(text)) {
		look();
		if (clock_seconds() > deadline)
			fail(step->name, text ? text : "");
	}
}

static void choreography(char **argv)
{
	char **rest = argv;

	while (*rest && strcmp(*rest, "--"))
		rest++;
	if (!*rest || !rest[1])
		die("usage: pty_run STEP... -- COMMAND...", "");
	open_terminal();
	start(rest + 1);
	while (argv < rest) {
		const struct step *step = find_step(*argv++);

		do_step(step, step->takes_text ? *argv++ : NULL);
	}
	if (!ended)
		die("the command has not ended", "");
	if (!hung_up && !is_cooked(NULL))
		die("the terminal is not as it was", "");
}

int main(int argc, char **argv)
{
	pid_t child;
	int status;

	(void)argc;
	/* In a process that leads no group, so that it can lead a session. */
	child = fork();
	if (child == 0) {
		choreography(argv + 1);
		exit(0);
	}
	while (waitpid(child, &status, 0) < 0 && errno == EINTR)
		;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}
