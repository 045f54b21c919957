/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * msr: reads and writes MSRs that axrun emulates, and missing ones. The latter raise #GP, which its
 * interrupt table catches.
 */
#include "runtime/guest.h"
#include "runtime/interrupt.h"
#include "idt.h"

#define VALUE UINT64_C(0x0123456789abcdef)

static bool reads(uint32_t reg, uint64_t expected)
{
	uint64_t value;

	return guest_read_msr(GUEST_SYSREG_BASE + reg, &value) == GUEST_NO_FAULT &&
	       value == expected;
}

static bool writes(uint32_t reg, uint64_t value)
{
	return guest_write_msr(GUEST_SYSREG_BASE + reg, value) == GUEST_NO_FAULT &&
	       reads(reg, value);
}

static bool scratch(void)
{
	return reads(GUEST_SYSREG_SCRATCH, 0) && writes(GUEST_SYSREG_SCRATCH, VALUE) &&
	       writes(GUEST_SYSREG_SHARED, ~VALUE) && reads(GUEST_SYSREG_SCRATCH, VALUE);
}

static bool read_only(void)
{
	return guest_write_msr(GUEST_SYSREG_BASE + GUEST_SYSREG_ID, 0) == GUEST_FAULT_GP &&
	       reads(GUEST_SYSREG_ID, GUEST_SYSREG_MAGIC);
}

static bool missing(uint32_t msr)
{
	uint64_t value;

	return guest_read_msr(msr, &value) == GUEST_FAULT_GP &&
	       guest_write_msr(msr, VALUE) == GUEST_FAULT_GP;
}

int guest_main(void)
{
	bool passed;

	guest_interrupts_start();
	passed = guest_check("msr: id", reads(GUEST_SYSREG_ID, GUEST_SYSREG_MAGIC));
	passed &= guest_check("msr: scratch", scratch());
	passed &= guest_check("msr: read-only", read_only());
	passed &= guest_check("msr: missing", missing(GUEST_SYSREG_BASE + GUEST_SYSREGS - 1));
	/* Just after axrun's range: the hypervisor itself raises the fault. */
	passed &= guest_check("msr: not axrun's", missing(GUEST_SYSREG_BASE + GUEST_SYSREGS));
	return passed ? 0 : 1;
}
