/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/**
 * @file arm64.h
 * Options and numbers of arm64 guests: GIC, CPU features, exceptions, PSCI results.
 */
#ifndef AXVCPU_ARM64_H
#define AXVCPU_ARM64_H

#include <stddef.h>
#include <stdint.h>

#include <axvcpu/init.h>

/* --- the VM ---------------------------------------------------------------------------------- */

/** The GIC has an ITS, for messages (axvm_signal_msi()). GICv3 only. */
#define AXVM_ARM64_ITS (1u << 0)

/** Default guest-physical addresses of the GIC. */
#define AXVM_ARM64_GICD UINT64_C(0x08000000)
#define AXVM_ARM64_GICC UINT64_C(0x08010000)
#define AXVM_ARM64_GITS UINT64_C(0x08080000)
#define AXVM_ARM64_GICR UINT64_C(0x080a0000)

/**
 * The in-kernel GIC: `arch_config` of struct axvm_config. Initialise with AXVM_ARM64_CONFIG_INIT.
 *
 * It is used with AXVM_IRQCHIP_KERNEL. The parts of the GIC must not overlap each other or guest
 * memory; axvm_map() fails with -EEXIST.
 */
struct axvm_arm64_config {
	/** sizeof(struct axvm_arm64_config) */
	size_t size;
	/** AXVM_ARM64_* */
	uint32_t flags;
	/**
	 * 2, for at most 8 vCPUs, or 3; 0: 3 if KVM supports it, otherwise 2. `gic_version` of
	 * struct axvm_limits is the result.
	 */
	uint32_t gic_version;
	/**
	 * Number of interrupts, including the 32 private ones of each CPU: 64 to 992, a multiple of
	 * 32; 0: 256.
	 */
	uint32_t nirqs;
	uint32_t reserved;
	/** Guest-physical address of the distributor; 0: AXVM_ARM64_GICD. 64 KiB, GICv2 4 KiB. */
	uint64_t gicd_gpa;
	/** GICv3: redistributors, 128 KiB for each of max_vcpus, by id; 0: AXVM_ARM64_GICR. */
	uint64_t gicr_gpa;
	/** GICv2: CPU interface, 8 KiB; 0: AXVM_ARM64_GICC. */
	uint64_t gicc_gpa;
	/**
	 * With AXVM_ARM64_ITS: the ITS, 128 KiB; 0: AXVM_ARM64_GITS. Messages go to offset 0x10040.
	 */
	uint64_t gits_gpa;
};
#define AXVM_ARM64_CONFIG_INIT AXVCPU_INIT(struct axvm_arm64_config)

/* --- the vCPU -------------------------------------------------------------------------------- */

/** Scalable Vector Extension. Needs KVM_CAP_ARM_SVE. */
#define AXVCPU_ARM64_SVE (1u << 0)
/** Performance monitors (PMUv3). Needs KVM_CAP_ARM_PMU_V3. */
#define AXVCPU_ARM64_PMU (1u << 1)
/**
 * Pointer authentication, address and generic. Needs KVM_CAP_ARM_PTRAUTH_ADDRESS and
 * KVM_CAP_ARM_PTRAUTH_GENERIC.
 */
#define AXVCPU_ARM64_PAUTH (1u << 2)

/**
 * CPU features: `arch` of struct axvcpu_setup_config. Initialise with AXVCPU_ARM64_SETUP_INIT.
 *
 * From Linux 6.6 on, KVM requires the same flags for all vCPUs of a VM, and for each attempt to set
 * one up.
 */
struct axvcpu_arm64_setup {
	/** sizeof(struct axvcpu_arm64_setup) */
	size_t size;
	/** AXVCPU_ARM64_* */
	uint32_t flags;
	/**
	 * With AXVCPU_ARM64_SVE: largest vector length in bytes, a multiple of 16; 0: the largest
	 * that KVM supports.
	 */
	uint32_t sve_max_bytes;
	/** With AXVCPU_ARM64_PMU and a GIC: INTID of the PMU interrupt, 16 to 31; 0: 23. */
	uint32_t pmu_irq;
	uint32_t reserved;
};
#define AXVCPU_ARM64_SETUP_INIT AXVCPU_INIT(struct axvcpu_arm64_setup)

/** Exceptions, for `vector` of struct axvcpu_exception: the exception class of ESR_EL1. */
enum axvcpu_arm64_exception {
	/** External abort, in place of the access of the latest exit. */
	AXVCPU_ARM64_DATA_ABORT = 0x25,
	/** SError interrupt, taken when PSTATE.A allows it. */
	AXVCPU_ARM64_SERROR = 0x2f,
};

/** Results of PSCI calls, as int64_t: answers to CPU_UP and CPU_DOWN exits. */
enum axvcpu_psci_result {
	AXVCPU_PSCI_SUCCESS = 0,
	AXVCPU_PSCI_NOT_SUPPORTED = -1,
	AXVCPU_PSCI_INVALID_PARAMETERS = -2,
	AXVCPU_PSCI_DENIED = -3,
	AXVCPU_PSCI_ALREADY_ON = -4,
	AXVCPU_PSCI_ON_PENDING = -5,
	AXVCPU_PSCI_INTERNAL_FAILURE = -6,
	AXVCPU_PSCI_INVALID_ADDRESS = -9,
};

#endif
