/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* Shared by the files of the arm64 backend. */
#ifndef ARM64_ARM64_H
#define ARM64_ARM64_H

#include "axvcpu/arm64.h"
#include "backends/arm64/uapi.h"
#include "backends/kvm/kvm.h"
#include "backends/kvm/named_regs.h"

/* gic.c */
/* Checks a VM's config and creates the GIC, except for the part that needs the vCPUs. */
int axk_arm64_gic_init(struct axk_vm *kvm, const struct axvm_config *config, uint32_t gpa_bits);
void axk_arm64_gic_destroy(struct axk_vm *kvm);
int axk_arm64_vm_finalize(void *arch_vm);
int axk_arm64_vm_map(void *arch_vm, const struct axvm_region *region, uint32_t slot);

/* irq.c */
/* The default interrupts of KVM's timers, which the library does not change. */
#define ARM64_PPI_VTIMER 27u
#define ARM64_PPI_PTIMER 30u
int axk_arm64_vm_set_irq_line(void *arch_vm, uint32_t gsi, bool level);
int axk_arm64_vm_signal_msi(void *arch_vm, const struct axvm_msi *msi);
int axk_arm64_vm_set_routes(void *arch_vm, const struct axvm_route *routes, size_t count);
int axk_arm64_vm_irqfd(void *arch_vm, const struct axvm_irqfd *irqfd);
int axk_arm64_default_routes(void *arch_vm, struct axvm_route *routes, size_t count,
			     uint32_t *first, uint32_t *end);
int axk_arm64_irq_end(void *arch_vm, const struct axvm_route *route);
int axk_arm64_inject_with_trigger(void *arch_vcpu, uint32_t vector, uint32_t trigger);
int axk_arm64_inject_interrupt(void *arch_vcpu, uint32_t vector);
int axk_arm64_inject_anywhere(void *arch_vcpu, uint32_t vector);
int axk_arm64_set_irq_line(void *arch_vcpu, uint32_t line, bool level);
/* Raises the interrupts that were injected before the GIC was ready. */
int axk_arm64_raise_early(struct axk_vcpu *vcpu);
/* Lowers this CPU's lines. */
int axk_arm64_irq_reset(struct axk_vcpu *vcpu);

/* gic_reset.c */
/*
 * Resets this CPU's part of the GIC as a reset of the CPU does, unless another vCPU is in the guest.
 */
int axk_arm64_gic_reset_vcpu(struct axk_vcpu *vcpu);
/* Resets the rest of this part, which only a reset of the VM changes. */
int axk_arm64_gic_reset_rest(struct axk_vcpu *vcpu);
int axk_arm64_vm_reset(void *arch_vm);

/* gic_state.c */
int axk_arm64_vm_save(void *arch_vm, struct axvcpu_saver *saver);
int axk_arm64_vm_load(void *arch_vm, struct axvcpu_loader *loader);

/* The MMU is on. */
#define SCTLR_M UINT64_C(1)

/* setup.c */
int axk_arm64_set_entry(void *arch_vcpu, uint64_t entry);
int axk_arm64_setup(void *arch_vcpu, const struct axvcpu_setup_config *config);
/* Sets the registers for execution at vcpu->entry, of a vCPU that KVM has just reset. */
int axk_arm64_enter_mode(struct axk_vcpu *vcpu, const struct axvcpu_setup_config *config);
int axk_arm64_check_mode(const struct axk_vcpu *vcpu, const struct axvcpu_setup_config *config);
/* Starts the PMU, which may have waited for the GIC. */
int axk_arm64_start_pmu(struct axk_vcpu *vcpu);

/* state.c */
int axk_arm64_save(void *arch_vcpu, struct axvcpu_saver *saver);
int axk_arm64_load(void *arch_vcpu, struct axvcpu_loader *loader);
int axk_arm64_setup_saved(void *arch_vcpu, struct axvcpu_loader *loader);
int axk_arm64_get_clock(void *arch_vcpu, struct axvm_clock *clock);
int axk_arm64_set_clock(void *arch_vcpu, const struct axvm_clock *saved,
			const struct axvm_clock *target);

/* reset.c */
int axk_arm64_reset(void *arch_vcpu, uint64_t entry, uint64_t arg, bool start);
int axk_arm64_vm_reset_vcpu(void *arch_vcpu);

/* regs.c */
/* KVM ids of registers. */
#define ARM64_CORE_REG(name) \
	(KVM_REG_ARM64 | KVM_REG_SIZE_U64 | KVM_REG_ARM_CORE | KVM_REG_ARM_CORE_REG(name))
#define ARM64_GPR(n) (ARM64_CORE_REG(regs.regs[0]) + 2 * (uint64_t)(n))
#define ARM64_PC ARM64_CORE_REG(regs.pc)
#define ARM64_PSTATE ARM64_CORE_REG(regs.pstate)
int axk_arm64_get_reg(void *arch_vcpu, uint64_t id, uint64_t *value);
int axk_arm64_set_reg(void *arch_vcpu, uint64_t id, uint64_t value);
int axk_arm64_get_reg_bytes(void *arch_vcpu, uint64_t id, void *buf, size_t len);
int axk_arm64_set_reg_bytes(void *arch_vcpu, uint64_t id, const void *buf, size_t len);
int axk_arm64_get_cpu_mode(void *arch_vcpu, struct axvcpu_cpu_mode *mode);
int axk_arm64_set_return_value(void *arch_vcpu, uint64_t value);

/* Fields of PSTATE: AArch32, and the mode. */
#define PSTATE_AARCH32 (1u << 4)
#define PSTATE_MODE_MASK 0x1fu
#define PSTATE_EL(pstate) ((uint32_t)((pstate) >> 2 & 3))
/* AArch32: the mode of applications. */
#define PSTATE_AARCH32_USR 0x10u
#define PSTATE_EL1H 0x5u

/* result.c: the results of the guest's calls. */
/* Sets the result of the latest call, which the next entry writes unless it is answered first. */
void axk_arm64_preset_result(struct axk_vcpu *vcpu, uint64_t value);
/* Writes the results of the latest call, if they are not written yet. */
int axk_arm64_write_results(struct axk_vcpu *vcpu);

/* smccc.c: calls that the guest makes by HVC or SMC. */
int axk_arm64_smccc_init(const struct axk_vm *kvm, const struct axvm_config *config);
int axk_arm64_decode_call(struct axk_vcpu *vcpu, struct axvcpu_exit *exit);
int axk_arm64_complete_call(struct axk_vcpu *vcpu, const struct axvcpu_answer *answer);
/* Before the next entry: ends a CPU_ON that the call began, and writes the call's results. */
int axk_arm64_finish_call(struct axk_vcpu *vcpu);
int axk_arm64_flush(void *arch_vcpu);

/* psci.c: calls that control the power of CPUs. */
int axk_arm64_psci_init(struct axk_vm *kvm);
void axk_arm64_psci_destroy(struct axk_vm *kvm);
/* Adds a vCPU to the table of CPUs. Called at its setup. */
int axk_arm64_psci_add(struct axk_vcpu *vcpu);
/* Ends an open CPU_ON of the vCPU, and removes the vCPU from the table. */
void axk_arm64_psci_remove(struct axk_vcpu *vcpu);
bool axk_arm64_is_power_call(const struct axk_vcpu *vcpu, uint32_t nr);
/* As axk_arch_decode(). */
int axk_arm64_decode_power_call(struct axk_vcpu *vcpu, uint32_t nr, struct axvcpu_exit *exit);
/* Call when this vCPU has been started or reset, which switches it on. */
void axk_arm64_psci_started(struct axk_vcpu *vcpu);
/*
 * Ends an open CPU_ON exit, if there is one. Returns the result for the guest if it has no answer.
 */
int64_t axk_arm64_end_cpu_on(struct axk_vcpu *vcpu);

/* debug.c */
int axk_arm64_set_debug(void *arch_vcpu, const struct axvcpu_debug *debug);
int axk_arm64_decode_debug(struct axk_vcpu *vcpu, struct axvcpu_exit *exit);

/* translate.c */
int axk_arm64_translate_access(void *arch_vcpu, uint64_t gva,
			       struct axvcpu_translation *translation);

/* exception.c */
int axk_arm64_inject_exception(void *arch_vcpu, const struct axvcpu_exception *exception);

/* percpu.c */
/* The width of KVMs that have no choice. */
#define ARM64_GPA_BITS_DEFAULT 40
/* Returns the largest width of guest-physical addresses, 0 if KVM does not say, or an errno. */
int axk_arm64_max_gpa_bits(const struct axvm *vm, int kvm_fd);

#endif
