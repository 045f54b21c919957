/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * Inputs of a fuzzer, and coverage. With -fsanitize-coverage=trace-pc,trace-cmp the compiler adds
 * calls of the functions below to a guest.
 */
#include "fuzz.h"

#include "arch.h"
#include "guest.h"

#define COUNTERS 4096u
#define COUNTERS_SHIFT (32 - 12)

static struct guest_input input __attribute__((aligned(GUEST_PAGE_SIZE)));
static uint8_t counters[COUNTERS] __attribute__((aligned(GUEST_PAGE_SIZE)));

const uint8_t *guest_fuzz_input(size_t *len)
{
	const uint64_t args[6] = { (uintptr_t)&input, sizeof(input.bytes), (uintptr_t)counters,
				   sizeof(counters) };

	if (guest_hypercall(GUEST_CALL_FUZZ, args) != 0)
		return NULL;
	*len = input.len;
	return input.bytes;
}

/* --- edges ------------------------------------------------------------------------------------ */

/* The upper bits of the product depend on all lower bits of the event. */
static uint8_t *counter_of(uint64_t event)
{
	return &counters[((uint32_t)event * UINT32_C(0x9e3779b1)) >> COUNTERS_SHIFT];
}

void __sanitizer_cov_trace_pc(void);

/* Called in each basic block. The event is the edge from the previous one, counted up to 255. */
void __sanitizer_cov_trace_pc(void)
{
	static uint64_t previous;
	const uint64_t here = (uintptr_t)__builtin_return_address(0);
	uint8_t *counter = counter_of(here ^ previous);

	if (*counter < UINT8_MAX)
		++*counter;
	previous = here >> 1;
}

/* --- comparisons ------------------------------------------------------------------------------ */

/*
 * The event is the number of bits in which the operands differ. So an input that comes closer to
 * equality reaches new coverage, and the fuzzer finds a value one bit at a time.
 */
static void compare(uint64_t place, uint64_t a, uint64_t b)
{
	static const uint8_t ones[16] = { 0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4 };
	uint64_t bits, different = 0;

	for (bits = a ^ b; bits; bits >>= 4)
		different += ones[bits & 15];
	*counter_of(place << 7 | different) |= 1;
}

#define PLACE ((uintptr_t)__builtin_return_address(0))

#define TRACE(name, type) \
	void name(type a, type b); \
	void name(type a, type b) \
	{ \
		compare(PLACE, a, b); \
	}

TRACE(__sanitizer_cov_trace_cmp1, uint8_t)
TRACE(__sanitizer_cov_trace_cmp2, uint16_t)
TRACE(__sanitizer_cov_trace_cmp4, uint32_t)
TRACE(__sanitizer_cov_trace_cmp8, uint64_t)
TRACE(__sanitizer_cov_trace_const_cmp1, uint8_t)
TRACE(__sanitizer_cov_trace_const_cmp2, uint16_t)
TRACE(__sanitizer_cov_trace_const_cmp4, uint32_t)
TRACE(__sanitizer_cov_trace_const_cmp8, uint64_t)

void __sanitizer_cov_trace_switch(uint64_t value, void *arg);

/* The argument: the number of cases, their width, and the cases. */
void __sanitizer_cov_trace_switch(uint64_t value, void *arg)
{
	const uint64_t *cases = arg;
	uint64_t i;

	for (i = 0; i < cases[0]; i++)
		compare(PLACE + i, value, cases[2 + i]);
}
