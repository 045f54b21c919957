/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* The devices of a VM: adding and removing them, and the ioeventfds of their registers. */
#include "axvcpu/device.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "axvcpu/interrupt.h"
#include "lib/base/cancel.h"
#include "lib/base/sized.h"
#include "lib/base/wait.h"
#include "lib/host/sys.h"
#include "lib/machine/devices.h"
#include "lib/machine/object.h"

/* Exceeds what any device has; bounds the allocation for a wrong number. */
#define RANGES_MAX 4096
#define WIDTH_MAX 8u
#define PORTS 0x10000u

struct axv_device_event {
	struct axv_device_event *next;
	struct axvm_ioeventfd ioeventfd;
};

/* --- the callbacks that dispatch calls ---------------------------------------------------------- */

/* A range whose callbacks are called with the lock passes itself as context. */
static int locked_read(struct axvcpu *vcpu, void *ctx, uint64_t offset, unsigned int width,
		       uint64_t *value)
{
	const struct axv_range *range = ctx;
	struct axvm_device *device = range->live.device;
	int cancel = axv_cancel_disable(), ret;

	pthread_mutex_lock(&device->lock);
	ret = device->config.read(vcpu, range->ctx, offset, width, value);
	pthread_mutex_unlock(&device->lock);
	axv_cancel_restore(cancel);
	return ret;
}

static int locked_write(struct axvcpu *vcpu, void *ctx, uint64_t offset, unsigned int width,
			uint64_t value)
{
	const struct axv_range *range = ctx;
	struct axvm_device *device = range->live.device;
	int cancel = axv_cancel_disable(), ret;

	pthread_mutex_lock(&device->lock);
	ret = device->config.write(vcpu, range->ctx, offset, width, value);
	pthread_mutex_unlock(&device->lock);
	axv_cancel_restore(cancel);
	return ret;
}

/* For a device without the callback. The value is all ones already. */
static int read_ones(struct axvcpu *vcpu, void *ctx, uint64_t offset, unsigned int width,
		     uint64_t *value)
{
	(void)vcpu;
	(void)ctx;
	(void)offset;
	(void)width;
	(void)value;
	return AXVM_HANDLED;
}

static int ignore_write(struct axvcpu *vcpu, void *ctx, uint64_t offset, unsigned int width,
			uint64_t value)
{
	(void)vcpu;
	(void)ctx;
	(void)offset;
	(void)width;
	(void)value;
	return AXVM_HANDLED;
}

/* --- checks ------------------------------------------------------------------------------------- */

static const char *const space_names[SPACES] = {
	[AXVM_SPACE_MMIO] = "address",
	[AXVM_SPACE_SYSREG] = "system register",
	[AXVM_SPACE_PORT] = "port",
};

/* Returns the last address of a space. */
static uint64_t space_last(const struct axvm *vm, uint32_t space)
{
	if (space == AXVM_SPACE_PORT)
		return PORTS - 1;
	if (space == AXVM_SPACE_MMIO && vm->limits.gpa_bits < 64)
		return (UINT64_C(1) << vm->limits.gpa_bits) - 1;
	return UINT64_MAX;
}

static int check_range(const struct axvm *vm, const char *name,
		       const struct axvm_device_range *range)
{
	uint64_t last;

	if (range->space >= SPACES)
		return axvcpu_fail(vm, -EINVAL, "device %s: unknown space %" PRIu32, name,
				   range->space);
	if (range->flags & ~AXVM_RANGE_COALESCED)
		return axvcpu_fail(vm, -EINVAL, "device %s: unknown flags %#" PRIx32 " of a range",
				   name, range->flags & ~AXVM_RANGE_COALESCED);
	if (range->flags && range->space == AXVM_SPACE_SYSREG)
		return axvcpu_fail(vm, -EINVAL,
				   "device %s: AXVM_RANGE_COALESCED is not for system registers",
				   name);
	last = space_last(vm, range->space);
	if (!range->len || range->base > last || range->len - 1 > last - range->base)
		return axvcpu_fail(vm, -EINVAL,
				   "device %s: %s %#" PRIx64 " +%#" PRIx64
				   " is empty or ends beyond %#" PRIx64,
				   name, space_names[range->space], range->base, range->len, last);
	return 0;
}

static int check_config(const struct axvm *vm, const struct axvm_device_config *config)
{
	int ret = 0;

	if (!config->name || !config->name[0] ||
	    strnlen(config->name, AXVM_DEVICE_NAME_SIZE) == AXVM_DEVICE_NAME_SIZE)
		return axvcpu_fail(vm, -EINVAL,
				   "device: name is NULL, empty, or longer than %d characters",
				   AXVM_DEVICE_NAME_SIZE - 1);
	if (config->flags & ~AXVM_DEVICE_SELF_LOCKED)
		return axvcpu_fail(vm, -EINVAL, "device %s: unknown flags %#" PRIx32, config->name,
				   config->flags & ~AXVM_DEVICE_SELF_LOCKED);
	if (!config->ranges || !config->nranges || config->nranges > RANGES_MAX)
		return axvcpu_fail(vm, -EINVAL,
				   "device %s: ranges is NULL, or nranges is %zu; it must be 1 to "
				   "%d",
				   config->name, config->nranges, RANGES_MAX);
	for (size_t i = 0; !ret && i < config->nranges; i++)
		ret = check_range(vm, config->name, &config->ranges[i]);
	return ret;
}

/* Checks a range against memory, other devices, and the ranges of its device before it. */
static int check_overlap(struct axvm *vm, const struct axvm_device *device, size_t n)
{
	const struct axv_range *range = &device->ranges[n], *other;
	const uint64_t base = range->live.base, last = base + (range->len - 1);
	const char *what = space_names[range->space];
	uint64_t gpa, len;

	other = axv_device_overlap(atomic_load(&vm->devices.tables[range->space]), base, last);
	for (size_t i = 0; !other && i < n; i++) {
		const struct axv_range *own = &device->ranges[i];

		if (own->space == range->space && own->live.base <= last &&
		    base <= own->live.base + (own->len - 1))
			other = own;
	}
	if (other)
		return axvcpu_fail(vm, -EEXIST,
				   "device %s: %s %#" PRIx64 " +%#" PRIx64 " overlaps %#" PRIx64
				   " +%#" PRIx64 " of device %s",
				   device->name, what, base, range->len, other->live.base,
				   other->len, other->live.device->name);
	if (range->space == AXVM_SPACE_MMIO &&
	    axv_memory_overlap(&vm->memory, base, last, &gpa, &len))
		return axvcpu_fail(vm, -EEXIST,
				   "device %s: %s %#" PRIx64 " +%#" PRIx64
				   " overlaps the memory region %#" PRIx64 " +%#" PRIx64,
				   device->name, what, base, range->len, gpa, len);
	return 0;
}

static int check_place(struct axvm *vm, const struct axvm_device *device)
{
	int ret = 0;

	for (const struct axvm_device *other = vm->devices.first; other; other = other->next)
		if (!strcmp(other->name, device->name))
			return axvcpu_fail(vm, -EEXIST, "device %s: another device has this name",
					   device->name);
	for (size_t i = 0; !ret && i < device->nranges; i++)
		ret = check_overlap(vm, device, i);
	return ret;
}

/* --- tables ------------------------------------------------------------------------------------- */

static int no_memory(const struct axvm_device *device, const char *what)
{
	return axvcpu_fail(device->vm, -ENOMEM, "device %s: allocating %s", device->name, what);
}

static bool has_space(const struct axvm_device *device, uint32_t space)
{
	for (size_t i = 0; i < device->nranges; i++)
		if (device->ranges[i].space == space)
			return true;
	return false;
}

/* Makes new tables with or without the device, for the spaces that it has ranges in. */
static int tables_new(struct axvm_device *device, bool with, struct axv_device_table *new[SPACES])
{
	int ret = 0;

	for (uint32_t space = 0; !ret && space < SPACES; space++) {
		const struct axv_device_table *old;

		old = atomic_load(&device->vm->devices.tables[space]);
		if (!has_space(device, space))
			continue;
		if (with)
			ret = axv_device_table_with(old, device, space, &new[space]);
		else
			ret = axv_device_table_without(old, device, space, &new[space]);
	}
	return ret ? no_memory(device, "the tables of ranges") : 0;
}

static void tables_free(struct axv_device_table *tables[SPACES])
{
	for (uint32_t space = 0; space < SPACES; space++)
		free(tables[space]);
}

/* Makes the new tables current, and frees the old ones. Closes the targets of 'closing': devices.h. */
static void tables_publish(struct axvm_device *device, struct axv_device_table *new[SPACES],
			   const struct axvm_device *closing)
{
	struct axv_devices *devices = &device->vm->devices;
	const struct axv_device_table *old[SPACES] = { NULL };

	for (uint32_t space = 0; space < SPACES; space++)
		if (has_space(device, space))
			old[space] = atomic_exchange(&devices->tables[space], new[space]);
	axv_slots_settle(device->vm, closing);
	tables_free((struct axv_device_table **)old);
}

/* --- gathered writes ---------------------------------------------------------------------------- */

static int gather(struct axv_range *range, bool on)
{
	struct axvm *vm = range->live.device->vm;
	int ret;

	if (!HAS_OP(vm->ops, vm_coalesce) || !HAS_OP(vm->ops, vcpu_take_coalesced))
		return axv_vm_not_supported(vm, "AXVM_RANGE_COALESCED");
	ret = vm->ops->vm_coalesce(vm->arch, range->space, range->live.base, range->len, on);
	if (ret)
		return ret;
	range->coalesced = on;
	if (on)
		atomic_fetch_add(&vm->devices.coalesced, 1);
	else
		atomic_fetch_sub(&vm->devices.coalesced, 1);
	return 0;
}

static int gather_end(struct axvm_device *device)
{
	int ret = 0;

	for (size_t i = 0; !ret && i < device->nranges; i++)
		if (device->ranges[i].coalesced)
			ret = gather(&device->ranges[i], false);
	return ret;
}

static int gather_begin(struct axvm_device *device, const struct axvm_device_range *ranges)
{
	int ret = 0;

	for (size_t i = 0; !ret && i < device->nranges; i++)
		if (ranges[i].flags & AXVM_RANGE_COALESCED)
			ret = gather(&device->ranges[i], true);
	if (ret)
		gather_end(device);
	return ret;
}

/* --- adding ------------------------------------------------------------------------------------- */

static void range_init(struct axv_range *range, struct axvm_device *device,
		       const struct axvm_device_range *given)
{
	const struct axvm_device_config *config = &device->config;
	const bool self_locked = config->flags & AXVM_DEVICE_SELF_LOCKED;

	range->len = given->len;
	range->space = given->space;
	range->ctx = given->ctx ? given->ctx : config->ctx;
	range->closed = (struct axv_target){ .device = device, .closed = &range->closed };
	range->live = (struct axv_target){
		.base = given->base,
		.ctx = self_locked ? range->ctx : range,
		.read = self_locked ? config->read : locked_read,
		.write = self_locked ? config->write : locked_write,
		.device = device,
		.closed = &range->closed,
	};
	if (!config->read)
		range->live.read = read_ones;
	if (!config->write)
		range->live.write = ignore_write;
	for (unsigned int width = 1; width <= WIDTH_MAX && width <= range->len; width++)
		range->live.offsets[width] = range->len - width + 1;
}

static int device_new(struct axvm *vm, const struct axvm_device_config *config,
		      struct axvm_device **out)
{
	struct axvm_device *device =
		axv_sys_calloc(1, sizeof(*device) + config->nranges * sizeof(device->ranges[0]));

	if (!device)
		return axvcpu_fail(vm, -ENOMEM, "device %s: allocating it", config->name);
	device->vm = vm;
	device->config = *config;
	device->config.ranges = NULL;
	snprintf(device->name, sizeof(device->name), "%s", config->name);
	device->config.name = device->name;
	pthread_mutex_init(&device->lock, NULL);
	device->nranges = config->nranges;
	for (size_t i = 0; i < device->nranges; i++)
		range_init(&device->ranges[i], device, &config->ranges[i]);
	*out = device;
	return 0;
}

static void device_free(struct axvm_device *device)
{
	while (device->events) {
		struct axv_device_event *event = device->events;

		device->events = event->next;
		free(event);
	}
	pthread_mutex_destroy(&device->lock);
	free(device);
}

/* With the locks of the memory map and of the devices. */
static int add_locked(struct axvm_device *device, const struct axvm_device_range *ranges)
{
	struct axv_devices *devices = &device->vm->devices;
	struct axv_device_table *tables[SPACES] = { NULL };
	struct axvm_device **end = &devices->first;
	bool was_gathering = atomic_load(&devices->coalesced);
	int ret = check_place(device->vm, device);

	if (ret)
		return ret;
	ret = tables_new(device, true, tables);
	if (!ret)
		ret = gather_begin(device, ranges);
	if (ret) {
		tables_free(tables);
		return ret;
	}
	while (*end)
		end = &(*end)->next;
	*end = device;
	device->number = ++devices->added;
	/* From the first gathered range on, slots must not cache anything. */
	tables_publish(device, tables,
		       !was_gathering && atomic_load(&devices->coalesced) ? NULL : device);
	return 0;
}

int axvm_add_device(struct axvm *vm, const struct axvm_device_config *given,
		    struct axvm_device **out)
{
	struct axvm_device_config config;
	struct axvm_device *device = NULL;
	int cancel, ret = axv_vm_check_process(vm);

	if (ret)
		return ret;
	ret = axv_sized_copy(vm, "struct axvm_device_config", &config, sizeof(config), given);
	if (ret)
		return ret;
	ret = check_config(vm, &config);
	if (ret)
		return ret;
	ret = device_new(vm, &config, &device);
	if (ret)
		return ret;
	cancel = axv_cancel_disable();
	pthread_mutex_lock(&vm->memory.change);
	pthread_mutex_lock(&vm->devices.lock);
	ret = add_locked(device, config.ranges);
	pthread_mutex_unlock(&vm->devices.lock);
	pthread_mutex_unlock(&vm->memory.change);
	axv_cancel_restore(cancel);
	if (ret) {
		device_free(device);
		return ret;
	}
	if (out)
		*out = device;
	return 0;
}

/* --- ioeventfds --------------------------------------------------------------------------------- */

/* Returns the place in the list of the event that is attached as 'ioeventfd' says, or of its end. */
static struct axv_device_event **find_event(struct axvm_device *device,
					    const struct axvm_ioeventfd *ioeventfd)
{
	struct axv_device_event **p = &device->events;

	for (; *p; p = &(*p)->next) {
		const struct axvm_ioeventfd *other = &(*p)->ioeventfd;

		if (other->fd == ioeventfd->fd && other->flags == ioeventfd->flags &&
		    other->address == ioeventfd->address && other->width == ioeventfd->width &&
		    other->value == ioeventfd->value)
			break;
	}
	return p;
}

static int detach(struct axvm_device *device, struct axv_device_event **p)
{
	struct axv_device_event *event = *p;
	struct axvm_ioeventfd ioeventfd = event->ioeventfd;
	int ret;

	ioeventfd.flags |= AXVM_EVENT_REMOVE;
	ret = axvm_set_ioeventfd(device->vm, &ioeventfd);
	if (ret)
		return ret;
	*p = event->next;
	free(event);
	return 0;
}

static int attach(struct axvm_device *device, const struct axvm_ioeventfd *ioeventfd)
{
	struct axv_device_event *event = axv_sys_calloc(1, sizeof(*event));
	int ret;

	if (!event)
		return no_memory(device, "an ioeventfd");
	event->ioeventfd = *ioeventfd;
	ret = axvm_set_ioeventfd(device->vm, ioeventfd);
	if (ret) {
		free(event);
		return ret;
	}
	event->next = device->events;
	device->events = event;
	return 0;
}

/* With the lock of the devices. */
static int change_event(struct axvm_device *device, struct axvm_ioeventfd *ioeventfd)
{
	struct axv_device_event **p;

	if (!(ioeventfd->flags & AXVM_EVENT_REMOVE))
		return attach(device, ioeventfd);
	ioeventfd->flags &= ~AXVM_EVENT_REMOVE;
	p = find_event(device, ioeventfd);
	if (!*p)
		return axvcpu_fail(device->vm, -ENOENT, "device %s: no such ioeventfd is attached",
				   device->name);
	return detach(device, p);
}

int axvm_set_device_ioeventfd(struct axvm_device *device, size_t n,
			      const struct axvm_ioeventfd *given)
{
	struct axvm *vm = device->vm;
	const struct axv_range *range;
	struct axvm_ioeventfd ioeventfd;
	unsigned int width;
	int cancel, ret = axv_vm_check_process(vm);

	if (ret)
		return ret;
	ret = axv_sized_copy(vm, "struct axvm_ioeventfd", &ioeventfd, sizeof(ioeventfd), given);
	if (ret)
		return ret;
	range = n < device->nranges ? &device->ranges[n] : NULL;
	width = ioeventfd.width ? ioeventfd.width : 1;
	if (!range || range->space == AXVM_SPACE_SYSREG || width > WIDTH_MAX ||
	    ioeventfd.address >= range->live.offsets[width] || (ioeventfd.flags & AXVM_EVENT_PORT))
		return axvcpu_fail(vm, -EINVAL,
				   "device %s: ioeventfd: range %zu has no register at %#" PRIx64
				   " of width %" PRIu32 ", or AXVM_EVENT_PORT is set",
				   device->name, n, ioeventfd.address, ioeventfd.width);
	ioeventfd.address += range->live.base;
	if (range->space == AXVM_SPACE_PORT)
		ioeventfd.flags |= AXVM_EVENT_PORT;
	cancel = axv_cancel_disable();
	pthread_mutex_lock(&vm->devices.lock);
	ret = change_event(device, &ioeventfd);
	pthread_mutex_unlock(&vm->devices.lock);
	axv_cancel_restore(cancel);
	return ret;
}

/* --- removing ----------------------------------------------------------------------------------- */

/*
 * With the locks of the memory map and of the devices. On failure, the device still has its ranges.
 */
static int take_out(struct axvm_device *device)
{
	struct axv_devices *devices = &device->vm->devices;
	struct axv_device_table *tables[SPACES] = { NULL };
	struct axvm_device **p = &devices->first;
	int ret = tables_new(device, false, tables);

	while (!ret && device->events)
		ret = detach(device, &device->events);
	if (!ret)
		ret = gather_end(device);
	if (ret) {
		tables_free(tables);
		return ret;
	}
	while (*p != device)
		p = &(*p)->next;
	*p = device->next;
	tables_publish(device, tables, device);
	return 0;
}

static bool is_used(struct axvm_device *device)
{
	struct axvm *vm = device->vm;
	bool used;

	pthread_mutex_lock(&vm->devices.lock);
	used = axv_device_in_use(vm, device);
	pthread_mutex_unlock(&vm->devices.lock);
	return used;
}

static int check_outside(struct axvm_device *device, bool *in_other)
{
	struct axvm *vm = device->vm;
	int ret = 0;

	pthread_mutex_lock(&vm->devices.lock);
	*in_other = axv_device_calls_us(vm, NULL);
	if (*in_other && axv_device_calls_us(vm, device))
		ret = axvcpu_fail(vm, -EBUSY,
				  "device %s: its own callback cannot remove it; let another "
				  "thread do it",
				  device->name);
	pthread_mutex_unlock(&vm->devices.lock);
	return ret;
}

static int remove_device(struct axvm_device *device)
{
	struct axvm *vm = device->vm;
	unsigned int waits = 0;
	bool in_other;
	int ret = check_outside(device, &in_other);

	/* Another thread may deliver, and wait for the device that calls us. */
	if (!ret && !in_other)
		ret = axv_coalesced_deliver(vm, NULL);
	if (ret)
		return ret;
	pthread_mutex_lock(&vm->memory.change);
	pthread_mutex_lock(&vm->devices.lock);
	ret = take_out(device);
	pthread_mutex_unlock(&vm->devices.lock);
	pthread_mutex_unlock(&vm->memory.change);
	if (ret)
		return ret;
	while (is_used(device))
		axv_wait_briefly(&waits);
	device_free(device);
	return 0;
}

int axvm_remove_device(struct axvm_device *device)
{
	int cancel, ret;

	if (!device)
		return 0;
	ret = axv_vm_check_process(device->vm);
	if (ret)
		return ret;
	cancel = axv_cancel_disable();
	ret = remove_device(device);
	axv_cancel_restore(cancel);
	return ret;
}

/* --- with the VM -------------------------------------------------------------------------------- */

void axv_devices_init(struct axv_devices *devices)
{
	pthread_mutex_init(&devices->lock, NULL);
	pthread_mutex_init(&devices->deliver, NULL);
	axv_slots_init(devices->slots);
}

void axv_devices_destroy(struct axv_devices *devices, bool copy)
{
	for (uint32_t space = 0; space < SPACES; space++)
		free((void *)atomic_load(&devices->tables[space]));
	while (devices->first) {
		struct axvm_device *device = devices->first;

		devices->first = device->next;
		device_free(device);
	}
	if (copy)
		return;
	pthread_mutex_destroy(&devices->deliver);
	pthread_mutex_destroy(&devices->lock);
}
