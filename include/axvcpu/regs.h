/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/**
 * @file regs.h
 * The registers of a vCPU: the general ones alike on every architecture, the others by id.
 *
 * A register id is 64 bits. Ids whose top byte is zero are this library's and are listed here.
 * Ids with a top byte are KVM's own (KVM_GET_ONE_REG) and go to the kernel as they are.
 */
#ifndef AXVCPU_REGS_H
#define AXVCPU_REGS_H

#include <stddef.h>
#include <stdint.h>

#include <axvcpu/error.h>

#ifdef __cplusplus
extern "C" {
#endif

struct axvcpu;

/**
 * General-purpose register `n`, by its hardware number.
 * x86_64: rax 0, rcx 1, rdx 2, rbx 3, rsp 4, rbp 5, rsi 6, rdi 7, r8 to r15.
 * arm64: x0 to x30. riscv64: x0 to x31 (x0 reads as zero; a write is ignored).
 */
#define AXVCPU_REG_GPR(n) ((uint64_t)(n))
/** Program counter: rip, pc. */
#define AXVCPU_REG_PC 0x100u
/** Stack pointer: rsp, sp_el1 or sp_el0 as in use, x2. */
#define AXVCPU_REG_SP 0x101u
/** Flags: rflags, pstate; riscv64 has none. */
#define AXVCPU_REG_FLAGS 0x102u

/** x86_64 system registers. Of the segments, the base address. */
enum axvcpu_reg_x86 {
	AXVCPU_REG_X86_CR0 = 0x200,
	AXVCPU_REG_X86_CR2,
	AXVCPU_REG_X86_CR3,
	AXVCPU_REG_X86_CR4,
	AXVCPU_REG_X86_CR8,
	AXVCPU_REG_X86_EFER,
	AXVCPU_REG_X86_APIC_BASE,
	AXVCPU_REG_X86_CS_BASE,
	AXVCPU_REG_X86_DS_BASE,
	AXVCPU_REG_X86_ES_BASE,
	AXVCPU_REG_X86_FS_BASE,
	AXVCPU_REG_X86_GS_BASE,
	AXVCPU_REG_X86_SS_BASE,
	AXVCPU_REG_X86_TR_BASE,
	AXVCPU_REG_X86_GDT_BASE,
	AXVCPU_REG_X86_IDT_BASE,
	AXVCPU_REG_X86_CS,
	AXVCPU_REG_X86_SS,
};

/**
 * x86_64: a model-specific register by its number, as far as KVM keeps it (-ENOENT where not). This is
 * KVM's own, whether or not the guest's accesses to it become exits.
 */
#define AXVCPU_REG_X86_MSR(n) ((UINT64_C(1) << 32) | (uint32_t)(n))

/** arm64: a selection of the system registers. All others by ids of KVM's. */
enum axvcpu_reg_arm64 {
	AXVCPU_REG_ARM64_SP_EL0 = 0x300,
	AXVCPU_REG_ARM64_SP_EL1,
	AXVCPU_REG_ARM64_ELR_EL1,
	AXVCPU_REG_ARM64_SPSR_EL1,
	AXVCPU_REG_ARM64_ESR_EL1,
	AXVCPU_REG_ARM64_FAR_EL1,
	AXVCPU_REG_ARM64_VBAR_EL1,
	AXVCPU_REG_ARM64_SCTLR_EL1,
	AXVCPU_REG_ARM64_CPACR_EL1,
	AXVCPU_REG_ARM64_TCR_EL1,
	AXVCPU_REG_ARM64_TTBR0_EL1,
	AXVCPU_REG_ARM64_TTBR1_EL1,
	AXVCPU_REG_ARM64_MAIR_EL1,
	AXVCPU_REG_ARM64_PAR_EL1,
	AXVCPU_REG_ARM64_CONTEXTIDR_EL1,
	AXVCPU_REG_ARM64_TPIDR_EL0,
	AXVCPU_REG_ARM64_TPIDRRO_EL0,
	AXVCPU_REG_ARM64_TPIDR_EL1,
	AXVCPU_REG_ARM64_CNTKCTL_EL1,
	AXVCPU_REG_ARM64_CNTV_CTL_EL0,
	AXVCPU_REG_ARM64_CNTV_CVAL_EL0,
	/** The counter goes on while nobody looks; KVM may have one for all vCPUs of the VM. */
	AXVCPU_REG_ARM64_CNTVCT_EL0,
	AXVCPU_REG_ARM64_MDSCR_EL1,
	/** The host's. Read only, as the next one before Linux 6.15. */
	AXVCPU_REG_ARM64_MIDR_EL1,
	/** How others name this CPU: Aff3 to Aff0 are its bits 39 to 32 and 23 to 0. Read only. */
	AXVCPU_REG_ARM64_MPIDR_EL1,
	AXVCPU_REG_ARM64_FPCR,
	AXVCPU_REG_ARM64_FPSR,
	/**
	 * Without a GIC: the outputs of the CPU's own devices, which KVM has, at the latest exit. Bit 0
	 * the virtual timer, bit 1 the physical one, bit 2 the PMU. A change of theirs ends the run
	 * with NOTHING. Read only, and no system call.
	 */
	AXVCPU_REG_ARM64_LINES,
};

/** riscv64 system registers, in supervisor mode of the guest's, and what KVM says of the machine. */
enum axvcpu_reg_riscv64 {
	/** The privilege: 1 supervisor, 0 user. */
	AXVCPU_REG_RISCV64_MODE = 0x400,
	AXVCPU_REG_RISCV64_SSTATUS,
	AXVCPU_REG_RISCV64_SIE,
	AXVCPU_REG_RISCV64_STVEC,
	AXVCPU_REG_RISCV64_SSCRATCH,
	AXVCPU_REG_RISCV64_SEPC,
	AXVCPU_REG_RISCV64_SCAUSE,
	AXVCPU_REG_RISCV64_STVAL,
	AXVCPU_REG_RISCV64_SIP,
	AXVCPU_REG_RISCV64_SATP,
	AXVCPU_REG_RISCV64_SCOUNTEREN,
	AXVCPU_REG_RISCV64_SENVCFG,
	/** Ticks in a second of the timer and of the next two. Not to be changed. */
	AXVCPU_REG_RISCV64_TIMER_FREQUENCY,
	/** The time that the guest reads: all vCPUs'. */
	AXVCPU_REG_RISCV64_TIMER_TIME,
	/** When the timer's interrupt is due. */
	AXVCPU_REG_RISCV64_TIMER_COMPARE,
	/** 1 while KVM itself waits for that. KVM refuses 0 (-EINVAL) where it is 0 already. */
	AXVCPU_REG_RISCV64_TIMER_STATE,
	/** The extensions of one letter that the guest has, a bit each from a. Fixed at the first run. */
	AXVCPU_REG_RISCV64_ISA,
	AXVCPU_REG_RISCV64_MVENDORID,
	AXVCPU_REG_RISCV64_MARCHID,
	AXVCPU_REG_RISCV64_MIMPID,
	/** The widest mode of satp, as in its upper bits: 8 Sv39, 9 Sv48, 10 Sv57. */
	AXVCPU_REG_RISCV64_SATP_MODE,
	/**
	 * Bytes of the blocks that cache instructions work on: Zicbom, Zicboz and Zicbop. -ENOENT: the host
	 * lacks the extension, or its KVM is older than the register (6.1, 6.4 and 6.18).
	 */
	AXVCPU_REG_RISCV64_ZICBOM_BLOCK_SIZE,
	AXVCPU_REG_RISCV64_ZICBOZ_BLOCK_SIZE,
	AXVCPU_REG_RISCV64_ZICBOP_BLOCK_SIZE,
};

/**
 * riscv64: whether the guest has an extension of the instruction set or of SBI, by KVM's number (enum
 * axvcpu_riscv64_isa, enum axvcpu_riscv64_sbi): 0 or 1; -ENOENT: this host or its KVM has not. Setup
 * switches them (riscv64.h); they are fixed at the first run.
 */
#define AXVCPU_REG_RISCV64_ISA_EXTENSION(n) ((UINT64_C(2) << 32) | (uint32_t)(n))
#define AXVCPU_REG_RISCV64_SBI_EXTENSION(n) ((UINT64_C(3) << 32) | (uint32_t)(n))

/** All general registers at once. 272 bytes, for ever. */
struct axvcpu_regs {
	/** By hardware number; those that the architecture lacks read as 0 and are not written. */
	uint64_t gpr[32];
	uint64_t pc;
	/** rflags, pstate; 0 on riscv64. */
	uint64_t flags;
};

/**
 * Reads one register.
 *
 * At an exit, the registers are as the hypervisor has them: the instruction that caused an
 * I/O exit has not retired. axvcpu_flush() first, to see it done.
 *
 * @param id    AXVCPU_REG_*, or an id of KVM's for registers of up to 8 bytes.
 * @param value receives the value, zero-extended.
 * @return 0; -ENOENT: no such register; -EBADFD: state not Free, Ready or Blocked; -EBUSY.
 *
 * States: Free, Ready, Blocked; unchanged. Threads: any. axvcpu: read_gpr.
 */
AXVCPU_API int axvcpu_get_reg(struct axvcpu *vcpu, uint64_t id, uint64_t *value);

/**
 * Writes one register. An I/O exit that is still open is finished first, as axvcpu_flush() does.
 *
 * @return as axvcpu_get_reg(); -EINVAL: the hypervisor refused the value.
 *
 * States and threads: as axvcpu_get_reg(). axvcpu: set_gpr.
 */
AXVCPU_API int axvcpu_set_reg(struct axvcpu *vcpu, uint64_t id, uint64_t value);

/**
 * Reads all general registers, with one system call where the hypervisor has it.
 * Return value, states and threads: as axvcpu_get_reg().
 */
AXVCPU_API int axvcpu_get_regs(struct axvcpu *vcpu, struct axvcpu_regs *regs);

/** Writes all general registers: otherwise as axvcpu_set_reg(). */
AXVCPU_API int axvcpu_set_regs(struct axvcpu *vcpu, const struct axvcpu_regs *regs);

/**
 * Writes a general-purpose register by its hardware number.
 *
 * @return as axvcpu_set_reg(); -ENOENT if the architecture has no register of that number.
 *
 * axvcpu: set_gpr.
 */
AXVCPU_API int axvcpu_set_gpr(struct axvcpu *vcpu, unsigned int index, uint64_t value);

/**
 * Sets what the guest sees as the result of its call: rax, x0 or a0. At a hypercall exit that
 * is answerable it answers the exit, as axvcpu_complete() with a value does.
 *
 * Return value, states and threads: as axvcpu_set_reg(). axvcpu: set_return_value.
 */
AXVCPU_API int axvcpu_set_return_value(struct axvcpu *vcpu, uint64_t value);

/**
 * The id and the name of the n-th register that axvcpu_get_reg() knows by a name here, for
 * dumps. Registers come in the order in which a person wants to read them.
 *
 * @param n    from 0 up.
 * @param id   receives the id; may be NULL.
 * @param name receives a constant string; may be NULL.
 * @return 0; -ENOENT when `n` is past the last; -ENOTSUP if the backend has no list.
 *
 * States: any. Threads: any.
 */
AXVCPU_API int axvcpu_reg_info(const struct axvcpu *vcpu, unsigned int n, uint64_t *id,
			       const char **name);

/**
 * Bytes of a register by an id of KVM's, which has its size in it; 8 for the ids of this library's.
 * 0: no such size. Any thread.
 */
static inline size_t axvcpu_reg_size(uint64_t id)
{
	unsigned int log2 = (unsigned int)(id >> 52 & 0xf);

	if (!(id >> 56))
		return sizeof(uint64_t);
	return log2 <= 8 ? (size_t)1 << log2 : 0;
}

/**
 * Reads a register of any size by an id of KVM's: vector registers are wider than 8 bytes.
 *
 * @param buf receives it as the hypervisor has it, in the host's byte order.
 * @param len axvcpu_reg_size() of the id.
 * @return 0; -ENOENT: no such register; -EINVAL: `len` is another; -ENOTSUP; -EBADFD; -EBUSY.
 *
 * States and threads: as axvcpu_get_reg().
 */
AXVCPU_API int axvcpu_get_reg_bytes(struct axvcpu *vcpu, uint64_t id, void *buf, size_t len);

/** Writes a register of any size: otherwise as axvcpu_get_reg_bytes() and axvcpu_set_reg(). */
AXVCPU_API int axvcpu_set_reg_bytes(struct axvcpu *vcpu, uint64_t id, const void *buf, size_t len);

/**
 * The ids of all registers that the hypervisor lets this vCPU's state be read and written by.
 *
 * @param ids   receives the first `count` of them; may be NULL if `count` is 0.
 * @param count room in `ids`.
 * @return how many there are, which may be more than `count`; -ENOTSUP: the backend has no such list
 *         (x86_64, whose registers are in KVM's structures); -ENOMEM; -EBADFD; -EBUSY; errnos of the
 *         kernel.
 *
 * States and threads: as axvcpu_get_reg().
 */
AXVCPU_API int axvcpu_reg_list(struct axvcpu *vcpu, uint64_t *ids, size_t count);

#ifdef __cplusplus
}
#endif

#endif
