/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* Finds the device that an exit concerns, calls it, and answers the exit. */
#include "axvcpu/device.h"
#include "lib/machine/devices.h"
#include "lib/machine/object.h"
#include "lib/vcpu/vcpu.h"

/* Answers the exit after a callback has returned 'ret'. */
static int answer(struct axvcpu *vcpu, const struct axvcpu_exit *exit, int ret, uint64_t value)
{
	int err = 0;

	if (ret <= 0 || !exit->answerable)
		return ret;
	if (ret == AXVM_FAULT)
		err = axvcpu_complete_fault(vcpu);
	else
		err = axvcpu_complete_value(vcpu, value);
	return err ? err : ret;
}

static int dispatch_mmio(struct axvcpu *vcpu, const struct axvcpu_exit *exit)
{
	const struct axvcpu_exit_mmio *mmio = &exit->u.mmio;
	struct axv_slot *slot = &vcpu->slots[AXVM_SPACE_MMIO];
	const struct axv_target *target = axv_slot_enter(&vcpu->vm->devices, slot, AXVM_SPACE_MMIO,
							 mmio->addr, mmio->width);
	const uint64_t offset = mmio->addr - target->base;
	uint64_t value = UINT64_MAX;
	int ret;

	if (exit->kind == AXVCPU_EXIT_MMIO_WRITE)
		ret = target->write(vcpu, target->ctx, offset, mmio->width, mmio->data);
	else
		ret = target->read(vcpu, target->ctx, offset, mmio->width, &value);
	axv_slot_leave(slot);
	if (exit->kind == AXVCPU_EXIT_MMIO_WRITE)
		return ret;
	return answer(vcpu, exit, ret == AXVM_FAULT ? AXVM_HANDLED : ret, value);
}

/*
 * A string instruction: one call for each item. If the device does not claim the first one, the
 * exit is unclaimed; a later item is then read as all ones.
 */
static int transfer_items(struct axvcpu *vcpu, const struct axvcpu_exit *exit,
			  const struct axv_target *target)
{
	const struct axvcpu_exit_io *io = &exit->u.io;
	const uint64_t offset = io->port - target->base;
	int ret = AXVM_UNCLAIMED;

	for (uint32_t i = 0; i < io->count; i++) {
		uint64_t value = UINT64_MAX;

		if (io->is_write)
			ret = target->write(vcpu, target->ctx, offset, io->width,
					    axvcpu_io_get(io, i));
		else
			ret = target->read(vcpu, target->ctx, offset, io->width, &value);
		if (ret < 0 || (!ret && !i))
			return ret;
		if (!io->is_write)
			axvcpu_io_put(io, i, value);
	}
	return io->count ? AXVM_HANDLED : AXVM_UNCLAIMED;
}

static int dispatch_io(struct axvcpu *vcpu, const struct axvcpu_exit *exit)
{
	const struct axvcpu_exit_io *io = &exit->u.io;
	struct axv_slot *slot = &vcpu->slots[AXVM_SPACE_PORT];
	const struct axv_target *target = axv_slot_enter(&vcpu->vm->devices, slot, AXVM_SPACE_PORT,
							 io->port, io->width);
	int ret = transfer_items(vcpu, exit, target);

	axv_slot_leave(slot);
	/* Several items are in place already. */
	return io->count == 1 ? answer(vcpu, exit, ret, axvcpu_io_get(io, 0)) : ret;
}

static int dispatch_sysreg(struct axvcpu *vcpu, const struct axvcpu_exit *exit)
{
	const struct axvcpu_exit_sysreg *sysreg = &exit->u.sysreg;
	struct axv_slot *slot = &vcpu->slots[AXVM_SPACE_SYSREG];
	const struct axv_target *target = axv_slot_enter(&vcpu->vm->devices, slot,
							 AXVM_SPACE_SYSREG, sysreg->addr, 1);
	const bool write = exit->kind == AXVCPU_EXIT_SYSREG_WRITE;
	const bool swap = write && HAS_OP(vcpu->ops, sysreg_write_reads);
	const uint64_t offset = sysreg->addr - target->base, mask = sysreg->write_mask;
	uint64_t old = UINT64_MAX, value = sysreg->value;
	int ret = AXVM_HANDLED;

	if (!write || swap)
		ret = target->read(vcpu, target->ctx, offset, sizeof(old), &old);
	if (swap)
		value = (value & mask) | (old & ~mask);
	if (write && ret == AXVM_HANDLED)
		ret = target->write(vcpu, target->ctx, offset, sizeof(value), value);
	axv_slot_leave(slot);
	return answer(vcpu, exit, ret, old);
}

static noinline int dispatch_slow(struct axvcpu *vcpu, const struct axvcpu_exit *exit)
{
	int ret = axv_vm_check_process(vcpu->vm);

	if (ret)
		return ret;
	/* The guest has made these writes before the access. */
	ret = axv_coalesced_deliver(vcpu->vm, vcpu);
	if (ret)
		return ret;
	switch (exit->kind) {
	case AXVCPU_EXIT_MMIO_READ:
	case AXVCPU_EXIT_MMIO_WRITE:
		return dispatch_mmio(vcpu, exit);
	case AXVCPU_EXIT_IO_READ:
	case AXVCPU_EXIT_IO_WRITE:
		return dispatch_io(vcpu, exit);
	case AXVCPU_EXIT_SYSREG_READ:
	case AXVCPU_EXIT_SYSREG_WRITE:
		return dispatch_sysreg(vcpu, exit);
	default:
		return AXVM_UNCLAIMED;
	}
}

/* An MMIO write to the device of the latest MMIO access: axv_slot_enter() and the call, inline. */
int axvcpu_dispatch(struct axvcpu *vcpu, const struct axvcpu_exit *exit)
{
	struct axv_slot *slot = &vcpu->slots[AXVM_SPACE_MMIO];
	const struct axv_target *target;
	uint64_t offset;
	unsigned int width;
	int ret;

	if (unlikely(exit->kind != AXVCPU_EXIT_MMIO_WRITE))
		return dispatch_slow(vcpu, exit);
	atomic_fetch_or(&slot->inside, 1);
	target = atomic_load(&slot->target);
	/* At most 8 in all exits of a backend: a valid index. */
	width = exit->u.mmio.width;
	offset = exit->u.mmio.addr - target->base;
	if (unlikely(offset >= target->offsets[width])) {
		axv_slot_leave(slot);
		return dispatch_slow(vcpu, exit);
	}
	ret = target->write(vcpu, target->ctx, offset, width, exit->u.mmio.data);
	axv_slot_leave(slot);
	return ret;
}
