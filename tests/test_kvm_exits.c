/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * Exits that the KVM at hand cannot be brought to, or that no KVM should make: written into struct
 * kvm_run in its place.
 */
#include <errno.h>
#include <linux/kvm.h>

#include "guest.h"
#include "lib/sys.h"
#include "suite.h"

#ifndef KVM_EXIT_MEMORY_FAULT
#define KVM_EXIT_MEMORY_FAULT 39
#endif

static struct guest guest;
/* The vCPU's, and what its next KVM_RUN does instead. */
static struct kvm_run *run;
static void (*forge)(void);
static int result;

int __real_sys_mmap(size_t len, int prot, int flags, int fd, uint64_t offset, void **addr);
int __wrap_sys_mmap(size_t len, int prot, int flags, int fd, uint64_t offset, void **addr);
int __wrap_sys_mmap(size_t len, int prot, int flags, int fd, uint64_t offset, void **addr)
{
	int ret = __real_sys_mmap(len, prot, flags, fd, offset, addr);

	/* The only descriptor that is mapped. */
	if (!ret && fd >= 0)
		run = *addr;
	return ret;
}

int __real_sys_ioctl(int fd, unsigned long request, uintptr_t arg);
int __wrap_sys_ioctl(int fd, unsigned long request, uintptr_t arg);
int __wrap_sys_ioctl(int fd, unsigned long request, uintptr_t arg)
{
	if (request != KVM_RUN || !forge)
		return __real_sys_ioctl(fd, request, arg);
	forge();
	forge = NULL;
	return result;
}

static void start(void)
{
	/* x86: out 1,al; hlt */
	guest_start(&guest, AXVCPU_MODE_32, CODE("\xe6\x01\xf4"));
	ck_assert_ptr_nonnull(run);
}

static void expect(void (*fn)(void), int ret, enum axvcpu_exit_kind kind, uint64_t raw_code)
{
	forge = fn;
	result = ret;
	memset(&guest.exit, 0x55, sizeof(guest.exit));
	guest_expect(&guest, kind);
	ck_assert(!forge);
	ck_assert_uint_eq(guest.exit.raw_reason, run->exit_reason);
	ck_assert_uint_eq(guest.exit.raw_code, raw_code);
	ck_assert_uint_eq(guest.exit.answerable, 0);
	ck_assert_int_eq(axvcpu_state(guest.vcpu), AXVCPU_READY);
}

/* The guest has not noticed. */
static void end(void)
{
	guest_expect(&guest, AXVCPU_EXIT_IO_WRITE);
	guest_expect(&guest, AXVCPU_EXIT_HALT);
	guest_end(&guest);
}

static void forge_fail_entry(void)
{
	run->exit_reason = KVM_EXIT_FAIL_ENTRY;
	run->fail_entry.hardware_entry_failure_reason = 0x80000021;
	run->fail_entry.cpu = 3;
}

START_TEST(a_refused_entry_tells_the_hardwares_reason)
{
	start();
	expect(forge_fail_entry, 0, AXVCPU_EXIT_FAIL_ENTRY, 0x80000021);
	ck_assert_uint_eq(guest.exit.u.fail_entry.reason, 0x80000021);
	ck_assert_uint_eq(guest.exit.u.fail_entry.cpu, 3);
	end();
}
END_TEST

static uint32_t event;

static void forge_event(void)
{
	run->exit_reason = KVM_EXIT_SYSTEM_EVENT;
	run->system_event.type = event;
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
	start();
	event = events[_i].type;
	expect(forge_event, 0, events[_i].kind, events[_i].type);
	if (events[_i].kind == AXVCPU_EXIT_UNHANDLED) {
		end();
		return;
	}
	ck_fails_saying(axvcpu_run(guest.vcpu, &guest.exit), EBADFD, "last exit");
	guest_end(&guest);
}
END_TEST

static uint32_t ndata;

static void forge_internal(void)
{
	run->exit_reason = KVM_EXIT_INTERNAL_ERROR;
	run->internal.suberror = 3;
	run->internal.ndata = ndata;
	for (uint64_t i = 0; i < 16; i++)
		run->internal.data[i] = i * i;
}

START_TEST(an_internal_error_has_as_many_words_as_there_is_room_for)
{
	static const uint32_t counts[] = { 0, 1, 16, 17, UINT32_MAX };
	uint32_t n;

	start();
	ndata = counts[_i];
	n = ndata < 16 ? ndata : 16;
	expect(forge_internal, 0, AXVCPU_EXIT_INTERNAL_ERROR, 3);
	ck_assert_uint_eq(guest.exit.u.internal.suberror, 3);
	ck_assert_uint_eq(guest.exit.u.internal.ndata, n);
	for (uint64_t i = 0; i < n; i++)
		ck_assert_uint_eq(guest.exit.u.internal.data[i], i * i);
	guest_end(&guest);
}
END_TEST

static void forge_memory_fault(void)
{
	/* The member is newer than the headers may be: flags, address, size. */
	const uint64_t words[3] = { 8, 0x123000, 0x2000 };

	run->exit_reason = KVM_EXIT_MEMORY_FAULT;
	memcpy(&run->hw, words, sizeof(words));
}

START_TEST(a_memory_fault_tells_where)
{
	static const int errnos[] = { EFAULT, EHWPOISON };

	start();
	expect(forge_memory_fault, -errnos[_i], AXVCPU_EXIT_NESTED_PAGE_FAULT, 8);
	ck_assert_uint_eq(guest.exit.u.page_fault.addr, 0x123000);
	ck_assert_uint_eq(guest.exit.u.page_fault.size, 0x2000);
	ck_assert_uint_eq(guest.exit.u.page_fault.error, (uint32_t)errnos[_i]);
	end();
}
END_TEST

static void forge_unknown(void)
{
	run->exit_reason = KVM_EXIT_UNKNOWN;
	run->hw.hardware_exit_reason = 0x1234;
}

START_TEST(an_unknown_exit_of_the_hardware_is_handed_out_with_its_number)
{
	start();
	expect(forge_unknown, 0, AXVCPU_EXIT_UNHANDLED, 0x1234);
	end();
}
END_TEST

static uint32_t reason;

static void forge_reason(void)
{
	run->exit_reason = reason;
}

START_TEST(an_exit_of_a_kernel_to_come_is_handed_out_with_its_number)
{
	static const uint32_t reasons[] = { 77, 1000, UINT32_MAX };

	start();
	reason = reasons[_i];
	expect(forge_reason, 0, AXVCPU_EXIT_UNHANDLED, 0);
	end();
}
END_TEST

static void forge_notify(void)
{
	run->exit_reason = KVM_EXIT_NOTIFY;
	run->notify.flags = KVM_NOTIFY_CONTEXT_INVALID;
}

START_TEST(a_guest_that_keeps_interrupts_out_is_told_of)
{
	start();
	expect(forge_notify, 0, AXVCPU_EXIT_NOTIFY, KVM_NOTIFY_CONTEXT_INVALID);
	end();
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
	tcase_add_test(tcase, a_guest_that_keeps_interrupts_out_is_told_of);
}

int main(void)
{
	return suite_main("kvm_exits", true, add_tests);
}
