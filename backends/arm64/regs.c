/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* Registers: the stack pointer, which is banked; backends/kvm/named_regs.c reads and writes the rest. */
#include <errno.h>

#include "backends/arm64/arm64.h"

/* --- the stack pointer ----------------------------------------------------------------------- */

/* KVM's id of r13 of an AArch32 mode: the banked ones are in x15 to x29. */
static uint64_t aarch32_sp(uint64_t mode)
{
	switch (mode & 0xf) {
	case 0x1: /* FIQ */
		return ARM64_GPR(29);
	case 0x2: /* IRQ */
		return ARM64_GPR(17);
	case 0x3: /* SVC */
		return ARM64_GPR(19);
	case 0x7: /* ABT */
		return ARM64_GPR(21);
	case 0xb: /* UND */
		return ARM64_GPR(23);
	default: /* USR, SYS */
		return ARM64_GPR(13);
	}
}

/* KVM's id of the one in use. */
static int sp_in_use(struct axk_vcpu *vcpu, uint64_t *id)
{
	uint64_t pstate;
	int ret = axk_get_one_reg(vcpu, ARM64_PSTATE, &pstate);

	if (ret)
		return ret;
	if (pstate & PSTATE_AARCH32)
		*id = aarch32_sp(pstate);
	else if ((pstate & PSTATE_MODE_MASK) == PSTATE_EL1H)
		*id = ARM64_CORE_REG(sp_el1);
	else
		*id = ARM64_CORE_REG(regs.sp);
	return 0;
}

int axk_arm64_get_reg(void *arch_vcpu, uint64_t id, uint64_t *value)
{
	struct axk_vcpu *vcpu = arch_vcpu;
	int ret = id == AXVCPU_REG_SP ? sp_in_use(vcpu, &id) : 0;

	if (ret)
		return ret;
	if (id == AXVCPU_REG_ARM64_LINES) {
		*value = vcpu->run->s.regs.device_irq_level;
		return 0;
	}
	return axk_get_named_reg(vcpu, id, value);
}

int axk_arm64_set_reg(void *arch_vcpu, uint64_t id, uint64_t value)
{
	struct axk_vcpu *vcpu = arch_vcpu;
	int ret = id == AXVCPU_REG_SP ? sp_in_use(vcpu, &id) : 0;

	if (ret)
		return ret;
	if (id == AXVCPU_REG_ARM64_LINES)
		return axvcpu_fail(vcpu->vm->vm, -EINVAL,
				   "set_reg: the lines of timers and PMU are theirs to set");
	return axk_set_named_reg(vcpu, id, value);
}

int axk_arm64_set_return_value(void *arch_vcpu, uint64_t value)
{
	return axk_set_one_reg(arch_vcpu, ARM64_GPR(0), &value);
}
