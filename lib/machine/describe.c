/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* A VM as data and as text: its config, its memory, its vCPUs, its status. */
#include <inttypes.h>

#include "axvcpu/life.h"
#include "axvcpu/power.h"
#include "lib/base/cancel.h"
#include "lib/base/compiler.h"
#include "lib/base/sized.h"
#include "lib/machine/object.h"
#include "lib/text/text.h"
#include "lib/vcpu/vcpu.h"

int axvm_get_config(const struct axvm *vm, struct axvm_config *config)
{
	int ret = axv_vm_check_process(vm);

	if (!ret)
		ret = axv_sized_check(vm, "get_config", config);
	if (!ret)
		axv_sized_give(config, &vm->config);
	return ret;
}

const char *axv_irqchip_name(uint32_t irqchip)
{
	static const char *const names[] = {
		[AXVM_IRQCHIP_NONE] = "no",
		[AXVM_IRQCHIP_KERNEL] = "in-kernel",
		[AXVM_IRQCHIP_SPLIT] = "split",
	};

	return names[irqchip];
}

static void add_config(struct axv_text *text, const struct axvm *vm)
{
	const struct axvm_config *config = &vm->config;

	axv_text_add(text, "VM %" PRIu64 ": %s, %s irqchip", vm->id, vm->ops->name,
		     axv_irqchip_name(config->irqchip));
	if (vm->limits.gic_version)
		axv_text_add(text, " (GICv%" PRIu32 ")", vm->limits.gic_version);
	axv_text_add(text, ", %" PRIu32 " address bits, signal %d", config->gpa_bits,
		     config->kick_signal);
	if (config->forward)
		axv_text_add(text, ", forward %#" PRIx32, config->forward);
	if (config->nsysregs)
		axv_text_add(text, ", %" PRIu32 " ranges of system registers", config->nsysregs);
	axv_text_add(text, "%s\n", atomic_load(&vm->finalized) ? ", finalized" : "");
}

static int add_status(struct axv_text *text, struct axvm *vm)
{
	struct axvm_status_info info = AXVM_STATUS_INFO_INIT;
	int ret = axvm_get_status(vm, &info);

	if (ret)
		return ret;
	axv_text_add(text, "status: %s", axvm_status_name(info.status));
	if (info.reason)
		axv_text_add(text, ", end: %s", axvm_end_reason_name(info.reason));
	if (info.reason && info.vcpu != AXVM_NO_VCPU)
		axv_text_add(text, ", vCPU %" PRIu32 ": %s", info.vcpu, info.text);
	axv_text_add(text, "\n");
	return 0;
}

static const char *const backings[] = {
	[AXVM_MEM_ANONYMOUS] = "anonymous",
	[AXVM_MEM_MEMFD] = "memfd",
	[AXVM_MEM_FILE] = "file",
	[AXVM_MEM_CALLER] = "caller",
};

static void add_memory(struct axv_text *text, struct axvm *vm)
{
	struct axv_memory_map *map = &vm->memory;
	_Atomic uint32_t *reader = axv_srcu_read_lock(&map->srcu);
	const struct axv_memory_table *table = axv_memory_table(map);

	for (size_t i = 0; i < table->count; i++) {
		const struct axvm_region *region = &table->keys[i].region->info;

		axv_text_add(text, "memory: %#" PRIx64 " +%#" PRIx64 " %s%s%s%s\n", region->gpa,
			     region->len, backings[region->backing],
			     region->flags & AXVM_MEM_READONLY ? ", read-only" : "",
			     region->flags & AXVM_MEM_FRAMES ? ", frames" : "",
			     region->flags & AXVM_MEM_CLONED ? ", cloned" : "");
	}
	axv_srcu_read_unlock(&map->srcu, reader);
}

static const char *const powers[] = {
	[AXVCPU_POWER_ON] = "on",
	[AXVCPU_POWER_OFF] = "off",
	[AXVCPU_POWER_WAITING] = "waiting",
	[AXVCPU_POWER_STARTING] = "starting",
};

static void add_vcpus(struct axv_text *text, struct axvm *vm)
{
	pthread_mutex_lock(&vm->lock);
	axv_text_add(text, "vCPUs: %" PRIu32 " of %" PRIu32 "\n", vm->nvcpus, vm->limits.vcpus);
	for (uint32_t id = 0; id < vm->limits.vcpus; id++) {
		const struct axvcpu *vcpu = vm->vcpus[id];

		if (vcpu)
			axv_text_add(text, "vCPU %" PRIu32 ": %s, power %s\n", id,
				     axvcpu_state_name(axvcpu_state(vcpu)),
				     powers[axvcpu_power(vcpu)]);
	}
	pthread_mutex_unlock(&vm->lock);
}

int axvm_describe(struct axvm *vm, char *buf, size_t len)
{
	struct axv_text text = { buf, buf ? len : 0, 0 };
	int cancel, ret = axv_vm_check_process(vm);

	if (ret)
		return ret;
	cancel = axv_cancel_disable();
	add_config(&text, vm);
	ret = add_status(&text, vm);
	add_memory(&text, vm);
	add_vcpus(&text, vm);
	axv_cancel_restore(cancel);
	return ret ? ret : (int)text.used;
}
