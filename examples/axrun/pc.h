/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* What the firmware and the boot loader of a PC leave for a Linux kernel, in memory and in registers. */
#ifndef AXRUN_PC_H
#define AXRUN_PC_H

#include "image.h"
#include "layout.h"
#include "machine.h"
#include "options.h"

/*
 * Writes it, and the ACPI tables into the directory that the options name. When the vCPUs are set up.
 * Returns 0, or -1 after fail().
 */
int pc_make(const struct machine *machine, const struct options *options,
	    const struct platform *platform, const struct image *image,
	    const struct layout *layout);

#endif
