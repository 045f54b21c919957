/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* The inputs of the in-kernel PICs and IOAPIC: their routes, and the end of their interrupts. */
#include <errno.h>
#include <inttypes.h>

#include "backends/x86_64/x86_64.h"

/* Inputs of both PICs, of which each has 8. */
#define PIC_GSIS 16u

/* As KVM sets them when it creates the irqchip. */
int axk_x86_default_routes(void *arch_vm, struct axvm_route *routes, size_t count, uint32_t *first,
			   uint32_t *end)
{
	const struct axk_vm *kvm = arch_vm;
	bool kernel = kvm->irqchip == AXVM_IRQCHIP_KERNEL;
	uint32_t nioapic = kernel ? IOAPIC_PINS : 0, npics = kernel ? PIC_GSIS : 0;
	int ret = axk_default_pins(kvm, 0, IOAPIC_PINS, NULL, 0, first, end);

	if (ret < 0)
		return ret;
	for (uint32_t i = 0; i < nioapic && i < count; i++)
		routes[i] = axk_pin_route(i, KVM_IRQCHIP_IOAPIC, i);
	for (uint32_t i = 0; i < npics && nioapic + i < count; i++)
		routes[nioapic + i] =
			axk_pin_route(i, i < 8 ? KVM_IRQCHIP_PIC_MASTER : KVM_IRQCHIP_PIC_SLAVE,
				      i % 8);
	return (int)(nioapic + npics);
}

/* KVM reports the end of pins, and by EOI exits that of the messages of a userspace IOAPIC. */
int axk_x86_irq_end(void *arch_vm, const struct axvm_route *route)
{
	const struct axk_vm *kvm = arch_vm;

	if (route->kind == AXVM_ROUTE_PIN)
		return AXVM_IRQ_END_RESAMPLE;
	if (kvm->irqchip == AXVM_IRQCHIP_KERNEL)
		return axvcpu_fail(kvm->vm, -ENOTSUP,
				   "set_irq_end: gsi %" PRIu32
				   " has a message route, whose end KVM "
				   "does not report",
				   route->gsi);
	if (route->gsi >= IOAPIC_PINS || !(route->u.msi.data & X86_MSI_LEVEL))
		return axvcpu_fail(kvm->vm, -ENOTSUP,
				   "set_irq_end: gsi %" PRIu32 ", data %#" PRIx32
				   ": KVM reports the end of a message only for a "
				   "level-triggered route of gsis 0 to %d",
				   route->gsi, route->u.msi.data, IOAPIC_PINS - 1);
	return AXVM_IRQ_END_EXIT;
}

bool axk_x86_route_ends(const struct axvm_route *route, uint64_t vector)
{
	return route->kind == AXVM_ROUTE_MSI && (route->u.msi.data & X86_MSI_LEVEL) &&
	       (route->u.msi.data & 0xff) == vector;
}
