/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/**
 * @file percpu.h
 * Per-CPU state (AxPerCpu): whether a host CPU can run guests, and switching that on and off.
 *
 * The object is the caller's, one for each host CPU; the library keeps none. KVM switches the
 * hardware on by itself, so its backends use the two as the right to do so: enabling probes
 * /dev/kvm and keeps it open, disabling closes it.
 */
#ifndef AXVCPU_PERCPU_H
#define AXVCPU_PERCPU_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <axvcpu/error.h>
#include <axvcpu/init.h>

#ifdef __cplusplus
extern "C" {
#endif

struct axvcpu_arch_ops;

/** The state of a host CPU. Initialise with AXPERCPU_INIT; the rest is axpercpu_init()'s. */
struct axpercpu {
	/** sizeof(struct axpercpu) */
	size_t size;
	const struct axvcpu_arch_ops *arch;
	/** The host CPU's number. */
	uint32_t cpu;
	/** Whether axpercpu_init() has been here. */
	uint8_t initialised;
	uint8_t enabled;
	uint8_t reserved[2];
	/** The backend's: KVM's descriptor of /dev/kvm. */
	uint64_t data[4];
};
#define AXPERCPU_INIT AXVCPU_INIT(struct axpercpu)

/**
 * Initialises the state of a host CPU: not enabled.
 *
 * @param percpu an object that AXPERCPU_INIT has begun.
 * @param cpu    the host CPU's number; the CPU must be there.
 * @param arch   the architecture; NULL: this host's.
 * @return 0; -EBADFD: it is initialised already; -EINVAL: no such CPU; -ENOTSUP: the architecture
 *         has no per-CPU state.
 *
 * Threads: one at a time, as all functions here. axvcpu: AxPerCpu::init.
 */
AXVCPU_API int axpercpu_init(struct axpercpu *percpu, uint32_t cpu,
			     const struct axvcpu_arch_ops *arch);

/**
 * Makes sure that the CPU can run guests.
 *
 * @return 0; -EBADFD: not initialised; -EALREADY: enabled; -ENODEV, -EACCES, -ENOTSUP as axvm_new().
 *
 * axvcpu: AxPerCpu::hardware_enable.
 */
AXVCPU_API int axpercpu_enable(struct axpercpu *percpu);

/**
 * Undoes axpercpu_enable(). VMs that exist go on.
 *
 * @return 0; -EBADFD: not enabled. axvcpu: AxPerCpu::hardware_disable.
 */
AXVCPU_API int axpercpu_disable(struct axpercpu *percpu);

/** Whether it is enabled; false if not even initialised. axvcpu: AxPerCpu::is_enabled. */
AXVCPU_API bool axpercpu_is_enabled(const struct axpercpu *percpu);

/**
 * Levels that the tables of guest-physical addresses have at most: 2 to 5.
 *
 * @return the number; -EBADFD: not enabled; -ENOTSUP.
 *
 * axvcpu: max_guest_page_table_levels.
 */
AXVCPU_API int axpercpu_guest_page_table_levels(const struct axpercpu *percpu);

/**
 * Asks for a capability of the hypervisor by its own number (KVM_CAP_*), without a VM.
 *
 * @return 0: not there; positive: there; -EBADFD: not enabled; -ENOTSUP; errnos of the kernel.
 */
AXVCPU_API int axpercpu_capability(const struct axpercpu *percpu, unsigned int capability);

/** The descriptor of /dev/kvm, for `kvm_fd` of VM configs; -EBADFD: not enabled; -ENOTSUP. */
AXVCPU_API int axpercpu_fd(const struct axpercpu *percpu);

/** Disables if enabled, and forgets all. NULL is nothing. axvcpu: drop. */
AXVCPU_API void axpercpu_destroy(struct axpercpu *percpu);

#ifdef __cplusplus
}
#endif

#endif
