/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* Exit handling. */
#ifndef AXRUN_EXITS_H
#define AXRUN_EXITS_H

#include <axvcpu/axvcpu.h>

#include "run.h"

/* Handles an exit in the thread of its CPU. If it ends the run, run->outcome is set. */
void exits_handle(struct run *run, struct cpu *cpu, const struct axvcpu_exit *ex);

#endif
