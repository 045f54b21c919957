/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* riscv64: the architecture-specific functions of the common suites, declared in tests/guest.h. */
#include "../guest.h"
#include "../suite.h"

/* Without an MMU, all addresses are physical. */
uint64_t guest_reach(struct guest *guest, uint64_t gpa)
{
	(void)guest;
	return gpa;
}

/* It brings its vectors. */
void guest_work_prepare(struct axvm *vm)
{
	(void)vm;
}

/* A line that the guest's handler has lowered again: the external interrupt. */
int guest_work_interrupt(struct axvcpu_request *request, unsigned int dice)
{
	(void)dice;
	request->kind = AXVCPU_REQUEST_IRQ_LINE;
	request->u.line.line = 0;
	request->u.line.level = 1;
	return 0;
}

/* --- forwarded events --------------------------------------------------------------------------- */

/* Forwarded SBI calls are selected by setup. */
void guest_forward(struct axvm_config *config)
{
	(void)config;
}

void guest_make_user(struct guest *guest)
{
	ck_ok(axvcpu_set_reg(guest->vcpu, AXVCPU_REG_RISCV64_MODE, 0));
}

/* --- registers ---------------------------------------------------------------------------------- */

const uint64_t guest_register_ways[] = { AXVCPU_REG_RISCV64_S1, AXVCPU_REG_RISCV64_SSCRATCH };
const size_t guest_register_nways = sizeof(guest_register_ways) / sizeof(guest_register_ways[0]);

#define ALL UINT64_MAX

const struct guest_register_rule guest_register_rules[] = {
	{ AXVCPU_REG_RISCV64_MODE, 1, false, "there are two" },
	{ AXVCPU_REG_RISCV64_SIP, 0x222, false, "the three that a hart always has" },
	{ AXVCPU_REG_RISCV64_TIMER_TIME, ALL, true, "a counter" },
	{ AXVCPU_REG_RISCV64_FCSR, 0xff, false, "flags and rounding mode" },
};
const size_t guest_register_nrules = sizeof(guest_register_rules) / sizeof(guest_register_rules[0]);
