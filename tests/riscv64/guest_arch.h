/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* riscv64: architecture-specific constants of the common suites. */
#ifndef TESTS_GUEST_ARCH_H
#define TESTS_GUEST_ARCH_H

#define GUEST_BASE 0x80000000

#define GUEST_BOOT_SIZE 0

/* The argument of setup, which the programs leave where it is: a1. */
#define GUEST_ARG_REG AXVCPU_REG_RISCV64_A1
/* The register that "echo" and "life" read into: a2. */
#define GUEST_VALUE_REG AXVCPU_REG_RISCV64_A2

/* Register n of "vectors". */
#define GUEST_VECTOR(n) AXVCPU_REG_RISCV64_F(n)

/* A system register that no program uses. */
#define GUEST_SYSREG AXVCPU_REG_RISCV64_SSCRATCH

/* The mode of 64-bit code after the setup. */
#define GUEST_EXECUTION AXVCPU_EXECUTION_RV64
#define GUEST_PRIVILEGE 1
#define GUEST_PAGING 0

/* The exit that "last" ends in: SBI system reset, as a shutdown. */
#define GUEST_LAST_EXIT AXVCPU_EXIT_SYSTEM_DOWN

/*
 * Bits by which the root of the tables of guest-physical addresses is wider than the other levels: it
 * is four tables.
 */
#define GUEST_ROOT_BITS 2

/* Whether KVM can change the frequency of the counter. */
#define GUEST_HAS_TSC_CONTROL(vm) ((void)(vm), false)

/* How often a vCPU is entered before KVM's EFAULT without details is believed. */
#define GUEST_EFAULT_RUNS 2u

#endif
