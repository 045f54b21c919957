/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* In-kernel interrupt controllers: lines, messages, routes; event descriptors. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backends/kvm/kvm.h"

/* --- refusals --------------------------------------------------------------------------------- */

/*
 * Writes to 'buf' why KVM refused the descriptors, or "". Other causes of these errnos have been
 * checked before. 'second' is -1 if there is only one descriptor.
 */
static void describe_refusal(int ret, int first, int second, char buf[80])
{
	const char *why = NULL;

	if (ret == -EINVAL)
		why = "not an eventfd";
	else if (ret == -EBADF)
		why = "not open";
	else if (ret == -EBUSY)
		why = "attached already";
	buf[0] = 0;
	if (why && second >= 0)
		snprintf(buf, 80, ": descriptor %d or %d is %s", first, second, why);
	else if (why)
		snprintf(buf, 80, ": descriptor %d is %s", first, why);
}

static int check_irqchip(const struct axk_vm *kvm, const char *what)
{
	if (kvm->kernel_irqchip)
		return 0;
	return axvcpu_fail(kvm->vm, -ENOTSUP,
			   "%s: the VM has no in-kernel irqchip (AXVM_IRQCHIP_NONE)", what);
}

int axk_check_gsi(const struct axk_vm *kvm, uint32_t gsi, const char *what)
{
	int ret = check_irqchip(kvm, what);

	if (ret)
		return ret;
	if (!kvm->gsis)
		return axvcpu_fail(kvm->vm, -ENOTSUP, "%s: this KVM lacks KVM_CAP_IRQ_ROUTING",
				   what);
	if (gsi >= kvm->gsis)
		return axvcpu_fail(kvm->vm, -EINVAL,
				   "%s: gsi is %" PRIu32 "; the maximum is %" PRIu32, what, gsi,
				   kvm->gsis - 1);
	return 0;
}

/* Only some controllers (the GIC's ITS) use the sender of a message. */
static int check_device(const struct axk_vm *kvm, const struct axvm_msi *msi, const char *what)
{
	if (!msi->device || axk_arch_msi_devices())
		return 0;
	return axvcpu_fail(kvm->vm, -EINVAL,
			   "%s: device is %#" PRIx32 "; it must be 0 on this architecture", what,
			   msi->device);
}

int axk_irq_init(struct axk_vm *kvm)
{
	int ret;

	if (!kvm->kernel_irqchip)
		return 0;
	ret = axk_ioctl_value(kvm->fd, KVM_CHECK_EXTENSION, KVM_CAP_IRQ_ROUTING);
	if (ret < 0)
		return axk_vm_result(kvm, ret, "KVM_CHECK_EXTENSION of KVM_CAP_IRQ_ROUTING");
	kvm->gsis = (uint32_t)ret < KVM_GSIS_MAX ? (uint32_t)ret : KVM_GSIS_MAX;
	return 0;
}

/* --- lines and messages ----------------------------------------------------------------------- */

/* Before a line is raised, and after it is lowered: lines that are high are always in the bitmap. */
static void note_level(struct axk_vm *kvm, uint32_t gsi, bool level)
{
	const uint64_t bit = UINT64_C(1) << gsi % 64;

	if (level)
		atomic_fetch_or(&kvm->raised[gsi / 64], bit);
	else
		atomic_fetch_and(&kvm->raised[gsi / 64], ~bit);
}

int axk_set_irq_line(void *arch_vm, uint32_t gsi, bool level)
{
	struct axk_vm *kvm = arch_vm;
	const struct kvm_irq_level line = { .irq = axk_arch_irq_line(gsi), .level = level };
	int ret = axk_check_gsi(kvm, gsi, "set_irq_line");

	if (ret)
		return ret;
	if (level)
		note_level(kvm, gsi, true);
	ret = axk_ioctl(kvm->fd, KVM_IRQ_LINE, &line);
	if (unlikely(ret))
		return axvcpu_fail(kvm->vm, ret, "KVM_IRQ_LINE of gsi %" PRIu32, gsi);
	if (!level)
		note_level(kvm, gsi, false);
	return 0;
}

int axk_load_line(struct axk_vm *kvm, uint32_t gsi, bool level)
{
	/* Raising the line has sent a message, once; it has no level. */
	if (atomic_load(&kvm->messages[gsi / 64]) >> gsi % 64 & 1) {
		note_level(kvm, gsi, level);
		return 0;
	}
	return axk_set_irq_line(kvm, gsi, level);
}

int axk_lower_lines(struct axk_vm *kvm)
{
	int ret = 0;

	for (uint32_t gsi = 0; !ret && gsi < kvm->gsis; gsi++)
		if (atomic_load(&kvm->raised[gsi / 64]) >> gsi % 64 & 1)
			ret = axk_set_irq_line(kvm, gsi, false);
	return ret;
}

int axk_signal_msi(void *arch_vm, const struct axvm_msi *msi)
{
	const struct axk_vm *kvm = arch_vm;
	const struct kvm_msi kvm_msi = { .address_lo = (uint32_t)msi->address,
					 .address_hi = (uint32_t)(msi->address >> 32),
					 .data = msi->data,
					 .flags = axk_arch_msi_devices() ? KVM_MSI_VALID_DEVID : 0,
					 .devid = msi->device };
	int ret = check_irqchip(kvm, "signal_msi");

	if (!ret)
		ret = check_device(kvm, msi, "signal_msi");
	if (ret)
		return ret;
	ret = axk_ioctl(kvm->fd, KVM_SIGNAL_MSI, &kvm_msi);
	if (likely(ret >= 0))
		return ret > 0;
	/* Not an errno: KVM returns -1 if no vCPU is a target of the message. */
	if (ret == -EPERM)
		return 0;
	return axk_failed_for(kvm, ret, "KVM_SIGNAL_MSI", KVM_CAP_SIGNAL_MSI);
}

/* --- routes ----------------------------------------------------------------------------------- */

static int encode_route(const struct axk_vm *kvm, const struct axvm_route *route,
			struct kvm_irq_routing_entry *entry)
{
	int ret = axk_check_gsi(kvm, route->gsi, "route");

	if (ret)
		return ret;
	entry->gsi = route->gsi;
	switch (route->kind) {
	case AXVM_ROUTE_PIN:
		entry->type = KVM_IRQ_ROUTING_IRQCHIP;
		entry->u.irqchip.irqchip = route->u.pin.controller;
		entry->u.irqchip.pin = route->u.pin.pin;
		return 0;
	case AXVM_ROUTE_MSI:
		entry->type = KVM_IRQ_ROUTING_MSI;
		entry->u.msi.address_lo = (uint32_t)route->u.msi.address;
		entry->u.msi.address_hi = (uint32_t)(route->u.msi.address >> 32);
		entry->u.msi.data = route->u.msi.data;
		if (axk_arch_msi_devices()) {
			entry->flags = KVM_MSI_VALID_DEVID;
			entry->u.msi.devid = route->u.msi.device;
		}
		return check_device(kvm, &route->u.msi, "route");
	default:
		return axvcpu_fail(kvm->vm, -EINVAL,
				   "set_routes: gsi %" PRIu32 ": unknown kind %" PRIu32, route->gsi,
				   route->kind);
	}
}

int axk_default_pins(const struct axk_vm *kvm, uint32_t first_pin, uint32_t npins,
		     struct axvm_route *routes, size_t count, uint32_t *first, uint32_t *end)
{
	int ret = axk_check_gsi(kvm, 0, "routes");

	if (ret)
		return ret;
	for (uint32_t i = 0; i < npins && i < count; i++)
		routes[i] = axk_pin_route(first_pin + i, 0, first_pin + i);
	*first = first_pin + npins;
	*end = kvm->gsis;
	return (int)npins;
}

static void note_messages(struct axk_vm *kvm, const struct axvm_route *routes, size_t count)
{
	uint64_t messages[ARRAY_SIZE(kvm->messages)] = { 0 };

	for (size_t i = 0; i < count; i++)
		if (routes[i].kind == AXVM_ROUTE_MSI)
			messages[routes[i].gsi / 64] |= UINT64_C(1) << routes[i].gsi % 64;
	for (size_t i = 0; i < ARRAY_SIZE(messages); i++)
		atomic_store(&kvm->messages[i], messages[i]);
}

int axk_set_routes(void *arch_vm, const struct axvm_route *routes, size_t count)
{
	struct axk_vm *kvm = arch_vm;
	struct kvm_irq_routing *routing;
	int ret = axk_check_gsi(kvm, 0, "set_routes");

	if (ret)
		return ret;
	/* KVM allows as many routes as there are gsis. */
	if (count > kvm->gsis)
		return axvcpu_fail(kvm->vm, -ENOSPC,
				   "set_routes: %zu routes; the maximum is %" PRIu32, count,
				   kvm->gsis);
	routing = axv_sys_calloc(1, sizeof(*routing) + count * sizeof(routing->entries[0]));
	if (!routing)
		return axvcpu_fail(kvm->vm, -ENOMEM, "set_routes: allocating %zu routes", count);
	routing->nr = (uint32_t)count;
	for (size_t i = 0; !ret && i < count; i++)
		ret = encode_route(kvm, &routes[i], &routing->entries[i]);
	if (!ret) {
		ret = axk_ioctl(kvm->fd, KVM_SET_GSI_ROUTING, routing);
		if (ret)
			axvcpu_fail(kvm->vm, ret, "KVM_SET_GSI_ROUTING of %zu routes%s", count,
				    ret == -EINVAL ? ": a controller or pin does not exist, or "
						     "routes of one gsi conflict"
						   : "");
		else
			note_messages(kvm, routes, count);
	}
	free(routing);
	return ret;
}

/* --- event descriptors ------------------------------------------------------------------------ */

int axk_irqfd(void *arch_vm, const struct axvm_irqfd *irqfd)
{
	const struct axk_vm *kvm = arch_vm;
	bool resample = irqfd->flags & AXVM_EVENT_RESAMPLE;
	struct kvm_irqfd request = { .fd = (uint32_t)irqfd->fd, .gsi = irqfd->gsi };
	char why[80];
	int ret = axk_check_gsi(kvm, irqfd->gsi, "irqfd");

	if (ret)
		return ret;
	/* Resampling needs the end of interrupt, which the caller's controller sees, not KVM. */
	if (resample && kvm->irqchip == AXVM_IRQCHIP_SPLIT)
		return axvcpu_fail(
			kvm->vm, -ENOTSUP,
			"irqfd: gsi %" PRIu32
			": AXVM_EVENT_RESAMPLE is not supported with AXVM_IRQCHIP_SPLIT; use "
			"EOI exits",
			irqfd->gsi);
	if (resample) {
		request.flags |= KVM_IRQFD_FLAG_RESAMPLE;
		request.resamplefd = (uint32_t)irqfd->resample_fd;
	}
	if (irqfd->flags & AXVM_EVENT_REMOVE)
		request.flags |= KVM_IRQFD_FLAG_DEASSIGN;
	ret = axk_ioctl(kvm->fd, KVM_IRQFD, &request);
	if (likely(!ret))
		return 0;
	describe_refusal(ret, irqfd->fd, resample ? irqfd->resample_fd : -1, why);
	if (resample)
		return axk_failed_because(kvm, ret, "KVM_IRQFD", KVM_CAP_IRQFD_RESAMPLE, why);
	return axk_failed_because(kvm, ret, "KVM_IRQFD", KVM_CAP_IRQFD, why);
}

int axk_ioeventfd(void *arch_vm, const struct axvm_ioeventfd *ioeventfd)
{
	const struct axk_vm *kvm = arch_vm;
	struct kvm_ioeventfd request = { .addr = ioeventfd->address,
					 .len = ioeventfd->width,
					 .fd = ioeventfd->fd };
	char why[80];
	int ret;

	if ((ioeventfd->flags & AXVM_EVENT_PORT) && !axk_arch_has_ports())
		return axvcpu_fail(kvm->vm, -ENOTSUP,
				   "ioeventfd: this architecture has no I/O ports");
	if (ioeventfd->flags & AXVM_EVENT_PORT)
		request.flags |= KVM_IOEVENTFD_FLAG_PIO;
	if (ioeventfd->flags & AXVM_EVENT_DATAMATCH) {
		request.flags |= KVM_IOEVENTFD_FLAG_DATAMATCH;
		request.datamatch = ioeventfd->value;
	}
	if (ioeventfd->flags & AXVM_EVENT_REMOVE)
		request.flags |= KVM_IOEVENTFD_FLAG_DEASSIGN;
	ret = axk_ioctl(kvm->fd, KVM_IOEVENTFD, &request);
	if (likely(!ret))
		return 0;
	if (ret == -EEXIST || ret == -ENOENT)
		return axvcpu_fail(kvm->vm, ret, "KVM_IOEVENTFD: %s %#" PRIx64 " %s",
				   ioeventfd->flags & AXVM_EVENT_PORT ? "port" : "address",
				   ioeventfd->address,
				   ret == -EEXIST ? "has an eventfd for this write already"
						  : "has no eventfd of this fd, width and value");
	describe_refusal(ret, ioeventfd->fd, -1, why);
	if (ioeventfd->width)
		return axk_failed_because(kvm, ret, "KVM_IOEVENTFD", KVM_CAP_IOEVENTFD, why);
	return axk_failed_because(kvm, ret, "KVM_IOEVENTFD", KVM_CAP_IOEVENTFD_ANY_LENGTH, why);
}
