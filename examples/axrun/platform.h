/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* The differences between axrun's machines, one per architecture. */
#ifndef AXRUN_PLATFORM_H
#define AXRUN_PLATFORM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <axvcpu/axvcpu.h>

#include "device.h"

/* Interrupt controllers that are described in a device tree. */
enum platform_controller {
	CONTROLLER_NONE,
	CONTROLLER_GIC,
	CONTROLLER_AIA,
};

/* How hypercalls arrive; see guests/abi.h. */
enum platform_call {
	CALL_DOORBELL,
	CALL_SMCCC,
	CALL_SBI,
};

struct platform {
	/* The name in struct axvcpu_arch_ops. */
	const char *name;
	/* EM_* of supported images. */
	uint16_t elf64_machine;
	uint16_t elf32_machine;
	/* Start of memory, and the hole in the address space above it. */
	uint64_t ram_gpa;
	uint64_t hole_gpa;
	uint64_t hole_end;
	/*
	 * Memory that a PC reserves from a kernel, and the place of the ACPI tables in it; sizes
	 * are 0 if there is none.
	 */
	uint64_t hidden_gpa;
	uint64_t hidden_size;
	uint64_t acpi_gpa;
	uint64_t acpi_size;
	/* A Linux kernel's generation id: its page, and its interrupt number. */
	uint64_t generation_gpa;
	uint32_t generation_gsi;
	/* Supported modes: bits 1 << enum axvcpu_mode. */
	uint32_t modes;
	/* Default load addresses of flat images. */
	uint64_t flat_gpa;
	uint64_t flat16_gpa;
	/*
	 * In raw mode a flat image is read-only firmware: its end address, its maximum length, and
	 * the program counter after a reset. A maximum of 0: this machine has no firmware.
	 */
	uint64_t firmware_end;
	uint64_t firmware_max;
	uint64_t reset_pc;
	/* Maximum length of a Linux kernel's command line. */
	size_t command_line_max;
	/* In 64-bit mode the library needs memory for page tables. */
	bool boot_tables;
	/*
	 * With a device tree, the first argument is its address, and the boot page's address is in
	 * this register. 0: no device tree, and the first argument is the boot page.
	 */
	unsigned int page_gpr;
	/* Devices. `test_gpa`: MMIO registers of the test device; `test_port`: its ports, or 0. */
	struct place console;
	/* Interrupt number of the console, if an in-kernel controller has lines. */
	uint32_t console_gsi;
	/* Routes of GSIs to the in-kernel controllers; none: keep the hypervisor's defaults. */
	const struct axvm_route *routes;
	size_t nroutes;
	struct place exit;
	struct place queue;
	struct place checkpoint;
	struct place timer;
	/* Sleep and reset registers, if there are ACPI tables. */
	struct place power;
	uint64_t test_gpa;
	uint64_t test_port;
	/* Default enum axvm_irqchip, and the controller that the device tree then describes. */
	uint32_t irqchip;
	enum platform_controller controller;
	/*
	 * Without an interrupt controller, CPUs have an interrupt line instead of vectors, and read
	 * the number from the timer device.
	 */
	bool line;
	/* AXVCPU_REG_* that holds the current page-table base. */
	uint64_t tables_reg;
	/* Bits of AXVCPU_REG_FLAGS that are set while the CPU takes interrupts. */
	uint64_t interrupts_on;
	/* enum axvcpu_mode in which secondary CPUs start. */
	uint32_t secondary_mode;
	/*
	 * AXVM_FORWARD_*: always; if the host can; without an in-kernel interrupt controller; and
	 * the part of the latter that makes axrun start secondary CPUs.
	 */
	uint32_t forward;
	uint32_t forward_if_possible;
	uint32_t forward_without_irqchip;
	uint32_t forward_starts;
	/* System registers emulated by axrun. */
	const struct axvm_sysreg_range *sysregs;
	uint32_t nsysregs;
	enum platform_call call;
};

/* The platform of this host; NULL after fail(). */
const struct platform *platform_host(void);

/* The platform of that name, or NULL. */
const struct platform *platform_find(const char *name);

/* The controller that the device tree describes for that enum axvm_irqchip. */
enum platform_controller platform_controller(const struct platform *platform, uint32_t irqchip);

/*
 * The CPU number of a hardware id: an APIC id, an MPIDR or a hart id. UINT32_MAX if the id is
 * invalid.
 */
uint32_t platform_cpu(const struct platform *platform, uint64_t hardware_id);

#endif
