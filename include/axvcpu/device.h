/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/**
 * @file device.h
 * Devices: callbacks for ranges of guest-physical addresses, I/O ports and system registers.
 *
 * A runner (runner.h) calls the device that an exit concerns, and its handler gets the other exits.
 * A program with its own loop calls axvcpu_dispatch() after axvcpu_run():
 *
 *     axvcpu_run(vcpu, &exit);
 *     if (!axvcpu_dispatch(vcpu, &exit))
 *             ...                           the exit is not an access to a device
 *
 * Rules for all callbacks of a device:
 *
 * - By default, the library holds a lock of the device, so that at most one callback of the device
 *   is called at a time. With AXVM_DEVICE_SELF_LOCKED it does not: `read` and `write` may then be
 *   called by several threads at the same time.
 * - A callback must return: it must not end its thread or jump out. While the library holds the
 *   lock, cancellation is disabled. A callback of a device with AXVM_DEVICE_SELF_LOCKED must not be
 *   cancelled.
 * - A callback may access guest memory, change interrupt lines, inject interrupts, send requests,
 *   kick any vCPU, read and write registers of its vCPU, and add devices. It may remove other
 *   devices; removing its own device fails with -EBUSY. It must not call axvcpu_dispatch(), and not
 *   run, unbind or free its vCPU.
 * - axvm_remove_device() waits for callbacks. So a callback must not wait for a thread that removes
 *   its device, and two devices must not remove each other from their callbacks.
 */
#ifndef AXVCPU_DEVICE_H
#define AXVCPU_DEVICE_H

#include <stddef.h>
#include <stdint.h>

#include <axvcpu/error.h>
#include <axvcpu/exit.h>
#include <axvcpu/init.h>

#ifdef __cplusplus
extern "C" {
#endif

struct axvm;
struct axvm_device;
struct axvm_ioeventfd;
struct axvcpu;

/** Address spaces of devices. */
enum axvm_space {
	/** Guest-physical addresses: MMIO exits. */
	AXVM_SPACE_MMIO = 0,
	/**
	 * System registers: SYSREG exits. The config of the VM must select these registers
	 * (`sysregs`, AXVM_FORWARD_UNKNOWN_SYSREGS); otherwise the hypervisor handles the accesses.
	 */
	AXVM_SPACE_SYSREG = 1,
	/** I/O ports: IO exits. x86 only; other guests have no ports. */
	AXVM_SPACE_PORT = 2,
};

/** Returned by `read` and `write` of a device: the device does not claim this access. */
#define AXVM_UNCLAIMED 0
/** Returned by `read` and `write` of a device: the access is done. */
#define AXVM_HANDLED 1
/**
 * Returned by `read` and `write` of a device for a system register: the access raises an exception,
 * as axvcpu_complete_fault() does. Elsewhere it is AXVM_HANDLED.
 */
#define AXVM_FAULT 2

/**
 * KVM gathers the writes to the range, without an exit for each of them. `write` is called for
 * them, in order and with a `vcpu` of NULL, before the next exit of the VM is dispatched, in
 * axvm_flush_coalesced(), and before a device is removed. Reads are not affected: they find all
 * earlier writes done. Guest memory is not ordered with the writes. In a VM with such a range, each
 * axvcpu_dispatch() is a little slower. Not for system registers.
 */
#define AXVM_RANGE_COALESCED (1u << 0)

/** A range of a device. */
struct axvm_device_range {
	/** First address, port or register. */
	uint64_t base;
	/** Number of bytes or ports; number of registers. */
	uint64_t len;
	/** enum axvm_space */
	uint32_t space;
	/** AXVM_RANGE_* */
	uint32_t flags;
	/** Passed to `read` and `write`; NULL: `ctx` of the device. */
	void *ctx;
};

/** The callbacks lock the device themselves: the library does not for `read` and `write`. */
#define AXVM_DEVICE_SELF_LOCKED (1u << 0)

/** Longest name of a device in bytes, with its terminator. */
#define AXVM_DEVICE_NAME_SIZE 64

/**
 * Configuration for axvm_add_device(). Initialise with AXVM_DEVICE_CONFIG_INIT. Everything except
 * `ctx` is copied. Callbacks return a negative errno on failure.
 */
struct axvm_device_config {
	/** sizeof(struct axvm_device_config) */
	size_t size;
	/** Name of the device, unique in the VM; at most AXVM_DEVICE_NAME_SIZE bytes. */
	const char *name;
	/** Version of the format that `save` writes. */
	uint32_t version;
	/** AXVM_DEVICE_* */
	uint32_t flags;
	/** Passed to the callbacks. */
	void *ctx;
	/** The ranges. */
	const struct axvm_device_range *ranges;
	/** Number of elements of `ranges`, at least 1. */
	size_t nranges;
	/**
	 * The guest reads `width` bytes. Called by the thread that dispatches the exit. A string
	 * instruction is one call for each item. An access is always within one range. NULL: the
	 * guest reads all ones.
	 *
	 * @param vcpu   the vCPU.
	 * @param ctx    `ctx` of the range, or of the device.
	 * @param offset address of the access minus `base` of the range.
	 * @param width  number of bytes, 1 to 8; 8 for a system register.
	 * @param value  receives the value, of which the guest gets the low `width` bytes. Preset
	 *               to all ones.
	 * @return AXVM_HANDLED; AXVM_UNCLAIMED; AXVM_FAULT; or a negative errno, which
	 *         axvcpu_dispatch() returns.
	 */
	int (*read)(struct axvcpu *vcpu, void *ctx, uint64_t offset, unsigned int width,
		    uint64_t *value);
	/**
	 * The guest writes `width` bytes. As `read`, except as noted here. NULL: writes have no
	 * effect.
	 *
	 * @param vcpu   the vCPU; NULL for a gathered write (AXVM_RANGE_COALESCED).
	 * @param ctx    `ctx` of the range, or of the device.
	 * @param offset address of the access minus `base` of the range.
	 * @param width  number of bytes, 1 to 8; 8 for a system register.
	 * @param value  the value, zero-extended.
	 * @return as `read`.
	 */
	int (*write)(struct axvcpu *vcpu, void *ctx, uint64_t offset, unsigned int width,
		     uint64_t value);
	/**
	 * Called by axvm_quiesce_devices(), in its thread, with the lock of the device. It must
	 * finish or cancel all work in progress, so that guest memory and the state that `save`
	 * writes are complete, and must not start new work until `read`, `write` or `restore` is
	 * called. NULL: the device has no work of its own.
	 *
	 * @param ctx `ctx` of the device.
	 * @return 0, or a negative errno.
	 */
	int (*quiesce)(void *ctx);
	/**
	 * Called by axvm_save_device(), in its thread, with the lock of the device. It writes the
	 * state, in the format of `version`, and does not change it. Called without room, it
	 * only returns the size. NULL: the device has no state.
	 *
	 * @param ctx `ctx` of the device.
	 * @param buf receives the state, if `len` is large enough; otherwise unchanged. It may be
	 *            NULL if `len` is 0.
	 * @param len size of `buf` in bytes.
	 * @return the size of the state in bytes, even if `buf` is too small; or a negative errno.
	 */
	int (*save)(void *ctx, void *buf, size_t len);
	/**
	 * Called by axvm_restore_device(), in its thread, with the lock of the device. It replaces
	 * the state. On failure the device must keep the state that it had. It must check `buf`,
	 * which may come from another host. NULL: the device has no state.
	 *
	 * @param ctx     `ctx` of the device.
	 * @param version version of the format, which is at most `version` of this config.
	 * @param buf     the state. It may be NULL if `len` is 0.
	 * @param len     its size in bytes.
	 * @return 0, or a negative errno: -EINVAL if the state is not valid.
	 */
	int (*restore)(void *ctx, uint32_t version, const void *buf, size_t len);
};
#define AXVM_DEVICE_CONFIG_INIT AXVCPU_INIT(struct axvm_device_config)

/**
 * Adds a device to a VM. Accesses that begin after the call reach it.
 *
 * @param vm     the VM.
 * @param config the device.
 * @param device receives the device, which axvm_remove_device() or axvm_free() releases. It may be
 *               NULL: the device then stays until axvm_free().
 * @return 0; -EINVAL, -E2BIG: the config is not valid; -EEXIST: a range overlaps guest memory or
 *         another range of the same space, or another device has this name; -ENOTSUP: the host
 *         cannot gather writes (AXVM_RANGE_COALESCED); -ENOMEM; -EPERM; errnos of the kernel.
 *
 * Threads: any, including callbacks of devices, while vCPUs run.
 */
AXVCPU_API int axvm_add_device(struct axvm *vm, const struct axvm_device_config *config,
			       struct axvm_device **device);

/**
 * Removes a device, and waits until no thread is in one of its callbacks.
 *
 * Its ioeventfds are detached.
 * Gathered writes (AXVM_RANGE_COALESCED) are delivered first, except if a callback of a device
 * calls this function: those of this device are then lost. If the call fails, the device still
 * exists, but some of its ioeventfds may be detached and its writes may not be gathered any more.
 *
 * @param device the device; may be NULL, then nothing happens.
 * @return 0: the device does not exist any more; -EBUSY: called by a callback of this device;
 *         -ENOMEM; -EPERM; errnos of the kernel, and of the callbacks for gathered writes.
 *
 * Threads: any, including callbacks of other devices, while vCPUs run.
 */
AXVCPU_API int axvm_remove_device(struct axvm_device *device);

/**
 * Calls the device that an exit concerns, and answers the exit.
 *
 * The exit must be the latest one of the vCPU, and not be answered yet. An access that is not
 * completely within one range is unclaimed. A write of a system register also reads it on riscv64:
 * `read` is called first, and the guest gets its value.
 *
 * @param vcpu the vCPU.
 * @param exit the exit, from axvcpu_run().
 * @return 1 (AXVM_HANDLED): handled and answered; 0: not an access, or no device claims it, and the
 *         caller may answer it; 2 (AXVM_FAULT): handled by a fault; errnos of the callback and of
 *         axvcpu_complete().
 *
 * States: Ready; unchanged.
 * Threads: the owner.
 */
AXVCPU_API_HOT int axvcpu_dispatch(struct axvcpu *vcpu, const struct axvcpu_exit *exit);

/**
 * Delivers the writes that KVM has gathered for ranges with AXVM_RANGE_COALESCED.
 *
 * If the guest may write for long without any exit, such as to a frame buffer, call it periodically.
 * If a callback fails, the writes after the failed one stay, and the call may be repeated.
 *
 * @param vm the VM.
 * @return 0; -EBUSY: called by a callback of a device; -EIO: the ring that KVM shares is not valid;
 *         -EPERM; errnos of the callbacks.
 *
 * Threads: any, except callbacks of devices.
 */
AXVCPU_API int axvm_flush_coalesced(struct axvm *vm);

/**
 * Attaches an eventfd to a register of a device, or detaches it.
 *
 * Writes of the guest then signal the eventfd, without an exit, and do not reach the callback.
 * The library detaches it when the device is removed. The descriptor must stay open until then.
 *
 * @param device    the device.
 * @param range     index of the range, as in the config.
 * @param ioeventfd as for axvm_set_ioeventfd(), except that `address` is an offset into the range,
 *                  and that the range determines AXVM_EVENT_PORT, which must not be set.
 * @return 0; -EINVAL: there is no such register, or a member is not valid; -E2BIG; -ENOENT: with
 *         AXVM_EVENT_REMOVE: it is not attached to this device; -ENOMEM; -ENOTSUP; -EPERM; errnos
 *         of axvm_set_ioeventfd().
 *
 * Threads: any.
 */
AXVCPU_API int axvm_set_device_ioeventfd(struct axvm_device *device, size_t range,
					 const struct axvm_ioeventfd *ioeventfd);

/**
 * Lets all devices finish their work, by their callback `quiesce`.
 *
 * It is called in the order in which the devices were added, until one fails.
 * The caller pauses the vCPUs first: an access would start new work. Gathered writes are delivered
 * before.
 *
 * @param vm the VM.
 * @return 0; -EBUSY: called by a callback of a device; -EPERM; errnos of the callbacks.
 *
 * Threads: any, except callbacks of devices.
 */
AXVCPU_API int axvm_quiesce_devices(struct axvm *vm);

/**
 * Saves the state of a device by its callback `save`.
 *
 * @param device the device. axvm_quiesce_devices() must have been called, and the vCPUs must be
 *               paused.
 * @param buf    receives the state, if it fits. NULL: only the size is returned; `len` must be 0.
 * @param len    size of `buf` in bytes.
 * @return the size of the state in bytes, which is 0 if the device has none, and nothing was written
 *         if it exceeds `len`; -EBUSY: called by a callback of this device; -EPERM; errnos of the
 *         callback.
 *
 * Threads: any, except callbacks of this device.
 */
AXVCPU_API int axvm_save_device(struct axvm_device *device, void *buf, size_t len);

/**
 * Restores the state of a device by its callback `restore`.
 *
 * @param device  the device. The vCPUs must be paused, or not have run yet.
 * @param version `version` of the device that saved the state.
 * @param buf     the state; NULL if `len` is 0.
 * @param len     its size in bytes.
 * @return 0; -EINVAL: `version` is newer than that of the device, or a state is given for a device
 *         that has none; -EBUSY: called by a callback of this device; -EPERM; errnos of the
 *         callback.
 *
 * Threads: any, except callbacks of this device.
 */
AXVCPU_API int axvm_restore_device(struct axvm_device *device, uint32_t version, const void *buf,
				   size_t len);

#ifdef __cplusplus
}
#endif

#endif
