/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* The device tree of a machine: what its vCPUs say goes in, and it goes into guest memory. */
#ifndef AXRUN_TREE_H
#define AXRUN_TREE_H

#include <stdint.h>

#include "layout.h"
#include "machine.h"
#include "options.h"
#include "platform.h"

/* Bytes to be left for it in guest memory; 0: this platform has none. */
uint64_t tree_size(const struct options *options, const struct platform *platform);

/*
 * Builds it and writes it to where `layout` has it, and to the file that the options name. When the
 * vCPUs are set up. Returns 0, or -1 after fail().
 */
int tree_make(const struct machine *machine, const struct options *options,
	      const struct platform *platform, const struct layout *layout);

/* How often the time counts in a second that riscv64's guests read; 0: elsewhere. */
uint64_t tree_timer_hz(const struct machine *machine, const struct platform *platform);

#endif
