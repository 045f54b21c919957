/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* Reset of a whole VM: the in-kernel PICs, IOAPIC and PIT. reset.c resets the vCPUs and LAPICs. */
#include <errno.h>

#include "backends/x86_64/x86_64.h"

/* The inputs of a PIC that the guest can make level-triggered; ISA reserves the others. */
#define ELCR_MASK_MASTER 0xf8
#define ELCR_MASK_SLAVE 0xde
#define IOAPIC_BASE UINT64_C(0xfec00000)
#define IOAPIC_MASKED (UINT64_C(1) << 16)
/* KVM's mode of a PIT channel that was not programmed. */
#define PIT_NO_MODE 0xff

static int reset_pics(const struct axk_vm *kvm)
{
	const struct kvm_irqchip master = { .chip_id = KVM_IRQCHIP_PIC_MASTER,
					    .chip.pic.elcr_mask = ELCR_MASK_MASTER };
	const struct kvm_irqchip slave = { .chip_id = KVM_IRQCHIP_PIC_SLAVE,
					   .chip.pic.elcr_mask = ELCR_MASK_SLAVE };
	int ret = axk_vm_ioctl(kvm, KVM_SET_IRQCHIP, &master);

	if (ret)
		return ret;
	return axk_vm_ioctl(kvm, KVM_SET_IRQCHIP, &slave);
}

int axk_x86_reset_ioapic(const struct axk_vm *kvm)
{
	struct kvm_irqchip ioapic = { .chip_id = KVM_IRQCHIP_IOAPIC,
				      .chip.ioapic.base_address = IOAPIC_BASE };

	for (size_t i = 0; i < ARRAY_SIZE(ioapic.chip.ioapic.redirtbl); i++)
		ioapic.chip.ioapic.redirtbl[i].bits = IOAPIC_MASKED;
	return axk_vm_ioctl(kvm, KVM_SET_IRQCHIP, &ioapic);
}

int axk_x86_get_pit(const struct axk_vm *kvm, struct kvm_pit_state2 *pit)
{
	int ret = axk_ioctl(kvm->fd, KVM_GET_PIT2, pit);

	/* The VM has no PIT, or this KVM has none. */
	if (ret == -ENXIO || ret == -ENOTTY)
		return 0;
	return ret ? axk_vm_result(kvm, ret, "KVM_GET_PIT2") : 1;
}

int axk_x86_reset_pit(const struct axk_vm *kvm)
{
	/* A count of 0 stands for 65536. The gate of channel 2 is a bit of port 0x61. */
	static const struct kvm_pit_state2 reset = { .channels = {
							     { .mode = PIT_NO_MODE, .gate = 1 },
							     { .mode = PIT_NO_MODE, .gate = 1 },
							     { .mode = PIT_NO_MODE },
						     } };

	return axk_vm_ioctl(kvm, KVM_SET_PIT2, &reset);
}

int axk_x86_vm_reset(void *arch_vm)
{
	struct axk_vm *kvm = arch_vm;
	struct kvm_pit_state2 pit;
	int ret = axk_lower_lines(kvm);

	/* With a split irqchip these controllers are the caller's. */
	if (ret || kvm->irqchip != AXVM_IRQCHIP_KERNEL)
		return ret;
	ret = reset_pics(kvm);
	if (ret)
		return ret;
	ret = axk_x86_reset_ioapic(kvm);
	if (ret)
		return ret;
	ret = axk_x86_get_pit(kvm, &pit);
	return ret <= 0 ? ret : axk_x86_reset_pit(kvm);
}

int axk_x86_vm_reset_vcpu(void *arch_vcpu)
{
	const struct axk_vcpu *vcpu = arch_vcpu;
	const struct kvm_mp_state waiting = { .mp_state = KVM_MP_STATE_UNINITIALIZED };

	/* Secondary CPUs wait in KVM for their INIT and SIPI. */
	if (!vcpu->vm->kernel_irqchip || !vcpu->id)
		return 0;
	return axk_vcpu_ioctl(vcpu, KVM_SET_MP_STATE, &waiting);
}
