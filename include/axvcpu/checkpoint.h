/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/**
 * @file checkpoint.h
 * Checkpoints: the state of a whole VM at one point in time, restored later.
 *
 * A checkpoint holds the vCPUs, the interrupt controllers, lines and routes, the clocks, the memory,
 * and the devices of axvm_add_device() that have a save callback. It can be restored into the VM
 * from which it was taken, any number of times, and into another VM that was created in the same way.
 * axvm_checkpoint_clone() creates such VMs, which share its memory.
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

struct axvcpu_arch_ops;
struct axvcpu_config;
struct axvcpu_hal;
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
 *         file from which the checkpoint was read, or the name of a device is not printable ASCII;
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
	 * interrupt controllers. NULL: every refusal is a failure. It may be called twice for a part:
	 * before the VM is changed, and when the part is loaded.
	 */
	int (*refused)(void *ctx, struct axvcpu *vcpu, const struct axvcpu_refusal *refusal);
	void *ctx;
	/** AXVCPU_PART_*: these parts of the vCPUs stay as they are. */
	uint32_t without;
	uint32_t reserved;
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
 * Into the VM of a checkpoint with AXVM_CHECKPOINT_TRACK it writes the pages that have changed
 * since the checkpoint or the latest restore; and from the second restore into the same vCPUs on,
 * it does not restore what only the host can have changed in them: CPUID, identification and
 * firmware registers, the frequency of the counter. If regions were mapped or unmapped since the
 * checkpoint, and in another VM, it writes all pages. Regions that the host must not write to are
 * skipped: read-only ones of AXVM_MEM_CALLER, or with AXVM_MEM_SHARED. Whether a region is
 * read-only is not part of a checkpoint. Long runs of pages that become zero are dropped: memory
 * with a userfaultfd then asks for them again. In a clone of this checkpoint, all pages that have
 * changed are dropped, so that it shares them again; these are not counted.
 *
 * If the VM does not fit, or the host lacks a register or a feature that the states need, the VM is
 * unchanged, except that open exits may be completed. After a later failure all vCPUs are Invalid, and the VM can
 * only be freed; except -ENOTSUP of the clocks, which also changes nothing.
 *
 * The fastest restore, of a guest that uses neither interrupts nor timers, floating point or system
 * registers, leaves out all that can be: `flags` AXVM_RESTORE_NO_CONTROLLERS |
 * AXVM_RESTORE_NO_DEVICES, `time_policy` AXVM_TIME_KEEP, `without` AXVCPU_PARTS. On x86 KVM then
 * gets the registers with the next run; axvcpu_flush() gives them to KVM at once, for ioctls on
 * axvcpu_fd().
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

/* --- cloning ---------------------------------------------------------------------------------- */

/** How to clone. Initialise with AXVM_CLONE_CONFIG_INIT. */
struct axvm_clone_config {
	/** sizeof(struct axvm_clone_config) */
	size_t size;
	/** AXVM_CLONE_* */
	uint32_t flags;
	/** With AXVM_CLONE_KVM_FD: a descriptor of /dev/kvm, as `kvm_fd` of struct axvm_config. */
	int kvm_fd;
	/** The backend, of the same name as that of the checkpoint; NULL: the host's architecture. */
	const struct axvcpu_arch_ops *arch;
	/** Hooks of the clone for the host; NULL: all defaults. Copied. */
	const struct axvcpu_hal *hal;
	/** The number that axvm_id() returns. */
	uint64_t id;
	/** As `kick_signal` of struct axvm_config. */
	int kick_signal;
	/** enum axvm_time_policy; AXVM_TIME_FREEZE by default. */
	uint32_t time_policy;
	/** Passed to the functions below. */
	void *ctx;
	/**
	 * Completes the config of a vCPU before it is created: its host CPUs, which are not part of a
	 * checkpoint, and `arch`, for custom backends. `id` must stay. NULL: the vCPU may run on all
	 * host CPUs. Returns 0, or a negative errno, with which the call fails.
	 */
	int (*vcpu_config)(void *ctx, struct axvcpu_config *config);
	/**
	 * Adds the devices to the clone, which has its memory and vCPUs, but no state yet. Those
	 * with a state are then restored. NULL: the clone has no devices yet, and their states are
	 * not used; axvm_checkpoint_restore() restores devices that are added later, with all else.
	 * Returns 0, or a negative errno, with which the call fails.
	 */
	int (*add_devices)(void *ctx, struct axvm *vm);
	/**
	 * Called last, when the clone has the state of the checkpoint and no vCPU has run. Clones of
	 * one checkpoint have the same random numbers: this gives the guest others, for example by
	 * a new generation id, which a guest with VMGENID reads. NULL: nothing. Returns 0, or a
	 * negative errno, with which the call fails.
	 */
	int (*reseed)(void *ctx, struct axvm *vm);
	/** As `refused` of struct axvm_restore_config. */
	int (*refused)(void *ctx, struct axvcpu *vcpu, const struct axvcpu_refusal *refusal);
};
#define AXVM_CLONE_CONFIG_INIT AXVCPU_INIT(struct axvm_clone_config)

/** `kvm_fd` is valid. */
#define AXVM_CLONE_KVM_FD 0x1u
/**
 * Copy the memory to memfds (AXVM_MEM_MEMFD) instead of sharing it, for devices of other processes
 * (vhost-user). The cost grows with the memory that the checkpoint holds.
 */
#define AXVM_CLONE_MEMFD 0x2u

/**
 * Creates a VM with all its vCPUs from a checkpoint.
 *
 * The clone has the config of the VM from which the checkpoint was taken, its memory regions, its
 * vCPUs, set up in the same way, and the state of the checkpoint. That VM may run meanwhile, or have
 * been freed. The vCPUs are Free, and the clone is finalized. Its devices are added by `add_devices`.
 * The caller sets up again all that is not part of a checkpoint: runners, eventfds, end functions,
 * debugging, pauses, host CPUs, and capabilities that it has enabled.
 *
 * All clones share the memory of the checkpoint, page by page, until they write to it. The time that
 * a clone takes does not depend on the size of the memory. axvm_regions() lists these regions with
 * AXVM_MEM_CLONED. The library owns all of them, also those that were AXVM_MEM_CALLER, and they have
 * no descriptor; those that were AXVM_MEM_SHARED are private. Huge pages are not used. Pages without
 * data that a guest reads become pages of the checkpoint. If `hal` has a map_memory hook, the hook
 * provides the memory, and that of the checkpoint is copied.
 *
 * axvm_checkpoint_restore() of the same checkpoint sets a clone back, and drops the pages that the
 * clone has written.
 *
 * The checkpoint may be freed before the clone, which keeps its memory.
 *
 * On failure there is no clone. If `add_devices` was called, the devices are gone with it.
 *
 * @param checkpoint the checkpoint.
 * @param config     how to clone; NULL: AXVM_CLONE_CONFIG_INIT.
 * @param vm         receives the VM. The caller frees its vCPUs (axvm_vcpus()) and then the VM.
 * @return 0; -EINVAL: the config is not valid, or the checkpoint is of another backend; -ENOTSUP: the
 *         backend cannot clone, the host lacks what the state needs, or it cannot set the counter
 *         of the guest (use AXVM_TIME_KEEP); -E2BIG; -ENOMEM; errnos of axvm_new(), axvm_map(),
 *         axvcpu_new(), axvcpu_setup(), axvm_checkpoint_restore(), and of the functions in the
 *         config.
 *
 * Threads: any, also in a forked child. Several threads may clone and restore one checkpoint at the
 * same time. Thread cancellation is disabled while the functions in the config run.
 */
AXVCPU_API int axvm_checkpoint_clone(const struct axvm_checkpoint *checkpoint,
				     const struct axvm_clone_config *config, struct axvm **vm);

#ifdef __cplusplus
}
#endif

#endif
