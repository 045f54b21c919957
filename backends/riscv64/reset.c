/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* A reset: all that a guest can have changed goes back to what it was at power-on. */
#include <errno.h>
#include <stdlib.h>

#include "backends/riscv64/riscv64.h"

/* No steal-time area. */
#define STA_NONE UINT64_MAX
#define TIMER_NEVER UINT64_MAX

/* --- registers one by one --------------------------------------------------------------------- */

/*
 * What a register of KVM's list is at power-on, if it is not 0. False: it is none of those that a
 * guest changes, or nobody here knows how.
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
	/* As wide as a register can be. */
	uint64_t bytes[32] = { 0 };
	int ret;

	if (axvcpu_reg_size(id) > sizeof(bytes) || !reset_value(id, &bytes[0]))
		return 0;
	ret = axk_set_one_reg(vcpu, id, bytes);
	return ret == -ENOENT ? 0 : ret;
}

/* Those that every KVM has, where it has no list of them: before Linux 6.6. */
static int reset_known_registers(struct axk_vcpu *vcpu)
{
	int ret = 0;

	for (uint64_t i = 0; !ret && i < sizeof(struct kvm_riscv_core) / sizeof(long); i++)
		ret = reset_register(vcpu, RISCV_REG(KVM_REG_RISCV_CORE, i));
	for (uint64_t i = 0; !ret && i < sizeof(struct kvm_riscv_csr) / sizeof(long); i++)
		ret = reset_register(vcpu, RISCV_REG(KVM_REG_RISCV_CSR, i));
	return ret ? ret : reset_register(vcpu, RISCV_TIMER(compare));
}

static int reset_listed_registers(struct axk_vcpu *vcpu, int n)
{
	uint64_t *ids = axv_sys_calloc((size_t)n, sizeof(*ids));
	int ret;

	if (!ids)
		return axvcpu_fail(vcpu->vm->vm, -ENOMEM, "reset: vCPU %u: a list of registers",
				   vcpu->id);
	ret = axk_reg_list(vcpu, ids, (size_t)n);
	for (int i = 0; ret >= 0 && i < n; i++)
		ret = reset_register(vcpu, ids[i]);
	free(ids);
	return ret < 0 ? ret : 0;
}

/* KVM refuses to switch off what is not on. */
static int reset_timer(struct axk_vcpu *vcpu)
{
	uint64_t state;
	int ret = axk_riscv_get(vcpu, RISCV_TIMER(state), &state);

	if (ret || state == KVM_RISCV_TIMER_STATE_OFF)
		return ret;
	return axk_riscv_set(vcpu, RISCV_TIMER(state), KVM_RISCV_TIMER_STATE_OFF);
}

/* Before sip is written, which takes what has come until then. */
static int reset_line(struct axk_vcpu *vcpu)
{
	const struct kvm_interrupt low = { .irq = KVM_INTERRUPT_UNSET };

	return axk_vcpu_ioctl(vcpu, KVM_INTERRUPT, &low);
}

static int reset_by_registers(struct axk_vcpu *vcpu)
{
	int n = axk_reg_list(vcpu, NULL, 0);
	int ret = n == -EINVAL ? 0 : n;

	if (ret >= 0)
		ret = reset_timer(vcpu);
	if (!ret)
		ret = reset_line(vcpu);
	if (!ret)
		ret = n > 0 ? reset_listed_registers(vcpu, n) : reset_known_registers(vcpu);
	return ret ? ret : axk_riscv_aia_reset(vcpu);
}

/* --- all at once ------------------------------------------------------------------------------ */

static int set_mp_state(struct axk_vcpu *vcpu, uint32_t state)
{
	const struct kvm_mp_state mp_state = { .mp_state = state };

	return axk_vcpu_ioctl(vcpu, KVM_SET_MP_STATE, &mp_state);
}

int axk_riscv_reset(void *arch_vcpu, uint64_t entry, uint64_t arg, bool start)
{
	struct axk_vcpu *vcpu = arch_vcpu;
	struct axvcpu_setup_config config = vcpu->arch.setup;
	int ret = axk_drop_exits(vcpu);

	(void)start;
	if (!ret)
		ret = vcpu->vm->arch.has_reset ? set_mp_state(vcpu, KVM_MP_STATE_INIT_RECEIVED)
					       : reset_by_registers(vcpu);
	if (ret)
		return ret;
	vcpu->arch.has_exception = false;
	config.arg = arg;
	vcpu->entry = entry;
	ret = axk_riscv_enter(vcpu, &config);
	if (!ret)
		ret = set_mp_state(vcpu, KVM_MP_STATE_RUNNABLE);
	if (!ret)
		vcpu->arch.setup.arg = arg;
	return ret;
}
