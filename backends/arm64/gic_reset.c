/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * Resets of the in-kernel GIC: the part that each CPU has, with that CPU; all of it with the whole VM.
 * KVM has a single operation for the ITS only, so the others are reset register by register.
 */
#include <errno.h>

#include "backends/arm64/arm64.h"
#include "backends/kvm/device.h"

/* Registers of the distributor, and of the SGI page of a redistributor: offsets for interrupt 0. */
#define GIC_CTLR 0x0
#define GIC_IGROUPR 0x80
#define GIC_ICENABLER 0x180
#define GIC_ISPENDR 0x200
#define GIC_ICPENDR 0x280
#define GIC_ICACTIVER 0x380
#define GIC_IPRIORITYR 0x400
#define GIC_ITARGETSR 0x800
#define GIC_ICFGR 0xc00
#define GIC_IROUTER 0x6000
/* The SGI page of a redistributor; registers of its other page. */
#define GICR_SGI 0x10000
#define GICR_CTLR 0x0
#define GICR_PROPBASER 0x70
#define GICR_PENDBASER 0x78
/* Registers of the CPU interface: of a GICv2; and of a GICv3, as KVM encodes them. */
#define GICC_CTLR 0x00
#define GICC_PMR 0x04
#define GICC_BPR 0x08
#define GICC_ABPR 0x1c
#define GICC_APR0 0xd0
#define ICC_PMR_EL1 0xc230
#define ICC_BPR0_EL1 0xc643
#define ICC_AP0R0_EL1 0xc644
#define ICC_AP1R0_EL1 0xc648
#define ICC_BPR1_EL1 0xc663
#define ICC_CTLR_EL1 0xc664
#define ICC_IGRPEN0_EL1 0xc666
#define ICC_IGRPEN1_EL1 0xc667
/* Fields of ICC_CTLR_EL1 that a guest can change: CBPR, EOImode. */
#define ICC_CTLR_WRITABLE UINT64_C(3)
/* KVM creates SPIs as edges; its PPIs are levels and cannot be changed. */
#define SPI_EDGES 0xaaaaaaaa

/* A group of adjacent registers of 32 bits, except ICC_*, which have 64; and their reset value. */
struct registers {
	/* KVM_DEV_ARM_VGIC_GRP_*, and the first register in that group. */
	uint32_t group;
	uint32_t reg;
	uint64_t value;
	/* Number of registers; 0 stands for 1. */
	uint32_t count;
};

#define DIST KVM_DEV_ARM_VGIC_GRP_DIST_REGS
#define REDIST KVM_DEV_ARM_VGIC_GRP_REDIST_REGS
#define CPU_V2 KVM_DEV_ARM_VGIC_GRP_CPU_REGS
#define CPU_V3 KVM_DEV_ARM_VGIC_GRP_CPU_SYSREGS

/*
 * A reset of the CPU: no interrupt of it is enabled, pending or active, and none is let through. A
 * GICv3 ignores writes of userspace to ICPENDR, and takes ISPENDR as the whole state.
 */
static const struct registers cpu_v3[] = {
	{ REDIST, GICR_SGI + GIC_ICENABLER, UINT32_MAX, 0 },
	{ REDIST, GICR_SGI + GIC_ISPENDR, 0, 0 },
	{ REDIST, GICR_SGI + GIC_ICACTIVER, UINT32_MAX, 0 },
	{ CPU_V3, ICC_IGRPEN0_EL1, 0, 0 },
	{ CPU_V3, ICC_IGRPEN1_EL1, 0, 0 },
	{ CPU_V3, ICC_PMR_EL1, 0, 0 },
	{ CPU_V3, ICC_AP0R0_EL1, 0, 0 },
	{ CPU_V3, ICC_AP1R0_EL1, 0, 0 },
};
static const struct registers cpu_v2[] = {
	{ DIST, GIC_ICENABLER, UINT32_MAX, 0 },
	{ DIST, GIC_ICPENDR, UINT32_MAX, 0 },
	{ DIST, GIC_ICACTIVER, UINT32_MAX, 0 },
	{ CPU_V2, GICC_CTLR, 0, 0 },
	{ CPU_V2, GICC_PMR, 0, 0 },
	{ CPU_V2, GICC_APR0, 0, 0 },
};

/* What a reset of the VM adds. KVM accepts the tables of LPIs only while these are off. */
static const struct registers rest_v3[] = {
	{ REDIST, GICR_CTLR, 0, 0 },
	{ REDIST, GICR_PROPBASER, 0, 2 },
	{ REDIST, GICR_PENDBASER, 0, 2 },
	{ REDIST, GICR_SGI + GIC_IGROUPR, UINT32_MAX, 0 },
	{ REDIST, GICR_SGI + GIC_IPRIORITYR, 0, 8 },
	{ CPU_V3, ICC_BPR0_EL1, 0, 0 },
	{ CPU_V3, ICC_BPR1_EL1, 0, 0 },
};
static const struct registers rest_v2[] = {
	{ DIST, GIC_IGROUPR, 0, 0 },
	{ DIST, GIC_IPRIORITYR, 0, 8 },
	{ CPU_V2, GICC_BPR, 0, 0 },
	{ CPU_V2, GICC_ABPR, 0, 0 },
};

/* --- registers -------------------------------------------------------------------------------- */

/* Returns 0, or a negative errno without a message: -EBUSY if a vCPU is in the guest. */
static int set_reg(const struct axk_vm *kvm, uint32_t group, uint64_t attr, uint64_t value)
{
	const struct kvm_device_attr set = { .group = group,
					     .attr = attr,
					     .addr = (uintptr_t)&value };

	return axk_ioctl(kvm->arch.gic.fd, KVM_SET_DEVICE_ATTR, &set);
}

static int set_all(const struct axk_vm *kvm, const struct registers *registers, size_t n,
		   uint64_t cpu)
{
	int ret = 0;

	for (size_t i = 0; !ret && i < n; i++) {
		uint32_t count = registers[i].count ? registers[i].count : 1;

		for (uint32_t k = 0; !ret && k < count; k++)
			ret = set_reg(kvm, registers[i].group, cpu | (registers[i].reg + 4 * k),
				      registers[i].value);
	}
	return ret;
}

/* Returns the CPU as GIC attributes encode it: GICv3 the four affinity bytes, GICv2 the id. */
static uint64_t cpu_attr(const struct axk_vcpu *vcpu)
{
	uint64_t affinity = vcpu->arch.affinity;

	if (vcpu->vm->arch.gic.version == 2)
		return (uint64_t)vcpu->id << KVM_DEV_ARM_VGIC_CPUID_SHIFT;
	return ((affinity & 0xffffff) | (affinity >> 32 & 0xff) << 24)
	       << KVM_DEV_ARM_VGIC_V3_MPIDR_SHIFT;
}

/* Whether there is a GIC that axvm_finalize() has initialised. */
static bool is_ready(const struct axk_vm *kvm)
{
	return kvm->arch.gic.version && atomic_load(&kvm->arch.gic.ready);
}

/* --- one CPU ---------------------------------------------------------------------------------- */

int axk_arm64_gic_reset_vcpu(struct axk_vcpu *vcpu)
{
	const struct axk_vm *kvm = vcpu->vm;
	int ret;

	if (!is_ready(kvm))
		return 0;
	if (kvm->arch.gic.version == 3)
		ret = set_all(kvm, cpu_v3, ARRAY_SIZE(cpu_v3), cpu_attr(vcpu));
	else
		ret = set_all(kvm, cpu_v2, ARRAY_SIZE(cpu_v2), cpu_attr(vcpu));
	/* Another vCPU is in the guest: KVM then refuses access to the GIC, so this state stays. */
	if (ret == -EBUSY)
		return 0;
	return axk_vcpu_result(vcpu, ret, "KVM_SET_DEVICE_ATTR of the GIC");
}

/* Its other fields describe the host, and KVM only accepts its own values. */
static int reset_icc_ctlr(const struct axk_vm *kvm, uint64_t cpu)
{
	uint64_t value = 0;
	const struct kvm_device_attr get = { .group = CPU_V3,
					     .attr = cpu | ICC_CTLR_EL1,
					     .addr = (uintptr_t)&value };
	int ret = axk_ioctl(kvm->arch.gic.fd, KVM_GET_DEVICE_ATTR, &get);

	if (ret)
		return ret;
	return set_reg(kvm, CPU_V3, cpu | ICC_CTLR_EL1, value & ~ICC_CTLR_WRITABLE);
}

int axk_arm64_gic_reset_rest(struct axk_vcpu *vcpu)
{
	const struct axk_vm *kvm = vcpu->vm;
	int ret;

	if (!is_ready(kvm))
		return 0;
	if (kvm->arch.gic.version == 3) {
		ret = set_all(kvm, rest_v3, ARRAY_SIZE(rest_v3), cpu_attr(vcpu));
		if (!ret)
			ret = reset_icc_ctlr(kvm, cpu_attr(vcpu));
	} else {
		ret = set_all(kvm, rest_v2, ARRAY_SIZE(rest_v2), cpu_attr(vcpu));
	}
	return axk_vcpu_result(vcpu, ret, "KVM_SET_DEVICE_ATTR of the GIC");
}

/* --- the VM ----------------------------------------------------------------------------------- */

/* Lowers the lines of all SPIs, whichever way they were raised. */
static int lower_lines(const struct axk_vm *kvm)
{
	int ret = 0;

	for (uint32_t intid = ARM64_FIRST_SPI; !ret && intid < kvm->arch.gic.nirqs; intid++)
		ret = axk_arm64_set_line(kvm, KVM_ARM_IRQ_TYPE_SPI, 0, intid, false);
	return ret;
}

static int reset_spis(const struct axk_vm *kvm)
{
	/* Registers that have 'bits' for each interrupt. */
	static const struct {
		uint32_t reg;
		uint32_t bits;
		uint32_t value;
		/* The only GIC version that has it, or has this value; 0: both. */
		uint32_t version;
	} spis[] = {
		{ GIC_ICENABLER, 1, UINT32_MAX, 0 },
		{ GIC_ICACTIVER, 1, UINT32_MAX, 0 },
		{ GIC_ISPENDR, 1, 0, 3 },
		{ GIC_ICPENDR, 1, UINT32_MAX, 2 },
		{ GIC_IGROUPR, 1, UINT32_MAX, 3 },
		{ GIC_IGROUPR, 1, 0, 2 },
		{ GIC_IPRIORITYR, 8, 0, 0 },
		{ GIC_ICFGR, 2, SPI_EDGES, 0 },
		{ GIC_ITARGETSR, 8, 0, 2 },
		{ GIC_IROUTER, 64, 0, 3 },
	};
	const struct axk_arm64_gic *gic = &kvm->arch.gic;
	int ret = 0;

	for (size_t i = 0; !ret && i < ARRAY_SIZE(spis); i++) {
		/* 32 SPIs have as many registers as one of them has bits. */
		const struct registers registers = {
			.group = DIST,
			.reg = spis[i].reg + 4 * spis[i].bits,
			.value = spis[i].value,
			.count = (gic->nirqs - ARM64_FIRST_SPI) / 32 * spis[i].bits,
		};

		if (!spis[i].version || spis[i].version == gic->version)
			ret = set_all(kvm, &registers, 1, 0);
	}
	return ret;
}

int axk_arm64_vm_reset(void *arch_vm)
{
	static const struct registers off = { DIST, GIC_CTLR, 0, 0 };
	const struct axk_vm *kvm = arch_vm;
	const struct axk_arm64_gic *gic = &kvm->arch.gic;
	int ret;

	if (!is_ready(kvm))
		return 0;
	ret = set_all(kvm, &off, 1, 0);
	if (!ret)
		ret = lower_lines(kvm);
	if (!ret)
		ret = reset_spis(kvm);
	if (ret)
		return axk_vm_result(kvm, ret, "KVM_SET_DEVICE_ATTR of the GIC");
	if (gic->its_fd < 0)
		return 0;
	return axk_device_set(kvm, gic->its_fd, KVM_DEV_ARM_VGIC_GRP_CTRL,
			      KVM_DEV_ARM_ITS_CTRL_RESET, NULL, "KVM_DEV_ARM_ITS_CTRL_RESET");
}
