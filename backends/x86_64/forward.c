/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* Events that a VM's config forwards as exits, by KVM capabilities. */
#include <errno.h>
#include <inttypes.h>

#include "backends/x86_64/x86_64.h"

static int notify_init(struct axk_vm *kvm, const struct axvm_config *config)
{
	uint64_t flags = KVM_X86_NOTIFY_VMEXIT_ENABLED | KVM_X86_NOTIFY_VMEXIT_USER;

	if (!config->notify_window)
		return 0;
	return axk_vm_enable_for(kvm, KVM_CAP_X86_NOTIFY_VMEXIT,
				 (uint64_t)config->notify_window << 32 | flags,
				 "KVM_CAP_X86_NOTIFY_VMEXIT", "notify_window");
}

int axk_x86_forward_init(struct axk_vm *kvm, const struct axvm_config *config)
{
	int ret;

	if ((config->forward & AXVM_FORWARD_IPIS) && config->irqchip != AXVM_IRQCHIP_NONE)
		return axvcpu_fail(
			kvm->vm, -EINVAL,
			"VM config: AXVM_FORWARD_IPIS needs AXVM_IRQCHIP_NONE; with irqchip "
			"%" PRIu32 " the kernel sends the IPIs",
			config->irqchip);
	ret = axk_x86_msr_init(kvm, config);
	if (ret)
		return ret;
	ret = axk_x86_hypercall_init(kvm, config);
	if (ret)
		return ret;
	kvm->arch.power_off.port = config->poweroff_port;
	kvm->arch.power_off.width = config->poweroff_width;
	kvm->arch.power_off.value = config->poweroff_value;
	return notify_init(kvm, config);
}

static bool is_power_off(const struct axk_vcpu *vcpu, const struct axvcpu_exit_io *io)
{
	const struct axk_vm_arch *arch = &vcpu->vm->arch;

	return (vcpu->forward & AXVM_FORWARD_POWER_OFF) && io->port == arch->power_off.port &&
	       io->width == arch->power_off.width && io->count == 1 &&
	       io->data == arch->power_off.value;
}

bool axk_arch_decode_forwarded(struct axk_vcpu *vcpu, struct axvcpu_exit *exit)
{
	switch (exit->kind) {
	case AXVCPU_EXIT_MMIO_READ:
	case AXVCPU_EXIT_MMIO_WRITE:
		return !(vcpu->forward & AXVM_FORWARD_IPIS) || axk_x86_decode_ipi_mmio(vcpu, exit);
	case AXVCPU_EXIT_IO_WRITE:
		if (is_power_off(vcpu, &exit->u.io))
			axk_exit_plain(exit, AXVCPU_EXIT_SYSTEM_DOWN);
		else if (vcpu->forward & AXVM_FORWARD_DOORBELL)
			axk_x86_decode_doorbell(vcpu, exit);
		return true;
	default:
		return true;
	}
}
