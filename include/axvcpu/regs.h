/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/**
 * @file regs.h
 * Registers of vCPUs: general registers by number, all others by id.
 *
 * A register id has 64 bits. Ids whose top byte is zero are those of this library, and are listed
 * in this header. Ids with another top byte are KVM's (KVM_GET_ONE_REG) and are passed to the
 * kernel unchanged. On x86_64, KVM has such ids only from Linux 6.18 on; before, they fail with
 * -EINVAL.
 *
 * axvcpu_reg_size() returns the size of a register. Those of up to 8 bytes are read by
 * axvcpu_get_reg(), and those of any size by axvcpu_get_reg_bytes().
 */
#ifndef AXVCPU_REGS_H
#define AXVCPU_REGS_H

#include <stddef.h>
#include <stdint.h>

#include <axvcpu/error.h>
#include <axvcpu/init.h>

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
/**
 * Frequency in Hz of the counter that the guest reads: the TSC, CNTVCT_EL0, `time`. A write of the
 * current value succeeds. Only x86_64 can change it, on hosts with KVM_CAP_TSC_CONTROL, to a
 * multiple of 1000 (KVM_SET_TSC_KHZ); set it on each vCPU before the guest runs. Elsewhere a change
 * fails with -ENOTSUP.
 */
#define AXVCPU_REG_COUNTER_HZ 0x103u

/** General registers of x86_64 by name. The order is that of the hardware numbers. */
enum axvcpu_reg_x86_general {
	AXVCPU_REG_X86_RAX,
	AXVCPU_REG_X86_RCX,
	AXVCPU_REG_X86_RDX,
	AXVCPU_REG_X86_RBX,
	AXVCPU_REG_X86_RSP,
	AXVCPU_REG_X86_RBP,
	AXVCPU_REG_X86_RSI,
	AXVCPU_REG_X86_RDI,
	AXVCPU_REG_X86_R8,
	AXVCPU_REG_X86_R9,
	AXVCPU_REG_X86_R10,
	AXVCPU_REG_X86_R11,
	AXVCPU_REG_X86_R12,
	AXVCPU_REG_X86_R13,
	AXVCPU_REG_X86_R14,
	AXVCPU_REG_X86_R15,
	AXVCPU_REG_X86_RIP = AXVCPU_REG_PC,
	AXVCPU_REG_X86_RFLAGS = AXVCPU_REG_FLAGS,
};

/**
 * Ids of x86_64 system registers. Of a segment: its base address, its selector (without a suffix),
 * its limit in bytes, and its attributes (AXVCPU_X86_SEGMENT_* of x86_64.h). Each write of a part
 * of a segment reads and writes all system registers; axvcpu_x86_set_segment() sets a whole
 * segment.
 */
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
	AXVCPU_REG_X86_DS,
	AXVCPU_REG_X86_ES,
	AXVCPU_REG_X86_FS,
	AXVCPU_REG_X86_GS,
	AXVCPU_REG_X86_TR,
	AXVCPU_REG_X86_LDT,
	AXVCPU_REG_X86_LDT_BASE,
	AXVCPU_REG_X86_CS_LIMIT,
	AXVCPU_REG_X86_DS_LIMIT,
	AXVCPU_REG_X86_ES_LIMIT,
	AXVCPU_REG_X86_FS_LIMIT,
	AXVCPU_REG_X86_GS_LIMIT,
	AXVCPU_REG_X86_SS_LIMIT,
	AXVCPU_REG_X86_TR_LIMIT,
	AXVCPU_REG_X86_LDT_LIMIT,
	AXVCPU_REG_X86_GDT_LIMIT,
	AXVCPU_REG_X86_IDT_LIMIT,
	AXVCPU_REG_X86_CS_ATTRIBUTES,
	AXVCPU_REG_X86_DS_ATTRIBUTES,
	AXVCPU_REG_X86_ES_ATTRIBUTES,
	AXVCPU_REG_X86_FS_ATTRIBUTES,
	AXVCPU_REG_X86_GS_ATTRIBUTES,
	AXVCPU_REG_X86_SS_ATTRIBUTES,
	AXVCPU_REG_X86_TR_ATTRIBUTES,
	AXVCPU_REG_X86_LDT_ATTRIBUTES,
};

/**
 * Ids of the control registers of the x87 and SSE units, in the layout of FXSAVE. Like the vector
 * registers below, they are read and written with the whole state of the units (KVM_GET_XSAVE,
 * KVM_SET_XSAVE).
 */
enum axvcpu_reg_x86_fpu {
	/** Control word, status word. */
	AXVCPU_REG_X86_FCW = 0x280,
	AXVCPU_REG_X86_FSW,
	/** Abridged tag word: bit n is 1 if physical register n is not empty. */
	AXVCPU_REG_X86_FTW,
	/** Opcode, instruction pointer and data pointer of the latest x87 instruction. */
	AXVCPU_REG_X86_FOP,
	AXVCPU_REG_X86_FIP,
	AXVCPU_REG_X86_FDP,
	AXVCPU_REG_X86_MXCSR,
	/** The state components that the guest has enabled (KVM_GET_XCRS). */
	AXVCPU_REG_X86_XCR0,
};

/**
 * x86_64: a model-specific register by its number; -ENOENT if KVM does not store it. This is KVM's
 * value, even if accesses by the guest become exits.
 */
#define AXVCPU_REG_X86_MSR(n) ((UINT64_C(1) << 32) | (uint32_t)(n))

/** Id of this library for register `n` of a kind; its size is 2 to the power of `log2` bytes. */
#define AXVCPU_REG_SIZED(log2, kind, n) \
	(((uint64_t)(log2) << 52) | ((uint64_t)(kind) << 32) | (uint32_t)(n))
/** x86_64: a whole segment, 16 bytes: struct axvcpu_x86_segment (x86_64.h). */
#define AXVCPU_REG_X86_SEGMENT(n) AXVCPU_REG_SIZED(4, 4, n)
/**
 * x86_64: x87 register st(`n`), 0 to 7, counted from the top of the stack: 10 bytes, and 6 bytes
 * that are zero.
 */
#define AXVCPU_REG_X86_ST(n) AXVCPU_REG_SIZED(4, 5, n)
/** x86_64: vector register `n`, 0 to 15: 16 bytes. */
#define AXVCPU_REG_X86_XMM(n) AXVCPU_REG_SIZED(4, 6, n)
/**
 * x86_64: vector register `n` with the upper parts of AVX and AVX-512: 32 bytes, `n` 0 to 15, and
 * 64 bytes, `n` 0 to 31; and mask register `n`, 0 to 7, 8 bytes. -ENOENT if the host lacks them.
 */
#define AXVCPU_REG_X86_YMM(n) AXVCPU_REG_SIZED(5, 7, n)
#define AXVCPU_REG_X86_ZMM(n) AXVCPU_REG_SIZED(6, 8, n)
#define AXVCPU_REG_X86_K(n) AXVCPU_REG_SIZED(3, 9, n)

/** arm64: general register x`n`, 0 to 30. */
#define AXVCPU_REG_ARM64_X(n) AXVCPU_REG_GPR(n)
/**
 * arm64: vector register `n`, 0 to 31, 16 bytes, by its KVM id. With AXVCPU_ARM64_SVE it is the
 * lower part of the SVE register; a write keeps the upper part.
 */
#define AXVCPU_REG_ARM64_V(n) (UINT64_C(0x6040000000100054) + 4 * (uint64_t)(n))
/**
 * arm64 with AXVCPU_ARM64_SVE, by their KVM ids: vector register `n`, 0 to 31, 256 bytes; predicate
 * register `n`, 0 to 15, 32 bytes, with 16 for FFR. Bytes beyond the vector length are zero.
 */
#define AXVCPU_REG_ARM64_Z(n) (UINT64_C(0x6080000000150000) + 32 * (uint64_t)(n))
#define AXVCPU_REG_ARM64_P(n) (UINT64_C(0x6050000000150400) + 32 * (uint64_t)(n))

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

/** General registers of riscv64 by their ABI names. */
enum axvcpu_reg_riscv64_general {
	AXVCPU_REG_RISCV64_ZERO,
	AXVCPU_REG_RISCV64_RA,
	AXVCPU_REG_RISCV64_SP,
	AXVCPU_REG_RISCV64_GP,
	AXVCPU_REG_RISCV64_TP,
	AXVCPU_REG_RISCV64_T0,
	AXVCPU_REG_RISCV64_T1,
	AXVCPU_REG_RISCV64_T2,
	AXVCPU_REG_RISCV64_S0,
	AXVCPU_REG_RISCV64_S1,
	AXVCPU_REG_RISCV64_A0,
	AXVCPU_REG_RISCV64_A1,
	AXVCPU_REG_RISCV64_A2,
	AXVCPU_REG_RISCV64_A3,
	AXVCPU_REG_RISCV64_A4,
	AXVCPU_REG_RISCV64_A5,
	AXVCPU_REG_RISCV64_A6,
	AXVCPU_REG_RISCV64_A7,
	AXVCPU_REG_RISCV64_S2,
	AXVCPU_REG_RISCV64_S3,
	AXVCPU_REG_RISCV64_S4,
	AXVCPU_REG_RISCV64_S5,
	AXVCPU_REG_RISCV64_S6,
	AXVCPU_REG_RISCV64_S7,
	AXVCPU_REG_RISCV64_S8,
	AXVCPU_REG_RISCV64_S9,
	AXVCPU_REG_RISCV64_S10,
	AXVCPU_REG_RISCV64_S11,
	AXVCPU_REG_RISCV64_T3,
	AXVCPU_REG_RISCV64_T4,
	AXVCPU_REG_RISCV64_T5,
	AXVCPU_REG_RISCV64_T6,
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

/**
 * riscv64: floating-point register f`n`, 0 to 31, 8 bytes, and fcsr, 4 bytes, by their KVM ids.
 * -ENOENT if the guest has no D extension. Vector registers, whose size depends on the host, have
 * only KVM ids, which axvcpu_reg_list() returns.
 */
#define AXVCPU_REG_RISCV64_F(n) (UINT64_C(0x8030000006000000) + (uint64_t)(n))
#define AXVCPU_REG_RISCV64_FCSR UINT64_C(0x8020000006000020)

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
 *         accept the value; -ENOTSUP: the register cannot be changed here; -EBADFD; -EBUSY;
 *         -EPERM; errnos of the kernel.
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
 * These are the registers that have an AXVCPU_REG id and that every host has. They are in an order
 * that suits a dump: general registers first, and registers of more than 8 bytes last.
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
 * An id contains the size of its register. Registers with an id of this library have 8 bytes,
 * except those of AXVCPU_REG_SIZED().
 *
 * @param id the id.
 * @return the size in bytes, or 0 if the id has no valid size.
 *
 * Threads: any.
 */
static inline size_t axvcpu_reg_size(uint64_t id)
{
	unsigned int log2 = (unsigned int)(id >> 52 & 0xf);

	if (!(id >> 56) && !log2)
		return sizeof(uint64_t);
	return log2 <= 8 ? (size_t)1 << log2 : 0;
}

/**
 * Reads a register of any size, such as a vector register.
 *
 * @param vcpu the vCPU.
 * @param id   AXVCPU_REG_*, or a KVM id.
 * @param buf  receives the value, in the byte order of the host.
 * @param len  axvcpu_reg_size() of the id.
 * @return 0; -ENOENT: there is no such register; -EINVAL: `len` is not the size of the register;
 *         -ENOTSUP: the backend has no registers of more than 8 bytes and no KVM ids; -EBADFD;
 *         -EBUSY; -EPERM; errnos of the kernel.
 *
 * States: Free, Ready, Blocked; unchanged.
 * Threads: any.
 */
AXVCPU_API int axvcpu_get_reg_bytes(struct axvcpu *vcpu, uint64_t id, void *buf, size_t len);

/**
 * Writes a register of any size, such as a vector register.
 *
 * An I/O exit that is still open is completed first, as by axvcpu_flush().
 *
 * @param vcpu the vCPU.
 * @param id   AXVCPU_REG_*, or a KVM id.
 * @param buf  the value, in the byte order of the host.
 * @param len  axvcpu_reg_size() of the id.
 * @return 0; -ENOENT: there is no such register; -EINVAL: `len` is not the size of the register, or
 *         KVM does not accept the value; -ENOTSUP: the backend has no registers of more than 8
 *         bytes and no KVM ids; -EBADFD; -EBUSY; -EPERM; errnos of the kernel.
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

/** Instruction set and addressing that a CPU executes with. */
enum axvcpu_execution {
	/** x86: real mode. */
	AXVCPU_EXECUTION_REAL = 1,
	/** x86: virtual-8086 mode. */
	AXVCPU_EXECUTION_VIRTUAL_8086,
	/** x86: protected mode, without long mode. */
	AXVCPU_EXECUTION_PROTECTED,
	/** x86: compatibility mode, which is 16-bit or 32-bit code in long mode. */
	AXVCPU_EXECUTION_COMPATIBILITY,
	/** x86: 64-bit mode. */
	AXVCPU_EXECUTION_64,
	/** arm64: AArch32, AArch64. */
	AXVCPU_EXECUTION_AARCH32,
	AXVCPU_EXECUTION_AARCH64,
	/** riscv64: RV64. */
	AXVCPU_EXECUTION_RV64,
};

/** The mode of a CPU. Initialise with AXVCPU_CPU_MODE_INIT. */
struct axvcpu_cpu_mode {
	/** sizeof(struct axvcpu_cpu_mode) */
	size_t size;
	/** enum axvcpu_execution */
	uint32_t execution;
	/** Default size of operands and addresses in bits: 16, 32 or 64. */
	uint32_t bits;
	/**
	 * Privilege as the architecture numbers it. x86: CPL, 0 to 3; arm64: exception level, 0 to
	 * 2; riscv64: 0 user, 1 supervisor.
	 */
	uint32_t privilege;
	/** 1 at the privilege of applications: CPL 3, EL0, user mode; otherwise 0. */
	uint32_t user;
	/** 1 if the guest's page tables are in use: CR0.PG, SCTLR_EL1.M, satp is not Bare. */
	uint32_t paging;
	uint32_t reserved;
};
#define AXVCPU_CPU_MODE_INIT AXVCPU_INIT(struct axvcpu_cpu_mode)

/**
 * Reads the mode that a vCPU executes in.
 *
 * @param vcpu the vCPU.
 * @param mode receives the mode. The caller sets `size`; as many members as fit are written.
 * @return 0; -EINVAL: `size` is too small; -ENOTSUP; -EBADFD; -EBUSY; -EPERM; errnos of the kernel.
 *
 * States: Free, Ready, Blocked; unchanged.
 * Threads: any.
 */
AXVCPU_API int axvcpu_get_cpu_mode(struct axvcpu *vcpu, struct axvcpu_cpu_mode *mode);

#ifdef __cplusplus
}
#endif

#endif
