/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/**
 * @file percpu.h
 * Host CPUs: whether a CPU can run guests, and enabling it (AxPerCpu).
 *
 * The caller owns one object for each host CPU; the library keeps none. KVM itself enables the
 * virtualization hardware. So with the KVM backends, axpercpu_enable() tests /dev/kvm and keeps it
 * open, and axpercpu_disable() closes it.
 *
 * A VMM does not need these functions.
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

/**
 * The state of a host CPU. Initialise with AXPERCPU_INIT, then axpercpu_init().
 *
 * Source: AxPerCpu
 */
struct axpercpu {
	/** sizeof(struct axpercpu) */
	size_t size;
	/** The backend; set by axpercpu_init(). */
	const struct axvcpu_arch_ops *arch;
	/** Number of the host CPU; set by axpercpu_init(). */
	uint32_t cpu;
	/** 1 after axpercpu_init(). */
	uint8_t initialised;
	/** 1 while it is enabled. */
	uint8_t enabled;
	uint8_t reserved[2];
	/** For the backend. KVM: the descriptor of /dev/kvm. */
	uint64_t data[4];
};
#define AXPERCPU_INIT AXVCPU_INIT(struct axpercpu)

/**
 * Initialises the state of a host CPU, as not enabled.
 *
 * @param percpu the object, initialised with AXPERCPU_INIT.
 * @param cpu    number of the host CPU, which must exist.
 * @param arch   the backend; NULL: the host's architecture over KVM.
 * @return 0; -EBADFD: it is already initialised; -EINVAL: the host has no such CPU, or an argument
 *         is not valid; -E2BIG; -ENOTSUP: the backend has no per-CPU state.
 *
 * Threads: one at a time for each object.
 * Source: AxPerCpu::init()
 */
AXVCPU_API int axpercpu_init(struct axpercpu *percpu, uint32_t cpu,
			     const struct axvcpu_arch_ops *arch);

/**
 * Enables a host CPU, and verifies that it can run guests.
 *
 * @param percpu the state of the CPU.
 * @return 0; -EBADFD: it is not initialised; -EALREADY: it is already enabled; -ENODEV; -EACCES;
 *         -ENOTSUP; errnos of the kernel.
 *
 * Threads: one at a time for each object.
 * Source: AxPerCpu::hardware_enable()
 */
AXVCPU_API int axpercpu_enable(struct axpercpu *percpu);

/**
 * Disables a host CPU. Existing VMs continue to work.
 *
 * @param percpu the state of the CPU.
 * @return 0; -EBADFD: it is not enabled.
 *
 * Threads: one at a time for each object.
 * Source: AxPerCpu::hardware_disable()
 */
AXVCPU_API int axpercpu_disable(struct axpercpu *percpu);

/**
 * Tells whether a host CPU is enabled.
 *
 * @param percpu the state of the CPU.
 * @return true if it is initialised and enabled.
 *
 * Threads: one at a time for each object.
 * Source: AxPerCpu::is_enabled()
 */
AXVCPU_API bool axpercpu_is_enabled(const struct axpercpu *percpu);

/**
 * Returns the largest number of levels that page tables of guest-physical addresses can have.
 *
 * @param percpu the state of the CPU.
 * @return the number of levels, 2 to 5; -EBADFD: it is not enabled; -ENOTSUP; errnos of the kernel.
 *
 * Threads: one at a time for each object.
 * Source: AxPerCpu::max_guest_page_table_levels()
 */
AXVCPU_API int axpercpu_guest_page_table_levels(const struct axpercpu *percpu);

/**
 * Queries a KVM capability (KVM_CHECK_EXTENSION) without a VM.
 *
 * @param percpu     the state of the CPU.
 * @param capability its number (KVM_CAP_*).
 * @return 0: not supported; positive: supported, a value that depends on the capability; -EBADFD:
 *         it is not enabled; -ENOTSUP: the backend has no capabilities; errnos of the kernel.
 *
 * Threads: one at a time for each object.
 */
AXVCPU_API int axpercpu_capability(const struct axpercpu *percpu, unsigned int capability);

/**
 * Returns the descriptor of /dev/kvm, for `kvm_fd` of struct axvm_config.
 *
 * The descriptor remains the library's. Do not close it.
 *
 * @param percpu the state of the CPU.
 * @return the descriptor; -EBADFD: it is not enabled; -ENOTSUP: the backend has none.
 *
 * Threads: one at a time for each object.
 */
AXVCPU_API int axpercpu_fd(const struct axpercpu *percpu);

/**
 * Disables a host CPU if it is enabled, and clears its state.
 *
 * @param percpu the state of the CPU; may be NULL, then nothing happens.
 *
 * Threads: one at a time for each object.
 * Source: AxPerCpu::drop()
 */
AXVCPU_API void axpercpu_destroy(struct axpercpu *percpu);

#ifdef __cplusplus
}
#endif

#endif
