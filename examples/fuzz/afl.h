/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* AFL++ as the engine. */
#ifndef FUZZ_AFL_H
#define FUZZ_AFL_H

#include <stdbool.h>

struct target;

/* If afl-fuzz has started this program, runs its inputs until it ends. Returns false otherwise. */
bool afl_run(struct target *target);

#endif
