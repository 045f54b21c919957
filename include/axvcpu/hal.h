/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/**
 * @file hal.h
 * Host hooks: the functions that the library calls on its host (AxVCpuHal).
 *
 * All hooks are optional. NULL selects the default for Linux: guest memory by mmap, binding by
 * sched_setaffinity, no log, no host interrupts. A VM copies the table when it is created. No hook
 * is called on the path of an exit, except irq_fetch and irq_handler after a signal.
 *
 * The library may hold locks of the VM while it calls log, map_memory and unmap_memory, and in
 * axvcpu_free() while it calls free_frame. These hooks must not map or unmap memory of the VM,
 * allocate or free frames, or create, free or list vCPUs. They may read
 * guest memory and translate addresses.
 *
 * A hook must return: it must not end the thread or jump out. Thread cancellation is disabled while
 * a hook runs, except in phys_to_virt and virt_to_phys.
 */
#ifndef AXVCPU_HAL_H
#define AXVCPU_HAL_H

#include <stddef.h>
#include <stdint.h>

#include <axvcpu/error.h>
#include <axvcpu/init.h>

struct axvm;
struct axvm_region;

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Hooks for the host. Initialise with AXVCPU_HAL_INIT. NULL is the default of each hook.
 *
 * Source: AxVCpuHal
 */
struct axvcpu_hal {
	/** sizeof(struct axvcpu_hal) */
	size_t size;
	/** Passed to every hook. */
	void *ctx;

	/**
	 * Receives a log message. Called by the thread that the message concerns, possibly by
	 * several threads at the same time.
	 *
	 * @param ctx     `ctx` of this table.
	 * @param level   severity of the message.
	 * @param message one line without a newline, valid until the hook returns.
	 */
	void (*log)(void *ctx, enum axvcpu_log_level level, const char *message);

	/**
	 * Provides host memory for a region whose backing is not AXVM_MEM_CALLER. Several threads
	 * may call it and unmap_memory at the same time. Set both or neither.
	 *
	 * @param ctx    `ctx` of this table.
	 * @param region the region to provide. The hook sets `hva` to a page-aligned address of at
	 *               least `len` bytes and, if the memory has a file descriptor, `fd`. If the
	 *               memory may be truncated, it adds AXVM_MEM_TRUNCATABLE to `flags`.
	 * @return 0 or a negative errno, which axvm_map() returns.
	 */
	int (*map_memory)(void *ctx, struct axvm_region *region);
	/**
	 * Releases memory that map_memory has provided.
	 *
	 * @param ctx    `ctx` of this table.
	 * @param region the region, as map_memory completed it.
	 */
	void (*unmap_memory)(void *ctx, const struct axvm_region *region);

	/**
	 * Pins the calling thread, for axvcpu_bind(), axvcpu_unbind() and axvcpu_free().
	 *
	 * @param ctx  `ctx` of this table.
	 * @param set  a cpu_set_t, as for sched_setaffinity(). It has all CPUs if axvcpu_unbind()
	 *             restored the previous set and the hook returned -EINVAL for it.
	 * @param size size of the set in bytes.
	 * @return 0 or a negative errno; -EINVAL: the thread may use no CPU of the set.
	 */
	int (*set_affinity)(void *ctx, const void *set, size_t size);
	/**
	 * Reads the CPU set of the calling thread.
	 *
	 * @param ctx  `ctx` of this table.
	 * @param set  receives the cpu_set_t.
	 * @param size size of the set in bytes.
	 * @return 0 or a negative errno; -EINVAL: `size` is too small.
	 */
	int (*get_affinity)(void *ctx, void *set, size_t size);

	/**
	 * Tells whether a signal stands for a host interrupt. Called when a signal has interrupted
	 * a running vCPU and no kick explains it.
	 *
	 * @param ctx    `ctx` of this table.
	 * @param vector receives the number of the host interrupt.
	 * @return 1: it does, and axvcpu_run() returns an EXTERNAL_INTERRUPT exit; 0: it does not.
	 */
	int (*irq_fetch)(void *ctx, uint64_t *vector);
	/**
	 * Handles the host interrupt that irq_fetch has reported, before axvcpu_run() returns.
	 *
	 * @param ctx    `ctx` of this table.
	 * @param vector the number from irq_fetch.
	 */
	void (*irq_handler)(void *ctx, uint64_t vector);

	/**
	 * Provides a frame for axvm_alloc_frame(): one host page of guest memory, zeroed. Set it
	 * and free_frame, or neither.
	 *
	 * @param ctx `ctx` of this table.
	 * @param vm  the VM.
	 * @param gpa receives the guest-physical address, a multiple of the page size of the host.
	 * @return 0 or a negative errno, which axvm_alloc_frame() returns.
	 */
	int (*alloc_frame)(void *ctx, struct axvm *vm, uint64_t *gpa);
	/**
	 * Takes a frame back, for axvm_free_frame() (the crate's dealloc_frame).
	 *
	 * @param ctx `ctx` of this table.
	 * @param vm  the VM.
	 * @param gpa the address of the frame.
	 * @return 0 or a negative errno, which axvm_free_frame() returns; -ENOENT: no such frame.
	 */
	int (*free_frame)(void *ctx, struct axvm *vm, uint64_t gpa);

	/**
	 * Translates an address for axvm_phys_to_virt(). Set it and virt_to_phys, or neither.
	 *
	 * @param ctx `ctx` of this table.
	 * @param vm  the VM.
	 * @param gpa the guest-physical address.
	 * @return the host address; NULL: the address is not guest memory.
	 */
	void *(*phys_to_virt)(void *ctx, struct axvm *vm, uint64_t gpa);
	/**
	 * Translates an address for axvm_virt_to_phys().
	 *
	 * @param ctx `ctx` of this table.
	 * @param vm  the VM.
	 * @param ptr the host address.
	 * @param gpa receives the guest-physical address.
	 * @return 0 or a negative errno, which axvm_virt_to_phys() returns; -ENOENT: not guest
	 *         memory.
	 */
	int (*virt_to_phys)(void *ctx, struct axvm *vm, const void *ptr, uint64_t *gpa);
};

/** Zero is every hook's default. */
#define AXVCPU_HAL_INIT AXVCPU_INIT(struct axvcpu_hal)

#ifdef __cplusplus
}
#endif

#endif
