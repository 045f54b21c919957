/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* Restores checkpoints: checks that the VM fits, and then puts its parts back in their order. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "axvcpu/vm_state.h"
#include "lib/base/sized.h"
#include "lib/machine/checkpoint.h"
#include "lib/machine/object.h"
#include "lib/machine/vcpus.h"
#include "lib/memory/dirty.h"
#include "lib/memory/image.h"
#include "lib/text/error.h"
#include "lib/vcpu/saved.h"
#include "lib/vcpu/vcpu.h"

#define KNOWN_FLAGS (AXVM_RESTORE_NO_CONTROLLERS | AXVM_RESTORE_NO_DEVICES)

/* A restore in progress. */
struct restore {
	const struct axvm_checkpoint *checkpoint;
	struct axvm *vm;
	/* A failure destroys the VM, which need not stay as it was. */
	bool is_new;
	struct axvm_restore_config config;
	/* How the states of the vCPUs and of the controllers are loaded. */
	struct axvcpu_load_config load;
	/* Those of the VM, as many as the checkpoint has. */
	struct axvcpu **vcpus;
};

/* --- whether the VM fits ---------------------------------------------------------------------- */

static int check_config(struct restore *restore, const struct axvm_restore_config *given)
{
	struct axvm_restore_config *config = &restore->config;
	int ret = axv_sized_copy(restore->vm, "struct axvm_restore_config", config, sizeof(*config),
				 given);

	if (ret)
		return ret;
	if ((config->flags & ~KNOWN_FLAGS) || config->time_policy > AXVM_TIME_KEEP)
		return axvcpu_fail(restore->vm, -EINVAL,
				   "restore: unknown flags %#" PRIx32 ", or time policy %" PRIu32,
				   config->flags & ~KNOWN_FLAGS, config->time_policy);
	if ((config->without & ~AXVCPU_PARTS) || config->reserved)
		return axvcpu_fail(restore->vm, -EINVAL,
				   "restore: unknown parts %#" PRIx32
				   ", or the reserved field is not 0",
				   config->without & ~AXVCPU_PARTS);
	restore->load = (struct axvcpu_load_config)AXVCPU_LOAD_CONFIG_INIT;
	/* A part that the host refuses fails the whole restore. */
	restore->load.flags = AXVCPU_LOAD_NO_ROLLBACK;
	restore->load.without = config->without;
	restore->load.refused = config->refused;
	restore->load.ctx = config->ctx;
	return 0;
}

static int check_vcpus(const struct restore *restore, int count)
{
	const struct axvm_checkpoint *checkpoint = restore->checkpoint;

	if ((uint32_t)count != checkpoint->nvcpus)
		return axvcpu_fail(restore->vm, -EINVAL,
				   "restore: the checkpoint has %" PRIu32 " vCPUs, the VM %d",
				   checkpoint->nvcpus, count);
	for (uint32_t i = 0; i < checkpoint->nvcpus; i++) {
		const enum axvcpu_state state = axvcpu_state(restore->vcpus[i]);

		if (axvcpu_id(restore->vcpus[i]) != checkpoint->vcpus[i].id)
			return axvcpu_fail(restore->vm, -EINVAL,
					   "restore: the VM has no vCPU %" PRIu32,
					   checkpoint->vcpus[i].id);
		if (state == AXVCPU_CREATED || state == AXVCPU_INVALID)
			return axvcpu_fail(restore->vm, -EBADFD,
					   "restore: vCPU %" PRIu32 " is %s; it must be set up",
					   checkpoint->vcpus[i].id, axvcpu_state_name(state));
	}
	return 0;
}

/* The kind of VM. */
static int check_kind(const struct restore *restore)
{
	const struct axvm_checkpoint *checkpoint = restore->checkpoint;
	struct axvm *vm = restore->vm;

	if (strcmp(vm->ops->name, checkpoint->arch) || vm->config.irqchip != checkpoint->irqchip)
		return axvcpu_fail(vm, -EINVAL,
				   "restore: the checkpoint is of a VM of backend %s with irqchip "
				   "%" PRIu32 ", not of %s with %" PRIu32,
				   checkpoint->arch, checkpoint->irqchip, vm->ops->name,
				   vm->config.irqchip);
	if (!HAS_OP(vm->ops, load) || !HAS_OP(vm->ops, vm_load) || !HAS_OP(vm->ops, set_clock))
		return axv_vm_not_supported(vm, "load");
	return 0;
}

/* Whether this is the VM of the checkpoint, which tracks its changes. */
static bool is_in_place(const struct restore *restore)
{
	return atomic_load(&restore->checkpoint->reader.vm) == restore->vm;
}

/* Whether the host, and the VM as it was set up, can have the states. Its own ones fit. */
static int check_states(const struct restore *restore)
{
	const struct axvm_checkpoint *checkpoint = restore->checkpoint;
	const struct axv_blob *blob = &checkpoint->controllers;
	int ret = 0;

	if (restore->is_new || is_in_place(restore))
		return 0;
	for (uint32_t i = 0; !ret && i < checkpoint->nvcpus; i++)
		ret = axv_vcpu_check_load(restore->vcpus[i], checkpoint->vcpus[i].blob.data,
					  checkpoint->vcpus[i].blob.size, &restore->load);
	if (ret || (restore->config.flags & AXVM_RESTORE_NO_CONTROLLERS))
		return ret;
	return axv_vm_check_load(restore->vm, blob->data, blob->size, &restore->load);
}

static int check(struct restore *restore)
{
	const struct axvm_checkpoint *checkpoint = restore->checkpoint;
	struct axvm *vm = restore->vm;
	int ret = axv_life_check(vm, LIFE_RESET, LIFE_ANY_RUN);

	if (!ret)
		ret = check_kind(restore);
	/* Writes that were gathered would reach the devices later. Refuses their callbacks, too. */
	if (!ret)
		ret = axv_coalesced_deliver_outside(vm, "restore");
	if (ret)
		return ret;
	ret = axv_vcpus_list(vm, "restore", &restore->vcpus);
	if (ret >= 0)
		ret = check_vcpus(restore, ret);
	if (!ret)
		ret = axv_vcpus_check_rest(vm, "restore");
	if (!ret)
		ret = axv_image_check(checkpoint->image, vm);
	if (!ret && !(restore->config.flags & AXVM_RESTORE_NO_DEVICES))
		ret = axv_checkpoint_check_devices(checkpoint, vm);
	/* A GIC or an AIA can only be loaded then. */
	if (!ret)
		ret = axvm_finalize(vm);
	return ret ? ret : check_states(restore);
}

/* --- the parts -------------------------------------------------------------------------------- */

/* Whether an earlier restore in place has prepared the states of all vCPUs. */
static bool is_prepared(const struct restore *restore)
{
	const struct axvm_checkpoint *checkpoint = restore->checkpoint;

	for (uint32_t i = 0; i < checkpoint->nvcpus; i++)
		if (!checkpoint->vcpus[i].prepared || !checkpoint->vcpus[i].prepared->memory)
			return false;
	return is_in_place(restore);
}

/* Clocks that stay need not be set, if nothing else depends on it; see axvm_set_clock(). */
static int restore_clocks(const struct restore *restore)
{
	const struct axvm_clock *clock = &restore->checkpoint->clock;
	const struct axvm_restore_config *config = &restore->config;

	if (config->time_policy != AXVM_TIME_KEEP || !is_prepared(restore))
		return axvm_set_clock(restore->vm, clock, config->time_policy);
	/* The frequency is that of the checkpoint. */
	return config->without & AXVCPU_PART_TIMERS ? 0 : axv_clock_keep(restore->vcpus[0], clock);
}

static int load_vcpus(const struct restore *restore)
{
	const bool in_place = is_in_place(restore);
	int ret = 0;

	for (uint32_t i = 0; !ret && i < restore->checkpoint->nvcpus; i++) {
		const struct axv_saved_vcpu *saved = &restore->checkpoint->vcpus[i];

		ret = axv_vcpu_load(restore->vcpus[i], saved->blob.data, saved->blob.size,
				    &restore->load, in_place ? saved->prepared : NULL);
	}
	return ret;
}

/* Whether the dirty logs have had every change since the checkpoint or the latest restore. */
static bool is_tracked(const struct restore *restore)
{
	struct axv_memory_map *map = &restore->vm->memory;
	bool same;

	if (!is_in_place(restore))
		return false;
	pthread_mutex_lock(&map->change);
	same = map->version == restore->checkpoint->map_version;
	pthread_mutex_unlock(&map->change);
	return same;
}

static int64_t restore_memory(const struct restore *restore)
{
	const struct axv_image *image = restore->checkpoint->image;

	if (is_tracked(restore))
		return axv_image_restore_dirty(image, restore->vm, &restore->checkpoint->reader);
	return axv_image_restore_all(image, restore->vm);
}

/*
 * After the clocks, because timers are loaded relative to them. Controllers find tables in memory, and
 * signal vCPUs.
 */
static int64_t apply(const struct restore *restore)
{
	const struct axvm_checkpoint *checkpoint = restore->checkpoint;
	const struct axvm_restore_config *config = &restore->config;
	struct axvm *vm = restore->vm;
	int64_t pages = 0;
	int ret = load_vcpus(restore);

	if (!ret)
		pages = restore_memory(restore);
	if (!ret && pages < 0)
		ret = (int)pages;
	if (!ret && !(config->flags & AXVM_RESTORE_NO_CONTROLLERS))
		ret = axvm_load(vm, checkpoint->controllers.data, checkpoint->controllers.size,
				&restore->load);
	if (!ret && !(config->flags & AXVM_RESTORE_NO_DEVICES))
		ret = axv_checkpoint_restore_devices(checkpoint, vm);
	if (!ret)
		ret = axv_life_reset(vm);
	return ret ? ret : pages;
}

/* After a restore that has failed half-way with 'ret', which it returns. */
static int invalidate(struct axvm *vm, int ret)
{
	char message[256];

	axv_error_keep(message);
	axv_vcpus_invalidate(vm);
	return axvcpu_fail(vm, ret, "%s; the vCPUs are Invalid", message);
}

static int64_t run(struct restore *restore, const struct axvm_restore_config *config)
{
	struct axvm *vm = restore->vm;
	int64_t pages;
	int ret = axv_vm_check_process(vm);

	if (!ret)
		ret = check_config(restore, config);
	if (!ret)
		ret = check(restore);
	if (ret)
		return ret;
	pages = restore_clocks(restore);
	/* A host that cannot set the clocks has changed nothing. */
	if (pages != -ENOTSUP) {
		if (!pages)
			pages = apply(restore);
		if (pages < 0)
			pages = invalidate(vm, (int)pages);
	}
	return pages;
}

int64_t axvm_checkpoint_restore(const struct axvm_checkpoint *checkpoint, struct axvm *vm,
				const struct axvm_restore_config *config)
{
	struct restore restore = { .checkpoint = checkpoint, .vm = vm };
	const int64_t pages = run(&restore, config);

	free(restore.vcpus);
	return pages;
}

int64_t axv_checkpoint_restore_new(const struct axvm_checkpoint *checkpoint, struct axvm *vm,
				   const struct axvm_restore_config *config)
{
	struct restore restore = { .checkpoint = checkpoint, .vm = vm, .is_new = true };
	const int64_t pages = run(&restore, config);

	free(restore.vcpus);
	return pages;
}
