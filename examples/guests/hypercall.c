/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * hypercall [COUNT]: makes every hypercall of axrun, an unknown one, and one of them COUNT times
 * (10).
 */
#include "arch.h"
#include "runtime/guest.h"
#include "runtime/smp.h"

#define DEFAULT_COUNT 10

static bool add(void)
{
	const uint64_t args[6] = { UINT64_C(0x123456789abcdef0), UINT64_C(0x1111111111111111) };

	return guest_hypercall(GUEST_CALL_ADD, args) == args[0] + args[1];
}

/* Each argument arrives unchanged and in its place. */
static bool arguments(void)
{
	uint64_t args[6];
	uint64_t i;

	for (i = 0; i < 6; i++)
		args[i] = UINT64_C(0xfedcba9876543210) + i;
	for (i = 1; i < 6; i++) {
		args[0] = i;
		if (guest_hypercall(GUEST_CALL_PICK, args) != args[i])
			return false;
	}
	args[0] = 0;
	if (guest_hypercall(GUEST_CALL_PICK, args) != 0)
		return false;
	args[0] = 6;
	return guest_hypercall(GUEST_CALL_PICK, args) == GUEST_CALL_ERROR;
}

static bool unknown(void)
{
	const uint64_t args[6] = { 0 };

	return guest_hypercall(0, args) == GUEST_CALL_ERROR &&
	       guest_hypercall(GUEST_CALL_LAST, args) == GUEST_CALL_ERROR;
}

static bool caller(void)
{
	const uint64_t args[6] = { 0 };

	return guest_hypercall(GUEST_CALL_CPU, args) == guest_cpu();
}

static bool again_and_again(uint64_t count)
{
	uint64_t args[6] = { 0, 3 };
	uint64_t i;

	for (i = 0; i < count; i++)
		args[0] = guest_hypercall(GUEST_CALL_ADD, args);
	return args[0] == 3 * count;
}

int guest_main(void)
{
	uint64_t count = DEFAULT_COUNT;
	const char *word;
	bool passed;

	if (guest_word(0, &word) && !guest_word_number(0, &count)) {
		guest_print("usage: hypercall [COUNT]\n");
		return 2;
	}
	passed = guest_check("hypercall: add", add());
	passed &= guest_check("hypercall: arguments", arguments());
	passed &= guest_check("hypercall: caller", caller());
	passed &= guest_check("hypercall: unknown", unknown());
	passed &= guest_check("hypercall: again and again", again_and_again(count));
	return passed ? 0 : 1;
}
