/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* What of a VM's config becomes exits: the capabilities that KVM has for it. */
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
		return axvcpu_fail(kvm->vm, -EINVAL,
				   "VM config: with irqchip %" PRIu32
				   " the kernel sends the IPIs: AXVM_FORWARD_IPIS is for none",
				   config->irqchip);
	ret = axk_x86_msr_init(kvm, config);
	if (!ret)
		ret = axk_x86_hypercall_init(kvm, config);
	if (!ret)
		ret = notify_init(kvm, config);
	return ret;
}

bool axk_arch_decode_forwarded(struct axk_vcpu *vcpu, struct axvcpu_exit *exit)
{
	switch (exit->kind) {
	case AXVCPU_EXIT_MMIO_READ:
	case AXVCPU_EXIT_MMIO_WRITE:
		return !(vcpu->forward & AXVM_FORWARD_IPIS) || axk_x86_decode_ipi_mmio(vcpu, exit);
	case AXVCPU_EXIT_IO_WRITE:
		if (vcpu->forward & AXVM_FORWARD_DOORBELL)
			axk_x86_decode_doorbell(vcpu, exit);
		return true;
	default:
		return true;
	}
}
