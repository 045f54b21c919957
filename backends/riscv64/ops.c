/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* riscv64 over KVM: the ops table. */
#include "backends/kvm/ops.h"
#include "backends/riscv64/riscv64.h"

static const struct axvcpu_arch_ops riscv64_ops = {
	AXK_OPS_COMMON,
	AXK_OPS_ONE_REG,
	.name = KVM_ARCH_NAME,

	.vm_finalize = axk_riscv_vm_finalize,
	.vm_map = axk_riscv_vm_map,
	.vm_set_irq_line = axk_riscv_vm_set_irq_line,
	.vm_signal_msi = axk_riscv_vm_signal_msi,
	.vm_set_routes = axk_riscv_vm_set_routes,
	.vm_irqfd = axk_riscv_vm_irqfd,
	.vm_reset = axk_riscv_vm_reset,
	.vm_default_routes = axk_riscv_default_routes,
	.vm_irq_end = axk_riscv_irq_end,

	.vcpu_free = axk_vcpu_free,
	.set_entry = axk_riscv_set_entry,
	.setup = axk_riscv_setup,
	.flush = axk_flush,
	.get_reg = axk_get_named_reg,
	.set_reg = axk_set_named_reg,
	.set_return_value = axk_riscv_set_return_value,
	.inject_interrupt = axk_riscv_inject_interrupt,
	.inject_anywhere = axk_riscv_inject_interrupt,
	.inject_with_trigger = axk_riscv_inject_with_trigger,
	.inject_nmi = axk_riscv_inject_nmi,
	.inject_exception = axk_riscv_inject_exception,
	.set_irq_line = axk_riscv_set_irq_line,
	.set_debug = axk_riscv_set_debug,
	.get_reg_bytes = axk_get_reg_bytes,
	.set_reg_bytes = axk_set_reg_bytes,
	.get_cpu_mode = axk_riscv_get_cpu_mode,
	.translate_access = axk_riscv_translate_access,
	.reset = axk_riscv_reset,
	.vm_reset_vcpu = axk_riscv_set_power,
	.save = axk_riscv_save,
	.load = axk_riscv_load,
	.get_clock = axk_riscv_get_clock,
	.set_clock = axk_riscv_set_clock,
	.vm_save = axk_riscv_vm_save,
	.vm_load = axk_riscv_vm_load,
	.setup_saved = axk_riscv_setup_saved,
	.arch_config_size = sizeof(struct axvm_riscv64_config),
	.sysreg_write_reads = true,
};

const struct axvcpu_arch_ops *axvcpu_host_arch(void)
{
	return &riscv64_ops;
}
