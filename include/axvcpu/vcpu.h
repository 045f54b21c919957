/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/**
 * @file vcpu.h
 * A virtual CPU (AxVCpu): its life, its run loop, its helpers.
 *
 *     Created --setup--> Free --bind--> Ready --run--> Running --exit--> Ready --unbind--> Free
 *     Ready --block--> Blocked --wake--> Ready
 *
 * A vCPU belongs to the thread that bound it. Other threads may read its state and id, kick and
 * wake it, at any time; nothing else while the owner is in the guest (-EBUSY). What takes but a
 * moment, as reading a register, waits for what others do that takes but a moment.
 *
 * A call in a state in which it is not allowed is -EBADFD and changes nothing; a call that fails
 * leaves the state it found, and can be tried again. With AXVCPU_F_STRICT the axvcpu crate's rule
 * holds: a call in a wrong state also moves the vCPU to Invalid.
 */
#ifndef AXVCPU_VCPU_H
#define AXVCPU_VCPU_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <axvcpu/error.h>
#include <axvcpu/exit.h>
#include <axvcpu/init.h>

#ifdef __cplusplus
extern "C" {
#endif

struct axvm;
struct axvcpu;

/** VCpuState, with the crate's numbers. */
enum axvcpu_state {
	/** A change was half done and could not be rolled back. */
	AXVCPU_INVALID = 0,
	/** Exists, is not set up. */
	AXVCPU_CREATED = 1,
	/** Set up, belongs to no thread. */
	AXVCPU_FREE = 2,
	/** Bound to a thread, may run. */
	AXVCPU_READY = 3,
	/** In the guest. */
	AXVCPU_RUNNING = 4,
	/** Bound, and waits for an event. */
	AXVCPU_BLOCKED = 5,
};

/** A call in a wrong state also moves the vCPU to Invalid, as in the axvcpu crate. */
#define AXVCPU_F_STRICT (1u << 0)
/** `favor_cpu` is valid. */
#define AXVCPU_F_FAVOR_CPU (1u << 1)
/** Waits for axvcpu_start() before it executes: power.h. */
#define AXVCPU_F_START_OFF (1u << 2)

/** What a vCPU is to be (`new`). Initialise with AXVCPU_CONFIG_INIT. */
struct axvcpu_config {
	/** sizeof(struct axvcpu_config) */
	size_t size;
	/** Number within the VM, from 0; the first is the boot processor. */
	uint32_t id;
	/** AXVCPU_F_* */
	uint32_t flags;
	/** With AXVCPU_F_FAVOR_CPU: the host CPU to run on, if `cpu_set` and the host allow it. */
	uint32_t favor_cpu;
	uint32_t reserved;
	/** Host CPUs allowed: a cpu_set_t of `cpu_set_size` bytes, copied. NULL: all. */
	const void *cpu_set;
	size_t cpu_set_size;
	/** What a custom architecture wants to know (CreateConfig); the KVM backends take none: NULL. */
	const void *arch;
};
#define AXVCPU_CONFIG_INIT AXVCPU_INIT(struct axvcpu_config)

/** In what mode a vCPU meets its entry point. */
enum axvcpu_mode {
	/**
	 * 64 bits. x86: long mode, paging on, identity map, SSE on: CR0 is PE, MP, ET, NE, WP and PG,
	 * CR4 PAE, OSFXSR and OSXMMEXCPT, EFER LME and LMA; arm64: EL1h, exceptions masked, MMU off;
	 * riscv64: VS mode, no paging (satp 0), interrupts off.
	 */
	AXVCPU_MODE_64 = 0,
	/**
	 * 32 bits. x86: protected mode, flat segments, no paging: CR0 is PE, MP, ET and NE; arm64: AArch32 in SVC mode, exceptions
	 * masked, needs KVM_CAP_ARM_EL1_32BIT.
	 */
	AXVCPU_MODE_32 = 1,
	/** 16 bits. x86: real mode, entry below 1 MiB. Elsewhere -ENOTSUP. */
	AXVCPU_MODE_16 = 2,
	/** Only the program counter is set; all else is as the hardware resets it. */
	AXVCPU_MODE_RAW = 3,
};

/** How a vCPU starts (SetupConfig). Initialise with AXVCPU_SETUP_CONFIG_INIT. */
struct axvcpu_setup_config {
	/** sizeof(struct axvcpu_setup_config) */
	size_t size;
	/** enum axvcpu_mode */
	uint32_t mode;
	uint32_t flags;
	/** First argument: rdi, x0, a1 (a0 is the hart id). Not in raw mode. */
	uint64_t arg;
	/** Stack pointer. Not in raw mode. */
	uint64_t stack;
	/**
	 * Guest memory that setup may write: page-aligned. x86 in 64-bit mode writes a GDT there and
	 * identity page tables over the first 4 GiB or all memory (except AXVM_MEM_FRAMES), whichever
	 * is more: 28 KiB, and 4 KiB for each GiB above 4 (beyond 512 GiB, 4 KiB more for each of
	 * these). In 32-bit mode x86 puts a GDT there if it is given. The guest needs it until it
	 * has tables of its own; a reset writes it again.
	 *
	 * With a `boot_size` of 0 (then `boot_gpa` must be 0, too), x86 in 64-bit mode puts the same
	 * into frames of axvm_alloc_frame(), and one page directory more, which maps the GDT in the
	 * GiB after the identity map: a guest-physical address can be too wide to be a linear one.
	 * axvcpu_free() frees these frames; no other vCPU of the guest may use them any more then.
	 */
	uint64_t boot_gpa;
	/** Its size in bytes; 0: none is given. */
	uint64_t boot_size;
	/**
	 * The architecture's own: struct axvcpu_x86_setup (x86_64.h), struct axvcpu_arm64_setup (arm64.h),
	 * struct axvcpu_riscv64_setup (riscv64.h); NULL: default.
	 */
	const void *arch;
};
#define AXVCPU_SETUP_CONFIG_INIT AXVCPU_INIT(struct axvcpu_setup_config)

/* --- life ------------------------------------------------------------------------------------ */

/**
 * Creates a vCPU: Created.
 *
 * @param config what it is to be; NULL: vCPU 0, all default.
 * @param vcpu   receives the vCPU.
 * @return 0; -EINVAL, -E2BIG: the config; -EEXIST: the id is or was in use (KVM keeps a vCPU that
 *         has been set up until its VM ends); -EBUSY: the VM is finalized; -ENOMEM; -EPERM;
 *         errnos of the kernel.
 *
 * Threads: any. axvcpu: new.
 */
AXVCPU_API int axvcpu_new(struct axvm *vm, const struct axvcpu_config *config,
			  struct axvcpu **vcpu);

/**
 * Destroys a vCPU. If the caller's thread bound it, that thread gets its CPU set back.
 *
 * @param vcpu the vCPU; NULL is nothing.
 * @return 0; -EBUSY: another thread is inside, or its owner sleeps in axvcpu_block() or in the run
 *         of a vCPU that does not execute; nothing has happened.
 *
 * States: any but Running and Blocked; in a forked child any. Threads: one; no other may use the vCPU
 * any more.
 */
AXVCPU_API int axvcpu_free(struct axvcpu *vcpu);

/**
 * Gives a vCPU its first state: Created to Free.
 *
 * @param entry    guest-physical address of the first instruction.
 * @param ept_root 0: the VM's memory map, the only one that KVM has. A custom architecture gets it
 *                 as it is.
 * @param config   how it starts; NULL: all default.
 * @return 0; -EINVAL, -E2BIG: the arguments; -EFAULT: the boot area is no guest memory; -ENOSPC:
 *         the boot area is too small, or none is given and no address is left for frames; -ENOMEM;
 *         errnos of the HAL's alloc_frame; -ENOTSUP: no such mode here; -EBADFD; -EBUSY; -EPERM;
 *         errnos of the kernel.
 *
 * States: Created; leaves Free. Threads: any. axvcpu: setup.
 */
AXVCPU_API int axvcpu_setup(struct axvcpu *vcpu, uint64_t entry, uint64_t ept_root,
			    const struct axvcpu_setup_config *config);

/**
 * Makes the calling thread the owner and pins it to the vCPU's host CPUs, if it has any: Free to
 * Ready. A thread may own several vCPUs; it gives them up in reverse order, as each restores the
 * CPU set that it found. A vCPU whose owner ends stays Ready: axvcpu_adopt().
 *
 * The kick signal is unblocked until unbind. A thread that blocks it after that is kicked all the
 * same: KVM runs the vCPU with a signal mask of its own, which is the thread's at bind without the
 * kick signal. Of signals whose mask the thread changes after bind: one that it blocks may end one
 * run with NOTHING, and then ends none; one that it unblocks may end no run before the next bind.
 *
 * @return 0; -EINVAL: the host lets this thread use none of them; -ENOMEM; -EBADFD; -EBUSY;
 *         errnos of the kernel.
 *
 * States: Free; leaves Ready. Threads: any. axvcpu: bind.
 */
AXVCPU_API int axvcpu_bind(struct axvcpu *vcpu);

/**
 * Gives the vCPU up and the thread its earlier CPU set back: Ready to Free. If the thread may use
 * no CPU of that set any more (its cpuset has changed), it gets all that it may use. An I/O exit
 * that is still open is finished as axvcpu_flush() does.
 *
 * @return 0; -EBADFD; -EBUSY: also in a thread that is not the owner; errnos of the kernel.
 *
 * States: Ready; leaves Free. Threads: the owner. axvcpu: unbind.
 */
AXVCPU_API int axvcpu_unbind(struct axvcpu *vcpu);

/**
 * Makes the calling thread the owner of a vCPU whose owner thread has ended without axvcpu_unbind(),
 * and pins it as axvcpu_bind() does. Nothing else changes: an exit that waits for its answer still
 * does, and so do requests.
 *
 * A thread has ended when it has returned or called pthread_exit() and its thread-specific data is being
 * destroyed, so at the latest when it can be joined.
 *
 * @return 0; -EBUSY: the owner has not ended; -EBADFD: the vCPU has no owner; otherwise as
 *         axvcpu_bind().
 *
 * States: Ready, Blocked; leaves Ready. Threads: any.
 */
AXVCPU_API int axvcpu_adopt(struct axvcpu *vcpu);

/* --- running --------------------------------------------------------------------------------- */

/**
 * Runs the guest until there is something to do.
 *
 * An exit of a kind marked Terminal in enum axvcpu_exit_kind ends the vCPU: run then refuses to
 * go on (-EBADFD) until axvcpu_reset().
 *
 * @param exit receives the reason.
 * @return 0; -EBADFD; -EBUSY: also in a thread that is not the owner; -EPERM: another process's
 *         VM; errnos of the kernel that no guest can cause.
 *
 * States: Ready; Running meanwhile; leaves Ready. Threads: the owner. axvcpu: run.
 */
AXVCPU_API_HOT int axvcpu_run(struct axvcpu *vcpu, struct axvcpu_exit *exit);

/**
 * Answers the latest exit, once. Without an answer it completes as enum axvcpu_exit_kind says of its
 * kind: a read from a bus as all ones, as without a device.
 *
 * @param answer what the guest gets.
 * @return 0; -EINVAL: the exit does not take that kind of answer, or not of that length; -EBADFD:
 *         there is nothing to answer (any more), or the state is not Ready; -EBUSY.
 *
 * States: Ready; unchanged. Threads: the owner. axvcpu: set_gpr after MmioRead, IoRead, SysRegRead.
 */
AXVCPU_API_HOT int axvcpu_complete(struct axvcpu *vcpu, const struct axvcpu_answer *answer);

/** axvcpu_complete() with one value. */
static inline int axvcpu_complete_value(struct axvcpu *vcpu, uint64_t value)
{
	struct axvcpu_answer answer;

	answer.kind = AXVCPU_ANSWER_VALUE;
	answer.reserved = 0;
	answer.u.value = value;
	return axvcpu_complete(vcpu, &answer);
}

/** axvcpu_complete() with two words, as SBI calls return: error and value. */
static inline int axvcpu_complete_pair(struct axvcpu *vcpu, uint64_t error, uint64_t value)
{
	struct axvcpu_answer answer;

	answer.kind = AXVCPU_ANSWER_PAIR;
	answer.reserved = 0;
	answer.u.pair[0] = error;
	answer.u.pair[1] = value;
	return axvcpu_complete(vcpu, &answer);
}

/** axvcpu_complete() with a fault: the guest's access raises an exception (x86 MSR: #GP). */
static inline int axvcpu_complete_fault(struct axvcpu *vcpu)
{
	struct axvcpu_answer answer;

	answer.kind = AXVCPU_ANSWER_FAULT;
	answer.reserved = 0;
	answer.u.value = 0;
	return axvcpu_complete(vcpu, &answer);
}

/** axvcpu_complete() with the bytes of a string read. */
static inline int axvcpu_complete_bytes(struct axvcpu *vcpu, const void *ptr, size_t len)
{
	struct axvcpu_answer answer;

	answer.kind = AXVCPU_ANSWER_BYTES;
	answer.reserved = 0;
	answer.u.bytes.ptr = ptr;
	answer.u.bytes.len = len;
	return axvcpu_complete(vcpu, &answer);
}

/**
 * Finishes the instruction of the latest I/O exit without running the guest any further, so that
 * the registers show it done. If that leads to another exit (an access in pieces), the next
 * axvcpu_run() returns it.
 *
 * @return 0; -EBADFD; -EBUSY; errnos of the kernel.
 *
 * States: Free, Ready; unchanged. Threads: any.
 */
AXVCPU_API int axvcpu_flush(struct axvcpu *vcpu);

/**
 * Takes the vCPU out of the guest. After the call returns, at least one axvcpu_run() that was in
 * progress or comes next returns with `kicked` set. Kicks coalesce. It also ends axvcpu_block().
 *
 * @return 0; -ENOTSUP: the backend cannot; -EPERM. Neither leaves a message.
 *
 * States: any; unchanged. Threads: any, and signal handlers.
 */
AXVCPU_API int axvcpu_kick(struct axvcpu *vcpu);

/**
 * Lets the owner sleep until one of these happens: Ready to Blocked and back. One that has happened
 * since the last block ends it at once.
 *
 * - axvcpu_wake() or axvcpu_kick();
 * - a request (request.h) of any kind from any thread, the owner included, that has been carried
 *   out or put into the mailbox: interrupts, NMIs, exceptions and lines (axvcpu_inject_interrupt()
 *   and its like), registers, reset, start, stop, pause, resume;
 * - a signal handler runs meanwhile (-EINTR).
 *
 * Interrupts that reach the kernel's controllers in another way (axvm_set_irq_line(),
 * axvm_signal_msi(), irqfds, timers, other vCPUs) do not end it: with these controllers a vCPU
 * waits inside axvcpu_run(). The sleep may end for an event that the caller has dealt with before:
 * look again at what it waits for.
 *
 * @param timeout_ns how long at most, in nanoseconds; negative: without a limit.
 * @return 0: woken; -ETIMEDOUT; -EINTR: a signal handler ran; -EBADFD; -EBUSY.
 *
 * States: Ready; Blocked meanwhile; leaves Ready. Threads: the owner.
 */
AXVCPU_API int axvcpu_block(struct axvcpu *vcpu, int64_t timeout_ns);

/**
 * Ends the present axvcpu_block(), or the next one if there is none now.
 *
 * @return 0; -EPERM, without a message. States: any. Threads: any, and signal handlers.
 */
AXVCPU_API int axvcpu_wake(struct axvcpu *vcpu);

/**
 * Sets the program counter (x86 in real mode: of the present code segment). An I/O exit that is
 * still open is finished first, as axvcpu_flush() does.
 *
 * @param entry guest address; what setup was given is forgotten.
 * @return as axvcpu_set_reg().
 *
 * States: Free, Ready, Blocked; unchanged. Threads: any. axvcpu: set_entry.
 */
AXVCPU_API int axvcpu_set_entry(struct axvcpu *vcpu, uint64_t entry);

/* --- looking --------------------------------------------------------------------------------- */

/** The vCPU's number in its VM. Any state, any thread, signal handlers. axvcpu: id. */
AXVCPU_API uint32_t axvcpu_id(const struct axvcpu *vcpu);

/** The VM's id. Any state, any thread. axvcpu: vm_id. */
AXVCPU_API uint64_t axvcpu_vm_id(const struct axvcpu *vcpu);

/** The VM. Any state, any thread. */
AXVCPU_API struct axvm *axvcpu_vm(const struct axvcpu *vcpu);

/** Whether this is the boot processor: vCPU 0. Any state, any thread. axvcpu: is_bsp. */
AXVCPU_API bool axvcpu_is_bsp(const struct axvcpu *vcpu);

/** The state at this moment. Any thread, signal handlers. axvcpu: state. */
AXVCPU_API enum axvcpu_state axvcpu_state(const struct axvcpu *vcpu);

/** "Invalid", "Created" and so on; "?" for a number that is none. A constant string. */
AXVCPU_API const char *axvcpu_state_name(enum axvcpu_state state);

/**
 * The host CPU that the vCPU prefers.
 *
 * @return its number, or -ENOENT if it has none. Any state, any thread. axvcpu: favor_phys_cpu.
 */
AXVCPU_API int axvcpu_favor_cpu(const struct axvcpu *vcpu);

/**
 * The host CPUs that the vCPU may run on.
 *
 * @param set  receives the cpu_set_t; may be NULL if `size` is 0.
 * @param size bytes of `set`; what is left is zeroed.
 * @return bytes that the set has; -ENOENT: none was given, all are allowed; -EINVAL: `size` is
 *         not 0 and too small.
 *
 * Any state, any thread. axvcpu: phys_cpu_set.
 */
AXVCPU_API int axvcpu_cpu_set(const struct axvcpu *vcpu, void *set, size_t size);

/**
 * The hypervisor's descriptor of the vCPU, for what this library lacks. Still the library's: do
 * not close it, and do not run it.
 *
 * @return the descriptor, or -ENOTSUP. Any state, any thread.
 */
AXVCPU_API int axvcpu_fd(const struct axvcpu *vcpu);

/**
 * Enables a capability of the hypervisor's on this vCPU (KVM_ENABLE_CAP), for what this library
 * lacks.
 *
 * @return 0 or what the capability returns; -ENOTSUP; -EBADFD; -EBUSY; errnos of the kernel.
 *
 * States: Created, Free, Ready, Blocked; unchanged. Threads: any.
 */
AXVCPU_API int axvcpu_enable_capability(struct axvcpu *vcpu, unsigned int capability,
					const uint64_t args[4]);

/** The architecture's own object of this vCPU. Any state. axvcpu: get_arch_vcpu. */
AXVCPU_API void *axvcpu_arch(const struct axvcpu *vcpu);

/**
 * The vCPU that the calling thread operates on; NULL if none. Inside every operation of an
 * architecture it is the vCPU operated on. axvcpu: get_current_vcpu.
 */
AXVCPU_API struct axvcpu *axvcpu_current(void);

#ifdef __cplusplus
}
#endif

#endif
