/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* The life cycle of a VM: new, finalize, free; its limits and capabilities. */
#include "lib/machine/object.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/cancel.h"
#include "lib/base/sized.h"
#include "lib/host/hal.h"
#include "lib/host/sys.h"
#include "lib/memory/image.h"
#include "lib/vcpu/kick.h"
#include "lib/vcpu/vcpu.h"

/* Exceeds the limit of any KVM; bounds the allocation for a wrong number. */
#define VCPUS_MAX 65536
/* Exceeds the number of ranges that any backend accepts. */
#define SYSREGS_MAX 4096

#define FORWARD_ALL \
	(AXVM_FORWARD_HYPERCALLS | AXVM_FORWARD_MAP_GPA_RANGE | AXVM_FORWARD_UNKNOWN_SYSREGS | \
	 AXVM_FORWARD_IPIS | AXVM_FORWARD_DOORBELL | AXVM_FORWARD_POWER | AXVM_FORWARD_SUSPEND | \
	 AXVM_FORWARD_POWER_OFF)

static int check_config(const struct axvm *vm, const struct axvm_config *config)
{
	if (config->flags & ~AXVM_F_KVM_FD)
		return axvcpu_fail(vm, -EINVAL, "VM config: unknown flags %#" PRIx32,
				   config->flags & ~AXVM_F_KVM_FD);
	if (config->irqchip > AXVM_IRQCHIP_SPLIT)
		return axvcpu_fail(vm, -EINVAL, "VM config: unknown irqchip %" PRIu32,
				   config->irqchip);
	if (config->gpa_bits > 64)
		return axvcpu_fail(vm, -EINVAL,
				   "VM config: gpa_bits is %" PRIu32 "; the maximum is 64",
				   config->gpa_bits);
	if (config->max_vcpus > VCPUS_MAX)
		return axvcpu_fail(vm, -EINVAL,
				   "VM config: max_vcpus is %" PRIu32 "; the maximum is %d",
				   config->max_vcpus, VCPUS_MAX);
	if (config->dirty_ring_entries & (config->dirty_ring_entries - 1))
		return axvcpu_fail(vm, -EINVAL,
				   "VM config: dirty_ring_entries is %" PRIu32
				   "; it must be a power of 2",
				   config->dirty_ring_entries);
	if ((config->flags & AXVM_F_KVM_FD) && config->kvm_fd < 0)
		return axvcpu_fail(vm, -EINVAL, "VM config: kvm_fd is negative: %d",
				   config->kvm_fd);
	return 0;
}

static int check_sysregs(const struct axvm *vm, const char *what,
			 const struct axvm_sysreg_range *ranges, uint32_t count)
{
	const uint32_t accesses = AXVCPU_ACCESS_READ | AXVCPU_ACCESS_WRITE;

	if (count && !ranges)
		return axvcpu_fail(vm, -EINVAL, "%s: sysregs is NULL, for %" PRIu32 " ranges", what,
				   count);
	if (count > SYSREGS_MAX)
		return axvcpu_fail(vm, -EINVAL,
				   "%s: sysregs: %" PRIu32 " ranges; the maximum is %d", what,
				   count, SYSREGS_MAX);
	for (uint32_t i = 0; i < count; i++) {
		const struct axvm_sysreg_range *range = &ranges[i];

		if (!range->count || range->count - 1 > UINT32_MAX - range->base)
			return axvcpu_fail(vm, -EINVAL,
					   "%s: sysregs[%" PRIu32 "]: %" PRIu32
					   " registers from %#" PRIx32 " are not a valid range",
					   what, i, range->count, range->base);
		if (!range->access || (range->access & ~accesses) || range->reserved)
			return axvcpu_fail(
				vm, -EINVAL,
				"%s: sysregs[%" PRIu32 "]: access is %#" PRIx32
				"; it must be read, write or both, and reserved must be 0",
				what, i, range->access);
	}
	return 0;
}

static int check_power_off(const struct axvm *vm, const struct axvm_config *config)
{
	const uint32_t width = config->poweroff_width;

	if (!(config->forward & AXVM_FORWARD_POWER_OFF)) {
		if (config->poweroff_port || width || config->poweroff_value)
			return axvcpu_fail(vm, -EINVAL,
					   "VM config: a poweroff_* member is set without "
					   "AXVM_FORWARD_POWER_OFF");
		return 0;
	}
	if (config->poweroff_port > UINT16_MAX)
		return axvcpu_fail(vm, -EINVAL, "VM config: poweroff_port is %#" PRIx32,
				   config->poweroff_port);
	if (width != 1 && width != 2 && width != 4)
		return axvcpu_fail(vm, -EINVAL,
				   "VM config: poweroff_width is %" PRIu32 "; it must be 1, 2 or 4",
				   width);
	if ((uint64_t)config->poweroff_value >> 8 * width)
		return axvcpu_fail(vm, -EINVAL,
				   "VM config: poweroff_value %#" PRIx32 " has more than %" PRIu32
				   " bytes",
				   config->poweroff_value, width);
	return 0;
}

/* Checks 'forward' and its arguments. The backend checks whether it can forward these events. */
static int check_forward(const struct axvm *vm, const struct axvm_config *config)
{
	bool doorbell = config->forward & AXVM_FORWARD_DOORBELL;
	int ret;

	if (config->forward & ~FORWARD_ALL)
		return axvcpu_fail(vm, -EINVAL, "VM config: unknown bits %#" PRIx32 " in forward",
				   config->forward & ~FORWARD_ALL);
	if (config->doorbell_port > (doorbell ? UINT16_MAX : 0))
		return axvcpu_fail(vm, -EINVAL, "VM config: doorbell_port is %#" PRIx32 "%s",
				   config->doorbell_port,
				   doorbell ? "" : " without AXVM_FORWARD_DOORBELL");
	ret = check_power_off(vm, config);
	if (ret)
		return ret;
	return check_sysregs(vm, "VM config", config->sysregs, config->nsysregs);
}

/* Checks that the mandatory operations, and the name, are there. */
static int check_ops(const struct axvm *vm, const struct axvcpu_arch_ops *ops)
{
	const struct {
		const char *name;
		bool present;
	} mandatory[] = {
		{ "name", HAS_OP(ops, name) },
		{ "vcpu_new", HAS_OP(ops, vcpu_new) },
		{ "vcpu_free", HAS_OP(ops, vcpu_free) },
		{ "set_entry", HAS_OP(ops, set_entry) },
		{ "set_ept_root", HAS_OP(ops, set_ept_root) },
		{ "setup", HAS_OP(ops, setup) },
		{ "run", HAS_OP(ops, run) },
		{ "get_reg", HAS_OP(ops, get_reg) },
		{ "set_reg", HAS_OP(ops, set_reg) },
		{ "get_regs", HAS_OP(ops, get_regs) },
		{ "set_regs", HAS_OP(ops, set_regs) },
		{ "set_return_value", HAS_OP(ops, set_return_value) },
	};

	for (size_t i = 0; i < sizeof(mandatory) / sizeof(mandatory[0]); i++)
		if (!mandatory[i].present)
			return axvcpu_fail(vm, -EINVAL,
					   "VM config: arch lacks a mandatory operation or name: "
					   "%s is NULL, or beyond size %zu",
					   mandatory[i].name, ops->size);
	return 0;
}

static int read_config(struct axvm *vm, struct axvm_config *config, const struct axvm_config *given)
{
	int ret = axv_sized_copy(vm, "struct axvm_config", config, sizeof(*config), given);

	if (ret)
		return ret;
	/* The HAL first: the later checks use its log hook. */
	ret = axv_sized_copy(NULL, "struct axvcpu_hal", &vm->hal, sizeof(vm->hal), config->hal);
	if (ret)
		return ret;
	ret = axv_hal_complete(&vm->hal);
	if (ret)
		return ret;
	ret = check_config(vm, config);
	if (ret)
		return ret;
	ret = check_forward(vm, config);
	if (ret)
		return ret;
	if (!config->arch)
		config->arch = axvcpu_host_arch();
	if (!config->max_vcpus)
		config->max_vcpus = 1;
	config->hal = &vm->hal;
	return check_ops(vm, config->arch);
}

static void preset_limits(struct axvm *vm, const struct axvm_config *config)
{
	vm->limits = (struct axvm_limits){
		.size = sizeof(vm->limits),
		.regions = UINT32_MAX,
		.gpa_bits = config->gpa_bits ? config->gpa_bits : 64,
		.vcpus = config->max_vcpus,
		.page_size = (uint32_t)sysconf(_SC_PAGESIZE),
		.region_bytes = UINT64_MAX,
	};
}

/* Returns a copy, or NULL for none; *ret is 0 or -ENOMEM. */
static struct axvm_sysreg_range *copy_sysregs(const struct axvm *vm,
					      const struct axvm_sysreg_range *ranges,
					      uint32_t count, int *ret)
{
	struct axvm_sysreg_range *copy = NULL;

	*ret = 0;
	if (!count)
		return NULL;
	copy = axv_sys_calloc(count, sizeof(*copy));
	if (copy)
		memcpy(copy, ranges, count * sizeof(*copy));
	else
		*ret = axvcpu_fail(vm, -ENOMEM, "VM: allocating %" PRIu32 " sysregs", count);
	return copy;
}

/* Copies the arch_config, which the backend will check, if its size is known. */
static int keep_arch_config(struct axvm *vm, const struct axvm_config *config)
{
	const size_t size = HAS_OP(vm->ops, arch_config_size) ? vm->ops->arch_config_size : 0;
	size_t given;

	if (!config->arch_config || !size)
		return 0;
	vm->arch_config = axv_sys_calloc(1, size);
	if (!vm->arch_config)
		return axvcpu_fail(vm, -ENOMEM, "VM: allocating a copy of arch_config");
	memcpy(&given, config->arch_config, sizeof(given));
	memcpy(vm->arch_config, config->arch_config, given < size ? given : size);
	memcpy(vm->arch_config, &size, sizeof(size));
	return 0;
}

/* Keeps the config, with what the caller's pointers in it point to as far as the library knows it. */
static int keep_config(struct axvm *vm, const struct axvm_config *config)
{
	int ret = keep_arch_config(vm, config);
	struct axvm_sysreg_range *sysregs = NULL;

	if (!ret)
		sysregs = copy_sysregs(vm, config->sysregs, config->nsysregs, &ret);
	if (ret)
		return ret;
	vm->sysregs = sysregs;
	vm->nsysregs = config->nsysregs;
	vm->config = *config;
	vm->config.sysregs = sysregs;
	vm->config.flags &= ~AXVM_F_KVM_FD;
	vm->config.kvm_fd = 0;
	vm->config.arch_config = NULL;
	return 0;
}

/* Releases what vm_init() has allocated for the library's part. */
static void release_config(struct axvm *vm)
{
	if (vm->sysregs != vm->config.sysregs)
		free((void *)vm->sysregs);
	free((void *)vm->config.sysregs);
	free(vm->arch_config);
	free(vm->vcpus);
}

static int vm_init(struct axvm *vm, const struct axvm_config *given)
{
	struct axvm_config config;
	int ret = read_config(vm, &config, given);

	if (ret)
		return ret;
	vm->id = config.id;
	vm->ops = config.arch;
	vm->forwards = config.forward;
	vm->kick_signal = axv_kick_signal_choose(vm, config.kick_signal);
	if (vm->kick_signal < 0)
		return vm->kick_signal;
	preset_limits(vm, &config);
	vm->vcpus = axv_sys_calloc(config.max_vcpus, sizeof(vm->vcpus[0]));
	if (!vm->vcpus)
		return axvcpu_fail(vm, -ENOMEM, "VM: allocating room for %" PRIu32 " vCPUs",
				   config.max_vcpus);
	vm->kick_handled = !config.kick_signal;
	config.kick_signal = vm->kick_signal;
	ret = keep_config(vm, &config);
	if (!ret && HAS_OP(vm->ops, vm_new))
		ret = vm->ops->vm_new(vm, &config, &vm->limits, &vm->arch);
	vm->config.gpa_bits = vm->limits.gpa_bits;
	vm->config.max_vcpus = vm->limits.vcpus;
	return ret;
}

int axvm_new(const struct axvm_config *config, struct axvm **out)
{
	struct axvm *vm = axv_sys_calloc(1, sizeof(*vm));
	int ret;

	if (!vm)
		return axvcpu_fail(NULL, -ENOMEM, "VM: allocating it");
	ret = axv_process_init(&vm->process);
	if (ret) {
		free(vm);
		return axvcpu_fail(NULL, ret, "VM: mmap of a page that a fork wipes");
	}
	ret = axv_memory_init(&vm->memory);
	if (ret) {
		axv_process_destroy(&vm->process);
		free(vm);
		return axvcpu_fail(NULL, ret, "VM: initialising the memory map");
	}
	pthread_mutex_init(&vm->lock, NULL);
	axv_frames_init(&vm->frames);
	axv_life_init(&vm->life);
	axv_routes_init(&vm->routes);
	axv_irq_ends_init(&vm->irq_ends);
	axv_devices_init(&vm->devices);
	ret = vm_init(vm, config);
	if (ret) {
		axv_devices_destroy(&vm->devices, false);
		axv_irq_ends_destroy(&vm->irq_ends);
		axv_routes_destroy(&vm->routes);
		axv_life_destroy(&vm->life);
		axv_frames_destroy(&vm->frames);
		axv_memory_destroy(vm);
		pthread_mutex_destroy(&vm->lock);
		axv_process_destroy(&vm->process);
		release_config(vm);
		free(vm);
		return ret;
	}
	*out = vm;
	return 0;
}

/*
 * Whether the data that a lock guards is consistent. In a forked child, a lock that another thread
 * held at the fork stays locked, and that thread's change stays half done.
 */
static bool is_unlocked(pthread_mutex_t *lock)
{
	if (pthread_mutex_trylock(lock))
		return false;
	pthread_mutex_unlock(lock);
	return true;
}

int axvm_free(struct axvm *vm)
{
	struct axv_log_reader *reader;
	bool copy;

	if (!vm)
		return 0;
	copy = axvm_is_copy(vm);
	if (vm->nvcpus && (!copy || is_unlocked(&vm->lock)))
		return axvcpu_fail(vm, -EBUSY,
				   "VM %" PRIu64 ": its %" PRIu32 " vCPUs must be freed first",
				   vm->id, vm->nvcpus);
	if (axv_irq_end_calls(vm))
		return axvcpu_fail(vm, -EBUSY, "VM %" PRIu64 ": freed by an end function", vm->id);
	axv_irq_ends_free(vm, copy);
	reader = atomic_load(&vm->memory.log_reader);
	if (reader)
		atomic_store(&reader->vm, NULL);
	/* The guest's mappings first, then the host's. */
	if (HAS_OP(vm->ops, vm_free))
		vm->ops->vm_free(vm->arch);
	if (!copy || is_unlocked(&vm->devices.lock))
		axv_devices_destroy(&vm->devices, copy);
	if (!copy || is_unlocked(&vm->memory.change))
		axv_memory_destroy(vm);
	if (!copy || is_unlocked(&vm->routes.lock))
		axv_routes_free(&vm->routes);
	axv_image_free(vm->origin);
	/* In a forked child no lock is destroyed: that may wait for threads of the parent. */
	if (!copy) {
		axv_irq_ends_destroy(&vm->irq_ends);
		axv_routes_destroy(&vm->routes);
		axv_life_destroy(&vm->life);
		axv_frames_destroy(&vm->frames);
		pthread_mutex_destroy(&vm->lock);
	}
	axv_process_destroy(&vm->process);
	release_config(vm);
	free(vm);
	return 0;
}

/* With the VM's lock held. */
static int finalize_locked(struct axvm *vm)
{
	int ret = HAS_OP(vm->ops, vm_finalize) ? vm->ops->vm_finalize(vm->arch) : 0;

	if (ret)
		return ret;
	vm->finalized = true;
	for (uint32_t i = 0; i < vm->limits.vcpus; i++)
		if (vm->vcpus[i])
			atomic_fetch_and(&vm->vcpus[i]->attention, ~ATTENTION_FINALIZE);
	return 0;
}

int axvm_finalize(struct axvm *vm)
{
	int cancel, ret = axv_vm_check_process(vm);

	if (ret)
		return ret;
	cancel = axv_cancel_disable();
	pthread_mutex_lock(&vm->lock);
	if (!vm->finalized)
		ret = finalize_locked(vm);
	pthread_mutex_unlock(&vm->lock);
	axv_cancel_restore(cancel);
	return ret;
}

uint64_t axvm_id(const struct axvm *vm)
{
	return vm->id;
}

int axvm_fd(const struct axvm *vm)
{
	int ret = axv_vm_check_process(vm);

	if (ret)
		return ret;
	if (!HAS_OP(vm->ops, vm_fd))
		return axv_vm_not_supported(vm, "axvm_fd");
	return vm->ops->vm_fd(vm->arch);
}

int axvm_capability(struct axvm *vm, unsigned int capability)
{
	int ret = axv_vm_check_process(vm);

	if (ret)
		return ret;
	if (!HAS_OP(vm->ops, vm_capability))
		return axv_vm_not_supported(vm, "capability");
	return vm->ops->vm_capability(vm->arch, capability);
}

int axvm_enable_capability(struct axvm *vm, unsigned int capability, const uint64_t args[4])
{
	int ret = axv_vm_check_process(vm);

	if (ret)
		return ret;
	if (!HAS_OP(vm->ops, vm_enable_capability))
		return axv_vm_not_supported(vm, "enable_capability");
	return vm->ops->vm_enable_capability(vm->arch, capability,
					     args ? args : (const uint64_t[4]){ 0 });
}

/* Changes the ranges in effect, with the VM's lock held. */
static int set_sysregs(struct axvm *vm, const struct axvm_sysreg_range *ranges, uint32_t count)
{
	int ret;
	struct axvm_sysreg_range *copy = copy_sysregs(vm, ranges, count, &ret);

	if (!ret)
		ret = vm->ops->vm_set_sysregs(vm->arch, ranges, count);
	if (ret) {
		free(copy);
		return ret;
	}
	if (vm->sysregs != vm->config.sysregs)
		free((void *)vm->sysregs);
	vm->sysregs = copy;
	vm->nsysregs = count;
	return 0;
}

int axvm_set_sysregs(struct axvm *vm, const struct axvm_sysreg_range *ranges, uint32_t count)
{
	int cancel, ret = axv_vm_check_process(vm);

	if (ret)
		return ret;
	if (!HAS_OP(vm->ops, vm_set_sysregs))
		return axv_vm_not_supported(vm, "set_sysregs");
	ret = check_sysregs(vm, "set_sysregs", ranges, count);
	if (ret)
		return ret;
	cancel = axv_cancel_disable();
	pthread_mutex_lock(&vm->lock);
	ret = set_sysregs(vm, ranges, count);
	pthread_mutex_unlock(&vm->lock);
	axv_cancel_restore(cancel);
	return ret;
}

int axvm_get_limits(const struct axvm *vm, struct axvm_limits *limits)
{
	int ret = axv_vm_check_process(vm);

	if (!ret)
		ret = axv_sized_check(vm, "get_limits", limits);
	if (!ret)
		axv_sized_give(limits, &vm->limits);
	return ret;
}
