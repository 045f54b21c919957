/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * Registers: the stack pointer, which is banked, vector registers, the counter; the mode.
 * backends/kvm/named_regs.c has the others.
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "backends/arm64/arm64.h"

/* --- the stack pointer ----------------------------------------------------------------------- */

/* Returns the KVM id of r13 of an AArch32 mode: the banked ones are in x15 to x29. */
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

/* Returns the KVM id of the stack pointer in use. */
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
		return axvcpu_fail(
			vcpu->vm->vm, -EINVAL,
			"set_reg: AXVCPU_REG_ARM64_LINES is read-only: the timers and the PMU "
			"set these lines");
	return axk_set_named_reg(vcpu, id, value);
}

int axk_arm64_set_return_value(void *arch_vcpu, uint64_t value)
{
	return axk_set_one_reg(arch_vcpu, ARM64_GPR(0), &value);
}

/* --- vector registers ------------------------------------------------------------------------ */

#define VECTORS 32u

_Static_assert(AXVCPU_REG_ARM64_V(1) == (KVM_REG_ARM64 | KVM_REG_SIZE_U128 | KVM_REG_ARM_CORE |
					 KVM_REG_ARM_CORE_REG(fp_regs.vregs[1])),
	       "V registers");
_Static_assert(AXVCPU_REG_ARM64_Z(1) == KVM_REG_ARM64_SVE_ZREG(1, 0), "Z registers");
_Static_assert(AXVCPU_REG_ARM64_P(1) == KVM_REG_ARM64_SVE_PREG(1, 0), "P registers");
_Static_assert(AXVCPU_REG_ARM64_P(16) == KVM_REG_ARM64_SVE_FFR(0), "FFR");

/* Whether the id is that of a V register; its number goes to *n. */
static bool is_v(uint64_t id, uint64_t *n)
{
	*n = (id - AXVCPU_REG_ARM64_V(0)) / 4;
	return *n < VECTORS && id == AXVCPU_REG_ARM64_V(*n);
}

static int check_sve(const struct axk_vcpu *vcpu, uint64_t id)
{
	if (vcpu->arch.sve_done || (id & KVM_REG_ARM_COPROC_MASK) != KVM_REG_ARM64_SVE)
		return 0;
	return axvcpu_fail(vcpu->vm->vm, -ENOTSUP,
			   "vCPU %" PRIu32 ": register %#" PRIx64
			   " is one of SVE, which setup enables by AXVCPU_ARM64_SVE",
			   vcpu->id, id);
}

int axk_arm64_get_reg_bytes(void *arch_vcpu, uint64_t id, void *buf, size_t len)
{
	struct axk_vcpu *vcpu = arch_vcpu;
	unsigned char z[256];
	uint64_t n;
	int ret = check_sve(vcpu, id);

	if (ret)
		return ret;
	if (!vcpu->arch.sve_done || !is_v(id, &n))
		return axk_get_reg_bytes(vcpu, id, buf, len);
	/* With SVE, KVM has only the whole registers. */
	ret = axk_get_one_reg(vcpu, AXVCPU_REG_ARM64_Z(n), z);
	if (!ret)
		memcpy(buf, z, len);
	return ret;
}

int axk_arm64_set_reg_bytes(void *arch_vcpu, uint64_t id, const void *buf, size_t len)
{
	struct axk_vcpu *vcpu = arch_vcpu;
	unsigned char z[256];
	uint64_t n;
	int ret = check_sve(vcpu, id);

	if (ret)
		return ret;
	if (!vcpu->arch.sve_done || !is_v(id, &n))
		return axk_set_reg_bytes(vcpu, id, buf, len);
	ret = axk_get_one_reg(vcpu, AXVCPU_REG_ARM64_Z(n), z);
	if (ret)
		return ret;
	memcpy(z, buf, len);
	return axk_set_one_reg(vcpu, AXVCPU_REG_ARM64_Z(n), z);
}

/* --- the counter ----------------------------------------------------------------------------- */

/* Guests read the register of the host: KVM does not virtualize it. */
int axk_arch_counter_hz(struct axk_vcpu *vcpu, uint64_t *hz)
{
	(void)vcpu;
	__asm__("mrs %0, cntfrq_el0" : "=r"(*hz));
	return 0;
}

/* --- the mode of the CPU --------------------------------------------------------------------- */

int axk_arm64_get_cpu_mode(void *arch_vcpu, struct axvcpu_cpu_mode *mode)
{
	struct axk_vcpu *vcpu = arch_vcpu;
	uint64_t pstate, sctlr;
	int ret = axk_get_one_reg(vcpu, ARM64_PSTATE, &pstate);

	if (!ret)
		ret = axk_get_named_reg(vcpu, AXVCPU_REG_ARM64_SCTLR_EL1, &sctlr);
	if (ret)
		return ret;
	mode->execution = AXVCPU_EXECUTION_AARCH64;
	mode->bits = 64;
	mode->privilege = PSTATE_EL(pstate);
	if (pstate & PSTATE_AARCH32) {
		mode->execution = AXVCPU_EXECUTION_AARCH32;
		mode->bits = 32;
		mode->privilege = (pstate & PSTATE_MODE_MASK) == PSTATE_AARCH32_USR ? 0 : 1;
	}
	mode->user = !mode->privilege;
	mode->paging = !!(sctlr & SCTLR_M);
	return 0;
}
