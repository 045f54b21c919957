/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* Exits that the KVM at hand cannot be brought to, on every architecture. */
#include <errno.h>

#include "forge.h"
#include "suite.h"

#ifndef KVM_EXIT_MEMORY_FAULT
#define KVM_EXIT_MEMORY_FAULT 39
#endif

static void forge_fail_entry(void)
{
	forge.run->exit_reason = KVM_EXIT_FAIL_ENTRY;
	forge.run->fail_entry.hardware_entry_failure_reason = 0x80000021;
	forge.run->fail_entry.cpu = 3;
}

START_TEST(a_refused_entry_tells_the_hardwares_reason)
{
	forge_start();
	forge_expect(forge_fail_entry, 0, AXVCPU_EXIT_FAIL_ENTRY, 0x80000021);
	ck_assert_uint_eq(forge.guest.exit.u.fail_entry.reason, 0x80000021);
	ck_assert_uint_eq(forge.guest.exit.u.fail_entry.cpu, 3);
	forge_end();
}
END_TEST

static uint32_t event;

static void forge_event(void)
{
	forge.run->exit_reason = KVM_EXIT_SYSTEM_EVENT;
	forge.run->system_event.type = event;
}

static const struct {
	uint32_t type;
	enum axvcpu_exit_kind kind;
} events[] = {
	{ KVM_SYSTEM_EVENT_SHUTDOWN, AXVCPU_EXIT_SYSTEM_DOWN },
	{ KVM_SYSTEM_EVENT_RESET, AXVCPU_EXIT_SYSTEM_RESET },
	{ KVM_SYSTEM_EVENT_CRASH, AXVCPU_EXIT_UNHANDLED },
	{ 12345, AXVCPU_EXIT_UNHANDLED },
};

START_TEST(system_events_are_told_by_type)
{
	forge_start();
	event = events[_i].type;
	forge_expect(forge_event, 0, events[_i].kind, events[_i].type);
	if (events[_i].kind == AXVCPU_EXIT_UNHANDLED) {
		forge_end();
		return;
	}
	ck_fails_saying(axvcpu_run(forge.guest.vcpu, &forge.guest.exit), EBADFD, "last exit");
	guest_end(&forge.guest);
}
END_TEST

static uint32_t ndata;

static void forge_internal(void)
{
	forge.run->exit_reason = KVM_EXIT_INTERNAL_ERROR;
	forge.run->internal.suberror = 3;
	forge.run->internal.ndata = ndata;
	for (uint64_t i = 0; i < 16; i++)
		forge.run->internal.data[i] = i * i;
}

START_TEST(an_internal_error_has_as_many_words_as_there_is_room_for)
{
	static const uint32_t counts[] = { 0, 1, 16, 17, UINT32_MAX };
	uint32_t n;

	forge_start();
	ndata = counts[_i];
	n = ndata < 16 ? ndata : 16;
	forge_expect(forge_internal, 0, AXVCPU_EXIT_INTERNAL_ERROR, 3);
	ck_assert_uint_eq(forge.guest.exit.u.internal.suberror, 3);
	ck_assert_uint_eq(forge.guest.exit.u.internal.ndata, n);
	for (uint64_t i = 0; i < n; i++)
		ck_assert_uint_eq(forge.guest.exit.u.internal.data[i], i * i);
	guest_end(&forge.guest);
}
END_TEST

static void forge_memory_fault(void)
{
	/* The member is newer than the headers may be: flags, address, size. */
	const uint64_t words[3] = { 8, 0x123000, 0x2000 };

	forge.run->exit_reason = KVM_EXIT_MEMORY_FAULT;
	memcpy(&forge.run->hw, words, sizeof(words));
}

START_TEST(a_memory_fault_tells_where)
{
	static const int errnos[] = { EFAULT, EHWPOISON };

	forge_start();
	forge_expect(forge_memory_fault, -errnos[_i], AXVCPU_EXIT_NESTED_PAGE_FAULT, 8);
	ck_assert_uint_eq(forge.guest.exit.u.page_fault.addr, 0x123000);
	ck_assert_uint_eq(forge.guest.exit.u.page_fault.size, 0x2000);
	ck_assert_uint_eq(forge.guest.exit.u.page_fault.error, (uint32_t)errnos[_i]);
	forge_end();
}
END_TEST

static void forge_unknown(void)
{
	forge.run->exit_reason = KVM_EXIT_UNKNOWN;
	forge.run->hw.hardware_exit_reason = 0x1234;
}

START_TEST(an_unknown_exit_of_the_hardware_is_handed_out_with_its_number)
{
	forge_start();
	forge_expect(forge_unknown, 0, AXVCPU_EXIT_UNHANDLED, 0x1234);
	forge_end();
}
END_TEST

static uint32_t reason;

static void forge_reason(void)
{
	forge.run->exit_reason = reason;
}

START_TEST(an_exit_of_a_kernel_to_come_is_handed_out_with_its_number)
{
	static const uint32_t reasons[] = { 77, 1000, UINT32_MAX };

	forge_start();
	reason = reasons[_i];
	forge_expect(forge_reason, 0, AXVCPU_EXIT_UNHANDLED, 0);
	forge_end();
}
END_TEST

static void add_tests(Suite *suite)
{
	TCase *tcase = suite_case(suite, "forged");

	tcase_add_test(tcase, a_refused_entry_tells_the_hardwares_reason);
	tcase_add_loop_test(tcase, system_events_are_told_by_type, 0, 4);
	tcase_add_loop_test(tcase, an_internal_error_has_as_many_words_as_there_is_room_for, 0, 5);
	tcase_add_loop_test(tcase, a_memory_fault_tells_where, 0, 2);
	tcase_add_test(tcase, an_unknown_exit_of_the_hardware_is_handed_out_with_its_number);
	tcase_add_loop_test(tcase, an_exit_of_a_kernel_to_come_is_handed_out_with_its_number, 0, 3);
}

int main(void)
{
	return suite_main("kvm_exits", true, add_tests);
}
