/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* The interrupt table. An exception without a fixup ends the guest; interrupts have handlers. */
#include "idt.h"

#include "../guest.h"
#include "../interrupt.h"
#include "../smp.h"
#include "apic.h"

#define VECTORS 256
#define EXCEPTIONS 32
#define VECTOR_SIZE 16
/* Present, privilege level 0, interrupt gate, which disables interrupts. */
#define GATE 0x8e

/* Saved by vectors.S. */
struct frame {
	uint64_t r15, r14, r13, r12, r11, r10, r9, r8;
	uint64_t rdi, rsi, rbp, rbx, rdx, rcx, rax;
	uint64_t vector;
	uint64_t error;
	uint64_t rip, cs, rflags, rsp, ss;
};

struct gate {
	uint16_t offset_low;
	uint16_t selector;
	uint8_t stack;
	uint8_t type;
	uint16_t offset_middle;
	uint32_t offset_high;
	uint32_t reserved;
};

/* vectors.S */
extern const char guest_vectors[];
void guest_vector(struct frame *frame);

/* From the linker script. */
extern const struct guest_fixup guest_fixups_start[];
extern const struct guest_fixup guest_fixups_end[];

static struct gate gates[VECTORS] __attribute__((aligned(16)));
static void (*handlers[VECTORS])(unsigned int number);

static void open_gate(unsigned int vector)
{
	uint64_t offset = (uintptr_t)guest_vectors + vector * VECTOR_SIZE;
	uint16_t selector;

	__asm__("mov %%cs, %0" : "=r"(selector));
	gates[vector] = (struct gate){
		.offset_low = (uint16_t)offset,
		.selector = selector,
		.type = GATE,
		.offset_middle = (uint16_t)(offset >> 16),
		.offset_high = (uint32_t)(offset >> 32),
	};
}

void guest_idt_load(void)
{
	const struct {
		uint16_t limit;
		uint64_t base;
	} __attribute__((packed)) table = { sizeof(gates) - 1, (uintptr_t)gates };
	unsigned int vector;

	if (guest_cpu() == 0)
		for (vector = 0; vector < EXCEPTIONS; vector++)
			open_gate(vector);
	__asm__ volatile("lidt %0" : : "m"(table));
}

void guest_on_interrupt(unsigned int number, void (*handler)(unsigned int number))
{
	handlers[number] = handler;
	open_gate(number);
}

static bool fix_up(struct frame *frame)
{
	const struct guest_fixup *fixup;

	for (fixup = guest_fixups_start; fixup < guest_fixups_end; fixup++)
		if (fixup->from == frame->rip) {
			frame->rip = fixup->to;
			frame->rax = frame->vector;
			frame->rdx = frame->error;
			return true;
		}
	return false;
}

void guest_vector(struct frame *frame)
{
	if (handlers[frame->vector]) {
		handlers[frame->vector]((unsigned int)frame->vector);
		if (frame->vector >= EXCEPTIONS)
			guest_apic_eoi();
	} else if (frame->vector >= EXCEPTIONS || !fix_up(frame)) {
		guest_print("guest: exception ");
		guest_print_dec(frame->vector);
		guest_print(" at ");
		guest_print_hex(frame->rip);
		guest_print("\n");
		guest_exit(3);
	}
}
