/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * The shape of a VM in a checkpoint: its config and its memory regions, from which a clone is
 * created. It has the format of a saved state.
 */
#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/sized.h"
#include "lib/host/sys.h"
#include "lib/machine/checkpoint.h"
#include "lib/machine/object.h"
#include "lib/vcpu/saved.h"

/* Little-endian words, in the order of 'members'. New ones are appended: a missing one is 0. */
#define CONFIG "axvm-config"
/* The struct of the backend. */
#define ARCH "axvm-arch"
/* An array of struct axvm_sysreg_range. */
#define SYSREGS "axvm-sysregs"
/* An array of struct axv_saved_region. */
#define MEMORY "axvm-memory"

#define ELEMENTS(array) (sizeof(array) / sizeof((array)[0]))

static const size_t members[] = {
	offsetof(struct axvm_config, gpa_bits),
	offsetof(struct axvm_config, max_vcpus),
	offsetof(struct axvm_config, irqchip),
	offsetof(struct axvm_config, forward),
	offsetof(struct axvm_config, doorbell_port),
	offsetof(struct axvm_config, notify_window),
	offsetof(struct axvm_config, poweroff_port),
	offsetof(struct axvm_config, poweroff_width),
	offsetof(struct axvm_config, poweroff_value),
	offsetof(struct axvm_config, dirty_ring_entries),
};

/* --- saving ----------------------------------------------------------------------------------- */

static int save_config(const struct axvm *vm, struct axvcpu_saver *saver)
{
	uint32_t words[ELEMENTS(members)];
	size_t size;
	int ret;

	for (size_t i = 0; i < ELEMENTS(members); i++) {
		memcpy(&words[i], (const char *)&vm->config + members[i], sizeof(words[i]));
		words[i] = htole32(words[i]);
	}
	ret = axvcpu_save_section(saver, CONFIG, 1, 0, words, sizeof(words));
	if (ret || !vm->arch_config)
		return ret;
	memcpy(&size, vm->arch_config, sizeof(size));
	return axvcpu_save_section(saver, ARCH, 1, 0, vm->arch_config, size);
}

static int save_sysregs(struct axvm *vm, struct axvcpu_saver *saver)
{
	int ret = 0;

	pthread_mutex_lock(&vm->lock);
	if (vm->nsysregs)
		ret = axvcpu_save_section(saver, SYSREGS, 1, 0, vm->sysregs,
					  vm->nsysregs * sizeof(vm->sysregs[0]));
	pthread_mutex_unlock(&vm->lock);
	return ret;
}

static struct axv_saved_region saved_of(struct axvm *vm, const struct axvm_region *region)
{
	struct axv_saved_region saved = {
		.gpa = region->gpa,
		.len = region->len,
		.backing = region->backing,
		.flags = region->flags & (AXVM_MEM_READONLY | AXVM_MEM_FRAMES),
	};

	if (region->flags & AXVM_MEM_FRAMES)
		axv_frames_taken(vm, region->gpa, saved.frames);
	return saved;
}

static int save_memory(struct axvm *vm, struct axvcpu_saver *saver)
{
	const size_t count = (size_t)axvm_regions(vm, 0, 0, NULL);
	struct axvm_region region = AXVM_REGION_INIT;
	struct axv_saved_region *saved;
	int ret;

	if (!count)
		return 0;
	saved = axv_sys_calloc(count, sizeof(*saved));
	if (!saved)
		return axvcpu_fail(vm, -ENOMEM, "checkpoint: allocating the list of regions");
	for (size_t i = 0; i < count; i++)
		if ((size_t)axvm_regions(vm, i, 1, &region) > i)
			saved[i] = saved_of(vm, &region);
	ret = axvcpu_save_section(saver, MEMORY, 1, 0, saved, count * sizeof(*saved));
	free(saved);
	return ret;
}

int axv_shape_save(struct axvm *vm, void *buf, size_t size)
{
	struct axvcpu_saver saver;
	int ret = axv_saver_begin(&saver, vm, vm->ops->name, buf, size);

	if (!ret)
		ret = save_config(vm, &saver);
	if (!ret)
		ret = save_sysregs(vm, &saver);
	if (!ret)
		ret = save_memory(vm, &saver);
	return ret ? ret : axv_saver_end(&saver);
}

/* --- reading ---------------------------------------------------------------------------------- */

/*
 * Finds an array of elements of 'size' bytes. Returns their number and a copy, which the caller frees;
 * 0 and NULL if there is none; or a negative errno.
 */
static int64_t find_array(struct axvcpu_loader *loader, const char *name, size_t size, void **copy)
{
	struct axvcpu_saved_section section;
	int ret = axvcpu_load_section(loader, name, 1, size, AXVCPU_SAVED_MAX, &section);

	if (ret <= 0)
		return ret;
	if (section.len % size)
		return axvcpu_fail(NULL, -EINVAL, "clone: section %s ends within an element", name);
	*copy = axv_sys_calloc(1, section.len);
	if (!*copy)
		return axvcpu_fail(NULL, -ENOMEM, "clone: allocating %zu bytes", section.len);
	memcpy(*copy, section.data, section.len);
	return (int64_t)(section.len / size);
}

static int find_config(struct axvcpu_loader *loader, struct axv_shape *shape)
{
	struct axvcpu_saved_section section;
	int ret = axvcpu_load_section(loader, CONFIG, 1, 0, sizeof(uint32_t) * ELEMENTS(members),
				      &section);

	if (ret < 0)
		return ret;
	if (!ret)
		return axvcpu_fail(NULL, -EINVAL, "clone: the checkpoint has no section " CONFIG);
	if (section.len % sizeof(uint32_t))
		return axvcpu_fail(NULL, -EINVAL, "clone: section " CONFIG " ends within a word");
	for (size_t i = 0; i < section.len / sizeof(uint32_t); i++) {
		uint32_t word;

		memcpy(&word, (const char *)section.data + i * sizeof(word), sizeof(word));
		word = le32toh(word);
		memcpy((char *)&shape->config + members[i], &word, sizeof(word));
	}
	return 0;
}

/* The section is unknown to a backend without a size: its struct may have pointers. */
static int find_arch_config(struct axvcpu_loader *loader, const struct axvcpu_arch_ops *ops,
			    struct axv_shape *shape)
{
	size_t size;
	int64_t n;

	if (!HAS_OP(ops, arch_config_size) || !ops->arch_config_size)
		return 0;
	n = find_array(loader, ARCH, 1, &shape->arch_config);
	if (n <= 0)
		return (int)n;
	/* The backend trusts the size. */
	if ((size_t)n >= sizeof(size))
		memcpy(&size, shape->arch_config, sizeof(size));
	if ((size_t)n < sizeof(size) || size != (size_t)n)
		return axvcpu_fail(NULL, -EINVAL, "clone: section " ARCH " has %d bytes", (int)n);
	shape->config.arch_config = shape->arch_config;
	return 0;
}

int axv_shape_read(const struct axv_blob *blob, const struct axvcpu_arch_ops *ops,
		   struct axv_shape *shape)
{
	const struct axvcpu_load_config none = AXVCPU_LOAD_CONFIG_INIT;
	struct axvcpu_loader loader;
	void *sysregs = NULL, *regions = NULL;
	int64_t n;
	int ret;

	*shape = (struct axv_shape){ .config = AXVM_CONFIG_INIT };
	ret = axv_loader_begin(&loader, NULL, NULL, ops->name, blob->data, blob->size, &none);
	if (!ret)
		ret = find_config(&loader, shape);
	if (!ret)
		ret = find_arch_config(&loader, ops, shape);
	if (ret)
		return ret;
	n = find_array(&loader, SYSREGS, sizeof(*shape->sysregs), &sysregs);
	shape->sysregs = sysregs;
	if (n < 0)
		return (int)n;
	shape->config.sysregs = sysregs;
	shape->config.nsysregs = (uint32_t)n;
	n = find_array(&loader, MEMORY, sizeof(*shape->regions), &regions);
	shape->regions = regions;
	if (n < 0)
		return (int)n;
	shape->nregions = (size_t)n;
	/* A section of a later version. */
	return axvcpu_load_begin(&loader);
}

void axv_shape_free(struct axv_shape *shape)
{
	free(shape->arch_config);
	free(shape->sysregs);
	free(shape->regions);
}
