/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* The threads that are in callbacks of devices: see lib/machine/devices.h. */
#include "lib/base/wait.h"
#include "lib/machine/devices.h"
#include "lib/machine/object.h"
#include "lib/vcpu/vcpu.h"

static int read_none(struct axvcpu *vcpu, void *ctx, uint64_t offset, unsigned int width,
		     uint64_t *value)
{
	(void)vcpu;
	(void)ctx;
	(void)offset;
	(void)width;
	(void)value;
	return AXVM_UNCLAIMED;
}

static int write_none(struct axvcpu *vcpu, void *ctx, uint64_t offset, unsigned int width,
		      uint64_t value)
{
	(void)vcpu;
	(void)ctx;
	(void)offset;
	(void)width;
	(void)value;
	return AXVM_UNCLAIMED;
}

const struct axv_target axv_target_none = {
	.read = read_none,
	.write = write_none,
	.closed = &axv_target_none,
};
const struct axv_target axv_target_looking = { .closed = &axv_target_looking };

void axv_slots_init(struct axv_slot slots[SPACES])
{
	for (uint32_t space = 0; space < SPACES; space++)
		atomic_init(&slots[space].target, &axv_target_none);
}

const struct axv_target *axv_slot_enter(struct axv_devices *devices, struct axv_slot *slot,
					uint32_t space, uint64_t addr, unsigned int width)
{
	const struct axv_target *target;
	const struct axv_range *range;

	atomic_fetch_or(&slot->inside, 1);
	target = atomic_load(&slot->target);
	if (addr - target->base < target->offsets[width % WIDTHS])
		return target;
	atomic_store(&slot->target, &axv_target_looking);
	range = axv_device_find(atomic_load(&devices->tables[space]), addr, width);
	target = range ? &range->live : &axv_target_none;
	/* With gathered writes, no access may be found without a look-up. */
	atomic_store(&slot->target, atomic_load(&devices->coalesced) ? target->closed : target);
	return target;
}

/*
 * Returns the slots of the n-th thread that may dispatch, NULL if there is none, and the thread.
 * The first is the one that delivers gathered writes; then the vCPUs follow by id.
 */
static struct axv_slot *nth_slots(struct axvm *vm, uint32_t n, uint64_t *thread)
{
	struct axvcpu *vcpu;

	if (!n) {
		*thread = atomic_load(&vm->devices.deliverer);
		return vm->devices.slots;
	}
	vcpu = vm->vcpus[n - 1];
	if (!vcpu)
		return NULL;
	*thread = axv_state_owner(atomic_load(&vcpu->state));
	return vcpu->slots;
}

/* Calls 'fn' for each slot. Returns whether it has returned true. */
static bool any_slot(struct axvm *vm, const struct axvm_device *device,
		     bool (*fn)(const struct axvm_device *device, struct axv_slot *slot,
				uint64_t thread))
{
	bool found = false;

	/* A vCPU that is freed meanwhile waits for this. */
	pthread_mutex_lock(&vm->lock);
	for (uint32_t n = 0; n <= vm->limits.vcpus; n++) {
		uint64_t thread;
		struct axv_slot *slots = nth_slots(vm, n, &thread);

		for (uint32_t space = 0; slots && space < SPACES; space++)
			found |= fn(device, &slots[space], thread);
	}
	pthread_mutex_unlock(&vm->lock);
	return found;
}

static bool is_ours(const struct axvm_device *device, struct axv_slot *slot, uint64_t thread)
{
	const struct axvm_device *called = atomic_load(&slot->target)->device;

	return called && (!device || called == device) && atomic_load(&slot->inside) &&
	       thread == axv_thread_serial();
}

bool axv_device_calls_us(struct axvm *vm, const struct axvm_device *device)
{
	const struct axvm_device *other = device ? device : vm->devices.first;

	for (; other; other = device ? NULL : other->next)
		if (atomic_load(&other->driver) == axv_thread_serial())
			return true;
	return any_slot(vm, device, is_ours);
}

static bool close_target(const struct axvm_device *device, struct axv_slot *slot, uint64_t thread)
{
	const struct axv_target *target;
	unsigned int waits = 0;

	(void)thread;
	while ((target = atomic_load(&slot->target)) == &axv_target_looking)
		axv_wait_briefly(&waits);
	/* If this fails, the thread has begun another look-up, in the new table. */
	if (!device || target->device == device)
		atomic_compare_exchange_strong(&slot->target, &target, target->closed);
	return false;
}

void axv_slots_settle(struct axvm *vm, const struct axvm_device *device)
{
	any_slot(vm, device, close_target);
}

static bool is_inside(const struct axvm_device *device, struct axv_slot *slot, uint64_t thread)
{
	const struct axv_target *target = atomic_load(&slot->target);

	(void)thread;
	if (target->device != device)
		return false;
	if (atomic_load(&slot->inside))
		return true;
	atomic_compare_exchange_strong(&slot->target, &target, &axv_target_none);
	return false;
}

bool axv_device_in_use(struct axvm *vm, const struct axvm_device *device)
{
	return any_slot(vm, device, is_inside) || device->users;
}
