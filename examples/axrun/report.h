/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* What axrun says at the end, on stderr or as JSON. */
#ifndef AXRUN_REPORT_H
#define AXRUN_REPORT_H

#include <stdio.h>

#include "options.h"
#include "run.h"

struct report {
	/* Where the JSON document goes; NULL: there is none. */
	FILE *file;
};

/* Opens the file that the options name, before there is anything to lose. 0, or -1 after fail(). */
int report_open(struct report *report, const struct options *options);

/* Reports how the run ended, or why there was none. Returns axrun's exit status. */
int report_close(struct report *report, const struct options *options, const struct run *run);

#endif
