/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
#include "platform.h"

#include <elf.h>
#include <stddef.h>
#include <string.h>

#include <axvcpu/axvcpu.h>

#include "../guests/abi.h"
#include "message.h"

static const struct axvm_sysreg_range x86_64_sysregs[] = {
	{
		.base = GUEST_SYSREG_BASE,
		.count = GUEST_SYSREGS,
		.access = AXVCPU_ACCESS_READ | AXVCPU_ACCESS_WRITE,
	},
};

/*
 * Not routed to the PICs as well: their pins start unmasked, and a guest that uses only the IOAPIC
 * would not mask them.
 */
#define ROUTE_TO_IOAPIC 2
static const struct axvm_route x86_64_routes[] = {
	{
		.gsi = GUEST_GSI_COM1,
		.kind = AXVM_ROUTE_PIN,
		.u.pin = { .controller = ROUTE_TO_IOAPIC, .pin = GUEST_GSI_COM1 },
	},
	{
		.gsi = GUEST_GSI_GENERATION_X86,
		.kind = AXVM_ROUTE_PIN,
		.u.pin = { .controller = ROUTE_TO_IOAPIC, .pin = GUEST_GSI_GENERATION_X86 },
	},
};

/* Devices of the machines without ports. */
#define DEVICES_IN_MEMORY \
	.console = { AXVM_SPACE_MMIO, GUEST_GPA_CONSOLE }, .console_gsi = GUEST_GSI_CONSOLE, \
	.exit = { AXVM_SPACE_MMIO, GUEST_GPA_EXIT }, \
	.queue = { AXVM_SPACE_MMIO, GUEST_GPA_QUEUE }, \
	.checkpoint = { AXVM_SPACE_MMIO, GUEST_GPA_CHECKPOINT }, \
	.timer = { AXVM_SPACE_MMIO, GUEST_GPA_TIMER }, .test_gpa = GUEST_GPA_TEST, \
	.generation_gpa = GUEST_GPA_GENERATION, .generation_gsi = GUEST_GSI_GENERATION

static const struct platform platforms[] = {
	{
		.name = "x86_64",
		.elf64_machine = EM_X86_64,
		.elf32_machine = EM_386,
		.ram_gpa = 0,
		.hole_gpa = UINT64_C(3) << 30,
		.hole_end = UINT64_C(4) << 30,
		.hidden_gpa = 0xa0000,
		.hidden_size = 0x60000,
		.acpi_gpa = 0xe0000,
		.acpi_size = 0x10000,
		.generation_gpa = 0xf0000,
		.generation_gsi = GUEST_GSI_GENERATION_X86,
		.modes = 1u << AXVCPU_MODE_64 | 1u << AXVCPU_MODE_32 | 1u << AXVCPU_MODE_16 |
			 1u << AXVCPU_MODE_RAW,
		.flat_gpa = 0x10000,
		.flat16_gpa = 0x7c00,
		.firmware_end = UINT64_C(4) << 30,
		.firmware_max = UINT64_C(256) << 10,
		.reset_pc = 0xfff0,
		.command_line_max = 2047,
		.boot_tables = true,
		.console = { AXVM_SPACE_PORT, GUEST_PORT_CONSOLE },
		.console_gsi = GUEST_GSI_COM1,
		.routes = x86_64_routes,
		.nroutes = sizeof(x86_64_routes) / sizeof(x86_64_routes[0]),
		.exit = { AXVM_SPACE_PORT, GUEST_PORT_EXIT },
		.queue = { AXVM_SPACE_PORT, GUEST_PORT_QUEUE },
		.checkpoint = { AXVM_SPACE_PORT, GUEST_PORT_CHECKPOINT },
		.timer = { AXVM_SPACE_PORT, GUEST_PORT_TIMER },
		.power = { AXVM_SPACE_PORT, GUEST_PORT_POWER },
		.test_gpa = 0xd0000000,
		.test_port = GUEST_PORT_TEST,
		.irqchip = AXVM_IRQCHIP_NONE,
		.tables_reg = AXVCPU_REG_X86_CR3,
		.interrupts_on = 1u << 9,
		.secondary_mode = AXVCPU_MODE_16,
		.forward = AXVM_FORWARD_DOORBELL,
		.forward_without_irqchip = AXVM_FORWARD_IPIS,
		.forward_starts = AXVM_FORWARD_IPIS,
		.sysregs = x86_64_sysregs,
		.nsysregs = sizeof(x86_64_sysregs) / sizeof(x86_64_sysregs[0]),
		.call = CALL_DOORBELL,
	},
	{
		.name = "arm64",
		.elf64_machine = EM_AARCH64,
		.ram_gpa = GUEST_GPA_RAM,
		.hole_gpa = UINT64_MAX,
		.modes = 1u << AXVCPU_MODE_64,
		.flat_gpa = GUEST_GPA_RAM + 0x10000,
		.command_line_max = 2047,
		.page_gpr = 1,
		DEVICES_IN_MEMORY,
		.irqchip = AXVM_IRQCHIP_KERNEL,
		.controller = CONTROLLER_GIC,
		.tables_reg = AXVCPU_REG_ARM64_TTBR0_EL1,
		.line = true,
		.forward_if_possible = AXVM_FORWARD_HYPERCALLS,
		.forward_without_irqchip = AXVM_FORWARD_POWER,
		.forward_starts = AXVM_FORWARD_POWER,
		.call = CALL_SMCCC,
	},
	{
		.name = "riscv64",
		.elf64_machine = EM_RISCV,
		.ram_gpa = GUEST_GPA_RAM,
		.hole_gpa = UINT64_MAX,
		.modes = 1u << AXVCPU_MODE_64,
		.flat_gpa = GUEST_GPA_RAM + 0x10000,
		.command_line_max = 1023,
		.page_gpr = 12,
		DEVICES_IN_MEMORY,
		.irqchip = AXVM_IRQCHIP_KERNEL,
		.controller = CONTROLLER_AIA,
		.tables_reg = AXVCPU_REG_RISCV64_SATP,
		.line = true,
		.forward_if_possible = AXVM_FORWARD_HYPERCALLS,
		.call = CALL_SBI,
	},
};

const struct platform *platform_find(const char *name)
{
	size_t i;

	for (i = 0; i < sizeof(platforms) / sizeof(platforms[0]); i++)
		if (!strcmp(platforms[i].name, name))
			return &platforms[i];
	return NULL;
}

const struct platform *platform_host(void)
{
	const char *name = axvcpu_host_arch()->name;
	const struct platform *platform = platform_find(name);

	if (!platform)
		fail("axrun has no machine type for architecture %s", name);
	return platform;
}

enum platform_controller platform_controller(const struct platform *platform, uint32_t irqchip)
{
	return irqchip == AXVM_IRQCHIP_NONE ? CONTROLLER_NONE : platform->controller;
}

uint32_t platform_cpu(const struct platform *platform, uint64_t hardware_id)
{
	/* In KVM, 16 CPUs share a number on the second level of affinity. */
	if (platform->controller == CONTROLLER_GIC) {
		if (hardware_id & ~UINT64_C(0xff0f))
			return UINT32_MAX;
		return (uint32_t)((hardware_id & 15) | (hardware_id >> 8) << 4);
	}
	return hardware_id < UINT32_MAX ? (uint32_t)hardware_id : UINT32_MAX;
}
