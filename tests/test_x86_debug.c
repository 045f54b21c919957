/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * x86_64: steps, breakpoints and watchpoints from outside of the guest, and its address
 * translation. Needs a working /dev/kvm.
 */
#include <errno.h>
#include <linux/kvm.h>
#include <stdio.h>

#include "mock.h"
#include "suite.h"
#include "x86_guest.h"

static struct guest guest;

#define RAX AXVCPU_REG_X86_RAX
#define PC AXVCPU_REG_PC

static int set_debug(uint32_t flags, const struct axvcpu_debug_point *points, uint32_t npoints)
{
	struct axvcpu_debug debug = AXVCPU_DEBUG_INIT;

	debug.flags = flags;
	debug.points = points;
	debug.npoints = npoints;
	return axvcpu_set_debug(guest.vcpu, &debug);
}

static void check_debug(enum axvcpu_debug_reason reason, uint64_t pc)
{
	guest_expect(&guest, AXVCPU_EXIT_DEBUG);
	ck_assert_uint_eq(guest.exit.u.debug.reason, reason);
	ck_assert_uint_eq(guest.exit.u.debug.pc, pc);
	ck_assert_uint_eq(guest.exit.answerable, 0);
	ck_assert_uint_eq(guest.exit.raw_reason, KVM_EXIT_DEBUG);
	ck_assert_uint_eq(guest_reg(&guest, PC), pc);
}

/* Offset: 0 mov eax,1; 5 inc eax; 7 inc eax; 9 jmp 11; 11 inc eax; 13 hlt. In 64- and 32-bit code. */
#define COUNT "\xb8\x01\x00\x00\x00\xff\xc0\xff\xc0\xeb\x00\xff\xc0\xf4"

/* --- steps -------------------------------------------------------------------------------------------- */

START_TEST(a_step_is_one_instruction)
{
	static const struct {
		uint64_t pc;
		uint64_t rax;
	} steps[] = { { 5, 1 }, { 7, 2 }, { 9, 3 }, { 11, 3 }, { 13, 4 } };

	guest_start(&guest, AXVCPU_MODE_64, CODE(COUNT));
	ck_ok(set_debug(AXVCPU_DEBUG_STEP, NULL, 0));
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		check_debug(AXVCPU_DEBUGGED_STEP, GUEST_CODE + steps[i].pc);
		ck_assert_uint_eq(guest_reg(&guest, RAX), steps[i].rax);
		ck_assert_uint_eq(guest.exit.raw_code, 1);
		ck_assert_uint_ne(guest.exit.u.debug.raw & 1u << 14, 0); /* DR6.BS */
	}
	guest_end(&guest);
}
END_TEST

START_TEST(the_guest_does_not_see_that_it_is_stepped)
{
	/* pushf; pop rax; out 0x10,al; hlt: the trap flag is bit 8 */
	guest_start(&guest, AXVCPU_MODE_64, CODE("\x9c\x58\xe6\x10\xf4"));
	ck_ok(set_debug(AXVCPU_DEBUG_STEP, NULL, 0));
	check_debug(AXVCPU_DEBUGGED_STEP, GUEST_CODE + 1);
	ck_assert_uint_eq(guest_reg(&guest, AXVCPU_REG_FLAGS) & 1u << 8, 0);
	check_debug(AXVCPU_DEBUGGED_STEP, GUEST_CODE + 2);
	guest_end(&guest);
}
END_TEST

START_TEST(a_step_over_io_is_the_io_and_then_a_step)
{
	/* in al,0x10; out 0x11,al; nop; hlt */
	guest_start(&guest, AXVCPU_MODE_64, CODE("\xe4\x10\xe6\x11\x90\xf4"));
	ck_ok(set_debug(AXVCPU_DEBUG_STEP, NULL, 0));
	guest_expect(&guest, AXVCPU_EXIT_IO_READ);
	ck_ok(axvcpu_complete_value(guest.vcpu, 0x5a));
	guest_expect(&guest, AXVCPU_EXIT_DEBUG);
	ck_assert_uint_eq(guest.exit.u.debug.pc, GUEST_CODE + 2);
	ck_assert_uint_eq(guest_reg(&guest, RAX) & 0xff, 0x5a);
	guest_expect(&guest, AXVCPU_EXIT_IO_WRITE);
	ck_assert_uint_eq(guest.exit.u.io.data, 0x5a);
	guest_expect(&guest, AXVCPU_EXIT_DEBUG);
	/* Where KVM emulates a write in software, it takes the next instruction along. */
	ck_assert(guest.exit.u.debug.pc == GUEST_CODE + 4 ||
		  guest.exit.u.debug.pc == GUEST_CODE + 5);
	guest_end(&guest);
}
END_TEST

START_TEST(debugging_begins_and_ends_at_any_exit)
{
	/* out 0x10,al; nop; nop; out 0x11,al; hlt */
	guest_start(&guest, AXVCPU_MODE_64, CODE("\xe6\x10\x90\x90\xe6\x11\xf4"));
	guest_expect(&guest, AXVCPU_EXIT_IO_WRITE);
	/* The write has been; the step is that after it. */
	ck_ok(set_debug(AXVCPU_DEBUG_STEP, NULL, 0));
	check_debug(AXVCPU_DEBUGGED_STEP, GUEST_CODE + 3);
	ck_ok(axvcpu_set_debug(guest.vcpu, NULL));
	guest_expect(&guest, AXVCPU_EXIT_IO_WRITE);
	guest_expect(&guest, AXVCPU_EXIT_HALT);
	guest_end(&guest);
}
END_TEST

START_TEST(an_open_read_is_finished_before_debugging_begins)
{
	/* in al,0x10; nop; hlt */
	guest_start(&guest, AXVCPU_MODE_64, CODE("\xe4\x10\x90\xf4"));
	guest_expect(&guest, AXVCPU_EXIT_IO_READ);
	ck_ok(axvcpu_complete_value(guest.vcpu, 0x5a));
	ck_ok(set_debug(AXVCPU_DEBUG_STEP, NULL, 0));
	ck_assert_uint_eq(guest_reg(&guest, RAX) & 0xff, 0x5a);
	ck_fails(axvcpu_complete_value(guest.vcpu, 1), EBADFD);
	check_debug(AXVCPU_DEBUGGED_STEP, GUEST_CODE + 3);
	guest_end(&guest);
}
END_TEST

/* --- points ---------------------------------------------------------------------------------------------- */

START_TEST(a_breakpoint_stops_before_its_instruction)
{
	const struct axvcpu_debug_point point = { .addr = GUEST_CODE + 7,
						  .kind = AXVCPU_DEBUG_BREAK };

	guest_start(&guest, AXVCPU_MODE_64, CODE(COUNT));
	ck_ok(set_debug(0, &point, 1));
	check_debug(AXVCPU_DEBUGGED_POINT, GUEST_CODE + 7);
	ck_assert_uint_eq(guest.exit.u.debug.point, 0);
	ck_assert_uint_eq(guest_reg(&guest, RAX), 2);
	/* It goes on when it is gone. */
	ck_ok(axvcpu_set_debug(guest.vcpu, NULL));
	guest_expect(&guest, AXVCPU_EXIT_HALT);
	ck_assert_uint_eq(guest_reg(&guest, RAX), 4);
	guest_end(&guest);
}
END_TEST

START_TEST(four_breakpoints_are_told_apart)
{
	static const uint64_t order[] = { 11, 5, 13, 9 };
	struct axvcpu_debug_point points[4];

	for (int i = 0; i < 4; i++)
		points[i] = (struct axvcpu_debug_point){ .addr = GUEST_CODE + order[i],
							 .kind = AXVCPU_DEBUG_BREAK };
	guest_start(&guest, AXVCPU_MODE_64, CODE(COUNT));
	/* In the order of execution: 5, 9, 11, 13. Step once without them, and set them again. */
	for (int i = 0; i < 4; i++) {
		static const uint32_t index[] = { 1, 3, 0, 2 };

		ck_ok(set_debug(0, points, 4));
		check_debug(AXVCPU_DEBUGGED_POINT, points[index[i]].addr);
		ck_assert_uint_eq(guest.exit.u.debug.point, index[i]);
		if (i < 3) {
			ck_ok(set_debug(AXVCPU_DEBUG_STEP, NULL, 0));
			guest_expect(&guest, AXVCPU_EXIT_DEBUG);
			ck_assert_uint_eq(guest.exit.u.debug.reason, AXVCPU_DEBUGGED_STEP);
		}
	}
	guest_end(&guest);
}
END_TEST

START_TEST(the_points_are_copied)
{
	struct axvcpu_debug_point point = { .addr = GUEST_CODE + 7, .kind = AXVCPU_DEBUG_BREAK };

	guest_start(&guest, AXVCPU_MODE_64, CODE(COUNT));
	ck_ok(set_debug(0, &point, 1));
	memset(&point, 0xff, sizeof(point));
	check_debug(AXVCPU_DEBUGGED_POINT, GUEST_CODE + 7);
	guest_end(&guest);
}
END_TEST

START_TEST(a_breakpoint_works_in_32_and_16_bit_code)
{
	/* inc ax; inc ax; hlt */
	const struct axvcpu_debug_point point = { .addr = GUEST_CODE + 1,
						  .kind = AXVCPU_DEBUG_BREAK };
	static const enum axvcpu_mode modes[] = { AXVCPU_MODE_32, AXVCPU_MODE_16 };

	for (size_t i = 0; i < 2; i++) {
		guest_start(&guest, modes[i], CODE("\x40\x40\xf4"));
		ck_ok(set_debug(0, &point, 1));
		check_debug(AXVCPU_DEBUGGED_POINT, GUEST_CODE + 1);
		ck_assert_uint_eq(guest_reg(&guest, RAX), 1);
		guest_end(&guest);
	}
}
END_TEST

/* Offset: 0 mov eax,[0x4000]; 7 mov [0x4000],eax; 14 mov [0x4004],eax; 21 hlt */
#define ACCESSES \
	"\x8b\x04\x25\x00\x40\x00\x00\x89\x04\x25\x00\x40\x00\x00\x89\x04\x25\x04\x40\x00\x00\xf4"

START_TEST(a_watchpoint_stops_behind_the_store)
{
	const struct axvcpu_debug_point points[] = {
		{ .addr = 0x5000, .len = 8, .kind = AXVCPU_DEBUG_WATCH },
		{ .addr = 0x4000, .len = 4, .kind = AXVCPU_DEBUG_WATCH_WRITE },
	};

	guest_start(&guest, AXVCPU_MODE_64, CODE(ACCESSES));
	ck_ok(set_debug(0, points, 2));
	check_debug(AXVCPU_DEBUGGED_POINT, GUEST_CODE + 14);
	ck_assert_uint_eq(guest.exit.u.debug.point, 1);
	guest_expect(&guest, AXVCPU_EXIT_HALT);
	guest_end(&guest);
}
END_TEST

START_TEST(a_watchpoint_of_accesses_stops_behind_loads_and_stores_of_its_bytes)
{
	const struct axvcpu_debug_point point = { .addr = 0x4000,
						  .len = 8,
						  .kind = AXVCPU_DEBUG_WATCH };
	const struct axvcpu_debug_point byte = { .addr = 0x4005,
						 .len = 1,
						 .kind = AXVCPU_DEBUG_WATCH };

	guest_start(&guest, AXVCPU_MODE_64, CODE(ACCESSES));
	ck_ok(set_debug(0, &point, 1));
	check_debug(AXVCPU_DEBUGGED_POINT, GUEST_CODE + 7);
	check_debug(AXVCPU_DEBUGGED_POINT, GUEST_CODE + 14);
	check_debug(AXVCPU_DEBUGGED_POINT, GUEST_CODE + 21);
	guest_end(&guest);

	guest_start(&guest, AXVCPU_MODE_64, CODE(ACCESSES));
	ck_ok(set_debug(0, &byte, 1));
	check_debug(AXVCPU_DEBUGGED_POINT, GUEST_CODE + 21);
	guest_end(&guest);
}
END_TEST

/* --- the breakpoint instruction ------------------------------------------------------------------------------ */

/* nop; int3; nop; hlt */
#define INT3 "\x90\xcc\x90\xf4"

START_TEST(a_breakpoint_instruction_stops_the_guest_before_it)
{
	guest_start(&guest, AXVCPU_MODE_64, CODE(INT3));
	ck_ok(set_debug(AXVCPU_DEBUG_SOFTWARE, NULL, 0));
	check_debug(AXVCPU_DEBUGGED_SOFTWARE, GUEST_CODE + 1);
	ck_assert_uint_eq(guest.exit.raw_code, 3);
	ck_assert_uint_eq(guest.exit.u.debug.raw, 0);
	/* The instruction that it was put over. */
	ck_ok(axvm_write(guest.vm, GUEST_CODE + 1, "\x90", 1));
	guest_expect(&guest, AXVCPU_EXIT_HALT);
	guest_end(&guest);
}
END_TEST

START_TEST(without_the_flag_a_breakpoint_instruction_is_the_guests)
{
	guest_start(&guest, AXVCPU_MODE_64, CODE(LIDT INT3));
	x86_load_idt(&guest);
	x86_handle(&guest, 3, X86_TELL);
	/* Nor if it was set before. */
	ck_ok(set_debug(AXVCPU_DEBUG_SOFTWARE, NULL, 0));
	ck_ok(axvcpu_set_debug(guest.vcpu, NULL));
	x86_expect_vector(&guest, 3);
	guest_end(&guest);
}
END_TEST

/* In that flavour of KVM which guest_kvm_is_pvm() is about. */
START_TEST(unsupported_int3_is_refused)
{
	guest_start(&guest, AXVCPU_MODE_64, CODE(INT3));
	ck_ok(set_debug(AXVCPU_DEBUG_SOFTWARE, NULL, 0));
	guest_expect(&guest, AXVCPU_EXIT_INTERNAL_ERROR);
	ck_assert_uint_eq(guest.exit.raw_code, KVM_INTERNAL_ERROR_EMULATION);
	guest_end(&guest);
}
END_TEST

/* --- misuse ---------------------------------------------------------------------------------------------------- */

START_TEST(points_that_make_no_sense_are_refused_and_change_nothing)
{
	static const struct axvcpu_debug_point cases[] = {
		{ .addr = 0x1000 },
		{ .addr = 0x1000, .kind = 4 },
		{ .addr = 0x1000, .kind = AXVCPU_DEBUG_BREAK, .len = 1 },
		{ .addr = 0x1000, .kind = AXVCPU_DEBUG_WATCH },
		{ .addr = 0x1000, .kind = AXVCPU_DEBUG_WATCH, .len = 3 },
		{ .addr = 0x1000, .kind = AXVCPU_DEBUG_WATCH, .len = 16 },
		{ .addr = 0x1001, .kind = AXVCPU_DEBUG_WATCH, .len = 2 },
		{ .addr = 0x1002, .kind = AXVCPU_DEBUG_WATCH_WRITE, .len = 4 },
		{ .addr = 0x1004, .kind = AXVCPU_DEBUG_WATCH_WRITE, .len = 8 },
	};
	const struct axvcpu_debug_point good = { .addr = GUEST_CODE + 5,
						 .kind = AXVCPU_DEBUG_BREAK };

	guest_start(&guest, AXVCPU_MODE_64, CODE(COUNT));
	ck_ok(set_debug(0, &good, 1));
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct axvcpu_debug_point points[] = { good, cases[i] };

		ck_fails_saying(set_debug(0, points, 2), EINVAL, "points[1]");
	}
	ck_fails_saying(set_debug(4, NULL, 0), EINVAL, "flags");
	ck_fails_saying(set_debug(0, NULL, 1), EINVAL, "points is NULL");
	/* The earlier settings hold. */
	check_debug(AXVCPU_DEBUGGED_POINT, GUEST_CODE + 5);
	guest_end(&guest);
}
END_TEST

START_TEST(more_points_than_there_are_do_not_fit)
{
	struct axvcpu_debug_point points[65];

	for (int i = 0; i < 65; i++)
		points[i] = (struct axvcpu_debug_point){ .addr = 0x1000,
							 .kind = AXVCPU_DEBUG_BREAK };
	guest_start(&guest, AXVCPU_MODE_64, CODE(COUNT));
	ck_ok(set_debug(0, points, 4));
	ck_fails_saying(set_debug(0, points, 5), ENOSPC, "4");
	ck_fails(set_debug(0, points, 65), ENOSPC);
	ck_fails(set_debug(0, points, UINT32_MAX), ENOSPC);
	guest_end(&guest);
}
END_TEST

START_TEST(debug_config_of_another_version_is_handled_by_size)
{
	struct {
		struct axvcpu_debug debug;
		uint64_t newer;
	} config = { .debug = AXVCPU_DEBUG_INIT };

	guest_start(&guest, AXVCPU_MODE_64, CODE(COUNT));
	config.debug.size = 0;
	ck_fails(axvcpu_set_debug(guest.vcpu, &config.debug), EINVAL);
	config.debug.size = sizeof(config);
	ck_ok(axvcpu_set_debug(guest.vcpu, &config.debug));
	config.newer = 1;
	ck_fails(axvcpu_set_debug(guest.vcpu, &config.debug), E2BIG);
	guest_end(&guest);
}
END_TEST

START_TEST(a_vcpu_that_is_not_set_up_cannot_be_debugged)
{
	uint64_t gpa = 77;

	guest_create(&guest, NULL, CODE(COUNT));
	ck_fails(set_debug(AXVCPU_DEBUG_STEP, NULL, 0), EBADFD);
	ck_fails(axvcpu_translate(guest.vcpu, 0, &gpa), EBADFD);
	ck_assert_uint_eq(gpa, 77);
	guest_setup(&guest, AXVCPU_MODE_64);
	/* From Free on it can. */
	ck_ok(set_debug(AXVCPU_DEBUG_STEP, NULL, 0));
	ck_ok(axvcpu_bind(guest.vcpu));
	check_debug(AXVCPU_DEBUGGED_STEP, GUEST_CODE + 5);
	guest_end(&guest);
}
END_TEST

START_TEST(an_architecture_without_debugging_says_so)
{
	uint64_t gpa = 77;

	mock_start(&guest.vm, &guest.vcpu, 0);
	ck_ok(axvcpu_setup(guest.vcpu, 0, 0, NULL));
	ck_fails(set_debug(0, NULL, 0), ENOTSUP);
	ck_fails(axvcpu_translate(guest.vcpu, 0, &gpa), ENOTSUP);
	ck_assert_uint_eq(gpa, 77);
	guest_end(&guest);
}
END_TEST

/* --- translation -------------------------------------------------------------------------------------------------- */

static uint64_t translate(uint64_t gva)
{
	uint64_t gpa = UINT64_MAX;

	ck_ok(axvcpu_translate(guest.vcpu, gva, &gpa));
	return gpa;
}

START_TEST(addresses_are_translated_by_the_tables_in_force)
{
	/* The second entry of the first page directory that setup builds: 2 MiB from 2 MiB on. */
	const uint64_t directory = GUEST_BOOT + 3 * 4096;
	const uint64_t to_zero = 0x83, to_nothing = 0x82;
	uint64_t gpa = 77;

	guest_start(&guest, AXVCPU_MODE_64, CODE(COUNT));
	ck_assert_uint_eq(translate(0), 0);
	ck_assert_uint_eq(translate(0x201234), 0x201234);
	ck_assert_uint_eq(translate(0xfee00300), 0xfee00300);
	ck_ok(axvm_write(guest.vm, directory + 8, &to_zero, sizeof(to_zero)));
	ck_assert_uint_eq(translate(0x201234), 0x1234);
	ck_ok(axvm_write(guest.vm, directory + 8, &to_nothing, sizeof(to_nothing)));
	ck_fails_saying(axvcpu_translate(guest.vcpu, 0x201234, &gpa), EFAULT, "0x201234");
	ck_fails(axvcpu_translate(guest.vcpu, UINT64_C(1) << 40, &gpa), EFAULT);
	ck_assert_uint_eq(gpa, 77);
	guest_end(&guest);
}
END_TEST

START_TEST(without_paging_an_address_is_itself)
{
	guest_start(&guest, AXVCPU_MODE_32, CODE(COUNT));
	ck_assert_uint_eq(translate(0x201234), 0x201234);
	/* At an open exit, too, which stays as it is. */
	guest_end(&guest);
	guest_start(&guest, AXVCPU_MODE_32, CODE("\xe4\x10\xf4"));
	guest_expect(&guest, AXVCPU_EXIT_IO_READ);
	ck_assert_uint_eq(translate(0x1000), 0x1000);
	ck_ok(axvcpu_complete_value(guest.vcpu, 0x21));
	guest_expect(&guest, AXVCPU_EXIT_HALT);
	ck_assert_uint_eq(guest_reg(&guest, RAX) & 0xff, 0x21);
	guest_end(&guest);
}
END_TEST

static void check_text(const struct axvcpu_exit_debug *debug, const char *want)
{
	const struct axvcpu_exit exit = { .kind = AXVCPU_EXIT_DEBUG, .u.debug = *debug };
	char text[512];

	axvcpu_exit_describe(&exit, text, sizeof(text));
	ck_assert_str_eq(text, want);
}

START_TEST(a_description_says_why_and_where)
{
	struct axvcpu_exit_debug debug = { .pc = 0x1005,
					   .reason = AXVCPU_DEBUGGED_STEP,
					   .raw = 0x4000 };

	check_text(&debug, "DEBUG step at 0x1005 raw 0x4000");
	debug.reason = AXVCPU_DEBUGGED_POINT;
	debug.point = 2;
	check_text(&debug, "DEBUG point 2 at 0x1005 raw 0x4000");
	debug.reason = AXVCPU_DEBUGGED_SOFTWARE;
	check_text(&debug, "DEBUG breakpoint instruction at 0x1005 raw 0x4000");
	debug.reason = 9;
	check_text(&debug, "DEBUG reason 9 at 0x1005 raw 0x4000");
}
END_TEST

static void add_tests(Suite *suite)
{
	static const char no_watchpoints[] = "this KVM interprets guests, and has no watchpoints";
	static const char no_int3[] = "this KVM does not know INT3";
	TCase *steps = suite_case(suite, "steps");
	TCase *points = suite_case(suite, "points");
	TCase *software = suite_case(suite, "breakpoint instruction");
	TCase *misuse = suite_case(suite, "misuse");
	TCase *translation = suite_case(suite, "translation");

	tcase_add_test(steps, a_step_is_one_instruction);
	tcase_add_test(steps, the_guest_does_not_see_that_it_is_stepped);
	tcase_add_test(steps, a_step_over_io_is_the_io_and_then_a_step);
	tcase_add_test(steps, debugging_begins_and_ends_at_any_exit);
	tcase_add_test(steps, an_open_read_is_finished_before_debugging_begins);

	tcase_add_test(points, a_breakpoint_stops_before_its_instruction);
	tcase_add_test(points, four_breakpoints_are_told_apart);
	tcase_add_test(points, the_points_are_copied);
	tcase_add_test(points, a_breakpoint_works_in_32_and_16_bit_code);
	if (guest_kvm_is_pvm()) {
		suite_left_out("a_watchpoint_stops_behind_the_store", no_watchpoints);
		suite_left_out("a_watchpoint_of_accesses_stops_behind_loads_and_stores_of_its_bytes",
			       no_watchpoints);
		suite_left_out("a_breakpoint_instruction_stops_the_guest_before_it", no_int3);
		suite_left_out("without_the_flag_a_breakpoint_instruction_is_the_guests", no_int3);
		tcase_add_test(software, unsupported_int3_is_refused);
	} else {
		tcase_add_test(points, a_watchpoint_stops_behind_the_store);
		tcase_add_test(points,
			       a_watchpoint_of_accesses_stops_behind_loads_and_stores_of_its_bytes);
		if (guest_kvm_is_emulated())
			suite_left_out("a_breakpoint_instruction_stops_the_guest_before_it",
				       "QEMU does not intercept INT3");
		else
			tcase_add_test(software,
				       a_breakpoint_instruction_stops_the_guest_before_it);
		tcase_add_test(software, without_the_flag_a_breakpoint_instruction_is_the_guests);
	}

	tcase_add_test(misuse, points_that_make_no_sense_are_refused_and_change_nothing);
	tcase_add_test(misuse, more_points_than_there_are_do_not_fit);
	tcase_add_test(misuse, debug_config_of_another_version_is_handled_by_size);
	tcase_add_test(misuse, a_vcpu_that_is_not_set_up_cannot_be_debugged);
	tcase_add_test(misuse, an_architecture_without_debugging_says_so);

	tcase_add_test(translation, addresses_are_translated_by_the_tables_in_force);
	tcase_add_test(translation, without_paging_an_address_is_itself);
	tcase_add_test(translation, a_description_says_why_and_where);
}

int main(void)
{
	return suite_main("x86 debugging", true, add_tests);
}
