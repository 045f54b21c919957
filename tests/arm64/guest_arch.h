/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* arm64: architecture-specific constants of the common suites. */
#ifndef TESTS_GUEST_ARCH_H
#define TESTS_GUEST_ARCH_H

#define GUEST_BASE 0x80000000

#define GUEST_BOOT_SIZE 0

/* The argument of setup, which the programs leave where it is: x0. */
#define GUEST_ARG_REG AXVCPU_REG_ARM64_X(0)
/* The register that "echo" and "life" read into: w2. */
#define GUEST_VALUE_REG AXVCPU_REG_ARM64_X(2)

/* Register n of "vectors". */
#define GUEST_VECTOR(n) AXVCPU_REG_ARM64_V(n)

/* A system register that no program uses. */
#define GUEST_SYSREG AXVCPU_REG_ARM64_TPIDR_EL1

/* The mode of 64-bit code after the setup. */
#define GUEST_EXECUTION AXVCPU_EXECUTION_AARCH64
#define GUEST_PRIVILEGE 1
#define GUEST_PAGING 0

/* The exit that "last" ends in: PSCI SYSTEM_OFF. */
#define GUEST_LAST_EXIT AXVCPU_EXIT_SYSTEM_DOWN

/*
 * Bits by which the root of the tables of guest-physical addresses is wider than the other levels: up
 * to sixteen tables stand for one.
 */
#define GUEST_ROOT_BITS 4

/* Whether KVM can change the frequency of the counter. */
#define GUEST_HAS_TSC_CONTROL(vm) ((void)(vm), false)

/* How often a vCPU is entered before KVM's EFAULT without details is believed. */
#define GUEST_EFAULT_RUNS 1u

#endif
