/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* Names and KVM ids of the registers. */
#include "backends/arm64/arm64.h"

#define CORE_REG32(name) \
	(KVM_REG_ARM64 | KVM_REG_SIZE_U32 | KVM_REG_ARM_CORE | KVM_REG_ARM_CORE_REG(name))

/* By AXVCPU_REG_ARM64_*, from the first one on. */
#define SYSREG(name, ...) [AXVCPU_REG_ARM64_##name - AXVCPU_REG_ARM64_SP_EL0] = __VA_ARGS__

static const uint64_t sysregs[] = {
	SYSREG(SP_EL0, ARM64_CORE_REG(regs.sp)),
	SYSREG(SP_EL1, ARM64_CORE_REG(sp_el1)),
	SYSREG(ELR_EL1, ARM64_CORE_REG(elr_el1)),
	SYSREG(SPSR_EL1, ARM64_CORE_REG(spsr[KVM_SPSR_EL1])),
	SYSREG(ESR_EL1, ARM64_SYS_REG(3, 0, 5, 2, 0)),
	SYSREG(FAR_EL1, ARM64_SYS_REG(3, 0, 6, 0, 0)),
	SYSREG(VBAR_EL1, ARM64_SYS_REG(3, 0, 12, 0, 0)),
	SYSREG(SCTLR_EL1, ARM64_SYS_REG(3, 0, 1, 0, 0)),
	SYSREG(CPACR_EL1, ARM64_SYS_REG(3, 0, 1, 0, 2)),
	SYSREG(TCR_EL1, ARM64_SYS_REG(3, 0, 2, 0, 2)),
	SYSREG(TTBR0_EL1, ARM64_SYS_REG(3, 0, 2, 0, 0)),
	SYSREG(TTBR1_EL1, ARM64_SYS_REG(3, 0, 2, 0, 1)),
	SYSREG(MAIR_EL1, ARM64_SYS_REG(3, 0, 10, 2, 0)),
	SYSREG(PAR_EL1, ARM64_SYS_REG(3, 0, 7, 4, 0)),
	SYSREG(CONTEXTIDR_EL1, ARM64_SYS_REG(3, 0, 13, 0, 1)),
	SYSREG(TPIDR_EL0, ARM64_SYS_REG(3, 3, 13, 0, 2)),
	SYSREG(TPIDRRO_EL0, ARM64_SYS_REG(3, 3, 13, 0, 3)),
	SYSREG(TPIDR_EL1, ARM64_SYS_REG(3, 0, 13, 0, 4)),
	SYSREG(CNTKCTL_EL1, ARM64_SYS_REG(3, 0, 14, 1, 0)),
	SYSREG(CNTV_CTL_EL0, KVM_REG_ARM_TIMER_CTL),
	SYSREG(CNTV_CVAL_EL0, KVM_REG_ARM_TIMER_CVAL),
	SYSREG(CNTVCT_EL0, KVM_REG_ARM_TIMER_CNT),
	SYSREG(MDSCR_EL1, ARM64_SYS_REG(2, 0, 0, 2, 2)),
	SYSREG(MIDR_EL1, ARM64_SYS_REG(3, 0, 0, 0, 0)),
	SYSREG(MPIDR_EL1, ARM64_SYS_REG(3, 0, 0, 0, 5)),
	SYSREG(FPCR, CORE_REG32(fp_regs.fpcr)),
	SYSREG(FPSR, CORE_REG32(fp_regs.fpsr)),
};

uint64_t axk_arch_reg(const struct axk_vcpu *vcpu, uint64_t id)
{
	(void)vcpu;
	if (id < KVM_ARCH_GPRS)
		return ARM64_GPR(id);
	if (id == AXVCPU_REG_PC)
		return ARM64_PC;
	if (id == AXVCPU_REG_FLAGS)
		return ARM64_PSTATE;
	if (id >= AXVCPU_REG_ARM64_SP_EL0 && id - AXVCPU_REG_ARM64_SP_EL0 < ARRAY_SIZE(sysregs))
		return sysregs[id - AXVCPU_REG_ARM64_SP_EL0];
	return 0;
}

/* The zero register, as operand 31, has no register id. */
bool axk_arch_reg_is_zero(uint64_t id)
{
	(void)id;
	return false;
}

/* --- the list -------------------------------------------------------------------------------- */

#define V(n) \
	{ \
		AXVCPU_REG_ARM64_V(n), "v" #n \
	}
#define GPR(n) \
	{ \
		AXVCPU_REG_GPR(n), "x" #n \
	}

const struct axk_named_reg axk_arch_regs[] = {
	{ AXVCPU_REG_PC, "pc" },
	{ AXVCPU_REG_SP, "sp" },
	{ AXVCPU_REG_FLAGS, "pstate" },
	GPR(0),
	GPR(1),
	GPR(2),
	GPR(3),
	GPR(4),
	GPR(5),
	GPR(6),
	GPR(7),
	GPR(8),
	GPR(9),
	GPR(10),
	GPR(11),
	GPR(12),
	GPR(13),
	GPR(14),
	GPR(15),
	GPR(16),
	GPR(17),
	GPR(18),
	GPR(19),
	GPR(20),
	GPR(21),
	GPR(22),
	GPR(23),
	GPR(24),
	GPR(25),
	GPR(26),
	GPR(27),
	GPR(28),
	GPR(29),
	GPR(30),
	{ AXVCPU_REG_ARM64_SP_EL0, "sp_el0" },
	{ AXVCPU_REG_ARM64_SP_EL1, "sp_el1" },
	{ AXVCPU_REG_ARM64_ELR_EL1, "elr_el1" },
	{ AXVCPU_REG_ARM64_SPSR_EL1, "spsr_el1" },
	{ AXVCPU_REG_ARM64_ESR_EL1, "esr_el1" },
	{ AXVCPU_REG_ARM64_FAR_EL1, "far_el1" },
	{ AXVCPU_REG_ARM64_VBAR_EL1, "vbar_el1" },
	{ AXVCPU_REG_ARM64_SCTLR_EL1, "sctlr_el1" },
	{ AXVCPU_REG_ARM64_CPACR_EL1, "cpacr_el1" },
	{ AXVCPU_REG_ARM64_TCR_EL1, "tcr_el1" },
	{ AXVCPU_REG_ARM64_TTBR0_EL1, "ttbr0_el1" },
	{ AXVCPU_REG_ARM64_TTBR1_EL1, "ttbr1_el1" },
	{ AXVCPU_REG_ARM64_MAIR_EL1, "mair_el1" },
	{ AXVCPU_REG_ARM64_PAR_EL1, "par_el1" },
	{ AXVCPU_REG_ARM64_CONTEXTIDR_EL1, "contextidr_el1" },
	{ AXVCPU_REG_ARM64_TPIDR_EL0, "tpidr_el0" },
	{ AXVCPU_REG_ARM64_TPIDRRO_EL0, "tpidrro_el0" },
	{ AXVCPU_REG_ARM64_TPIDR_EL1, "tpidr_el1" },
	{ AXVCPU_REG_ARM64_CNTKCTL_EL1, "cntkctl_el1" },
	{ AXVCPU_REG_ARM64_CNTV_CTL_EL0, "cntv_ctl_el0" },
	{ AXVCPU_REG_ARM64_CNTV_CVAL_EL0, "cntv_cval_el0" },
	{ AXVCPU_REG_ARM64_CNTVCT_EL0, "cntvct_el0" },
	{ AXVCPU_REG_ARM64_MDSCR_EL1, "mdscr_el1" },
	{ AXVCPU_REG_ARM64_MIDR_EL1, "midr_el1" },
	{ AXVCPU_REG_ARM64_MPIDR_EL1, "mpidr_el1" },
	{ AXVCPU_REG_ARM64_FPCR, "fpcr" },
	{ AXVCPU_REG_ARM64_FPSR, "fpsr" },
	{ AXVCPU_REG_ARM64_LINES, "lines" },
	V(0),
	V(1),
	V(2),
	V(3),
	V(4),
	V(5),
	V(6),
	V(7),
	V(8),
	V(9),
	V(10),
	V(11),
	V(12),
	V(13),
	V(14),
	V(15),
	V(16),
	V(17),
	V(18),
	V(19),
	V(20),
	V(21),
	V(22),
	V(23),
	V(24),
	V(25),
	V(26),
	V(27),
	V(28),
	V(29),
	V(30),
	V(31),
};
const unsigned int axk_arch_nregs = ARRAY_SIZE(axk_arch_regs);
