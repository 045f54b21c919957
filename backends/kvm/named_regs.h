/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* Registers by AXVCPU_REG_*, over KVM_GET_ONE_REG: entries of the ops table, and what they need. */
#ifndef KVM_NAMED_REGS_H
#define KVM_NAMED_REGS_H

#include "backends/kvm/kvm.h"

int axk_get_named_reg(void *arch_vcpu, uint64_t id, uint64_t *value);
int axk_set_named_reg(void *arch_vcpu, uint64_t id, uint64_t value);
int axk_get_named_regs(void *arch_vcpu, struct axvcpu_regs *regs);
int axk_set_named_regs(void *arch_vcpu, const struct axvcpu_regs *regs);
int axk_named_reg_info(unsigned int n, uint64_t *id, const char **name);

/* --- defined by each architecture, with KVM_ARCH_GPRS and KVM_ARCH_FLAGS of its kvm_arch.h ---- */

struct axk_named_reg {
	/* AXVCPU_REG_* */
	uint64_t id;
	const char *name;
};
/* In the order for a register dump. */
extern const struct axk_named_reg axk_arch_regs[];
extern const unsigned int axk_arch_nregs;

/* Returns the KVM id of AXVCPU_REG_* 'id' in the vCPU's current mode; 0 if it has none. */
uint64_t axk_arch_reg(const struct axk_vcpu *vcpu, uint64_t id);
/* Reads the frequency of the counter that the guest reads. */
int axk_arch_counter_hz(struct axk_vcpu *vcpu, uint64_t *hz);
/* Whether the register is hard-wired to zero. */
bool axk_arch_reg_is_zero(uint64_t id);

#endif
