/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* Takes checkpoints of a VM: brings it to rest, and saves its parts in the order that they need. */
#include "lib/machine/checkpoint.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "axvcpu/life.h"
#include "axvcpu/runner.h"
#include "axvcpu/vm_state.h"
#include "lib/base/sized.h"
#include "lib/host/sys.h"
#include "lib/machine/object.h"
#include "lib/machine/vcpus.h"
#include "lib/memory/dirty.h"
#include "lib/memory/image.h"
#include "lib/vcpu/saved.h"
#include "lib/vcpu/vcpu.h"

/* --- to rest ---------------------------------------------------------------------------------- */

static int settle_vcpus(struct axvm *vm)
{
	struct axvcpu **vcpus;
	int ret, count = axv_vcpus_list(vm, "quiesce", &vcpus);

	ret = count < 0 ? count : 0;
	for (int i = 0; !ret && i < count; i++)
		if (axvcpu_state(vcpus[i]) != AXVCPU_CREATED)
			ret = axv_vcpu_settle(vcpus[i], "quiesce");
	free(vcpus);
	return ret;
}

int axvm_quiesce(struct axvm *vm, struct axvm_runner *runner, int64_t timeout_ns)
{
	struct axvm_status_info status = AXVM_STATUS_INFO_INIT;
	int ret = axvm_get_status(vm, &status);

	if (!ret && runner)
		ret = axvm_runner_pause(runner, timeout_ns);
	if (ret)
		return ret;
	ret = axv_vcpus_check_rest(vm, "quiesce");
	if (!ret)
		ret = settle_vcpus(vm);
	if (!ret)
		ret = axvm_quiesce_devices(vm);
	if (ret && runner && status.status == AXVM_STATUS_RUNNING)
		axvm_runner_resume(runner);
	return ret;
}

/* --- saving ----------------------------------------------------------------------------------- */

/* Saves the state of one object, which 'save' writes. The size is asked for first. */
static int save_blob(struct axvm *vm, int (*save)(void *object, void *buf, size_t size),
		     void *object, struct axv_blob *blob)
{
	int ret = save(object, NULL, 0);

	if (ret < 0)
		return ret;
	blob->size = (size_t)ret;
	blob->data = axv_sys_calloc(1, blob->size);
	if (!blob->data)
		return axvcpu_fail(vm, -ENOMEM, "checkpoint: allocating %zu bytes for a state",
				   blob->size);
	ret = save(object, blob->data, blob->size);
	if (ret < 0 || (size_t)ret == blob->size)
		return ret < 0 ? ret : 0;
	return axvcpu_fail(vm, -EBUSY,
			   "checkpoint: the size of a state changes: the VM is not at rest");
}

static int save_vcpu(void *object, void *buf, size_t size)
{
	return axvcpu_save(object, buf, size);
}

static int save_controllers(void *object, void *buf, size_t size)
{
	return axvm_save(object, buf, size);
}

static int save_shape(void *object, void *buf, size_t size)
{
	return axv_shape_save(object, buf, size);
}

static int save_vcpus(struct axvm *vm, struct axvcpu *const *vcpus,
		      struct axvm_checkpoint *checkpoint)
{
	int ret = 0;

	for (uint32_t i = 0; !ret && i < checkpoint->nvcpus; i++) {
		struct axv_saved_vcpu *saved = &checkpoint->vcpus[i];

		saved->id = axvcpu_id(vcpus[i]);
		ret = save_blob(vm, save_vcpu, vcpus[i], &saved->blob);
		if (ret || !(checkpoint->flags & AXVM_CHECKPOINT_TRACK))
			continue;
		saved->prepared = axv_sys_calloc(1, sizeof(*saved->prepared));
		if (!saved->prepared)
			ret = axvcpu_fail(vm, -ENOMEM, "checkpoint: allocating a prepared state");
	}
	return ret;
}

/* --- tracking --------------------------------------------------------------------------------- */

static int start_logs(struct axvm *vm, const struct axvm_checkpoint *checkpoint)
{
	const struct axv_image *image = checkpoint->image;
	int ret = 0;

	for (size_t i = 0; !ret && i < image->count; i++)
		ret = axv_dirty_set_log(vm, &checkpoint->reader, image->regions[i].gpa,
					image->regions[i].len, true);
	return ret;
}

/* Continues after a failure, and returns the first one. A region that is gone has no log. */
static int stop_logs(struct axvm *vm, const struct axvm_checkpoint *checkpoint)
{
	const struct axv_image *image = checkpoint->image;
	int ret = 0;

	for (size_t i = 0; i < image->count; i++) {
		const int failed = axv_dirty_set_log(vm, &checkpoint->reader, image->regions[i].gpa,
						     image->regions[i].len, false);

		if (failed && failed != -ENOENT && !ret)
			ret = failed;
	}
	return ret;
}

/* Whether a caller reads the logs. */
static bool has_log(struct axvm *vm)
{
	const struct axv_memory_table *table = axv_memory_table(&vm->memory);

	for (size_t i = 0; i < table->count; i++)
		if (axv_region_flags(table->keys[i].region) & AXVM_MEM_LOG_DIRTY)
			return true;
	return false;
}

/* Becomes the reader of the logs, before they are on. */
static int become_reader(struct axvm *vm, struct axvm_checkpoint *checkpoint)
{
	struct axv_log_reader *none = NULL;
	bool in_use;

	pthread_mutex_lock(&vm->memory.change);
	in_use = has_log(vm) || !atomic_compare_exchange_strong(&vm->memory.log_reader, &none,
								&checkpoint->reader);
	checkpoint->map_version = vm->memory.version;
	pthread_mutex_unlock(&vm->memory.change);
	if (in_use)
		return axvcpu_fail(
			vm, -EBUSY,
			"checkpoint: the dirty logs of the VM are in use: switch them off, "
			"or free the checkpoint that tracks changes");
	atomic_store(&checkpoint->reader.vm, vm);
	return 0;
}

static int stop_tracking(struct axvm_checkpoint *checkpoint)
{
	struct axvm *vm = atomic_load(&checkpoint->reader.vm);
	int ret = vm ? axv_vm_check_process(vm) : 0;

	if (!vm)
		return 0;
	if (!ret && checkpoint->image)
		ret = stop_logs(vm, checkpoint);
	atomic_store(&vm->memory.log_reader, NULL);
	return ret;
}

/* --- the object ------------------------------------------------------------------------------- */

/* What writes to guest memory comes before the memory. */
static int take(struct axvm *vm, struct axvcpu *const *vcpus, struct axvm_checkpoint *checkpoint)
{
	int ret = axvm_get_clock(vm, &checkpoint->clock);

	if (!ret)
		ret = save_blob(vm, save_shape, vm, &checkpoint->shape);
	if (!ret)
		ret = save_blob(vm, save_controllers, vm, &checkpoint->controllers);
	if (!ret)
		ret = save_vcpus(vm, vcpus, checkpoint);
	if (!ret)
		ret = axv_checkpoint_save_devices(vm, checkpoint);
	if (!ret && checkpoint->flags & AXVM_CHECKPOINT_TRACK)
		ret = become_reader(vm, checkpoint);
	if (!ret)
		ret = axv_image_new(vm, &checkpoint->image);
	/* Nothing writes to the memory between its copy and this. */
	if (!ret && checkpoint->flags & AXVM_CHECKPOINT_TRACK)
		ret = start_logs(vm, checkpoint);
	return ret;
}

static int check(struct axvm *vm, const struct axvm_checkpoint_config *given,
		 struct axvm_checkpoint_config *config)
{
	int ret = axv_vm_check_process(vm);

	if (!ret)
		ret = axv_sized_copy(vm, "struct axvm_checkpoint_config", config, sizeof(*config),
				     given);
	if (ret)
		return ret;
	if ((config->flags & ~AXVM_CHECKPOINT_TRACK) || config->reserved)
		return axvcpu_fail(vm, -EINVAL,
				   "checkpoint: unknown flags %#" PRIx32
				   ", or the reserved field is not 0",
				   config->flags & ~AXVM_CHECKPOINT_TRACK);
	if (config->flags & AXVM_CHECKPOINT_TRACK)
		ret = axv_dirty_check(vm);
	return ret ? ret : axv_vcpus_check_rest(vm, "checkpoint");
}

static struct axvm_checkpoint *create(struct axvm *vm, uint32_t flags, uint32_t nvcpus)
{
	struct axvm_checkpoint *checkpoint =
		axv_sys_calloc(1, sizeof(*checkpoint) + nvcpus * sizeof(checkpoint->vcpus[0]));

	if (!checkpoint) {
		axvcpu_fail(vm, -ENOMEM, "checkpoint: allocating it");
		return NULL;
	}
	checkpoint->flags = flags;
	snprintf(checkpoint->arch, sizeof(checkpoint->arch), "%s", vm->ops->name);
	checkpoint->irqchip = vm->config.irqchip;
	checkpoint->nvcpus = nvcpus;
	checkpoint->clock = (struct axvm_clock)AXVM_CLOCK_INIT;
	return checkpoint;
}

int axvm_checkpoint_new(struct axvm *vm, const struct axvm_checkpoint_config *given,
			struct axvm_checkpoint **out)
{
	struct axvm_checkpoint_config config;
	struct axvm_checkpoint *checkpoint = NULL;
	struct axvcpu **vcpus = NULL;
	int ret = check(vm, given, &config);

	if (ret)
		return ret;
	ret = axv_vcpus_list(vm, "checkpoint", &vcpus);
	if (ret < 0)
		goto out;
	checkpoint = create(vm, config.flags, (uint32_t)ret);
	ret = checkpoint ? take(vm, vcpus, checkpoint) : -ENOMEM;
	if (ret)
		axvm_checkpoint_free(checkpoint);
	else
		*out = checkpoint;
out:
	free(vcpus);
	return ret;
}

int axvm_checkpoint_free(struct axvm_checkpoint *checkpoint)
{
	int ret;

	if (!checkpoint)
		return 0;
	ret = stop_tracking(checkpoint);
	axv_image_free(checkpoint->image);
	axv_checkpoint_free_devices(checkpoint);
	free(checkpoint->shape.data);
	free(checkpoint->controllers.data);
	for (uint32_t i = 0; i < checkpoint->nvcpus; i++) {
		if (checkpoint->vcpus[i].prepared)
			free(checkpoint->vcpus[i].prepared->memory);
		free(checkpoint->vcpus[i].prepared);
		free(checkpoint->vcpus[i].blob.data);
	}
	free(checkpoint);
	return ret;
}

int axvm_checkpoint_get_info(const struct axvm_checkpoint *checkpoint,
			     struct axvm_checkpoint_info *info)
{
	const struct axv_image *image = checkpoint->image;
	struct axvm_checkpoint_info all = { .size = sizeof(all),
					    .vcpus = checkpoint->nvcpus,
					    .regions = (uint32_t)image->count,
					    .devices = checkpoint->ndevices,
					    .flags = checkpoint->flags,
					    .memory = image->len,
					    .memory_held = image->pages * image->page_size,
					    .state = checkpoint->controllers.size,
					    .irqchip = checkpoint->irqchip,
					    .page_size = (uint32_t)image->page_size,
					    .realtime_ns = checkpoint->clock.realtime_ns };
	int ret = axv_sized_check(NULL, "checkpoint_get_info", info);

	if (ret)
		return ret;
	memcpy(all.arch, checkpoint->arch, sizeof(all.arch));
	for (uint32_t i = 0; i < checkpoint->nvcpus; i++)
		all.state += checkpoint->vcpus[i].blob.size;
	for (const struct axv_saved_device *d = checkpoint->devices; d; d = d->next)
		all.state += d->blob.size;
	axv_sized_give(info, &all);
	return 0;
}
