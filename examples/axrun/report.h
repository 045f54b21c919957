/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* The final report, as text on stderr or as JSON. */
#ifndef AXRUN_REPORT_H
#define AXRUN_REPORT_H

#include <stdio.h>

#include "options.h"
#include "run.h"

struct report {
	/* Destination of the JSON document, or NULL. */
	FILE *file;
};

/* Opens the JSON file early, before there is anything to lose. Returns 0, or -1 after fail(). */
int report_open(struct report *report, const struct options *options);

/* Reports how the run ended, or why it did not start. Returns axrun's exit status. */
int report_close(struct report *report, const struct options *options, const struct run *run);

#endif
