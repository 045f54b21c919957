/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* Failure messages and the log, names, descriptions, the version of the library. Needs no KVM. */
#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <inttypes.h>
#include <limits.h>
#include <pthread.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <axvcpu/crate.h>

#include "mock.h"
#include "suite.h"

/* --- messages --------------------------------------------------------------------------------- */

static struct axvm *vm;
static struct axvcpu *vcpu;

static void setup(void)
{
	mock_start(&vm, &vcpu, 0);
}

static void teardown(void)
{
	ck_ok(axvcpu_free(vcpu));
	ck_ok(axvm_free(vm));
}

START_TEST(message_is_empty_until_something_fails_and_then_stays)
{
	void *p;
	char first[256];

	ck_assert_str_eq(axvcpu_last_error(), "");
	ck_fails(axvm_translate(vm, 0x1234, 1, &p), EFAULT);
	ck_assert_str_eq(axvcpu_last_error(),
			 "translate 0x1234 +0x1: the range is not within one region (EFAULT)");
	strcpy(first, axvcpu_last_error());
	ck_ok(axvm_read(vm, 0, NULL, 0));
	ck_ok(axvm_finalize(vm));
	ck_assert_str_eq(axvcpu_last_error(), first);
	ck_fails(axvm_unmap(vm, 0, 1), ENOENT);
	ck_assert_str_ne(axvcpu_last_error(), first);
}
END_TEST

static void *fail_elsewhere(void *arg)
{
	void *p;

	(void)arg;
	ck_assert_str_eq(axvcpu_last_error(), "");
	ck_fails(axvm_translate(vm, 0xbbbb, 1, &p), EFAULT);
	ck_assert_ptr_nonnull(strstr(axvcpu_last_error(), "0xbbbb"));
	return NULL;
}

START_TEST(each_thread_has_its_own_message)
{
	pthread_t thread;
	void *p;

	ck_fails(axvm_translate(vm, 0xaaaa, 1, &p), EFAULT);
	ck_assert_int_eq(pthread_create(&thread, NULL, fail_elsewhere, NULL), 0);
	pthread_join(thread, NULL);
	ck_assert_ptr_nonnull(strstr(axvcpu_last_error(), "0xaaaa"));
}
END_TEST

START_TEST(messages_name_the_call_the_object_and_the_errno)
{
	uint64_t value;

	ck_fails_saying(axvcpu_bind(vcpu), EBADFD, "bind: vCPU 0: not allowed in state Created");
	ck_fails_saying(axvcpu_get_reg(vcpu, 0, &value), EBADFD, "get_reg: vCPU 0");
	ck_fails_saying(axvcpu_unbind(vcpu), EBADFD, "unbind: vCPU 0");
	ck_fails_saying(axvm_free(vm), EBUSY, "VM 7: its 1 vCPUs must be freed first");
	ck_fails_saying(axvm_fd(vm), ENOTSUP, "axvm_fd: not supported by the mock backend");
	ck_fails_saying(axvcpu_fd(vcpu), ENOTSUP, "axvcpu_fd: not supported by the mock backend");
	ck_fails_saying(axvm_unmap(vm, 0x5000, 0x1000), ENOENT, "unmap 0x5000 +0x1000");
	ck_fails_saying(axvm_write(vm, 0x5000, &value, 8), EFAULT, "write 0x5000 +0x8");
	ck_fails_saying(axvcpu_set_state(vcpu, (enum axvcpu_state)6), EINVAL, "6 is not a state");
}
END_TEST

START_TEST(messages_of_any_length_end_with_the_errno)
{
	char text[1000];

	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	ck_assert_int_eq(axvcpu_fail(NULL, -ENOTRECOVERABLE, "%s", text), -ENOTRECOVERABLE);
	ck_assert_uint_lt(strlen(axvcpu_last_error()), 256);
	ck_assert_ptr_nonnull(strstr(axvcpu_last_error(), "xx (ENOTRECOVERABLE)"));
	/* The present message may be part of the next. */
	axvcpu_fail(NULL, -EIO, "below");
	ck_assert_int_eq(axvcpu_fail(NULL, -EPERM, "above: %s", axvcpu_last_error()), -EPERM);
	ck_assert_str_eq(axvcpu_last_error(), "above: below (EIO) (EPERM)");
}
END_TEST

/* --- the log ---------------------------------------------------------------------------------- */

static struct {
	unsigned int n;
	void *ctx;
	enum axvcpu_log_level level;
	char message[300];
} logged;

static void take_log(void *ctx, enum axvcpu_log_level level, const char *message)
{
	logged.n++;
	logged.ctx = ctx;
	logged.level = level;
	snprintf(logged.message, sizeof(logged.message), "%s", message);
}

START_TEST(log_hook_gets_every_message)
{
	struct axvm_config config = AXVM_CONFIG_INIT;
	struct axvcpu_hal hal = AXVCPU_HAL_INIT;
	struct axvm *loud = NULL;
	void *p;

	hal.log = take_log;
	hal.ctx = &logged;
	config.arch = &mock_ops;
	config.hal = &hal;
	config.irqchip = 99;
	/* It is there before the VM is. */
	ck_fails(axvm_new(&config, &loud), EINVAL);
	ck_assert_uint_eq(logged.n, 1);
	ck_assert_str_eq(logged.message, axvcpu_last_error());

	config.irqchip = 0;
	ck_ok(axvm_new(&config, &loud));
	ck_assert_uint_eq(logged.n, 1);
	for (unsigned int i = 2; i < 10; i++) {
		ck_fails(axvm_translate(loud, i * 0x1000, 1, &p), EFAULT);
		ck_assert_uint_eq(logged.n, i);
		ck_assert_int_eq(logged.level, AXVCPU_LOG_ERROR);
		ck_assert_ptr_eq(logged.ctx, &logged);
		ck_assert_str_eq(logged.message, axvcpu_last_error());
		ck_assert_ptr_null(strchr(logged.message, '\n'));
	}
	/* Another VM's messages are not its own. */
	ck_fails(axvm_translate(vm, 0, 1, &p), EFAULT);
	ck_assert_uint_eq(logged.n, 9);
	ck_ok(axvm_free(loud));
}
END_TEST

/* --- names ------------------------------------------------------------------------------------ */

START_TEST(errnos_have_their_names_with_either_sign)
{
	static const struct {
		int err;
		const char *name;
	} names[] = {
		{ 0, "OK" },	      { EINVAL, "EINVAL" },   { E2BIG, "E2BIG" },
		{ ENOMEM, "ENOMEM" }, { ENOTSUP, "ENOTSUP" }, { EBADFD, "EBADFD" },
		{ EBUSY, "EBUSY" },   { EPERM, "EPERM" },     { EEXIST, "EEXIST" },
		{ ENOENT, "ENOENT" }, { EFAULT, "EFAULT" },   { EROFS, "EROFS" },
		{ ENOSPC, "ENOSPC" }, { ENODEV, "ENODEV" },   { EACCES, "EACCES" },
		{ EIO, "EIO" },	      { EINTR, "EINTR" },     { ETIMEDOUT, "ETIMEDOUT" },
		{ EMFILE, "EMFILE" }, { EAGAIN, "EAGAIN" },   { ENOSYS, "ENOSYS" },
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		ck_assert_str_eq(axvcpu_error_name(names[i].err), names[i].name);
		ck_assert_str_eq(axvcpu_error_name(-names[i].err), names[i].name);
	}
	ck_assert_str_eq(axvcpu_error_name(12345), "E???");
	ck_assert_str_eq(axvcpu_error_name(-12345), "E???");
	ck_assert_str_eq(axvcpu_error_name(INT_MAX), "E???");
	ck_assert_str_eq(axvcpu_error_name(INT_MIN), "E???");
}
END_TEST

START_TEST(no_two_errnos_share_a_name)
{
	for (int a = 0; a < 200; a++)
		for (int b = a + 1; b < 200; b++)
			if (strcmp(axvcpu_error_name(a), "E???") &&
			    !strcmp(axvcpu_error_name(a), axvcpu_error_name(b)))
				ck_abort_msg("%d and %d are both %s", a, b, axvcpu_error_name(a));
}
END_TEST

START_TEST(states_have_the_crates_numbers_and_names)
{
	static const char *const names[] = { "Invalid", "Created", "Free",
					     "Ready",	"Running", "Blocked" };

	ck_assert_int_eq(AXVCPU_INVALID, 0);
	ck_assert_int_eq(AXVCPU_BLOCKED, 5);
	for (unsigned int i = 0; i < 6; i++)
		ck_assert_str_eq(axvcpu_state_name((enum axvcpu_state)i), names[i]);
	ck_assert_str_eq(axvcpu_state_name((enum axvcpu_state)6), "?");
	ck_assert_str_eq(axvcpu_state_name((enum axvcpu_state)UINT_MAX), "?");
}
END_TEST

START_TEST(version_is_the_headers_and_the_packages)
{
	char text[64];

	snprintf(text, sizeof(text), "%d.%d.%d", AXVCPU_VERSION_MAJOR, AXVCPU_VERSION_MINOR,
		 AXVCPU_VERSION_PATCH);
	ck_assert_str_eq(axvcpu_version(), text);
	ck_assert_str_eq(axvcpu_version(), PACKAGE_VERSION);
}
END_TEST

/* --- descriptions ----------------------------------------------------------------------------- */

/* One row for each kind, in order, and then some more. */
static const struct {
	struct axvcpu_exit exit;
	const char *name;
	const char *text;
} exits[] = {
	{ { .kind = AXVCPU_EXIT_NOTHING }, "NOTHING", "NOTHING" },
	{ { .kind = AXVCPU_EXIT_HYPERCALL,
	    .u.hypercall = { .nr = 12, .args = { 1, 2, 3, 4, 5, UINT64_MAX } } },
	  "HYPERCALL",
	  "HYPERCALL nr 0xc args 0x1 0x2 0x3 0x4 0x5 0xffffffffffffffff" },
	{ { .kind = AXVCPU_EXIT_MMIO_READ, .u.mmio = { .addr = 0xd0000000, .width = 4 } },
	  "MMIO_READ",
	  "MMIO_READ at 0xd0000000 width 4" },
	{ { .kind = AXVCPU_EXIT_MMIO_WRITE,
	    .u.mmio = { .addr = 0xfee00300, .width = 8, .data = 0x1122334455667788 } },
	  "MMIO_WRITE",
	  "MMIO_WRITE at 0xfee00300 width 8 data 0x1122334455667788" },
	{ { .kind = AXVCPU_EXIT_SYSREG_READ, .u.sysreg = { .addr = 0xc0000080 } },
	  "SYSREG_READ",
	  "SYSREG_READ 0xc0000080" },
	{ { .kind = AXVCPU_EXIT_SYSREG_WRITE,
	    .u.sysreg = { .addr = 0x830, .value = 0xc4500, .write_mask = UINT64_MAX } },
	  "SYSREG_WRITE",
	  "SYSREG_WRITE 0x830 value 0xc4500 mask 0xffffffffffffffff" },
	{ { .kind = AXVCPU_EXIT_IO_READ, .u.io = { .port = 0x3fd, .width = 1, .count = 1 } },
	  "IO_READ",
	  "IO_READ port 0x3fd width 1 count 1" },
	{ { .kind = AXVCPU_EXIT_IO_WRITE,
	    .u.io = { .port = 0x3f8, .width = 2, .count = 1, .data = 0x4869 } },
	  "IO_WRITE",
	  "IO_WRITE port 0x3f8 width 2 count 1 data 0x4869" },
	{ { .kind = AXVCPU_EXIT_EXTERNAL_INTERRUPT, .u.external_interrupt = { .vector = 33 } },
	  "EXTERNAL_INTERRUPT",
	  "EXTERNAL_INTERRUPT vector 33" },
	{ { .kind = AXVCPU_EXIT_NESTED_PAGE_FAULT,
	    .u.page_fault = { .addr = 0x1000,
			      .size = 8,
			      .access = AXVCPU_ACCESS_READ | AXVCPU_ACCESS_EXEC,
			      .error = EFAULT } },
	  "NESTED_PAGE_FAULT",
	  "NESTED_PAGE_FAULT at 0x1000 size 8 access r-x EFAULT" },
	{ { .kind = AXVCPU_EXIT_HALT }, "HALT", "HALT" },
	{ { .kind = AXVCPU_EXIT_CPU_UP,
	    .u.cpu_up = { .target_cpu = 1, .entry_point = 0x8000, .arg = 7 } },
	  "CPU_UP",
	  "CPU_UP cpu 0x1 entry 0x8000 arg 0x7" },
	{ { .kind = AXVCPU_EXIT_CPU_DOWN, .u.cpu_down = { .state = 0x10000 } },
	  "CPU_DOWN",
	  "CPU_DOWN state 0x10000" },
	{ { .kind = AXVCPU_EXIT_SYSTEM_DOWN }, "SYSTEM_DOWN", "SYSTEM_DOWN" },
	{ { .kind = AXVCPU_EXIT_FAIL_ENTRY, .u.fail_entry = { .reason = 0x80000021, .cpu = 3 } },
	  "FAIL_ENTRY",
	  "FAIL_ENTRY reason 0x80000021 cpu 3" },
	{ { .kind = AXVCPU_EXIT_SEND_IPI, .u.ipi = { .target_cpu = 2, .vector = 48 } },
	  "SEND_IPI",
	  "SEND_IPI vector 48 to cpu 0x2 aux 0" },
	{ { .kind = AXVCPU_EXIT_SYSTEM_RESET }, "SYSTEM_RESET", "SYSTEM_RESET" },
	{ { .kind = AXVCPU_EXIT_SHUTDOWN }, "SHUTDOWN", "SHUTDOWN" },
	{ { .kind = AXVCPU_EXIT_INTERNAL_ERROR,
	    .u.internal = { .suberror = 3,
			    .ndata = 2,
			    .data = { 0xdead, 0xbeef },
			    .error = AXVCPU_INTERNAL_DELIVERY_EV } },
	  "INTERNAL_ERROR",
	  "INTERNAL_ERROR DELIVERY_EV suberror 3 data dead beef" },
	{ { .kind = AXVCPU_EXIT_UNHANDLED, .raw_reason = 17, .raw_code = 0x20 },
	  "UNHANDLED",
	  "UNHANDLED reason 17 code 0x20" },
	/* Kicked goes with any. */
	{ { .kind = AXVCPU_EXIT_NOTHING, .kicked = 1 }, "NOTHING", "NOTHING (kicked)" },
	{ { .kind = AXVCPU_EXIT_HALT, .kicked = 1 }, "HALT", "HALT (kicked)" },
	{ { .kind = AXVCPU_EXIT_SEND_IPI, .u.ipi = { .vector = 1, .send_to_all = 1 } },
	  "SEND_IPI",
	  "SEND_IPI vector 1 to all others" },
	{ { .kind = AXVCPU_EXIT_SEND_IPI, .u.ipi = { .vector = 1, .send_to_self = 1 } },
	  "SEND_IPI",
	  "SEND_IPI vector 1 to self" },
	{ { .kind = AXVCPU_EXIT_NESTED_PAGE_FAULT,
	    .u.page_fault = { .access = AXVCPU_ACCESS_WRITE } },
	  "NESTED_PAGE_FAULT",
	  "NESTED_PAGE_FAULT at 0 size 0 access -w-" },
	{ { .kind = AXVCPU_EXIT_INTERNAL_ERROR,
	    .u.internal = { .suberror = 1,
			    .error = AXVCPU_INTERNAL_EMULATION,
			    .ninsn = 3,
			    .insn = { 0xc4, 0x02, 0x69 } } },
	  "INTERNAL_ERROR",
	  "INTERNAL_ERROR EMULATION suberror 1 insn c4 02 69 data" },
	/* No number that a kernel gives leads out of the array. */
	{ { .kind = AXVCPU_EXIT_INTERNAL_ERROR,
	    .u.internal = { .ndata = UINT32_MAX,
			    .data = { 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1 },
			    .error = 77,
			    .ninsn = UINT32_MAX } },
	  "INTERNAL_ERROR",
	  "INTERNAL_ERROR UNKNOWN suberror 0 insn 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 "
	  "data 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1" },
	{ { .kind = AXVCPU_EXIT_IRQ_WINDOW }, "IRQ_WINDOW", "IRQ_WINDOW" },
	{ { .kind = AXVCPU_EXIT_DEBUG,
	    .u.debug = { .pc = 0x1005, .reason = AXVCPU_DEBUGGED_POINT, .point = 2, .raw = 4 } },
	  "DEBUG",
	  "DEBUG point 2 at 0x1005 raw 0x4" },
	{ { .kind = AXVCPU_EXIT_NOTIFY, .raw_code = 1 }, "NOTIFY", "NOTIFY flags 0x1" },
	{ { .kind = AXVCPU_EXIT_EOI, .u.eoi = { .vector = 33 } }, "EOI", "EOI vector 33" },
	{ { .kind = AXVCPU_EXIT_SYSTEM_SUSPEND, .u.suspend = { 0x1000, 7 } },
	  "SYSTEM_SUSPEND",
	  "SYSTEM_SUSPEND entry 0x1000 arg 0x7" },
	{ { .kind = AXVCPU_EXIT_SYSTEM_CRASH,
	    .u.crash = { .ndata = 2, .data = { 0xdead, 0xbeef } } },
	  "SYSTEM_CRASH",
	  "SYSTEM_CRASH data dead beef" },
	{ { .kind = AXVCPU_EXIT_SYSTEM_WAKEUP }, "SYSTEM_WAKEUP", "SYSTEM_WAKEUP" },
	{ { .kind = AXVCPU_EXIT_SYSTEM_WAKEUP + 1 }, "?", "?" },
	{ { .kind = UINT32_MAX }, "?", "?" },
};

START_TEST(every_exit_has_a_name_and_one_line)
{
	char text[512];

	/* The first rows are the kinds. */
	if (_i < 20)
		ck_assert_uint_eq(exits[_i].exit.kind, (uint32_t)_i);
	ck_assert_str_eq(axvcpu_exit_name(exits[_i].exit.kind), exits[_i].name);
	ck_assert_int_eq(axvcpu_exit_describe(&exits[_i].exit, text, sizeof(text)),
			 (int)strlen(exits[_i].text));
	ck_assert_str_eq(text, exits[_i].text);
}
END_TEST

START_TEST(descriptions_are_cut_as_snprintf_cuts)
{
	const char *whole = exits[_i].text;
	int n = (int)strlen(whole);

	for (size_t len = 0; len < (size_t)n + 4; len++) {
		char text[600];
		size_t fits = len <= (size_t)n ? len : (size_t)n + 1;

		memset(text, '#', sizeof(text));
		ck_assert_int_eq(axvcpu_exit_describe(&exits[_i].exit, text, len), n);
		if (len) {
			ck_assert_int_eq(text[fits - 1], '\0');
			ck_assert_int_eq(strncmp(text, whole, fits - 1), 0);
		}
		ck_assert_int_eq(text[len], '#');
	}
	ck_assert_int_eq(axvcpu_exit_describe(&exits[_i].exit, NULL, 0), n);
	ck_assert_int_eq(axvcpu_exit_describe(&exits[_i].exit, NULL, 100), n);
}
END_TEST

START_TEST(longest_description_fits_where_the_header_says)
{
	struct axvcpu_exit exit_ = { .kind = AXVCPU_EXIT_INTERNAL_ERROR, .kicked = 1 };

	memset(&exit_.u, 0xff, sizeof(exit_.u));
	ck_assert_int_lt(axvcpu_exit_describe(&exit_, NULL, 0), 512);
}
END_TEST

/* --- /dev/kvm that cannot be opened; for other failures see test_kvm_answers.c ---------------- */

static int new_on(int fd)
{
	struct axvm_config config = AXVM_CONFIG_INIT;
	struct axvm *none = NULL;
	int ret;

	config.flags = AXVM_F_KVM_FD;
	config.kvm_fd = fd;
	ret = axvm_new(&config, &none);
	ck_assert_ptr_null(none);
	return ret;
}

START_TEST(descriptor_that_is_not_kvm_is_refused)
{
	int fd = open("/dev/null", O_RDWR | O_CLOEXEC);

	ck_assert_int_ge(fd, 0);
	ck_fails_saying(new_on(fd), ENODEV, "this is not KVM");
	/* It was borrowed. */
	ck_assert_int_ge(fcntl(fd, F_GETFD), 0);
	close(fd);
	ck_fails_saying(new_on(fd), EBADF, "is not open");
	ck_fails_saying(new_on(1 << 30), EBADF, "is not open");
}
END_TEST

static void skip(const char *why)
{
	suite_skip(why);
}

START_TEST(no_right_to_open_dev_kvm_says_what_to_do)
{
	const struct passwd *nobody = getpwnam("nobody");
	uid_t uid = nobody ? nobody->pw_uid : 65534;
	gid_t gid = nobody ? nobody->pw_gid : 65534;
	struct axvm *none = NULL;
	int fd;

	if (access("/dev/kvm", F_OK)) {
		skip("there is no /dev/kvm");
		return;
	}
	if (geteuid()) {
		skip("only root can become nobody");
		return;
	}
	/* This is the test's own process. It stays dumpable for the sanitizers' sake. */
	if (setgroups(0, NULL) || setresgid(gid, gid, gid) || setresuid(uid, uid, uid)) {
		skip("becoming nobody is not allowed");
		return;
	}
	prctl(PR_SET_DUMPABLE, 1);
	fd = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	if (fd >= 0) {
		close(fd);
		skip("everybody may open /dev/kvm");
		return;
	}
	ck_fails_saying(axvm_new(NULL, &none), EACCES,
			"/dev/kvm: permission denied; is the user in group kvm?");
	ck_assert_ptr_null(none);
}
END_TEST

/* ---------------------------------------------------------------------------------------------- */

static void add_tests(Suite *suite)
{
	TCase *messages = suite_case(suite, "messages");
	TCase *names = suite_case(suite, "names");
	TCase *describe = suite_case(suite, "describe");
	TCase *open_kvm = suite_case(suite, "open");
	const int rows = (int)(sizeof(exits) / sizeof(exits[0]));

	tcase_add_checked_fixture(messages, setup, teardown);
	tcase_add_test(messages, message_is_empty_until_something_fails_and_then_stays);
	tcase_add_test(messages, each_thread_has_its_own_message);
	tcase_add_test(messages, messages_name_the_call_the_object_and_the_errno);
	tcase_add_test(messages, messages_of_any_length_end_with_the_errno);
	tcase_add_test(messages, log_hook_gets_every_message);

	tcase_add_test(names, errnos_have_their_names_with_either_sign);
	tcase_add_test(names, no_two_errnos_share_a_name);
	tcase_add_test(names, states_have_the_crates_numbers_and_names);
	tcase_add_test(names, version_is_the_headers_and_the_packages);

	tcase_add_loop_test(describe, every_exit_has_a_name_and_one_line, 0, rows);
	tcase_add_loop_test(describe, descriptions_are_cut_as_snprintf_cuts, 0, rows);
	tcase_add_test(describe, longest_description_fits_where_the_header_says);

	tcase_add_test(open_kvm, descriptor_that_is_not_kvm_is_refused);
	tcase_add_test(open_kvm, no_right_to_open_dev_kvm_says_what_to_do);
}

int main(void)
{
	return suite_main("errors", false, add_tests);
}
