/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/**
 * @file dirty.h
 * Dirty tracking: which pages of guest memory have changed.
 *
 * Each region has a log, which is off at first. While it is on, it records the pages that change:
 *
 * - by the guest, and by the hypervisor on its behalf;
 * - by axvm_write() and axvm_set(), by axvm_alloc_frame(), which zeroes a frame, by axvm_reset()
 *   with AXVM_RESET_MEMORY, and by everything that uses these;
 * - by axvm_mark_dirty(), which the caller must call after every write through a pointer: one from
 *   axvm_translate() or axvm_phys_to_virt(), a shared mapping, a file, or a device of the kernel
 *   such as vhost. Neither the hypervisor nor this library sees these writes.
 *
 * A log has one reader, which takes the recorded pages by axvm_take_dirty(). It is the same whether
 * the hypervisor records writes in a bitmap for each region or in a ring for each vCPU
 * (`dirty_ring_entries` of struct axvm_config).
 *
 * A page may be reported that has not changed. A page that has changed is always reported, in this
 * round or, if it changes during the round, in the next one.
 */
#ifndef AXVCPU_DIRTY_H
#define AXVCPU_DIRTY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <axvcpu/error.h>

#ifdef __cplusplus
extern "C" {
#endif

struct axvm;

/** Consecutive pages that have changed, within one region. */
struct axvm_dirty_range {
	/** Guest-physical address of the first page. */
	uint64_t gpa;
	/** Size in bytes, a multiple of the page size of the host. */
	uint64_t len;
	/** Host address of `gpa`, valid until the region is unmapped. */
	void *hva;
};

/**
 * Switches the log of a region on or off, at any time.
 *
 * Switched on, the log is empty, and records every change that begins after the call has returned.
 * Until it is switched off, the hypervisor maps the region in single pages, and the first write to
 * each page is slower. Switched off, it forgets the pages that were not taken. Switching to the
 * present state has no effect. If the call fails, the log is as before.
 *
 * axvm_map() with AXVM_MEM_LOG_DIRTY maps a region whose log is on.
 *
 * Switching a log on waits for the lookups and copies in progress, as axvm_unmap() does.
 *
 * @param vm  the VM.
 * @param gpa first address of the region.
 * @param len its full size in bytes.
 * @param on  whether the log is on after the call.
 * @return 0; -ENOENT: there is no region with this address and size; -ENOTSUP: the backend has no
 *         dirty tracking; -EBUSY: a checkpoint uses the logs; -ENOMEM; -EPERM; errnos of the
 *         kernel.
 *
 * Threads: any.
 */
AXVCPU_API int axvm_set_dirty_log(struct axvm *vm, uint64_t gpa, uint64_t len, bool on);

/**
 * Takes changed pages from the logs of all regions, in ascending order.
 *
 * A round is a sequence of calls. It begins with a `*cursor` of 0 and ends when a call returns 0,
 * which also sets `*cursor` to 0:
 *
 *     struct axvm_dirty_range ranges[64];
 *     uint64_t cursor = 0;
 *     int n;
 *
 *     while ((n = axvm_take_dirty(vm, &cursor, 64, ranges)) > 0)
 *         for (int i = 0; i < n; i++)
 *             save(ranges[i].gpa, ranges[i].hva, ranges[i].len);
 *
 * A page that was taken is no longer in the log. If it changes after that, it is in the log again:
 * take it first, and read it then. A round ends even if the memory changes all the time.
 *
 * When a round reaches a region, it asks the hypervisor for the pages that the guest has changed.
 * While vCPUs run, changes of these vCPUs may be reported one round later, if the hypervisor or the
 * CPU still has them in a buffer. A round while all vCPUs are paused is complete. A call that fails
 * has taken nothing, and can be repeated.
 *
 * @param vm     the VM.
 * @param cursor the position of the round: 0 to begin, then as the previous call has left it.
 * @param count  number of elements of `ranges`, at least 1.
 * @param ranges receives up to `count` ranges.
 * @return positive: the number of ranges; 0: the round has ended; -EINVAL: `ranges` or `cursor` is
 *         NULL, or `count` is 0 or above INT_MAX; -EBUSY: a checkpoint uses the logs; -EAGAIN:
 *         signals kept KVM from resetting its dirty rings; -EPERM; errnos of the kernel.
 *
 * Threads: any. Only one thread at a time should take pages; each page is reported to one caller.
 */
AXVCPU_API int axvm_take_dirty(struct axvm *vm, uint64_t *cursor, size_t count,
			       struct axvm_dirty_range *ranges);

/**
 * Records a write through a pointer in the logs.
 *
 * Call it after the write. It marks all pages of the range whose region has its log on; the others
 * are skipped. It is cheap if no log is on.
 *
 * @param vm  the VM.
 * @param gpa guest-physical address of the first byte written.
 * @param len number of bytes; 0 is allowed.
 * @return 0; -EFAULT: part of the range is not guest memory, and nothing was marked; -EPERM.
 *
 * Threads: any.
 */
AXVCPU_API int axvm_mark_dirty(struct axvm *vm, uint64_t gpa, uint64_t len);

#ifdef __cplusplus
}
#endif

#endif
