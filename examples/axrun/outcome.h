/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * How a run ended. The first thread that ends it sets `ending`; the run goes on while that is
 * RUN_ON. The other fields may be read once no vCPU runs.
 */
#ifndef AXRUN_OUTCOME_H
#define AXRUN_OUTCOME_H

#include <stdbool.h>

/* axrun's own exit statuses. */
#define STATUS_SAVED 121
#define STATUS_QUIT 122
#define STATUS_RESET 123
#define STATUS_TIMEOUT 124
#define STATUS_ERROR 125
#define STATUS_CRASH 126

enum ending {
	RUN_ON,
	/* The guest wrote `status` to the exit device. */
	RUN_EXIT,
	/* The guest halted and nothing can wake it. */
	RUN_HALT,
	RUN_POWER_OFF,
	RUN_RESET,
	RUN_CRASH,
	/* The machine was saved to the file of --save. */
	RUN_SAVED,
	/* Ctrl-A x was typed. */
	RUN_QUIT,
	RUN_TIMEOUT,
	/* `signal` was received. */
	RUN_SIGNAL,
	/* axrun failed; failure() has the reason. */
	RUN_ERROR,
};

struct outcome {
	_Atomic enum ending ending;
	/* axrun's exit status. */
	int status;
	int signal;
};

/* Ends the run. Returns false if it has ended already: the first reason counts. */
bool outcome_set(struct outcome *outcome, enum ending ending, int status);

/* Whether the run goes on. */
bool outcome_open(const struct outcome *outcome);

/* Such as "exit" or "halt". */
const char *ending_name(enum ending ending);

#endif
