/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * The registers that make up the state of the in-kernel GIC, as attributes of its device. Resets,
 * saving and loading walk these tables.
 */
#ifndef ARM64_GIC_REGS_H
#define ARM64_GIC_REGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "backends/arm64/arm64.h"

/* The reset that gives a register its reset value; one of the VM includes one of each CPU. */
enum axk_gic_reset {
	AXK_GIC_RESET_NONE,
	AXK_GIC_RESET_VM,
	AXK_GIC_RESET_CPU,
};

/* Registers of one kind. */
struct axk_gic_regs {
	/* KVM_DEV_ARM_VGIC_GRP_*, and the first register in that group. */
	uint32_t group;
	uint32_t reg;
	/* Writes only set bits; this register clears those that are written as 1. 0: no such one. */
	uint32_t clear;
	/* Number of registers, or their number for 32 SPIs. Both 0: one. */
	uint32_t count;
	uint32_t per_32_spis;
	/* Distance of two of them; 0 stands for 4. */
	uint32_t step;
	/* KVM may have fewer, and refuses the others by -EINVAL; they count as 0. */
	bool optional;
	/* Only used with an ITS. */
	bool for_lpis;
	/* Lines of SPIs must be set before: after the configuration, and edges become pending by it. */
	bool after_lines;
	/* Reads return the levels of lines, too, and the senders of SGIs as one bit. */
	bool has_levels;
	enum axk_gic_reset reset;
	/* The reset value. */
	uint64_t value;
};

/* In the order in which they must be written. */
struct axk_gic_table {
	const struct axk_gic_regs *regs;
	size_t n;
};

/* Registers of the distributor for the VM and its SPIs. */
struct axk_gic_table axk_arm64_gic_dist(const struct axk_arm64_gic *gic);
/* Registers of each CPU: redistributor, CPU interface; of a GICv2 the banked part of the distributor. */
struct axk_gic_table axk_arm64_gic_cpu(const struct axk_arm64_gic *gic);

/* Number of registers. */
uint32_t axk_arm64_gic_count(const struct axk_arm64_gic *gic, const struct axk_gic_regs *regs);
/* Returns the KVM attribute of the k-th register. 'cpu' is axk_arm64_gic_cpu_attr(), or 0. */
uint64_t axk_arm64_gic_attr(const struct axk_gic_regs *regs, uint64_t cpu, uint32_t k);
/* Returns the CPU as GIC attributes encode it: GICv3 the four affinity bytes, GICv2 the id. */
uint64_t axk_arm64_gic_cpu_attr(const struct axk_vcpu *vcpu);

/*
 * Reads or writes the k-th register. Returns 0, or a negative errno without a message: -EBUSY if a
 * vCPU is in the guest.
 */
int axk_arm64_gic_get(const struct axk_vm *kvm, const struct axk_gic_regs *regs, uint64_t cpu,
		      uint32_t k, uint64_t *value);
int axk_arm64_gic_set(const struct axk_vm *kvm, const struct axk_gic_regs *regs, uint64_t cpu,
		      uint32_t k, uint64_t value);

/* Whether there is a GIC that axvm_finalize() has initialised. */
bool axk_arm64_gic_is_ready(const struct axk_vm *kvm);
/*
 * Returns 1 if an interrupt that KVM's timers raise is active; 0, also if a vCPU is in the guest; or a
 * negative errno.
 */
int axk_arm64_gic_timer_is_active(const struct axk_vcpu *vcpu);
/* Switches the LPIs of a CPU off. KVM accepts their tables only while they are. Without a message. */
int axk_arm64_gic_lpis_off(const struct axk_vm *kvm, uint64_t cpu);
/*
 * Sets the lines of all SPIs as in a bitmap by gsi. Of a GICv3, lines that KVM itself has raised, by
 * irqfds, need a write of the level registers after that.
 */
int axk_arm64_gic_set_lines(struct axk_vm *kvm, const uint64_t *lines);

#endif
