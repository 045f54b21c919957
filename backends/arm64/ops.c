/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* arm64 over KVM: the table, and what a VM needs beyond what all architectures do. */
#include <errno.h>
#include <inttypes.h>

#include "backends/arm64/arm64.h"

#define GPA_BITS_MIN 32

/* --- the width of guest-physical addresses --------------------------------------------------- */

static int gpa_bits(const struct axvm *vm, int max, uint32_t wanted)
{
	if (!wanted)
		return max;
	if (wanted < GPA_BITS_MIN)
		return axvcpu_fail(vm, -EINVAL,
				   "VM config: gpa_bits is %" PRIu32 ": arm64 has %d to %d", wanted,
				   GPA_BITS_MIN, max);
	if (wanted > (uint32_t)max)
		return axvcpu_fail(vm, -ENOTSUP,
				   "VM config: gpa_bits is %" PRIu32
				   "; this host has %d bits of guest-physical addresses "
				   "(KVM_CAP_ARM_VM_IPA_SIZE)",
				   wanted, max);
	return (int)wanted;
}

int kvm_arch_vm_type(int kvm_fd, const struct axvm *vm, const struct axvm_config *config)
{
	int max = arm64_max_gpa_bits(vm, kvm_fd);
	int bits;

	if (max < 0)
		return max;
	bits = gpa_bits(vm, max ? max : ARM64_GPA_BITS_DEFAULT, config->gpa_bits);
	/* KVMs that know of no width have one type of VM. Narrower ones are so for us alone. */
	return bits < 0 || max ? bits : 0;
}

static int set_gpa_bits(const struct kvm_vm *kvm, int kvm_fd, const struct axvm_config *config,
			struct axvm_limits *limits)
{
	int max = arm64_max_gpa_bits(kvm->vm, kvm_fd);
	int bits;

	if (max < 0)
		return max;
	bits = gpa_bits(kvm->vm, max ? max : ARM64_GPA_BITS_DEFAULT, config->gpa_bits);
	if (bits < 0)
		return bits;
	limits->gpa_bits = (uint32_t)bits;
	return 0;
}

/* --- the VM ---------------------------------------------------------------------------------- */

/*
 * Accesses to where no memory is by instructions that the hardware does not take apart for KVM:
 * with a base register that moves along, or two registers. KVM tells us of them, if it can, or
 * gives up.
 */
static int ask_for_undecoded(const struct kvm_vm *kvm)
{
	int ret = kvm_ioctl_value(kvm->fd, KVM_CHECK_EXTENSION, KVM_CAP_ARM_NISV_TO_USER);

	if (ret <= 0)
		return kvm_vm_result(kvm, ret, "KVM_CHECK_EXTENSION of KVM_CAP_ARM_NISV_TO_USER");
	return kvm_vm_enable(kvm, KVM_CAP_ARM_NISV_TO_USER, 0, "KVM_CAP_ARM_NISV_TO_USER");
}

int kvm_arch_vm_init(struct kvm_vm *kvm, int kvm_fd, const struct axvm_config *config,
		     struct axvm_limits *limits)
{
	int ret = set_gpa_bits(kvm, kvm_fd, config, limits);

	if (!ret)
		ret = ask_for_undecoded(kvm);
	if (!ret)
		ret = arm64_smccc_init(kvm, config);
	if (!ret)
		ret = arm64_psci_init(kvm, config);
	if (ret)
		return ret;
	ret = arm64_gic_init(kvm, config, limits->gpa_bits);
	if (ret)
		arm64_psci_destroy(kvm);
	else
		limits->gic_version = kvm->arch.gic.version;
	return ret;
}

void kvm_arch_vm_destroy(struct kvm_vm *kvm)
{
	arm64_gic_destroy(kvm);
	arm64_psci_destroy(kvm);
}

int kvm_arch_vcpu_created(struct kvm_vcpu *vcpu)
{
	vcpu->arch.starts = ARM64_NO_CPU;
	return 0;
}

/* --- the run loop ---------------------------------------------------------------------------- */

int kvm_arch_before_entry(struct kvm_vcpu *vcpu, struct axvcpu_exit *exit)
{
	int ret = arm64_write_results(vcpu);

	(void)exit;
	if (!ret)
		ret = arm64_start_pmu(vcpu);
	if (!ret)
		ret = arm64_raise_early(vcpu);
	/* What was asked for happens now. */
	if (!ret)
		vcpu->arch.aborts = false;
	return ret;
}

bool kvm_arch_swallow(struct kvm_vcpu *vcpu)
{
	(void)vcpu;
	return false;
}

/* --- the table ------------------------------------------------------------------------------- */

static const struct axvcpu_arch_ops arm64_ops = {
	.size = sizeof(struct axvcpu_arch_ops),
	.name = "arm64",

	.vm_new = kvm_vm_new,
	.vm_free = kvm_vm_free,
	.vm_finalize = arm64_vm_finalize,
	.vm_map = arm64_vm_map,
	.vm_unmap = kvm_vm_unmap,
	.vm_capability = kvm_vm_capability,
	.vm_fd = kvm_vm_fd,
	.vm_enable_capability = kvm_vm_enable_capability,
	.vm_set_irq_line = arm64_vm_set_irq_line,
	.vm_signal_msi = arm64_vm_signal_msi,
	.vm_set_routes = arm64_vm_set_routes,
	.vm_irqfd = arm64_vm_irqfd,
	.vm_ioeventfd = kvm_ioeventfd,

	.vcpu_new = kvm_vcpu_new,
	.vcpu_free = arm64_vcpu_free,
	.set_entry = arm64_set_entry,
	.set_ept_root = kvm_set_ept_root,
	.setup = arm64_setup,
	.run = kvm_run,
	.bind = kvm_bind,
	.unbind = kvm_unbind,
	.complete = kvm_complete,
	.flush = arm64_flush,
	.kick = kvm_kick,
	.get_reg = arm64_get_reg,
	.set_reg = arm64_set_reg,
	.get_regs = kvm_get_named_regs,
	.set_regs = kvm_set_named_regs,
	.set_return_value = arm64_set_return_value,
	.reg_info = kvm_named_reg_info,
	.get_reg_bytes = kvm_get_reg_bytes,
	.set_reg_bytes = kvm_set_reg_bytes,
	.reg_list = kvm_reg_list,
	.vcpu_fd = kvm_vcpu_fd,
	.vcpu_enable_capability = kvm_vcpu_enable_capability,
	.inject_interrupt = arm64_inject_interrupt,
	.inject_anywhere = arm64_inject_anywhere,
	.inject_exception = arm64_inject_exception,
	.set_irq_line = arm64_set_irq_line,
	.set_debug = arm64_set_debug,
	.translate = arm64_translate,
	.reset = arm64_reset,

	.percpu_enable = kvm_percpu_enable,
	.percpu_disable = kvm_percpu_disable,
	.percpu_guest_page_table_levels = kvm_percpu_guest_page_table_levels,
	.percpu_capability = kvm_percpu_capability,
	.percpu_fd = kvm_percpu_fd,
};

const struct axvcpu_arch_ops *axvcpu_host_arch(void)
{
	return &arm64_ops;
}
