/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* arm64 over KVM: the ops table. */
#include "backends/kvm/ops.h"
#include "backends/arm64/arm64.h"

static void vcpu_free(void *arch_vcpu)
{
	axk_arm64_psci_remove(arch_vcpu);
	axk_vcpu_free(arch_vcpu);
}

static const struct axvcpu_arch_ops arm64_ops = {
	AXK_OPS_COMMON,
	AXK_OPS_ONE_REG,
	.name = KVM_ARCH_NAME,

	.vm_finalize = axk_arm64_vm_finalize,
	.vm_map = axk_arm64_vm_map,
	.vm_set_irq_line = axk_arm64_vm_set_irq_line,
	.vm_signal_msi = axk_arm64_vm_signal_msi,
	.vm_set_routes = axk_arm64_vm_set_routes,
	.vm_irqfd = axk_arm64_vm_irqfd,
	.vm_reset = axk_arm64_vm_reset,
	.vm_default_routes = axk_arm64_default_routes,
	.vm_irq_end = axk_arm64_irq_end,

	.vcpu_free = vcpu_free,
	.set_entry = axk_arm64_set_entry,
	.setup = axk_arm64_setup,
	.flush = axk_arm64_flush,
	.get_reg = axk_arm64_get_reg,
	.set_reg = axk_arm64_set_reg,
	.set_return_value = axk_arm64_set_return_value,
	.inject_interrupt = axk_arm64_inject_interrupt,
	.inject_anywhere = axk_arm64_inject_anywhere,
	.inject_with_trigger = axk_arm64_inject_with_trigger,
	.inject_exception = axk_arm64_inject_exception,
	.set_irq_line = axk_arm64_set_irq_line,
	.set_debug = axk_arm64_set_debug,
	.get_reg_bytes = axk_arm64_get_reg_bytes,
	.set_reg_bytes = axk_arm64_set_reg_bytes,
	.get_cpu_mode = axk_arm64_get_cpu_mode,
	.translate_access = axk_arm64_translate_access,
	.reset = axk_arm64_reset,
	.vm_reset_vcpu = axk_arm64_vm_reset_vcpu,
	.save = axk_arm64_save,
	.load = axk_arm64_load,
	.get_clock = axk_arm64_get_clock,
	.set_clock = axk_arm64_set_clock,
	.vm_save = axk_arm64_vm_save,
	.vm_load = axk_arm64_vm_load,
	.setup_saved = axk_arm64_setup_saved,
	.arch_config_size = sizeof(struct axvm_arm64_config),
};

const struct axvcpu_arch_ops *axvcpu_host_arch(void)
{
	return &arm64_ops;
}
