/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* The devices of a checkpoint: those with a state, found again by their names. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "lib/host/sys.h"
#include "lib/machine/checkpoint.h"
#include "lib/machine/object.h"

/* --- saving ----------------------------------------------------------------------------------- */

/* The callback may have left no message. */
static int save_failed(const struct axvm_device *device, int ret)
{
	return axvcpu_fail(device->vm, ret, "checkpoint: device %s: save has failed", device->name);
}

/* Saves the state, whose size is known, to the blob. */
static int save_state(struct axvm_device *device, struct axv_blob *blob)
{
	int ret;

	blob->data = axv_sys_calloc(1, blob->size);
	if (!blob->data)
		return axvcpu_fail(device->vm, -ENOMEM,
				   "checkpoint: device %s: allocating %zu bytes", device->name,
				   blob->size);
	ret = axvm_save_device(device, blob->data, blob->size);
	if (ret < 0)
		return save_failed(device, ret);
	if ((size_t)ret == blob->size)
		return 0;
	return axvcpu_fail(device->vm, -EBUSY,
			   "checkpoint: device %s: the size of its state changes: quiesce it first",
			   device->name);
}

static int save_device(struct axvm_device *device, void *ctx)
{
	struct axvm_checkpoint *checkpoint = ctx;
	struct axv_saved_device *saved;
	int ret = axvm_save_device(device, NULL, 0);

	if (ret < 0)
		return save_failed(device, ret);
	if (!ret)
		return 0;
	saved = axv_sys_calloc(1, sizeof(*saved));
	if (!saved)
		return axvcpu_fail(device->vm, -ENOMEM, "checkpoint: device %s: allocating it",
				   device->name);
	memcpy(saved->name, device->name, sizeof(saved->name));
	saved->version = device->config.version;
	saved->blob.size = (size_t)ret;
	/* Restored in the order in which the devices were added. */
	saved->next = NULL;
	for (struct axv_saved_device **at = &checkpoint->devices;; at = &(*at)->next)
		if (!*at) {
			*at = saved;
			break;
		}
	checkpoint->ndevices++;
	return save_state(device, &saved->blob);
}

int axv_checkpoint_save_devices(struct axvm *vm, struct axvm_checkpoint *checkpoint)
{
	return axv_devices_each(vm, save_device, checkpoint);
}

void axv_checkpoint_free_devices(struct axvm_checkpoint *checkpoint)
{
	struct axv_saved_device *next;

	for (struct axv_saved_device *saved = checkpoint->devices; saved; saved = next) {
		next = saved->next;
		free(saved->blob.data);
		free(saved);
	}
}

/* --- restoring -------------------------------------------------------------------------------- */

/* Looking for the device of a saved state. */
struct search {
	const struct axv_saved_device *saved;
	/* Restores it; otherwise it is only checked. */
	bool restore;
};

/* Returns 1 after the device, 0 for another one, or a negative errno. */
static int visit(struct axvm_device *device, void *ctx)
{
	const struct search *search = ctx;
	const struct axv_saved_device *saved = search->saved;
	int ret;

	if (strcmp(device->name, saved->name))
		return 0;
	if (saved->version > device->config.version)
		return axvcpu_fail(device->vm, -EINVAL,
				   "checkpoint: device %s: its state has version %" PRIu32
				   "; the VM's device knows %" PRIu32,
				   device->name, saved->version, device->config.version);
	if (!device->config.restore)
		return axvcpu_fail(device->vm, -EINVAL,
				   "checkpoint: device %s has no restore callback", device->name);
	if (!search->restore)
		return 1;
	ret = axvm_restore_device(device, saved->version, saved->blob.data, saved->blob.size);
	/* The callback may have left no message. */
	return ret ? axvcpu_fail(device->vm, ret, "checkpoint: device %s: restore has failed",
				 device->name)
		   : 1;
}

static int visit_all(const struct axvm_checkpoint *checkpoint, struct axvm *vm, bool restore)
{
	for (const struct axv_saved_device *d = checkpoint->devices; d; d = d->next) {
		struct search search = { .saved = d, .restore = restore };
		int ret = axv_devices_each(vm, visit, &search);

		if (!ret)
			return axvcpu_fail(vm, -EINVAL,
					   "checkpoint: the VM has no device %s, which has a state",
					   d->name);
		if (ret < 0)
			return ret;
	}
	return 0;
}

int axv_checkpoint_check_devices(const struct axvm_checkpoint *checkpoint, struct axvm *vm)
{
	return visit_all(checkpoint, vm, false);
}

int axv_checkpoint_restore_devices(const struct axvm_checkpoint *checkpoint, struct axvm *vm)
{
	return visit_all(checkpoint, vm, true);
}
