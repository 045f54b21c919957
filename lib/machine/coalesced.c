/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* Delivers the writes to devices that the hypervisor has gathered without an exit for each. */
#include <errno.h>

#include "lib/base/cancel.h"
#include "lib/machine/devices.h"
#include "lib/machine/object.h"
#include "lib/vcpu/vcpu.h"

/* Any vCPU will do, as all share the writes. Without one, none can have been gathered. */
static int take_by_any(struct axvm *vm, struct axvcpu_exit *write)
{
	int ret = 0;

	pthread_mutex_lock(&vm->lock);
	for (uint32_t i = 0; i < vm->limits.vcpus; i++) {
		if (!vm->vcpus[i])
			continue;
		ret = vm->ops->vcpu_take_coalesced(vm->vcpus[i]->arch, write);
		break;
	}
	pthread_mutex_unlock(&vm->lock);
	return ret;
}

static int take(struct axvm *vm, struct axvcpu *vcpu, struct axvcpu_exit *write)
{
	return vcpu ? vm->ops->vcpu_take_coalesced(vcpu->arch, write) : take_by_any(vm, write);
}

/* A write that no device claims any more has no effect. */
static int deliver(struct axv_devices *devices, const struct axvcpu_exit *write)
{
	const bool port = write->kind == AXVCPU_EXIT_IO_WRITE;
	const uint32_t space = port ? AXVM_SPACE_PORT : AXVM_SPACE_MMIO;
	const uint64_t addr = port ? write->u.io.port : write->u.mmio.addr;
	const unsigned int width = port ? write->u.io.width : write->u.mmio.width;
	struct axv_slot *slot = &devices->slots[space];
	const struct axv_target *target = axv_slot_enter(devices, slot, space, addr, width);
	int ret = target->write(NULL, target->ctx, addr - target->base, width,
				port ? write->u.io.data : write->u.mmio.data);

	axv_slot_leave(slot);
	return ret;
}

int axv_coalesced_deliver(struct axvm *vm, struct axvcpu *vcpu)
{
	struct axv_devices *devices = &vm->devices;
	int cancel, left = 0, ret;

	if (!atomic_load(&devices->coalesced))
		return 0;
	cancel = axv_cancel_disable();
	pthread_mutex_lock(&devices->deliver);
	atomic_store(&devices->deliverer, axv_thread_serial());
	do {
		struct axvcpu_exit write;

		ret = take(vm, vcpu, &write);
		if (ret <= 0)
			break;
		/* Only those that were there at first: other vCPUs may add some all the time. */
		if (!left)
			left = ret;
		ret = deliver(devices, &write);
	} while (ret >= 0 && --left);
	atomic_store(&devices->deliverer, 0);
	pthread_mutex_unlock(&devices->deliver);
	axv_cancel_restore(cancel);
	return ret < 0 ? ret : 0;
}

int axv_coalesced_deliver_outside(struct axvm *vm, const char *what)
{
	int cancel = axv_cancel_disable();
	bool inside;

	pthread_mutex_lock(&vm->devices.lock);
	inside = axv_device_calls_us(vm, NULL);
	pthread_mutex_unlock(&vm->devices.lock);
	axv_cancel_restore(cancel);
	if (inside)
		return axvcpu_fail(vm, -EBUSY, "%s: called by a callback of a device", what);
	return axv_coalesced_deliver(vm, NULL);
}

int axvm_flush_coalesced(struct axvm *vm)
{
	int ret = axv_vm_check_process(vm);

	return ret ? ret : axv_coalesced_deliver_outside(vm, "flush_coalesced");
}
