/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* Ways to crash. The interrupt table is empty, so no exception is caught. */
#include "../guest.h"

/* Unmapped: between the memory below 3 GiB and the devices below 4 GiB. */
#define NOWHERE UINT64_C(0xe0000000)
/* Beyond the first page tables. */
#define UNMAPPED UINT64_C(0x0000700000000000)

static void forget_interrupt_table(void)
{
	const struct {
		uint16_t limit;
		uint64_t base;
	} __attribute__((packed)) none = { 0, 0 };

	__asm__ volatile("lidt %0" : : "m"(none));
}

/* A page fault without a handler, which becomes a double fault and a triple fault. */
static void triple_fault(void)
{
	forget_interrupt_table();
	__asm__ volatile("movq %%rax, (%0)" : : "r"(UNMAPPED) : "memory");
}

/* An undefined instruction, with the same result. */
static void undefined(void)
{
	forget_interrupt_table();
	__asm__ volatile("ud2");
}

/* Instruction fetch from unmapped memory. */
static void jump(void)
{
	__asm__ volatile("jmp *%0" : : "r"(NOWHERE));
}

/* An access to unmapped memory by an instruction that KVM does not emulate. */
static void emulation(void)
{
	__asm__ volatile("paddb (%0), %%xmm0" : : "r"(NOWHERE));
}

/* A software breakpoint, as debuggers set it. */
static void breakpoint(void)
{
	forget_interrupt_table();
	__asm__ volatile("int3");
}

const struct guest_crash guest_crashes[] = {
	{ "triple-fault", triple_fault },
	{ "undefined", undefined },
	{ "jump", jump },
	{ "emulation", emulation },
	{ "breakpoint", breakpoint },
};
const size_t guest_ncrashes = sizeof(guest_crashes) / sizeof(guest_crashes[0]);
