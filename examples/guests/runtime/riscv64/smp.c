/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* Identifies the CPU, sends IPIs, and switches CPUs and the machine on and off. */
#include "../smp.h"

#include "../guest.h"
#include "../interrupt.h"
#include "../power.h"
#include "sbi.h"

/* entry.S */
extern const char guest_secondary_start[];

unsigned int guest_cpu(void)
{
	uint64_t tp;

	__asm__("mv %0, tp" : "=r"(tp));
	return (unsigned int)tp;
}

static struct guest_sbi start(unsigned int cpu, void *stack_end)
{
	return guest_sbi_call(SBI_HSM, SBI_HART_START, cpu, (uintptr_t)guest_secondary_start,
			      (uintptr_t)stack_end);
}

void guest_cpu_start(unsigned int cpu, void *stack_end)
{
	struct guest_sbi result = start(cpu, stack_end);

	if (!result.error)
		return;
	guest_print("guest: a CPU does not start: SBI error ");
	guest_print_dec((uint64_t)-result.error);
	guest_print("\n");
	guest_exit(2);
}

/* --- interrupts ------------------------------------------------------------------------------- */

/*
 * The only number is GUEST_INTERRUPT_IPI. SBI takes a mask of CPUs and the first CPU of the mask.
 */
static void send_ipi(uint64_t mask)
{
	guest_sbi_call(SBI_IPI, SBI_SEND_IPI, mask, 0, 0);
}

void guest_ipi(unsigned int cpu, unsigned int number)
{
	(void)number;
	send_ipi(UINT64_C(1) << cpu);
}

void guest_ipi_others(unsigned int number)
{
	(void)number;
	send_ipi((UINT64_MAX >> (64 - guest_cpus())) & ~(UINT64_C(1) << guest_cpu()));
}

void guest_ipi_self(unsigned int number)
{
	guest_ipi(guest_cpu(), number);
}

/* --- power ------------------------------------------------------------------------------------ */

bool guest_cpu_refuses(unsigned int cpu)
{
	return start(cpu, NULL).error ==
	       (cpu < guest_cpus() ? SBI_ERROR_ALREADY_AVAILABLE : SBI_ERROR_INVALID);
}

bool guest_cpu_is_on(unsigned int cpu)
{
	struct guest_sbi result = guest_sbi_call(SBI_HSM, SBI_HART_STATUS, cpu, 0, 0);

	return !result.error && result.value != SBI_HART_STOPPED;
}

_Noreturn void guest_cpu_off(void)
{
	guest_sbi_call(SBI_HSM, SBI_HART_STOP, 0, 0, 0);
	guest_print("guest: a CPU does not switch itself off\n");
	guest_exit(2);
}

void guest_power_off(void)
{
	guest_sbi_call(SBI_SRST, SBI_SYSTEM_RESET, SBI_SHUTDOWN, 0, 0);
}

void guest_reset(void)
{
	guest_sbi_call(SBI_SRST, SBI_SYSTEM_RESET, SBI_COLD_REBOOT, 0, 0);
}
