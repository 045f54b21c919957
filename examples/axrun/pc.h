/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* The state in which a PC's firmware and boot loader start a Linux kernel: memory and registers. */
#ifndef AXRUN_PC_H
#define AXRUN_PC_H

#include "image.h"
#include "layout.h"
#include "machine.h"
#include "options.h"

/*
 * Writes it, once the vCPUs are set up, and dumps the ACPI tables if the options ask for it.
 * Returns 0, or -1 after fail().
 */
int pc_make(const struct machine *machine, const struct options *options,
	    const struct platform *platform, const struct image *image,
	    const struct layout *layout);

#endif
