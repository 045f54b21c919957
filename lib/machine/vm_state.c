/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * Saving and loading a VM without its vCPUs and memory: the backend has the interrupt controllers
 * and lines; the library loads the old state again if the host refuses the new one.
 */
#include "axvcpu/vm_state.h"

#include <endian.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "axvcpu/vcpu.h"
#include "lib/machine/object.h"
#include "lib/machine/routes.h"
#include "lib/machine/vcpus.h"
#include "lib/text/error.h"
#include "lib/vcpu/saved.h"

/* --- the section of the library --------------------------------------------------------------- */

#define SECTION "axvm"
#define SECTION_VERSION 1u

/* The shape of the VM, which a load compares. Little-endian. */
struct shape {
	uint32_t vcpus;
	/* enum axvm_irqchip */
	uint32_t irqchip;
};

static struct shape shape_of(struct axvm *vm)
{
	const int vcpus = axvm_vcpus(vm, 0, 0, NULL);

	return (struct shape){ .vcpus = htole32((uint32_t)vcpus),
			       .irqchip = htole32(vm->config.irqchip) };
}

static int check_shape(struct axvm *vm, struct axvcpu_loader *loader)
{
	const struct shape own = shape_of(vm);
	struct axvcpu_saved_section section;
	struct shape saved;
	int ret = axvcpu_load_section(loader, SECTION, SECTION_VERSION, sizeof(saved),
				      sizeof(saved), &section);

	if (ret < 0)
		return ret;
	if (!ret)
		return axvcpu_fail(vm, -EINVAL,
				   "load: the state has no section " SECTION
				   ": it is not that of a VM");
	memcpy(&saved, section.data, sizeof(saved));
	if (memcmp(&saved, &own, sizeof(own)))
		return axvcpu_fail(vm, -EINVAL,
				   "load: the state is that of a VM with %" PRIu32
				   " vCPUs and irqchip %" PRIu32 "; this one has %" PRIu32
				   " and %" PRIu32,
				   le32toh(saved.vcpus), le32toh(saved.irqchip), le32toh(own.vcpus),
				   le32toh(own.irqchip));
	return 0;
}

/* --- saving ----------------------------------------------------------------------------------- */

static int save(struct axvm *vm, void *buf, size_t size)
{
	const struct shape shape = shape_of(vm);
	struct axvcpu_saver saver;
	int ret = axv_saver_begin(&saver, vm, vm->ops->name, buf, size);

	if (!ret)
		ret = axvcpu_save_section(&saver, SECTION, SECTION_VERSION, 0, &shape,
					  sizeof(shape));
	if (!ret)
		ret = axv_routes_save(vm, &saver);
	if (!ret)
		ret = vm->ops->vm_save(vm->arch, &saver);
	return ret < 0 ? ret : axv_saver_end(&saver);
}

static int check(struct axvm *vm, bool has_op, const char *what)
{
	int ret = axv_vm_check_process(vm);

	if (ret)
		return ret;
	if (!has_op)
		return axv_vm_not_supported(vm, what);
	return axv_vcpus_check_rest(vm, what);
}

int axvm_save(struct axvm *vm, void *buf, size_t size)
{
	int ret = check(vm, HAS_OP(vm->ops, vm_save), "vm_save");

	return ret ? ret : save(vm, buf, size);
}

/* --- loading ---------------------------------------------------------------------------------- */

struct saved_routes {
	struct axv_route *table;
	size_t count;
};

/* Before the controllers: lines are raised by their routes. */
static int load_routes(struct axvcpu_loader *loader)
{
	struct saved_routes *routes = loader->first;
	struct axv_route *table = routes->table;
	bool changed;
	int ret;

	if (!table)
		return 0;
	routes->table = NULL;
	ret = axv_routes_load(loader->vm, table, routes->count, &changed);
	loader->begun = !ret || changed;
	return ret;
}

static int load(struct axvm *vm, struct axvcpu_loader *loader)
{
	struct saved_routes routes = { .table = NULL };
	int ret = check_shape(vm, loader);

	if (!ret)
		ret = axv_routes_find_saved(vm, loader, &routes.table, &routes.count);
	loader->load_first = load_routes;
	loader->first = &routes;
	if (!ret)
		ret = vm->ops->vm_load(vm->arch, loader);
	free(routes.table);
	return ret;
}

static int save_present(const struct axvcpu_loader *loader, void *buf, size_t size)
{
	return save(loader->vm, buf, size);
}

/* After a load that has failed half-way with 'ret', which it returns: loads the former state. */
static int roll_back(struct axvm *vm, const struct axvcpu_loader *failed, int ret)
{
	struct axvcpu_loader loader;
	char message[256];
	bool done;

	axv_error_keep(message);
	if (!axv_loader_begin_backup(&loader, failed, vm->ops->name)) {
		done = !load(vm, &loader);
		free(loader.memory);
		if (done)
			return ret;
	}
	axv_vcpus_invalidate(vm);
	return axvcpu_fail(vm, ret, "%s; the vCPUs are Invalid", message);
}

int axv_vm_check_load(struct axvm *vm, const void *state, size_t size,
		      const struct axvcpu_load_config *config)
{
	struct axvcpu_loader loader;
	int ret = axv_loader_begin(&loader, NULL, vm, vm->ops->name, state, size, config);

	if (ret)
		return ret;
	loader.check_only = true;
	ret = load(vm, &loader);
	free(loader.memory);
	return loader.checked ? 0 : ret;
}

int axvm_load(struct axvm *vm, const void *state, size_t size,
	      const struct axvcpu_load_config *given)
{
	struct axvcpu_load_config config;
	struct axvcpu_loader loader;
	/* A backend without `vm_save` cannot roll back. */
	int ret = check(vm, HAS_OP(vm->ops, vm_load) && HAS_OP(vm->ops, vm_save), "vm_load");

	if (!ret)
		ret = axv_load_config(vm, given, &config);
	if (!ret)
		ret = axv_loader_begin(&loader, NULL, vm, vm->ops->name, state, size, &config);
	if (ret)
		return ret;
	if (!(config.flags & AXVCPU_LOAD_NO_ROLLBACK))
		loader.save = save_present;
	ret = load(vm, &loader);
	if (ret && loader.begun)
		ret = roll_back(vm, &loader, ret);
	free(loader.memory);
	free(loader.backup);
	return ret;
}
