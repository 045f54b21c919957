/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* Names and KVM ids of the registers. */
#include <errno.h>

#include "backends/riscv64/riscv64.h"

/* --- KVM ids ---------------------------------------------------------------------------------- */

#define NAMED(id, kvm_id) [AXVCPU_REG_RISCV64_##id - AXVCPU_REG_RISCV64_MODE] = (kvm_id)

static const uint64_t system_regs[] = {
	NAMED(MODE, RISCV_CORE(mode)),
	NAMED(SSTATUS, RISCV_CSR(sstatus)),
	NAMED(SIE, RISCV_CSR(sie)),
	NAMED(STVEC, RISCV_CSR(stvec)),
	NAMED(SSCRATCH, RISCV_CSR(sscratch)),
	NAMED(SEPC, RISCV_CSR(sepc)),
	NAMED(SCAUSE, RISCV_CSR(scause)),
	NAMED(STVAL, RISCV_CSR(stval)),
	NAMED(SIP, RISCV_CSR(sip)),
	NAMED(SATP, RISCV_CSR(satp)),
	NAMED(SCOUNTEREN, RISCV_CSR(scounteren)),
	NAMED(SENVCFG, RISCV_REG(KVM_REG_RISCV_CSR, RISCV_CSR_SENVCFG)),
	NAMED(TIMER_FREQUENCY, RISCV_TIMER(frequency)),
	NAMED(TIMER_TIME, RISCV_TIMER(time)),
	NAMED(TIMER_COMPARE, RISCV_TIMER(compare)),
	NAMED(TIMER_STATE, RISCV_TIMER(state)),
	NAMED(ISA, RISCV_REG(KVM_REG_RISCV_CONFIG, KVM_REG_RISCV_CONFIG_REG(isa))),
	NAMED(MVENDORID, RISCV_REG(KVM_REG_RISCV_CONFIG, RISCV_CONFIG_MVENDORID)),
	NAMED(MARCHID, RISCV_REG(KVM_REG_RISCV_CONFIG, RISCV_CONFIG_MARCHID)),
	NAMED(MIMPID, RISCV_REG(KVM_REG_RISCV_CONFIG, RISCV_CONFIG_MIMPID)),
	NAMED(SATP_MODE, RISCV_REG(KVM_REG_RISCV_CONFIG, RISCV_CONFIG_SATP_MODE)),
	NAMED(ZICBOM_BLOCK_SIZE,
	      RISCV_REG(KVM_REG_RISCV_CONFIG, KVM_REG_RISCV_CONFIG_REG(zicbom_block_size))),
	NAMED(ZICBOZ_BLOCK_SIZE, RISCV_REG(KVM_REG_RISCV_CONFIG, RISCV_CONFIG_ZICBOZ_BLOCK_SIZE)),
	NAMED(ZICBOP_BLOCK_SIZE, RISCV_REG(KVM_REG_RISCV_CONFIG, RISCV_CONFIG_ZICBOP_BLOCK_SIZE)),
};

/* Ids with a number in their lower half: extensions. */
static uint64_t numbered_reg(uint64_t id)
{
	uint32_t n = (uint32_t)id;

	/* Higher bits would change another field of the KVM id. */
	if (n > UINT16_MAX)
		return 0;
	if (id == AXVCPU_REG_RISCV64_ISA_EXTENSION(n))
		return RISCV_REG(KVM_REG_RISCV_ISA_EXT, n);
	if (id == AXVCPU_REG_RISCV64_SBI_EXTENSION(n))
		return RISCV_REG(KVM_REG_RISCV_SBI_EXT, n);
	return 0;
}

uint64_t axk_arch_reg(const struct axk_vcpu *vcpu, uint64_t id)
{
	(void)vcpu;
	if (id > AXVCPU_REG_GPR(0) && id < AXVCPU_REG_GPR(KVM_ARCH_GPRS))
		return RISCV_X(id);
	if (id >= AXVCPU_REG_RISCV64_MODE && id - AXVCPU_REG_RISCV64_MODE < ARRAY_SIZE(system_regs))
		return system_regs[id - AXVCPU_REG_RISCV64_MODE];
	switch (id) {
	case AXVCPU_REG_PC:
		return RISCV_CORE(regs.pc);
	case AXVCPU_REG_SP:
		return RISCV_CORE(regs.sp);
	default:
		return numbered_reg(id);
	}
}

bool axk_arch_reg_is_zero(uint64_t id)
{
	return id == AXVCPU_REG_GPR(0);
}

/* --- names ------------------------------------------------------------------------------------ */

_Static_assert(AXVCPU_REG_RISCV64_F(31) == (KVM_REG_RISCV | KVM_REG_SIZE_U64 | KVM_REG_RISCV_FP_D |
					    KVM_REG_RISCV_FP_D_REG(f[31])),
	       "F registers");
_Static_assert(AXVCPU_REG_RISCV64_FCSR == (KVM_REG_RISCV | KVM_REG_SIZE_U32 | KVM_REG_RISCV_FP_D |
					   KVM_REG_RISCV_FP_D_REG(fcsr)),
	       "fcsr");

#define F(n) \
	{ \
		AXVCPU_REG_RISCV64_F(n), "f" #n \
	}

const struct axk_named_reg axk_arch_regs[] = {
	{ AXVCPU_REG_PC, "pc" },
	{ AXVCPU_REG_RISCV64_RA, "ra" },
	{ AXVCPU_REG_RISCV64_SP, "sp" },
	{ AXVCPU_REG_RISCV64_GP, "gp" },
	{ AXVCPU_REG_RISCV64_TP, "tp" },
	{ AXVCPU_REG_RISCV64_A0, "a0" },
	{ AXVCPU_REG_RISCV64_A1, "a1" },
	{ AXVCPU_REG_RISCV64_A2, "a2" },
	{ AXVCPU_REG_RISCV64_A3, "a3" },
	{ AXVCPU_REG_RISCV64_A4, "a4" },
	{ AXVCPU_REG_RISCV64_A5, "a5" },
	{ AXVCPU_REG_RISCV64_A6, "a6" },
	{ AXVCPU_REG_RISCV64_A7, "a7" },
	{ AXVCPU_REG_RISCV64_T0, "t0" },
	{ AXVCPU_REG_RISCV64_T1, "t1" },
	{ AXVCPU_REG_RISCV64_T2, "t2" },
	{ AXVCPU_REG_RISCV64_T3, "t3" },
	{ AXVCPU_REG_RISCV64_T4, "t4" },
	{ AXVCPU_REG_RISCV64_T5, "t5" },
	{ AXVCPU_REG_RISCV64_T6, "t6" },
	{ AXVCPU_REG_RISCV64_S0, "s0" },
	{ AXVCPU_REG_RISCV64_S1, "s1" },
	{ AXVCPU_REG_RISCV64_S2, "s2" },
	{ AXVCPU_REG_RISCV64_S3, "s3" },
	{ AXVCPU_REG_RISCV64_S4, "s4" },
	{ AXVCPU_REG_RISCV64_S5, "s5" },
	{ AXVCPU_REG_RISCV64_S6, "s6" },
	{ AXVCPU_REG_RISCV64_S7, "s7" },
	{ AXVCPU_REG_RISCV64_S8, "s8" },
	{ AXVCPU_REG_RISCV64_S9, "s9" },
	{ AXVCPU_REG_RISCV64_S10, "s10" },
	{ AXVCPU_REG_RISCV64_S11, "s11" },
	{ AXVCPU_REG_RISCV64_MODE, "mode" },
	{ AXVCPU_REG_RISCV64_SSTATUS, "sstatus" },
	{ AXVCPU_REG_RISCV64_SCAUSE, "scause" },
	{ AXVCPU_REG_RISCV64_STVAL, "stval" },
	{ AXVCPU_REG_RISCV64_SEPC, "sepc" },
	{ AXVCPU_REG_RISCV64_STVEC, "stvec" },
	{ AXVCPU_REG_RISCV64_SSCRATCH, "sscratch" },
	{ AXVCPU_REG_RISCV64_SIE, "sie" },
	{ AXVCPU_REG_RISCV64_SIP, "sip" },
	{ AXVCPU_REG_RISCV64_SATP, "satp" },
	{ AXVCPU_REG_RISCV64_SCOUNTEREN, "scounteren" },
	{ AXVCPU_REG_RISCV64_TIMER_TIME, "time" },
	{ AXVCPU_REG_RISCV64_TIMER_COMPARE, "stimecmp" },
	{ AXVCPU_REG_RISCV64_FCSR, "fcsr" },
	F(0),
	F(1),
	F(2),
	F(3),
	F(4),
	F(5),
	F(6),
	F(7),
	F(8),
	F(9),
	F(10),
	F(11),
	F(12),
	F(13),
	F(14),
	F(15),
	F(16),
	F(17),
	F(18),
	F(19),
	F(20),
	F(21),
	F(22),
	F(23),
	F(24),
	F(25),
	F(26),
	F(27),
	F(28),
	F(29),
	F(30),
	F(31),
};
const unsigned int axk_arch_nregs = ARRAY_SIZE(axk_arch_regs);

/* --- values ----------------------------------------------------------------------------------- */

/* Turns -ENOENT into -ENOTSUP with a message. */
static int check_register(const struct axk_vcpu *vcpu, uint64_t kvm_id, int ret)
{
	if (ret != -ENOENT)
		return ret;
	return axvcpu_fail(vcpu->vm->vm, -ENOTSUP, "vCPU %u: this KVM lacks register %#llx",
			   vcpu->id, (unsigned long long)kvm_id);
}

int axk_riscv_get(struct axk_vcpu *vcpu, uint64_t kvm_id, uint64_t *value)
{
	return check_register(vcpu, kvm_id, axk_get_one_reg(vcpu, kvm_id, value));
}

int axk_riscv_set(struct axk_vcpu *vcpu, uint64_t kvm_id, uint64_t value)
{
	return check_register(vcpu, kvm_id, axk_set_one_reg(vcpu, kvm_id, &value));
}

int axk_riscv_set_return_value(void *arch_vcpu, uint64_t value)
{
	return axk_riscv_set(arch_vcpu, RISCV_CORE(regs.a0), value);
}

int axk_arch_counter_hz(struct axk_vcpu *vcpu, uint64_t *hz)
{
	return axk_riscv_get(vcpu, RISCV_TIMER(frequency), hz);
}

/* --- the mode of the CPU ---------------------------------------------------------------------- */

int axk_riscv_get_cpu_mode(void *arch_vcpu, struct axvcpu_cpu_mode *mode)
{
	struct axk_vcpu *vcpu = arch_vcpu;
	uint64_t privilege, satp;
	int ret = axk_riscv_get(vcpu, RISCV_CORE(mode), &privilege);

	if (!ret)
		ret = axk_riscv_get(vcpu, RISCV_CSR(satp), &satp);
	if (ret)
		return ret;
	mode->execution = AXVCPU_EXECUTION_RV64;
	mode->bits = 64;
	mode->privilege = (uint32_t)privilege;
	mode->user = !privilege;
	mode->paging = SATP_MODE(satp) != SATP_BARE;
	return 0;
}
