/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/**
 * @file vcpu_state.h
 * The complete state of a vCPU as bytes, and the clocks of a VM.
 *
 * axvcpu_save() writes all that a guest can observe of its CPU: registers, floating point and
 * vectors, system registers, pending events, the local interrupt controller of x86, timers, nested
 * virtualization, and the injections that wait in the library. axvcpu_load() puts it back, into the
 * same vCPU or into one of the same id, kind and configuration in another VM, on this host or
 * another one.
 *
 * Not part of it are: guest memory; interrupt controllers that belong to the VM (PIC, IOAPIC, PIT,
 * GIC with its redistributors, AIA with its IMSICs); the clocks, which axvm_get_clock() reads; and
 * properties that the VMM sets: owner, affinity, debugging, pause, and requests that wait.
 *
 * A saved state has a header and sections, each with a name, a version and a length, all numbers
 * little-endian. axvcpu_saved_get_section() lists them. A section that a library or backend does not
 * know makes axvcpu_load() fail, unless the section is optional. States of earlier versions of the
 * library can be loaded. A saved state has no checksum: the file that holds it should.
 *
 * To move a VM, with no vCPU in a run:
 *
 *    axvm_get_clock(vm, &clock);                    axvm_set_clock(vm, &clock, policy);
 *    for each vCPU: axvcpu_save()                   for each vCPU: axvcpu_load()
 *
 * The clock is first on both sides: timers are loaded relative to it.
 */
#ifndef AXVCPU_VCPU_STATE_H
#define AXVCPU_VCPU_STATE_H

#include <stddef.h>
#include <stdint.h>

#include <axvcpu/error.h>
#include <axvcpu/init.h>

#ifdef __cplusplus
extern "C" {
#endif

struct axvm;
struct axvcpu;

/* --- saving ----------------------------------------------------------------------------------- */

/**
 * Saves the state of a vCPU.
 *
 * An exit that takes no answer is completed first, as by axvcpu_flush(). Requests that wait are
 * carried out first, if the caller is the owner or there is none.
 *
 * The number of bytes may change with the state of the guest. A call with `size` 0 makes the same
 * system calls, and returns a size that suffices while the vCPU does not run.
 *
 * @param vcpu the vCPU.
 * @param buf  receives the state; may be NULL if `size` is 0.
 * @param size size of `buf` in bytes.
 * @return the number of bytes of the state, which is in `buf` only if that is at most `size`;
 *         -EBADFD: the latest exit has no answer yet, or its instruction has another exit, which
 *         the next axvcpu_run() returns; -EBUSY: another thread is using the vCPU, or
 *         requests wait for its owner; -ENOTSUP: the backend cannot save; -ENOMEM; -EPERM; errnos
 *         of the kernel.
 *
 * States: Free, Ready, Blocked; unchanged.
 * Threads: any.
 */
AXVCPU_API int axvcpu_save(struct axvcpu *vcpu, void *buf, size_t size);

/* --- loading ---------------------------------------------------------------------------------- */

/** A part of a saved state that the host refuses. */
struct axvcpu_refusal {
	/** sizeof(struct axvcpu_refusal) of the library. */
	size_t size;
	/** Name of the section. */
	const char *section;
	/** The register: a KVM id, or the number of an MSR; 0: the whole section. */
	uint64_t id;
	/** A negative errno. */
	int error;
	/** Description: what was refused, and why. */
	const char *message;
};

/** Floating point and vectors. On x86 with XCR0. */
#define AXVCPU_PART_FPU 0x1u
/**
 * System registers. x86: MSRs, debug registers, nested virtualization. riscv64: CSRs, SBI state,
 * and the external line of a VM without an AIA.
 */
#define AXVCPU_PART_SYSTEM 0x2u
/** x86 with an in-kernel LAPIC: the LAPIC. Elsewhere the interrupt controller belongs to the VM. */
#define AXVCPU_PART_INTERRUPTS 0x4u
/** Timers. x86: offset of the TSC, TSC deadline, and the notice of kvmclock that time has passed. */
#define AXVCPU_PART_TIMERS 0x8u
/**
 * Whether the CPU is halted. x86: also exceptions, interrupts and NMIs that KVM is about to
 * deliver. arm64: also SErrors, and active interrupts of timers.
 */
#define AXVCPU_PART_EVENTS 0x10u
/**
 * All parts of a vCPU that a load can leave out.
 *
 * Leaving a part out saves its system calls, and is only correct if the guest has not changed the
 * part since the state was saved. These are always loaded: general registers, program counter,
 * flags; on x86 control registers and segments; the injections, the power state and the terminal
 * exit that the library holds; on arm64 the lines. On arm64, a load that must reset the CPU,
 * because KVM cannot undo an event otherwise, loads all parts.
 */
#define AXVCPU_PARTS 0x1fu

/** How to load. Initialise with AXVCPU_LOAD_CONFIG_INIT. */
struct axvcpu_load_config {
	/** sizeof(struct axvcpu_load_config) */
	size_t size;
	/** AXVCPU_LOAD_* */
	uint32_t flags;
	/** AXVCPU_PART_*: these parts of the vCPU stay as they are. */
	uint32_t without;
	/**
	 * Called for each part that the host refuses. Returns 0 to load the state without it, or a
	 * negative errno, with which the call fails. NULL: every refusal is a failure. It must not
	 * call functions on this vCPU.
	 *
	 * @param ctx     `ctx` below.
	 * @param vcpu    the vCPU.
	 * @param refusal the part; valid during the call.
	 */
	int (*refused)(void *ctx, struct axvcpu *vcpu, const struct axvcpu_refusal *refusal);
	void *ctx;
};
#define AXVCPU_LOAD_CONFIG_INIT AXVCPU_INIT(struct axvcpu_load_config)

/**
 * Do not save the present state first, which makes loading faster. If the host then refuses a part,
 * the vCPU becomes Invalid.
 */
#define AXVCPU_LOAD_NO_ROLLBACK 0x1u

/**
 * Loads a saved state into a vCPU.
 *
 * The vCPU must have been set up as the one that was saved: the same id, CPU features, and kind of
 * interrupt controller. An open exit is completed and dropped, with or without an answer, also if
 * the host then refuses the state. Injections that wait in the library are dropped; requests that
 * wait stay. A terminal exit of the present state is forgotten, that of the saved one takes effect
 * again. A vCPU that sleeps in axvcpu_block() is woken.
 *
 * The bytes are not trusted: they are checked before the vCPU is changed. They must not change
 * during the call. KVM checks the values of registers.
 *
 * KVM writes to guest memory when some registers are loaded, as when a guest writes them: on x86
 * the wall clock of kvmclock. So the memory of the guest is restored after its vCPUs.
 *
 * On arm64 with a GIC, axvm_finalize() must have been called, if the saved state has raised lines.
 *
 * If a part is refused, the present state is loaded again, and if that fails, too, the vCPU becomes
 * Invalid.
 *
 * @param vcpu   the vCPU.
 * @param state  the saved state, of any alignment.
 * @param size   its size in bytes.
 * @param config how to load; NULL: AXVCPU_LOAD_CONFIG_INIT.
 * @return 0; -EINVAL: the bytes are not a saved state, or that of a vCPU of another id or
 *         architecture; -ENOTSUP: the backend cannot load, or the state has a section, a version or
 *         a size that this library or host does not support; -ENOENT: the host lacks a register;
 *         -E2BIG; -ENOMEM; -EBADFD; -EBUSY; -EPERM; errnos of the kernel, and of `refused`.
 *
 * States: Free, Ready, Blocked; unchanged, or Invalid.
 * Threads: any.
 */
AXVCPU_API int axvcpu_load(struct axvcpu *vcpu, const void *state, size_t size,
			   const struct axvcpu_load_config *config);

/* --- looking into a saved state --------------------------------------------------------------- */

/** Room for the name of a section or of an architecture, with the final zero. */
#define AXVCPU_SAVED_NAME 16

/** A section of a saved state. */
struct axvcpu_saved_section {
	/** Its name: lower-case letters, digits, '-' and '_'. */
	char name[AXVCPU_SAVED_NAME];
	/** Version of its content, from 1. */
	uint32_t version;
	/** AXVCPU_SECTION_* */
	uint32_t flags;
	/** The content: `len` bytes in the caller's buffer, of any alignment. */
	const void *data;
	size_t len;
};

/** Readers that do not know the section may ignore it. */
#define AXVCPU_SECTION_OPTIONAL 0x1u

/** The largest number of sections of a state. */
#define AXVCPU_SAVED_SECTIONS 64
/** The largest size of a state in bytes. */
#define AXVCPU_SAVED_MAX 0x1000000

/**
 * Checks the form of a saved state: its header, and the bounds and names of all sections.
 *
 * The contents of the sections are checked by axvcpu_load().
 *
 * @param state the bytes.
 * @param size  their number.
 * @param arch  receives the name of the architecture, AXVCPU_SAVED_NAME bytes; may be NULL.
 * @return the number of sections; -EINVAL: the bytes are not a saved state; -ENOTSUP: the format is
 *         that of a later version of the library.
 *
 * Threads: any.
 */
AXVCPU_API int axvcpu_saved_check(const void *state, size_t size, char *arch);

/**
 * Returns a section of a saved state.
 *
 * @param state   the bytes.
 * @param size    their number.
 * @param n       index of the section, from 0.
 * @param section receives the section.
 * @return 0; -ENOENT: `n` is past the last section; errnos of axvcpu_saved_check().
 *
 * Threads: any.
 */
AXVCPU_API int axvcpu_saved_get_section(const void *state, size_t size, unsigned int n,
					struct axvcpu_saved_section *section);

/* --- for backends ----------------------------------------------------------------------------- */

/** A state that is being saved, for `save` of the ops table. */
struct axvcpu_saver;
/** A state that is being loaded, for `load` of the ops table. */
struct axvcpu_loader;

/**
 * Appends a section to the state that is being saved.
 *
 * @param saver   the argument of `save`.
 * @param name    its name, at most 15 characters, unique in the state. Names that begin with
 *                "axvcpu" are those of the library.
 * @param version version of its content, from 1.
 * @param flags   AXVCPU_SECTION_*
 * @param data    the content; it is copied.
 * @param len     number of bytes.
 * @return 0; -EINVAL: the name or the version is not valid; -ENOSPC: the state has
 *         AXVCPU_SAVED_SECTIONS sections, or more than AXVCPU_SAVED_MAX bytes.
 *
 * Threads: that of `save`.
 */
AXVCPU_API int axvcpu_save_section(struct axvcpu_saver *saver, const char *name, uint32_t version,
				   uint32_t flags, const void *data, size_t len);

/**
 * Finds a section of the state that is being loaded, and marks it as known.
 *
 * @param loader  the argument of `load`.
 * @param name    its name.
 * @param version the latest version that the backend supports.
 * @param min     smallest number of bytes that the backend accepts.
 * @param max     largest number of bytes.
 * @param section receives the section.
 * @return 1: found; 0: the state has no such section, and `section` is zero; -ENOTSUP: its version or its
 *         size is not supported.
 *
 * Threads: that of `load`.
 */
AXVCPU_API int axvcpu_load_section(struct axvcpu_loader *loader, const char *name, uint32_t version,
				   size_t min, size_t max, struct axvcpu_saved_section *section);

/**
 * Returns which parts of the vCPU `load` must change.
 *
 * A backend may load more than these.
 *
 * @param loader the argument of `load`.
 * @return AXVCPU_PART_*: those that `without` of the config does not name.
 *
 * Threads: that of `load`.
 */
AXVCPU_API uint32_t axvcpu_load_parts(const struct axvcpu_loader *loader);

/**
 * Allocates memory for the prepared form of the state: its sections, found and checked.
 *
 * A checkpoint that tracks changes keeps the memory after the first load has succeeded, together
 * with the bytes of the state, and later loads into the same vCPU find it by
 * axvcpu_load_prepared(). Otherwise the library frees the memory after the load. A backend may do
 * without.
 *
 * @param loader the argument of `load`.
 * @param size   number of bytes, not 0.
 * @return NULL: there is none, and the backend must return -ENOMEM; else: the memory, all zero.
 *
 * Threads: that of `load`; once in it.
 */
AXVCPU_API void *axvcpu_load_alloc(struct axvcpu_loader *loader, size_t size);

/**
 * Returns the prepared form of the state.
 *
 * With a prepared form, the backend must not look for sections, and need not load what only the
 * host can have changed since, such as the CPUID of the vCPU.
 *
 * @param loader the argument of `load`.
 * @return NULL: this is the first load; else: the memory of axvcpu_load_alloc() in an earlier load of
 *         the same bytes into this vCPU.
 *
 * Threads: that of `load`.
 */
AXVCPU_API void *axvcpu_load_prepared(const struct axvcpu_loader *loader);

/**
 * Checks that all sections are known or optional, and saves the present state.
 *
 * If the host then refuses the new state, the present one is loaded again. A backend calls this
 * once, when it has found all of its sections, has checked them and has completed open exits, and
 * before it changes any other state. `save` of the ops table is called inside. A failure ends
 * `load`, which returns it.
 *
 * @param loader the argument of `load`.
 * @return 0; -ENOTSUP: a section is unknown; -ECANCELED: the state was only checked, and can be
 *         loaded; -ENOMEM; errnos of `save`.
 *
 * Threads: that of `load`.
 */
AXVCPU_API int axvcpu_load_begin(struct axvcpu_loader *loader);

/**
 * Reports that the host refuses a part of the state that is being loaded.
 *
 * @param loader  the argument of `load`.
 * @param section name of the section.
 * @param id      the register; 0: the whole section.
 * @param err     a negative errno.
 * @param fmt     description of the refusal, as for printf().
 * @param ...     arguments of `fmt`.
 * @return 0: continue without the part; errnos of `refused` of the config, and `err` without that:
 *         `load` must return it.
 *
 * Threads: that of `load`.
 */
AXVCPU_API int axvcpu_load_refused(struct axvcpu_loader *loader, const char *section, uint64_t id,
				   int err, const char *fmt, ...) AXVCPU_PRINTF(5, 6);

/* --- clocks ----------------------------------------------------------------------------------- */

/** The clocks of a VM at a moment. Initialise with AXVM_CLOCK_INIT. */
struct axvm_clock {
	/** sizeof(struct axvm_clock) */
	size_t size;
	/**
	 * The guest's counter: the TSC of the vCPU with the lowest id, CNTVCT_EL0, or `time`.
	 */
	uint64_t counter;
	/** Its frequency in Hz. */
	uint64_t counter_hz;
	/** x86: offset of that TSC from the host's; 0 if the host does not report it. */
	uint64_t counter_offset;
	/** arm64: CNTPCT_EL0; 0 if the host does not let it be set. */
	uint64_t physical_counter;
	/** x86: kvmclock in nanoseconds. */
	uint64_t kvmclock_ns;
	/** CLOCK_REALTIME of the host in nanoseconds at that moment. */
	int64_t realtime_ns;
	/** AXVM_CLOCK_* */
	uint32_t flags;
	uint32_t reserved;
};
#define AXVM_CLOCK_INIT AXVCPU_INIT(struct axvm_clock)

/** `counter_offset` is valid. */
#define AXVM_CLOCK_OFFSET 0x1u
/** `physical_counter` is valid. */
#define AXVM_CLOCK_PHYSICAL 0x2u
/** `kvmclock_ns` is valid. */
#define AXVM_CLOCK_KVMCLOCK 0x4u

/** The time that a guest sees after its clocks were set. */
enum axvm_time_policy {
	/** The clocks continue from the saved values: the guest sees no gap. */
	AXVM_TIME_FREEZE = 0,
	/**
	 * The clocks continue from the saved values and the time since, by CLOCK_REALTIME of the
	 * hosts. If that clock was set back, as AXVM_TIME_FREEZE.
	 */
	AXVM_TIME_CATCH_UP,
	/**
	 * The clocks of the VM stay as they are. For resets in place; timers that the loaded state
	 * has set may have expired.
	 */
	AXVM_TIME_KEEP,
};

/**
 * Reads the clocks of a VM.
 *
 * @param vm    the VM. It must have a vCPU that was set up.
 * @param clock receives the clocks. The caller sets `size`; as many members as fit are written.
 * @return 0; -EINVAL: `size` is too small; -ENOTSUP: the backend has no clocks; -EBADFD: there is
 *         no vCPU, or the one with the lowest id is not set up; -EBUSY: it is in a run; -EPERM;
 *         errnos of the kernel.
 *
 * Threads: any.
 */
AXVCPU_API int axvm_get_clock(struct axvm *vm, struct axvm_clock *clock);

/**
 * Sets the clocks of a VM, for all vCPUs.
 *
 * On x86 the differences between the TSCs of the vCPUs stay; axvcpu_load() sets those of the saved
 * vCPUs. A guest with kvmclock can see that it was paused, and Linux then resets its watchdogs.
 *
 * @param vm     the VM. All vCPUs must have been set up.
 * @param clock  the clocks, by axvm_get_clock().
 * @param policy enum axvm_time_policy
 * @return 0; -EINVAL: an unknown policy, or a frequency of 0; -ENOTSUP: the backend has no clocks,
 *         or the host cannot give the counter the saved frequency; -EIO: KVM has not set the
 *         counter, since its offset was fixed by KVM_ARM_SET_COUNTER_OFFSET; -E2BIG; -ENOMEM;
 *         -EBADFD: there is no vCPU, or one is not set up; -EBUSY: one is in a run; -EPERM; errnos
 *         of the kernel.
 *
 * Threads: any; one call at a time, and no run meanwhile.
 */
AXVCPU_API int axvm_set_clock(struct axvm *vm, const struct axvm_clock *clock, uint32_t policy);

#ifdef __cplusplus
}
#endif

#endif
