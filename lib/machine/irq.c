/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * Interrupts through the VM's controllers, and event descriptors: checks the arguments, then calls
 * the backend. Interrupts for one vCPU are requests: lib/vcpu/request.c. Routes: routes.c.
 */
#include <errno.h>
#include <inttypes.h>

#include "axvcpu/interrupt.h"
#include "lib/base/cancel.h"
#include "lib/base/sized.h"
#include "lib/machine/object.h"
#include "lib/machine/routes.h"
#include "lib/vcpu/vcpu.h"

/* --- lines and messages ----------------------------------------------------------------------- */

int axvm_set_irq_line(struct axvm *vm, uint32_t gsi, bool level)
{
	int ret = axv_vm_check_process(vm);

	if (ret)
		return ret;
	if (!HAS_OP(vm->ops, vm_set_irq_line))
		return axv_vm_not_supported(vm, "set_irq_line");
	return vm->ops->vm_set_irq_line(vm->arch, gsi, level);
}

int axvm_pulse_irq(struct axvm *vm, uint32_t gsi)
{
	int ret = axvm_set_irq_line(vm, gsi, true);

	return ret ? ret : axvm_set_irq_line(vm, gsi, false);
}

int axvm_signal_msi(struct axvm *vm, const struct axvm_msi *msi)
{
	int ret = axv_vm_check_process(vm);

	if (ret)
		return ret;
	if (!HAS_OP(vm->ops, vm_signal_msi))
		return axv_vm_not_supported(vm, "signal_msi");
	return vm->ops->vm_signal_msi(vm->arch, msi);
}

/* --- sets of vCPUs ---------------------------------------------------------------------------- */

/* Returns vCPU 'id', or NULL. */
static struct axvcpu *find_vcpu(struct axvm *vm, size_t id)
{
	struct axvcpu *vcpu = NULL;

	pthread_mutex_lock(&vm->lock);
	if (id < vm->limits.vcpus)
		vcpu = vm->vcpus[id];
	pthread_mutex_unlock(&vm->lock);
	return vcpu;
}

static int inject_one(struct axvm *vm, size_t id, uint32_t vector)
{
	int ret = axvcpu_inject_interrupt(find_vcpu(vm, id), vector);

	if (!ret)
		return 0;
	return axvcpu_fail(vm, ret, "inject_interrupt: failed at vCPU %zu of the set: %s", id,
			   axvcpu_last_error());
}

/* Every vCPU of the set must exist before the first one gets the interrupt. */
static int inject_all(struct axvm *vm, const uint64_t *set, size_t nwords, uint32_t vector)
{
	int ret = 0;

	for (size_t id = 0; id < nwords * 64; id++)
		if ((set[id / 64] >> id % 64 & 1) && !find_vcpu(vm, id))
			return axvcpu_fail(vm, -ENOENT, "inject_interrupt: there is no vCPU %zu",
					   id);
	for (size_t id = 0; !ret && id < nwords * 64; id++)
		if (set[id / 64] >> id % 64 & 1)
			ret = inject_one(vm, id, vector);
	return ret;
}

int axvm_inject_interrupt(struct axvm *vm, const uint64_t *set, size_t nwords, uint32_t vector)
{
	int cancel, ret = axv_vm_check_process(vm);

	if (ret)
		return ret;
	cancel = axv_cancel_disable();
	ret = inject_all(vm, set, nwords, vector);
	axv_cancel_restore(cancel);
	return ret;
}

/* --- event descriptors ------------------------------------------------------------------------ */

static int check_flags(const struct axvm *vm, const char *what, uint32_t flags, uint32_t known)
{
	if (flags & ~known)
		return axvcpu_fail(vm, -EINVAL, "%s: flags %#" PRIx32 " are not allowed here", what,
				   flags & ~known);
	return 0;
}

static int check_fd(const struct axvm *vm, const char *what, int fd)
{
	if (fd < 0)
		return axvcpu_fail(vm, -EINVAL, "%s is negative: %d", what, fd);
	return 0;
}

int axvm_set_irqfd(struct axvm *vm, const struct axvm_irqfd *given)
{
	struct axvm_irqfd irqfd;
	int ret = axv_vm_check_process(vm);

	if (ret)
		return ret;
	if (!given)
		return axvcpu_fail(vm, -EINVAL, "set_irqfd: the config pointer is NULL");
	ret = axv_sized_copy(vm, "struct axvm_irqfd", &irqfd, sizeof(irqfd), given);
	if (ret)
		return ret;
	ret = check_flags(vm, "irqfd", irqfd.flags, AXVM_EVENT_REMOVE | AXVM_EVENT_RESAMPLE);
	if (ret)
		return ret;
	ret = check_fd(vm, "irqfd: fd", irqfd.fd);
	if (ret)
		return ret;
	if (irqfd.flags & AXVM_EVENT_RESAMPLE) {
		ret = check_fd(vm, "irqfd: resample_fd", irqfd.resample_fd);
		if (ret)
			return ret;
	}
	if (!HAS_OP(vm->ops, vm_irqfd))
		return axv_vm_not_supported(vm, "irqfd");
	return axv_routes_set_irqfd(vm, &irqfd);
}

/* The width must be 1, 2, 4 or 8 bytes, or 0 for any; the value must fit into it. */
static int check_width(const struct axvm *vm, const struct axvm_ioeventfd *io)
{
	uint32_t width = io->width;

	if (width > 8 || (width & (width - 1)))
		return axvcpu_fail(vm, -EINVAL,
				   "ioeventfd: width is %" PRIu32 "; it must be 0, 1, 2, 4 or 8",
				   width);
	if (!(io->flags & AXVM_EVENT_DATAMATCH) && io->value)
		return axvcpu_fail(vm, -EINVAL, "ioeventfd: a value needs AXVM_EVENT_DATAMATCH");
	if (!(io->flags & AXVM_EVENT_DATAMATCH))
		return 0;
	if (!width)
		return axvcpu_fail(vm, -EINVAL, "ioeventfd: AXVM_EVENT_DATAMATCH needs a width");
	if (width < 8 && io->value >> width * 8)
		return axvcpu_fail(vm, -EINVAL,
				   "ioeventfd: value %#" PRIx64 " is wider than %" PRIu32 " bytes",
				   io->value, width);
	return 0;
}

/* The address or port must be one that the guest can write to. */
static int check_place(const struct axvm *vm, const struct axvm_ioeventfd *io)
{
	bool port = io->flags & AXVM_EVENT_PORT;
	uint32_t bits = port ? 16 : vm->limits.gpa_bits;
	uint64_t last = bits < 64 ? (UINT64_C(1) << bits) - 1 : UINT64_MAX;
	uint64_t more = io->width ? io->width - 1 : 0;

	if (port && io->width == 8)
		return axvcpu_fail(vm, -EINVAL, "ioeventfd: a port access cannot have width 8");
	if (io->address > last || more > last - io->address)
		return axvcpu_fail(vm, -EINVAL,
				   "ioeventfd: %s %#" PRIx64 " +%" PRIu32 " ends beyond %#" PRIx64,
				   port ? "port" : "address", io->address, io->width, last);
	return 0;
}

int axvm_set_ioeventfd(struct axvm *vm, const struct axvm_ioeventfd *given)
{
	struct axvm_ioeventfd io;
	int ret = axv_vm_check_process(vm);

	if (ret)
		return ret;
	if (!given)
		return axvcpu_fail(vm, -EINVAL, "set_ioeventfd: the config pointer is NULL");
	ret = axv_sized_copy(vm, "struct axvm_ioeventfd", &io, sizeof(io), given);
	if (ret)
		return ret;
	ret = check_flags(vm, "ioeventfd", io.flags,
			  AXVM_EVENT_REMOVE | AXVM_EVENT_PORT | AXVM_EVENT_DATAMATCH);
	if (ret)
		return ret;
	ret = check_fd(vm, "ioeventfd: fd", io.fd);
	if (ret)
		return ret;
	ret = check_width(vm, &io);
	if (ret)
		return ret;
	ret = check_place(vm, &io);
	if (ret)
		return ret;
	if (!HAS_OP(vm->ops, vm_ioeventfd))
		return axv_vm_not_supported(vm, "ioeventfd");
	return vm->ops->vm_ioeventfd(vm->arch, &io);
}
