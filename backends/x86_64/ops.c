/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* x86_64 over KVM: the ops table. */
#include "backends/kvm/ops.h"
#include "axvcpu/x86_64.h"
#include "backends/x86_64/x86_64.h"

static void x86_vcpu_free(void *arch_vcpu)
{
	axk_x86_tables_free(arch_vcpu);
	axk_x86_state_forget(arch_vcpu);
	axk_x86_setup_forget(arch_vcpu);
	axk_vcpu_free(arch_vcpu);
}

/* Registers of a load that wait belong to a vCPU without an open exit. */
static int x86_flush(void *arch_vcpu)
{
	int ret = axk_x86_need_regs(arch_vcpu);

	return ret ? ret : axk_flush(arch_vcpu);
}

static const struct axvcpu_arch_ops x86_64_ops = {
	AXK_OPS_COMMON,
	.name = KVM_ARCH_NAME,

	.vm_map = axk_vm_map,
	.vm_set_irq_line = axk_set_irq_line,
	.vm_signal_msi = axk_signal_msi,
	.vm_set_routes = axk_set_routes,
	.vm_irqfd = axk_irqfd,
	.vm_reset = axk_x86_vm_reset,
	.vm_default_routes = axk_x86_default_routes,
	.vm_irq_end = axk_x86_irq_end,
	.route_ends = axk_x86_route_ends,
	.vm_set_sysregs = axk_x86_set_sysregs,
	.vm_save = axk_x86_vm_save,
	.vm_load = axk_x86_vm_load,

	.vcpu_free = x86_vcpu_free,
	.set_entry = axk_x86_set_entry,
	.setup = axk_x86_setup,
	.flush = x86_flush,
	.get_reg = axk_x86_get_reg,
	.set_reg = axk_x86_set_reg,
	.get_regs = axk_x86_get_regs,
	.set_regs = axk_x86_set_regs,
	.set_return_value = axk_x86_set_return_value,
	.reg_info = axk_x86_reg_info,
	.inject_interrupt = axk_x86_inject_interrupt,
	.inject_anywhere = axk_x86_inject_anywhere,
	.inject_with_trigger = axk_x86_inject_with_trigger,
	.inject_nmi = axk_x86_inject_nmi,
	.inject_exception = axk_x86_inject_exception,
	.request_irq_window = axk_x86_request_irq_window,
	.set_debug = axk_x86_set_debug,
	.get_reg_bytes = axk_x86_get_reg_bytes,
	.set_reg_bytes = axk_x86_set_reg_bytes,
	.get_cpu_mode = axk_x86_get_cpu_mode,
	.translate_access = axk_x86_translate_access,
	.reset = axk_x86_reset,
	.vm_reset_vcpu = axk_x86_vm_reset_vcpu,
	.save = axk_x86_save,
	.load = axk_x86_load,
	.get_clock = axk_x86_get_clock,
	.set_clock = axk_x86_set_clock,
	.shift_counter = axk_x86_shift_counter,
	.setup_saved = axk_x86_setup_saved,
	.arch_config_size = sizeof(struct axvm_x86_config),
};

const struct axvcpu_arch_ops *axvcpu_host_arch(void)
{
	return &x86_64_ops;
}
