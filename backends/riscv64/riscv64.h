/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* Shared by the files of the riscv64 backend. */
#ifndef RISCV64_RISCV64_H
#define RISCV64_RISCV64_H

#include "axvcpu/riscv64.h"
#include "backends/kvm/kvm.h"
#include "backends/kvm/named_regs.h"
#include "backends/riscv64/uapi.h"

/* KVM ids of registers: a type (KVM_REG_RISCV_*), and the index of a word in its structure. */
#define RISCV_REG(type, index) \
	((uint64_t)KVM_REG_RISCV | KVM_REG_SIZE_U64 | (uint64_t)(type) | (uint64_t)(index))
/* By the member name of that word. */
#define RISCV_CORE(name) RISCV_REG(KVM_REG_RISCV_CORE, KVM_REG_RISCV_CORE_REG(name))
#define RISCV_CSR(name) RISCV_REG(KVM_REG_RISCV_CSR, KVM_REG_RISCV_CSR_REG(name))
#define RISCV_TIMER(name) RISCV_REG(KVM_REG_RISCV_TIMER, KVM_REG_RISCV_TIMER_REG(name))
/* x1 to x31. */
#define RISCV_X(n) RISCV_REG(KVM_REG_RISCV_CORE, n)

#define SATP_MODE(satp) ((satp) >> 60)
#define SATP_BARE 0u

/* scounteren at power-on: cycles, time and instructions may be read in user mode. */
#define RISCV_SCOUNTEREN_RESET UINT64_C(7)

/* A 64-bit register, by its KVM id, that every vCPU must have: -ENOTSUP with a message if not. */
int axk_riscv_get(struct axk_vcpu *vcpu, uint64_t kvm_id, uint64_t *value);
int axk_riscv_set(struct axk_vcpu *vcpu, uint64_t kvm_id, uint64_t value);

int axk_riscv_set_return_value(void *arch_vcpu, uint64_t value);
int axk_riscv_get_cpu_mode(void *arch_vcpu, struct axvcpu_cpu_mode *mode);

/* setup.c */
int axk_riscv_set_entry(void *arch_vcpu, uint64_t entry);
int axk_riscv_setup(void *arch_vcpu, const struct axvcpu_setup_config *config);
/* Sets the registers for execution at vcpu->entry. */
int axk_riscv_enter(struct axk_vcpu *vcpu, const struct axvcpu_setup_config *config);

/* Sets the power that setup leaves: secondary CPUs wait for the guest to start them. */
int axk_riscv_set_power(void *arch_vcpu);

/* extensions.c: enables and disables extensions, all or none. Call before the first run. */
int axk_riscv_set_extensions(struct axk_vcpu *vcpu, const struct axvcpu_riscv64_setup *config);

/* state.c */
int axk_riscv_save(void *arch_vcpu, struct axvcpu_saver *saver);
int axk_riscv_load(void *arch_vcpu, struct axvcpu_loader *loader);
int axk_riscv_setup_saved(void *arch_vcpu, struct axvcpu_loader *loader);
int axk_riscv_get_clock(void *arch_vcpu, struct axvm_clock *clock);
int axk_riscv_set_clock(void *arch_vcpu, const struct axvm_clock *saved,
			const struct axvm_clock *target);

/* start.c */
/* Notes whether the hart is stopped, from where another one may start it. */
void axk_riscv_note_stopped(struct axk_vcpu *vcpu, bool stopped);
/* KVM_SET_MP_STATE to KVM_MP_STATE_*, and notes it. */
int axk_riscv_set_mp_state(struct axk_vcpu *vcpu, uint32_t mp_state);
/*
 * Lets KVM reset the hart if another one has started it and it has not run since. Call it before
 * all registers are read or written. It may take 26 ms.
 */
int axk_riscv_finish_start(struct axk_vcpu *vcpu);

/* reset.c */
int axk_riscv_reset(void *arch_vcpu, uint64_t entry, uint64_t arg, bool start);

/* aia.c */
/* Checks the parts of a config that need no KVM device. */
int axk_riscv_aia_check(const struct axvm *vm, const struct axvm_config *config);
/* Creates the AIA, with the VM, once gpa_bits is known. Releases everything if it fails. */
int axk_riscv_aia_init(struct axk_vm *kvm, const struct axvm_config *config, uint32_t gpa_bits);
void axk_riscv_aia_destroy(struct axk_vm *kvm);
int axk_riscv_vm_finalize(void *arch_vm);
int axk_riscv_vm_map(void *arch_vm, const struct axvm_region *region, uint32_t slot);
int axk_riscv_vm_set_irq_line(void *arch_vm, uint32_t gsi, bool level);
int axk_riscv_vm_signal_msi(void *arch_vm, const struct axvm_msi *msi);
int axk_riscv_vm_set_routes(void *arch_vm, const struct axvm_route *routes, size_t count);
int axk_riscv_vm_irqfd(void *arch_vm, const struct axvm_irqfd *irqfd);
int axk_riscv_default_routes(void *arch_vm, struct axvm_route *routes, size_t count,
			     uint32_t *first, uint32_t *end);
int axk_riscv_irq_end(void *arch_vm, const struct axvm_route *route);
/* Sends a message to this vCPU. */
int axk_riscv_aia_send(struct axk_vcpu *vcpu, uint32_t identity);

/* imsic.c: clears and disables all interrupts of this vCPU's IMSIC. */
int axk_riscv_aia_reset(struct axk_vcpu *vcpu);

/* aplic.c */
int axk_riscv_vm_reset(void *arch_vm);

/* aia_state.c */
int axk_riscv_vm_save(void *arch_vm, struct axvcpu_saver *saver);
int axk_riscv_vm_load(void *arch_vm, struct axvcpu_loader *loader);

/* inject.c */
int axk_riscv_inject_interrupt(void *arch_vcpu, uint32_t vector);
int axk_riscv_inject_with_trigger(void *arch_vcpu, uint32_t vector, uint32_t trigger);
int axk_riscv_inject_nmi(void *arch_vcpu);
int axk_riscv_inject_exception(void *arch_vcpu, const struct axvcpu_exception *exception);
int axk_riscv_set_irq_line(void *arch_vcpu, uint32_t line, bool level);
/* Makes the access of the latest, open exit raise an illegal-instruction exception. */
int axk_riscv_fault_access(struct axk_vcpu *vcpu);

/* translate.c */
/* axvm_read() of an address of the guest's choice: false, without a message, if it is no memory. */
bool axk_riscv_read(const struct axk_vcpu *vcpu, uint64_t gpa, void *buf, size_t len);
/* Translates by the page tables of 'satp'. Returns false if the address is not mapped. */
bool axk_riscv_walk(struct axk_vcpu *vcpu, uint64_t satp, uint64_t gva,
		    struct axvcpu_translation *translation);
int axk_riscv_translate_access(void *arch_vcpu, uint64_t gva,
			       struct axvcpu_translation *translation);

/* debug.c */
int axk_riscv_set_debug(void *arch_vcpu, const struct axvcpu_debug *debug);

#endif
