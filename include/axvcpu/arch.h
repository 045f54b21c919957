/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/**
 * @file arch.h
 * Backends: the operations table that implements an architecture (AxArchVCpu).
 *
 * examples/custom_backend.c is a complete backend. Before the library calls a backend, it checks
 * arguments and states, serialises the operations on one vCPU (except kick, inject_anywhere,
 * reg_info and vcpu_fd), and makes the vCPU axvcpu_current(). An operation returns 0 or a negative
 * errno. On failure it leaves the vCPU unchanged, or in a state from which the same call can be
 * repeated. It reports the reason with axvcpu_fail().
 *
 * Operations on different vCPUs, and those on the VM, may be called by several threads at the same
 * time, with these exceptions: vm_map, vm_unmap, vm_set_dirty_log and vm_get_dirty exclude each
 * other, as do vcpu_new, vcpu_free and vm_finalize.
 *
 * An operation must return: it must not end the thread or jump out. It calls functions that are
 * cancellation points only with cancellation disabled.
 *
 * Entries that are marked optional may be NULL. The call then fails with -ENOTSUP, except where
 * noted otherwise.
 */
#ifndef AXVCPU_ARCH_H
#define AXVCPU_ARCH_H

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
struct axvm_clock;
struct axvm_config;
struct axvm_limits;
struct axvm_msi;
struct axvm_ioeventfd;
struct axvm_irqfd;
struct axvm_region;
struct axvm_route;
struct axvm_sysreg_range;
struct axvcpu;
struct axvcpu_config;
struct axvcpu_cpu_mode;
struct axvcpu_debug;
struct axvcpu_exception;
struct axvcpu_loader;
struct axvcpu_regs;
struct axvcpu_saver;
struct axvcpu_setup_config;
struct axvcpu_translation;

/**
 * The operations of a backend. Initialise with `.size = sizeof(struct axvcpu_arch_ops)`, and make
 * the table const. It must outlive every VM that uses it. New entries are appended.
 *
 * Source: AxArchVCpu
 */
struct axvcpu_arch_ops {
	/** sizeof(struct axvcpu_arch_ops) */
	size_t size;
	/** Name of the architecture, for messages. */
	const char *name;

	/* --- the VM; all optional: without them, only the library knows guest memory ---------- */

	/**
	 * Creates the backend's part of a VM. Optional: `arch_vm` is then NULL.
	 *
	 * @param vm      the VM, which has no memory yet. In later operations, only
	 *                axvm_translate(), axvm_read(), axvm_write(), axvm_regions() and
	 *                axvcpu_fail() may be called on it.
	 * @param config  the config, complete and checked; its kick_signal is the one in use.
	 * @param limits  the limits of the VM, which the backend may lower; preset to no limit, the
	 *                host page size, and the vCPUs of the config.
	 * @param arch_vm receives the object.
	 */
	int (*vm_new)(struct axvm *vm, const struct axvm_config *config, struct axvm_limits *limits,
		      void **arch_vm);
	/** Destroys the object of vm_new, after all vCPUs. Optional: nothing to do. */
	void (*vm_free)(void *arch_vm);
	/**
	 * Called once, after the last vcpu_new and before the first run. Optional: nothing to do.
	 */
	int (*vm_finalize)(void *arch_vm);
	/**
	 * Maps a region that was checked against the limits and all other regions. Optional:
	 * nothing to do.
	 *
	 * @param arch_vm the object of vm_new.
	 * @param region  the region, complete with `hva`.
	 * @param slot    a number below `regions` of the limits, which no other region has.
	 */
	int (*vm_map)(void *arch_vm, const struct axvm_region *region, uint32_t slot);
	/** Unmaps a region. Optional: nothing to do. */
	int (*vm_unmap)(void *arch_vm, const struct axvm_region *region, uint32_t slot);
	/** See axvm_capability(). Optional. */
	int (*vm_capability)(void *arch_vm, unsigned int capability);
	/** See axvm_fd(). Optional. */
	int (*vm_fd)(void *arch_vm);

	/* --- the vCPU ------------------------------------------------------------------------- */

	/** Creates the backend's part of a vCPU. The config is complete and checked. */
	int (*vcpu_new)(void *arch_vm, const struct axvcpu_config *config, void **arch_vcpu);
	/** Destroys the object of vcpu_new. */
	void (*vcpu_free)(void *arch_vcpu);
	/** Before setup: stores the entry point. After setup: sets the program counter. */
	int (*set_entry)(void *arch_vcpu, uint64_t entry);
	/** Before setup: stores the root of the guest-physical address map. */
	int (*set_ept_root)(void *arch_vcpu, uint64_t root);
	/** Sets the first state of a vCPU. The config is complete. Called again if it failed. */
	int (*setup)(void *arch_vcpu, const struct axvcpu_setup_config *config);
	/**
	 * Runs the vCPU until its next exit. Writes `exit`, except `kicked`: the library has zeroed
	 * that, and the backend sets it only if the exit answers a kick. AXVCPU_EXIT_NOTHING never
	 * takes an answer.
	 */
	int (*run)(void *arch_vcpu, struct axvcpu_exit *exit);
	/** The calling thread becomes the owner; it has been pinned. Optional: nothing to do. */
	int (*bind)(void *arch_vcpu);
	/** The owner releases the vCPU. Optional: nothing to do. */
	int (*unbind)(void *arch_vcpu);
	/**
	 * Answers the latest exit, which takes an answer and has none yet. Returns -EINVAL for an
	 * answer that the exit does not take. Optional: no exit takes an answer.
	 */
	int (*complete)(void *arch_vcpu, const struct axvcpu_answer *answer);
	/** See axvcpu_flush(). Optional: nothing to do. */
	int (*flush)(void *arch_vcpu);
	/**
	 * See axvcpu_kick(). Called from any thread, at any time; must be async-signal-safe.
	 * Optional.
	 */
	int (*kick)(void *arch_vcpu);
	/** See regs.h. Return -ENOENT for an unknown id. */
	int (*get_reg)(void *arch_vcpu, uint64_t id, uint64_t *value);
	int (*set_reg)(void *arch_vcpu, uint64_t id, uint64_t value);
	/** All general registers; see axvcpu_get_regs(). */
	int (*get_regs)(void *arch_vcpu, struct axvcpu_regs *regs);
	int (*set_regs)(void *arch_vcpu, const struct axvcpu_regs *regs);
	/** Sets the register that holds the result of a call; see axvcpu_set_return_value(). */
	int (*set_return_value)(void *arch_vcpu, uint64_t value);
	/** See axvcpu_reg_info(). Optional. */
	int (*reg_info)(unsigned int n, uint64_t *id, const char **name);
	/** See axvcpu_fd(). Optional. */
	int (*vcpu_fd)(void *arch_vcpu);

	/* --- more of the vCPU, all optional --------------------------------------------------- */

	/**
	 * Sets the state of setup again, with another entry point and argument. `start`: as for
	 * another CPU that starts this one (axvcpu_start()), not as for a reset. Optional.
	 */
	int (*reset)(void *arch_vcpu, uint64_t entry, uint64_t arg, bool start);
	/**
	 * See interrupt.h. Called by the owner, or by any thread if the vCPU has none. Optional.
	 */
	int (*inject_interrupt)(void *arch_vcpu, uint32_t vector);
	/**
	 * Injects an interrupt from any thread at any time, for in-kernel controllers. Returns
	 * -EAGAIN if the owner must do it in this VM. Optional.
	 */
	int (*inject_anywhere)(void *arch_vcpu, uint32_t vector);
	/** See interrupt.h. Optional. */
	int (*inject_nmi)(void *arch_vcpu);
	int (*inject_exception)(void *arch_vcpu, const struct axvcpu_exception *exception);
	int (*set_irq_line)(void *arch_vcpu, uint32_t line, bool level);
	int (*request_irq_window)(void *arch_vcpu);
	/**
	 * See debug.h. `debug` is complete; without points and flags debugging is off. Optional.
	 */
	int (*set_debug)(void *arch_vcpu, const struct axvcpu_debug *debug);
	/** Not called if there is a translate_access. */
	int (*translate)(void *arch_vcpu, uint64_t gva, uint64_t *gpa);
	int (*vcpu_enable_capability)(void *arch_vcpu, unsigned int capability,
				      const uint64_t args[4]);

	/* --- more of the VM, all optional ----------------------------------------------------- */

	/** See axvm_enable_capability(). Optional. */
	int (*vm_enable_capability)(void *arch_vm, unsigned int capability, const uint64_t args[4]);
	/** See interrupt.h. Called from any thread. Optional. */
	int (*vm_set_irq_line)(void *arch_vm, uint32_t gsi, bool level);
	int (*vm_signal_msi)(void *arch_vm, const struct axvm_msi *msi);
	int (*vm_set_routes)(void *arch_vm, const struct axvm_route *routes, size_t count);
	int (*vm_irqfd)(void *arch_vm, const struct axvm_irqfd *irqfd);
	int (*vm_ioeventfd)(void *arch_vm, const struct axvm_ioeventfd *ioeventfd);

	/* --- host CPUs, all optional ---------------------------------------------------------- */

	/**
	 * See percpu.h. Set percpu_enable and percpu_disable, or neither; the others are optional.
	 * `data` belongs to the object: it is zero before enable, and is cleared when enable fails
	 * and after disable.
	 */
	int (*percpu_enable)(uint32_t cpu, uint64_t data[4]);
	void (*percpu_disable)(uint64_t data[4]);
	int (*percpu_guest_page_table_levels)(const uint64_t data[4]);
	int (*percpu_capability)(const uint64_t data[4], unsigned int capability);
	int (*percpu_fd)(const uint64_t data[4]);

	/* --- registers by KVM id, all optional ------------------------------------------------ */

	/**
	 * See regs.h. `len` is axvcpu_reg_size() of the id. Not called for ids of this library of 8
	 * bytes: those are for get_reg and set_reg. Return -ENOENT for an unknown id. Optional.
	 */
	int (*get_reg_bytes)(void *arch_vcpu, uint64_t id, void *buf, size_t len);
	int (*set_reg_bytes)(void *arch_vcpu, uint64_t id, const void *buf, size_t len);
	int (*reg_list)(void *arch_vcpu, uint64_t *ids, size_t count);

	/* --- reset of a whole VM, all optional ---------------------------------------------------- */

	/**
	 * Resets what belongs to no vCPU: interrupt controllers and their lines. Called while no
	 * vCPU executes, before each vCPU is reset. See axvm_reset(). Optional: nothing to do.
	 */
	int (*vm_reset)(void *arch_vm);
	/**
	 * Called after `reset` of a vCPU: resets what only a reset of the whole VM changes, such as
	 * whether the hypervisor has switched a secondary CPU on. Optional: nothing to do.
	 */
	int (*vm_reset_vcpu)(void *arch_vcpu);
	/* --- interrupts: trigger modes, routes, ends; all optional -------------------------------- */

	/**
	 * Injects as inject_anywhere does, with enum axvcpu_trigger. Returns -EAGAIN if
	 * axvcpu_inject_interrupt() does the same in this VM. Optional.
	 */
	int (*inject_with_trigger)(void *arch_vcpu, uint32_t vector, uint32_t trigger);
	/**
	 * Stores up to `count` of the routes that the VM has at first, and in *end the number of
	 * interrupt numbers, at most INT_MAX; axvm_add_route() chooses from *first on. Returns how
	 * many routes there are. Optional: routes can only be replaced.
	 */
	int (*vm_default_routes)(void *arch_vm, struct axvm_route *routes, size_t count,
				 uint32_t *first, uint32_t *end);
	/**
	 * Returns how the end of the interrupt with this route is reported: AXVM_IRQ_END_*.
	 * Optional.
	 */
	int (*vm_irq_end)(void *arch_vm, const struct axvm_route *route);
	/** With AXVM_IRQ_END_EXIT: whether an EOI exit with the vector ends the route. */
	bool (*route_ends)(const struct axvm_route *route, uint64_t vector);
	/* --- devices, all optional ---------------------------------------------------------------- */

	/**
	 * Gathers the writes to a range without an exit for each, or ends that; see
	 * AXVM_RANGE_COALESCED. The range was checked. Optional, as vcpu_take_coalesced.
	 *
	 * @param arch_vm the object of vm_new.
	 * @param space   AXVM_SPACE_MMIO or AXVM_SPACE_PORT.
	 * @param base    first address or port of the range.
	 * @param len     its length.
	 * @param on      true: begin; false: end, after a begin of the same range.
	 */
	int (*vm_coalesce)(void *arch_vm, uint32_t space, uint64_t base, uint64_t len, bool on);
	/**
	 * Takes the oldest gathered write of the VM of this vCPU. Called by one thread at a time,
	 * also while other threads operate on the vCPU. Returns the number of writes before the
	 * call: if it is 0, `write` is unchanged; otherwise it is an MMIO_WRITE or an IO_WRITE of
	 * one item, with `data`, and without `buf`. Optional.
	 */
	int (*vcpu_take_coalesced)(void *arch_vcpu, struct axvcpu_exit *write);
	/**
	 * A write of a system register also reads it: SYSREG_WRITE exits take its previous value as
	 * an answer.
	 */
	bool sysreg_write_reads;
	/* --- mode, permissions, forwarded registers, all optional ----------------------------- */

	/** See axvcpu_get_cpu_mode(); `mode` is zero except `size`. Optional. */
	int (*get_cpu_mode)(void *arch_vcpu, struct axvcpu_cpu_mode *mode);
	/**
	 * See axvcpu_translate_access(); `translation` is zero except `size`. Optional:
	 * axvcpu_translate() uses `translate`.
	 */
	int (*translate_access)(void *arch_vcpu, uint64_t gva,
				struct axvcpu_translation *translation);
	/** See axvm_set_sysregs(); the ranges are valid. One call at a time. Optional. */
	int (*vm_set_sysregs)(void *arch_vm, const struct axvm_sysreg_range *ranges,
			      uint32_t count);
	/* --- dirty tracking: both, or neither ------------------------------------------------- */

	/**
	 * Begins or ends recording the pages of a mapped region that the guest writes to: the
	 * region is the mapped one, with or without AXVM_MEM_LOG_DIRTY. vm_map with this flag
	 * begins at once, and vm_unmap ends it. Optional, as vm_get_dirty.
	 */
	int (*vm_set_dirty_log)(void *arch_vm, const struct axvm_region *region, uint32_t slot);
	/**
	 * Stores which pages of a recorded region the guest has written to since the previous call,
	 * and forgets them. Each later write to such a page is recorded again. On failure none is
	 * forgotten. Optional.
	 *
	 * @param arch_vm the object of vm_new.
	 * @param region  the region.
	 * @param slot    its slot.
	 * @param bitmap  a bit for each page of `page_size` of the limits; bit n of word w is page
	 *                64 * w + n. All words are stored.
	 */
	int (*vm_get_dirty)(void *arch_vm, const struct axvm_region *region, uint32_t slot,
			    uint64_t *bitmap);
	/* --- saving and loading, clocks; all optional ----------------------------------------- */

	/**
	 * Saves the state of the vCPU by axvcpu_save_section(), see axvcpu_save(). Its exits were
	 * flushed and need no answer. Returns -EBADFD if a flush has ended in another exit.
	 */
	int (*save)(void *arch_vcpu, struct axvcpu_saver *saver);
	/**
	 * Loads the state: finds its sections by axvcpu_load_section(), checks them, and checks that
	 * the host has the features that they need, as far as it can; completes and drops open exits,
	 * calls axvcpu_load_begin(), and changes the vCPU, at least the parts of axvcpu_load_parts().
	 * axvcpu_load_alloc() lets it check a state once. Needs `save`.
	 */
	int (*load)(void *arch_vcpu, struct axvcpu_loader *loader);
	/** See axvm_get_clock(); `clock` is zero except `size`. Called for one vCPU of the VM. */
	int (*get_clock)(void *arch_vcpu, struct axvm_clock *clock);
	/**
	 * Sets the clocks of the VM. Called for one vCPU, that of get_clock.
	 *
	 * @param arch_vcpu the vCPU.
	 * @param saved     the clocks as they were saved.
	 * @param target    the clocks that the VM must have now; NULL: they stay.
	 */
	int (*set_clock)(void *arch_vcpu, const struct axvm_clock *saved,
			 const struct axvm_clock *target);
	/**
	 * Adds `delta`, modulo 2^64, to the counter of the vCPU. Called for each vCPU before
	 * set_clock. NULL: set_clock sets the counter of all.
	 */
	int (*shift_counter)(void *arch_vcpu, uint64_t delta);
	/**
	 * Saves the interrupt controllers and lines of the VM by axvcpu_save_section(), see
	 * axvm_save(). No vCPU is in a run.
	 */
	int (*vm_save)(void *arch_vm, struct axvcpu_saver *saver);
	/**
	 * Loads them: finds its sections by axvcpu_load_section() and checks them, calls
	 * axvcpu_load_begin(), and changes the controllers. Needs `vm_save`.
	 */
	int (*vm_load)(void *arch_vm, struct axvcpu_loader *loader);
	/* --- clones: see axvm_checkpoint_clone(); both optional ------------------------------- */

	/**
	 * Sets up a vCPU as the one whose saved state this is, instead of set_entry, set_ept_root
	 * and setup. `save` adds sections with AXVCPU_SECTION_OPTIONAL for this, which `load` does
	 * not need; this finds and checks them. `load` of the same state follows, so registers need
	 * no values. The guest memory is that of the checkpoint, and must not be written. Optional:
	 * VMs cannot be cloned.
	 */
	int (*setup_saved)(void *arch_vcpu, struct axvcpu_loader *loader);
	/**
	 * Size of the struct that `arch_config` of struct axvm_config points to. It begins with its
	 * size and has no pointers, so checkpoints can hold it. 0: clones have no `arch_config`.
	 */
	size_t arch_config_size;
};

/** By AXVM_EVENT_RESAMPLE of vm_irqfd. */
#define AXVM_IRQ_END_RESAMPLE 0
/** By AXVCPU_EXIT_EOI. */
#define AXVM_IRQ_END_EXIT 1

/**
 * Reports a failure of a backend.
 *
 * The message is stored for axvcpu_last_error(), and passed to the log hook.
 *
 * @param vm  the VM concerned; NULL: no log hook is called.
 * @param err a negative errno.
 * @param fmt description of the failure, as for printf(), without a newline. The name of the errno
 *            is appended.
 * @param ... arguments of `fmt`.
 * @return `err`.
 *
 * Threads: any. Not async-signal-safe.
 */
AXVCPU_API int axvcpu_fail(const struct axvm *vm, int err, const char *fmt, ...)
	AXVCPU_PRINTF(3, 4);

/**
 * Returns the KVM backend of the host's architecture.
 *
 * It is used if `arch` of struct axvm_config is NULL.
 *
 * @return the table, a constant.
 *
 * Threads: any.
 */
AXVCPU_API const struct axvcpu_arch_ops *axvcpu_host_arch(void);

#ifdef __cplusplus
}
#endif

#endif
