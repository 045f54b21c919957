/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
#include "x86_guest.h"

#include <pthread.h>
#include <unistd.h>

#include "suite.h"

/* Of the GDT that setup writes. */
#define SELECTOR_CODE 0x10u
#define HANDLER_BYTES 64u

#define LAPIC_EOI (X86_LAPIC + 0xb0)
#define LAPIC_SPURIOUS (X86_LAPIC + 0xf0)

void x86_emit(struct x86_code *code, const void *bytes, size_t len)
{
	ck_assert_uint_le(code->len + len, sizeof(code->bytes));
	memcpy(code->bytes + code->len, bytes, len);
	code->len += len;
}

static void emit_u32(struct x86_code *code, uint32_t value)
{
	x86_emit(code, &value, sizeof(value));
}

void x86_store(struct x86_code *code, uint32_t addr, uint32_t value)
{
	x86_emit(code, CODE("\xba"));
	emit_u32(code, addr);
	x86_emit(code, CODE("\xc7\x02"));
	emit_u32(code, value);
}

void x86_out(struct x86_code *code, uint8_t port, uint8_t value)
{
	const uint8_t bytes[] = { 0xb0, value, 0xe6, port };

	x86_emit(code, bytes, sizeof(bytes));
}

void x86_enable_lapic(struct x86_code *code)
{
	x86_store(code, LAPIC_SPURIOUS, 0x1ff);
}

void x86_set_ioapic(struct x86_code *code, unsigned int pin, uint32_t low)
{
	x86_store(code, X86_IOAPIC, 0x11 + 2 * pin);
	x86_store(code, X86_IOAPIC + 0x10, 0);
	x86_store(code, X86_IOAPIC, 0x10 + 2 * pin);
	x86_store(code, X86_IOAPIC + 0x10, low);
}

void x86_mask_pics(struct x86_code *code)
{
	x86_out(code, 0x21, 0xff);
	x86_out(code, 0xa1, 0xff);
}

void x86_set_pics(struct x86_code *code)
{
	x86_out(code, 0x20, 0x11);
	x86_out(code, 0x21, 0x20);
	x86_out(code, 0x21, 0x04);
	x86_out(code, 0x21, 0x01);
	x86_out(code, 0xa0, 0x11);
	x86_out(code, 0xa1, 0x28);
	x86_out(code, 0xa1, 0x02);
	x86_out(code, 0xa1, 0x01);
	x86_out(code, 0x21, 0x00);
	x86_out(code, 0xa1, 0x00);
}

static void emit_count(struct x86_code *code, unsigned int vector)
{
	/* inc dword [..] */
	x86_emit(code, CODE("\xff\x04\x25"));
	emit_u32(code, X86_COUNTS + 4 * vector);
}

static void emit_handler(struct x86_code *code, unsigned int vector, enum x86_handler handler)
{
	x86_emit(code, CODE("\x50\x52")); /* push rax; push rdx */
	if (handler == X86_TELL_ERROR)
		/* mov eax,[rsp+16]; out X86_ERROR_PORT,eax */
		x86_emit(code, CODE("\x8b\x44\x24\x10\xe7\xe4"));
	if (handler >= X86_COUNT)
		emit_count(code, vector);
	else
		x86_out(code, X86_VECTOR_PORT, (uint8_t)vector);
	if (handler == X86_TELL_COUNT) {
		/* mov eax,[..]; out X86_ERROR_PORT,eax */
		x86_emit(code, CODE("\x8b\x04\x25"));
		emit_u32(code, X86_COUNTS + 4 * vector);
		x86_emit(code, CODE("\xe7\xe4"));
	}
	if (handler == X86_TELL_LAPIC || handler == X86_COUNT_LAPIC)
		x86_store(code, LAPIC_EOI, 0);
	if (handler == X86_TELL_PIC)
		x86_out(code, 0x20, 0x20);
	x86_emit(code, CODE("\x5a\x58")); /* pop rdx; pop rax */
	if (handler == X86_TELL_ERROR)
		x86_emit(code, CODE("\x48\x83\xc4\x08")); /* add rsp,8 */
	x86_emit(code, CODE("\x48\xcf")); /* iretq */
}

void x86_handle(struct guest *guest, unsigned int vector, enum x86_handler handler)
{
	uint32_t at = X86_HANDLERS + HANDLER_BYTES * vector;
	/* An interrupt gate, which clears the interrupt flag. */
	const uint64_t gate[2] = { (at & 0xffff) | SELECTOR_CODE << 16 | UINT64_C(0x8e00) << 32 |
				   (uint64_t)(at >> 16) << 48 };
	struct x86_code code = { .len = 0 };

	emit_handler(&code, vector, handler);
	ck_assert_uint_le(code.len, HANDLER_BYTES);
	ck_ok(axvm_write(guest->vm, at, code.bytes, code.len));
	ck_ok(axvm_write(guest->vm, X86_IDT + 16 * vector, gate, sizeof(gate)));
}

uint32_t x86_count(struct guest *guest, unsigned int vector)
{
	uint32_t count = 0;

	ck_ok(axvm_read(guest->vm, X86_COUNTS + 4 * vector, &count, sizeof(count)));
	return count;
}

void x86_load_idt(struct guest *guest)
{
	/* Limit and base of the table. */
	static const unsigned char idtr[10] = { 0xff, 0x0f, X86_IDT & 0xff, X86_IDT >> 8 & 0xff,
						X86_IDT >> 16 };

	ck_ok(axvm_write(guest->vm, X86_IDTR, idtr, sizeof(idtr)));
}

void x86_start(struct guest *guest, const struct axvm_config *config, const void *code, size_t len)
{
	guest_create(guest, config, code, len);
	x86_load_idt(guest);
	guest_setup(guest, AXVCPU_MODE_64);
	ck_ok(axvcpu_bind(guest->vcpu));
}

void x86_expect_out(struct guest *guest, uint16_t port, uint32_t value)
{
	guest_expect(guest, AXVCPU_EXIT_IO_WRITE);
	ck_assert_msg(guest->exit.u.io.port == port && guest->exit.u.io.data == value,
		      "expected %#x to port %#x, got %#x to %#x", value, port,
		      (unsigned int)guest->exit.u.io.data, guest->exit.u.io.port);
}

void x86_expect_vector(struct guest *guest, unsigned int vector)
{
	x86_expect_out(guest, X86_VECTOR_PORT, vector);
}

void x86_expect_vectors_around_out(struct guest *guest, unsigned int vector, unsigned int times,
				   uint16_t port)
{
	bool out = false;

	while (times || !out) {
		guest_expect(guest, AXVCPU_EXIT_IO_WRITE);
		if (guest->exit.u.io.port == port && !out) {
			out = true;
			continue;
		}
		ck_assert_uint_eq(guest->exit.u.io.port, X86_VECTOR_PORT);
		ck_assert_uint_eq(guest->exit.u.io.data, vector);
		ck_assert_uint_gt(times, 0);
		times--;
	}
}

static void *kick_later(void *vcpu)
{
	usleep(5000);
	ck_ok(axvcpu_kick(vcpu));
	return NULL;
}

void x86_expect_silence(struct guest *guest)
{
	pthread_t thread;

	ck_assert_int_eq(pthread_create(&thread, NULL, kick_later, guest->vcpu), 0);
	do {
		ck_ok(axvcpu_run(guest->vcpu, &guest->exit));
		ck_assert_msg(guest->exit.kind == AXVCPU_EXIT_NOTHING, "got %s, port %#x, %#x",
			      axvcpu_exit_name(guest->exit.kind), guest->exit.u.io.port,
			      (unsigned int)guest->exit.u.io.data);
	} while (!guest->exit.kicked);
	pthread_join(thread, NULL);
}

/* --- messages --------------------------------------------------------------------------------- */

#define MESSAGE_VECTOR 0x40u

bool guest_has_messages(void)
{
	return true;
}

void guest_start_messages(struct guest *guest)
{
	struct axvm_config config = AXVM_CONFIG_INIT;
	struct x86_code code = { .len = 0 };

	x86_emit(&code, CODE(LIDT));
	x86_enable_lapic(&code);
	x86_emit(&code, CODE(OUT("\x01") STI HLT_LOOP));
	config.irqchip = AXVM_IRQCHIP_KERNEL;
	x86_start(guest, &config, code.bytes, code.len);
	for (unsigned int n = 0; n < GUEST_MESSAGES; n++)
		x86_handle(guest, MESSAGE_VECTOR + n, X86_TELL_LAPIC);
	guest_expect(guest, AXVCPU_EXIT_IO_WRITE);
	ck_assert_uint_eq(guest->exit.u.io.port, 1);
}

struct axvm_msi guest_message(unsigned int n)
{
	return (struct axvm_msi){ .address = X86_MSI, .data = MESSAGE_VECTOR + n };
}

unsigned int guest_next_message(struct guest *guest)
{
	guest_expect(guest, AXVCPU_EXIT_IO_WRITE);
	ck_assert_uint_eq(guest->exit.u.io.port, X86_VECTOR_PORT);
	return (unsigned int)guest->exit.u.io.data - MESSAGE_VECTOR;
}
