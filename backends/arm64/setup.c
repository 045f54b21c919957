/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* The initial state of a vCPU: the target, the CPU features, the registers. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "backends/arm64/arm64.h"
#include "backends/kvm/device.h"
#include "lib/base/sized.h"

/* DAIF masked. */
#define PSTATE_MASKED 0x3c0u
/* AIF masked, and SVC mode. */
#define PSTATE_SVC (0x1c0u | PSTATE_AARCH32 | 0x3u)

#define PMU_IRQ_DEFAULT 23u

#define VECTOR_UNIT 16u

/* --- the config ------------------------------------------------------------------------------ */

static int check_flags(const struct axk_vcpu *vcpu, const struct axvcpu_arm64_setup *arm64)
{
	const uint32_t all = AXVCPU_ARM64_SVE | AXVCPU_ARM64_PMU | AXVCPU_ARM64_PAUTH;
	const struct axvm *vm = vcpu->vm->vm;

	if (arm64->flags & ~all || arm64->reserved)
		return axvcpu_fail(vm, -EINVAL,
				   "setup: unknown arm64 flags %#" PRIx32
				   ", or the reserved field is not 0",
				   arm64->flags & ~all);
	if (arm64->sve_max_bytes && !(arm64->flags & AXVCPU_ARM64_SVE))
		return axvcpu_fail(vm, -EINVAL, "setup: sve_max_bytes without AXVCPU_ARM64_SVE");
	if (arm64->sve_max_bytes % VECTOR_UNIT ||
	    arm64->sve_max_bytes > VECTOR_UNIT * KVM_ARM64_SVE_VQ_MAX)
		return axvcpu_fail(vm, -EINVAL,
				   "setup: sve_max_bytes is %" PRIu32
				   "; it must be a multiple of %u up to %u",
				   arm64->sve_max_bytes, VECTOR_UNIT,
				   VECTOR_UNIT * KVM_ARM64_SVE_VQ_MAX);
	if (arm64->pmu_irq && (!(arm64->flags & AXVCPU_ARM64_PMU) || !vcpu->vm->kernel_irqchip))
		return axvcpu_fail(vm, -EINVAL,
				   "setup: pmu_irq without AXVCPU_ARM64_PMU, or without a GIC");
	if (arm64->pmu_irq && (arm64->pmu_irq < 16 || arm64->pmu_irq > 31))
		return axvcpu_fail(vm, -EINVAL,
				   "setup: pmu_irq is %" PRIu32 "; it must be 16 to 31",
				   arm64->pmu_irq);
	return 0;
}

int axk_arm64_check_mode(const struct axk_vcpu *vcpu, const struct axvcpu_setup_config *config)
{
	const struct axvm *vm = vcpu->vm->vm;

	if (config->mode == AXVCPU_MODE_32 &&
	    (vcpu->entry > UINT32_MAX || config->stack > UINT32_MAX || config->arg > UINT32_MAX))
		return axvcpu_fail(vm, -EINVAL,
				   "setup: entry, stack or arg is wider than the mode's 32 bits");
	if (vcpu->entry % 4)
		return axvcpu_fail(vm, -EINVAL, "setup: entry %#" PRIx64 " is not a multiple of 4",
				   vcpu->entry);
	return 0;
}

static int read_config(const struct axk_vcpu *vcpu, const struct axvcpu_setup_config *config,
		       struct axvcpu_arm64_setup *arm64)
{
	const struct axvm *vm = vcpu->vm->vm;
	int ret = axv_sized_copy(vm, "struct axvcpu_arm64_setup", arm64, sizeof(*arm64),
				 config->arch);

	if (ret)
		return ret;
	if (config->mode > AXVCPU_MODE_RAW)
		return axvcpu_fail(vm, -EINVAL, "setup: unknown mode %" PRIu32, config->mode);
	if (config->mode == AXVCPU_MODE_16)
		return axvcpu_fail(vm, -ENOTSUP, "setup: arm64 has no 16-bit mode");
	ret = check_flags(vcpu, arm64);
	if (ret)
		return ret;
	return axk_arm64_check_mode(vcpu, config);
}

/* --- CPU features ----------------------------------------------------------------------------- */

struct feature {
	/* AXVCPU_ARM64_*, or 0 for 32-bit mode. */
	uint32_t flag;
	/* KVM_ARM_VCPU_* */
	uint32_t bit;
	unsigned int capability;
	const char *option;
	const char *name;
};
#define FEATURE(flag, bit, capability) \
	{ \
		flag, bit, capability, #flag, #capability \
	}

static const struct feature features[] = {
	FEATURE(AXVCPU_ARM64_SVE, KVM_ARM_VCPU_SVE, KVM_CAP_ARM_SVE),
	FEATURE(AXVCPU_ARM64_PMU, KVM_ARM_VCPU_PMU_V3, KVM_CAP_ARM_PMU_V3),
	FEATURE(AXVCPU_ARM64_PAUTH, KVM_ARM_VCPU_PTRAUTH_ADDRESS, KVM_CAP_ARM_PTRAUTH_ADDRESS),
	FEATURE(AXVCPU_ARM64_PAUTH, KVM_ARM_VCPU_PTRAUTH_GENERIC, KVM_CAP_ARM_PTRAUTH_GENERIC),
};
static const struct feature mode_32 = { 0, KVM_ARM_VCPU_EL1_32BIT, KVM_CAP_ARM_EL1_32BIT,
					"AXVCPU_MODE_32", "KVM_CAP_ARM_EL1_32BIT" };

static int require_feature(struct axk_vcpu *vcpu, const struct feature *feature)
{
	int ret = axk_vm_capability(vcpu->vm, feature->capability);

	if (ret < 0)
		return ret;
	if (!ret)
		return axvcpu_fail(vcpu->vm->vm, -ENOTSUP,
				   "setup: vCPU %" PRIu32 ": %s needs %s, which this KVM lacks",
				   vcpu->id, feature->option, feature->name);
	vcpu->arch.init.features[0] |= 1u << feature->bit;
	return 0;
}

/*
 * Whether KVM keeps the vCPU off until a CPU_ON, as it does for all except the first. Not if the
 * library controls its power: then it does not run before axvcpu_start(), and KVM must have it on.
 */
static bool waits_in_kvm(const struct axk_vcpu *vcpu)
{
	return vcpu->id && !(vcpu->forward & AXVM_FORWARD_POWER) &&
	       axvcpu_power(axvcpu_current()) == AXVCPU_POWER_ON;
}

static int init(struct axk_vcpu *vcpu, const struct axvcpu_setup_config *config,
		const struct axvcpu_arm64_setup *arm64)
{
	struct kvm_vcpu_init *init = &vcpu->arch.init;
	int ret = axk_vm_ioctl(vcpu->vm, KVM_ARM_PREFERRED_TARGET, init);

	if (ret)
		return ret;
	init->features[0] |= 1u << KVM_ARM_VCPU_PSCI_0_2;
	if (waits_in_kvm(vcpu))
		init->features[0] |= 1u << KVM_ARM_VCPU_POWER_OFF;
	for (size_t i = 0; i < ARRAY_SIZE(features); i++) {
		if (!(arm64->flags & features[i].flag))
			continue;
		ret = require_feature(vcpu, &features[i]);
		if (ret)
			return ret;
	}
	if (config->mode == AXVCPU_MODE_32) {
		ret = require_feature(vcpu, &mode_32);
		if (ret)
			return ret;
	}
	ret = axk_ioctl(vcpu->fd, KVM_ARM_VCPU_INIT, init);
	if (ret == -EINVAL)
		return axvcpu_fail(vcpu->vm->vm, ret,
				   "KVM_ARM_VCPU_INIT on vCPU %" PRIu32 " with features %#" PRIx32
				   ": all vCPUs of a VM must have the same features, and a second "
				   "setup the features of the first",
				   vcpu->id, init->features[0]);
	return axk_vcpu_result(vcpu, ret, "KVM_ARM_VCPU_INIT");
}

/* Removes longer vector lengths from the set, which has a bit for each multiple of 16 bytes. */
static int limit_vectors(struct axk_vcpu *vcpu, uint32_t max_bytes)
{
	uint64_t lengths[KVM_ARM64_SVE_VLS_WORDS];
	int ret = axk_get_one_reg(vcpu, KVM_REG_ARM64_SVE_VLS, lengths);

	if (ret)
		return ret;
	for (uint32_t i = max_bytes / VECTOR_UNIT; i < KVM_ARM64_SVE_VQ_MAX; i++)
		lengths[i / 64] &= ~(UINT64_C(1) << i % 64);
	return axk_set_one_reg(vcpu, KVM_REG_ARM64_SVE_VLS, lengths);
}

/* KVM accepts this only once for a vCPU, so a repeated setup skips it. */
static int finalize_sve(struct axk_vcpu *vcpu, uint32_t max_bytes)
{
	const int what = KVM_ARM_VCPU_SVE;
	int ret;

	if (vcpu->arch.sve_done)
		return 0;
	ret = max_bytes ? limit_vectors(vcpu, max_bytes) : 0;
	if (!ret)
		ret = axk_vcpu_ioctl(vcpu, KVM_ARM_VCPU_FINALIZE, &what);
	vcpu->arch.sve_done = !ret;
	return ret;
}

/* --- the PMU --------------------------------------------------------------------------------- */

static int set_pmu(struct axk_vcpu *vcpu, uint64_t attr, const int *value, const char *what)
{
	const struct kvm_device_attr set = { .group = KVM_ARM_VCPU_PMU_V3_CTRL,
					     .attr = attr,
					     .addr = (uintptr_t)value };

	return axk_vcpu_result(vcpu, axk_ioctl(vcpu->fd, KVM_SET_DEVICE_ATTR, &set), what);
}

static int init_pmu(struct axk_vcpu *vcpu, uint32_t irq)
{
	const int number = irq ? (int)irq : (int)PMU_IRQ_DEFAULT;
	int ret = 0;

	vcpu->arch.pmu_waits = true;
	vcpu->has_pending_work = true;
	/* KVM accepts the number only once. */
	if (vcpu->vm->kernel_irqchip && !vcpu->arch.pmu_irq) {
		ret = set_pmu(vcpu, KVM_ARM_VCPU_PMU_V3_IRQ, &number, "KVM_ARM_VCPU_PMU_V3_IRQ");
		if (!ret)
			vcpu->arch.pmu_irq = (uint32_t)number;
	}
	return ret;
}

int axk_arm64_start_pmu(struct axk_vcpu *vcpu)
{
	int ret;

	if (!vcpu->arch.pmu_waits)
		return 0;
	ret = set_pmu(vcpu, KVM_ARM_VCPU_PMU_V3_INIT, NULL, "KVM_ARM_VCPU_PMU_V3_INIT");
	if (!ret)
		vcpu->arch.pmu_waits = false;
	return ret;
}

/* --- registers ------------------------------------------------------------------------------- */

int axk_arm64_enter_mode(struct axk_vcpu *vcpu, const struct axvcpu_setup_config *config)
{
	const bool aarch32 = config->mode == AXVCPU_MODE_32;
	const uint64_t pstate = aarch32 ? PSTATE_SVC : PSTATE_MASKED | PSTATE_EL1H;
	int ret = axk_set_one_reg(vcpu, ARM64_PC, &vcpu->entry);

	if (ret || config->mode == AXVCPU_MODE_RAW)
		return ret;
	ret = axk_set_one_reg(vcpu, ARM64_PSTATE, &pstate);
	if (ret)
		return ret;
	ret = axk_set_one_reg(vcpu, ARM64_GPR(0), &config->arg);
	if (ret)
		return ret;
	return axk_arm64_set_reg(vcpu, AXVCPU_REG_SP, config->stack);
}

int axk_arm64_set_entry(void *arch_vcpu, uint64_t entry)
{
	struct axk_vcpu *vcpu = arch_vcpu;

	vcpu->entry = entry;
	return vcpu->is_setup ? axk_set_one_reg(vcpu, ARM64_PC, &entry) : 0;
}

int axk_arm64_setup(void *arch_vcpu, const struct axvcpu_setup_config *config)
{
	struct axk_vcpu *vcpu = arch_vcpu;
	struct axvcpu_arm64_setup arm64;
	int ret = read_config(vcpu, config, &arm64);

	if (ret)
		return ret;
	ret = init(vcpu, config, &arm64);
	if (ret)
		return ret;
	if (arm64.flags & AXVCPU_ARM64_SVE) {
		ret = finalize_sve(vcpu, arm64.sve_max_bytes);
		if (ret)
			return ret;
	}
	if (arm64.flags & AXVCPU_ARM64_PMU) {
		ret = init_pmu(vcpu, arm64.pmu_irq);
		if (ret)
			return ret;
	}
	ret = axk_arm64_enter_mode(vcpu, config);
	if (ret)
		return ret;
	ret = axk_arm64_psci_add(vcpu);
	if (ret)
		return ret;
	vcpu->is_setup = true;
	/* For resets. The caller's arch config is only valid during this call. */
	vcpu->arch.setup = *config;
	vcpu->arch.setup.arch = NULL;
	vcpu->arch.options = arm64;
	return 0;
}
