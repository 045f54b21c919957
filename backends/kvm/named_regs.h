/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* Registers by name over KVM_GET_ONE_REG: entries of the ops table, and what an architecture defines. */
#ifndef KVM_NAMED_REGS_H
#define KVM_NAMED_REGS_H

#include "backends/kvm/kvm.h"

int axk_get_named_reg(void *arch_vcpu, uint64_t id, uint64_t *value);
int axk_set_named_reg(void *arch_vcpu, uint64_t id, uint64_t value);
int axk_get_named_regs(void *arch_vcpu, struct axvcpu_regs *regs);
int axk_set_named_regs(void *arch_vcpu, const struct axvcpu_regs *regs);
int axk_named_reg_info(unsigned int n, uint64_t *id, const char **name);

/* --- what an architecture defines; KVM_ARCH_GPRS and KVM_ARCH_FLAGS are in its kvm_arch.h ----------- */

struct axk_named_reg {
	/* AXVCPU_REG_* */
	uint64_t id;
	const char *name;
};
/* In the order in which a person wants to read them. */
extern const struct axk_named_reg axk_arch_regs[];
extern const unsigned int axk_arch_nregs;

/* KVM's id of a register that is named here, as this vCPU has it at this moment; 0: there is none. */
uint64_t axk_arch_reg(const struct axk_vcpu *vcpu, uint64_t id);
/* Whether it is wired to zero. */
bool axk_arch_reg_is_zero(uint64_t id);

#endif
