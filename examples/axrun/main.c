/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* axrun: runs a guest program on a virtual machine. docs/guests.md says what guests find there. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

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
#include "run.h"
#include "signals.h"
#include "tree.h"

/*
 * A file opened later must not become stdin, stdout or stderr because that one was closed. The end of a pipe
 * takes its place: reading finds the end, writing fails and is noticed. That needs nothing below /dev.
 */
static int keep_standard_files(void)
{
	int ends[2], fd;

	for (fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
		if (fcntl(fd, F_GETFD) >= 0)
			continue;
		if (pipe(ends))
			return fail("file descriptor %d is closed: %s", fd, strerror(errno));
		/* The first of both is the lowest that was free: this one. */
		close(ends[1]);
	}
	return 0;
}

/* Everything that can be found wrong is, before there is a VM. */
static int prepare(struct run *run, struct options *options)
{
	const struct platform *platform = platform_host();
	struct layout layout;
	struct image image;
	int err;

	if (!platform || options_resolve(options, platform))
		return -1;
	err = image_load(&image, options, platform);
	if (!err)
		err = layout_make(&layout, platform, options->memory, &image,
				  tree_size(options, platform));
	if (!err)
		err = machine_make(&run->machine, options, platform, &image, &layout);
	image_free(&image);
	if (!err)
		err = run_prepare(run, options, platform);
	return err;
}

/* With --reboot a reset is not the end: all of the machine is made again, the image loaded again. */
static void run_all(struct run *run, struct options *options)
{
	run_begin(run, options);
	run_guest(run);
	while (run->outcome.ending == RUN_RESET && options->reboot) {
		machine_free(&run->machine);
		run->restarts++;
		/* A reset that stayed the outcome of a failed start would be followed by another one. */
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
	/* Static for its size alone. */
	static struct run run;
	struct report report = { 0 };
	int status;

	log_set_level(options->log_level);
	guard_start();
	/* Signals first: the VM takes one of them. Privileges last: then all is open. */
	if (report_open(&report, options) || signals_install() || prepare(&run, options) ||
	    privileges_drop(options))
		outcome_set(&run.outcome, RUN_ERROR, STATUS_ERROR);
	else
		run_all(&run, options);
	machine_free(&run.machine);
	status = report_close(&report, options, &run);
	/* The result is known, but whoever sent a signal expects axrun to die of it. */
	if (signals_caught())
		signals_die(signals_caught());
	return status;
}

int main(int argc, char **argv)
{
	struct options options;
	int status = STATUS_ERROR;

	/* Failing writes are noticed where they are made. */
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);
	/* One write for each line. */
	setvbuf(stderr, NULL, _IOLBF, BUFSIZ);
	if (keep_standard_files()) {
		fprintf(stderr, "axrun: %s\n", failure());
		return STATUS_ERROR;
	}
	switch (options_parse(argc, argv, &options)) {
	case OPTIONS_RUN:
		status = run_with(&options);
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
