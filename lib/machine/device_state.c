/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* Calls the callbacks of devices that finish work, save and restore. */
#include <errno.h>
#include <inttypes.h>

#include "axvcpu/device.h"
#include "lib/base/cancel.h"
#include "lib/machine/devices.h"
#include "lib/machine/object.h"
#include "lib/vcpu/thread.h"

/* One call, and its result. */
struct drive {
	int (*call)(struct axvm_device *device, const struct drive *drive);
	uint32_t version;
	void *out;
	const void *in;
	size_t len;
};

/* Makes one call, with the lock of the device. The caller is counted as a user of it. */
static int call_locked(struct axvm_device *device, const struct drive *drive)
{
	int ret;

	pthread_mutex_lock(&device->lock);
	atomic_store(&device->driver, axv_thread_serial());
	ret = drive->call(device, drive);
	atomic_store(&device->driver, 0);
	pthread_mutex_unlock(&device->lock);
	return ret;
}

static int drive_device(struct axvm_device *device, const struct drive *drive, const char *what)
{
	struct axvm *vm = device->vm;
	int cancel, ret = axv_vm_check_process(vm);
	bool inside;

	if (ret)
		return ret;
	cancel = axv_cancel_disable();
	pthread_mutex_lock(&vm->devices.lock);
	inside = axv_device_calls_us(vm, device);
	device->users += !inside;
	pthread_mutex_unlock(&vm->devices.lock);
	if (inside) {
		ret = axvcpu_fail(vm, -EBUSY, "device %s: %s: called by its own callback",
				  device->name, what);
	} else {
		ret = call_locked(device, drive);
		pthread_mutex_lock(&vm->devices.lock);
		device->users--;
		pthread_mutex_unlock(&vm->devices.lock);
	}
	axv_cancel_restore(cancel);
	return ret;
}

/* --- quiesce ------------------------------------------------------------------------------------ */

static int quiesce(struct axvm_device *device, const struct drive *drive)
{
	(void)drive;
	return device->config.quiesce ? device->config.quiesce(device->config.ctx) : 0;
}

/*
 * Ends the use of '*p', and begins that of the device that was added next, in '*p'; NULL: none.
 * Others may be added and removed between two calls.
 */
static void next_device(struct axvm *vm, struct axvm_device **p)
{
	struct axvm_device *device = *p, *next = vm->devices.first;

	while (device && next && next->number <= device->number)
		next = next->next;
	if (device)
		device->users--;
	if (next)
		next->users++;
	*p = next;
}

int axv_devices_each(struct axvm *vm, int (*fn)(struct axvm_device *device, void *ctx), void *ctx)
{
	struct axvm_device *device = NULL;
	int ret, cancel = axv_cancel_disable();

	do {
		pthread_mutex_lock(&vm->devices.lock);
		next_device(vm, &device);
		pthread_mutex_unlock(&vm->devices.lock);
		ret = device ? fn(device, ctx) : 0;
	} while (device && !ret);
	if (device) {
		pthread_mutex_lock(&vm->devices.lock);
		device->users--;
		pthread_mutex_unlock(&vm->devices.lock);
	}
	axv_cancel_restore(cancel);
	return ret;
}

static int quiesce_one(struct axvm_device *device, void *ctx)
{
	const struct drive drive = { .call = quiesce };
	int ret = call_locked(device, &drive);

	(void)ctx;
	/* The callback may have left no message. */
	return ret ? axvcpu_fail(device->vm, ret, "device %s: quiesce has failed", device->name)
		   : 0;
}

int axvm_quiesce_devices(struct axvm *vm)
{
	int ret = axv_vm_check_process(vm);

	if (!ret)
		ret = axv_coalesced_deliver_outside(vm, "quiesce_devices");
	return ret ? ret : axv_devices_each(vm, quiesce_one, NULL);
}

/* --- save and restore --------------------------------------------------------------------------- */

static int save(struct axvm_device *device, const struct drive *drive)
{
	const struct axvm_device_config *config = &device->config;

	return config->save ? config->save(config->ctx, drive->out, drive->len) : 0;
}

int axvm_save_device(struct axvm_device *device, void *buf, size_t len)
{
	const struct drive drive = { .call = save, .out = buf, .len = len };

	return drive_device(device, &drive, "save");
}

static int restore(struct axvm_device *device, const struct drive *drive)
{
	const struct axvm_device_config *config = &device->config;

	if (drive->version > config->version)
		return axvcpu_fail(device->vm, -EINVAL,
				   "device %s: restore: the state has version %" PRIu32
				   "; this device knows %" PRIu32,
				   device->name, drive->version, config->version);
	if (config->restore)
		return config->restore(config->ctx, drive->version, drive->in, drive->len);
	if (drive->len)
		return axvcpu_fail(device->vm, -EINVAL,
				   "device %s: restore: the device has no state; %zu bytes given",
				   device->name, drive->len);
	return 0;
}

int axvm_restore_device(struct axvm_device *device, uint32_t version, const void *buf, size_t len)
{
	const struct drive drive = { .call = restore, .version = version, .in = buf, .len = len };

	return drive_device(device, &drive, "restore");
}
