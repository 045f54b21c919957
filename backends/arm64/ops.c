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

int axk_arch_vm_type(int kvm_fd, const struct axvm *vm, const struct axvm_config *config)
{
	int max = axk_arm64_max_gpa_bits(vm, kvm_fd);
	int bits;

	if (max < 0)
		return max;
	bits = gpa_bits(vm, max ? max : ARM64_GPA_BITS_DEFAULT, config->gpa_bits);
	/* KVMs that know of no width have one type of VM. Narrower ones are so for us alone. */
	return bits < 0 || max ? bits : 0;
}

static int set_gpa_bits(const struct axk_vm *kvm, int kvm_fd, const struct axvm_config *config,
			struct axvm_limits *limits)
{
	int max = axk_arm64_max_gpa_bits(kvm->vm, kvm_fd);
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
static int ask_for_undecoded(const struct axk_vm *kvm)
{
	int ret = axk_ioctl_value(kvm->fd, KVM_CHECK_EXTENSION, KVM_CAP_ARM_NISV_TO_USER);

	if (ret <= 0)
		return axk_vm_result(kvm, ret, "KVM_CHECK_EXTENSION of KVM_CAP_ARM_NISV_TO_USER");
	return axk_vm_enable(kvm, KVM_CAP_ARM_NISV_TO_USER, 0, "KVM_CAP_ARM_NISV_TO_USER");
}

int axk_arch_vm_init(struct axk_vm *kvm, int kvm_fd, const struct axvm_config *config,
		     struct axvm_limits *limits)
{
	int ret = set_gpa_bits(kvm, kvm_fd, config, limits);

	if (!ret)
		ret = ask_for_undecoded(kvm);
	if (!ret)
		ret = axk_arm64_smccc_init(kvm, config);
	if (!ret)
		ret = axk_arm64_psci_init(kvm, config);
	if (ret)
		return ret;
	ret = axk_arm64_gic_init(kvm, config, limits->gpa_bits);
	if (ret)
		axk_arm64_psci_destroy(kvm);
	else
		limits->gic_version = kvm->arch.gic.version;
	return ret;
}

void axk_arch_vm_destroy(struct axk_vm *kvm)
{
	axk_arm64_gic_destroy(kvm);
	axk_arm64_psci_destroy(kvm);
}

int axk_arch_vcpu_created(struct axk_vcpu *vcpu)
{
	vcpu->arch.starts = ARM64_NO_CPU;
	return 0;
}

/* --- the run loop ---------------------------------------------------------------------------- */

int axk_arch_before_entry(struct axk_vcpu *vcpu, struct axvcpu_exit *exit)
{
	int ret = axk_arm64_finish_call(vcpu);

	(void)exit;
	if (!ret)
		ret = axk_arm64_start_pmu(vcpu);
	if (!ret)
		ret = axk_arm64_raise_early(vcpu);
	/* What was asked for happens now. */
	if (!ret)
		vcpu->arch.aborts = false;
	return ret;
}

bool axk_arch_swallow(struct axk_vcpu *vcpu)
{
	(void)vcpu;
	return false;
}

/* --- the table ------------------------------------------------------------------------------- */

static const struct axvcpu_arch_ops arm64_ops = {
	.size = sizeof(struct axvcpu_arch_ops),
	.name = "arm64",

	.vm_new = axk_vm_new,
	.vm_free = axk_vm_free,
	.vm_finalize = axk_arm64_vm_finalize,
	.vm_map = axk_arm64_vm_map,
	.vm_unmap = axk_vm_unmap,
	.vm_capability = axk_vm_capability,
	.vm_fd = axk_vm_fd,
	.vm_enable_capability = axk_vm_enable_capability,
	.vm_set_irq_line = axk_arm64_vm_set_irq_line,
	.vm_signal_msi = axk_arm64_vm_signal_msi,
	.vm_set_routes = axk_arm64_vm_set_routes,
	.vm_irqfd = axk_arm64_vm_irqfd,
	.vm_ioeventfd = axk_ioeventfd,

	.vcpu_new = axk_vcpu_new,
	.vcpu_free = axk_arm64_vcpu_free,
	.set_entry = axk_arm64_set_entry,
	.set_ept_root = axk_set_ept_root,
	.setup = axk_arm64_setup,
	.run = axk_run,
	.bind = axk_bind,
	.unbind = axk_unbind,
	.complete = axk_complete,
	.flush = axk_arm64_flush,
	.kick = axk_kick,
	.get_reg = axk_arm64_get_reg,
	.set_reg = axk_arm64_set_reg,
	.get_regs = axk_get_named_regs,
	.set_regs = axk_set_named_regs,
	.set_return_value = axk_arm64_set_return_value,
	.reg_info = axk_named_reg_info,
	.get_reg_bytes = axk_get_reg_bytes,
	.set_reg_bytes = axk_set_reg_bytes,
	.reg_list = axk_reg_list,
	.vcpu_fd = axk_vcpu_fd,
	.vcpu_enable_capability = axk_vcpu_enable_capability,
	.inject_interrupt = axk_arm64_inject_interrupt,
	.inject_anywhere = axk_arm64_inject_anywhere,
	.inject_exception = axk_arm64_inject_exception,
	.set_irq_line = axk_arm64_set_irq_line,
	.set_debug = axk_arm64_set_debug,
	.translate = axk_arm64_translate,
	.reset = axk_arm64_reset,

	.percpu_enable = axk_percpu_enable,
	.percpu_disable = axk_percpu_disable,
	.percpu_guest_page_table_levels = axk_percpu_guest_page_table_levels,
	.percpu_capability = axk_percpu_capability,
	.percpu_fd = axk_percpu_fd,
};

const struct axvcpu_arch_ops *axvcpu_host_arch(void)
{
	return &arm64_ops;
}
