/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/**
 * @file hal.h
 * The hardware abstraction layer (AxVCpuHal): what the library asks of its host.
 *
 * Every hook is optional: NULL means the default, which is Linux: guest memory by mmap, binding by
 * sched_setaffinity, no log, no host interrupts. A VM copies the table when it is created. No hook
 * is called on the path of an exit, but for irq_fetch after a signal. log, map_memory and
 * unmap_memory may be called with locks of the VM held: they must not map or unmap its memory,
 * allocate or free frames, or create vCPUs; reading and translating is allowed. A hook returns: it
 * must not end the thread or jump out. Thread cancellation is disabled while a hook runs, except in
 * alloc_frame, free_frame, phys_to_virt and virt_to_phys.
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

/** The hooks. Initialise with AXVCPU_HAL_INIT. */
struct axvcpu_hal {
	/** sizeof(struct axvcpu_hal) */
	size_t size;
	/** Handed to every hook. */
	void *ctx;

	/**
	 * Takes a message. Called by the thread that it concerns, perhaps by several at once.
	 * `message` is one line without a newline and lives as long as the call.
	 */
	void (*log)(void *ctx, enum axvcpu_log_level level, const char *message);

	/**
	 * Provides host memory for a region whose backing is not AXVM_MEM_CALLER.
	 *
	 * @param region what is wanted. The hook sets `hva` to a page-aligned address of at least
	 *               `len` bytes and, if a descriptor stands for the memory, `fd`. It adds
	 *               AXVM_MEM_TRUNCATABLE to `flags` if that is so.
	 * @return 0 or a negative errno, which axvm_map() passes on.
	 */
	int (*map_memory)(void *ctx, struct axvm_region *region);
	/**
	 * Takes back what map_memory gave. Set both or none. Several threads may be in these two at
	 * once.
	 */
	void (*unmap_memory)(void *ctx, const struct axvm_region *region);

	/**
	 * Pins the calling thread, for axvcpu_bind() and axvcpu_unbind().
	 *
	 * @param set  a cpu_set_t of `size` bytes, as for sched_setaffinity(). All CPUs, if
	 *             axvcpu_unbind() gave back the set from before bind and that was -EINVAL.
	 * @return 0 or a negative errno; -EINVAL if no CPU of the set may be used.
	 */
	int (*set_affinity)(void *ctx, const void *set, size_t size);
	/**
	 * Reads the calling thread's CPU set.
	 *
	 * @return 0; -EINVAL if `size` bytes are too few; another negative errno.
	 */
	int (*get_affinity)(void *ctx, void *set, size_t size);

	/**
	 * Asked when a signal interrupted a running vCPU and no kick explains it (irq_fetch).
	 *
	 * @param vector receives the number of the host interrupt that the signal stands for.
	 * @return 1 if there is one: run returns AXVCPU_EXIT_EXTERNAL_INTERRUPT; 0 if not.
	 */
	int (*irq_fetch)(void *ctx, uint64_t *vector);
	/** Handles what irq_fetch claimed, before run returns (irq_handler). */
	void (*irq_handler)(void *ctx, uint64_t vector);

	/**
	 * Provides a frame, for axvm_alloc_frame(): guest memory of one host page, zeroed.
	 *
	 * @param gpa receives its guest-physical address, a multiple of the host's page size.
	 * @return 0 or a negative errno, which is passed on.
	 */
	int (*alloc_frame)(void *ctx, struct axvm *vm, uint64_t *gpa);
	/**
	 * Takes one back (dealloc_frame). Set both or none.
	 *
	 * @return 0 or a negative errno, which axvm_free_frame() passes on; -ENOENT: no such frame.
	 */
	int (*free_frame)(void *ctx, struct axvm *vm, uint64_t gpa);

	/** Translates for axvm_phys_to_virt(). NULL: there is nothing. */
	void *(*phys_to_virt)(void *ctx, struct axvm *vm, uint64_t gpa);
	/**
	 * And back, for axvm_virt_to_phys(). Set both or none.
	 *
	 * @return 0 or a negative errno, which is passed on; -ENOENT: not guest memory.
	 */
	int (*virt_to_phys)(void *ctx, struct axvm *vm, const void *ptr, uint64_t *gpa);
};

/** Zero is every hook's default. */
#define AXVCPU_HAL_INIT AXVCPU_INIT(struct axvcpu_hal)

#ifdef __cplusplus
}
#endif

#endif
