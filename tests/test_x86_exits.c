/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * x86_64: the exits that real guests produce, and the guest's view of the answers. Needs a working
 * /dev/kvm.
 */
#include <errno.h>

#include "guest.h"
#include "suite.h"

static struct guest guest;

#define RAX AXVCPU_REG_X86_RAX
#define RDX AXVCPU_REG_X86_RDX

static void check_io(enum axvcpu_exit_kind kind, uint16_t port, unsigned int width, uint64_t data)
{
	guest_expect(&guest, kind);
	ck_assert_uint_eq(guest.exit.u.io.port, port);
	ck_assert_uint_eq(guest.exit.u.io.width, width);
	ck_assert_uint_eq(guest.exit.u.io.count, 1);
	ck_assert_uint_eq(guest.exit.u.io.data, data);
	ck_assert_uint_eq(guest.exit.answerable, kind == AXVCPU_EXIT_IO_READ);
	ck_assert_uint_eq(guest.exit.raw_reason, 2); /* KVM_EXIT_IO */
	ck_assert_uint_eq(guest.exit.kicked, 0);
}

static void check_mmio(enum axvcpu_exit_kind kind, uint64_t addr, unsigned int width, uint64_t data)
{
	guest_expect(&guest, kind);
	ck_assert_uint_eq(guest.exit.u.mmio.addr, addr);
	ck_assert_uint_eq(guest.exit.u.mmio.width, width);
	ck_assert_uint_eq(guest.exit.u.mmio.data, data);
	ck_assert_uint_eq(guest.exit.u.mmio.reg_known, 0);
	ck_assert_uint_eq(guest.exit.answerable, kind == AXVCPU_EXIT_MMIO_READ);
	ck_assert_uint_eq(guest.exit.raw_reason, 6); /* KVM_EXIT_MMIO */
}

/* --- port I/O ------------------------------------------------------------------------------------- */

START_TEST(port_writes_of_every_width_carry_their_value)
{
	/* mov eax,0x89abcdef; mov dx,0x1234; out dx,al; out dx,ax; out dx,eax; out 0x80,al; hlt */
	guest_start(&guest, AXVCPU_MODE_32,
		    CODE("\xb8\xef\xcd\xab\x89\x66\xba\x34\x12\xee\x66\xef\xef\xe6\x80\xf4"));
	check_io(AXVCPU_EXIT_IO_WRITE, 0x1234, 1, 0xef);
	check_io(AXVCPU_EXIT_IO_WRITE, 0x1234, 2, 0xcdef);
	check_io(AXVCPU_EXIT_IO_WRITE, 0x1234, 4, 0x89abcdef);
	check_io(AXVCPU_EXIT_IO_WRITE, 0x80, 1, 0xef);
	guest_expect(&guest, AXVCPU_EXIT_HALT);
	ck_assert_uint_eq(guest.exit.raw_reason, 5); /* KVM_EXIT_HLT */
	guest_end(&guest);
}
END_TEST

/* mov eax,0x11111111; mov dx,0x44; in al,dx; ... in ax,dx; ... in eax,dx; hlt */
#define PORT_READS "\xb8\x11\x11\x11\x11\x66\xba\x44\x00\xec\x66\xed\xed\xf4"

START_TEST(port_reads_of_every_width_get_their_answer)
{
	guest_start(&guest, AXVCPU_MODE_32, CODE(PORT_READS));
	check_io(AXVCPU_EXIT_IO_READ, 0x44, 1, 0);
	/* Only as many bytes as the access is wide. */
	ck_ok(axvcpu_complete_value(guest.vcpu, UINT64_C(0xa1a2a3a4a5a6a7a8)));
	check_io(AXVCPU_EXIT_IO_READ, 0x44, 2, 0);
	ck_assert_uint_eq(guest_reg(&guest, RAX), 0x111111a8);
	ck_ok(axvcpu_complete_value(guest.vcpu, 0x1234b6b7));
	check_io(AXVCPU_EXIT_IO_READ, 0x44, 4, 0);
	ck_assert_uint_eq(guest_reg(&guest, RAX), 0x1111b6b7);
	ck_ok(axvcpu_complete_value(guest.vcpu, 0xc1c2c3c4));
	guest_expect(&guest, AXVCPU_EXIT_HALT);
	ck_assert_uint_eq(guest_reg(&guest, RAX), 0xc1c2c3c4);
	guest_end(&guest);
}
END_TEST

START_TEST(an_unanswered_port_read_is_all_ones)
{
	guest_start(&guest, AXVCPU_MODE_32, CODE(PORT_READS));
	check_io(AXVCPU_EXIT_IO_READ, 0x44, 1, 0);
	check_io(AXVCPU_EXIT_IO_READ, 0x44, 2, 0);
	ck_assert_uint_eq(guest_reg(&guest, RAX), 0x111111ff);
	check_io(AXVCPU_EXIT_IO_READ, 0x44, 4, 0);
	ck_assert_uint_eq(guest_reg(&guest, RAX), 0x1111ffff);
	guest_expect(&guest, AXVCPU_EXIT_HALT);
	ck_assert_uint_eq(guest_reg(&guest, RAX), 0xffffffff);
	guest_end(&guest);
}
END_TEST

START_TEST(string_reads_come_whole_and_take_bytes)
{
	uint8_t bytes[64], memory[64];
	uint32_t total = 0;

	/* cld; mov edi,0x3000; mov ecx,16; mov dx,0x55; rep insd; hlt */
	guest_start(&guest, AXVCPU_MODE_32,
		    CODE("\xfc\xbf\x00\x30\x00\x00\xb9\x10\x00\x00\x00\x66\xba\x55\x00"
			 "\xf3\x6d\xf4"));
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(i * 7 + 1);
	while (total < 16) {
		uint32_t count;

		guest_expect(&guest, AXVCPU_EXIT_IO_READ);
		count = guest.exit.u.io.count;
		ck_assert_uint_eq(guest.exit.u.io.width, 4);
		ck_assert(count >= 1 && count <= 16 - total);
		if (count > 1) {
			ck_fails_saying(axvcpu_complete_value(guest.vcpu, 1), EINVAL,
					"takes AXVCPU_ANSWER_BYTES");
			ck_fails(axvcpu_complete_bytes(guest.vcpu, bytes, 4 * count - 1), EINVAL);
			ck_fails(axvcpu_complete_bytes(guest.vcpu, NULL, 4 * count), EINVAL);
		}
		ck_ok(axvcpu_complete_bytes(guest.vcpu, bytes + (size_t)total * 4, 4 * count));
		total += count;
	}
	guest_expect(&guest, AXVCPU_EXIT_HALT);
	ck_ok(axvm_read(guest.vm, 0x3000, memory, sizeof(memory)));
	ck_assert_mem_eq(memory, bytes, sizeof(bytes));
	guest_end(&guest);
}
END_TEST

START_TEST(string_writes_lose_nothing)
{
	static const char text[] = "The quick brown fox jumps over it";

	/* cld; mov esi,0x3000; mov ecx,33; mov dx,0x66; rep outsb; hlt */
	guest_start(&guest, AXVCPU_MODE_32,
		    CODE("\xfc\xbe\x00\x30\x00\x00\xb9\x21\x00\x00\x00\x66\xba\x66\x00"
			 "\xf3\x6e\xf4"));
	ck_ok(axvm_write(guest.vm, 0x3000, text, 33));
	for (uint32_t i = 0; i < 33;) {
		guest_expect(&guest, AXVCPU_EXIT_IO_WRITE);
		ck_assert_uint_eq(guest.exit.u.io.data, (unsigned char)text[i]);
		ck_assert(i + guest.exit.u.io.count <= 33);
		ck_assert_mem_eq(guest.exit.u.io.buf, text + i, guest.exit.u.io.count);
		i += guest.exit.u.io.count;
	}
	guest_expect(&guest, AXVCPU_EXIT_HALT);
	guest_end(&guest);
}
END_TEST

/* --- memory-mapped I/O ------------------------------------------------------------------------------ */

START_TEST(mmio_writes_of_1_2_and_4_bytes)
{
	/* mov eax,0x89abcdef; mov [0xd0000000],al; mov [..4],ax; mov [..8],eax; hlt */
	guest_start(&guest, AXVCPU_MODE_32,
		    CODE("\xb8\xef\xcd\xab\x89\xa2\x00\x00\x00\xd0\x66\xa3\x04\x00\x00\xd0"
			 "\xa3\x08\x00\x00\xd0\xf4"));
	check_mmio(AXVCPU_EXIT_MMIO_WRITE, GUEST_MMIO, 1, 0xef);
	check_mmio(AXVCPU_EXIT_MMIO_WRITE, GUEST_MMIO + 4, 2, 0xcdef);
	check_mmio(AXVCPU_EXIT_MMIO_WRITE, GUEST_MMIO + 8, 4, 0x89abcdef);
	guest_expect(&guest, AXVCPU_EXIT_HALT);
	guest_end(&guest);
}
END_TEST

START_TEST(mmio_reads_of_1_2_and_4_bytes)
{
	/* xor eax,eax; mov al,[0xd0000000]; mov ax,[..4]; mov eax,[..8]; hlt */
	guest_start(&guest, AXVCPU_MODE_32,
		    CODE("\x31\xc0\xa0\x00\x00\x00\xd0\x66\xa1\x04\x00\x00\xd0\xa1\x08\x00"
			 "\x00\xd0\xf4"));
	check_mmio(AXVCPU_EXIT_MMIO_READ, GUEST_MMIO, 1, 0);
	ck_ok(axvcpu_complete_value(guest.vcpu, 0x1112131415161718));
	check_mmio(AXVCPU_EXIT_MMIO_READ, GUEST_MMIO + 4, 2, 0);
	ck_assert_uint_eq(guest_reg(&guest, RAX), 0x18);
	/* Unanswered: all ones. */
	check_mmio(AXVCPU_EXIT_MMIO_READ, GUEST_MMIO + 8, 4, 0);
	ck_assert_uint_eq(guest_reg(&guest, RAX), 0xffff);
	ck_ok(axvcpu_complete_value(guest.vcpu, 0xdeadbeef));
	guest_expect(&guest, AXVCPU_EXIT_HALT);
	ck_assert_uint_eq(guest_reg(&guest, RAX), 0xdeadbeef);
	guest_end(&guest);
}
END_TEST

START_TEST(mmio_of_8_bytes_both_ways)
{
	/* mov rdx,0xd0000000 (imm32 zero-extends: mov edx); mov rax,[rdx]; inc rax; mov [rdx+8],rax; hlt */
	guest_start(&guest, AXVCPU_MODE_64,
		    CODE("\xba\x00\x00\x00\xd0\x48\x8b\x02\x48\xff\xc0\x48\x89\x42\x08\xf4"));
	check_mmio(AXVCPU_EXIT_MMIO_READ, GUEST_MMIO, 8, 0);
	ck_ok(axvcpu_complete_value(guest.vcpu, 0x0123456789abcdef));
	check_mmio(AXVCPU_EXIT_MMIO_WRITE, GUEST_MMIO + 8, 8, 0x0123456789abcdf0);
	guest_expect(&guest, AXVCPU_EXIT_HALT);
	guest_end(&guest);
}
END_TEST

START_TEST(a_straddling_mmio_write_arrives_in_pieces_that_add_up)
{
	uint8_t got[8] = { 0 }, seen[8] = { 0 };
	unsigned int left = 8;

	/* mov edx,0xd0000ffd; mov rax,0x8877665544332211; mov [rdx],rax; hlt */
	guest_start(&guest, AXVCPU_MODE_64,
		    CODE("\xba\xfd\x0f\x00\xd0\x48\xb8\x11\x22\x33\x44\x55\x66\x77\x88\x48"
			 "\x89\x02\xf4"));
	while (left) {
		const struct axvcpu_exit_mmio *mmio = &guest.exit.u.mmio;
		uint64_t at;

		guest_expect(&guest, AXVCPU_EXIT_MMIO_WRITE);
		ck_assert(mmio->width >= 1 && mmio->width <= left);
		at = mmio->addr - 0xd0000ffd;
		ck_assert_uint_le(at + mmio->width, 8);
		for (unsigned int i = 0; i < mmio->width; i++) {
			ck_assert_uint_eq(seen[at + i], 0);
			seen[at + i] = 1;
			got[at + i] = (uint8_t)(mmio->data >> i * 8);
		}
		/* No bits beyond its width. */
		ck_assert(mmio->width == 8 || !(mmio->data >> mmio->width * 8));
		left -= mmio->width;
	}
	ck_assert_mem_eq(got, "\x11\x22\x33\x44\x55\x66\x77\x88", 8);
	guest_expect(&guest, AXVCPU_EXIT_HALT);
	guest_end(&guest);
}
END_TEST

START_TEST(a_write_to_read_only_memory_is_an_mmio_write)
{
	struct axvm_region rom = AXVM_REGION_INIT;
	uint32_t value = 0xcafef00d;

	/* mov eax,[0x400000]; mov [0x400004],eax; hlt */
	guest_start(&guest, AXVCPU_MODE_32, CODE("\xa1\x00\x00\x40\x00\xa3\x04\x00\x40\x00\xf4"));
	rom.gpa = 0x400000;
	rom.len = 0x1000;
	rom.flags = AXVM_MEM_READONLY;
	ck_ok(axvm_map(guest.vm, &rom));
	ck_ok(axvm_write(guest.vm, 0x400000, &value, sizeof(value)));
	check_mmio(AXVCPU_EXIT_MMIO_WRITE, 0x400004, 4, 0xcafef00d);
	guest_expect(&guest, AXVCPU_EXIT_HALT);
	ck_ok(axvm_read(guest.vm, 0x400004, &value, sizeof(value)));
	ck_assert_uint_eq(value, 0);
	guest_end(&guest);
}
END_TEST

START_TEST(memory_mapped_while_bound_is_seen_and_unmapped_memory_is_mmio)
{
	struct axvm_region region = AXVM_REGION_INIT;
	uint32_t value = 0x600df00d;

	/* mov eax,[0x400000] four times, hlt */
	guest_start(&guest, AXVCPU_MODE_32,
		    CODE("\xa1\x00\x00\x40\x00\xf4\xa1\x00\x00\x40\x00\xf4\xa1\x00\x00\x40"
			 "\x00\xf4"));
	check_mmio(AXVCPU_EXIT_MMIO_READ, 0x400000, 4, 0);
	guest_expect(&guest, AXVCPU_EXIT_HALT);
	region.gpa = 0x400000;
	region.len = 0x1000;
	ck_ok(axvm_map(guest.vm, &region));
	ck_ok(axvm_write(guest.vm, 0x400000, &value, sizeof(value)));
	guest_expect(&guest, AXVCPU_EXIT_HALT);
	ck_assert_uint_eq(guest_reg(&guest, RAX), 0x600df00d);
	ck_ok(axvm_unmap(guest.vm, 0x400000, 0x1000));
	check_mmio(AXVCPU_EXIT_MMIO_READ, 0x400000, 4, 0);
	guest_end(&guest);
}
END_TEST

/* --- answers: misuse ----------------------------------------------------------------------------------- */

START_TEST(answers_of_the_wrong_kind_change_nothing)
{
	uint8_t byte = 0x77;

	guest_start(&guest, AXVCPU_MODE_32, CODE(PORT_READS));
	ck_fails(axvcpu_complete_value(guest.vcpu, 1), EBADFD);
	check_io(AXVCPU_EXIT_IO_READ, 0x44, 1, 0);
	ck_fails(axvcpu_complete_fault(guest.vcpu), EINVAL);
	ck_fails(axvcpu_complete_pair(guest.vcpu, 0, 0), EINVAL);
	ck_fails(axvcpu_complete_bytes(guest.vcpu, &byte, 2), EINVAL);
	ck_ok(axvcpu_complete_bytes(guest.vcpu, &byte, 1));
	ck_fails(axvcpu_complete_value(guest.vcpu, 0x99), EBADFD);
	check_io(AXVCPU_EXIT_IO_READ, 0x44, 2, 0);
	ck_assert_uint_eq(guest_reg(&guest, RAX), 0x11111177);
	guest_end(&guest);
}
END_TEST

START_TEST(mmio_takes_a_value_only)
{
	guest_start(&guest, AXVCPU_MODE_32, CODE("\xa1\x00\x00\x00\xd0\xf4"));
	check_mmio(AXVCPU_EXIT_MMIO_READ, GUEST_MMIO, 4, 0);
	ck_fails(axvcpu_complete_fault(guest.vcpu), EINVAL);
	ck_fails(axvcpu_complete_bytes(guest.vcpu, "abcd", 4), EINVAL);
	ck_ok(axvcpu_complete_value(guest.vcpu, 5));
	guest_expect(&guest, AXVCPU_EXIT_HALT);
	ck_fails(axvcpu_complete_value(guest.vcpu, 5), EBADFD);
	ck_assert_uint_eq(guest_reg(&guest, RAX), 5);
	guest_end(&guest);
}
END_TEST

/* --- flush ------------------------------------------------------------------------------------------------ */

START_TEST(flush_finishes_the_instruction_and_no_more)
{
	guest_start(&guest, AXVCPU_MODE_32, CODE(PORT_READS));
	check_io(AXVCPU_EXIT_IO_READ, 0x44, 1, 0);
	ck_ok(axvcpu_complete_value(guest.vcpu, 0x5a));
	ck_assert_uint_eq(guest_reg(&guest, RAX), 0x11111111);
	ck_ok(axvcpu_flush(guest.vcpu));
	ck_assert_uint_eq(guest_reg(&guest, RAX), 0x1111115a);
	ck_assert_uint_eq(guest_reg(&guest, AXVCPU_REG_PC), GUEST_CODE + 10);
	/* Repeating it has no effect. */
	ck_ok(axvcpu_flush(guest.vcpu));
	ck_assert_uint_eq(guest_reg(&guest, AXVCPU_REG_PC), GUEST_CODE + 10);
	check_io(AXVCPU_EXIT_IO_READ, 0x44, 2, 0);
	guest_end(&guest);
}
END_TEST

START_TEST(unbind_finishes_an_open_exit)
{
	guest_start(&guest, AXVCPU_MODE_32, CODE(PORT_READS));
	check_io(AXVCPU_EXIT_IO_READ, 0x44, 1, 0);
	ck_ok(axvcpu_unbind(guest.vcpu));
	ck_assert_uint_eq(guest_reg(&guest, RAX), 0x111111ff);
	ck_ok(axvcpu_bind(guest.vcpu));
	ck_fails(axvcpu_complete_value(guest.vcpu, 1), EBADFD);
	check_io(AXVCPU_EXIT_IO_READ, 0x44, 2, 0);
	guest_end(&guest);
}
END_TEST

START_TEST(an_exit_met_by_a_flush_is_handed_out_by_the_next_run)
{
	unsigned int pieces = 0, bytes = 0;

	/* mov edx,0xd0000ffd; mov rax,..; mov [rdx],rax; hlt: at least two pieces */
	guest_start(&guest, AXVCPU_MODE_64,
		    CODE("\xba\xfd\x0f\x00\xd0\x48\xb8\x11\x22\x33\x44\x55\x66\x77\x88\x48"
			 "\x89\x02\xf4"));
	guest_expect(&guest, AXVCPU_EXIT_MMIO_WRITE);
	while (guest.exit.kind == AXVCPU_EXIT_MMIO_WRITE) {
		pieces++;
		bytes += guest.exit.u.mmio.width;
		ck_ok(axvcpu_flush(guest.vcpu));
		ck_ok(axvcpu_flush(guest.vcpu));
		do
			ck_ok(axvcpu_run(guest.vcpu, &guest.exit));
		while (guest.exit.kind == AXVCPU_EXIT_NOTHING);
	}
	ck_assert_uint_eq(guest.exit.kind, AXVCPU_EXIT_HALT);
	ck_assert_uint_eq(bytes, 8);
	ck_assert_uint_ge(pieces, 2);
	guest_end(&guest);
}
END_TEST

START_TEST(a_register_written_at_an_open_exit_stays_written)
{
	guest_start(&guest, AXVCPU_MODE_32, CODE(PORT_READS));
	check_io(AXVCPU_EXIT_IO_READ, 0x44, 1, 0);
	/* Else the read's own result would come over it. */
	ck_ok(axvcpu_set_reg(guest.vcpu, RAX, 0x12345678));
	ck_assert_uint_eq(guest_reg(&guest, RAX), 0x12345678);
	check_io(AXVCPU_EXIT_IO_READ, 0x44, 2, 0);
	ck_assert_uint_eq(guest_reg(&guest, RAX), 0x12345678);
	guest_end(&guest);
}
END_TEST

/* --- the end of a guest ------------------------------------------------------------------------------------ */

START_TEST(a_triple_fault_is_a_shutdown_and_the_last_exit)
{
	uint64_t pc;

	/* lidt [0x3000], which is an empty table; ud2 */
	guest_start(&guest, AXVCPU_MODE_32, CODE("\x0f\x01\x1d\x00\x30\x00\x00\x0f\x0b"));
	guest_expect(&guest, AXVCPU_EXIT_SHUTDOWN);
	ck_assert_uint_eq(guest.exit.raw_reason, 8); /* KVM_EXIT_SHUTDOWN */
	ck_fails_saying(axvcpu_run(guest.vcpu, &guest.exit), EBADFD, "terminal exit");
	ck_assert_int_eq(axvcpu_state(guest.vcpu), AXVCPU_READY);
	/* AMD's SVM leaves no state behind, so KVM resets the vCPU there. Others keep it. */
	pc = guest_reg(&guest, AXVCPU_REG_PC);
	ck_assert_msg(pc == GUEST_CODE + 7 || pc == 0xfff0, "pc %#jx", (uintmax_t)pc);
	guest_end(&guest);
}
END_TEST

START_TEST(a_breakpoint_is_the_guests_own)
{
	/* The table's fourth gate, without its selector; limit and base of the table. */
	static const uint8_t gate[] = { 0x11, 0x10, 0, 0, 0, 0x8e, 0, 0 };
	static const uint8_t table[] = { 0x1f, 0, 0, 0x30, 0, 0 };
	struct axvcpu_setup_config setup = AXVCPU_SETUP_CONFIG_INIT;

	/* A descriptor table, so that the gate can name a code segment. */
	setup.mode = AXVCPU_MODE_32;
	setup.stack = GUEST_STACK;
	setup.boot_gpa = GUEST_BOOT;
	setup.boot_size = GUEST_BOOT_SIZE;
	/*
	 * mov eax,cs; mov [0x301a],ax (the selector); lidt [0x4000]; int3; hlt;
	 * 0x1011, the handler: out 1,al; hlt
	 */
	guest_create(&guest, NULL,
		     CODE("\x8c\xc8\x66\xa3\x1a\x30\x00\x00\x0f\x01\x1d\x00\x40\x00\x00"
			  "\xcc\xf4\xe6\x01\xf4"));
	ck_ok(axvcpu_setup(guest.vcpu, GUEST_CODE, 0, &setup));
	ck_ok(axvcpu_bind(guest.vcpu));
	ck_ok(axvm_write(guest.vm, 0x3018, gate, sizeof(gate)));
	ck_ok(axvm_write(guest.vm, 0x4000, table, sizeof(table)));
	do
		ck_ok(axvcpu_run(guest.vcpu, &guest.exit));
	while (guest.exit.kind == AXVCPU_EXIT_NOTHING);
	/* Where KVM interprets the guest, it does not know this instruction. */
	if (guest.exit.kind == AXVCPU_EXIT_INTERNAL_ERROR) {
		ck_assert_uint_eq(guest.exit.u.internal.suberror, 1);
		ck_assert_uint_eq(guest_reg(&guest, AXVCPU_REG_PC), GUEST_CODE + 15);
	} else {
		ck_assert_uint_eq(guest.exit.kind, AXVCPU_EXIT_IO_WRITE);
		ck_assert_uint_eq(guest.exit.u.io.port, 1);
		guest_expect(&guest, AXVCPU_EXIT_HALT);
		ck_assert_uint_eq(guest_reg(&guest, AXVCPU_REG_PC), GUEST_CODE + 20);
	}
	guest_end(&guest);
}
END_TEST

/* KVM does not know it, and it must: there is no memory behind the address. */
START_TEST(an_instruction_that_kvm_cannot_emulate_is_named)
{
	static const unsigned char insn[] = { 0x66, 0x0f, 0xfc, 0x00 };
	char text[512];

	/* mov eax,0xd0000000; paddb xmm0,[rax] */
	guest_start(&guest, AXVCPU_MODE_64, CODE("\xb8\x00\x00\x00\xd0\x66\x0f\xfc\x00"));
	guest_expect(&guest, AXVCPU_EXIT_INTERNAL_ERROR);
	ck_assert_uint_eq(guest.exit.u.internal.error, AXVCPU_INTERNAL_EMULATION);
	ck_assert_uint_ge(guest.exit.u.internal.ninsn, sizeof(insn));
	ck_assert_int_eq(memcmp(guest.exit.u.internal.insn, insn, sizeof(insn)), 0);
	ck_assert_uint_eq(guest_reg(&guest, AXVCPU_REG_PC), GUEST_CODE + 5);
	axvcpu_exit_describe(&guest.exit, text, sizeof(text));
	ck_assert_ptr_nonnull(strstr(text, "INTERNAL_ERROR EMULATION suberror 1 insn 66 0f fc 00"));
	guest_end(&guest);
}
END_TEST

START_TEST(code_outside_of_memory_is_an_internal_error)
{
	/* mov eax,0xd0000000; jmp eax */
	guest_start(&guest, AXVCPU_MODE_32, CODE("\xb8\x00\x00\x00\xd0\xff\xe0"));
	guest_expect(&guest, AXVCPU_EXIT_INTERNAL_ERROR);
	ck_assert_uint_eq(guest.exit.raw_reason, 17); /* KVM_EXIT_INTERNAL_ERROR */
	ck_assert_uint_eq(guest.exit.u.internal.suberror, guest.exit.raw_code);
	ck_assert_uint_eq(guest.exit.raw_code, 1); /* KVM_INTERNAL_ERROR_EMULATION */
	ck_assert_uint_eq(guest.exit.u.internal.error, AXVCPU_INTERNAL_EMULATION);
	ck_assert_uint_le(guest.exit.u.internal.ndata, 16);
	ck_fails(axvcpu_run(guest.vcpu, &guest.exit), EBADFD);
	guest_end(&guest);
}
END_TEST

START_TEST(halt_goes_on_behind_the_instruction)
{
	/* hlt; out 1,al; hlt */
	guest_start(&guest, AXVCPU_MODE_32, CODE("\xf4\xe6\x01\xf4"));
	guest_expect(&guest, AXVCPU_EXIT_HALT);
	ck_assert_uint_eq(guest_reg(&guest, AXVCPU_REG_PC), GUEST_CODE + 1);
	check_io(AXVCPU_EXIT_IO_WRITE, 1, 1, 0);
	guest_expect(&guest, AXVCPU_EXIT_HALT);
	guest_end(&guest);
}
END_TEST

static void add_tests(Suite *suite)
{
	TCase *io = suite_case(suite, "port I/O");
	TCase *mmio = suite_case(suite, "MMIO");
	TCase *answers = suite_case(suite, "answers");
	TCase *flush = suite_case(suite, "flush");
	TCase *end = suite_case(suite, "end");

	tcase_add_test(io, port_writes_of_every_width_carry_their_value);
	tcase_add_test(io, port_reads_of_every_width_get_their_answer);
	tcase_add_test(io, an_unanswered_port_read_is_all_ones);
	tcase_add_test(io, string_reads_come_whole_and_take_bytes);
	tcase_add_test(io, string_writes_lose_nothing);

	tcase_add_test(mmio, mmio_writes_of_1_2_and_4_bytes);
	tcase_add_test(mmio, mmio_reads_of_1_2_and_4_bytes);
	tcase_add_test(mmio, mmio_of_8_bytes_both_ways);
	tcase_add_test(mmio, a_straddling_mmio_write_arrives_in_pieces_that_add_up);
	tcase_add_test(mmio, a_write_to_read_only_memory_is_an_mmio_write);
	tcase_add_test(mmio, memory_mapped_while_bound_is_seen_and_unmapped_memory_is_mmio);

	tcase_add_test(answers, answers_of_the_wrong_kind_change_nothing);
	tcase_add_test(answers, mmio_takes_a_value_only);

	tcase_add_test(flush, flush_finishes_the_instruction_and_no_more);
	tcase_add_test(flush, unbind_finishes_an_open_exit);
	tcase_add_test(flush, an_exit_met_by_a_flush_is_handed_out_by_the_next_run);
	tcase_add_test(flush, a_register_written_at_an_open_exit_stays_written);

	tcase_add_test(end, a_triple_fault_is_a_shutdown_and_the_last_exit);
	tcase_add_test(end, a_breakpoint_is_the_guests_own);
	tcase_add_test(end, an_instruction_that_kvm_cannot_emulate_is_named);
	tcase_add_test(end, code_outside_of_memory_is_an_internal_error);
	tcase_add_test(end, halt_goes_on_behind_the_instruction);
}

int main(void)
{
	return suite_main("x86 exits", true, add_tests);
}
