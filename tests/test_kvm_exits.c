/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * Exits that the KVM at hand cannot be brought to, on every architecture. Needs a working /dev/kvm.
 */
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

START_TEST(refused_entry_reports_the_hardware_reason)
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
	{ KVM_SYSTEM_EVENT_CRASH, AXVCPU_EXIT_SYSTEM_CRASH },
	{ KVM_SYSTEM_EVENT_WAKEUP, AXVCPU_EXIT_SYSTEM_WAKEUP },
	{ KVM_SYSTEM_EVENT_SEV_TERM, AXVCPU_EXIT_UNHANDLED },
	{ 12345, AXVCPU_EXIT_UNHANDLED },
};

START_TEST(system_events_are_reported_by_type)
{
	forge_start();
	event = events[_i].type;
	forge_expect(forge_event, 0, events[_i].kind, events[_i].type);
	if (events[_i].kind != AXVCPU_EXIT_SYSTEM_DOWN &&
	    events[_i].kind != AXVCPU_EXIT_SYSTEM_RESET) {
		forge_end();
		return;
	}
	ck_fails_saying(axvcpu_run(forge.guest.vcpu, &forge.guest.exit), EBADFD, "terminal exit");
	guest_end(&forge.guest);
}
END_TEST

static uint32_t crash_words;

static void forge_crash(void)
{
	forge.run->exit_reason = KVM_EXIT_SYSTEM_EVENT;
	forge.run->system_event.type = KVM_SYSTEM_EVENT_CRASH;
	forge.run->system_event.ndata = crash_words;
	for (uint64_t i = 0; i < 16; i++)
		forge.run->system_event.data[i] = i + 0x100;
}

START_TEST(a_crash_has_its_words_and_the_guest_continues)
{
	static const uint32_t numbers[] = { 0, 1, 16, UINT32_MAX };
	uint32_t words = numbers[_i] < 16 ? numbers[_i] : 16;

	forge_start();
	if (axvm_capability(forge.guest.vm, KVM_CAP_SYSTEM_EVENT_DATA) <= 0)
		words = 0;
	crash_words = numbers[_i];
	forge_expect(forge_crash, 0, AXVCPU_EXIT_SYSTEM_CRASH, KVM_SYSTEM_EVENT_CRASH);
	ck_assert_uint_eq(forge.guest.exit.u.crash.ndata, words);
	for (uint32_t i = 0; i < words; i++)
		ck_assert_uint_eq(forge.guest.exit.u.crash.data[i], i + 0x100);
	forge_end();
}
END_TEST

/* Kind of an exit, or of an internal error. */
static uint32_t reason;
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

/* --- instructions that could not be emulated ----------------------------------------------------- */

static uint64_t info[3];

static void forge_words(void)
{
	forge.run->exit_reason = KVM_EXIT_INTERNAL_ERROR;
	forge.run->internal.suberror = reason;
	forge.run->internal.ndata = ndata;
	memcpy(forge.run->internal.data, info, sizeof(info));
}

static const struct {
	uint32_t suberror;
	uint32_t error;
	const char *name;
} errors[] = {
	{ KVM_INTERNAL_ERROR_EMULATION, AXVCPU_INTERNAL_EMULATION, "EMULATION" },
	{ KVM_INTERNAL_ERROR_SIMUL_EX, AXVCPU_INTERNAL_SIMUL_EX, "SIMUL_EX" },
	{ KVM_INTERNAL_ERROR_DELIVERY_EV, AXVCPU_INTERNAL_DELIVERY_EV, "DELIVERY_EV" },
	{ KVM_INTERNAL_ERROR_UNEXPECTED_EXIT_REASON, AXVCPU_INTERNAL_UNEXPECTED_EXIT_REASON,
	  "UNEXPECTED_EXIT_REASON" },
	{ 0, AXVCPU_INTERNAL_UNKNOWN, "UNKNOWN" },
	{ 5, AXVCPU_INTERNAL_UNKNOWN, "UNKNOWN" },
	{ UINT32_MAX, AXVCPU_INTERNAL_UNKNOWN, "UNKNOWN" },
};

START_TEST(an_internal_error_has_a_name)
{
	const struct axvcpu_exit_internal *internal = &forge.guest.exit.u.internal;

	forge_start();
	reason = errors[_i].suberror;
	/* As KVM writes an instruction, which only a failed emulation has. */
	ndata = 3;
	info[0] = KVM_INTERNAL_ERROR_EMULATION_FLAG_INSTRUCTION_BYTES;
	info[1] = 0x9003;
	forge_expect(forge_words, 0, AXVCPU_EXIT_INTERNAL_ERROR, reason);
	ck_assert_uint_eq(internal->error, errors[_i].error);
	ck_assert_str_eq(axvcpu_internal_error_name(internal->error), errors[_i].name);
	ck_assert_uint_eq(internal->ninsn, reason == KVM_INTERNAL_ERROR_EMULATION ? 3 : 0);
	guest_end(&forge.guest);
}
END_TEST

static const struct {
	uint32_t ndata;
	uint64_t flags;
	/* KVM's number of bytes, and the reported number. */
	uint8_t size;
	uint32_t ninsn;
} insns[] = {
	{ 3, 1, 4, 4 },
	{ 16, 0xff, 15, 15 },
	/* Without the flag, in words that are not there, none, too many. */
	{ 16, 0xfe, 4, 0 },
	{ 2, 1, 4, 0 },
	{ 0, 1, 4, 0 },
	{ 3, 1, 0, 0 },
	{ 3, 1, 255, 15 },
};

START_TEST(an_instruction_that_could_not_be_emulated_is_handed_out)
{
	const struct axvcpu_exit_internal *internal = &forge.guest.exit.u.internal;
	unsigned char bytes[16];

	forge_start();
	reason = KVM_INTERNAL_ERROR_EMULATION;
	ndata = insns[_i].ndata;
	info[0] = insns[_i].flags;
	bytes[0] = insns[_i].size;
	for (unsigned char i = 1; i < sizeof(bytes); i++)
		bytes[i] = i;
	memcpy(&info[1], bytes, sizeof(bytes));
	forge_expect(forge_words, 0, AXVCPU_EXIT_INTERNAL_ERROR, reason);
	ck_assert_uint_eq(internal->ninsn, insns[_i].ninsn);
	ck_assert_int_eq(memcmp(internal->insn, &bytes[1], internal->ninsn), 0);
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

START_TEST(memory_fault_reports_its_address)
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

START_TEST(unknown_hardware_exit_is_returned_with_its_number)
{
	forge_start();
	forge_expect(forge_unknown, 0, AXVCPU_EXIT_UNHANDLED, 0x1234);
	forge_end();
}
END_TEST

static void forge_reason(void)
{
	forge.run->exit_reason = reason;
}

START_TEST(exit_of_a_newer_kernel_is_returned_with_its_number)
{
	static const uint32_t reasons[] = { 77, 1000, UINT32_MAX };

	forge_start();
	reason = reasons[_i];
	forge_expect(forge_reason, 0, AXVCPU_EXIT_UNHANDLED, 0);
	forge_end();
}
END_TEST

/* Widths of an MMIO access that no instruction has. */
static const uint32_t widths[] = { 0, 9, 16, 255, 256, UINT32_MAX };
static uint32_t width;

static void forge_mmio(void)
{
	forge.run->exit_reason = KVM_EXIT_MMIO;
	forge.run->mmio.phys_addr = GUEST_MMIO;
	forge.run->mmio.len = width;
	/* As the one below, which KVM completes. */
	forge.run->mmio.is_write = true;
}

START_TEST(mmio_of_no_valid_width_is_unhandled)
{
	forge_start();
	width = widths[_i];
	forge_expect(forge_mmio, 0, AXVCPU_EXIT_UNHANDLED, 0);
	forge_end();
}
END_TEST

static void add_tests(Suite *suite)
{
	TCase *tcase = suite_case(suite, "forged");

	tcase_add_test(tcase, refused_entry_reports_the_hardware_reason);
	tcase_add_loop_test(tcase, system_events_are_reported_by_type, 0,
			    sizeof(events) / sizeof(events[0]));
	tcase_add_loop_test(tcase, a_crash_has_its_words_and_the_guest_continues, 0, 4);
	tcase_add_loop_test(tcase, an_internal_error_has_as_many_words_as_there_is_room_for, 0, 5);
	tcase_add_loop_test(tcase, an_internal_error_has_a_name, 0,
			    sizeof(errors) / sizeof(errors[0]));
	tcase_add_loop_test(tcase, an_instruction_that_could_not_be_emulated_is_handed_out, 0,
			    sizeof(insns) / sizeof(insns[0]));
	tcase_add_loop_test(tcase, memory_fault_reports_its_address, 0, 2);
	tcase_add_test(tcase, unknown_hardware_exit_is_returned_with_its_number);
	tcase_add_loop_test(tcase, exit_of_a_newer_kernel_is_returned_with_its_number, 0, 3);
	tcase_add_loop_test(tcase, mmio_of_no_valid_width_is_unhandled, 0,
			    sizeof(widths) / sizeof(widths[0]));
}

int main(void)
{
	return suite_main("kvm_exits", true, add_tests);
}
