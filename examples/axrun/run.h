/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* The run: guest in, exit out, until there is an end. */
#ifndef AXRUN_RUN_H
#define AXRUN_RUN_H

#include <stdbool.h>

#include "bus.h"
#include "console.h"
#include "crash.h"
#include "machine.h"
#include "options.h"
#include "outcome.h"
#include "platform.h"
#include "stats.h"
#include "testdev.h"
#include "uart.h"

struct run {
	struct machine machine;
	struct bus bus;
	struct console console;
	struct uart uart;
	struct testdev testdev;
	bool trace;
	struct stats stats;
	struct outcome outcome;
	/* If that is RUN_CRASH. */
	struct crash crash;
};

/* Connects the devices. Returns 0, or -1 after fail(). */
int run_prepare(struct run *run, const struct options *options, const struct platform *platform);

/* Runs the guest, with the calling thread as its CPU, to its end: run->outcome. */
void run_guest(struct run *run, const struct options *options);

#endif
