/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* The console, an 8250 that is polled before every byte, and the exit device. */
#include "arch.h"
#include "guest.h"

#define UART_DATA 0
#define UART_IER 1
#define UART_FCR 2
#define UART_LSR 5
#define IER_RECEIVED 0x01
#define FCR_ENABLE 0x01
#define LSR_DATA_READY 0x01
#define LSR_THR_EMPTY 0x20

static void wait_for(uint8_t lsr_bit)
{
	while (!(guest_console_read(UART_LSR) & lsr_bit))
		guest_relax();
}

void guest_putc(char c)
{
	wait_for(LSR_THR_EMPTY);
	guest_console_write(UART_DATA, (uint8_t)c);
}

int guest_getc(void)
{
	wait_for(LSR_DATA_READY);
	return guest_console_read(UART_DATA);
}

bool guest_received(void)
{
	return guest_console_read(UART_LSR) & LSR_DATA_READY;
}

void guest_console_listen(void)
{
	guest_console_write(UART_FCR, FCR_ENABLE);
	guest_console_write(UART_IER, IER_RECEIVED);
}

_Noreturn void guest_exit(unsigned int status)
{
	guest_exit_write((uint8_t)status);
	guest_halt();
}
