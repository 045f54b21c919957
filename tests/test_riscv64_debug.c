/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* riscv64: breakpoints, and debug features that KVM lacks. Needs a working /dev/kvm. */
#include <errno.h>

#include "riscv64_guest.h"
#include "suite.h"

static struct guest guest;

#define BREAKPOINT 3

static int debug(uint32_t flags)
{
	struct axvcpu_debug debug = AXVCPU_DEBUG_INIT;

	debug.flags = flags;
	return axvcpu_set_debug(guest.vcpu, &debug);
}

static void expect_breakpoint(uint64_t pc)
{
	guest_expect(&guest, AXVCPU_EXIT_DEBUG);
	ck_assert_uint_eq(guest.exit.u.debug.reason, AXVCPU_DEBUGGED_SOFTWARE);
	ck_assert_uint_eq(guest.exit.u.debug.pc, pc);
	ck_assert_uint_eq(guest_reg(&guest, AXVCPU_REG_PC), pc);
	ck_assert_uint_eq(guest.exit.answerable, 0);
}

START_TEST(a_breakpoint_instruction_stops_the_guest_before_it)
{
	guest_start(&guest, AXVCPU_MODE_64, PROGRAM(breaks));
	ck_ok(debug(AXVCPU_DEBUG_SOFTWARE));
	guest_expect_write(&guest, GUEST_MMIO, 0);
	expect_breakpoint(PROGRAM_AT(breaks, whole));
	/* It is not passed over. */
	expect_breakpoint(PROGRAM_AT(breaks, whole));
	ck_ok(axvcpu_set_entry(guest.vcpu, PROGRAM_AT(breaks, whole) + 4));
	guest_expect_write(&guest, GUEST_MMIO, 0);
	expect_breakpoint(PROGRAM_AT(breaks, compressed));
	ck_ok(axvcpu_set_entry(guest.vcpu, PROGRAM_AT(breaks, compressed) + 2));
	guest_expect_end(&guest);
	guest_end(&guest);
}
END_TEST

START_TEST(a_guest_that_is_not_debugged_has_its_breakpoints_itself)
{
	guest_start(&guest, AXVCPU_MODE_64, PROGRAM(breaks));
	ck_ok(debug(AXVCPU_DEBUG_SOFTWARE));
	guest_expect_write(&guest, GUEST_MMIO, 0);
	ck_ok(debug(0));
	guest_expect_write(&guest, GUEST_TRAPPED, 0);
	ck_assert_uint_eq(guest_reg(&guest, AXVCPU_REG_RISCV64_SCAUSE), BREAKPOINT);
	ck_assert_uint_eq(guest_reg(&guest, AXVCPU_REG_RISCV64_SEPC), PROGRAM_AT(breaks, whole));
	guest_end(&guest);
}
END_TEST

START_TEST(a_breakpoint_of_the_guests_own_is_passed_on)
{
	const struct axvcpu_exception breakpoint = { .vector = BREAKPOINT };

	guest_start(&guest, AXVCPU_MODE_64, PROGRAM(breaks));
	ck_ok(debug(AXVCPU_DEBUG_SOFTWARE));
	guest_expect_write(&guest, GUEST_MMIO, 0);
	expect_breakpoint(PROGRAM_AT(breaks, whole));
	ck_ok(axvcpu_inject_exception(guest.vcpu, &breakpoint));
	guest_expect_write(&guest, GUEST_TRAPPED, 0);
	ck_assert_uint_eq(guest_reg(&guest, AXVCPU_REG_RISCV64_SCAUSE), BREAKPOINT);
	ck_assert_uint_eq(guest_reg(&guest, AXVCPU_REG_RISCV64_SEPC), PROGRAM_AT(breaks, whole));
	guest_end(&guest);
}
END_TEST

START_TEST(steps_and_points_are_refused_by_name)
{
	const struct axvcpu_debug_point point = { .addr = GUEST_CODE, .kind = AXVCPU_DEBUG_BREAK };
	struct axvcpu_debug with_point = AXVCPU_DEBUG_INIT;

	with_point.npoints = 1;
	with_point.points = &point;
	guest_start(&guest, AXVCPU_MODE_64, PROGRAM(finish));
	ck_fails_saying(debug(AXVCPU_DEBUG_STEP), ENOTSUP, "AXVCPU_DEBUG_STEP");
	ck_fails_saying(axvcpu_set_debug(guest.vcpu, &with_point), ENOTSUP, "points");
	ck_ok(debug(0));
	ck_ok(axvcpu_set_debug(guest.vcpu, NULL));
	guest_expect_end(&guest);
	guest_end(&guest);
}
END_TEST

static void add_tests(Suite *suite)
{
	TCase *all = suite_case(suite, "all");

	tcase_add_test(all, a_breakpoint_instruction_stops_the_guest_before_it);
	tcase_add_test(all, a_guest_that_is_not_debugged_has_its_breakpoints_itself);
	tcase_add_test(all, a_breakpoint_of_the_guests_own_is_passed_on);
	tcase_add_test(all, steps_and_points_are_refused_by_name);
}

int main(void)
{
	return suite_main("riscv64_debug", true, add_tests);
}
