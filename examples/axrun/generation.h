/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * The generation id of a Linux guest: 16 random bytes in its memory, which change when a machine is
 * restored from a file. The kernel then mixes them into its random numbers, so that two machines
 * from one file do not draw the same ones.
 */
#ifndef AXRUN_GENERATION_H
#define AXRUN_GENERATION_H

#include <stdbool.h>

#include <axvcpu/axvcpu.h>

#include "platform.h"

/* Maps the page of the id, unless it is in memory, and draws the first id. 0, or -1 after fail(). */
int generation_make(struct axvm *vm, const struct platform *platform);

/* Whether there is memory for it, with fail() not called. */
bool generation_exists(struct axvm *vm, const struct platform *platform);

/* Draws a new id, and interrupts the guest. Returns 0, or -1 after fail(). */
int generation_renew(struct axvm *vm, const struct platform *platform);

#endif
