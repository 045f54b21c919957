/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * echo [asleep]: writes back console input, until end of file (Ctrl-D). It polls for input; with
 * "asleep" it sleeps until the console's interrupt.
 */
#include "arch.h"
#include "runtime/guest.h"
#include "runtime/interrupt.h"

/* Returns false at the end of input. */
static bool give_back(void)
{
	int c = guest_getc();

	if (c != GUEST_EOF)
		guest_putc((char)c);
	return c != GUEST_EOF;
}

static volatile bool ended;

static void received(unsigned int number)
{
	(void)number;
	while (!ended && guest_received())
		ended = !give_back();
}

static int asleep(void)
{
	guest_interrupts_start();
	guest_on_interrupt(GUEST_INTERRUPT_CONSOLE, received);
	guest_console_interrupts();
	while (!ended)
		guest_wait();
	return 0;
}

static bool can_sleep(void)
{
	return guest_boot_page()->irqchip == GUEST_IRQCHIP_KERNEL;
}

int guest_main(void)
{
	if (guest_word_is(0, "asleep") && can_sleep())
		return asleep();
	if (*guest_args()) {
		if (can_sleep())
			guest_print("usage: echo [asleep]\n");
		else
			guest_print("usage: echo\n");
		return 2;
	}
	while (give_back())
		;
	return 0;
}
