/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/**
 * @file exit.h
 * Exits: why a vCPU returned to its caller, and answers (AxVCpuExitReason).
 *
 * axvcpu_dispatch() (device.h) lets a device answer. Otherwise axvcpu_complete_value() answers a read
 * of any kind: MMIO, port or system register. axvcpu_io_put() is for string instructions, which read
 * several items in one exit.
 *
 * axvcpu_run() fills in a struct axvcpu_exit. It writes only `kind`, `kicked`, `answerable`,
 * `raw_reason`, `raw_code` and the union member of the kind. docs/exits.md lists which architecture
 * produces which kind, and how.
 */
#ifndef AXVCPU_EXIT_H
#define AXVCPU_EXIT_H

#include <stddef.h>
#include <stdint.h>

#include <axvcpu/error.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Kinds of exits. New kinds are appended; numbers never change.
 *
 * A member in parentheses has the details: it belongs to `u` of struct axvcpu_exit.
 */
enum axvcpu_exit_kind {
	/**
	 * Nothing to handle: a kick, a request (request.h), a signal to the thread, or an exit that
	 * the backend has handled. Run the vCPU again.
	 */
	AXVCPU_EXIT_NOTHING = 0,
	/**
	 * The guest has called the hypervisor (`u.hypercall`). It takes a value as an answer. By
	 * default the call does not exist: x86 -1000 (-KVM_ENOSYS); arm64 -1 (NOT_SUPPORTED of the
	 * SMCCC); riscv64 -2 (SBI_ERR_NOT_SUPPORTED). arm64 and riscv64 also take a pair, for x0
	 * and x1 or a0 and a1. With a single value, a1 is 0.
	 */
	AXVCPU_EXIT_HYPERCALL = 1,
	/**
	 * A load from an address that is not guest memory (`u.mmio`). It takes a value as an
	 * answer; the default is all ones.
	 */
	AXVCPU_EXIT_MMIO_READ = 2,
	/** A store to an address that is not guest memory, or to read-only memory (`u.mmio`). */
	AXVCPU_EXIT_MMIO_WRITE = 3,
	/**
	 * A read of a system register: MSR, CSR, AArch64 register (`u.sysreg`). It takes a value
	 * or a fault as an answer; the default is 0. To make a register appear absent, answer with
	 * a fault: x86 #GP, riscv64 an illegal instruction exception.
	 */
	AXVCPU_EXIT_SYSREG_READ = 4,
	/**
	 * A write of a system register (`u.sysreg`). The hypervisor has not performed it. It takes
	 * a fault as an answer, or any value, which accepts the write; the default accepts it. On
	 * riscv64 the instruction also reads, and the value is the previous value of the register.
	 */
	AXVCPU_EXIT_SYSREG_WRITE = 5,
	/**
	 * A read from an I/O port (`u.io`). It takes a value as an answer, or bytes if it has
	 * several items; the default is all ones.
	 */
	AXVCPU_EXIT_IO_READ = 6,
	/** A write to an I/O port (`u.io`). */
	AXVCPU_EXIT_IO_WRITE = 7,
	/** A host interrupt that the HAL has claimed (`u.external_interrupt`). */
	AXVCPU_EXIT_EXTERNAL_INTERRUPT = 8,
	/** An access that the hypervisor can neither map nor emulate (`u.page_fault`). */
	AXVCPU_EXIT_NESTED_PAGE_FAULT = 9,
	/**
	 * x86 with AXVM_IRQCHIP_NONE: the guest waits for an interrupt (HLT), which only the caller
	 * can inject. In all other VMs KVM handles the wait, inside axvcpu_run().
	 */
	AXVCPU_EXIT_HALT = 10,
	/**
	 * The guest starts another CPU (`u.cpu_up`). arm64: it takes a value as an answer, of enum
	 * axvcpu_psci_result. The default is success if that CPU was started since the exit, even
	 * if it is off again; otherwise an internal failure. Until the exit is answered or the CPU
	 * is started, CPU_ON of that CPU by other CPUs returns AXVCPU_PSCI_ON_PENDING without an
	 * exit.
	 */
	AXVCPU_EXIT_CPU_UP = 11,
	/**
	 * The guest powers this CPU off (`u.cpu_down`). arm64: it takes a value as an answer, which
	 * the guest receives if the vCPU continues to run; the default is AXVCPU_PSCI_DENIED.
	 */
	AXVCPU_EXIT_CPU_DOWN = 12,
	/** The guest powers the machine off. Terminal. */
	AXVCPU_EXIT_SYSTEM_DOWN = 13,
	/**
	 * The hardware has refused to enter the guest (`u.fail_entry`). Not terminal: the caller
	 * can correct the registers and run again.
	 */
	AXVCPU_EXIT_FAIL_ENTRY = 14,
	/** The guest sends an inter-processor interrupt (`u.ipi`). */
	AXVCPU_EXIT_SEND_IPI = 15,
	/** The guest requests a reset of the machine. Terminal. */
	AXVCPU_EXIT_SYSTEM_RESET = 16,
	/** x86: triple fault. Terminal. The registers may be lost; with SVM they are. */
	AXVCPU_EXIT_SHUTDOWN = 17,
	/** The hypervisor cannot continue this vCPU (`u.internal`). Terminal. */
	AXVCPU_EXIT_INTERNAL_ERROR = 18,
	/**
	 * An exit for which this version has no kind: see `raw_reason` and `raw_code`. This
	 * includes KVM_EXIT_SYSTEM_EVENT for events without a kind; `raw_code` is the type.
	 */
	AXVCPU_EXIT_UNHANDLED = 19,
	/** The guest can take an interrupt, after axvcpu_request_irq_window(). */
	AXVCPU_EXIT_IRQ_WINDOW = 20,
	/** A breakpoint, watchpoint or step of axvcpu_set_debug() (`u.debug`). */
	AXVCPU_EXIT_DEBUG = 21,
	/**
	 * x86: the guest has blocked interrupts for longer than `notify_window` of struct
	 * axvm_config. If bit 0 of `raw_code` (KVM_NOTIFY_CONTEXT_INVALID) is set, the state of the
	 * vCPU is corrupt: do not run it again.
	 */
	AXVCPU_EXIT_NOTIFY = 22,
	/**
	 * x86, split irqchip: the guest has ended a level-triggered interrupt of a route (`u.eoi`).
	 */
	AXVCPU_EXIT_EOI = 23,
	/** The deadline of axvcpu_run_until() or the time of axvcpu_run_for() has passed. */
	AXVCPU_EXIT_DEADLINE = 24,
	/**
	 * arm64 with AXVM_FORWARD_SUSPEND: the guest suspends the machine (`u.suspend`). It takes a
	 * value as an answer, of enum axvcpu_psci_result, which the guest receives if it continues;
	 * the default is AXVCPU_PSCI_DENIED. To honour the request, keep the vCPU out of the guest
	 * until it shall wake, then call axvcpu_reset() with `entry_point` and `arg`.
	 */
	AXVCPU_EXIT_SYSTEM_SUSPEND = 25,
	/**
	 * The guest reports that it has crashed (`u.crash`). Not terminal: the guest continues, for
	 * example to reset the machine.
	 */
	AXVCPU_EXIT_SYSTEM_CRASH = 26,
	/**
	 * arm64: an event has woken a vCPU whose MP state the caller has set to
	 * KVM_MP_STATE_SUSPENDED.
	 */
	AXVCPU_EXIT_SYSTEM_WAKEUP = 27,
};

/** Kinds of accesses. */
#define AXVCPU_ACCESS_READ (1u << 0)
#define AXVCPU_ACCESS_WRITE (1u << 1)
#define AXVCPU_ACCESS_EXEC (1u << 2)

/** Port I/O. x86 only. */
struct axvcpu_exit_io {
	/** Value of the first item of a write, zero-extended; 0 for a read. */
	uint64_t data;
	/**
	 * All items: `width * count` bytes, in the order in which the guest transfers them, which
	 * is backwards in its memory if DF is set. The buffer is valid until the next call on this
	 * vCPU. See axvcpu_io_item(). A long string instruction causes several exits; no item is
	 * lost.
	 */
	void *buf;
	/** 1: the guest writes; 0: it reads. */
	uint8_t is_write;
	/** Size of an item in bytes: 1, 2 or 4. */
	uint8_t width;
	/** Number of the port. */
	uint16_t port;
	/** Number of items: 1, except for string instructions (REP INS, REP OUTS). */
	uint32_t count;
};

/** Memory-mapped I/O. */
struct axvcpu_exit_mmio {
	/** Guest-physical address. */
	uint64_t addr;
	/** Value written, zero-extended, little-endian as on the bus; 0 for a read. */
	uint64_t data;
	/**
	 * Number of bytes, 1 to 8. On x86 an access across a page boundary arrives in pieces of any
	 * size.
	 */
	uint8_t width;
	/**
	 * 1 if `reg`, `reg_width` and `signed_ext` are valid. 0 with the KVM backends: KVM decodes
	 * the instruction.
	 */
	uint8_t reg_known;
	/** Destination register of a read, by hardware number. */
	uint8_t reg;
	/** Width of that register in bytes. */
	uint8_t reg_width;
	/** 1 if the value is sign-extended into that register. */
	uint8_t signed_ext;
	uint8_t reserved[3];
};

/** A system register access. x86: `raw_code` is KVM's reason, KVM_MSR_EXIT_REASON_*. */
struct axvcpu_exit_sysreg {
	/** MSR or CSR number. AArch64: op0, op1, CRn, CRm, op2 as in ESR_EL2.ISS. */
	uint64_t addr;
	/** Value written; 0 for a read. */
	uint64_t value;
	/** Bits of the register that a write changes (riscv64); otherwise all ones. */
	uint64_t write_mask;
	/** 1 if `reg` is valid. 0 with the KVM backends. */
	uint8_t reg_known;
	/** General-purpose register of the access, by hardware number. */
	uint8_t reg;
	uint8_t reserved[6];
};

/**
 * A hypercall.
 *
 * x86: AXVM_FORWARD_* selects among three sources. With AXVM_FORWARD_HYPERCALLS the arguments are
 * rdi, rsi, rdx, r10, r8, r9 in 64-bit code, otherwise ebx, ecx, edx, esi, edi, ebp. `raw_code` is
 * the privilege level of the caller; calls from user code (3) are included. With
 * AXVM_FORWARD_DOORBELL rcx replaces r10. With AXVM_FORWARD_MAP_GPA_RANGE the arguments are
 * address, number of pages, attributes.
 *
 * arm64: `nr` is w0, the arguments are x1 to x6. In `raw_code`, bit 0 is set for SMC and clear for
 * HVC; bit 1 is set for a 16-bit instruction. KVM reports only the number, so each argument and
 * each word of the result takes a system call: eight for the whole call, including KVM_RUN.
 *
 * riscv64: SBI calls. `nr` is a7, the extension; `raw_code` is a6, the function; the arguments are
 * a0 to a5. A call of the BASE extension (`nr` 0x10, `raw_code` 3) that probes a forwarded
 * extension is forwarded too.
 */
struct axvcpu_exit_hypercall {
	/** Number of the call. */
	uint64_t nr;
	/** Its arguments. */
	uint64_t args[6];
};

/**
 * A nested page fault.
 *
 * riscv64: KVM reports only an errno: EIO for a misaligned access, EOPNOTSUPP for an instruction
 * that it cannot emulate or code that it cannot read. The library derives the other members from
 * the guest's instruction and page tables, by two or three more system calls.
 */
struct axvcpu_exit_page_fault {
	/** Guest-physical address. */
	uint64_t addr;
	/** Number of bytes; 0 if unknown. */
	uint64_t size;
	/** AXVCPU_ACCESS_*; 0 if unknown. */
	uint32_t access;
	/** The errno of the hypervisor's run call, positive; 0 if none. */
	uint32_t error;
};

/** In `target_cpu`: all CPUs except the sender. */
#define AXVCPU_ALL_OTHERS UINT64_MAX

/** A request to suspend the machine. Each member takes a system call. */
struct axvcpu_exit_suspend {
	/** Guest-physical address at which the guest wants to wake. */
	uint64_t entry_point;
	/** Argument for that code, in x0. */
	uint64_t arg;
};

/**
 * A crash report of the guest. x86: of a guest of Hyper-V; its parameters are the MSRs 0x40000100 to
 * 0x40000104.
 */
struct axvcpu_exit_crash {
	/** Number of valid words in `data`, 0 to 16. KVMs before Linux 5.19 report none. */
	uint32_t ndata;
	uint32_t reserved;
	/** Details from the hypervisor. */
	uint64_t data[16];
};

/** A request to start a CPU. */
struct axvcpu_exit_cpu_up {
	/** APIC id, MPIDR affinity or hart id; AXVCPU_ALL_OTHERS: all CPUs except the sender. */
	uint64_t target_cpu;
	/** Guest-physical address of the first instruction. */
	uint64_t entry_point;
	/** First argument; unused on x86. */
	uint64_t arg;
};

/** An inter-processor interrupt. x86: `raw_code` is the ICR in the format of the x2APIC. */
struct axvcpu_exit_ipi {
	/**
	 * x86: APIC id or logical destination; arm64: MPIDR affinity of the cluster; riscv64: hart
	 * id.
	 */
	uint64_t target_cpu;
	/** arm64: mask of Aff0 values within `target_cpu`. */
	uint64_t target_cpu_aux;
	/** Interrupt vector. */
	uint64_t vector;
	/** 1: to all CPUs except the sender; `target_cpu` is not valid. */
	uint8_t send_to_all;
	/**
	 * 1: to the sender; `target_cpu` is not valid. With `send_to_all`: to all CPUs including
	 * the sender.
	 */
	uint8_t send_to_self;
	/**
	 * x86: 0 fixed, 1 lowest priority, 2 SMI, 4 NMI, 5 INIT. SIPI (6) is a CPU_UP exit, unless
	 * it goes to a logical destination or to the sender.
	 */
	uint8_t delivery_mode;
	/** x86: 1 if `target_cpu` is a logical destination. */
	uint8_t logical;
	/** 1: asserted. 0 only for the INIT de-assert of old CPUs, which has no effect. */
	uint8_t level;
	uint8_t reserved[3];
};

/** Causes of an INTERNAL_ERROR exit. */
enum axvcpu_internal_error {
	/** This version does not know the hypervisor's number: see `suberror`. */
	AXVCPU_INTERNAL_UNKNOWN = 0,
	/**
	 * The hypervisor could not emulate an instruction: `insn`. The program counter is at the
	 * instruction.
	 */
	AXVCPU_INTERNAL_EMULATION = 1,
	/** Several exceptions at the same time. */
	AXVCPU_INTERNAL_SIMUL_EX = 2,
	/**
	 * The hardware failed to deliver an interrupt or exception, for a reason that KVM does not
	 * emulate.
	 */
	AXVCPU_INTERNAL_DELIVERY_EV = 3,
	/** The hardware left the guest for a reason that KVM does not know. */
	AXVCPU_INTERNAL_UNEXPECTED_EXIT_REASON = 4,
};

/** An internal error of the hypervisor. */
struct axvcpu_exit_internal {
	/** The hypervisor's number of the error. */
	uint32_t suberror;
	/** Number of valid words in `data`, 0 to 16. */
	uint32_t ndata;
	/** Details from the hypervisor; their meaning depends on `suberror`. */
	uint64_t data[16];
	/** enum axvcpu_internal_error */
	uint32_t error;
	/** Number of valid bytes in `insn`; 0 if the hypervisor reported none. */
	uint32_t ninsn;
	/**
	 * With AXVCPU_INTERNAL_EMULATION: bytes of code at the instruction, which may be shorter.
	 */
	uint8_t insn[16];
};

/** Causes of a DEBUG exit. */
enum axvcpu_debug_reason {
	/** A single step. */
	AXVCPU_DEBUGGED_STEP = 1,
	/** A hardware breakpoint or watchpoint: `point`. */
	AXVCPU_DEBUGGED_POINT = 2,
	/** The breakpoint instruction, which has not been executed. */
	AXVCPU_DEBUGGED_SOFTWARE = 3,
};

/**
 * A debug event.
 *
 * x86: `raw_code` is the exception, 1 (#DB) or 3 (#BP). arm64: it is the exception class of
 * ESR_EL2. On arm64 and riscv64, `pc` takes a second system call.
 */
struct axvcpu_exit_debug {
	/** Program counter. x86: as a linear address, which in 64-bit code is rip. */
	uint64_t pc;
	/** enum axvcpu_debug_reason. A point that is reached by a step is a POINT. */
	uint32_t reason;
	/** Index of the point; the first one if there are several. */
	uint32_t point;
	/** DR6, ESR_EL2; 0 for a breakpoint instruction of x86, and on riscv64. */
	uint64_t raw;
};

/**
 * One exit, from axvcpu_run(). Its size, 256 bytes, never changes.
 *
 * Source: AxVCpuExitReason
 */
struct axvcpu_exit {
	/** enum axvcpu_exit_kind */
	uint32_t kind;
	/**
	 * 1 if this return answers at least one axvcpu_kick(). Possible with any kind, which must
	 * then be handled as usual.
	 */
	uint8_t kicked;
	/**
	 * 1 if the exit takes an answer by axvcpu_complete(). Without one, the default of the kind
	 * applies.
	 */
	uint8_t answerable;
	uint8_t reserved[2];
	/** The hypervisor's number of the exit reason: KVM_EXIT_* with the KVM backends. */
	uint64_t raw_reason;
	/** Its sub-code; 0 if there is none. */
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
		struct axvcpu_exit_suspend suspend;
		struct axvcpu_exit_crash crash;
		struct {
			/** Number of the host interrupt, from irq_fetch of struct axvcpu_hal. */
			uint64_t vector;
		} external_interrupt;
		struct {
			/** Vector of the interrupt that has ended. */
			uint64_t vector;
		} eoi;
		struct {
			/** Requested power state; 0. */
			uint64_t state;
		} cpu_down;
		struct {
			/** The hardware's reason, or the errno of the hypervisor's run call, positive. */
			uint64_t reason;
			/** Number of the host CPU, if the hypervisor reports it. */
			uint64_t cpu;
		} fail_entry;
		uint64_t pad[29];
	} u;
};

/**
 * Returns a pointer to an item of a port I/O exit, in the buffer of the exit.
 *
 * An item of a write has the value that the guest sends. An item of a read is the value that the
 * guest will receive: it is all ones until the caller stores another one. A read of one item is
 * best answered by axvcpu_complete_value(), as an MMIO read is.
 *
 * @param io `u.io` of the exit.
 * @param i  index of the item, from 0.
 * @return the item, of `width` bytes, or NULL if `i` is past the last item.
 *
 * Threads: the owner, until the next call on the vCPU.
 */
static inline void *axvcpu_io_item(const struct axvcpu_exit_io *io, uint32_t i)
{
	return i < io->count ? (unsigned char *)io->buf + (size_t)i * io->width : NULL;
}

/**
 * Returns the value of an item of a port I/O exit.
 *
 * @param io `u.io` of the exit.
 * @param i  index of the item, from 0.
 * @return the value, zero-extended, or all ones if `i` is past the last item.
 *
 * Threads: the owner, until the next call on the vCPU.
 */
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
 * Sets the value of an item of a port I/O read.
 *
 * @param io    `u.io` of the exit.
 * @param i     index of the item, from 0.
 * @param value the value, of which the low `width` bytes are used.
 * @return 0: set; -1: `i` is past the last item, and nothing was changed.
 *
 * Threads: the owner, until the next call on the vCPU.
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

/** Kinds of answers. */
enum axvcpu_answer_kind {
	/** One value. For a read: its low `width` bytes. For a hypercall: the result. */
	AXVCPU_ANSWER_VALUE = 1,
	/** Two words (SBI: error and value). */
	AXVCPU_ANSWER_PAIR = 2,
	/** The access raises an exception (x86 MSR: #GP). */
	AXVCPU_ANSWER_FAULT = 3,
	/** `len` bytes for a read from an I/O port: exactly `width * count`. */
	AXVCPU_ANSWER_BYTES = 4,
};

/** An answer to an exit, for axvcpu_complete(). Its size, 32 bytes, never changes. */
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
 * Returns the name of an exit kind.
 *
 * @param kind an enum axvcpu_exit_kind.
 * @return a constant string: "IO_WRITE" and so on, "?" for any other number.
 *
 * Threads: any, and signal handlers.
 */
AXVCPU_API const char *axvcpu_exit_name(uint32_t kind);

/**
 * Returns the name of an enum axvcpu_internal_error.
 *
 * @param error the number.
 * @return a constant string: "EMULATION" and so on, "UNKNOWN" for any other number.
 *
 * Threads: any, and signal handlers.
 */
AXVCPU_API const char *axvcpu_internal_error_name(uint32_t error);

/**
 * Describes an exit in one line of text: its kind and all members of that kind.
 *
 * @param exit the exit.
 * @param buf  receives the text without a newline, terminated if `len` is not 0. NULL: no text.
 * @param len  size of `buf` in bytes. 512 is enough for any description.
 * @return the length of the whole text, as snprintf().
 *
 * Threads: any.
 */
AXVCPU_API int axvcpu_exit_describe(const struct axvcpu_exit *exit, char *buf, size_t len);

#ifdef __cplusplus
}
#endif

#endif
