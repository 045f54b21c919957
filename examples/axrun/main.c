/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * axrun: runs a guest program on a virtual machine. docs/guests.md describes the environment of
 * guests.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "clones.h"
#include "guard.h"
#include "image.h"
#include "layout.h"
#include "machine.h"
#include "message.h"
#include "options.h"
#include "outcome.h"
#include "platform.h"
#include "privileges.h"
#include "report.h"
#include "restore.h"
#include "run.h"
#include "signals.h"
#include "tree.h"

/*
 * If stdin, stdout or stderr is closed, a file opened later would get its number. One end of a pipe
 * takes its place: reads return end of file, writes fail and are noticed. This works without /dev.
 */
static int keep_standard_files(void)
{
	int ends[2], fd;

	for (fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
		if (fcntl(fd, F_GETFD) >= 0)
			continue;
		if (pipe(ends))
			return fail("file descriptor %d is closed: %s", fd, strerror(errno));
		/* The first end has the lowest free descriptor: fd. */
		close(ends[1]);
	}
	return 0;
}

/* Detects all errors that can be detected before there is a VM. */
static int prepare(struct run *run, struct options *options)
{
	const struct platform *platform = platform_host();
	struct layout layout;
	struct image image;
	int err;

	if (!platform || options_resolve(options, platform))
		return -1;
	if (options->restore_path)
		return restore_machine(run, options, platform);
	err = image_load(&image, options, platform);
	if (err)
		goto out;
	err = layout_make(&layout, platform, options->memory, &image, tree_size(options, platform));
	if (err)
		goto out;
	err = machine_make(&run->machine, options, platform, &image, &layout);
out:
	image_free(&image);
	if (err)
		return err;
	return run_prepare(run, options, platform);
}

/*
 * With --reboot, a reset does not end the run: the machine is built anew and the image is loaded
 * again.
 */
static void run_all(struct run *run, struct options *options)
{
	run_begin(run, options);
	run_guest(run);
	while (run->outcome.ending == RUN_RESET && options->reboot) {
		machine_free(&run->machine);
		run->restarts++;
		/*
		 * If preparing fails, RUN_RESET must not remain as the outcome: the loop would
		 * never end.
		 */
		run->outcome = (struct outcome){ 0 };
		if (prepare(run, options))
			outcome_set(&run->outcome, RUN_ERROR, STATUS_ERROR);
		else
			run_guest(run);
	}
	run_end(run);
}

static int run_with(struct options *options)
{
	/* Static because of its size. */
	static struct run run;
	struct report report = { 0 };
	int status;

	log_set_level(options->log_level);
	guard_start();
	run_init(&run, options);
	/* Signals first: the VM uses one of them. Privileges last: all files are open then. */
	if (report_open(&report, options) || signals_install() || prepare(&run, options) ||
	    privileges_drop(options))
		outcome_set(&run.outcome, RUN_ERROR, STATUS_ERROR);
	else
		run_all(&run, options);
	checkpoint_close(&run.checkpoint);
	machine_free(&run.machine);
	status = report_close(&report, options, &run);
	/* The result is known, but the sender of a signal expects axrun to die of that signal. */
	if (signals_caught())
		signals_die(signals_caught());
	return status;
}

int main(int argc, char **argv)
{
	struct options options;
	int status = STATUS_ERROR;

	/* Failed writes are reported by the writing code. */
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);
	/* One write(2) per line. */
	setvbuf(stderr, NULL, _IOLBF, BUFSIZ);
	if (keep_standard_files()) {
		fprintf(stderr, "axrun: %s\n", failure());
		return STATUS_ERROR;
	}
	switch (options_parse(argc, argv, &options)) {
	case OPTIONS_RUN:
		status = options.clones ? clones_run(&options, run_with) : run_with(&options);
		break;
	case OPTIONS_DONE:
		status = 0;
		break;
	case OPTIONS_ERROR:
		fprintf(stderr, "axrun: %s\n", failure());
		break;
	}
	options_free(&options);
	return status;
}
