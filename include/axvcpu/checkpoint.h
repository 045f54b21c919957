/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/**
 * @file checkpoint.h
 * Checkpoints: the state of a whole VM at one point in time, restored later.
 *
 * A checkpoint holds the vCPUs, the interrupt controllers, lines and routes, the clocks, the memory,
 * and the devices of axvm_add_device() that have a save callback. It can be restored into the VM
 * from which it was taken, any number of times, and into another VM that was created in the same way.
 *
 * The reset loop of a fuzzer:
 *
 *     axvm_quiesce(vm, NULL, 0);
 *     axvm_checkpoint_new(vm, &AXVCPU_WITH(axvm_checkpoint_config, .flags = AXVM_CHECKPOINT_TRACK),
 *                         &checkpoint);
 *     for (;;) {
 *             write_input(vm);
 *             run_until_done(vcpu);
 *             axvm_checkpoint_restore(checkpoint, vm, NULL);
 *     }
 *
 * For single parts see vcpu_state.h, vm_state.h, dirty.h, memory.h, device.h.
 */
#ifndef AXVCPU_CHECKPOINT_H
#define AXVCPU_CHECKPOINT_H

#include <stddef.h>
#include <stdint.h>

#include <axvcpu/error.h>
#include <axvcpu/init.h>
#include <axvcpu/vcpu_state.h>

#ifdef __cplusplus
extern "C" {
#endif

struct axvm;
struct axvm_runner;
/** A checkpoint of a VM. */
struct axvm_checkpoint;

/* --- before a checkpoint ---------------------------------------------------------------------- */

/**
 * Quiesces a VM: no vCPU runs, and no work of a device is pending.
 *
 * It pauses the runner, completes open exits that need no answer, and calls the quiesce callbacks of
 * the devices. If it fails after it has paused the runner, it resumes the runner.
 *
 * @param vm         the VM.
 * @param runner     its runner; NULL: the vCPUs rest already, or are run by the calling thread.
 * @param timeout_ns how long to wait for the runner, as for axvm_runner_pause(): nanoseconds, or -1
 *                   without a limit.
 * @return 0; -ETIMEDOUT: the runner has not paused; -EBUSY: a vCPU is in a run, or is bound to
 *         another thread and not paused, or requests wait for it, or a callback of a device calls
 *         this; -EBADFD: a vCPU's exit has no answer yet, or the runner is not
 *         running or paused; -EINVAL; -ENOMEM; -ENOSPC; -EPERM; errnos of the kernel and of the
 *         callbacks. The message names the vCPU or the device.
 *
 * Threads: any, except those of the runner.
 */
AXVCPU_API int axvm_quiesce(struct axvm *vm, struct axvm_runner *runner, int64_t timeout_ns);

/* --- taking one ------------------------------------------------------------------------------- */

/** How to take a checkpoint. Initialise with AXVM_CHECKPOINT_CONFIG_INIT. */
struct axvm_checkpoint_config {
	/** sizeof(struct axvm_checkpoint_config) */
	size_t size;
	/** AXVM_CHECKPOINT_* */
	uint32_t flags;
	uint32_t reserved;
};
#define AXVM_CHECKPOINT_CONFIG_INIT AXVCPU_INIT(struct axvm_checkpoint_config)

/**
 * Track changes of memory, so that a restore in place writes back only the pages that have changed.
 *
 * It switches the dirty logs of all regions on, see dirty.h; the first write to each page is then
 * slower. While the checkpoint exists, it is the only reader of these logs: axvm_take_dirty() and
 * axvm_set_dirty_log() fail with -EBUSY. A VM has at most one such checkpoint. Writes through
 * pointers must be recorded with axvm_mark_dirty().
 */
#define AXVM_CHECKPOINT_TRACK 0x1u

/**
 * Takes a checkpoint of a VM.
 *
 * axvm_quiesce() must have been called, and no vCPU have run since. The vCPUs must have been set up, and the VM
 * finalized if its interrupt controller is a GIC or an AIA.
 *
 * Memory is copied: pages that are present and not zero. Of memory that the caller provides or that
 * is a file, all pages are read. Pages of anonymous memory that are not present count as zero, even if a
 * userfaultfd would provide them.
 *
 * @param vm         the VM.
 * @param config     how to take it; NULL: AXVM_CHECKPOINT_CONFIG_INIT.
 * @param checkpoint receives the checkpoint, which axvm_checkpoint_free() releases.
 * @return 0; -EBUSY: a vCPU is in a run, or is bound to another thread and not paused, or requests
 *         wait for it, or a device is in its own callback, or the VM was not quiesced, or the dirty
 *         logs are in use already; -EBADFD: there is no vCPU, or one was not
 *         set up, its exit has no answer yet, or the VM is not finalized; -ENOTSUP: the backend cannot save, or
 *         has no dirty tracking; -EIO: memory of a file that was truncated, or the pages
 *         of this process cannot be listed; -EINVAL; -E2BIG; -ENOMEM; -EPERM; errnos of the kernel and of the devices' callbacks.
 *
 * Threads: any; one call for a VM at a time.
 */
AXVCPU_API int axvm_checkpoint_new(struct axvm *vm, const struct axvm_checkpoint_config *config,
				   struct axvm_checkpoint **checkpoint);

/**
 * Releases a checkpoint.
 *
 * If it tracks changes, the dirty logs of the VM are switched off, unless the VM was freed before. It
 * is released even if that fails.
 *
 * @param checkpoint the checkpoint; NULL: nothing happens.
 * @return 0; -EPERM: in a forked child, if it tracks changes; errnos of axvm_set_dirty_log().
 *
 * Threads: any; no other call uses the checkpoint, and its VM is not being freed.
 */
AXVCPU_API int axvm_checkpoint_free(struct axvm_checkpoint *checkpoint);

/** Facts about a checkpoint. Initialise with AXVM_CHECKPOINT_INFO_INIT. */
struct axvm_checkpoint_info {
	/** sizeof(struct axvm_checkpoint_info) */
	size_t size;
	/** Number of vCPUs. */
	uint32_t vcpus;
	/** Number of memory regions. */
	uint32_t regions;
	/** Number of devices with a state. */
	uint32_t devices;
	/** AXVM_CHECKPOINT_* in effect. */
	uint32_t flags;
	/** Size of guest memory in bytes. */
	uint64_t memory;
	/** Bytes of it that the checkpoint has a copy of. */
	uint64_t memory_held;
	/** Bytes of the states of vCPUs, controllers and devices. */
	uint64_t state;
	/** Name of the backend: the architecture. */
	char arch[AXVCPU_SAVED_NAME];
	/** enum axvm_irqchip */
	uint32_t irqchip;
	/** Page size of the host in bytes. A restore needs a host with the same one. */
	uint32_t page_size;
	/** CLOCK_REALTIME of the host in nanoseconds when it was taken. */
	int64_t realtime_ns;
};
#define AXVM_CHECKPOINT_INFO_INIT AXVCPU_INIT(struct axvm_checkpoint_info)

/**
 * Describes a checkpoint.
 *
 * @param checkpoint the checkpoint.
 * @param info       receives the facts. The caller sets `size`; as many members as fit are written.
 * @return 0; -EINVAL: `size` is too small.
 *
 * Threads: any.
 */
AXVCPU_API int axvm_checkpoint_get_info(const struct axvm_checkpoint *checkpoint,
					struct axvm_checkpoint_info *info);

/**
 * Describes a checkpoint as text of several lines.
 *
 * It has the facts of axvm_checkpoint_get_info(), the clocks, and for each vCPU, for the
 * controllers, and for each device and region its size. The text is for readers and may change with
 * each version.
 *
 * @param checkpoint the checkpoint.
 * @param buf        receives the text, null-terminated, and cut if it does not fit; may be NULL if
 *                   `len` is 0.
 * @param len        size of `buf` in bytes.
 * @return the length of the whole text, without the null.
 *
 * Threads: any.
 */
AXVCPU_API int axvm_checkpoint_describe(const struct axvm_checkpoint *checkpoint, char *buf,
					size_t len);

/* --- files ------------------------------------------------------------------------------------ */

/**
 * Writes a checkpoint to a file.
 *
 * The file is first truncated to 0, and then written from its beginning, whatever its position is.
 * Pages that are zero become holes. The header is written last, so that a file that is not complete
 * is not taken for a checkpoint. fsync() is left to the caller. docs/checkpoints.md describes the
 * format.
 *
 * If the checkpoint was read from a file, its memory is compared with the checksums of that file.
 *
 * After a failure the contents of the file are undefined, and are not a checkpoint.
 *
 * @param checkpoint the checkpoint.
 * @param fd         a regular file or a memfd, open for writing, without O_APPEND. It may be
 *                   another file than the one from which the checkpoint was read, but not the same.
 * @return 0; -ESPIPE: `fd` is a pipe, a socket or a terminal; -EINVAL: it is not a file, or the
 *         file from which the checkpoint was read, or the name of a device has control characters;
 *         -ENOSPC: the states and the list of pages have more than 256 MiB, or the file system is
 *         full; -EIO: it was opened with O_APPEND, or the file from which the checkpoint was read
 *         is damaged or truncated; -ENOMEM; errnos of the kernel.
 *
 * Threads: any.
 */
AXVCPU_API int axvm_checkpoint_write(const struct axvm_checkpoint *checkpoint, int fd);

/**
 * Reads a checkpoint from a file.
 *
 * Everything except the memory is read and checked. The memory stays in the file, so this takes the
 * same time for a VM of any size; axvm_checkpoint_verify() compares it with its checksums. The
 * library keeps a descriptor of its own, which shares the position of `fd`;
 * axvm_checkpoint_verify() changes that position. The file must not be changed while the checkpoint
 * exists. If it is truncated, the functions that need the missing part return -EIO.
 *
 * The bytes are not trusted: a file with any content can be read, and its guest can do no more than
 * other guests.
 *
 * A file can be read on every host, also on one of another architecture. axvm_checkpoint_restore()
 * checks that the VM and the host fit.
 *
 * @param fd         a regular file or a memfd, open for reading. It may be closed after the call.
 * @param checkpoint receives the checkpoint, which axvm_checkpoint_free() releases. It does not
 *                   track changes.
 * @return 0; -EINVAL: the file is not a checkpoint, was truncated, or is damaged outside of the
 *         memory, or `fd` is not a file; -ENOTSUP: it has a format, a section or an interrupt
 *         controller of a later version of the library; -ESPIPE: `fd` is a pipe, a socket or a
 *         terminal; -EIO: the file was truncated during the call; -ENOMEM; errnos of the kernel.
 *         The message names the part.
 *
 * Threads: any.
 */
AXVCPU_API int axvm_checkpoint_read(int fd, struct axvm_checkpoint **checkpoint);

/**
 * Compares all memory of a checkpoint that was read from a file with the checksums.
 *
 * A checkpoint that was taken by this process has no file, and nothing is compared.
 *
 * @param checkpoint the checkpoint.
 * @return 0; -EIO: the memory is damaged, and the message has the guest address, or the file was
 *         truncated; -ENOMEM; errnos of the kernel.
 *
 * Threads: any.
 */
AXVCPU_API int axvm_checkpoint_verify(const struct axvm_checkpoint *checkpoint);

/* --- restoring -------------------------------------------------------------------------------- */

/** How to restore. Initialise with AXVM_RESTORE_CONFIG_INIT. */
struct axvm_restore_config {
	/** sizeof(struct axvm_restore_config) */
	size_t size;
	/** AXVM_RESTORE_* */
	uint32_t flags;
	/** enum axvm_time_policy; AXVM_TIME_FREEZE by default. */
	uint32_t time_policy;
	/**
	 * Called for each part that the host refuses, as for axvcpu_load(): returns 0 to continue
	 * without the part, or a negative errno, with which the restore fails. `vcpu` is NULL for the
	 * interrupt controllers. NULL: every refusal is a failure.
	 */
	int (*refused)(void *ctx, struct axvcpu *vcpu, const struct axvcpu_refusal *refusal);
	void *ctx;
};
#define AXVM_RESTORE_CONFIG_INIT AXVCPU_INIT(struct axvm_restore_config)

/**
 * Do not restore the interrupt controllers, lines and routes. This is faster, and only correct for
 * guests that use no interrupts.
 */
#define AXVM_RESTORE_NO_CONTROLLERS 0x1u
/** Do not call the restore callbacks of the devices. */
#define AXVM_RESTORE_NO_DEVICES 0x2u

/**
 * Restores a checkpoint into a VM.
 *
 * The VM is the one of the checkpoint, or was created in the same way: the same kind of interrupt
 * controller, vCPUs of the same ids that were set up, memory regions of the same addresses and sizes,
 * and devices of the same names for those with a state. No vCPU may be in a run, and the status of the
 * VM must not be running or stopping; a VM whose run has ended can then run again, and a paused one
 * stays paused. The VM is finalized. Open exits are dropped, and so are injections that wait in the
 * library; requests that wait stay queued.
 *
 * Into the VM of a checkpoint with AXVM_CHECKPOINT_TRACK it writes the pages that have changed since
 * the checkpoint or the latest restore. If regions were mapped or unmapped since the checkpoint, and in
 * another VM, it writes all pages. Regions that the host must not write to are skipped: read-only ones
 * of AXVM_MEM_CALLER, or with AXVM_MEM_SHARED. Whether a region is read-only is not part of a
 * checkpoint. Long runs of pages that become zero are dropped: memory with a userfaultfd then asks
 * for them again.
 *
 * If the VM does not fit, it is unchanged. After a later failure all vCPUs are Invalid, and the VM can
 * only be freed; except -ENOTSUP of the clocks, which also changes nothing.
 *
 * @param checkpoint the checkpoint.
 * @param vm         the VM.
 * @param config     how to restore; NULL: AXVM_RESTORE_CONFIG_INIT.
 * @return the number of pages written; -EINVAL: the VM differs from that of the checkpoint; -EBUSY:
 *         a vCPU is in a run, or is bound to another thread and not paused, or a callback of a device
 *         calls this; -EBADFD: the status of the VM does not allow it, or a vCPU is Invalid or was
 *         not set up; -ENOTSUP: the backend cannot load, the host lacks what the state needs, or it
 *         cannot set the counter of the guest (use AXVM_TIME_KEEP); -EIO: memory of a file that was
 *         truncated, the file of the checkpoint was truncated, or KVM has not set the counter;
 *         -E2BIG; -ENOMEM; -EPERM; errnos of the kernel, of axvm_finalize(), of the devices'
 *         callbacks and of `refused`.
 *
 * Threads: any; one call for a VM at a time. Several VMs may be restored from one checkpoint at the
 * same time.
 */
AXVCPU_API int64_t axvm_checkpoint_restore(const struct axvm_checkpoint *checkpoint,
					   struct axvm *vm,
					   const struct axvm_restore_config *config);

#ifdef __cplusplus
}
#endif

#endif
