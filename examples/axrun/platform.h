/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* What differs between the machines that axrun offers, one for each architecture. */
#ifndef AXRUN_PLATFORM_H
#define AXRUN_PLATFORM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <axvcpu/axvcpu.h>

#include "bus.h"

/* Interrupt controllers that a device tree describes. */
enum platform_controller {
	CONTROLLER_NONE,
	CONTROLLER_GIC,
	CONTROLLER_AIA,
};

/* How a hypercall arrives, as guests/abi.h has it. */
enum platform_call {
	CALL_DOORBELL,
	CALL_SMCCC,
	CALL_SBI,
};

struct platform {
	/* As in struct axvcpu_arch_ops. */
	const char *name;
	/* EM_* of the images that it runs. */
	uint16_t elf64_machine;
	uint16_t elf32_machine;
	/* Where memory begins, and the part of the address space above that that has none. */
	uint64_t ram_gpa;
	uint64_t hole_gpa;
	uint64_t hole_end;
	/* Of memory what a PC keeps from a kernel, and where in it the ACPI tables go; sizes 0: nothing. */
	uint64_t hidden_gpa;
	uint64_t hidden_size;
	uint64_t acpi_gpa;
	uint64_t acpi_size;
	/* The modes that there are: bits of 1 << enum axvcpu_mode. */
	uint32_t modes;
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
	/* Characters of a Linux kernel's command line. */
	size_t command_line_max;
	/* The library needs memory for page tables in 64-bit mode. */
	bool boot_tables;
	/*
	 * The first argument is a device tree's address, and the boot page's is in this register;
	 * 0: there is no device tree, and the boot page is the first argument.
	 */
	unsigned int page_gpr;
	/* Devices. The test device has its MMIO registers there and, unless it is 0, ports. */
	struct bus_place console;
	/* The console's interrupt, where the kernel has a controller with lines. */
	uint32_t console_gsi;
	/* Which of the kernel's controllers have which lines; none: as the hypervisor has it. */
	const struct axvm_route *routes;
	size_t nroutes;
	struct bus_place exit;
	struct bus_place queue;
	struct bus_place timer;
	/* The registers for sleep and reset, if there are ACPI tables. */
	struct bus_place power;
	uint64_t test_gpa;
	uint64_t test_port;
	/* enum axvm_irqchip: the default; and the controllers in a device tree then. */
	uint32_t irqchip;
	enum platform_controller controller;
	/*
	 * CPUs have no vectors but a line, and take the number from the timer device; only where
	 * there is no controller.
	 */
	bool line;
	/* AXVCPU_REG_*: where the page tables of what runs are. */
	uint64_t tables_reg;
	/* Bits of AXVCPU_REG_FLAGS: the CPU takes interrupts. */
	uint64_t interrupts_on;
	/* enum axvcpu_mode in which other CPUs than the first start. */
	uint32_t secondary_mode;
	/*
	 * AXVM_FORWARD_*: always; where the host can; if no interrupt controller is in the kernel;
	 * and of that what leaves it to axrun to start other CPUs than the first.
	 */
	uint32_t forward;
	uint32_t forward_if_possible;
	uint32_t forward_without_irqchip;
	uint32_t forward_starts;
	/* System registers that axrun answers; and where a write also reads (CSRs). */
	const struct axvm_sysreg_range *sysregs;
	uint32_t nsysregs;
	bool swaps_sysregs;
	enum platform_call call;
};

/* This host's; NULL: fail() has been called. */
const struct platform *platform_host(void);

/* That of a name; NULL: there is none. */
const struct platform *platform_find(const char *name);

/* The controllers with that enum axvm_irqchip, as far as a device tree describes them. */
enum platform_controller platform_controller(const struct platform *platform, uint32_t irqchip);

/*
 * The number of the CPU that the hardware calls so: an APIC id, an MPIDR, a hart id. UINT32_MAX if
 * there can be none.
 */
uint32_t platform_cpu(const struct platform *platform, uint64_t hardware_id);

#endif
