/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/**
 * @file arch.h
 * The architecture abstraction (AxArchVCpu): what a backend implements. examples/custom_backend.c
 * is a whole one.
 *
 * The library checks arguments and states, serialises the operations on one vCPU, and makes it
 * axvcpu_current(), before it calls a backend. Operations return 0 or a negative errno; a failing
 * one has changed nothing, or so little that trying again works. A backend that returns an error
 * says why with axvcpu_fail(). An operation returns: it must not end the thread or jump out, and
 * calls functions that are cancellation points only with cancellation disabled.
 *
 * Entries marked optional may be NULL, which means -ENOTSUP, or nothing to do where noted.
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
struct axvm_config;
struct axvm_limits;
struct axvm_msi;
struct axvm_ioeventfd;
struct axvm_irqfd;
struct axvm_region;
struct axvm_route;
struct axvcpu;
struct axvcpu_config;
struct axvcpu_debug;
struct axvcpu_exception;
struct axvcpu_regs;
struct axvcpu_setup_config;

/**
 * An architecture. Initialise with `.size = sizeof(struct axvcpu_arch_ops)` and make it const:
 * the table must outlive every VM that uses it. Entries are only ever appended.
 */
struct axvcpu_arch_ops {
	size_t size;
	/** Its name, for messages. */
	const char *name;

	/* --- the VM. All optional: without them, guest memory is known to the library alone. --- */

	/**
	 * Creates the backend's part of a VM. Optional: `arch_vm` is NULL then.
	 *
	 * @param vm      the VM; it has no memory yet. Of it, only axvm_translate(), axvm_read(),
	 *                axvm_write(), axvm_regions() and axvcpu_fail() may be used, in later calls.
	 * @param config  a complete config, checked; its kick_signal is the one in use.
	 * @param limits  what it allows; preset to no limit, host page size, config's vCPUs.
	 * @param arch_vm receives the object.
	 */
	int (*vm_new)(struct axvm *vm, const struct axvm_config *config, struct axvm_limits *limits,
		      void **arch_vm);
	/** Destroys it; all its vCPUs are gone. Optional: nothing to do. */
	void (*vm_free)(void *arch_vm);
	/** Once, after the last vcpu_new and before the first run. Optional: nothing to do. */
	int (*vm_finalize)(void *arch_vm);
	/**
	 * Maps a region, checked against the limits and all other regions. Optional: nothing to do.
	 *
	 * @param region complete, with `hva`.
	 * @param slot   a number below limits.regions that no other region has.
	 */
	int (*vm_map)(void *arch_vm, const struct axvm_region *region, uint32_t slot);
	/** Takes a region away. Optional: nothing to do. */
	int (*vm_unmap)(void *arch_vm, const struct axvm_region *region, uint32_t slot);
	/** See axvm_capability(). Optional. */
	int (*vm_capability)(void *arch_vm, unsigned int capability);
	/** See axvm_fd(). Optional. */
	int (*vm_fd)(void *arch_vm);

	/* --- the vCPU ------------------------------------------------------------------------- */

	/** Creates the backend's part of a vCPU (new). `config` is complete and checked. */
	int (*vcpu_new)(void *arch_vm, const struct axvcpu_config *config, void **arch_vcpu);
	/** Destroys it. */
	void (*vcpu_free)(void *arch_vcpu);
	/** Before setup: notes the entry point. After it: sets the program counter (set_entry). */
	int (*set_entry)(void *arch_vcpu, uint64_t entry);
	/** Before setup: notes the root of the guest-physical map (set_ept_root). */
	int (*set_ept_root)(void *arch_vcpu, uint64_t root);
	/** Builds the first state (setup). `config` is complete. May be called again if it failed. */
	int (*setup)(void *arch_vcpu, const struct axvcpu_setup_config *config);
	/**
	 * Runs until there is an exit to report (run). Writes `exit`, except `kicked`, which the library
	 * has zeroed: it only sets that if it answers a kick. AXVCPU_EXIT_NOTHING is never answerable.
	 */
	int (*run)(void *arch_vcpu, struct axvcpu_exit *exit);
	/** The calling thread becomes the owner; it is pinned already (bind). Optional: nothing. */
	int (*bind)(void *arch_vcpu);
	/** The owner gives it up (unbind). Optional: nothing to do. */
	int (*unbind)(void *arch_vcpu);
	/**
	 * Answers the latest exit. The library has seen that it is answerable and unanswered. -EINVAL
	 * if it does not take this answer. Optional: no exit can be answered.
	 */
	int (*complete)(void *arch_vcpu, const struct axvcpu_answer *answer);
	/** See axvcpu_flush(). Optional: nothing to do. */
	int (*flush)(void *arch_vcpu);
	/** See axvcpu_kick(). From any thread, at any time, async-signal-safe. Optional. */
	int (*kick)(void *arch_vcpu);
	/** See regs.h. -ENOENT for an id that it does not know. */
	int (*get_reg)(void *arch_vcpu, uint64_t id, uint64_t *value);
	int (*set_reg)(void *arch_vcpu, uint64_t id, uint64_t value);
	/** All general registers. */
	int (*get_regs)(void *arch_vcpu, struct axvcpu_regs *regs);
	int (*set_regs)(void *arch_vcpu, const struct axvcpu_regs *regs);
	/** Sets the register that holds a call's result (set_return_value). */
	int (*set_return_value)(void *arch_vcpu, uint64_t value);
	/** See axvcpu_reg_info(). Optional. */
	int (*reg_info)(unsigned int n, uint64_t *id, const char **name);
	/** See axvcpu_fd(). Optional. */
	int (*vcpu_fd)(void *arch_vcpu);

	/* --- more of the vCPU, all optional ----------------------------------------------------- */

	/**
	 * Builds the state of setup anew, at another entry and with another argument. `start`: as
	 * another CPU starts it (axvcpu_start()), not as a reset does.
	 */
	int (*reset)(void *arch_vcpu, uint64_t entry, uint64_t arg, bool start);
	/** See interrupt.h. By the owner, or anybody if the vCPU has none. */
	int (*inject_interrupt)(void *arch_vcpu, uint32_t vector);
	/**
	 * The same from any thread at any time, for controllers that the kernel emulates. -EAGAIN:
	 * not in this VM, the owner must do it.
	 */
	int (*inject_anywhere)(void *arch_vcpu, uint32_t vector);
	int (*inject_nmi)(void *arch_vcpu);
	int (*inject_exception)(void *arch_vcpu, const struct axvcpu_exception *exception);
	int (*set_irq_line)(void *arch_vcpu, uint32_t line, bool level);
	int (*request_irq_window)(void *arch_vcpu);
	/** See debug.h. `debug` is complete; without points and flags it is off. */
	int (*set_debug)(void *arch_vcpu, const struct axvcpu_debug *debug);
	int (*translate)(void *arch_vcpu, uint64_t gva, uint64_t *gpa);
	int (*vcpu_enable_capability)(void *arch_vcpu, unsigned int capability,
				      const uint64_t args[4]);

	/* --- more of the VM, all optional ------------------------------------------------------- */

	/** See axvm_enable_capability(). */
	int (*vm_enable_capability)(void *arch_vm, unsigned int capability, const uint64_t args[4]);
	/** See interrupt.h. From any thread. */
	int (*vm_set_irq_line)(void *arch_vm, uint32_t gsi, bool level);
	int (*vm_signal_msi)(void *arch_vm, const struct axvm_msi *msi);
	int (*vm_set_routes)(void *arch_vm, const struct axvm_route *routes, size_t count);
	int (*vm_irqfd)(void *arch_vm, const struct axvm_irqfd *irqfd);
	int (*vm_ioeventfd)(void *arch_vm, const struct axvm_ioeventfd *ioeventfd);

	/* --- host CPUs, all optional ------------------------------------------------------------ */

	/*
	 * See percpu.h. The first two or neither; the others as the backend has them. `data` is the
	 * object's: zero before enable, and forgotten when enable fails and after disable.
	 */
	int (*percpu_enable)(uint32_t cpu, uint64_t data[4]);
	void (*percpu_disable)(uint64_t data[4]);
	int (*percpu_guest_page_table_levels)(const uint64_t data[4]);
	int (*percpu_capability)(const uint64_t data[4], unsigned int capability);
	int (*percpu_fd)(const uint64_t data[4]);

	/* --- registers by the hypervisor's own ids, all optional -------------------------------- */

	/** See regs.h. The length is not checked; -ENOENT for an id that it does not know. */
	int (*get_reg_bytes)(void *arch_vcpu, uint64_t id, void *buf, size_t len);
	int (*set_reg_bytes)(void *arch_vcpu, uint64_t id, const void *buf, size_t len);
	int (*reg_list)(void *arch_vcpu, uint64_t *ids, size_t count);
};

/**
 * Leaves a failure message for axvcpu_last_error() and the VM's log hook.
 *
 * @param vm  the VM concerned; NULL: no log hook.
 * @param err the errno, negative.
 * @param fmt what failed, as for printf, without a newline. The errno's name is appended.
 * @return `err`.
 *
 * Threads: any. Not async-signal-safe.
 */
AXVCPU_API int axvcpu_fail(const struct axvm *vm, int err, const char *fmt, ...)
	AXVCPU_PRINTF(3, 4);

/** The host's own architecture over KVM: what a NULL `arch` in the VM's config means. */
AXVCPU_API const struct axvcpu_arch_ops *axvcpu_host_arch(void);

#ifdef __cplusplus
}
#endif

#endif
