/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* What differs between the machines that axrun offers, one for each architecture. */
#ifndef AXRUN_PLATFORM_H
#define AXRUN_PLATFORM_H

#include <stdbool.h>
#include <stdint.h>

#include <axvcpu/axvcpu.h>

struct platform {
	/* As in struct axvcpu_arch_ops. */
	const char *name;
	/* EM_* of the images that it runs. */
	uint16_t elf64_machine;
	uint16_t elf32_machine;
	/* Where memory begins, and the part of the address space below 4 GiB that has none. */
	uint64_t ram_gpa;
	uint64_t hole_gpa;
	uint64_t hole_end;
	/* Where flat images go. */
	uint64_t flat_gpa;
	uint64_t flat16_gpa;
	/*
	 * A flat image in raw mode is firmware, read-only: where it ends, how long it may be, and
	 * the program counter that a reset sets. A length of 0: this machine has no place for it.
	 */
	uint64_t firmware_end;
	uint64_t firmware_max;
	uint64_t reset_pc;
	/* The library needs memory for page tables in 64-bit mode. */
	bool boot_tables;
	/* The test device's MMIO registers, in the hole. */
	uint64_t test_gpa;
	/* Bits of AXVCPU_REG_FLAGS: the CPU takes interrupts. */
	uint64_t interrupts_on;
	/* enum axvcpu_mode in which other CPUs than the first start. */
	uint32_t secondary_mode;
	/* AXVM_FORWARD_*: always, and if no interrupt controller is in the kernel. */
	uint32_t forward;
	uint32_t forward_without_irqchip;
	/* System registers that axrun answers. */
	const struct axvm_sysreg_range *sysregs;
	uint32_t nsysregs;
};

/* This host's; NULL: fail() has been called. */
const struct platform *platform_host(void);

#endif
