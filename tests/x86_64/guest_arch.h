/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* x86_64: architecture-specific constants of the common suites. */
#ifndef TESTS_GUEST_ARCH_H
#define TESTS_GUEST_ARCH_H

#define GUEST_BASE 0

/* For the tables of 64-bit code. */
#define GUEST_BOOT_SIZE 0x7000

/* For "work": the interrupt table, and the operand of LIDT. */
#define WORK_IDT 0x20000
#define WORK_IDTR 0x21000

/* The argument of setup, which the programs leave where it is: rdi. */
#define GUEST_ARG_REG AXVCPU_REG_X86_RDI
/* The register that "echo" and "life" read into: eax. */
#define GUEST_VALUE_REG AXVCPU_REG_X86_RAX

/* Register n of "vectors". */
#define GUEST_VECTOR(n) AXVCPU_REG_X86_XMM(n)

/* A system register that no program uses. */
#define GUEST_SYSREG AXVCPU_REG_X86_MSR(0xc0000082)

/* The mode of 64-bit code after the setup. */
#define GUEST_EXECUTION AXVCPU_EXECUTION_64
#define GUEST_PRIVILEGE 0
#define GUEST_PAGING 1

/* The exit that "last" ends in: a triple fault. */
#define GUEST_LAST_EXIT AXVCPU_EXIT_SHUTDOWN

/* Bits by which the root of the tables of guest-physical addresses is wider than the other levels. */
#define GUEST_ROOT_BITS 0

/* Whether KVM can change the frequency of the counter: KVM_CAP_TSC_CONTROL. */
#define GUEST_HAS_TSC_CONTROL(vm) (axvm_capability((vm), 60) > 0)

/* How often a vCPU is entered before KVM's EFAULT without details is believed. */
#define GUEST_EFAULT_RUNS 1u

#endif
