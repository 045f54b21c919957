/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * x86_64: string port I/O both ways: no item is lost, doubled or out of order, however KVM cuts it.
 * Needs a working /dev/kvm.
 */
#include <errno.h>

#include "guest.h"
#include "suite.h"

static struct guest guest;

#define PORT 0x55u
#define BUFFER 0x20000u
#define BUFFER_SIZE 0x10000u
/* Bytes of the long transfers: several of KVM's exits, and no multiple of a page. */
#define LONG 5000u

static uint8_t memory[BUFFER_SIZE];

/*
 * 32-bit code: cld or std; mov edi,at; mov esi,edi; mov ecx,count; mov edx,PORT; the instruction;
 * hlt.
 */
static void start(const char *instruction, bool backwards, uint32_t at, uint32_t count)
{
	uint8_t code[64];
	size_t len = 0;
	const uint8_t head[] = { backwards ? 0xfd : 0xfc, 0xbf };
	const uint8_t middle[] = { 0x89, 0xfe, 0xb9 };
	const uint8_t tail[] = { 0xba, PORT, 0, 0, 0 };

	memcpy(code, head, sizeof(head));
	len = sizeof(head);
	memcpy(code + len, &at, 4);
	len += 4;
	memcpy(code + len, middle, sizeof(middle));
	len += sizeof(middle);
	memcpy(code + len, &count, 4);
	len += 4;
	memcpy(code + len, tail, sizeof(tail));
	len += sizeof(tail);
	memcpy(code + len, instruction, strlen(instruction));
	len += strlen(instruction);
	code[len++] = 0xf4;
	guest_start(&guest, AXVCPU_MODE_32, code, len);
}

static const struct {
	const char *ins, *outs;
	unsigned int width;
} widths[] = {
	{ "\xf3\x6c", "\xf3\x6e", 1 },
	{ "\xf3\x66\x6d", "\xf3\x66\x6f", 2 },
	{ "\xf3\x6d", "\xf3\x6f", 4 },
};

/* The n-th item of a transfer, different in all of its bytes. */
static uint64_t item(uint32_t n, unsigned int width)
{
	uint64_t value = (UINT64_C(0x9e3779b97f4a7c15) * (n + 1)) >> 13;

	return value & ((UINT64_C(1) << width * 8) - 1);
}

/* Where the n-th of 'count' items is, from BUFFER on, when the first is at 'first'. */
static uint32_t offset(uint32_t first, uint32_t n, unsigned int width, bool backwards)
{
	return backwards ? first - n * width : first + n * width;
}

static const struct axvcpu_exit_io *next(enum axvcpu_exit_kind kind, unsigned int width,
					 uint32_t left)
{
	const struct axvcpu_exit_io *io = &guest.exit.u.io;

	guest_expect(&guest, kind);
	ck_assert_uint_eq(io->port, PORT);
	ck_assert_uint_eq(io->width, width);
	ck_assert(io->count >= 1 && io->count <= left);
	ck_assert_uint_eq(guest.exit.answerable, kind == AXVCPU_EXIT_IO_READ);
	return io;
}

/* The bytes that are not the transfer's are as they were. */
static void check_memory(uint32_t first, uint32_t count, unsigned int width, bool backwards)
{
	static uint8_t want[BUFFER_SIZE];

	memset(want, 0xee, sizeof(want));
	for (uint32_t n = 0; n < count; n++) {
		uint64_t value = item(n, width);

		memcpy(want + offset(first, n, width, backwards), &value, width);
	}
	ck_ok(axvm_read(guest.vm, BUFFER, memory, sizeof(memory)));
	ck_assert_mem_eq(memory, want, sizeof(memory));
}

static void fill_memory(void)
{
	memset(memory, 0xee, sizeof(memory));
	ck_ok(axvm_write(guest.vm, BUFFER, memory, sizeof(memory)));
}

/* --- reads ---------------------------------------------------------------------------------------------- */

static void read_in_place(size_t w, uint32_t first, uint32_t count, bool backwards)
{
	unsigned int width = widths[w].width;

	start(widths[w].ins, backwards, BUFFER + first, count);
	fill_memory();
	for (uint32_t done = 0; done < count;) {
		const struct axvcpu_exit_io *io = next(AXVCPU_EXIT_IO_READ, width, count - done);

		/* With more bits than an item has. */
		for (uint32_t i = 0; i < io->count; i++)
			ck_assert_int_eq(axvcpu_io_put(io, i,
						       item(done + i, width) | UINT64_C(0xa5)
										       << 56),
					 0);
		done += io->count;
	}
	guest_expect(&guest, AXVCPU_EXIT_HALT);
	ck_assert_uint_eq(guest_reg(&guest, AXVCPU_REG_X86_RCX), 0);
	ck_assert_uint_eq(guest_reg(&guest, AXVCPU_REG_X86_RDI),
			  BUFFER + offset(first, count, width, backwards));
	check_memory(first, count, width, backwards);
	guest_end(&guest);
}

START_TEST(a_long_read_of_every_width_arrives_whole)
{
	for (size_t w = 0; w < 3; w++)
		read_in_place(w, 0x10, LONG / widths[w].width, false);
}
END_TEST

START_TEST(a_long_read_backwards_of_every_width_arrives_whole)
{
	for (size_t w = 0; w < 3; w++)
		read_in_place(w, 0x8000, LONG / widths[w].width, true);
}
END_TEST

START_TEST(a_read_across_pages_at_odd_addresses_arrives_whole)
{
	for (size_t w = 0; w < 3; w++) {
		read_in_place(w, 0xffd, 3000 / widths[w].width, false);
		read_in_place(w, 0x2003, 3000 / widths[w].width, true);
	}
}
END_TEST

START_TEST(a_read_of_one_item_or_none_is_that)
{
	for (size_t w = 0; w < 3; w++) {
		read_in_place(w, 0x20, 1, false);
		read_in_place(w, 0x20, 0, false);
	}
}
END_TEST

START_TEST(a_read_can_be_answered_with_bytes_of_the_callers)
{
	for (size_t w = 0; w < 3; w++) {
		unsigned int width = widths[w].width;
		uint32_t count = LONG / width;
		uint8_t bytes[LONG];

		for (uint32_t n = 0; n < count; n++) {
			uint64_t value = item(n, width);

			memcpy(bytes + n * width, &value, width);
		}
		start(widths[w].ins, false, BUFFER, count);
		fill_memory();
		for (uint32_t done = 0; done < count;) {
			uint32_t n = next(AXVCPU_EXIT_IO_READ, width, count - done)->count;

			if (n > 1)
				ck_fails(axvcpu_complete_value(guest.vcpu, 1), EINVAL);
			ck_fails(axvcpu_complete_bytes(guest.vcpu, bytes, (size_t)n * width + 1),
				 EINVAL);
			ck_fails(axvcpu_complete_bytes(guest.vcpu, bytes, 0), EINVAL);
			ck_ok(axvcpu_complete_bytes(guest.vcpu, bytes + done * width,
						    (size_t)n * width));
			ck_fails(axvcpu_complete_bytes(guest.vcpu, bytes, (size_t)n * width),
				 EBADFD);
			done += n;
		}
		guest_expect(&guest, AXVCPU_EXIT_HALT);
		check_memory(0, count, width, false);
		guest_end(&guest);
	}
}
END_TEST

START_TEST(the_answer_can_be_the_lent_buffer_itself)
{
	start("\xf3\x6d", false, BUFFER, 16);
	for (uint32_t done = 0; done < 16;) {
		const struct axvcpu_exit_io *io = next(AXVCPU_EXIT_IO_READ, 4, 16 - done);

		for (uint32_t i = 0; i < io->count; i++)
			axvcpu_io_put(io, i, done + i);
		ck_ok(axvcpu_complete_bytes(guest.vcpu, io->buf, (size_t)io->count * 4));
		done += io->count;
	}
	guest_expect(&guest, AXVCPU_EXIT_HALT);
	ck_ok(axvm_read(guest.vm, BUFFER, memory, 64));
	for (uint32_t n = 0; n < 16; n++)
		ck_assert_uint_eq(memory[n * 4], n);
	guest_end(&guest);
}
END_TEST

START_TEST(unanswered_items_are_all_ones)
{
	start("\xf3\x66\x6d", false, BUFFER, LONG / 2);
	fill_memory();
	/* Only the first item of each exit. */
	for (uint32_t done = 0; done < LONG / 2;) {
		const struct axvcpu_exit_io *io = next(AXVCPU_EXIT_IO_READ, 2, LONG / 2 - done);

		for (uint32_t i = 0; i < io->count; i++)
			ck_assert_uint_eq(axvcpu_io_get(io, i), 0xffff);
		if (!done)
			axvcpu_io_put(io, 0, 0x1234);
		done += io->count;
	}
	guest_expect(&guest, AXVCPU_EXIT_HALT);
	ck_ok(axvm_read(guest.vm, BUFFER, memory, sizeof(memory)));
	ck_assert_uint_eq(memory[0], 0x34);
	ck_assert_uint_eq(memory[1], 0x12);
	for (uint32_t i = 2; i < LONG; i++)
		ck_assert_uint_eq(memory[i], 0xff);
	ck_assert_uint_eq(memory[LONG], 0xee);
	guest_end(&guest);
}
END_TEST

/* --- writes ------------------------------------------------------------------------------------------------ */

static void write_out(size_t w, uint32_t first, uint32_t count, bool backwards)
{
	unsigned int width = widths[w].width;
	const struct axvcpu_exit_io *io;

	start(widths[w].outs, backwards, BUFFER + first, count);
	for (uint32_t n = 0; n < count; n++) {
		uint64_t value = item(n, width);

		ck_ok(axvm_write(guest.vm, BUFFER + offset(first, n, width, backwards), &value,
				 width));
	}
	for (uint32_t done = 0; done < count; done += io->count) {
		io = next(AXVCPU_EXIT_IO_WRITE, width, count - done);
		ck_assert_uint_eq(io->data, item(done, width));
		for (uint32_t i = 0; i < io->count; i++)
			ck_assert_uint_eq(axvcpu_io_get(io, i), item(done + i, width));
	}
	guest_expect(&guest, AXVCPU_EXIT_HALT);
	ck_assert_uint_eq(guest_reg(&guest, AXVCPU_REG_X86_RSI),
			  BUFFER + offset(first, count, width, backwards));
	guest_end(&guest);
}

START_TEST(a_long_write_of_every_width_arrives_whole)
{
	for (size_t w = 0; w < 3; w++)
		write_out(w, 0xffd, LONG / widths[w].width, false);
}
END_TEST

START_TEST(a_long_write_backwards_of_every_width_arrives_whole)
{
	for (size_t w = 0; w < 3; w++)
		write_out(w, 0x4003, LONG / widths[w].width, true);
}
END_TEST

/* --- between the items ------------------------------------------------------------------------------------- */

START_TEST(a_flush_in_the_middle_of_a_string_loses_nothing)
{
	start("\xf3\x6d", false, BUFFER, LONG / 4);
	fill_memory();
	for (uint32_t done = 0; done < LONG / 4;) {
		const struct axvcpu_exit_io *io = next(AXVCPU_EXIT_IO_READ, 4, LONG / 4 - done);

		for (uint32_t i = 0; i < io->count; i++)
			axvcpu_io_put(io, i, item(done + i, 4));
		done += io->count;
		ck_ok(axvcpu_flush(guest.vcpu));
		ck_ok(axvcpu_flush(guest.vcpu));
	}
	guest_expect(&guest, AXVCPU_EXIT_HALT);
	check_memory(0, LONG / 4, 4, false);
	guest_end(&guest);
}
END_TEST

START_TEST(kicks_in_the_middle_of_strings_lose_nothing)
{
	uint32_t kicks = 0;

	start("\xf3\x6c", false, BUFFER, LONG);
	fill_memory();
	for (uint32_t done = 0, round = 0; done < LONG; round++) {
		const struct axvcpu_exit_io *io = &guest.exit.u.io;

		/* Not every time: a run that is kicked need not get anywhere. */
		if (round % 2 == 0)
			ck_ok(axvcpu_kick(guest.vcpu));
		ck_ok(axvcpu_run(guest.vcpu, &guest.exit));
		kicks += guest.exit.kicked;
		if (guest.exit.kind == AXVCPU_EXIT_NOTHING)
			continue;
		ck_assert_uint_eq(guest.exit.kind, AXVCPU_EXIT_IO_READ);
		ck_assert_uint_le(io->count, LONG - done);
		for (uint32_t i = 0; i < io->count; i++)
			axvcpu_io_put(io, i, item(done + i, 1));
		done += io->count;
	}
	ck_assert_uint_ge(kicks, 2);
	guest_expect(&guest, AXVCPU_EXIT_HALT);
	check_memory(0, LONG, 1, false);
	guest_end(&guest);
}
END_TEST

/* --- the helpers --------------------------------------------------------------------------------------------- */

START_TEST(there_is_no_item_past_the_last)
{
	unsigned char bytes[12];
	const struct axvcpu_exit_io io = { .buf = bytes, .count = 3, .width = 2 };

	memset(bytes, 0xee, sizeof(bytes));
	ck_assert_ptr_eq(axvcpu_io_item(&io, 0), bytes);
	ck_assert_ptr_eq(axvcpu_io_item(&io, 2), bytes + 4);
	ck_assert_ptr_null(axvcpu_io_item(&io, 3));
	ck_assert_ptr_null(axvcpu_io_item(&io, UINT32_MAX));
	ck_assert_int_eq(axvcpu_io_put(&io, 2, 0x123456), 0);
	ck_assert_int_eq(axvcpu_io_put(&io, 3, 0x123456), -1);
	ck_assert_uint_eq(axvcpu_io_get(&io, 2), 0x3456);
	ck_assert_uint_eq(axvcpu_io_get(&io, 3), UINT64_MAX);
	ck_assert_mem_eq(bytes, "\xee\xee\xee\xee\x56\x34\xee\xee\xee\xee\xee\xee", 12);
}
END_TEST

START_TEST(a_plain_read_and_write_have_one_item)
{
	/* in eax,0x10; out 0x11,ax; hlt */
	guest_start(&guest, AXVCPU_MODE_32, CODE("\xe5\x10\x66\xe7\x11\xf4"));
	guest_expect(&guest, AXVCPU_EXIT_IO_READ);
	ck_assert_uint_eq(axvcpu_io_get(&guest.exit.u.io, 0), 0xffffffff);
	ck_assert_int_eq(axvcpu_io_put(&guest.exit.u.io, 0, 0x89abcdef), 0);
	ck_assert_int_eq(axvcpu_io_put(&guest.exit.u.io, 1, 0), -1);
	guest_expect(&guest, AXVCPU_EXIT_IO_WRITE);
	ck_assert_uint_eq(axvcpu_io_get(&guest.exit.u.io, 0), 0xcdef);
	ck_assert_uint_eq(axvcpu_io_get(&guest.exit.u.io, 1), UINT64_MAX);
	guest_expect(&guest, AXVCPU_EXIT_HALT);
	ck_assert_uint_eq(guest_reg(&guest, AXVCPU_REG_X86_RAX), 0x89abcdef);
	guest_end(&guest);
}
END_TEST

static void add_tests(Suite *suite)
{
	TCase *reads = suite_case(suite, "reads");
	TCase *writes = suite_case(suite, "writes");
	TCase *between = suite_case(suite, "between the items");
	TCase *helpers = suite_case(suite, "helpers");

	tcase_add_test(reads, a_long_read_of_every_width_arrives_whole);
	tcase_add_test(reads, a_long_read_backwards_of_every_width_arrives_whole);
	tcase_add_test(reads, a_read_across_pages_at_odd_addresses_arrives_whole);
	tcase_add_test(reads, a_read_of_one_item_or_none_is_that);
	tcase_add_test(reads, a_read_can_be_answered_with_bytes_of_the_callers);
	tcase_add_test(reads, the_answer_can_be_the_lent_buffer_itself);
	tcase_add_test(reads, unanswered_items_are_all_ones);

	tcase_add_test(writes, a_long_write_of_every_width_arrives_whole);
	tcase_add_test(writes, a_long_write_backwards_of_every_width_arrives_whole);

	tcase_add_test(between, a_flush_in_the_middle_of_a_string_loses_nothing);
	tcase_add_test(between, kicks_in_the_middle_of_strings_lose_nothing);

	tcase_add_test(helpers, there_is_no_item_past_the_last);
	tcase_add_test(helpers, a_plain_read_and_write_have_one_item);
}

int main(void)
{
	return suite_main("x86 string I/O", true, add_tests);
}
