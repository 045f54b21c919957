/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* arm64: the architecture-specific functions of the common suites, declared in tests/guest.h. */
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

/* A line that the guest's handler has lowered again: IRQ or FIQ. */
int guest_work_interrupt(struct axvcpu_request *request, unsigned int dice)
{
	request->kind = AXVCPU_REQUEST_IRQ_LINE;
	request->u.line.line = dice % 2;
	request->u.line.level = 1;
	return 0;
}

/* --- forwarded events --------------------------------------------------------------------------- */

/* SMCCC filters, from Linux 6.4 on. */
void guest_forward(struct axvm_config *config)
{
	struct axvm_config trial = *config;
	struct axvm *vm;

	trial.forward = AXVM_FORWARD_HYPERCALLS | AXVM_FORWARD_POWER;
	if (axvm_new(&trial, &vm))
		return;
	ck_ok(axvm_free(vm));
	config->forward = trial.forward;
}

/* EL0t, exceptions masked. */
void guest_make_user(struct guest *guest)
{
	ck_ok(axvcpu_set_reg(guest->vcpu, AXVCPU_REG_FLAGS, 0x3c0));
}

/* --- registers ---------------------------------------------------------------------------------- */

const uint64_t guest_register_ways[] = { AXVCPU_REG_ARM64_X(9), AXVCPU_REG_SP,
					 AXVCPU_REG_ARM64_VBAR_EL1, AXVCPU_REG_ARM64_FPSR };
const size_t guest_register_nways = sizeof(guest_register_ways) / sizeof(guest_register_ways[0]);

#define ALL UINT64_MAX

const struct guest_register_rule guest_register_rules[] = {
	{ AXVCPU_REG_FLAGS, 0xf00003c0, false, "the others say what mode this is" },
	{ AXVCPU_REG_ARM64_CNTV_CTL_EL0, 2, false, "bit 0 has it fire, which bit 2 says" },
	{ AXVCPU_REG_ARM64_CNTVCT_EL0, ALL, true, "a counter" },
	{ AXVCPU_REG_ARM64_MIDR_EL1, 0, false, "the host's" },
	{ AXVCPU_REG_ARM64_MPIDR_EL1, 0, false, "how others name this CPU" },
	{ AXVCPU_REG_ARM64_FPCR, 0xffffffff, false, "32 bits" },
	{ AXVCPU_REG_ARM64_FPSR, 0xffffffff, false, "32 bits" },
	{ AXVCPU_REG_ARM64_LINES, 0, false, "outputs of KVM's own devices" },
};
const size_t guest_register_nrules = sizeof(guest_register_rules) / sizeof(guest_register_rules[0]);
