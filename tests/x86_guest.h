/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * 64-bit x86 guests that take interrupts: an interrupt table in guest memory whose handlers tell of
 * themselves by a port, and code that is put together from pieces. Not 32-bit ones: the software
 * flavour of KVM has no iret for them.
 */
#ifndef TESTS_X86_GUEST_H
#define TESTS_X86_GUEST_H

#include "guest.h"

/* The interrupt table, its pseudo-descriptor, the handlers, and their counters. */
#define X86_IDT 0x20000u
#define X86_IDTR 0x21000u
#define X86_HANDLERS 0x22000u
#define X86_COUNTS 0x26000u

/* Handlers write their vector here, */
#define X86_VECTOR_PORT 0xe0
/* and before that, if the CPU gave one, the error code here, in 4 bytes. */
#define X86_ERROR_PORT 0xe4

#define X86_LAPIC 0xfee00000u
#define X86_IOAPIC 0xfec00000u
/* An MSI to APIC id 0. */
#define X86_MSI UINT64_C(0xfee00000)

/* Instructions, as literals to be strung together. */
#define CLI "\xfa"
#define STI "\xfb"
#define HLT "\xf4"
#define NOP "\x90"
#define JMP_SELF "\xeb\xfe"
/* lidt [X86_IDTR] */
#define LIDT "\x0f\x01\x1c\x25\x00\x10\x02\x00"
/* out port, al */
#define OUT(port) "\xe6" port
/* in al, port */
#define IN_AL(port) "\xe4" port
/* hlt; jmp back to it */
#define HLT_LOOP "\xf4\xeb\xfd"

struct x86_code {
	unsigned char bytes[1024];
	size_t len;
};

void x86_emit(struct x86_code *code, const void *bytes, size_t len);
/* mov edx, addr; mov dword [rdx], value */
void x86_store(struct x86_code *code, uint32_t addr, uint32_t value);
/* mov al, value; out port, al */
void x86_out(struct x86_code *code, uint8_t port, uint8_t value);
/* Switches the LAPIC on. */
void x86_enable_lapic(struct x86_code *code);
/* The low half of an IOAPIC pin's entry: vector and flags. The high half is 0: CPU 0. */
void x86_set_ioapic(struct x86_code *code, unsigned int pin, uint32_t low);
#define X86_IOAPIC_LEVEL (1u << 15)
#define X86_IOAPIC_MASKED (1u << 16)
/* Masks both PICs: the first inputs lead there, too, and nothing else masks them. */
void x86_mask_pics(struct x86_code *code);
/* Both PICs: from vectors 0x20 and 0x28 on, the second behind input 2, all unmasked. */
void x86_set_pics(struct x86_code *code);

enum x86_handler {
	/* out X86_VECTOR_PORT */
	X86_TELL,
	/* The same, of an exception with an error code: out X86_ERROR_PORT, out X86_VECTOR_PORT */
	X86_TELL_ERROR,
	/* Tell, and end of interrupt at the LAPIC. */
	X86_TELL_LAPIC,
	/* Tell, and end of interrupt at the master PIC. */
	X86_TELL_PIC,
	/* inc dword [X86_COUNTS + 4 * vector] */
	X86_COUNT,
	/* The same, and end of interrupt at the LAPIC. */
	X86_COUNT_LAPIC,
	/* Count, and write the new count to X86_ERROR_PORT. */
	X86_TELL_COUNT,
};

/* Sets the handler of a vector. */
void x86_handle(struct guest *guest, unsigned int vector, enum x86_handler handler);
uint32_t x86_count(struct guest *guest, unsigned int vector);

/* guest_create() with 'config', memory as there, 'code' in 64-bit mode; bound. */
void x86_start(struct guest *guest, const struct axvm_config *config, const void *code, size_t len);

/* Writes the operand of LIDT. x86_start() has done it. */
void x86_load_idt(struct guest *guest);

/* Runs to a write of this byte to this port. */
void x86_expect_out(struct guest *guest, uint16_t port, uint32_t value);
/* Runs to the report of a handler. */
void x86_expect_vector(struct guest *guest, unsigned int vector);
/*
 * The same, so many times, of interrupts that wait for the guest to take them, when it does so just
 * before it writes to this port: and that write. The software flavour of KVM looks whether the
 * guest takes interrupts only when it leaves it, so there the write is first.
 */
void x86_expect_vectors_around_out(struct guest *guest, unsigned int vector, unsigned int times,
				   uint16_t port);
/* Nothing comes: the guest sleeps, and a kick is all that ends it. */
void x86_expect_silence(struct guest *guest);

#endif
