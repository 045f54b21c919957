/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * checkpoint [input]: writes to the doorbell of the checkpoint device twice, and checks in between
 * that memory and devices are as they were at the first time. checkpoint input: also reads a
 * character in between, and prints it.
 */
#include "arch.h"
#include "runtime/guest.h"

#define UART_SCRATCH 7u
#define WORDS 4096u

static uint64_t words[WORDS];

/* What the guest changes after the doorbell, and finds unchanged in each round. */
static void set(uint64_t value)
{
	size_t i;

	for (i = 0; i < WORDS; i++)
		words[i] = value * i;
	guest_write64(guest_boot_page()->test_gpa + GUEST_TEST_SCRATCH, value);
	guest_console_write(UART_SCRATCH, (uint8_t)value);
}

static bool is_set(uint64_t value)
{
	size_t i;

	for (i = 0; i < WORDS; i++)
		if (words[i] != value * i)
			return false;
	return guest_read64(guest_boot_page()->test_gpa + GUEST_TEST_SCRATCH) == value &&
	       guest_console_read(UART_SCRATCH) == (uint8_t)value;
}

int guest_main(void)
{
	bool passed;

	set(1);
	guest_print("checkpoint: begin\n");
	guest_checkpoint_write(GUEST_CHECKPOINT_DOORBELL, 0);
	passed = guest_check("checkpoint: as before", is_set(1));
	guest_print("checkpoint: restored: ");
	guest_print_dec(guest_checkpoint_read(GUEST_CHECKPOINT_RESTORED));
	guest_print("\n");
	if (guest_word_is(0, "input")) {
		guest_print("checkpoint: input: ");
		guest_putc((char)guest_getc());
		guest_print("\n");
	}
	set(2);
	guest_checkpoint_write(GUEST_CHECKPOINT_DOORBELL, 0);
	guest_print("checkpoint: end\n");
	return passed ? 0 : 1;
}
