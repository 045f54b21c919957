/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* What the files of the x86_64 backend share. */
#ifndef X86_64_X86_64_H
#define X86_64_X86_64_H

#include "backends/kvm/kvm.h"

/* setup.c */
int x86_set_entry(void *arch_vcpu, uint64_t entry);
int x86_setup(void *arch_vcpu, const struct axvcpu_setup_config *config);

/* cpuid.c */
/* Reads what KVM supports into kvm->arch.cpuid. */
int x86_cpuid_read(struct kvm_vm *kvm, int kvm_fd);
/* A leaf of it, or NULL. */
const struct kvm_cpuid_entry2 *x86_cpuid_find(const struct kvm_cpuid2 *cpuid, uint32_t function,
					      uint32_t index);
/* Gives a vCPU its CPUID. 'config' may be NULL. */
int x86_cpuid_set(struct kvm_vcpu *vcpu, const struct axvcpu_x86_setup *config);

/* regs.c */
int x86_get_reg(void *arch_vcpu, uint64_t id, uint64_t *value);
int x86_set_reg(void *arch_vcpu, uint64_t id, uint64_t value);
int x86_get_regs(void *arch_vcpu, struct axvcpu_regs *regs);
int x86_set_regs(void *arch_vcpu, const struct axvcpu_regs *regs);
int x86_set_return_value(void *arch_vcpu, uint64_t value);
int x86_reg_info(unsigned int n, uint64_t *id, const char **name);

#endif
