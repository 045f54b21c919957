/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * System calls of the library for each exit, on every architecture, as docs/performance.md and
 * docs/exits.md promise. The injector counts them, and makes none fail. Needs a working /dev/kvm.
 */
#include "guest.h"
#include "injector.h"
#include "suite.h"

static struct guest guest;

#define EXITS 500u

/* Up to the first store: one-time work is done then. */
static void begin(const void *code, size_t len)
{
	guest_start(&guest, AXVCPU_MODE_64, code, len);
	do
		ck_ok(axvcpu_run(guest.vcpu, &guest.exit));
	while (guest.exit.kind != AXVCPU_EXIT_MMIO_WRITE);
	injector_arm(0, 0, false);
}

/* A signal that comes by itself would cost a call, and there is none. */
static void run(enum axvcpu_exit_kind kind)
{
	ck_ok(axvcpu_run(guest.vcpu, &guest.exit));
	ck_assert_uint_eq(guest.exit.kind, kind);
}

static void end(unsigned int calls)
{
	injector_disarm();
	ck_assert_uint_eq(injector.calls, calls);
	guest_end(&guest);
}

START_TEST(a_store_is_one_system_call)
{
	begin(PROGRAM(chatter));
	for (unsigned int i = 0; i < EXITS; i++)
		run(AXVCPU_EXIT_MMIO_WRITE);
	end(EXITS);
}
END_TEST

START_TEST(a_load_and_a_store_are_one_system_call_each_answered_or_not)
{
	begin(PROGRAM(echo));
	for (unsigned int i = 0; i < EXITS; i++) {
		run(AXVCPU_EXIT_MMIO_READ);
		if (_i)
			ck_ok(axvcpu_complete_value(guest.vcpu, i));
		run(AXVCPU_EXIT_MMIO_WRITE);
		ck_assert_uint_eq(guest.exit.u.mmio.data, _i ? i : UINT32_MAX);
	}
	end(2 * EXITS);
}
END_TEST

START_TEST(local_operations_make_no_system_call)
{
	char text[512];

	begin(PROGRAM(chatter));
	for (unsigned int i = 0; i < EXITS; i++) {
		axvcpu_exit_describe(&guest.exit, text, sizeof(text));
		ck_assert_int_eq(axvcpu_state(guest.vcpu), AXVCPU_READY);
		ck_assert_int_eq(axvcpu_power(guest.vcpu), AXVCPU_POWER_ON);
		ck_ok(axvm_write(guest.vm, GUEST_CELL_OF(0), &i, sizeof(i)));
		ck_ok(axvm_read(guest.vm, GUEST_CELL_OF(0), &i, sizeof(i)));
	}
	end(0);
}
END_TEST

START_TEST(a_kick_of_the_owner_is_one_more_entry)
{
	begin(PROGRAM(chatter));
	for (unsigned int i = 0; i < EXITS; i++) {
		ck_ok(axvcpu_kick(guest.vcpu));
		/* Outside the guest there is no thread to signal: the next entry ends at once. */
		do
			ck_ok(axvcpu_run(guest.vcpu, &guest.exit));
		while (!guest.exit.kicked);
	}
	end(EXITS);
}
END_TEST

START_TEST(a_flush_is_one_system_call)
{
	begin(PROGRAM(chatter));
	for (unsigned int i = 0; i < EXITS; i++) {
		ck_ok(axvcpu_flush(guest.vcpu));
		run(AXVCPU_EXIT_MMIO_WRITE);
	}
	end(2 * EXITS);
}
END_TEST

static void add_tests(Suite *suite)
{
	TCase *tcase = suite_case(suite, "system calls");

	tcase_add_test(tcase, a_store_is_one_system_call);
	tcase_add_loop_test(tcase, a_load_and_a_store_are_one_system_call_each_answered_or_not, 0,
			    2);
	tcase_add_test(tcase, local_operations_make_no_system_call);
	tcase_add_test(tcase, a_kick_of_the_owner_is_one_more_entry);
	tcase_add_test(tcase, a_flush_is_one_system_call);
}

int main(void)
{
	return suite_main("syscalls", true, add_tests);
}
