/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/**
 * @file x86_64.h
 * What only x86_64 guests have: the CPUID overrides of axvcpu_setup().
 */
#ifndef AXVCPU_X86_64_H
#define AXVCPU_X86_64_H

#include <stddef.h>
#include <stdint.h>

#include <axvcpu/init.h>

/**
 * Changes one CPUID leaf from what the library presents: of each register the bits in `mask` are
 * replaced by those of `value`. A leaf that is not there is added, zero but for these bits.
 */
struct axvcpu_x86_cpuid {
	uint32_t function;
	/** Sub-leaf; 0 for a function without sub-leaves. */
	uint32_t index;
	/** eax, ebx, ecx, edx */
	uint32_t mask[4];
	uint32_t value[4];
};

/** `arch` of struct axvcpu_setup_config. Initialise with AXVCPU_X86_SETUP_INIT. */
struct axvcpu_x86_setup {
	/** sizeof(struct axvcpu_x86_setup) */
	size_t size;
	/**
	 * The guest sees what KVM supports on this host, with this vCPU's APIC id and the topology of
	 * one package with max_vcpus cores. Fields of 8 bits say 255 where there are more; leaves 0xb
	 * and 0x1f have the true numbers. The overrides come after that, in order.
	 */
	const struct axvcpu_x86_cpuid *cpuid;
	/** Elements of `cpuid`. */
	size_t ncpuid;
};
#define AXVCPU_X86_SETUP_INIT AXVCPU_INIT(struct axvcpu_x86_setup)

#endif
