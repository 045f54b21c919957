/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* The registers of the in-kernel GIC: tables, and access by KVM attributes. */
#include "backends/arm64/gic_regs.h"

#include <errno.h>

#include "backends/kvm/state.h"

/* Registers of the distributor, and of the SGI page of a redistributor: offsets for interrupt 0. */
#define GIC_CTLR 0x0
#define GIC_IIDR 0x8
#define GIC_STATUSR 0x10
#define GIC_IGROUPR 0x80
#define GIC_ISENABLER 0x100
#define GIC_ICENABLER 0x180
#define GIC_ISPENDR 0x200
#define GIC_ICPENDR 0x280
#define GIC_ISACTIVER 0x300
#define GIC_ICACTIVER 0x380
#define GIC_IPRIORITYR 0x400
#define GIC_ITARGETSR 0x800
#define GIC_ICFGR 0xc00
#define GIC_SPENDSGIR 0xf20
#define GIC_IROUTER 0x6000
/* The SGI page of a redistributor; registers of its other page. */
#define GICR_SGI 0x10000
#define GICR_CTLR 0x0
#define GICR_STATUSR 0x10
#define GICR_WAKER 0x14
#define GICR_PROPBASER 0x70
#define GICR_PENDBASER 0x78
/* Registers of the CPU interface: of a GICv2; and of a GICv3, as KVM encodes them. */
#define GICC_CTLR 0x00
#define GICC_PMR 0x04
#define GICC_BPR 0x08
#define GICC_ABPR 0x1c
#define GICC_APR 0xd0
#define ICC_PMR_EL1 0xc230
#define ICC_BPR0_EL1 0xc643
#define ICC_AP0R_EL1 0xc644
#define ICC_AP1R_EL1 0xc648
#define ICC_BPR1_EL1 0xc663
#define ICC_CTLR_EL1 0xc664
#define ICC_SRE_EL1 0xc665
#define ICC_IGRPEN0_EL1 0xc666
#define ICC_IGRPEN1_EL1 0xc667
/* KVM creates SPIs as edges; its PPIs are levels and cannot be changed. */
#define SPI_EDGES 0xaaaaaaaa

#define DIST KVM_DEV_ARM_VGIC_GRP_DIST_REGS
#define REDIST KVM_DEV_ARM_VGIC_GRP_REDIST_REGS
#define CPU_V2 KVM_DEV_ARM_VGIC_GRP_CPU_REGS
#define CPU_V3 KVM_DEV_ARM_VGIC_GRP_CPU_SYSREGS
#define LEVELS KVM_DEV_ARM_VGIC_GRP_LEVEL_INFO

#define NO_RESET .reset = AXK_GIC_RESET_NONE
#define RESET_VM(reset_value) .reset = AXK_GIC_RESET_VM, .value = (reset_value)
#define RESET_CPU(reset_value) .reset = AXK_GIC_RESET_CPU, .value = (reset_value)
/* A register with 'bits' for each interrupt: of SPIs, and of the 32 of a CPU. */
#define SPIS(reg0, bits) DIST, (reg0) + 4 * (bits), .per_32_spis = (bits)
#define SPIS_SET(set, clr) DIST, (set) + 4, .clear = (clr) + 4, .per_32_spis = 1
#define SGIS(reg0) REDIST, GICR_SGI + (reg0)
#define SGIS_SET(set, clr) REDIST, GICR_SGI + (set), .clear = GICR_SGI + (clr)
/* The configuration of PPIs. */
#define PPI_ICFGR (GIC_ICFGR + 4)

/* A GICv3 takes ISPENDR from userspace as the whole state, and ignores ICPENDR. */
static const struct axk_gic_regs dist_v3[] = {
	{ DIST, GIC_IIDR, NO_RESET },
	{ DIST, GIC_CTLR, RESET_VM(0) },
	{ DIST, GIC_STATUSR, NO_RESET },
	{ SPIS(GIC_IGROUPR, 1), RESET_VM(UINT32_MAX) },
	{ SPIS(GIC_ICFGR, 2), RESET_VM(SPI_EDGES) },
	{ SPIS(GIC_IPRIORITYR, 8), RESET_VM(0) },
	/* The lower words; KVM has no Aff3, which is in the upper ones. */
	{ DIST, GIC_IROUTER + 8 * 32, .per_32_spis = 32, .step = 8, RESET_VM(0) },
	{ SPIS_SET(GIC_ISENABLER, GIC_ICENABLER), RESET_VM(0) },
	{ SPIS(GIC_ISPENDR, 1), .after_lines = true, RESET_VM(0) },
	{ SPIS_SET(GIC_ISACTIVER, GIC_ICACTIVER), RESET_VM(0) },
	/* By interrupt number. Those of PPIs follow the VMM, timers and PMU of the vCPU. */
	{ LEVELS, ARM64_FIRST_SPI, .per_32_spis = 1, .step = 32, RESET_VM(0) },
};
static const struct axk_gic_regs cpu_v3[] = {
	{ REDIST, GICR_STATUSR, NO_RESET },
	{ REDIST, GICR_WAKER, NO_RESET },
	{ REDIST, GICR_PROPBASER, .count = 2, .for_lpis = true, RESET_VM(0) },
	{ REDIST, GICR_PENDBASER, .count = 2, .for_lpis = true, RESET_VM(0) },
	{ REDIST, GICR_CTLR, .for_lpis = true, NO_RESET },
	{ SGIS(GIC_IGROUPR), RESET_VM(UINT32_MAX) },
	{ SGIS(PPI_ICFGR), NO_RESET },
	{ SGIS(GIC_IPRIORITYR), .count = 8, RESET_VM(0) },
	{ SGIS_SET(GIC_ISENABLER, GIC_ICENABLER), RESET_CPU(0) },
	{ SGIS(GIC_ISPENDR), RESET_CPU(0) },
	{ SGIS_SET(GIC_ISACTIVER, GIC_ICACTIVER), RESET_CPU(0) },
	{ CPU_V3, ICC_SRE_EL1, NO_RESET },
	{ CPU_V3, ICC_CTLR_EL1, NO_RESET },
	{ CPU_V3, ICC_PMR_EL1, RESET_CPU(0) },
	{ CPU_V3, ICC_BPR0_EL1, RESET_VM(0) },
	{ CPU_V3, ICC_BPR1_EL1, RESET_VM(0) },
	/* One, two or four, by the number of priority bits. */
	{ CPU_V3, ICC_AP0R_EL1, .count = 4, .step = 1, .optional = true, RESET_CPU(0) },
	{ CPU_V3, ICC_AP1R_EL1, .count = 4, .step = 1, .optional = true, RESET_CPU(0) },
	{ CPU_V3, ICC_IGRPEN0_EL1, RESET_CPU(0) },
	{ CPU_V3, ICC_IGRPEN1_EL1, RESET_CPU(0) },
};

/* Groups can only be written after IIDR was. */
static const struct axk_gic_regs dist_v2[] = {
	{ DIST, GIC_IIDR, NO_RESET },
	{ DIST, GIC_CTLR, RESET_VM(0) },
	{ SPIS(GIC_IGROUPR, 1), RESET_VM(0) },
	{ SPIS(GIC_ICFGR, 2), RESET_VM(SPI_EDGES) },
	{ SPIS(GIC_IPRIORITYR, 8), RESET_VM(0) },
	{ SPIS(GIC_ITARGETSR, 8), RESET_VM(0) },
	{ SPIS_SET(GIC_ISENABLER, GIC_ICENABLER), RESET_VM(0) },
	{ SPIS_SET(GIC_ISPENDR, GIC_ICPENDR), .after_lines = true, .has_levels = true,
	  RESET_VM(0) },
	{ SPIS_SET(GIC_ISACTIVER, GIC_ICACTIVER), RESET_VM(0) },
};
static const struct axk_gic_regs cpu_v2[] = {
	{ DIST, GIC_IGROUPR, RESET_VM(0) },
	{ DIST, PPI_ICFGR, NO_RESET },
	{ DIST, GIC_IPRIORITYR, .count = 8, RESET_VM(0) },
	{ DIST, GIC_ISENABLER, .clear = GIC_ICENABLER, RESET_CPU(0) },
	/* Clearing one of an SGI forgets its senders; SPENDSGIR has them. */
	{ DIST, GIC_ISPENDR, .clear = GIC_ICPENDR, .has_levels = true, RESET_CPU(0) },
	{ DIST, GIC_SPENDSGIR, .count = 4 },
	{ DIST, GIC_ISACTIVER, .clear = GIC_ICACTIVER, RESET_CPU(0) },
	{ CPU_V2, GICC_CTLR, RESET_CPU(0) },
	{ CPU_V2, GICC_PMR, RESET_CPU(0) },
	{ CPU_V2, GICC_BPR, RESET_VM(0) },
	{ CPU_V2, GICC_ABPR, RESET_VM(0) },
	{ CPU_V2, GICC_APR, .count = 4, RESET_CPU(0) },
};

struct axk_gic_table axk_arm64_gic_dist(const struct axk_arm64_gic *gic)
{
	if (gic->version == 2)
		return (struct axk_gic_table){ dist_v2, ARRAY_SIZE(dist_v2) };
	return (struct axk_gic_table){ dist_v3, ARRAY_SIZE(dist_v3) };
}

struct axk_gic_table axk_arm64_gic_cpu(const struct axk_arm64_gic *gic)
{
	if (gic->version == 2)
		return (struct axk_gic_table){ cpu_v2, ARRAY_SIZE(cpu_v2) };
	return (struct axk_gic_table){ cpu_v3, ARRAY_SIZE(cpu_v3) };
}

/* --- access ----------------------------------------------------------------------------------- */

uint32_t axk_arm64_gic_count(const struct axk_arm64_gic *gic, const struct axk_gic_regs *regs)
{
	if (regs->for_lpis && gic->its_fd < 0)
		return 0;
	if (regs->per_32_spis)
		return (gic->nirqs - ARM64_FIRST_SPI) / 32 * regs->per_32_spis;
	return regs->count ? regs->count : 1;
}

static uint32_t step(const struct axk_gic_regs *regs)
{
	return regs->step ? regs->step : 4;
}

uint64_t axk_arm64_gic_attr(const struct axk_gic_regs *regs, uint64_t cpu, uint32_t k)
{
	return cpu | (regs->reg + k * step(regs));
}

uint64_t axk_arm64_gic_cpu_attr(const struct axk_vcpu *vcpu)
{
	uint64_t affinity = vcpu->arch.affinity;

	if (vcpu->vm->arch.gic.version == 2)
		return (uint64_t)vcpu->id << KVM_DEV_ARM_VGIC_CPUID_SHIFT;
	return ((affinity & 0xffffff) | (affinity >> 32 & 0xff) << 24)
	       << KVM_DEV_ARM_VGIC_V3_MPIDR_SHIFT;
}

/* The registers have 32 bits, except ICC_*, which have 64. */
int axk_arm64_gic_get(const struct axk_vm *kvm, const struct axk_gic_regs *regs, uint64_t cpu,
		      uint32_t k, uint64_t *value)
{
	uint64_t read = 0;
	const struct kvm_device_attr get = { .group = regs->group,
					     .attr = axk_arm64_gic_attr(regs, cpu, k),
					     .addr = (uintptr_t)&read };
	int ret = axk_ioctl(kvm->arch.gic.fd, KVM_GET_DEVICE_ATTR, &get);

	if (ret == -EINVAL && regs->optional)
		ret = 0;
	if (!ret)
		*value = read;
	return ret;
}

static int set_attr(const struct axk_vm *kvm, uint32_t group, uint64_t attr, uint64_t value)
{
	const struct kvm_device_attr set = { .group = group,
					     .attr = attr,
					     .addr = (uintptr_t)&value };

	return axk_ioctl(kvm->arch.gic.fd, KVM_SET_DEVICE_ATTR, &set);
}

int axk_arm64_gic_set(const struct axk_vm *kvm, const struct axk_gic_regs *regs, uint64_t cpu,
		      uint32_t k, uint64_t value)
{
	int ret = 0;

	if (regs->clear)
		ret = set_attr(kvm, regs->group, cpu | (regs->clear + k * step(regs)), UINT32_MAX);
	if (!ret && (value || !regs->clear))
		ret = set_attr(kvm, regs->group, axk_arm64_gic_attr(regs, cpu, k), value);
	return ret == -EINVAL && regs->optional && !value ? 0 : ret;
}

bool axk_arm64_gic_is_ready(const struct axk_vm *kvm)
{
	return kvm->arch.gic.version && atomic_load(&kvm->arch.gic.ready);
}

int axk_arm64_gic_lpis_off(const struct axk_vm *kvm, uint64_t cpu)
{
	return set_attr(kvm, REDIST, cpu | GICR_CTLR, 0);
}

int axk_arm64_gic_timer_is_active(const struct axk_vcpu *vcpu)
{
	static const struct axk_gic_regs active_v2 = { DIST, GIC_ISACTIVER, NO_RESET };
	static const struct axk_gic_regs active_v3 = { SGIS(GIC_ISACTIVER), NO_RESET };
	const struct axk_vm *kvm = vcpu->vm;
	const bool v2 = kvm->arch.gic.version == 2;
	uint64_t active = 0;
	int ret;

	if (!axk_arm64_gic_is_ready(kvm))
		return 0;
	ret = axk_arm64_gic_get(kvm, v2 ? &active_v2 : &active_v3, axk_arm64_gic_cpu_attr(vcpu), 0,
				&active);
	/* Another vCPU is in the guest, so the GIC is not loaded either. */
	if (ret)
		return ret == -EBUSY ? 0
				     : axk_vcpu_result(vcpu, ret, "KVM_GET_DEVICE_ATTR of the GIC");
	return active & (1u << ARM64_PPI_VTIMER | 1u << ARM64_PPI_PTIMER) ? 1 : 0;
}

/* --- lines ------------------------------------------------------------------------------------ */

int axk_arm64_gic_set_lines(struct axk_vm *kvm, const uint64_t *lines)
{
	const uint32_t gsis = kvm->arch.gic.nirqs - ARM64_FIRST_SPI;
	int ret = 0;

	if (kvm->arch.gic.version == 3)
		return axk_load_lines(kvm, lines);
	for (uint32_t gsi = 0; !ret && gsi < gsis; gsi++)
		ret = axk_set_irq_line(kvm, gsi, lines[gsi / 64] >> gsi % 64 & 1);
	return ret;
}
