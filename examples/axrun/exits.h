/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* What an exit asks of the machine. */
#ifndef AXRUN_EXITS_H
#define AXRUN_EXITS_H

#include <axvcpu/axvcpu.h>

#include "run.h"

/* Handles it, in the thread of that CPU. What ends the run is in run->outcome afterwards. */
void exits_handle(struct run *run, struct cpu *cpu, const struct axvcpu_exit *exit);

#endif
