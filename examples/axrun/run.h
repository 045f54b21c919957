/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* The run: a thread for each vCPU, guest in, exit out, until there is an end. */
#ifndef AXRUN_RUN_H
#define AXRUN_RUN_H

#include <stdbool.h>

#include "bus.h"
#include "console.h"
#include "cpus.h"
#include "crash.h"
#include "input.h"
#include "machine.h"
#include "options.h"
#include "outcome.h"
#include "platform.h"
#include "queuedev.h"
#include "services.h"
#include "stats.h"
#include "testdev.h"
#include "uart.h"

struct run {
	struct machine machine;
	struct bus bus;
	struct console console;
	struct uart uart;
	struct input input;
	struct testdev testdev;
	struct queuedev queue;
	struct services services;
	struct cpus cpus;
	bool trace;
	/* Of all vCPUs together, when they have ended. */
	struct stats stats;
	struct outcome outcome;
	/* If that is RUN_CRASH: the last exit, and of which vCPU; and what was found then. */
	struct axvcpu_exit last_exit;
	struct axvcpu *last_vcpu;
	struct crash crash;
};

/* Connects the devices with the machine, which has been made. Returns 0, or -1 after fail(). */
int run_prepare(struct run *run, const struct options *options, const struct platform *platform);

/* Runs the guest to its end: run->outcome. For the main thread, which gets the signals. */
void run_guest(struct run *run, const struct options *options);

#endif
