/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * Registers by AXVCPU_REG_*, on architectures that use KVM_GET_ONE_REG for all registers. A table
 * of the architecture lists them.
 */
#include <errno.h>
#include <inttypes.h>

#include "backends/kvm/named_regs.h"

/*
 * Returns the KVM id for an AXVCPU_REG_*, or for a KVM id of a register of at most 8 bytes; else 0.
 */
static uint64_t kvm_id(const struct axk_vcpu *vcpu, uint64_t id)
{
	if (id >> 56)
		return axk_is_value_id(id) ? id : 0;
	return axk_arch_reg(vcpu, id);
}

static int set_counter_hz(struct axk_vcpu *vcpu, uint64_t hz)
{
	uint64_t present;
	int ret = axk_arch_counter_hz(vcpu, &present);

	if (ret || hz == present)
		return ret;
	return axvcpu_fail(vcpu->vm->vm, -ENOTSUP,
			   "set_reg: vCPU %" PRIu32 ": the counter has %" PRIu64
			   " Hz; KVM cannot change that on " KVM_ARCH_NAME,
			   vcpu->id, present);
}

int axk_get_named_reg(void *arch_vcpu, uint64_t id, uint64_t *value)
{
	uint64_t kvm = kvm_id(arch_vcpu, id);
	uint64_t raw = 0;
	int ret;

	if (id == AXVCPU_REG_COUNTER_HZ)
		return axk_arch_counter_hz(arch_vcpu, value);
	if (!kvm) {
		if (!axk_arch_reg_is_zero(id))
			return -ENOENT;
		*value = 0;
		return 0;
	}
	ret = axk_get_one_reg(arch_vcpu, kvm, &raw);
	if (!ret)
		*value = raw;
	return ret;
}

int axk_set_named_reg(void *arch_vcpu, uint64_t id, uint64_t value)
{
	uint64_t kvm = kvm_id(arch_vcpu, id);

	if (id == AXVCPU_REG_COUNTER_HZ)
		return set_counter_hz(arch_vcpu, value);
	if (!kvm)
		return axk_arch_reg_is_zero(id) ? 0 : -ENOENT;
	return axk_set_one_reg(arch_vcpu, kvm, &value);
}

int axk_get_named_regs(void *arch_vcpu, struct axvcpu_regs *regs)
{
	struct axvcpu_regs all = { .pc = 0 };
	int ret = axk_get_named_reg(arch_vcpu, AXVCPU_REG_PC, &all.pc);

	if (ret)
		return ret;
	if (KVM_ARCH_FLAGS) {
		ret = axk_get_named_reg(arch_vcpu, AXVCPU_REG_FLAGS, &all.flags);
		if (ret)
			return ret;
	}
	for (unsigned int i = 0; i < KVM_ARCH_GPRS; i++) {
		ret = axk_get_named_reg(arch_vcpu, AXVCPU_REG_GPR(i), &all.gpr[i]);
		if (ret)
			return ret;
	}
	*regs = all;
	return 0;
}

int axk_set_named_regs(void *arch_vcpu, const struct axvcpu_regs *regs)
{
	int ret = axk_set_named_reg(arch_vcpu, AXVCPU_REG_PC, regs->pc);

	if (!ret && KVM_ARCH_FLAGS)
		ret = axk_set_named_reg(arch_vcpu, AXVCPU_REG_FLAGS, regs->flags);
	for (unsigned int i = 0; !ret && i < KVM_ARCH_GPRS; i++)
		ret = axk_set_named_reg(arch_vcpu, AXVCPU_REG_GPR(i), regs->gpr[i]);
	return ret;
}

int axk_named_reg_info(unsigned int n, uint64_t *id, const char **name)
{
	if (n >= axk_arch_nregs)
		return -ENOENT;
	*id = axk_arch_regs[n].id;
	*name = axk_arch_regs[n].name;
	return 0;
}
