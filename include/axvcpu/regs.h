/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/**
 * @file regs.h
 * Registers of vCPUs: general registers by number, all others by id.
 *
 * A register id has 64 bits. Ids whose top byte is zero are those of this library, and are listed
 * in this header. Ids with another top byte are KVM's (KVM_GET_ONE_REG) and are passed to the
 * kernel unchanged. On x86_64, KVM has such ids only from Linux 6.18 on; before, they fail with
 * -EINVAL.
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
 * General-purpose register `n`, by its hardware number. x86_64: rax 0, rcx 1, rdx 2, rbx 3, rsp 4,
 * rbp 5, rsi 6, rdi 7, r8 to r15. arm64: x0 to x30. riscv64: x0 to x31 (x0 reads as zero; writes to
 * it are ignored).
 */
#define AXVCPU_REG_GPR(n) ((uint64_t)(n))
/** Program counter: rip, pc. */
#define AXVCPU_REG_PC 0x100u
/** Stack pointer: rsp; sp_el1 or sp_el0, whichever is in use; x2. */
#define AXVCPU_REG_SP 0x101u
/** Flags: rflags, pstate. riscv64 has none. */
#define AXVCPU_REG_FLAGS 0x102u

/** Ids of x86_64 system registers. Those of segments are the base address. */
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
 * x86_64: a model-specific register by its number; -ENOENT if KVM does not store it. This is KVM's
 * value, even if accesses by the guest become exits.
 */
#define AXVCPU_REG_X86_MSR(n) ((UINT64_C(1) << 32) | (uint32_t)(n))

/** Ids of arm64 system registers. Other system registers have only KVM ids. */
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
	/**
	 * The counter. It continues to count while the vCPU does not run. KVM may have one for all
	 * vCPUs of the VM.
	 */
	AXVCPU_REG_ARM64_CNTVCT_EL0,
	AXVCPU_REG_ARM64_MDSCR_EL1,
	/** Main id of the host CPU. Read-only before Linux 6.15. */
	AXVCPU_REG_ARM64_MIDR_EL1,
	/**
	 * Affinity of this vCPU, by which other vCPUs name it: Aff3 is in bits 39 to 32, Aff2 to
	 * Aff0 are in bits 23 to 0. Read-only.
	 */
	AXVCPU_REG_ARM64_MPIDR_EL1,
	AXVCPU_REG_ARM64_FPCR,
	AXVCPU_REG_ARM64_FPSR,
	/**
	 * Without a GIC: outputs of the in-kernel devices of the vCPU at the latest exit. Bit 0:
	 * virtual timer; bit 1: physical timer; bit 2: PMU. A change ends the run with NOTHING.
	 * Read-only. Reading it takes no system call.
	 */
	AXVCPU_REG_ARM64_LINES,
};

/** Ids of riscv64 supervisor registers, and of machine properties that KVM reports. */
enum axvcpu_reg_riscv64 {
	/** Privilege mode: 1 supervisor, 0 user. */
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
	/** Frequency of the timer in Hz. Read-only. */
	AXVCPU_REG_RISCV64_TIMER_FREQUENCY,
	/** The time that the guest reads, in timer ticks. All vCPUs of the VM share it. */
	AXVCPU_REG_RISCV64_TIMER_TIME,
	/** Time of the next timer interrupt, in timer ticks. */
	AXVCPU_REG_RISCV64_TIMER_COMPARE,
	/**
	 * 1 while the timer of KVM is armed. KVM rejects a write of 0 (-EINVAL) if it is 0 already.
	 */
	AXVCPU_REG_RISCV64_TIMER_STATE,
	/**
	 * Single-letter extensions of the guest: bit 0 stands for A, and so on. Fixed at the first
	 * run.
	 */
	AXVCPU_REG_RISCV64_ISA,
	AXVCPU_REG_RISCV64_MVENDORID,
	AXVCPU_REG_RISCV64_MARCHID,
	AXVCPU_REG_RISCV64_MIMPID,
	/** Largest mode of satp, as in its upper bits: 8 Sv39, 9 Sv48, 10 Sv57. */
	AXVCPU_REG_RISCV64_SATP_MODE,
	/**
	 * Block sizes in bytes of the cache instructions of Zicbom, Zicboz and Zicbop. -ENOENT: the
	 * host lacks the extension, or its KVM is older than the register (Linux 6.1, 6.4 and
	 * 6.18).
	 */
	AXVCPU_REG_RISCV64_ZICBOM_BLOCK_SIZE,
	AXVCPU_REG_RISCV64_ZICBOZ_BLOCK_SIZE,
	AXVCPU_REG_RISCV64_ZICBOP_BLOCK_SIZE,
};

/**
 * riscv64: whether the guest has an extension of the instruction set or of SBI, 0 or 1. `n` is
 * KVM's number of the extension: enum axvcpu_riscv64_isa, enum axvcpu_riscv64_sbi. -ENOENT: the
 * host or its KVM does not have it. axvcpu_setup() switches extensions (riscv64.h). They are fixed
 * at the first run.
 */
#define AXVCPU_REG_RISCV64_ISA_EXTENSION(n) ((UINT64_C(2) << 32) | (uint32_t)(n))
#define AXVCPU_REG_RISCV64_SBI_EXTENSION(n) ((UINT64_C(3) << 32) | (uint32_t)(n))

/** All general registers. Its size, 272 bytes, never changes. */
struct axvcpu_regs {
	/**
	 * General-purpose registers by hardware number. Those that the architecture lacks read as
	 * 0, and are ignored in writes.
	 */
	uint64_t gpr[32];
	/** Program counter. */
	uint64_t pc;
	/** rflags, pstate; 0 on riscv64. */
	uint64_t flags;
};

/**
 * Reads one register.
 *
 * At an exit, registers have the values that KVM has: an instruction that caused an I/O exit is not
 * completed yet. axvcpu_flush() completes it.
 *
 * @param vcpu  the vCPU.
 * @param id    AXVCPU_REG_*, or a KVM id of a register of up to 8 bytes.
 * @param value receives the value, zero-extended.
 * @return 0; -ENOENT: there is no such register, or it is wider than 8 bytes; -EBADFD; -EBUSY;
 *         -EPERM; errnos of the kernel.
 *
 * States: Free, Ready, Blocked; unchanged.
 * Threads: any.
 * Source: read_gpr() of AxVcpuAccessGuestState, an unreleased trait
 */
AXVCPU_API int axvcpu_get_reg(struct axvcpu *vcpu, uint64_t id, uint64_t *value);

/**
 * Writes one register.
 *
 * An I/O exit that is still open is completed first, as by axvcpu_flush().
 *
 * @param vcpu  the vCPU.
 * @param id    AXVCPU_REG_*, or a KVM id of a register of up to 8 bytes.
 * @param value the new value.
 * @return 0; -ENOENT: there is no such register, or it is wider than 8 bytes; -EINVAL: KVM does not
 *         accept the value; -EBADFD; -EBUSY; -EPERM; errnos of the kernel.
 *
 * States: Free, Ready, Blocked; unchanged.
 * Threads: any.
 * Source: AxVCpu::set_gpr()
 */
AXVCPU_API int axvcpu_set_reg(struct axvcpu *vcpu, uint64_t id, uint64_t value);

/**
 * Reads all general registers, with one system call if KVM supports it.
 *
 * At an exit, registers have the values that KVM has; see axvcpu_get_reg().
 *
 * @param vcpu the vCPU.
 * @param regs receives the registers.
 * @return 0; -EBADFD; -EBUSY; -EPERM; errnos of the kernel.
 *
 * States: Free, Ready, Blocked; unchanged.
 * Threads: any.
 */
AXVCPU_API int axvcpu_get_regs(struct axvcpu *vcpu, struct axvcpu_regs *regs);

/**
 * Writes all general registers.
 *
 * An I/O exit that is still open is completed first, as by axvcpu_flush().
 *
 * @param vcpu the vCPU.
 * @param regs the new values.
 * @return 0; -EINVAL: KVM does not accept a value; -EBADFD; -EBUSY; -EPERM; errnos of the kernel.
 *
 * States: Free, Ready, Blocked; unchanged.
 * Threads: any.
 */
AXVCPU_API int axvcpu_set_regs(struct axvcpu *vcpu, const struct axvcpu_regs *regs);

/**
 * Writes a general-purpose register by its hardware number.
 *
 * An I/O exit that is still open is completed first, as by axvcpu_flush().
 *
 * @param vcpu  the vCPU.
 * @param index hardware number, as in AXVCPU_REG_GPR(n).
 * @param value the new value.
 * @return 0; -ENOENT: there is no register of this number; -EBADFD; -EBUSY; -EPERM; errnos of the
 *         kernel.
 *
 * States: Free, Ready, Blocked; unchanged.
 * Threads: any.
 * Source: AxVCpu::set_gpr()
 */
AXVCPU_API int axvcpu_set_gpr(struct axvcpu *vcpu, unsigned int index, uint64_t value);

/**
 * Sets the register that holds the result of a call by the guest: rax, x0 or a0.
 *
 * At a hypercall exit that takes an answer, this answers the exit, as axvcpu_complete_value() does.
 * Otherwise an I/O exit that is still open is completed first, as by axvcpu_flush().
 *
 * @param vcpu  the vCPU.
 * @param value the result.
 * @return 0; -EINVAL: KVM does not accept the value; -EBADFD; -EBUSY; -EPERM; errnos of the kernel.
 *
 * States: Free, Ready, Blocked; unchanged.
 * Threads: any.
 * Source: AxVCpu::set_return_value()
 */
AXVCPU_API int axvcpu_set_return_value(struct axvcpu *vcpu, uint64_t value);

/**
 * Returns the id and the name of the n-th named register, for register dumps.
 *
 * These are the registers that have an AXVCPU_REG id. They are in an order that suits a dump:
 * general registers first.
 *
 * @param vcpu the vCPU.
 * @param n    index, from 0.
 * @param id   receives the id; may be NULL.
 * @param name receives a constant string; may be NULL.
 * @return 0; -ENOENT: `n` is past the last register; -ENOTSUP: the backend has no list; -EPERM.
 *
 * States: any; unchanged.
 * Threads: any.
 */
AXVCPU_API int axvcpu_reg_info(const struct axvcpu *vcpu, unsigned int n, uint64_t *id,
			       const char **name);

/**
 * Returns the size of a register.
 *
 * A KVM id contains the size of its register. Registers with an id of this library have 8 bytes.
 *
 * @param id the id.
 * @return the size in bytes, or 0 if the id has no valid size.
 *
 * Threads: any.
 */
static inline size_t axvcpu_reg_size(uint64_t id)
{
	unsigned int log2 = (unsigned int)(id >> 52 & 0xf);

	if (!(id >> 56))
		return sizeof(uint64_t);
	return log2 <= 8 ? (size_t)1 << log2 : 0;
}

/**
 * Reads a register of any size by its KVM id, such as a vector register.
 *
 * @param vcpu the vCPU.
 * @param id   a KVM id.
 * @param buf  receives the value, in the byte order of the host.
 * @param len  axvcpu_reg_size() of the id.
 * @return 0; -ENOENT: there is no such register; -EINVAL: `len` is not the size of the register;
 *         -ENOTSUP: the backend has no registers by KVM id: x86_64; -EBADFD; -EBUSY; -EPERM; errnos
 *         of the kernel.
 *
 * States: Free, Ready, Blocked; unchanged.
 * Threads: any.
 */
AXVCPU_API int axvcpu_get_reg_bytes(struct axvcpu *vcpu, uint64_t id, void *buf, size_t len);

/**
 * Writes a register of any size by its KVM id, such as a vector register.
 *
 * An I/O exit that is still open is completed first, as by axvcpu_flush().
 *
 * @param vcpu the vCPU.
 * @param id   a KVM id.
 * @param buf  the value, in the byte order of the host.
 * @param len  axvcpu_reg_size() of the id.
 * @return 0; -ENOENT: there is no such register; -EINVAL: `len` is not the size of the register, or
 *         KVM does not accept the value; -ENOTSUP: the backend has no registers by KVM id: x86_64;
 *         -EBADFD; -EBUSY; -EPERM; errnos of the kernel.
 *
 * States: Free, Ready, Blocked; unchanged.
 * Threads: any.
 */
AXVCPU_API int axvcpu_set_reg_bytes(struct axvcpu *vcpu, uint64_t id, const void *buf, size_t len);

/**
 * Lists the KVM ids of all registers that make up the state of a vCPU.
 *
 * @param vcpu  the vCPU.
 * @param ids   receives the first `count` ids; may be NULL if `count` is 0.
 * @param count number of elements of `ids`.
 * @return the number of registers, which may be more than `count`; -ENOTSUP: the backend has no
 *         list: x86_64, whose registers are in other KVM structures; -ENOMEM; -EBADFD; -EBUSY;
 *         -EPERM; errnos of the kernel.
 *
 * States: Free, Ready, Blocked; unchanged.
 * Threads: any.
 */
AXVCPU_API int axvcpu_reg_list(struct axvcpu *vcpu, uint64_t *ids, size_t count);

#ifdef __cplusplus
}
#endif

#endif
