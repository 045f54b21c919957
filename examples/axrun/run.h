/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* The run: a thread for each vCPU, guest in, exit out, until there is an end. */
#ifndef AXRUN_RUN_H
#define AXRUN_RUN_H

#include <stdbool.h>
#include <stdint.h>

#include "../guests/abi.h"
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
#include "where.h"

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
	/*
	 * Of all vCPUs together, and of each, when they have ended; of all starts of the machine.
	 */
	struct stats stats;
	struct stats cpu_stats[GUEST_CPUS_MAX];
	/* How often the machine has been started again. */
	uint32_t restarts;
	struct outcome outcome;
	/* If that is RUN_CRASH: the last exit, and of which vCPU; and what was found then. */
	struct axvcpu_exit last_exit;
	struct axvcpu *last_vcpu;
	struct crash crash;
	/* If it is RUN_TIMEOUT. */
	struct where where;
};

/*
 * Makes the devices and connects them with the machine, which has been made; also when it is made
 * again. Returns 0, or -1 after fail().
 */
int run_prepare(struct run *run, const struct options *options, const struct platform *platform);

/* --- for the main thread, which gets the signals ---------------------------------------------- */

/* Takes the terminal, and lets time begin to run. After the first run_prepare(). */
void run_begin(struct run *run, const struct options *options);

/* Runs the guest until it has ended: run->outcome. */
void run_guest(struct run *run);

/* Writes what is left to write, and gives the terminal back. */
void run_end(struct run *run);

#endif
