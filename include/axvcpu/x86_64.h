/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/**
 * @file x86_64.h
 * Options of x86_64 guests: PIT, CPUID, page tables; segments.
 */
#ifndef AXVCPU_X86_64_H
#define AXVCPU_X86_64_H

#include <stddef.h>
#include <stdint.h>

#include <axvcpu/init.h>
#include <axvcpu/regs.h>

/* --- the VM ---------------------------------------------------------------------------------- */

/**
 * The kernel emulates a PIT, as part of AXVM_IRQCHIP_KERNEL: the I/O ports 0x40 to 0x43, port 0x61
 * of the speaker, and the interrupt of gsi 0. Needs KVM_CAP_PIT2. Without this flag, accesses to
 * these ports are exits.
 */
#define AXVM_X86_PIT (1u << 0)

/** `arch_config` of struct axvm_config. Initialise with AXVM_X86_CONFIG_INIT. */
struct axvm_x86_config {
	/** sizeof(struct axvm_x86_config) */
	size_t size;
	/** AXVM_X86_* */
	uint32_t flags;
	uint32_t reserved;
};
#define AXVM_X86_CONFIG_INIT AXVCPU_INIT(struct axvm_x86_config)

/* --- the vCPU -------------------------------------------------------------------------------- */

/**
 * 64-bit mode with page tables of the caller: CR3 is `cr3`, and setup writes neither page tables
 * nor a GDT. GDTR is empty (base and limit 0). All segments are flat: the selectors are 0x10 for CS and
 * 0x18 for the others, and need no GDT before the guest loads a segment register. Set other
 * segments after the setup (axvcpu_x86_set_segment()); a reset sets these again. `boot_gpa` and
 * `boot_size` must be 0.
 */
#define AXVCPU_X86_OWN_TABLES (1u << 0)

/**
 * A change of one CPUID leaf.
 *
 * In each register, the bits of `mask` are replaced by those of `value`. A leaf that does not exist
 * is added, with all other bits zero.
 */
struct axvcpu_x86_cpuid {
	/** Number of the leaf: eax of CPUID. */
	uint32_t function;
	/** Sub-leaf: ecx of CPUID; 0 for a leaf without sub-leaves. */
	uint32_t index;
	/** Bits to replace in eax, ebx, ecx, edx. */
	uint32_t mask[4];
	/** Their new values. */
	uint32_t value[4];
};

/** CPU features: `arch` of struct axvcpu_setup_config. Initialise with AXVCPU_X86_SETUP_INIT. */
struct axvcpu_x86_setup {
	/** sizeof(struct axvcpu_x86_setup) */
	size_t size;
	/**
	 * Changes of CPUID, in order. By default the guest has the features that KVM supports on
	 * this host, with the APIC id of this vCPU, and the topology of one package with max_vcpus
	 * cores. 8-bit fields are 255 if the number is larger; leaves 0xb and 0x1f have the exact
	 * numbers.
	 */
	const struct axvcpu_x86_cpuid *cpuid;
	/** Number of elements of `cpuid`. */
	size_t ncpuid;
	/** AXVCPU_X86_OWN_TABLES or 0; only for 64-bit mode. */
	uint32_t flags;
	uint32_t reserved;
	/** With AXVCPU_X86_OWN_TABLES: CR3. The tables need not exist yet. */
	uint64_t cr3;
	/**
	 * CR0, CR4 and EFER in 64-bit mode; 0: those of AXVCPU_MODE_64. CR0 must have PE and PG,
	 * CR4 PAE, EFER LME and LMA. CR4.LA57 needs AXVCPU_X86_OWN_TABLES.
	 */
	uint64_t cr0;
	uint64_t cr4;
	uint64_t efer;
};
#define AXVCPU_X86_SETUP_INIT AXVCPU_INIT(struct axvcpu_x86_setup)

/* --- segments -------------------------------------------------------------------------------- */

/** Segments of AXVCPU_REG_X86_SEGMENT(n), in the order of the CPU's own encoding. */
enum axvcpu_x86_segment_number {
	AXVCPU_X86_ES,
	AXVCPU_X86_CS,
	AXVCPU_X86_SS,
	AXVCPU_X86_DS,
	AXVCPU_X86_FS,
	AXVCPU_X86_GS,
	AXVCPU_X86_LDT,
	AXVCPU_X86_TR,
	/** Descriptor tables: only base and limit; the other members are 0. */
	AXVCPU_X86_GDT,
	AXVCPU_X86_IDT,
};

/**
 * Attributes of a segment. The bits are those of the upper half of its descriptor, shifted right by
 * 8.
 */
#define AXVCPU_X86_SEGMENT_TYPE 0x000fu
/** Code or data; 0: a system segment. */
#define AXVCPU_X86_SEGMENT_S 0x0010u
/** Privilege level. */
#define AXVCPU_X86_SEGMENT_DPL 0x0060u
#define AXVCPU_X86_SEGMENT_PRESENT 0x0080u
/** KVM: the segment register holds the null selector. A descriptor has no such bit. */
#define AXVCPU_X86_SEGMENT_UNUSABLE 0x0100u
#define AXVCPU_X86_SEGMENT_AVL 0x1000u
/** 64-bit code. */
#define AXVCPU_X86_SEGMENT_L 0x2000u
/** 32-bit operands, or stack pointer. */
#define AXVCPU_X86_SEGMENT_DB 0x4000u
/** The descriptor counts the limit in pages. `limit` here is in bytes anyway. */
#define AXVCPU_X86_SEGMENT_G 0x8000u

/** A segment register with its hidden part. 16 bytes. */
struct axvcpu_x86_segment {
	/** Linear address. */
	uint64_t base;
	/** The last offset that is valid, in bytes. */
	uint32_t limit;
	uint16_t selector;
	/** AXVCPU_X86_SEGMENT_* */
	uint16_t attributes;
};

/**
 * Reads a segment register, or a descriptor table register.
 *
 * @param vcpu    the vCPU.
 * @param number  enum axvcpu_x86_segment_number.
 * @param segment receives the segment.
 * @return as axvcpu_get_reg_bytes() of AXVCPU_REG_X86_SEGMENT(`number`).
 *
 * States: Free, Ready, Blocked; unchanged.
 * Threads: any.
 */
static inline int axvcpu_x86_get_segment(struct axvcpu *vcpu, uint32_t number,
					 struct axvcpu_x86_segment *segment)
{
	return axvcpu_get_reg_bytes(vcpu, AXVCPU_REG_X86_SEGMENT(number), segment,
				    sizeof(*segment));
}

/**
 * Writes a segment register, or a descriptor table register.
 *
 * The guest's descriptor tables are not read or changed.
 *
 * @param vcpu    the vCPU.
 * @param number  enum axvcpu_x86_segment_number.
 * @param segment the new value.
 * @return as axvcpu_set_reg_bytes() of AXVCPU_REG_X86_SEGMENT(`number`); -EINVAL: an unknown bit of
 *         `attributes` is set, or a descriptor table has members other than base and limit.
 *
 * States: Free, Ready, Blocked; unchanged.
 * Threads: any.
 */
static inline int axvcpu_x86_set_segment(struct axvcpu *vcpu, uint32_t number,
					 const struct axvcpu_x86_segment *segment)
{
	return axvcpu_set_reg_bytes(vcpu, AXVCPU_REG_X86_SEGMENT(number), segment,
				    sizeof(*segment));
}

#endif
