/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* The console, an 8250 asked for its state before every byte, and the two ways to end. */
#include "../guest.h"
#include "arch.h"

#define UART_DATA GUEST_PORT_CONSOLE
#define UART_LSR (GUEST_PORT_CONSOLE + 5)
#define LSR_DATA_READY 0x01
#define LSR_THR_EMPTY 0x20

const char guest_arch[] = "x86_64";

static void wait_for(uint8_t lsr_bit)
{
	while (!(guest_in8(UART_LSR) & lsr_bit))
		guest_relax();
}

void guest_putc(char c)
{
	wait_for(LSR_THR_EMPTY);
	guest_out8(UART_DATA, (uint8_t)c);
}

int guest_getc(void)
{
	wait_for(LSR_DATA_READY);
	return guest_in8(UART_DATA);
}

_Noreturn void guest_exit(unsigned int status)
{
	guest_out8(GUEST_PORT_EXIT, (uint8_t)status);
	guest_halt();
}

_Noreturn void guest_halt(void)
{
	for (;;)
		__asm__ volatile("cli; hlt");
}
