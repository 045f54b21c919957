/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/**
 * @file x86_64.h
 * Options of x86_64 guests: CPUID.
 */
#ifndef AXVCPU_X86_64_H
#define AXVCPU_X86_64_H

#include <stddef.h>
#include <stdint.h>

#include <axvcpu/init.h>

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
};
#define AXVCPU_X86_SETUP_INIT AXVCPU_INIT(struct axvcpu_x86_setup)

#endif
