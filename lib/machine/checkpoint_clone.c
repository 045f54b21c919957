/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * Clones: creates a VM of the shape of a checkpoint, whose memory is the image, copy on write, and
 * restores the checkpoint into it.
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "axvcpu/arch.h"
#include "axvcpu/vcpu.h"
#include "lib/base/cancel.h"
#include "lib/base/sized.h"
#include "lib/host/hal.h"
#include "lib/machine/checkpoint.h"
#include "lib/machine/object.h"
#include "lib/memory/image.h"
#include "lib/text/error.h"
#include "lib/vcpu/vcpu.h"

#define KNOWN_FLAGS (AXVM_CLONE_KVM_FD | AXVM_CLONE_MEMFD)

/* A clone in progress. */
struct clone {
	const struct axvm_checkpoint *checkpoint;
	struct axvm_clone_config config;
	struct axv_shape shape;
	struct axvm *vm;
};

static int check(struct clone *clone, const struct axvm_clone_config *given)
{
	struct axvm_clone_config *config = &clone->config;
	int ret = axv_sized_copy(NULL, "struct axvm_clone_config", config, sizeof(*config), given);

	if (ret)
		return ret;
	if ((config->flags & ~KNOWN_FLAGS) || config->time_policy > AXVM_TIME_KEEP)
		return axvcpu_fail(NULL, -EINVAL,
				   "clone: unknown flags %#" PRIx32 ", or time policy %" PRIu32,
				   config->flags & ~KNOWN_FLAGS, config->time_policy);
	if (!config->arch)
		config->arch = axvcpu_host_arch();
	if (!HAS_OP(config->arch, name) || strcmp(config->arch->name, clone->checkpoint->arch))
		return axvcpu_fail(NULL, -EINVAL,
				   "clone: the checkpoint is of a VM of backend %s, which is not "
				   "that of the config",
				   clone->checkpoint->arch);
	if (!HAS_OP(config->arch, setup_saved))
		return axvcpu_fail(NULL, -ENOTSUP, "clone: not supported by the %s backend",
				   config->arch->name);
	return 0;
}

static int create_vm(struct clone *clone)
{
	struct axvm_config *config = &clone->shape.config;
	int ret = axv_shape_read(&clone->checkpoint->shape, clone->config.arch, &clone->shape);

	if (ret)
		return ret;
	if (clone->config.flags & AXVM_CLONE_KVM_FD) {
		config->flags = AXVM_F_KVM_FD;
		config->kvm_fd = clone->config.kvm_fd;
	}
	config->arch = clone->config.arch;
	config->hal = clone->config.hal;
	config->id = clone->config.id;
	config->kick_signal = clone->config.kick_signal;
	return axvm_new(config, &clone->vm);
}

/* The result 'ret' of a function of the caller, which may have left no message. */
static int called(const struct clone *clone, int ret, unsigned int failures, const char *name)
{
	if (ret < 0 && axv_error_count == failures)
		axvcpu_fail(clone->vm, ret, "clone: %s has failed", name);
	return ret < 0 ? ret : 0;
}

/* --- memory ----------------------------------------------------------------------------------- */

/* Maps region 'n' of the image: its pages, or memory to which they are copied later. */
static int map_region(const struct clone *clone, size_t n)
{
	const struct axv_saved_region *saved = &clone->shape.regions[n];
	const struct axv_image *image = clone->checkpoint->image;
	struct axvm_region info = AXVM_REGION_INIT;

	if (saved->gpa != image->regions[n].gpa || saved->len != image->regions[n].len)
		return axvcpu_fail(clone->vm, -EINVAL,
				   "clone: region %zu of the checkpoint has two addresses", n);
	info.gpa = saved->gpa;
	info.len = saved->len;
	info.flags = saved->flags & (AXVM_MEM_READONLY | AXVM_MEM_FRAMES);
	info.fd = -1;
	if (clone->config.flags & AXVM_CLONE_MEMFD) {
		info.backing = AXVM_MEM_MEMFD;
	} else if (clone->vm->origin) {
		info.backing = saved->backing == AXVM_MEM_FILE ? AXVM_MEM_FILE : AXVM_MEM_ANONYMOUS;
		info.flags |= AXVM_MEM_CLONED;
		info.fd = image->fd;
		info.fd_offset = image->regions[n].offset;
	}
	if (info.flags & AXVM_MEM_FRAMES)
		return axv_frames_adopt(clone->vm, &info, saved->frames);
	return axv_memory_map(clone->vm, &info, NULL);
}

static int map_memory(struct clone *clone)
{
	struct axv_image *image = clone->checkpoint->image;
	int ret = 0;

	if (clone->shape.nregions != image->count)
		return axvcpu_fail(clone->vm, -EINVAL,
				   "clone: the checkpoint has the memory of %zu regions of %zu",
				   image->count, clone->shape.nregions);
	if (!(clone->config.flags & AXVM_CLONE_MEMFD) && axv_hal_maps_memory(&clone->vm->hal))
		clone->vm->origin = axv_image_share(image);
	for (size_t n = 0; !ret && n < image->count; n++)
		ret = map_region(clone, n);
	return ret;
}

/* --- vCPUs ------------------------------------------------------------------------------------ */

static int complete_config(const struct clone *clone, struct axvcpu_config *config)
{
	const unsigned int failures = axv_error_count;

	if (!clone->config.vcpu_config)
		return 0;
	return called(clone, clone->config.vcpu_config(clone->config.ctx, config), failures,
		      "vcpu_config");
}

static int create_vcpu(const struct clone *clone, const struct axv_saved_vcpu *saved)
{
	const struct axv_blob *blob = &saved->blob;
	struct axvcpu_config config = AXVCPU_CONFIG_INIT;
	struct axvcpu *vcpu;
	int ret = axv_vcpu_saved_flags(clone->vm, blob->data, blob->size, &config.flags);

	config.id = saved->id;
	if (!ret)
		ret = complete_config(clone, &config);
	if (ret)
		return ret;
	if (config.id != saved->id)
		return axvcpu_fail(clone->vm, -EINVAL,
				   "clone: vcpu_config has changed the id %" PRIu32, saved->id);
	ret = axvcpu_new(clone->vm, &config, &vcpu);
	if (ret)
		return ret;
	return axv_vcpu_setup_saved(vcpu, blob->data, blob->size);
}

static int create_vcpus(const struct clone *clone)
{
	int ret = 0;

	for (uint32_t i = 0; !ret && i < clone->checkpoint->nvcpus; i++)
		ret = create_vcpu(clone, &clone->checkpoint->vcpus[i]);
	return ret;
}

/* --- the call --------------------------------------------------------------------------------- */

static int add_devices(const struct clone *clone)
{
	const unsigned int failures = axv_error_count;

	if (!clone->config.add_devices)
		return 0;
	return called(clone, clone->config.add_devices(clone->config.ctx, clone->vm), failures,
		      "add_devices");
}

/*
 * Also the memory: loading vCPUs may have written to it, and a clone that shares none has none yet.
 */
static int restore(const struct clone *clone)
{
	struct axvm_restore_config config = AXVM_RESTORE_CONFIG_INIT;
	int64_t pages;

	config.time_policy = clone->config.time_policy;
	config.refused = clone->config.refused;
	config.ctx = clone->config.ctx;
	if (!clone->config.add_devices)
		config.flags = AXVM_RESTORE_NO_DEVICES;
	pages = axv_checkpoint_restore_new(clone->checkpoint, clone->vm, &config);
	return pages < 0 ? (int)pages : 0;
}

static int reseed(const struct clone *clone)
{
	const unsigned int failures = axv_error_count;

	if (!clone->config.reseed)
		return 0;
	return called(clone, clone->config.reseed(clone->config.ctx, clone->vm), failures,
		      "reseed");
}

/* What was created before a failure is destroyed. */
static void destroy(const struct clone *clone)
{
	if (!clone->vm)
		return;
	for (uint32_t i = 0; i < clone->checkpoint->nvcpus; i++)
		axvcpu_free(axvm_vcpu(clone->vm, clone->checkpoint->vcpus[i].id));
	axvm_free(clone->vm);
}

static int create(struct clone *clone)
{
	int ret = create_vm(clone);

	if (!ret)
		ret = map_memory(clone);
	if (!ret)
		ret = create_vcpus(clone);
	if (!ret)
		ret = add_devices(clone);
	if (!ret)
		ret = restore(clone);
	if (!ret)
		ret = reseed(clone);
	if (ret)
		destroy(clone);
	axv_shape_free(&clone->shape);
	return ret;
}

int axvm_checkpoint_clone(const struct axvm_checkpoint *checkpoint,
			  const struct axvm_clone_config *given, struct axvm **vm)
{
	struct clone clone = { .checkpoint = checkpoint };
	int cancel, ret = check(&clone, given);

	if (ret)
		return ret;
	cancel = axv_cancel_disable();
	ret = create(&clone);
	axv_cancel_restore(cancel);
	if (!ret)
		*vm = clone.vm;
	return ret;
}
