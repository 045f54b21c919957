/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
#include "dispatch.h"

#include "guest.h"
#include "interrupt.h"
#include "smp.h"

static void (*handlers[GUEST_INTERRUPTS])(unsigned int number);
/* Each CPU writes only its own counters, with interrupts off. */
static volatile uint64_t dispatched[GUEST_CPUS_MAX];

void guest_on_interrupt(unsigned int number, void (*handler)(unsigned int number))
{
	handlers[number] = handler;
}

void guest_dispatch(unsigned int number)
{
	unsigned int cpu = guest_cpu();

	dispatched[cpu] = dispatched[cpu] + 1;
	if (number < GUEST_INTERRUPTS && handlers[number]) {
		handlers[number](number);
		return;
	}
	guest_print("guest: unhandled interrupt ");
	guest_print_dec(number);
	guest_print("\n");
	guest_exit(3);
}

uint64_t guest_dispatched(void)
{
	return dispatched[guest_cpu()];
}
