/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/**
 * @file vcpu.h
 * Virtual CPUs: creation, the run loop, state.
 *
 *     Created --setup--> Free --bind--> Ready --unbind--> Free
 *     Ready --run--> Running --exit--> Ready
 *     Ready --block--> Blocked --wake--> Ready
 *
 * The thread that binds a vCPU owns it. Other threads may read its state and id, kick it, wake it
 * and send requests (request.h) at any time. While the vCPU is Running, all other calls from other
 * threads fail with -EBUSY. In other states, a call from another thread waits for a short operation
 * in progress, such as reading a register; it fails with -EBUSY during a longer one, such as setup
 * or bind.
 *
 * A call in a state that does not allow it fails with -EBADFD and changes nothing, as does a call
 * from inside an operation on the same vCPU (in a HAL hook or a backend), except those that other
 * threads may make at any time. A call that fails does not change the state of the vCPU, and can be
 * repeated. With AXVCPU_F_STRICT the rule of the axvcpu crate applies: a call in a wrong state also
 * moves the vCPU to Invalid.
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

/** States of a vCPU. The numbers are those of the crate's VCpuState. */
enum axvcpu_state {
	/** Not usable any more: a change failed half-way and could not be rolled back. */
	AXVCPU_INVALID = 0,
	/** Created, and not set up yet. */
	AXVCPU_CREATED = 1,
	/** Set up; has no owner. */
	AXVCPU_FREE = 2,
	/** Bound to its owner thread; can run. */
	AXVCPU_READY = 3,
	/** In the guest. */
	AXVCPU_RUNNING = 4,
	/**
	 * Bound, and waiting for an event in axvcpu_block(), or in axvcpu_run() while it is off or
	 * paused.
	 */
	AXVCPU_BLOCKED = 5,
};

/** A call in a wrong state also moves the vCPU to Invalid, as in the axvcpu crate. */
#define AXVCPU_F_STRICT (1u << 0)
/** `favor_cpu` is valid. */
#define AXVCPU_F_FAVOR_CPU (1u << 1)
/** The vCPU does not execute until axvcpu_start() (power.h). */
#define AXVCPU_F_START_OFF (1u << 2)

/** Configuration for axvcpu_new(). Initialise with AXVCPU_CONFIG_INIT. */
struct axvcpu_config {
	/** sizeof(struct axvcpu_config) */
	size_t size;
	/** Number within the VM, from 0. vCPU 0 is the boot processor. */
	uint32_t id;
	/** AXVCPU_F_* */
	uint32_t flags;
	/**
	 * With AXVCPU_F_FAVOR_CPU: preferred host CPU. It is used if `cpu_set` and the host allow
	 * it.
	 */
	uint32_t favor_cpu;
	uint32_t reserved;
	/**
	 * Host CPUs on which the vCPU may run: a cpu_set_t of `cpu_set_size` bytes, copied. NULL:
	 * all.
	 */
	const void *cpu_set;
	/** Size of `cpu_set` in bytes. */
	size_t cpu_set_size;
	/**
	 * Configuration of a custom backend (the crate's CreateConfig). The KVM backends have none:
	 * NULL.
	 */
	const void *arch;
};
#define AXVCPU_CONFIG_INIT AXVCPU_INIT(struct axvcpu_config)

/** CPU mode at the entry point. */
enum axvcpu_mode {
	/**
	 * 64-bit mode. x86: long mode with paging, identity map and SSE: CR0 has PE, MP, ET, NE, WP
	 * and PG (0x80010033), CR4 PAE, OSFXSR and OSXMMEXCPT (0x620), EFER LME and LMA (0x500).
	 * struct axvcpu_x86_setup can replace the values and the page tables. arm64: EL1h,
	 * exceptions masked, MMU off. riscv64: VS mode, no paging (satp 0), interrupts off.
	 */
	AXVCPU_MODE_64 = 0,
	/**
	 * 32-bit mode. x86: protected mode, flat segments, no paging: CR0 has PE, MP, ET and NE.
	 * arm64: AArch32 in SVC mode, exceptions masked; needs KVM_CAP_ARM_EL1_32BIT. riscv64:
	 * -ENOTSUP.
	 */
	AXVCPU_MODE_32 = 1,
	/**
	 * 16-bit mode. x86: real mode; the entry point must be below 1 MiB. Other architectures:
	 * -ENOTSUP.
	 */
	AXVCPU_MODE_16 = 2,
	/** Only the program counter is set; all other registers are as after a hardware reset. */
	AXVCPU_MODE_RAW = 3,
};

/**
 * Configuration for axvcpu_setup(): the first state of a vCPU. Initialise with
 * AXVCPU_SETUP_CONFIG_INIT.
 *
 * Source: SetupConfig of AxArchVCpu
 */
struct axvcpu_setup_config {
	/** sizeof(struct axvcpu_setup_config) */
	size_t size;
	/** enum axvcpu_mode */
	uint32_t mode;
	/** Must be 0. */
	uint32_t flags;
	/**
	 * First argument of the guest: rdi, x0, or a1 (a0 is the hart id). Not used in raw mode.
	 */
	uint64_t arg;
	/** Initial stack pointer. Not used in raw mode. */
	uint64_t stack;
	/**
	 * Start of the boot area: page-aligned guest memory that setup may overwrite. Used by x86
	 * in 64-bit and 32-bit mode only; otherwise ignored. Must not be given with
	 * AXVCPU_X86_OWN_TABLES.
	 *
	 * x86 in 64-bit mode writes a GDT there, and identity page tables. They map the first 4 GiB
	 * or all guest memory at the time of the call (except AXVM_MEM_FRAMES), whichever is more.
	 * The size needed is 28 KiB, and 4 KiB for each GiB above 4; beyond 512 GiB, another 4 KiB
	 * for each 512 GiB. x86 in 32-bit mode writes a GDT there if the area is given. The guest
	 * needs the area until it has its own tables. A reset writes it again.
	 *
	 * If `boot_size` is 0 (`boot_gpa` must then be 0, too), x86 in 64-bit mode uses frames of
	 * axvm_alloc_frame() instead. The GDT is then mapped at the first GiB after the identity
	 * map, because the guest-physical address of a frame can exceed the range of linear
	 * addresses; that takes one more frame. axvcpu_free() frees these frames; no other vCPU of
	 * the guest may use them after that.
	 */
	uint64_t boot_gpa;
	/** Size of the boot area in bytes; 0: none is given. */
	uint64_t boot_size;
	/**
	 * Options of the architecture: struct axvcpu_x86_setup (x86_64.h), struct
	 * axvcpu_arm64_setup (arm64.h), struct axvcpu_riscv64_setup (riscv64.h). NULL: all
	 * defaults.
	 */
	const void *arch;
};
#define AXVCPU_SETUP_CONFIG_INIT AXVCPU_INIT(struct axvcpu_setup_config)

/* --- life ------------------------------------------------------------------------------------ */

/**
 * Creates a vCPU.
 *
 * @param vm     the VM.
 * @param config its configuration; NULL: vCPU 0 with all defaults.
 * @param vcpu   receives the vCPU.
 * @return 0; -EINVAL, -E2BIG: the config is not valid; -EEXIST: the id is in use, or was: KVM keeps
 *         a vCPU that has been set up until its VM is freed; -EBUSY: the VM is finalized; -ENOMEM;
 *         -EPERM; errnos of the kernel.
 *
 * States: Created on success.
 * Threads: any.
 * Source: AxVCpu::new()
 */
AXVCPU_API int axvcpu_new(struct axvm *vm, const struct axvcpu_config *config,
			  struct axvcpu **vcpu);

/**
 * Destroys a vCPU.
 *
 * If the calling thread owns it, the thread gets its previous CPU affinity and signal mask back, as
 * by axvcpu_unbind(). If another thread owns it, that thread remains pinned. Senders that wait for
 * a request get -ECANCELED.
 *
 * @param vcpu the vCPU; may be NULL, then nothing happens.
 * @return 0; -EBUSY: another thread is using the vCPU, or its owner sleeps in axvcpu_block() or
 *         axvcpu_run(). The vCPU was not freed.
 *
 * States: any except Running and Blocked; in a forked child any.
 * Threads: any. The caller must ensure that no other thread uses the vCPU any more.
 */
AXVCPU_API int axvcpu_free(struct axvcpu *vcpu);

/**
 * Returns a vCPU of a VM by its id.
 *
 * Other threads may create and free vCPUs at the same time. The pointer is valid until
 * axvcpu_free(): the caller must ensure that no other thread frees this vCPU while it is used.
 *
 * @param vm the VM.
 * @param id `id` of the vCPU's config.
 * @return NULL: there is no vCPU with this id, or this is a forked child; else: the vCPU.
 *
 * Threads: any.
 */
AXVCPU_API struct axvcpu *axvm_vcpu(struct axvm *vm, uint32_t id);

/**
 * Lists the vCPUs of a VM by ascending id.
 *
 * The pointers are valid as that of axvm_vcpu().
 *
 * @param vm    the VM.
 * @param first number of vCPUs to skip.
 * @param count number of elements of `vcpus`.
 * @param vcpus receives up to `count` vCPUs; may be NULL if `count` is 0.
 * @return the total number of vCPUs; -EINVAL: `vcpus` is NULL and `count` is not 0; -EPERM.
 *
 * Threads: any.
 */
AXVCPU_API int axvm_vcpus(struct axvm *vm, size_t first, size_t count, struct axvcpu **vcpus);

/**
 * Sets the first state of a vCPU.
 *
 * @param vcpu     the vCPU.
 * @param entry    guest-physical address of the first instruction.
 * @param ept_root root of the guest-physical address map. It must be 0 with KVM: the memory map of
 *                 the VM. A custom backend receives the value unchanged.
 * @param config   mode, argument and stack; NULL: all defaults.
 * @return 0; -EINVAL, -E2BIG: an argument is not valid; -EFAULT: the boot area is not guest memory;
 *         -ENOSPC: the boot area is too small, or none is given and no address is left for frames;
 *         -ENOTSUP: the host does not support the mode or an option; -EBADFD; -EBUSY; -ENOMEM;
 *         errnos of the HAL's alloc_frame hook; -EPERM; errnos of the kernel.
 *
 * States: Created; Free on success.
 * Threads: any.
 * Source: AxVCpu::setup()
 */
AXVCPU_API int axvcpu_setup(struct axvcpu *vcpu, uint64_t entry, uint64_t ept_root,
			    const struct axvcpu_setup_config *config);

/**
 * Makes the calling thread the owner of a vCPU, and pins it to the host CPUs of the vCPU.
 *
 * The thread is pinned to the preferred CPU if that is usable, otherwise to the CPU set; without
 * either it is not pinned. A thread may own several vCPUs. It must unbind them in reverse order, as
 * each restores the CPU affinity that it found. A vCPU whose owner thread ends remains Ready; see
 * axvcpu_adopt().
 *
 * The kick signal is unblocked until the vCPU is unbound. Kicks also reach a thread that blocks the
 * signal after that: KVM runs the vCPU with a separate signal mask, which is the thread's mask at
 * bind without the kick signal. So KVM learns late of other changes that the thread makes to its
 * mask after bind. A signal that it blocks can still end one run with NOTHING, after which the
 * library updates KVM's mask. A signal that it unblocks may not end runs until the next bind.
 *
 * @param vcpu the vCPU.
 * @return 0; -EINVAL: the host does not allow this thread to use any of the host CPUs; -ENOMEM;
 *         -EBADFD; -EBUSY; -EPERM; errnos of the kernel.
 *
 * States: Free; Ready on success.
 * Threads: any.
 * Source: AxVCpu::bind()
 */
AXVCPU_API int axvcpu_bind(struct axvcpu *vcpu);

/**
 * Releases the ownership of a vCPU, and restores the CPU affinity that the thread had before.
 *
 * The kick signal is blocked again if it was blocked at bind.
 *
 * If the thread may not use any CPU of its previous affinity any more, because its cpuset has
 * changed, it gets all CPUs that it may use. An I/O exit that is still open is completed as by
 * axvcpu_flush().
 *
 * @param vcpu the vCPU.
 * @return 0; -EBADFD; -EBUSY: another thread is using the vCPU, or owns it; -EPERM; errnos of the
 *         kernel.
 *
 * States: Ready; Free on success.
 * Threads: the owner.
 * Source: AxVCpu::unbind()
 */
AXVCPU_API int axvcpu_unbind(struct axvcpu *vcpu);

/**
 * Takes over a vCPU whose owner thread has ended without axvcpu_unbind().
 *
 * The calling thread becomes the owner and is pinned as by axvcpu_bind(). Nothing else changes:
 * open exits and queued requests remain.
 *
 * A thread counts as ended when it has returned or called pthread_exit(), and its thread-specific
 * data is being destroyed: at the latest when it can be joined.
 *
 * @param vcpu the vCPU.
 * @return 0; -EBUSY: the owner has not ended, or another thread is using the vCPU; -EBADFD: the
 *         vCPU has no owner; -EINVAL: the host does not allow this thread to use any of the host
 *         CPUs; -ENOMEM; -EPERM; errnos of the kernel.
 *
 * States: Ready, Blocked; Ready on success.
 * Threads: any.
 */
AXVCPU_API int axvcpu_adopt(struct axvcpu *vcpu);

/* --- running --------------------------------------------------------------------------------- */

/**
 * Runs the guest until its next exit.
 *
 * After an exit of a kind that enum axvcpu_exit_kind marks as terminal, the vCPU does not run again
 * before axvcpu_reset(): this function fails with -EBADFD.
 *
 * A vCPU that is off or paused (power.h) sleeps in this function; its state is Blocked meanwhile. A
 * kick or a signal ends the sleep, and the exit is NOTHING.
 *
 * The first run of a VM calls axvm_finalize() if that has not been done. On failure the contents of
 * `exit` are undefined. Errnos of KVM_RUN that a guest can cause are not failures: they become
 * NESTED_PAGE_FAULT and FAIL_ENTRY exits.
 *
 * @param vcpu the vCPU.
 * @param exit receives the exit.
 * @return 0; -EBADFD: the state is not Ready, or the latest exit was terminal; -EBUSY: another
 *         thread is using the vCPU, or owns it; -EPERM; errnos of axvm_finalize() and of the
 *         kernel.
 *
 * States: Ready; Running meanwhile; Ready afterwards.
 * Threads: the owner.
 * Source: AxVCpu::run()
 */
AXVCPU_API_HOT int axvcpu_run(struct axvcpu *vcpu, struct axvcpu_exit *exit);

/**
 * Answers the latest exit.
 *
 * Each exit takes at most one answer. An exit without an answer completes with the default of its
 * kind (enum axvcpu_exit_kind). For a read of a device, that is all ones, as on a bus without a
 * device.
 *
 * @param vcpu   the vCPU.
 * @param answer the answer; copied, including the bytes of AXVCPU_ANSWER_BYTES.
 * @return 0; -EINVAL: the exit does not take an answer of this kind or length; -EBADFD: the latest
 *         exit takes no answer, or has been answered, or the state is not Ready; -EBUSY: another
 *         thread is using the vCPU, or owns it; -EPERM.
 *
 * States: Ready; unchanged.
 * Threads: the owner.
 * Source: AxVCpu::set_gpr() after MmioRead, IoRead and SysRegRead
 */
AXVCPU_API_HOT int axvcpu_complete(struct axvcpu *vcpu, const struct axvcpu_answer *answer);

/**
 * Answers the latest exit with one value: axvcpu_complete() with AXVCPU_ANSWER_VALUE.
 *
 * @param vcpu  the vCPU.
 * @param value the value; for a read of a device, its low bytes are used.
 * @return 0; -EINVAL: the exit does not take one value; -EBADFD: the latest exit takes no answer,
 *         or has been answered, or the state is not Ready; -EBUSY: another thread is using the
 *         vCPU, or owns it; -EPERM.
 *
 * States: Ready; unchanged.
 * Threads: the owner.
 */
static inline int axvcpu_complete_value(struct axvcpu *vcpu, uint64_t value)
{
	struct axvcpu_answer answer;

	answer.kind = AXVCPU_ANSWER_VALUE;
	answer.reserved = 0;
	answer.u.value = value;
	return axvcpu_complete(vcpu, &answer);
}

/**
 * Answers the latest exit with two words: axvcpu_complete() with AXVCPU_ANSWER_PAIR.
 *
 * @param vcpu  the vCPU.
 * @param error the first word: a0, or x0.
 * @param value the second word: a1, or x1.
 * @return 0; -EINVAL: the exit does not take two words; -EBADFD: the latest exit takes no answer,
 *         or has been answered, or the state is not Ready; -EBUSY: another thread is using the
 *         vCPU, or owns it; -EPERM.
 *
 * States: Ready; unchanged.
 * Threads: the owner.
 */
static inline int axvcpu_complete_pair(struct axvcpu *vcpu, uint64_t error, uint64_t value)
{
	struct axvcpu_answer answer;

	answer.kind = AXVCPU_ANSWER_PAIR;
	answer.reserved = 0;
	answer.u.pair[0] = error;
	answer.u.pair[1] = value;
	return axvcpu_complete(vcpu, &answer);
}

/**
 * Answers the latest exit with a fault: axvcpu_complete() with AXVCPU_ANSWER_FAULT.
 *
 * The guest's access raises an exception, such as #GP for an x86 MSR.
 *
 * @param vcpu the vCPU.
 * @return 0; -EINVAL: the exit does not take a fault; -EBADFD: the latest exit takes no answer, or
 *         has been answered, or the state is not Ready; -EBUSY: another thread is using the vCPU,
 *         or owns it; -EPERM.
 *
 * States: Ready; unchanged.
 * Threads: the owner.
 */
static inline int axvcpu_complete_fault(struct axvcpu *vcpu)
{
	struct axvcpu_answer answer;

	answer.kind = AXVCPU_ANSWER_FAULT;
	answer.reserved = 0;
	answer.u.value = 0;
	return axvcpu_complete(vcpu, &answer);
}

/**
 * Answers the latest exit, a string read, with bytes.
 *
 * This is axvcpu_complete() with AXVCPU_ANSWER_BYTES.
 *
 * @param vcpu the vCPU.
 * @param ptr  the bytes, item after item.
 * @param len  their number: `width * count` of the exit.
 * @return 0; -EINVAL: the exit does not take bytes, or not this number of bytes; -EBADFD: the
 *         latest exit takes no answer, or has been answered, or the state is not Ready; -EBUSY:
 *         another thread is using the vCPU, or owns it; -EPERM.
 *
 * States: Ready; unchanged.
 * Threads: the owner.
 */
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
 * Completes the instruction of the latest I/O exit without running the guest any further.
 *
 * An I/O exit is one whose instruction KVM completes at the next entry: MMIO, port I/O, a system
 * register and, except on arm64, a hypercall. An exit that has no answer yet completes with the
 * default of its kind, and can no longer be answered. Without an open I/O exit the call has no
 * effect.
 *
 * The registers then show the instruction as executed. If this leads to another exit (an access in
 * pieces), the next axvcpu_run() returns it. Registers of axvm_checkpoint_restore() that wait for
 * the next run are given to KVM.
 *
 * @param vcpu the vCPU.
 * @return 0; -EBADFD; -EBUSY; -EPERM; errnos of the kernel.
 *
 * States: Free, Ready; unchanged.
 * Threads: any.
 */
AXVCPU_API int axvcpu_flush(struct axvcpu *vcpu);

/**
 * Takes a vCPU out of the guest.
 *
 * After this call, at least one axvcpu_run() that was in progress or comes next returns with
 * `kicked` set in its exit. Kicks coalesce: one return may stand for several. A kick also ends
 * axvcpu_block(). It leaves no message on failure.
 *
 * @param vcpu the vCPU.
 * @return 0; -ENOTSUP: the backend has no kick; -EPERM.
 *
 * States: any; unchanged.
 * Threads: any, and signal handlers.
 */
AXVCPU_API int axvcpu_kick(struct axvcpu *vcpu);

/**
 * Makes the owner sleep until an event for the vCPU.
 *
 * These events end the sleep. One that has occurred since the previous axvcpu_block() ends it at
 * once.
 *
 * - axvcpu_wake() or axvcpu_kick().
 * - A request (request.h) from any thread, including the owner, that was carried out or queued:
 *   interrupts, NMIs, exceptions, lines, registers, reset, start, stop, pause, resume.
 * - A signal handler that runs in the thread meanwhile (-EINTR).
 *
 * Interrupts that reach the in-kernel controllers in another way do not end it:
 * axvm_set_irq_line(), axvm_signal_msi(), irqfds, timers, other vCPUs. With these controllers a
 * vCPU waits for interrupts inside axvcpu_run().
 *
 * The sleep may also end for an event that the caller has already handled. So the caller must check
 * its condition again.
 *
 * @param vcpu       the vCPU.
 * @param timeout_ns longest time to sleep, in nanoseconds; negative: no limit; 0: do not sleep,
 *                   only test for an event.
 * @return 0: an event has occurred; -ETIMEDOUT; -EINTR; -EBADFD; -EBUSY: another thread is using
 *         the vCPU, or owns it; -EPERM.
 *
 * States: Ready; Blocked meanwhile; Ready afterwards.
 * Threads: the owner.
 */
AXVCPU_API int axvcpu_block(struct axvcpu *vcpu, int64_t timeout_ns);

/**
 * Ends the current axvcpu_block() of a vCPU, or the next one if there is none. It leaves no message
 * on failure.
 *
 * @param vcpu the vCPU.
 * @return 0; -EPERM.
 *
 * States: any; unchanged.
 * Threads: any, and signal handlers.
 */
AXVCPU_API int axvcpu_wake(struct axvcpu *vcpu);

/**
 * Sets the program counter.
 *
 * The value replaces the entry point that was given to axvcpu_setup(). In x86 real mode it is
 * relative to the current code segment. An I/O exit that is still open is completed first, as by
 * axvcpu_flush().
 *
 * @param vcpu  the vCPU.
 * @param entry the new program counter, a guest address.
 * @return 0; -EINVAL: KVM does not accept the value; -EBADFD; -EBUSY; -EPERM; errnos of the kernel.
 *
 * States: Free, Ready, Blocked; unchanged.
 * Threads: any.
 * Source: AxVCpu::set_entry()
 */
AXVCPU_API int axvcpu_set_entry(struct axvcpu *vcpu, uint64_t entry);

/* --- queries --------------------------------------------------------------------------------- */

/**
 * Returns the number of a vCPU in its VM.
 *
 * @param vcpu the vCPU.
 * @return the number, from 0.
 *
 * States: any; unchanged.
 * Threads: any, and signal handlers.
 * Source: AxVCpu::id()
 */
AXVCPU_API uint32_t axvcpu_id(const struct axvcpu *vcpu);

/**
 * Returns the id of the VM of a vCPU.
 *
 * @param vcpu the vCPU.
 * @return the id from the config of the VM.
 *
 * States: any; unchanged.
 * Threads: any.
 * Source: AxVCpu::vm_id()
 */
AXVCPU_API uint64_t axvcpu_vm_id(const struct axvcpu *vcpu);

/**
 * Returns the VM of a vCPU.
 *
 * @param vcpu the vCPU.
 * @return the VM.
 *
 * States: any; unchanged.
 * Threads: any.
 */
AXVCPU_API struct axvm *axvcpu_vm(const struct axvcpu *vcpu);

/**
 * Tells whether a vCPU is the boot processor.
 *
 * @param vcpu the vCPU.
 * @return true for vCPU 0.
 *
 * States: any; unchanged.
 * Threads: any.
 * Source: AxVCpu::is_bsp()
 */
AXVCPU_API bool axvcpu_is_bsp(const struct axvcpu *vcpu);

/**
 * Returns the state of a vCPU.
 *
 * Another thread may change it at any time.
 *
 * @param vcpu the vCPU.
 * @return the state.
 *
 * States: any; unchanged.
 * Threads: any, and signal handlers.
 * Source: AxVCpu::state()
 */
AXVCPU_API enum axvcpu_state axvcpu_state(const struct axvcpu *vcpu);

/**
 * Returns the name of a state.
 *
 * @param state the state.
 * @return a constant string: "Invalid", "Created" and so on, "?" for any other number.
 *
 * Threads: any.
 */
AXVCPU_API const char *axvcpu_state_name(enum axvcpu_state state);

/**
 * Returns the preferred host CPU of a vCPU.
 *
 * @param vcpu the vCPU.
 * @return the number of the host CPU; -ENOENT: the vCPU has no preferred CPU; -EPERM.
 *
 * States: any; unchanged.
 * Threads: any.
 * Source: AxVCpu::favor_phys_cpu()
 */
AXVCPU_API int axvcpu_favor_cpu(const struct axvcpu *vcpu);

/**
 * Returns the host CPUs on which a vCPU may run.
 *
 * @param vcpu the vCPU.
 * @param set  receives the cpu_set_t; may be NULL if `size` is 0.
 * @param size size of `set` in bytes; bytes beyond the set are zeroed.
 * @return the size of the set in bytes; -ENOENT: the vCPU has no CPU set and may run on all;
 *         -EINVAL: `size` is not 0, and too small; -EPERM.
 *
 * States: any; unchanged.
 * Threads: any.
 * Source: AxVCpu::phys_cpu_set()
 */
AXVCPU_API int axvcpu_cpu_set(const struct axvcpu *vcpu, void *set, size_t size);

/**
 * Returns the KVM file descriptor of a vCPU, for ioctls that this library does not offer.
 *
 * The descriptor remains the library's: it is valid until axvcpu_free(). Do not close it, and do
 * not call KVM_RUN on it. While the vCPU is Running, KVM makes other ioctls on it wait until
 * KVM_RUN returns. After axvm_checkpoint_restore(), call axvcpu_flush() before an ioctl that uses
 * registers: on x86 they may wait for the next run.
 *
 * @param vcpu the vCPU.
 * @return the descriptor; -ENOTSUP: the backend has none; -EPERM.
 *
 * States: any; unchanged.
 * Threads: any.
 */
AXVCPU_API int axvcpu_fd(const struct axvcpu *vcpu);

/**
 * Enables a KVM capability on a vCPU (KVM_ENABLE_CAP).
 *
 * @param vcpu       the vCPU.
 * @param capability its number (KVM_CAP_*).
 * @param args       arguments of the capability; NULL: zeros.
 * @return 0 or the positive value that KVM returns; -ENOTSUP; -EBADFD; -EBUSY; -EPERM; errnos of
 *         the kernel.
 *
 * States: Created, Free, Ready, Blocked; unchanged.
 * Threads: any.
 */
AXVCPU_API int axvcpu_enable_capability(struct axvcpu *vcpu, unsigned int capability,
					const uint64_t args[4]);

/**
 * Returns the object that the backend made for a vCPU.
 *
 * @param vcpu the vCPU.
 * @return the pointer that `vcpu_new` of struct axvcpu_arch_ops returned.
 *
 * States: any; unchanged.
 * Threads: any.
 * Source: AxVCpu::get_arch_vcpu()
 */
AXVCPU_API void *axvcpu_arch(const struct axvcpu *vcpu);

/**
 * Returns the vCPU on which the calling thread operates.
 *
 * Inside every operation of a backend, that is the vCPU of the operation. Between calls of the
 * library there is none, unless axvcpu_set_current() (crate.h) has set one.
 *
 * @return the vCPU, or NULL if there is none.
 *
 * Threads: any.
 * Source: get_current_vcpu()
 */
AXVCPU_API struct axvcpu *axvcpu_current(void);

#ifdef __cplusplus
}
#endif

#endif
