/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * Debugging a guest from outside: steps, breakpoints, watchpoints, BRK. Needs a working /dev/kvm.
 */
#include <errno.h>
#include <linux/kvm.h>

#include "arm64_guest.h"
#include "suite.h"

#define AT(place) PROGRAM_AT(steps, place)

static struct guest guest;

static void set_debug(uint32_t flags, const struct axvcpu_debug_point *points, uint32_t n)
{
	struct axvcpu_debug debug = AXVCPU_DEBUG_INIT;

	debug.flags = flags;
	debug.points = points;
	debug.npoints = n;
	ck_ok(axvcpu_set_debug(guest.vcpu, &debug));
}

static void start(void)
{
	guest_start(&guest, AXVCPU_MODE_64, PROGRAM(steps));
}

static void expect_debug(enum axvcpu_debug_reason reason, uint64_t pc)
{
	guest_expect(&guest, AXVCPU_EXIT_DEBUG);
	ck_assert_uint_eq(guest.exit.u.debug.reason, reason);
	ck_assert_uint_eq(guest.exit.u.debug.pc, pc);
	ck_assert_uint_eq(guest_reg(&guest, AXVCPU_REG_PC), pc);
	/* The exception class is in the syndrome. */
	ck_assert_uint_eq(guest.exit.u.debug.raw >> 26, guest.exit.raw_code);
}

START_TEST(a_step_is_one_instruction)
{
	start();
	set_debug(AXVCPU_DEBUG_STEP, NULL, 0);
	for (uint64_t pc = GUEST_CODE + 4; pc <= AT(mmio); pc += 4)
		expect_debug(AXVCPU_DEBUGGED_STEP, pc);
	/* The next one leaves the guest for another reason first. */
	guest_expect_write(&guest, GUEST_MMIO, 2);
	expect_debug(AXVCPU_DEBUGGED_STEP, AT(mmio) + 4);
	set_debug(0, NULL, 0);
	ck_ok(axvcpu_set_entry(guest.vcpu, AT(after)));
	guest_expect_end(&guest);
	guest_end(&guest);
}
END_TEST

START_TEST(all_hardware_breakpoints_are_distinguished)
{
	struct axvcpu_debug_point points[64];
	struct axvcpu_debug debug = AXVCPU_DEBUG_INIT;
	const uint64_t places[] = { AT(first), AT(second), AT(store), AT(load) };
	uint32_t n, i;

	start();
	n = (uint32_t)axvm_capability(guest.vm, KVM_CAP_GUEST_DEBUG_HW_BPS);
	ck_assert_uint_ge(n, 2);
	ck_assert_uint_lt(n, 64);
	for (i = 0; i <= n; i++)
		points[i] = (struct axvcpu_debug_point){ i < 4 ? places[i] : 0x1000 + 4 * i, 0,
							 AXVCPU_DEBUG_BREAK };
	debug.points = points;
	debug.npoints = n + 1;
	ck_fails(axvcpu_set_debug(guest.vcpu, &debug), ENOSPC);
	set_debug(0, points, n);
	for (i = 0; i < n && i < 4; i++) {
		expect_debug(AXVCPU_DEBUGGED_POINT, places[i]);
		ck_assert_uint_eq(guest.exit.u.debug.point, i);
		/* On from there: without it. */
		set_debug(AXVCPU_DEBUG_STEP, NULL, 0);
		expect_debug(AXVCPU_DEBUGGED_STEP, places[i] + 4);
		set_debug(0, points, n);
	}
	set_debug(0, NULL, 0);
	guest_expect_write(&guest, GUEST_MMIO, 2);
	guest_end(&guest);
}
END_TEST

/* The watchpoint stops the guest before the access. */
static void expect_watch(const struct axvcpu_debug_point *points, uint32_t n, uint32_t point,
			 uint64_t pc)
{
	set_debug(0, points, n);
	expect_debug(AXVCPU_DEBUGGED_POINT, pc);
	ck_assert_uint_eq(guest.exit.u.debug.point, point);
	set_debug(AXVCPU_DEBUG_STEP, NULL, 0);
	expect_debug(AXVCPU_DEBUGGED_STEP, pc + 4);
}

START_TEST(watchpoints_see_their_bytes_and_no_others)
{
	const struct axvcpu_debug_point points[] = {
		{ A64_LIST + 16, 8, AXVCPU_DEBUG_WATCH_WRITE },
		{ A64_LIST, 8, AXVCPU_DEBUG_WATCH_WRITE },
	};
	const struct axvcpu_debug_point loads[] = {
		{ A64_LIST + 8, 8, AXVCPU_DEBUG_WATCH },
		{ A64_LIST + 20, 4, AXVCPU_DEBUG_WATCH },
	};
	/* The store is to 34 and 35. */
	const struct axvcpu_debug_point halves[] = {
		{ A64_LIST + 32, 2, AXVCPU_DEBUG_WATCH_WRITE },
		{ A64_LIST + 35, 1, AXVCPU_DEBUG_WATCH_WRITE },
	};
	uint64_t value = 7;

	start();
	ck_assert_int_ge(axvm_capability(guest.vm, KVM_CAP_GUEST_DEBUG_HW_WPS), 2);
	ck_ok(axvm_write(guest.vm, A64_LIST, &value, sizeof(value)));
	expect_watch(points, 2, 1, AT(store));
	/* Before: so what was stepped over has stored. */
	ck_ok(axvm_read(guest.vm, A64_LIST, &value, sizeof(value)));
	ck_assert_uint_eq(value, 2);
	/* The first of them is for stores alone. */
	expect_watch(loads, 2, 1, AT(load));
	expect_watch(halves, 2, 1, AT(half));
	set_debug(0, points, 2);
	guest_expect_write(&guest, GUEST_MMIO, 2);
	guest_end(&guest);
}
END_TEST

START_TEST(too_many_watchpoints_are_refused)
{
	struct axvcpu_debug_point points[64];
	struct axvcpu_debug debug = AXVCPU_DEBUG_INIT;
	uint32_t n;

	start();
	n = (uint32_t)axvm_capability(guest.vm, KVM_CAP_GUEST_DEBUG_HW_WPS);
	for (uint32_t i = 0; i <= n; i++)
		points[i] = (struct axvcpu_debug_point){ A64_LIST + 8 * i, 8, AXVCPU_DEBUG_WATCH };
	debug.points = points;
	debug.npoints = n + 1;
	ck_fails_saying(axvcpu_set_debug(guest.vcpu, &debug), ENOSPC, "watchpoints");
	set_debug(0, points, n);
	guest_end(&guest);
}
END_TEST

START_TEST(a_breakpoint_instruction_stops_the_guest_before_it)
{
	start();
	set_debug(AXVCPU_DEBUG_SOFTWARE, NULL, 0);
	guest_expect_write(&guest, GUEST_MMIO, 2);
	expect_debug(AXVCPU_DEBUGGED_SOFTWARE, AT(brk));
	ck_assert_uint_eq(guest.exit.u.debug.raw & 0xffff, 0x42);
	/* It is not passed over. */
	expect_debug(AXVCPU_DEBUGGED_SOFTWARE, AT(brk));
	ck_ok(axvcpu_set_entry(guest.vcpu, AT(after)));
	guest_expect_end(&guest);
	guest_end(&guest);
}
END_TEST

START_TEST(without_debugging_a_breakpoint_instruction_is_the_guests)
{
	a64_start_piece(&guest, NULL, NULL, PIECE(brk));
	/* ESR_EL1: BRK, from EL1, with its number; and where. */
	guest_expect_write(&guest, A64_TELL, UINT64_C(0xf2000123));
	guest_end(&guest);
}
END_TEST

static void add_tests(Suite *suite)
{
	TCase *all = suite_case(suite, "all");

	tcase_add_test(all, a_step_is_one_instruction);
	tcase_add_test(all, all_hardware_breakpoints_are_distinguished);
	tcase_add_test(all, watchpoints_see_their_bytes_and_no_others);
	tcase_add_test(all, too_many_watchpoints_are_refused);
	tcase_add_test(all, a_breakpoint_instruction_stops_the_guest_before_it);
	tcase_add_test(all, without_debugging_a_breakpoint_instruction_is_the_guests);
}

int main(void)
{
	return suite_main("arm64: debug", true, add_tests);
}
