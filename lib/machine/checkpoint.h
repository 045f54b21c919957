/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * A checkpoint: what it holds. checkpoint.c takes it, checkpoint_restore.c puts it back, and
 * checkpoint_clone.c creates VMs from it.
 */
#ifndef LIB_MACHINE_CHECKPOINT_H
#define LIB_MACHINE_CHECKPOINT_H

#include "axvcpu/checkpoint.h"
#include "axvcpu/vm.h"
#include "lib/machine/devices.h"
#include "lib/memory/frames.h"
#include "lib/memory/memory.h"

struct axv_image;
struct axv_prepared;

/* A saved state. */
struct axv_blob {
	void *data;
	size_t size;
};

struct axv_saved_device {
	struct axv_saved_device *next;
	char name[AXVM_DEVICE_NAME_SIZE];
	uint32_t version;
	struct axv_blob blob;
};

struct axvm_checkpoint {
	/* With AXVM_CHECKPOINT_TRACK it has the VM whose dirty logs it reads. */
	struct axv_log_reader reader;
	/* Of the memory map of that VM at the checkpoint. */
	uint64_t map_version;
	uint32_t flags;
	/* Of the VM: enum axvm_irqchip, and the name of its backend. */
	uint32_t irqchip;
	char arch[AXVCPU_SAVED_NAME];
	/* The config and the regions of the VM, for clones. */
	struct axv_blob shape;
	struct axvm_clock clock;
	struct axv_blob controllers;
	struct axv_image *image;
	struct axv_saved_device *devices;
	uint32_t ndevices;
	/* By id, as axvm_vcpus() lists them. */
	uint32_t nvcpus;
	struct axv_saved_vcpu {
		uint32_t id;
		struct axv_blob blob;
		/*
		 * For restores into the VM of 'reader'; NULL without AXVM_CHECKPOINT_TRACK. The
		 * first one finalizes that VM, so its vCPUs are then always the same.
		 */
		struct axv_prepared *prepared;
	} vcpus[];
};

/* A memory region in the shape of a VM. */
struct axv_saved_region {
	uint64_t gpa;
	uint64_t len;
	/* enum axvm_backing */
	uint32_t backing;
	/* AXVM_MEM_READONLY, AXVM_MEM_FRAMES */
	uint32_t flags;
	/* Bitmap of the frames that are allocated. */
	uint64_t frames[AXV_CHUNK_WORDS];
};

/* What a new VM needs before it can be restored; its pointers belong to it. */
struct axv_shape {
	struct axvm_config config;
	void *arch_config;
	struct axvm_sysreg_range *sysregs;
	struct axv_saved_region *regions;
	size_t nregions;
};

/* checkpoint_shape.c: saves the shape as axvcpu_save() saves a vCPU. */
int axv_shape_save(struct axvm *vm, void *buf, size_t size);
/* Reads and allocates it. The caller calls axv_shape_free(), also after a failure. */
int axv_shape_read(const struct axv_blob *blob, const struct axvcpu_arch_ops *ops,
		   struct axv_shape *shape);
void axv_shape_free(struct axv_shape *shape);

/* checkpoint_devices.c: saves the devices that have a state. */
int axv_checkpoint_save_devices(struct axvm *vm, struct axvm_checkpoint *checkpoint);
void axv_checkpoint_free_devices(struct axvm_checkpoint *checkpoint);
/* Returns 0 if the VM has all of these devices, or -EINVAL with a message. */
int axv_checkpoint_check_devices(const struct axvm_checkpoint *checkpoint, struct axvm *vm);
int axv_checkpoint_restore_devices(const struct axvm_checkpoint *checkpoint, struct axvm *vm);

/*
 * axvm_checkpoint_restore() into a VM that the caller destroys if it fails: the states are not checked
 * before the first change, which would take as long as to load them.
 */
int64_t axv_checkpoint_restore_new(const struct axvm_checkpoint *checkpoint, struct axvm *vm,
				   const struct axvm_restore_config *config);

/*
 * clock.c: axvm_set_clock() with AXVM_TIME_KEEP, by the vCPU with the lowest id, in a VM whose
 * counters have the saved frequency.
 */
int axv_clock_keep(struct axvcpu *vcpu, const struct axvm_clock *saved);

#endif
