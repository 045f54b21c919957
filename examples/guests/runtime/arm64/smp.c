/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* Identifies the CPU, and switches CPUs and the machine on and off. */
#include "../smp.h"

#include "../guest.h"
#include "../power.h"
#include "psci.h"

/* entry.S */
extern const char guest_secondary_start[];

/* 16 CPUs share a number on the second level of affinity. */
unsigned int guest_cpu(void)
{
	uint64_t mpidr = guest_read_sysreg("mpidr_el1");

	return (unsigned int)((mpidr & 15) | (mpidr >> 8 & 255) << 4);
}

static uint64_t affinity(unsigned int cpu)
{
	return (cpu & 15) | (uint64_t)(cpu >> 4) << 8;
}

void guest_cpu_start(unsigned int cpu, void *stack_end)
{
	int32_t result = guest_psci(PSCI_CPU_ON, affinity(cpu), (uintptr_t)guest_secondary_start,
				    (uintptr_t)stack_end);

	if (result == PSCI_SUCCESS)
		return;
	guest_print("guest: a CPU does not start: PSCI error ");
	guest_print_dec((uint64_t) - (int64_t)result);
	guest_print("\n");
	guest_exit(2);
}

/* --- power ------------------------------------------------------------------------------------ */

bool guest_cpu_refuses(unsigned int cpu)
{
	int32_t result = guest_psci(PSCI_CPU_ON, affinity(cpu), (uintptr_t)guest_secondary_start,
				    0);

	return result == (cpu < guest_cpus() ? PSCI_ALREADY_ON : PSCI_INVALID_PARAMETERS);
}

bool guest_cpu_is_on(unsigned int cpu)
{
	return guest_psci(PSCI_AFFINITY_INFO, affinity(cpu), 0, 0) == PSCI_ON;
}

_Noreturn void guest_cpu_off(void)
{
	guest_psci(PSCI_CPU_OFF, 0, 0, 0);
	guest_print("guest: a CPU does not switch itself off\n");
	guest_exit(2);
}

void guest_power_off(void)
{
	guest_psci(PSCI_SYSTEM_OFF, 0, 0, 0);
}

void guest_reset(void)
{
	guest_psci(PSCI_SYSTEM_RESET, 0, 0, 0);
}
