/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* A reset: sets all state that a guest can change to its power-on value. */
#include <errno.h>
#include <stdlib.h>

#include "backends/riscv64/riscv64.h"

/* No steal-time area. */
#define STA_NONE UINT64_MAX
#define TIMER_NEVER UINT64_MAX

/* --- register by register --------------------------------------------------------------------- */

/*
 * Stores the power-on value of a register of KVM's list in *value. Returns false if the register
 * must not be reset: a guest cannot change it, or its meaning is unknown here.
 */
static bool reset_value(uint64_t id, uint64_t *value)
{
	*value = 0;
	switch (id & KVM_REG_RISCV_TYPE_MASK) {
	case KVM_REG_RISCV_CORE:
		if (id == RISCV_CORE(mode))
			*value = KVM_RISCV_MODE_S;
		return true;
	case KVM_REG_RISCV_CSR:
		if (id == RISCV_CSR(scounteren))
			*value = RISCV_SCOUNTEREN_RESET;
		return true;
	case KVM_REG_RISCV_TIMER:
		*value = TIMER_NEVER;
		return id == RISCV_TIMER(compare);
	case KVM_REG_RISCV_FP_F:
	case KVM_REG_RISCV_FP_D:
		return true;
	case KVM_REG_RISCV_VECTOR:
		return id != RISCV_REG(KVM_REG_RISCV_VECTOR, RISCV_VECTOR_VLENB);
	case KVM_REG_RISCV_SBI_STATE:
		*value = STA_NONE;
		return id == RISCV_REG(KVM_REG_RISCV_SBI_STATE, 0);
	default:
		return false;
	}
}

static int reset_register(struct axk_vcpu *vcpu, uint64_t id)
{
	/* The largest size of a register that is reset. */
	uint64_t bytes[32] = { 0 };
	int ret;

	if (axvcpu_reg_size(id) > sizeof(bytes) || !reset_value(id, &bytes[0]))
		return 0;
	ret = axk_set_one_reg(vcpu, id, bytes);
	if (ret == -ENOENT)
		return 0;
	return ret;
}

/* Resets the registers that every KVM has, for KVMs before Linux 6.6, which have no list. */
static int reset_known_registers(struct axk_vcpu *vcpu)
{
	int ret;

	for (uint64_t i = 0; i < sizeof(struct kvm_riscv_core) / sizeof(long); i++) {
		ret = reset_register(vcpu, RISCV_REG(KVM_REG_RISCV_CORE, i));
		if (ret)
			return ret;
	}
	for (uint64_t i = 0; i < sizeof(struct kvm_riscv_csr) / sizeof(long); i++) {
		ret = reset_register(vcpu, RISCV_REG(KVM_REG_RISCV_CSR, i));
		if (ret)
			return ret;
	}
	return reset_register(vcpu, RISCV_TIMER(compare));
}

static int reset_listed_registers(struct axk_vcpu *vcpu, int n)
{
	uint64_t *ids = axv_sys_calloc((size_t)n, sizeof(*ids));
	int ret;

	if (!ids)
		return axvcpu_fail(vcpu->vm->vm, -ENOMEM,
				   "reset: vCPU %u: allocating the list of registers", vcpu->id);
	ret = axk_reg_list(vcpu, ids, (size_t)n);
	for (int i = 0; ret >= 0 && i < n; i++)
		ret = reset_register(vcpu, ids[i]);
	free(ids);
	return ret < 0 ? ret : 0;
}

/* KVM refuses to switch off a timer that is off. */
static int reset_timer(struct axk_vcpu *vcpu)
{
	uint64_t state;
	int ret = axk_riscv_get(vcpu, RISCV_TIMER(state), &state);

	if (ret || state == KVM_RISCV_TIMER_STATE_OFF)
		return ret;
	return axk_riscv_set(vcpu, RISCV_TIMER(state), KVM_RISCV_TIMER_STATE_OFF);
}

/* Must precede the reset of sip, which also clears a pending external interrupt. */
static int reset_line(struct axk_vcpu *vcpu)
{
	const struct kvm_interrupt low = { .irq = KVM_INTERRUPT_UNSET };

	return axk_vcpu_ioctl(vcpu, KVM_INTERRUPT, &low);
}

static int reset_by_registers(struct axk_vcpu *vcpu)
{
	int n = axk_reg_list(vcpu, NULL, 0);
	int ret;

	/* EINVAL: this KVM has no list. */
	if (n < 0 && n != -EINVAL)
		return n;
	ret = reset_timer(vcpu);
	if (ret)
		return ret;
	ret = reset_line(vcpu);
	if (ret)
		return ret;
	if (n > 0)
		ret = reset_listed_registers(vcpu, n);
	else
		ret = reset_known_registers(vcpu);
	if (ret)
		return ret;
	return axk_riscv_aia_reset(vcpu);
}

/* --- the vCPU --------------------------------------------------------------------------------- */

int axk_riscv_reset(void *arch_vcpu, uint64_t entry, uint64_t arg, bool start)
{
	struct axk_vcpu *vcpu = arch_vcpu;
	struct axvcpu_setup_config config = vcpu->arch.setup;
	int ret = axk_drop_exits(vcpu);

	(void)start;
	if (!ret)
		ret = axk_riscv_finish_start(vcpu);
	if (ret)
		return ret;
	if (vcpu->vm->arch.has_reset)
		ret = axk_riscv_set_mp_state(vcpu, KVM_MP_STATE_INIT_RECEIVED);
	else
		ret = reset_by_registers(vcpu);
	if (ret)
		return ret;
	vcpu->arch.has_exception = false;
	config.arg = arg;
	vcpu->entry = entry;
	ret = axk_riscv_enter(vcpu, &config);
	if (ret)
		return ret;
	ret = axk_riscv_set_mp_state(vcpu, KVM_MP_STATE_RUNNABLE);
	if (ret)
		return ret;
	vcpu->arch.setup.arg = arg;
	return 0;
}
