/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * --clone: several machines from one file, side by side. Each is in a process of its own, so that it
 * has its own signals, privileges and result; the file's pages are shared through the page cache.
 */
#ifndef AXRUN_CLONES_H
#define AXRUN_CLONES_H

#include "options.h"

/*
 * Calls `run` in options->clones processes, without input, and prints their output with their
 * numbers. Returns the first status that is not 0; in the processes, that of `run`.
 */
int clones_run(struct options *options, int (*run)(struct options *options));

#endif
