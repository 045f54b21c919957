/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* The initial state of a vCPU: virtual supervisor mode, without address translation. */
#include <errno.h>
#include <inttypes.h>

#include "backends/riscv64/riscv64.h"
#include "lib/base/sized.h"

static int read_config(const struct axk_vcpu *vcpu, const struct axvcpu_setup_config *config,
		       struct axvcpu_riscv64_setup *riscv)
{
	const struct axvm *vm = vcpu->vm->vm;

	switch (config->mode) {
	case AXVCPU_MODE_64:
	case AXVCPU_MODE_RAW:
		return axv_sized_copy(vm, "struct axvcpu_riscv64_setup", riscv, sizeof(*riscv),
				      config->arch);
	case AXVCPU_MODE_32:
	case AXVCPU_MODE_16:
		return axvcpu_fail(vm, -ENOTSUP,
				   "setup: vCPU %" PRIu32 ": mode %" PRIu32
				   ": riscv64 only supports AXVCPU_MODE_64 and AXVCPU_MODE_RAW",
				   vcpu->id, config->mode);
	default:
		return axvcpu_fail(vm, -EINVAL, "setup: unknown mode %" PRIu32, config->mode);
	}
}

int axk_riscv_enter(struct axk_vcpu *vcpu, const struct axvcpu_setup_config *config)
{
	int ret = axk_riscv_set(vcpu, RISCV_CORE(regs.pc), vcpu->entry);

	/* KVM's reset has set the others: supervisor mode, no tables, interrupts off. */
	if (ret || config->mode == AXVCPU_MODE_RAW)
		return ret;
	ret = axk_riscv_set(vcpu, RISCV_CORE(regs.a0), vcpu->id);
	if (ret)
		return ret;
	ret = axk_riscv_set(vcpu, RISCV_CORE(regs.a1), config->arg);
	if (ret)
		return ret;
	return axk_riscv_set(vcpu, RISCV_CORE(regs.sp), config->stack);
}

int axk_riscv_set_entry(void *arch_vcpu, uint64_t entry)
{
	struct axk_vcpu *vcpu = arch_vcpu;

	vcpu->entry = entry;
	return vcpu->is_setup ? axk_riscv_set(vcpu, RISCV_CORE(regs.pc), entry) : 0;
}

/* KVM starts the vCPU that was created first; the library starts the one with id 0. */
int axk_riscv_set_power(void *arch_vcpu)
{
	struct axk_vcpu *vcpu = arch_vcpu;

	return axk_riscv_set_mp_state(vcpu, vcpu->id ? KVM_MP_STATE_STOPPED : KVM_MP_STATE_RUNNABLE);
}

int axk_riscv_setup(void *arch_vcpu, const struct axvcpu_setup_config *config)
{
	struct axk_vcpu *vcpu = arch_vcpu;
	struct axvcpu_riscv64_setup riscv;
	int ret = read_config(vcpu, config, &riscv);

	if (ret)
		return ret;
	ret = axk_riscv_set_extensions(vcpu, &riscv);
	if (ret)
		return ret;
	/* KVM of Linux 7.2 sets scounteren to 0 at creation, and to this value at a reset. */
	ret = axk_riscv_set(vcpu, RISCV_CSR(scounteren), RISCV_SCOUNTEREN_RESET);
	if (ret)
		return ret;
	ret = axk_riscv_enter(vcpu, config);
	if (ret)
		return ret;
	ret = axk_riscv_set_power(vcpu);
	if (ret)
		return ret;
	vcpu->is_setup = true;
	/* For resets. The caller's arch config is only valid during this call. */
	vcpu->arch.setup = *config;
	vcpu->arch.setup.arch = NULL;
	return 0;
}
