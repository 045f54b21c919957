/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* The run loop: one thread per vCPU runs the guest and handles its exits until the run ends. */
#ifndef AXRUN_RUN_H
#define AXRUN_RUN_H

#include <stdbool.h>
#include <stdint.h>

#include "../guests/abi.h"
#include "checkpoint.h"
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
	struct console console;
	struct uart uart;
	struct input input;
	struct testdev testdev;
	struct queuedev queue;
	struct services services;
	struct cpus cpus;
	struct checkpoint checkpoint;
	bool trace;
	/*
	 * Totals of all vCPUs, and of each one, over all starts of the machine. Updated when the
	 * vCPUs have ended.
	 */
	struct stats stats;
	struct stats cpu_stats[GUEST_CPUS_MAX];
	/* Number of times the machine has been restarted. */
	uint32_t restarts;
	struct outcome outcome;
	/* With RUN_CRASH: the last exit, its vCPU, and the state collected then. */
	struct axvcpu_exit last_exit;
	struct axvcpu *last_vcpu;
	struct crash crash;
	/* With RUN_TIMEOUT. */
	struct where where;
};

/* The parts that no restart changes. Call it first. */
void run_init(struct run *run, const struct options *options);

/*
 * Creates the devices and connects them to the machine, which must exist; called again after each
 * restart. Returns 0, or -1 after fail().
 */
int run_prepare(struct run *run, const struct options *options, const struct platform *platform);

/* --- main thread only, as it handles the signals ---------------------------------------------- */

/* Takes the terminal and starts the clocks. Call after the first run_prepare(). */
void run_begin(struct run *run, const struct options *options);

/* Runs the guest until run->outcome is set. */
void run_guest(struct run *run);

/* Writes the remaining output and restores the terminal. */
void run_end(struct run *run);

#endif
