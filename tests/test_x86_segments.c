/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * x86_64: segments and descriptor tables, whole and by their parts; the mode of the CPU that
 * follows from them. Needs a working /dev/kvm.
 */
#include <errno.h>

#include "suite.h"
#include "x86_guest.h"

static struct guest guest;

static struct axvcpu_x86_segment get(uint32_t number)
{
	struct axvcpu_x86_segment segment = { .base = 77 };

	ck_ok(axvcpu_x86_get_segment(guest.vcpu, number, &segment));
	return segment;
}

static void set(uint32_t number, struct axvcpu_x86_segment segment)
{
	ck_ok(axvcpu_x86_set_segment(guest.vcpu, number, &segment));
}

#define FLAT_DATA \
	(3u | AXVCPU_X86_SEGMENT_S | AXVCPU_X86_SEGMENT_PRESENT | AXVCPU_X86_SEGMENT_DB | \
	 AXVCPU_X86_SEGMENT_G)
#define FLAT_CODE64 \
	(0xbu | AXVCPU_X86_SEGMENT_S | AXVCPU_X86_SEGMENT_PRESENT | AXVCPU_X86_SEGMENT_L | \
	 AXVCPU_X86_SEGMENT_G)

/* --- reading and writing ---------------------------------------------------------------------- */

static const struct {
	uint32_t number;
	uint64_t selector, base, limit, attributes;
} parts[] = {
#define PARTS(name) \
	{ \
		AXVCPU_X86_##name, AXVCPU_REG_X86_##name, AXVCPU_REG_X86_##name##_BASE, \
			AXVCPU_REG_X86_##name##_LIMIT, AXVCPU_REG_X86_##name##_ATTRIBUTES \
	}
	PARTS(ES), PARTS(CS), PARTS(SS), PARTS(DS), PARTS(FS), PARTS(GS), PARTS(LDT), PARTS(TR),
};

START_TEST(the_parts_of_a_segment_are_those_of_the_whole)
{
	guest_start(&guest, AXVCPU_MODE_64, PROGRAM(finish));
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		struct axvcpu_x86_segment segment = get(parts[i].number), other;

		ck_assert_uint_eq(guest_reg(&guest, parts[i].selector), segment.selector);
		ck_assert_uint_eq(guest_reg(&guest, parts[i].base), segment.base);
		ck_assert_uint_eq(guest_reg(&guest, parts[i].limit), segment.limit);
		ck_assert_uint_eq(guest_reg(&guest, parts[i].attributes), segment.attributes);
		other = segment;
		other.selector ^= 0x40;
		other.base ^= 0x12345000;
		other.limit ^= 0xf000;
		other.attributes ^= AXVCPU_X86_SEGMENT_AVL;
		set(parts[i].number, other);
		ck_assert_uint_eq(guest_reg(&guest, parts[i].selector), other.selector);
		ck_assert_uint_eq(guest_reg(&guest, parts[i].base), other.base);
		ck_assert_uint_eq(guest_reg(&guest, parts[i].limit), other.limit);
		ck_assert_uint_eq(guest_reg(&guest, parts[i].attributes), other.attributes);
		set(parts[i].number, segment);
	}
	guest_expect_end(&guest);
	guest_end(&guest);
}
END_TEST

START_TEST(setup_leaves_flat_segments)
{
	struct axvcpu_x86_segment segment;

	guest_start(&guest, AXVCPU_MODE_64, PROGRAM(finish));
	segment = get(AXVCPU_X86_CS);
	ck_assert_uint_eq(segment.selector, 0x10);
	ck_assert_uint_eq(segment.attributes, FLAT_CODE64);
	segment = get(AXVCPU_X86_DS);
	ck_assert_uint_eq(segment.selector, 0x18);
	ck_assert_uint_eq(segment.base, 0);
	ck_assert_uint_eq(segment.limit, UINT32_MAX);
	ck_assert_uint_eq(segment.attributes, FLAT_DATA);
	segment = get(AXVCPU_X86_GDT);
	ck_assert_uint_eq(segment.base, GUEST_BOOT);
	ck_assert_uint_eq(segment.limit, 31);
	ck_assert_uint_eq(segment.selector, 0);
	ck_assert_uint_eq(segment.attributes, 0);
	guest_end(&guest);
}
END_TEST

START_TEST(descriptor_tables_have_base_and_limit)
{
	const struct axvcpu_x86_segment gdt = { .base = 0x12340, .limit = 0xffff };
	const struct axvcpu_x86_segment idt = { .base = 0x56780, .limit = 0x7ff };

	guest_start(&guest, AXVCPU_MODE_64, PROGRAM(finish));
	set(AXVCPU_X86_GDT, gdt);
	set(AXVCPU_X86_IDT, idt);
	ck_assert_uint_eq(guest_reg(&guest, AXVCPU_REG_X86_GDT_BASE), gdt.base);
	ck_assert_uint_eq(guest_reg(&guest, AXVCPU_REG_X86_GDT_LIMIT), gdt.limit);
	ck_assert_uint_eq(guest_reg(&guest, AXVCPU_REG_X86_IDT_BASE), idt.base);
	ck_assert_uint_eq(guest_reg(&guest, AXVCPU_REG_X86_IDT_LIMIT), idt.limit);
	ck_ok(axvcpu_set_reg(guest.vcpu, AXVCPU_REG_X86_IDT_LIMIT, 0xfff));
	ck_assert_uint_eq(get(AXVCPU_X86_IDT).limit, 0xfff);
	guest_end(&guest);
}
END_TEST

START_TEST(values_that_no_segment_has_are_refused_and_change_nothing)
{
	struct axvcpu_x86_segment before, segment;
	uint64_t value = 0;

	guest_start(&guest, AXVCPU_MODE_64, PROGRAM(finish));
	before = segment = get(AXVCPU_X86_DS);
	segment.attributes |= 0x200;
	ck_fails_saying(axvcpu_x86_set_segment(guest.vcpu, AXVCPU_X86_DS, &segment), EINVAL,
			"attributes");
	ck_fails(axvcpu_set_reg(guest.vcpu, AXVCPU_REG_X86_DS_ATTRIBUTES, 0x10000), EINVAL);
	ck_fails(axvcpu_set_reg(guest.vcpu, AXVCPU_REG_X86_DS_LIMIT, UINT64_C(1) << 32), EINVAL);
	ck_fails(axvcpu_set_reg(guest.vcpu, AXVCPU_REG_X86_DS, 0x10018), EINVAL);
	ck_fails(axvcpu_set_reg(guest.vcpu, AXVCPU_REG_X86_GDT_LIMIT, 0x10000), EINVAL);
	segment = get(AXVCPU_X86_DS);
	ck_assert_mem_eq(&segment, &before, sizeof(before));
	/* A table has no selector and attributes, and a limit of 16 bits. */
	segment = (struct axvcpu_x86_segment){ .limit = 0x10000 };
	ck_fails(axvcpu_x86_set_segment(guest.vcpu, AXVCPU_X86_GDT, &segment), EINVAL);
	segment = (struct axvcpu_x86_segment){ .selector = 8 };
	ck_fails(axvcpu_x86_set_segment(guest.vcpu, AXVCPU_X86_IDT, &segment), EINVAL);
	segment = (struct axvcpu_x86_segment){ .attributes = 1 };
	ck_fails(axvcpu_x86_set_segment(guest.vcpu, AXVCPU_X86_IDT, &segment), EINVAL);
	/* Behind the last. */
	ck_fails(axvcpu_x86_get_segment(guest.vcpu, AXVCPU_X86_IDT + 1, &segment), ENOENT);
	ck_fails(axvcpu_x86_set_segment(guest.vcpu, UINT32_MAX, &segment), ENOENT);
	ck_fails(axvcpu_get_reg(guest.vcpu, AXVCPU_REG_X86_SEGMENT(AXVCPU_X86_DS), &value), ENOENT);
	guest_expect_end(&guest);
	guest_end(&guest);
}
END_TEST

/* --- as the guest sees them ------------------------------------------------------------------- */

START_TEST(the_guest_addresses_memory_by_a_base)
{
	struct axvcpu_x86_segment segment;
	uint32_t value = 0xcafe;

	/* mov eax,fs:[0x10]; hlt */
	guest_start(&guest, AXVCPU_MODE_64, CODE("\x64\x8b\x04\x25\x10\x00\x00\x00\xf4"));
	ck_ok(axvm_write(guest.vm, 0x5010, &value, sizeof(value)));
	segment = get(AXVCPU_X86_FS);
	segment.base = 0x5000;
	set(AXVCPU_X86_FS, segment);
	guest_expect(&guest, AXVCPU_EXIT_HALT);
	ck_assert_uint_eq(guest_reg(&guest, AXVCPU_REG_X86_RAX), value);
	guest_end(&guest);
}
END_TEST

START_TEST(the_guest_executes_by_the_attributes_of_its_code_segment)
{
	struct axvcpu_x86_segment segment;

	/* As 16-bit code: mov ax,0x1234; hlt. As 32-bit code: mov eax,0x90f41234; nop; jmp self */
	guest_start(&guest, AXVCPU_MODE_32, CODE("\xb8\x34\x12\xf4\x90\x90" JMP_SELF));
	segment = get(AXVCPU_X86_CS);
	segment.attributes &= (uint16_t)~AXVCPU_X86_SEGMENT_DB;
	set(AXVCPU_X86_CS, segment);
	guest_expect(&guest, AXVCPU_EXIT_HALT);
	ck_assert_uint_eq(guest_reg(&guest, AXVCPU_REG_PC), GUEST_CODE + 4);
	ck_assert_uint_eq(guest_reg(&guest, AXVCPU_REG_X86_RAX) & 0xffff, 0x1234);
	guest_end(&guest);
}
END_TEST

START_TEST(the_guest_faults_beyond_a_limit)
{
	struct axvcpu_x86_segment segment;

	if (guest_kvm_is_pvm() || guest_kvm_is_emulated()) {
		suite_skip("the CPU here ignores segment limits");
		return;
	}
	/* mov eax,[0x5ffc]; out 1,al; mov eax,[0x6000]; hlt */
	guest_start(&guest, AXVCPU_MODE_32,
		    CODE("\xa1\xfc\x5f\x00\x00\xe6\x01\xa1\x00\x60\x00\x00\xf4"));
	segment = get(AXVCPU_X86_DS);
	segment.limit = 0x5fff;
	segment.attributes &= (uint16_t)~AXVCPU_X86_SEGMENT_G;
	set(AXVCPU_X86_DS, segment);
	guest_expect(&guest, AXVCPU_EXIT_IO_WRITE);
	/* It has no table of exceptions. */
	guest_expect(&guest, AXVCPU_EXIT_SHUTDOWN);
	guest_end(&guest);
}
END_TEST

/* --- the mode --------------------------------------------------------------------------------- */

static void expect_mode(uint32_t execution, uint32_t bits, uint32_t privilege, uint32_t paging)
{
	struct axvcpu_cpu_mode mode = AXVCPU_CPU_MODE_INIT;

	ck_ok(axvcpu_get_cpu_mode(guest.vcpu, &mode));
	ck_assert_uint_eq(mode.execution, execution);
	ck_assert_uint_eq(mode.bits, bits);
	ck_assert_uint_eq(mode.privilege, privilege);
	ck_assert_uint_eq(mode.user, privilege == 3);
	ck_assert_uint_eq(mode.paging, paging);
}

START_TEST(the_mode_is_that_of_the_setup)
{
	guest_start(&guest, AXVCPU_MODE_64, PROGRAM(finish));
	expect_mode(AXVCPU_EXECUTION_64, 64, 0, 1);
	guest_end(&guest);
	guest_start(&guest, AXVCPU_MODE_32, PROGRAM(finish));
	expect_mode(AXVCPU_EXECUTION_PROTECTED, 32, 0, 0);
	guest_end(&guest);
	guest_start(&guest, AXVCPU_MODE_16, PROGRAM(finish));
	expect_mode(AXVCPU_EXECUTION_REAL, 16, 0, 0);
	guest_end(&guest);
}
END_TEST

START_TEST(the_mode_follows_the_code_segment_and_the_flags)
{
	struct axvcpu_x86_segment code;

	guest_start(&guest, AXVCPU_MODE_64, PROGRAM(finish));
	code = get(AXVCPU_X86_CS);
	code.attributes &= (uint16_t)~AXVCPU_X86_SEGMENT_L;
	set(AXVCPU_X86_CS, code);
	expect_mode(AXVCPU_EXECUTION_COMPATIBILITY, 16, 0, 1);
	code.attributes |= AXVCPU_X86_SEGMENT_DB;
	set(AXVCPU_X86_CS, code);
	expect_mode(AXVCPU_EXECUTION_COMPATIBILITY, 32, 0, 1);
	guest_end(&guest);

	guest_start(&guest, AXVCPU_MODE_32, PROGRAM(finish));
	code = get(AXVCPU_X86_CS);
	code.attributes &= (uint16_t)~AXVCPU_X86_SEGMENT_DB;
	set(AXVCPU_X86_CS, code);
	expect_mode(AXVCPU_EXECUTION_PROTECTED, 16, 0, 0);
	ck_ok(axvcpu_set_reg(guest.vcpu, AXVCPU_REG_FLAGS, 0x20002));
	expect_mode(AXVCPU_EXECUTION_VIRTUAL_8086, 16, 3, 0);
	guest_end(&guest);
}
END_TEST

static void add_tests(Suite *suite)
{
	TCase *values = suite_case(suite, "values");
	TCase *seen = suite_case(suite, "guest");
	TCase *mode = suite_case(suite, "mode");

	tcase_add_test(mode, the_mode_is_that_of_the_setup);
	tcase_add_test(mode, the_mode_follows_the_code_segment_and_the_flags);
	tcase_add_test(values, the_parts_of_a_segment_are_those_of_the_whole);
	tcase_add_test(values, setup_leaves_flat_segments);
	tcase_add_test(values, descriptor_tables_have_base_and_limit);
	tcase_add_test(values, values_that_no_segment_has_are_refused_and_change_nothing);
	tcase_add_test(seen, the_guest_addresses_memory_by_a_base);
	tcase_add_test(seen, the_guest_executes_by_the_attributes_of_its_code_segment);
	tcase_add_test(seen, the_guest_faults_beyond_a_limit);
}

int main(void)
{
	return suite_main("x86_segments", true, add_tests);
}
