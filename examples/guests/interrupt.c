/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * interrupt [COUNT]: takes COUNT (20) interrupts of its timer, and some from itself. It is asleep,
 * awake, or about to enable interrupts.
 */
#include "arch.h"
#include "runtime/guest.h"
#include "runtime/interrupt.h"

#define DEFAULT_COUNT 20
#define DELAY_US 500

static volatile uint64_t ticks;
static volatile uint64_t calls;

static void tick(unsigned int number)
{
	if (number == GUEST_INTERRUPT_TIMER)
		ticks = ticks + 1;
}

static void called(unsigned int number)
{
	(void)number;
	calls = calls + 1;
}

/* Each sleep ends with its interrupt and no other. */
static bool asleep(uint64_t count)
{
	uint64_t before = ticks, i;

	for (i = 0; i < count; i++) {
		guest_timer_once(DELAY_US);
		guest_wait();
		if (ticks != before + i + 1)
			return false;
	}
	return true;
}

static bool awake(uint64_t count)
{
	uint64_t before = ticks, i;

	guest_interrupts_on();
	for (i = 0; i < count; i++) {
		guest_timer_once(DELAY_US);
		while (ticks == before + i)
			guest_relax();
	}
	guest_interrupts_off();
	return ticks == before + count;
}

static bool periodic(uint64_t count)
{
	uint64_t before = ticks;

	guest_timer_every(DELAY_US);
	while (ticks < before + count)
		guest_wait();
	guest_timer_every(0);
	/* One more may have been on its way. */
	guest_interrupts_on();
	guest_relax();
	guest_interrupts_off();
	return ticks >= before + count;
}

/* An interrupt that arrives while interrupts are off is taken once they are on. */
static bool kept(void)
{
	uint64_t before = calls;
	bool passed;

	guest_ipi_self(GUEST_INTERRUPT_IPI);
	guest_relax();
	passed = calls == before;
	guest_interrupts_on();
	while (calls == before)
		guest_relax();
	guest_interrupts_off();
	return passed && calls == before + 1;
}

/* A CPU with a pending interrupt does not fall asleep. */
static bool no_sleep(void)
{
	uint64_t before = calls;

	guest_ipi_self(GUEST_INTERRUPT_IPI);
	guest_wait();
	return calls == before + 1;
}

int guest_main(void)
{
	uint64_t count = DEFAULT_COUNT;
	const char *word;
	bool passed;

	if (guest_word(0, &word) && !guest_word_number(0, &count)) {
		guest_print("usage: interrupt [COUNT]\n");
		return 2;
	}
	guest_interrupts_start();
	guest_on_interrupt(GUEST_INTERRUPT_TIMER, tick);
	guest_on_interrupt(GUEST_INTERRUPT_IPI, called);
	passed = guest_check("interrupt: asleep", asleep(count));
	passed &= guest_check("interrupt: awake", awake(count));
	passed &= guest_check("interrupt: periodic", periodic(count));
	passed &= guest_check("interrupt: kept", kept());
	passed &= guest_check("interrupt: no sleep", no_sleep());
	guest_print("interrupt: ");
	guest_print_dec(ticks);
	guest_print(" from the timer\n");
	return passed ? 0 : 1;
}
