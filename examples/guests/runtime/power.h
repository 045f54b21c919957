/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* Power control, on architectures with firmware calls for it: PSCI on arm64, SBI on riscv64. */
#ifndef GUEST_POWER_H
#define GUEST_POWER_H

#include <stdbool.h>

/* Whether starting a running CPU, and a missing one, fails with the right error. */
bool guest_cpu_refuses(unsigned int cpu);

/* Whether a CPU is on or starting. */
bool guest_cpu_is_on(unsigned int cpu);

/* Switches this CPU off until another CPU starts it. */
_Noreturn void guest_cpu_off(void);

/* Power off or reset the machine. They return only on failure. */
void guest_power_off(void);
void guest_reset(void);

#endif
