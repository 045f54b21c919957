/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * Interrupts. The inputs of the GIC are lines: SPIs belong to the VM, PPIs to one CPU each. KVM
 * accepts both from any thread, so they need no owner. Without a GIC, each CPU has two lines, IRQ
 * and FIQ.
 */
#include <errno.h>
#include <inttypes.h>

#include "backends/arm64/arm64.h"

#define FIRST_PPI 16u

/* --- lines ----------------------------------------------------------------------------------- */

/*
 * Sets a line of one CPU: a PPI, or IRQ or FIQ. KVMs before Linux 6.7 read the CPU number as the
 * position in the order of creation: there, vCPUs must be created in the order of their ids.
 */
static int set_cpu_line(struct axk_vcpu *vcpu, uint32_t type, uint32_t number, bool level)
{
	const uint32_t cpu = vcpu->id;
	const struct kvm_irq_level line = {
		.irq = type << KVM_ARM_IRQ_TYPE_SHIFT |
		       (cpu & KVM_ARM_IRQ_VCPU_MASK) << KVM_ARM_IRQ_VCPU_SHIFT |
		       cpu / (KVM_ARM_IRQ_VCPU_MASK + 1u) << KVM_ARM_IRQ_VCPU2_SHIFT | number,
		.level = level,
	};
	int ret = axk_ioctl(vcpu->vm->fd, KVM_IRQ_LINE, &line);

	if (unlikely(ret))
		return axvcpu_fail(vcpu->vm->vm, ret,
				   "KVM_IRQ_LINE of interrupt %" PRIu32 " on vCPU %" PRIu32, number,
				   cpu);
	if (level)
		atomic_fetch_or(&vcpu->arch.lines, 1u << number);
	else
		atomic_fetch_and(&vcpu->arch.lines, ~(1u << number));
	return 0;
}

static int set_gic_line(struct axk_vcpu *vcpu, uint32_t intid, bool level)
{
	if (intid < ARM64_FIRST_SPI)
		return set_cpu_line(vcpu, KVM_ARM_IRQ_TYPE_PPI, intid, level);
	return axk_set_irq_line(vcpu->vm, intid - ARM64_FIRST_SPI, level);
}

/*
 * The in-kernel GIC accepts no interrupts before it is initialised. It then creates its default
 * routes, which replace any earlier ones.
 */
static int check_ready(const struct axk_vm *kvm, const char *what)
{
	const struct axk_arm64_gic *gic = &kvm->arch.gic;

	if (!gic->version || atomic_load(&gic->ready))
		return 0;
	return axvcpu_fail(kvm->vm, -EBUSY, "%s: the GIC is not ready before axvm_finalize()",
			   what);
}

int axk_arm64_vm_set_irq_line(void *arch_vm, uint32_t gsi, bool level)
{
	const struct axk_vm *kvm = arch_vm;
	const struct axk_arm64_gic *gic = &kvm->arch.gic;
	int ret = check_ready(kvm, "set_irq_line");

	if (ret)
		return ret;
	if (gic->version && gsi >= gic->nirqs - ARM64_FIRST_SPI)
		return axvcpu_fail(kvm->vm, -EINVAL,
				   "set_irq_line: gsi is %" PRIu32 "; the GIC has %" PRIu32
				   " inputs (nirqs is %" PRIu32 ")",
				   gsi, gic->nirqs - ARM64_FIRST_SPI, gic->nirqs);
	return axk_set_irq_line(arch_vm, gsi, level);
}

int axk_arm64_vm_signal_msi(void *arch_vm, const struct axvm_msi *msi)
{
	int ret = check_ready(arch_vm, "signal_msi");

	if (ret)
		return ret;
	return axk_signal_msi(arch_vm, msi);
}

int axk_arm64_vm_set_routes(void *arch_vm, const struct axvm_route *routes, size_t count)
{
	int ret = check_ready(arch_vm, "set_routes");

	if (ret)
		return ret;
	return axk_set_routes(arch_vm, routes, count);
}

int axk_arm64_vm_irqfd(void *arch_vm, const struct axvm_irqfd *irqfd)
{
	int ret = check_ready(arch_vm, "irqfd");

	if (ret)
		return ret;
	return axk_irqfd(arch_vm, irqfd);
}

int axk_arm64_default_routes(void *arch_vm, struct axvm_route *routes, size_t count,
			     uint32_t *first, uint32_t *end)
{
	const struct axk_vm *kvm = arch_vm;
	int ret = check_ready(kvm, "routes");

	if (ret)
		return ret;
	return axk_default_pins(kvm, 0, kvm->arch.gic.nirqs - ARM64_FIRST_SPI, routes, count, first,
				end);
}

/* KVM signals the end of a level-triggered SPI. */
int axk_arm64_irq_end(void *arch_vm, const struct axvm_route *route)
{
	const struct axk_vm *kvm = arch_vm;

	if (route->kind == AXVM_ROUTE_PIN)
		return AXVM_IRQ_END_RESAMPLE;
	return axvcpu_fail(kvm->vm, -ENOTSUP,
			   "set_irq_end: gsi %" PRIu32
			   " has a message route, whose end KVM does not report",
			   route->gsi);
}

/* --- one vCPU -------------------------------------------------------------------------------- */

static int check_intid(const struct axk_vcpu *vcpu, uint32_t intid, uint32_t end, const char *what)
{
	const struct axvm *vm = vcpu->vm->vm;

	if (intid < FIRST_PPI || intid >= end)
		return axvcpu_fail(vm, -EINVAL,
				   "%s: vCPU %" PRIu32 ": interrupt is %" PRIu32
				   "; it must be %u to %" PRIu32,
				   what, vcpu->id, intid, FIRST_PPI, end - 1);
	if (intid == ARM64_PPI_VTIMER || intid == ARM64_PPI_PTIMER)
		return axvcpu_fail(vm, -EINVAL,
				   "%s: vCPU %" PRIu32 ": interrupt %" PRIu32
				   " is reserved for a timer that KVM emulates",
				   what, vcpu->id, intid);
	return 0;
}

/* Records a line for the next entry. The GIC may have become ready meanwhile. */
static void set_early(struct axk_vcpu *vcpu, uint32_t intid, bool level)
{
	uint64_t bit = UINT64_C(1) << intid % 64;

	if (level)
		vcpu->arch.early[intid / 64] |= bit;
	else
		vcpu->arch.early[intid / 64] &= ~bit;
	vcpu->arch.has_early |= level;
	vcpu->has_pending_work |= level;
}

int axk_arm64_inject_anywhere(void *arch_vcpu, uint32_t vector)
{
	struct axk_vcpu *vcpu = arch_vcpu;
	const struct axk_arm64_gic *gic = &vcpu->vm->arch.gic;
	int ret;

	if (!gic->version)
		return axvcpu_fail(vcpu->vm->vm, -ENOTSUP,
				   "inject: vCPU %" PRIu32
				   ": the VM has no GIC; use axvcpu_set_irq_line()",
				   vcpu->id);
	ret = check_intid(vcpu, vector, gic->nirqs, "inject");
	if (ret)
		return ret;
	if (!atomic_load(&gic->ready))
		return -EAGAIN;
	return set_gic_line(vcpu, vector, true);
}

int axk_arm64_inject_with_trigger(void *arch_vcpu, uint32_t vector, uint32_t trigger)
{
	struct axk_vcpu *vcpu = arch_vcpu;
	const struct axk_arm64_gic *gic = &vcpu->vm->arch.gic;
	int ret;

	if (trigger == AXVCPU_TRIGGER_LEVEL || !gic->version)
		return axk_arm64_inject_anywhere(vcpu, vector);
	ret = check_intid(vcpu, vector, gic->nirqs, "inject");
	if (ret)
		return ret;
	if (vector < ARM64_FIRST_SPI)
		return axvcpu_fail(vcpu->vm->vm, -ENOTSUP,
				   "inject: vCPU %" PRIu32 ": interrupt %" PRIu32
				   " is a PPI, which is level-triggered in KVM; use "
				   "AXVCPU_TRIGGER_LEVEL",
				   vcpu->id, vector);
	ret = check_ready(vcpu->vm, "inject");
	if (!ret)
		ret = set_gic_line(vcpu, vector, true);
	if (!ret)
		ret = set_gic_line(vcpu, vector, false);
	return ret;
}

int axk_arm64_inject_interrupt(void *arch_vcpu, uint32_t vector)
{
	int ret = axk_arm64_inject_anywhere(arch_vcpu, vector);

	if (ret != -EAGAIN)
		return ret;
	set_early(arch_vcpu, vector, true);
	return 0;
}

static int set_own_line(struct axk_vcpu *vcpu, uint32_t line, bool level)
{
	if (line > KVM_ARM_IRQ_CPU_FIQ)
		return axvcpu_fail(vcpu->vm->vm, -EINVAL,
				   "set_irq_line: vCPU %" PRIu32 ": line is %" PRIu32
				   "; without a GIC it must be 0 (IRQ) or 1 (FIQ)",
				   vcpu->id, line);
	return set_cpu_line(vcpu, KVM_ARM_IRQ_TYPE_CPU, line, level);
}

int axk_arm64_set_irq_line(void *arch_vcpu, uint32_t line, bool level)
{
	struct axk_vcpu *vcpu = arch_vcpu;
	const struct axk_arm64_gic *gic = &vcpu->vm->arch.gic;
	int ret;

	if (!gic->version)
		return set_own_line(vcpu, line, level);
	ret = check_intid(vcpu, line, ARM64_FIRST_SPI, "set_irq_line");
	if (ret)
		return ret;
	if (atomic_load(&gic->ready))
		return set_gic_line(vcpu, line, level);
	set_early(vcpu, line, level);
	return 0;
}

int axk_arm64_raise_early(struct axk_vcpu *vcpu)
{
	int ret = 0;

	if (!vcpu->arch.has_early)
		return 0;
	for (uint32_t intid = FIRST_PPI; !ret && intid < vcpu->vm->arch.gic.nirqs; intid++) {
		if (!(vcpu->arch.early[intid / 64] >> intid % 64 & 1))
			continue;
		ret = set_gic_line(vcpu, intid, true);
		if (!ret)
			set_early(vcpu, intid, false);
	}
	vcpu->arch.has_early = ret;
	return ret;
}

/* --- reset ----------------------------------------------------------------------------------- */

int axk_arm64_irq_reset(struct axk_vcpu *vcpu)
{
	const struct axk_arm64_gic *gic = &vcpu->vm->arch.gic;
	uint32_t type = gic->version ? KVM_ARM_IRQ_TYPE_PPI : KVM_ARM_IRQ_TYPE_CPU;
	uint32_t lines = atomic_load(&vcpu->arch.lines);
	int ret = 0;

	for (; !ret && lines; lines &= lines - 1)
		ret = set_cpu_line(vcpu, type, (uint32_t)__builtin_ctz(lines), false);
	for (size_t i = 0; i < ARRAY_SIZE(vcpu->arch.early); i++)
		vcpu->arch.early[i] = 0;
	vcpu->arch.has_early = false;
	return ret;
}
