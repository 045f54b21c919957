/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* The baseline for resets: the state of a raw VM, saved once and written back by bare system calls. */
#ifndef BENCH_RAW_RESET_H
#define BENCH_RAW_RESET_H

#include <stdbool.h>

#include "raw.h"

struct raw_state;

/* Saves the state, and begins to record changed pages. No exit is open. */
struct raw_state *raw_save(const struct raw_vm *raw);
void raw_state_free(struct raw_state *state);
/*
 * Flushes the open exit, copies the changed pages back, and lets KVM load registers and events with
 * the next run. 'all': also all other state that the guest can change, and the clocks.
 */
void raw_reset(const struct raw_vm *raw, struct raw_state *state, bool all);

#endif
