/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* Identifies the CPU, and starts other CPUs. */
#include "../smp.h"

#include "../guest.h"
#include "apic.h"

/* End of the memory in which a CPU can start; video memory follows. */
#define LOW_MEMORY_END 0xa0000u

/* The operand of lgdt and sgdt. */
struct table {
	uint16_t limit;
	uint64_t base;
} __attribute__((packed));

/* The data at the end of trampoline.S; the addresses there are relative to its begin. */
struct trampoline {
	struct {
		uint16_t limit;
		uint32_t base;
		uint16_t padding;
	} __attribute__((packed)) own_gdt;
	struct {
		uint32_t offset;
		uint16_t selector;
		uint16_t padding;
	} protected, long_mode;
	uint64_t cr0;
	uint64_t cr3;
	uint64_t cr4;
	struct table gdt;
	uint8_t padding[6];
	uint64_t cs;
	uint64_t ss;
	uint64_t stack;
	uint64_t entry;
};

extern const char guest_trampoline[];
extern const char guest_trampoline_data[];
extern const char guest_trampoline_end[];

unsigned int guest_cpu(void)
{
	uint32_t eax = 1, ebx, ecx = 0, edx;

	__asm__("cpuid" : "+a"(eax), "=b"(ebx), "+c"(ecx), "=d"(edx));
	return ebx >> 24;
}

/* The page after the boot area is free, as guests are linked at 1 MiB. */
static uint32_t page(void)
{
	const struct guest_range *boot = &guest_boot_page()->boot;
	uint64_t gpa = (boot->gpa + boot->size + GUEST_PAGE_SIZE - 1) &
		       ~(uint64_t)(GUEST_PAGE_SIZE - 1);

	if (gpa + GUEST_PAGE_SIZE > LOW_MEMORY_END) {
		guest_print("guest: no low memory to start a CPU in\n");
		guest_exit(2);
	}
	return (uint32_t)gpa;
}

static void fill_in(struct trampoline *trampoline, uint32_t gpa, const void *stack_end)
{
	uint16_t cs, ss;

	trampoline->own_gdt.base += gpa;
	trampoline->protected.offset += gpa;
	trampoline->long_mode.offset += gpa;
	__asm__("mov %%cr0, %0" : "=r"(trampoline->cr0));
	__asm__("mov %%cr3, %0" : "=r"(trampoline->cr3));
	__asm__("mov %%cr4, %0" : "=r"(trampoline->cr4));
	__asm__("sgdt %0" : "=m"(trampoline->gdt));
	__asm__("mov %%cs, %0" : "=r"(cs));
	__asm__("mov %%ss, %0" : "=r"(ss));
	trampoline->cs = cs;
	trampoline->ss = ss;
	/* Stack alignment as after a call. */
	trampoline->stack = (uintptr_t)stack_end - 8;
	trampoline->entry = (uintptr_t)guest_cpu_main;
}

void guest_cpu_start(unsigned int cpu, void *stack_end)
{
	uint32_t gpa = page();
	char *copy = (char *)(uintptr_t)gpa;

	memcpy(copy, guest_trampoline, (size_t)(guest_trampoline_end - guest_trampoline));
	fill_in((struct trampoline *)(void *)(copy + (guest_trampoline_data - guest_trampoline)),
		gpa, stack_end);
	guest_apic_start_cpu(cpu, gpa);
}
