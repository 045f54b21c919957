/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* --restore: the machine from a file. */
#ifndef AXRUN_RESTORE_H
#define AXRUN_RESTORE_H

#include "options.h"
#include "platform.h"
#include "run.h"

/*
 * Creates the machine from the file of --restore, with its devices. Sets options->cpus and
 * options->kernel. Returns 0, or -1 after fail().
 */
int restore_machine(struct run *run, struct options *options, const struct platform *platform);

#endif
