/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* Ways to crash. There is no interrupt table that could catch anything. */
#include "../guest.h"

/* Mapped by nobody: between the memory below 3 GiB and the devices below 4 GiB. */
#define NOWHERE UINT64_C(0xe0000000)
/* Beyond what the first page tables cover. */
#define UNMAPPED UINT64_C(0x0000700000000000)

static void forget_interrupt_table(void)
{
	const struct {
		uint16_t limit;
		uint64_t base;
	} __attribute__((packed)) none = { 0, 0 };

	__asm__ volatile("lidt %0" : : "m"(none));
}

/* A page fault that finds no handler, nor does the double fault that this makes. */
static void triple_fault(void)
{
	forget_interrupt_table();
	__asm__ volatile("movq %%rax, (%0)" : : "r"(UNMAPPED) : "memory");
}

/* An undefined instruction, with the same end. */
static void undefined(void)
{
	forget_interrupt_table();
	__asm__ volatile("ud2");
}

/* Instructions from where there is no memory. */
static void jump(void)
{
	__asm__ volatile("jmp *%0" : : "r"(NOWHERE));
}

/* An access to where there is no memory by an instruction that KVM does not emulate. */
static void emulation(void)
{
	__asm__ volatile("paddb (%0), %%xmm0" : : "r"(NOWHERE));
}

/* An interrupt by software, as debuggers plant it. */
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
