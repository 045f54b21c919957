/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* Collects the device tree's contents from the vCPUs, and puts the tree into guest memory. */
#ifndef AXRUN_TREE_H
#define AXRUN_TREE_H

#include <stdint.h>

#include "layout.h"
#include "machine.h"
#include "options.h"
#include "platform.h"

/* Bytes to reserve in guest memory; 0: this platform has no device tree. */
uint64_t tree_size(const struct options *options, const struct platform *platform);

/*
 * Builds the tree, once the vCPUs are set up, and writes it to its place in `layout` and to the
 * file in the options. Returns 0, or -1 after fail().
 */
int tree_make(const struct machine *machine, const struct options *options,
	      const struct platform *platform, const struct layout *layout);

/* riscv64: the frequency of the guest's time counter, in Hz; 0 elsewhere. */
uint64_t tree_timer_hz(const struct machine *machine, const struct platform *platform);

#endif
