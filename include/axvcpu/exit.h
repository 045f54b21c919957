/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/**
 * @file exit.h
 * Why a vCPU came back to its caller (AxVCpuExitReason), and what the caller answers.
 *
 * axvcpu_run() writes one struct axvcpu_exit, and of it only `kind`, `kicked`, `answerable`,
 * `raw_reason`, `raw_code` and the union member of that kind. docs/exits.md says which
 * architecture produces which kind, and how.
 */
#ifndef AXVCPU_EXIT_H
#define AXVCPU_EXIT_H

#include <stddef.h>
#include <stdint.h>

#include <axvcpu/error.h>

#ifdef __cplusplus
extern "C" {
#endif

/** The kinds of exits. New ones are appended; numbers never change. */
enum axvcpu_exit_kind {
	/** No work: a kick, a signal to the thread, or an exit handled by the backend itself. */
	AXVCPU_EXIT_NOTHING = 0,
	/**
	 * The guest called the hypervisor: `hypercall`. Answerable by a value; by default the call does
	 * not exist: x86 -1000 (-KVM_ENOSYS); arm64 -1 (NOT_SUPPORTED of the SMCCC), which also takes a
	 * pair, for x0 and x1; riscv64 -2 (SBI_ERR_NOT_SUPPORTED), likewise, for a0 and a1: of a value
	 * alone, a1 is 0.
	 */
	AXVCPU_EXIT_HYPERCALL = 1,
	/** A load from outside of guest memory: `mmio`. Answerable by a value; all ones by default. */
	AXVCPU_EXIT_MMIO_READ = 2,
	/** A store to outside of guest memory or to read-only memory: `mmio`. */
	AXVCPU_EXIT_MMIO_WRITE = 3,
	/**
	 * A read of a system register (MSR, CSR, AArch64 register): `sysreg`. Answerable by a value or a
	 * fault; 0 by default. A register that the guest should not find wants the fault: x86 #GP,
	 * riscv64 an illegal instruction.
	 */
	AXVCPU_EXIT_SYSREG_READ = 4,
	/**
	 * A write of a system register, which has not reached the hypervisor's own: `sysreg`. Answerable
	 * by a fault, or by any value, which takes the write, as no answer does. riscv64: it also reads,
	 * and the value is what the register had before.
	 */
	AXVCPU_EXIT_SYSREG_WRITE = 5,
	/**
	 * A read from an I/O port: `io`. Answerable by a value, or by bytes if it has more than one item;
	 * all ones by default.
	 */
	AXVCPU_EXIT_IO_READ = 6,
	/** A write to an I/O port: `io`. */
	AXVCPU_EXIT_IO_WRITE = 7,
	/** A host interrupt that the HAL claimed: `external_interrupt`. */
	AXVCPU_EXIT_EXTERNAL_INTERRUPT = 8,
	/** An access that the hypervisor can neither map nor emulate: `page_fault`. */
	AXVCPU_EXIT_NESTED_PAGE_FAULT = 9,
	/** The guest waits for an interrupt (HLT) and nobody but the caller can bring one. */
	AXVCPU_EXIT_HALT = 10,
	/**
	 * The guest starts another CPU: `cpu_up`. arm64: answerable by a value (enum axvcpu_psci_result);
	 * by default a success if that CPU was started since the exit, also if it is off again, and
	 * else an internal failure. While the exit has no answer and that CPU was not started, CPU_ON
	 * of it by other CPUs is no exit: it returns AXVCPU_PSCI_ON_PENDING.
	 */
	AXVCPU_EXIT_CPU_UP = 11,
	/**
	 * The guest powers this CPU off: `cpu_down`. arm64: answerable by a value, which the guest gets if
	 * it goes on nevertheless; by default AXVCPU_PSCI_DENIED.
	 */
	AXVCPU_EXIT_CPU_DOWN = 12,
	/** The guest powers the machine off. Terminal. */
	AXVCPU_EXIT_SYSTEM_DOWN = 13,
	/** The hardware refused to enter the guest: `fail_entry`. */
	AXVCPU_EXIT_FAIL_ENTRY = 14,
	/** The guest sends an inter-processor interrupt: `ipi`. */
	AXVCPU_EXIT_SEND_IPI = 15,
	/** The guest asks for a reset of the machine. Terminal. */
	AXVCPU_EXIT_SYSTEM_RESET = 16,
	/** x86: triple fault. Terminal; the registers may be lost (on SVM they are). */
	AXVCPU_EXIT_SHUTDOWN = 17,
	/** The hypervisor gave up on this vCPU: `internal`. Terminal. */
	AXVCPU_EXIT_INTERNAL_ERROR = 18,
	/** Anything that this version has no kind for: see `raw_reason` and `raw_code`. */
	AXVCPU_EXIT_UNHANDLED = 19,
	/** The guest can take an interrupt, as axvcpu_request_irq_window() asked to be told. */
	AXVCPU_EXIT_IRQ_WINDOW = 20,
	/** A breakpoint, watchpoint or step of axvcpu_set_debug(): `debug`. */
	AXVCPU_EXIT_DEBUG = 21,
	/** x86: the guest kept interrupts out for too long (`notify_window` of the VM's config). */
	AXVCPU_EXIT_NOTIFY = 22,
	/** x86, split irqchip: the guest ended a level-triggered interrupt of a route: `eoi`. */
	AXVCPU_EXIT_EOI = 23,
};

/** In `page_fault.access`: what the guest tried. */
#define AXVCPU_ACCESS_READ (1u << 0)
#define AXVCPU_ACCESS_WRITE (1u << 1)
#define AXVCPU_ACCESS_EXEC (1u << 2)

/** Port I/O. x86 only. */
struct axvcpu_exit_io {
	/** Value written, zero-extended, of the first item; 0 for a read. */
	uint64_t data;
	/**
	 * All items, `width * count` bytes, in the order in which the guest transfers them: backwards
	 * in its memory if it runs backwards (DF). Lent by the library until the next call on this
	 * vCPU. See axvcpu_io_item(). A long string comes in several exits, none of which is lost.
	 */
	void *buf;
	/** 1 if the guest writes, 0 if it reads. */
	uint8_t is_write;
	/** Bytes of an item: 1, 2 or 4. */
	uint8_t width;
	uint16_t port;
	/** Items: 1 but for string instructions (REP INS, REP OUTS). */
	uint32_t count;
};

/** Memory-mapped I/O. */
struct axvcpu_exit_mmio {
	/** Guest-physical address. */
	uint64_t addr;
	/** Value written, zero-extended, little-endian as on the bus; 0 for a read. */
	uint64_t data;
	/** Bytes, 1 to 8. x86 cuts accesses that straddle a page into pieces of any length. */
	uint8_t width;
	/** Whether `reg`, `reg_width` and `signed_ext` are known. KVM decodes for us: 0. */
	uint8_t reg_known;
	/** Destination register of a read, hardware number. */
	uint8_t reg;
	/** Width of that register in bytes. */
	uint8_t reg_width;
	/** Whether the value is to be sign-extended into that register. */
	uint8_t signed_ext;
	uint8_t reserved[3];
};

/** A system register access. */
struct axvcpu_exit_sysreg {
	/** MSR or CSR number; AArch64: op0, op1, CRn, CRm, op2 as in ESR_EL2.ISS. */
	uint64_t addr;
	/** Value written; 0 for a read. */
	uint64_t value;
	/** Bits of the register that a write changes (riscv64); all ones elsewhere. */
	uint64_t write_mask;
	uint8_t reg_known;
	uint8_t reg;
	uint8_t reserved[6];
};

/**
 * A hypercall.
 *
 * x86 has three kinds, by AXVM_FORWARD_*. Of HYPERCALLS, the arguments are rdi, rsi, rdx, r10, r8, r9
 * in 64-bit code (the doorbell has rcx in place of r10), else ebx, ecx, edx, esi, edi, ebp, and `raw_code` is the privilege level of the
 * caller: calls from user code (3) come, too. Of MAP_GPA_RANGE, they are address, pages, attributes.
 * Of DOORBELL, see there.
 *
 * arm64: `nr` is w0, the arguments x1 to x6. Of `raw_code`, bit 0 says that it was SMC and not HVC, bit
 * 1 that the instruction had 16 bits. KVM hands out the number alone, so an argument costs a system
 * call, and so does a word of the result: eight for the whole call, KVM_RUN among them.
 *
 * riscv64: SBI. `nr` is a7, the extension; `raw_code` a6, the function; the arguments a0 to a5. A call to
 * BASE that asks for one of the forwarded extensions (`nr` 0x10, `raw_code` 3) is forwarded, too.
 */
struct axvcpu_exit_hypercall {
	uint64_t nr;
	uint64_t args[6];
};

/**
 * What a nested page fault was about. riscv64: KVM says only that it cannot go on, EIO for an access that
 * is misaligned and EOPNOTSUPP for an instruction or code that it cannot read; the rest is from the
 * guest's instruction and page tables, by two or three more system calls.
 */
struct axvcpu_exit_page_fault {
	/** Guest-physical address. */
	uint64_t addr;
	/** Bytes, 0 if unknown. */
	uint64_t size;
	/** AXVCPU_ACCESS_*; 0 if unknown. */
	uint32_t access;
	/** The errno that the hypervisor's run call ended with, positive; 0 if none. */
	uint32_t error;
};

/** `cpu_up.target_cpu` of a broadcast. */
#define AXVCPU_ALL_OTHERS UINT64_MAX

/** A CPU to be started. */
struct axvcpu_exit_cpu_up {
	/** APIC id, MPIDR affinity or hart id. AXVCPU_ALL_OTHERS: all but the sender. */
	uint64_t target_cpu;
	/** Guest-physical address of its first instruction. */
	uint64_t entry_point;
	/** Its first argument; unused on x86. */
	uint64_t arg;
};

/** An inter-processor interrupt. x86: `raw_code` is the command as the x2APIC has it. */
struct axvcpu_exit_ipi {
	/** APIC id, or logical destination; MPIDR affinity of the cluster; hart id. */
	uint64_t target_cpu;
	/** arm64: mask of Aff0 values within `target_cpu`. */
	uint64_t target_cpu_aux;
	uint64_t vector;
	/** To all but the sender; `target_cpu` is meaningless then. */
	uint8_t send_to_all;
	/** To the sender; `target_cpu` is meaningless then. Both: to all and the sender. */
	uint8_t send_to_self;
	/**
	 * x86: 0 fixed, 1 lowest priority, 2 SMI, 4 NMI, 5 INIT. 6, SIPI, is CPU_UP, unless it is to a
	 * logical destination or to the sender.
	 */
	uint8_t delivery_mode;
	/** x86: `target_cpu` is a logical destination, not an APIC id. */
	uint8_t logical;
	/** Level asserted; 0 only in the INIT de-assert of old CPUs, which means nothing. */
	uint8_t level;
	uint8_t reserved[3];
};

/** Why a hypervisor gave up on a vCPU. */
enum axvcpu_internal_error {
	/** This version does not know the hypervisor's number: `suberror`. */
	AXVCPU_INTERNAL_UNKNOWN = 0,
	/** It had to emulate an instruction and could not: `insn`. The program counter is at it. */
	AXVCPU_INTERNAL_EMULATION = 1,
	/** Exceptions were met one upon another. */
	AXVCPU_INTERNAL_SIMUL_EX = 2,
	/** The hardware failed to deliver an interrupt or exception, for a reason not emulated. */
	AXVCPU_INTERNAL_DELIVERY_EV = 3,
	/** The hardware left the guest for a reason that the hypervisor does not know. */
	AXVCPU_INTERNAL_UNEXPECTED_EXIT_REASON = 4,
};

/** What the hypervisor says of its own failure. */
struct axvcpu_exit_internal {
	/** The hypervisor's number of the failure. */
	uint32_t suberror;
	/** Valid words of `data`, 0 to 16. */
	uint32_t ndata;
	uint64_t data[16];
	/** enum axvcpu_internal_error */
	uint32_t error;
	/** Valid bytes of `insn`; 0: the hypervisor did not say, or could not read them. */
	uint32_t ninsn;
	/** With AXVCPU_INTERNAL_EMULATION: code from the instruction on, which may have fewer bytes. */
	uint8_t insn[16];
};

/** What a debugged guest has met. */
enum axvcpu_debug_reason {
	AXVCPU_DEBUGGED_STEP = 1,
	/** A hardware breakpoint or watchpoint: `point`. */
	AXVCPU_DEBUGGED_POINT = 2,
	/** The guest's breakpoint instruction, which has not retired. */
	AXVCPU_DEBUGGED_SOFTWARE = 3,
};

/**
 * Why a debugged guest stopped. x86: `raw_code` is the exception, 1 (#DB) or 3 (#BP); arm64: the
 * exception class in ESR_EL2. There, as on riscv64, `pc` costs a second system call.
 */
struct axvcpu_exit_debug {
	/** Program counter; x86: as a linear address, which in 64-bit code is rip. */
	uint64_t pc;
	/** enum axvcpu_debug_reason. A point that is met by a step is a point. */
	uint32_t reason;
	/** Index of the point, the first if several were met. */
	uint32_t point;
	/** What the hardware says: DR6, ESR_EL2; 0 for a breakpoint instruction of x86 and on riscv64. */
	uint64_t raw;
};

/** One exit. 256 bytes, for ever. */
struct axvcpu_exit {
	/** enum axvcpu_exit_kind */
	uint32_t kind;
	/** 1 if this return answers at least one axvcpu_kick(). Goes with any kind. */
	uint8_t kicked;
	/** 1 if axvcpu_complete() may be called; if it is not, the documented default holds. */
	uint8_t answerable;
	uint8_t reserved[2];
	/** The hypervisor's own number of the reason: KVM_EXIT_* of the KVM backends. */
	uint64_t raw_reason;
	/** And of its sub-code, where there is one; 0 where not. */
	uint64_t raw_code;
	union {
		struct axvcpu_exit_io io;
		struct axvcpu_exit_mmio mmio;
		struct axvcpu_exit_sysreg sysreg;
		struct axvcpu_exit_hypercall hypercall;
		struct axvcpu_exit_page_fault page_fault;
		struct axvcpu_exit_cpu_up cpu_up;
		struct axvcpu_exit_ipi ipi;
		struct axvcpu_exit_internal internal;
		struct axvcpu_exit_debug debug;
		struct {
			uint64_t vector;
		} external_interrupt;
		struct {
			uint64_t vector;
		} eoi;
		struct {
			uint64_t state;
		} cpu_down;
		struct {
			uint64_t reason;
			uint64_t cpu;
		} fail_entry;
		uint64_t pad[29];
	} u;
};

/**
 * Item `i` of a port I/O exit, `width` bytes, in the buffer that is lent with it; NULL past the last.
 *
 * For writes, what the guest sends. For reads, what it gets: what is put there is the answer, and
 * axvcpu_complete_bytes() with bytes from elsewhere another way to give it. Until then all ones.
 *
 * Threads: the owner, until the next call on the vCPU.
 */
static inline void *axvcpu_io_item(const struct axvcpu_exit_io *io, uint32_t i)
{
	return i < io->count ? (unsigned char *)io->buf + (size_t)i * io->width : NULL;
}

/** The value of an item, zero-extended; all ones past the last: axvcpu_io_item(). */
static inline uint64_t axvcpu_io_get(const struct axvcpu_exit_io *io, uint32_t i)
{
	const unsigned char *item = (const unsigned char *)axvcpu_io_item(io, i);
	uint64_t value = 0;
	unsigned int n;

	if (!item)
		return UINT64_MAX;
	for (n = io->width; n > 0; n--)
		value = value << 8 | item[n - 1];
	return value;
}

/**
 * Gives an item of a read its value, of which it takes the low `width` bytes: axvcpu_io_item().
 *
 * @return 0; -1: `i` is past the last, and nothing has happened.
 */
static inline int axvcpu_io_put(const struct axvcpu_exit_io *io, uint32_t i, uint64_t value)
{
	unsigned char *item = (unsigned char *)axvcpu_io_item(io, i);
	unsigned int n;

	if (!item)
		return -1;
	for (n = 0; n < io->width; n++)
		item[n] = (unsigned char)(value >> 8 * n);
	return 0;
}

/** What an answer consists of. */
enum axvcpu_answer_kind {
	/** One value. For a read: its low `width` bytes. For a hypercall: its result. */
	AXVCPU_ANSWER_VALUE = 1,
	/** Two words (SBI: error and value). */
	AXVCPU_ANSWER_PAIR = 2,
	/** The access faults (x86 MSR: #GP). */
	AXVCPU_ANSWER_FAULT = 3,
	/** `len` bytes, for a string read: exactly `width * count` of them. */
	AXVCPU_ANSWER_BYTES = 4,
};

/** The caller's answer to an answerable exit. 32 bytes, for ever. */
struct axvcpu_answer {
	/** enum axvcpu_answer_kind */
	uint32_t kind;
	uint32_t reserved;
	union {
		uint64_t value;
		uint64_t pair[2];
		struct {
			const void *ptr;
			size_t len;
		} bytes;
		uint64_t pad[3];
	} u;
};

#ifdef __cplusplus
static_assert(sizeof(struct axvcpu_exit) == 256, "struct axvcpu_exit is part of the ABI");
static_assert(sizeof(struct axvcpu_answer) == 32, "struct axvcpu_answer is part of the ABI");
#else
_Static_assert(sizeof(struct axvcpu_exit) == 256, "struct axvcpu_exit is part of the ABI");
_Static_assert(sizeof(struct axvcpu_answer) == 32, "struct axvcpu_answer is part of the ABI");
#endif

/**
 * The name of an exit kind: "IO_WRITE" and so on, "?" for a number that is none.
 * A constant string; any thread; async-signal-safe.
 */
AXVCPU_API const char *axvcpu_exit_name(uint32_t kind);

/**
 * The name of an enum axvcpu_internal_error: "EMULATION" and so on, "UNKNOWN" for any other number.
 * A constant string; any thread; async-signal-safe.
 */
AXVCPU_API const char *axvcpu_internal_error_name(uint32_t error);

/**
 * Describes an exit in one line without a newline: its kind and all fields of that kind.
 *
 * @param exit the exit.
 * @param buf  where the text goes; always terminated if `len` is not 0. NULL: nowhere.
 * @param len  bytes of `buf`. 512 hold any description.
 * @return characters that the whole text has, as snprintf().
 *
 * Threads: any.
 */
AXVCPU_API int axvcpu_exit_describe(const struct axvcpu_exit *exit, char *buf, size_t len);

#ifdef __cplusplus
}
#endif

#endif
