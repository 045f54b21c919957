/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * csr: reads the CSR of the entropy source, which axrun emulates if the CPU has it. csr missing:
 * checks that missing CSRs raise an illegal-instruction exception, which its trap handler catches.
 */
#include "arch.h"
#include "runtime/guest.h"
#include "trap.h"

/* Maximum of reads without entropy: the source may be busy. */
#define TRIES 100

/* True if the source is ready at least once, and its values are not constant. */
static bool seed(void)
{
	uint64_t first = 0, differ = 0;
	unsigned int found = 0, i;

	for (i = 0; i < TRIES; i++) {
		uint64_t value = 0;

		if (guest_try_csr(GUEST_CSR_SEED, value) != GUEST_NO_FAULT)
			return false;
		if ((value & GUEST_SEED_STATE) != GUEST_SEED_READY)
			continue;
		if (found++ == 0)
			first = value;
		differ |= value ^ first;
	}
	return found > 1 && differ;
}

static bool have_seed(void)
{
	uint64_t value = 0;

	return guest_try_csr(GUEST_CSR_SEED, value) == GUEST_NO_FAULT;
}

/* A supervisor CSR that no standard defines, and a machine-mode one. */
static bool missing(void)
{
	uint64_t value = 0;

	return guest_try_csr(0x5c0, value) == GUEST_FAULT_ILLEGAL &&
	       guest_try_csr(0x340, value) == GUEST_FAULT_ILLEGAL;
}

int guest_main(void)
{
	if (guest_word_is(0, "missing"))
		return guest_check("csr: missing", missing()) ? 0 : 1;
	if (!have_seed()) {
		guest_print("csr: this CPU has no entropy source\n");
		return 3;
	}
	return guest_check("csr: seed", seed()) ? 0 : 1;
}
