/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* Power, where the architecture has calls for it: PSCI of arm64, SBI of riscv64. */
#ifndef GUEST_POWER_H
#define GUEST_POWER_H

#include <stdbool.h>

/* Whether to start a CPU that is on, or one that there is not, is refused as it should be. */
bool guest_cpu_refuses(unsigned int cpu);

/* Whether a CPU is on, or about to be. */
bool guest_cpu_is_on(unsigned int cpu);

/* Switches this CPU off, until another one starts it again. */
_Noreturn void guest_cpu_off(void);

/* The machine. They return if that was refused. */
void guest_power_off(void);
void guest_reset(void);

#endif
