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

static const struct platform platforms[] = {
	{
		.name = "x86_64",
		.elf64_machine = EM_X86_64,
		.elf32_machine = EM_386,
		.ram_gpa = 0,
		.hole_gpa = UINT64_C(3) << 30,
		.hole_end = UINT64_C(4) << 30,
		.flat_gpa = 0x10000,
		.flat16_gpa = 0x7c00,
		.firmware_end = UINT64_C(4) << 30,
		.firmware_max = UINT64_C(256) << 10,
		.reset_pc = 0xfff0,
		.boot_tables = true,
		.test_gpa = 0xd0000000,
		.interrupts_on = 1u << 9,
		.secondary_mode = AXVCPU_MODE_16,
		.forward = AXVM_FORWARD_DOORBELL,
		.forward_without_irqchip = AXVM_FORWARD_IPIS,
		.sysregs = x86_64_sysregs,
		.nsysregs = sizeof(x86_64_sysregs) / sizeof(x86_64_sysregs[0]),
	},
};

const struct platform *platform_host(void)
{
	const char *name = axvcpu_host_arch()->name;
	size_t i;

	for (i = 0; i < sizeof(platforms) / sizeof(platforms[0]); i++)
		if (!strcmp(platforms[i].name, name))
			return &platforms[i];
	fail("axrun has no machine for the architecture %s", name);
	return NULL;
}
