/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * The state of host CPUs: life cycle, CPU list, optional backend operations. On real KVM:
 * test_percpu_kvm.c. Needs no KVM.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lib/host/sys.h"
#include "mock.h"
#include "resources.h"
#include "suite.h"

/* --- a backend that counts ---------------------------------------------------------------------- */

static struct {
	unsigned int enabled, disabled;
	int result;
	bool silent;
} backend;

static int enable(uint32_t cpu, uint64_t data[4])
{
	for (int i = 0; i < 4; i++) {
		ck_assert_uint_eq(data[i], 0);
		data[i] = cpu * 10 + (unsigned int)i;
	}
	backend.enabled++;
	if (backend.result && !backend.silent)
		return axvcpu_fail(NULL, backend.result, "the hardware is out of order");
	return backend.result;
}

static void check_data(const uint64_t data[4])
{
	for (unsigned int i = 0; i < 4; i++)
		ck_assert_uint_eq(data[i], data[0] + i);
}

static void disable(uint64_t data[4])
{
	check_data(data);
	backend.disabled++;
}

static int levels(const uint64_t data[4])
{
	check_data(data);
	return 3;
}

static int capability(const uint64_t data[4], unsigned int number)
{
	check_data(data);
	return (int)number + 1;
}

static int fd(const uint64_t data[4])
{
	check_data(data);
	return 100;
}

static struct axvcpu_arch_ops ops;

static void setup(void)
{
	memset(&backend, 0, sizeof(backend));
	ops = mock_ops;
	ops.percpu_enable = enable;
	ops.percpu_disable = disable;
	ops.percpu_guest_page_table_levels = levels;
	ops.percpu_capability = capability;
	ops.percpu_fd = fd;
}

/* --- the life cycle ----------------------------------------------------------------------------- */

enum stage { FRESH, INITIALISED, ENABLED, STAGES };

static int do_init(struct axpercpu *percpu)
{
	return axpercpu_init(percpu, 0, &ops);
}

static int do_capability(struct axpercpu *percpu)
{
	return axpercpu_capability(percpu, 6);
}

static int do_levels(struct axpercpu *percpu)
{
	return axpercpu_guest_page_table_levels(percpu);
}

static int do_fd(struct axpercpu *percpu)
{
	return axpercpu_fd(percpu);
}

static const struct {
	const char *name;
	int (*call)(struct axpercpu *percpu);
	/* By the stage it is called in. */
	int result[STAGES];
	enum stage after[STAGES];
} calls[] = {
	{ "init", do_init, { 0, -EBADFD, -EBADFD }, { INITIALISED, INITIALISED, ENABLED } },
	{ "enable", axpercpu_enable, { -EBADFD, 0, -EALREADY }, { FRESH, ENABLED, ENABLED } },
	{ "disable",
	  axpercpu_disable,
	  { -EBADFD, -EBADFD, 0 },
	  { FRESH, INITIALISED, INITIALISED } },
	{ "levels", do_levels, { -EBADFD, -EBADFD, 3 }, { FRESH, INITIALISED, ENABLED } },
	{ "capability", do_capability, { -EBADFD, -EBADFD, 7 }, { FRESH, INITIALISED, ENABLED } },
	{ "fd", do_fd, { -EBADFD, -EBADFD, 100 }, { FRESH, INITIALISED, ENABLED } },
};

#define CALLS (int)(sizeof(calls) / sizeof(calls[0]))

static struct axpercpu at_stage(enum stage stage)
{
	struct axpercpu percpu = AXPERCPU_INIT;

	if (stage >= INITIALISED)
		ck_ok(axpercpu_init(&percpu, 0, &ops));
	if (stage >= ENABLED)
		ck_ok(axpercpu_enable(&percpu));
	return percpu;
}

START_TEST(every_call_at_every_stage_does_what_is_documented)
{
	for (int stage = FRESH; stage < STAGES; stage++) {
		struct axpercpu percpu = at_stage((enum stage)stage);
		struct axpercpu before = percpu;
		struct axpercpu after = at_stage(calls[_i].after[stage]);
		int ret = calls[_i].call(&percpu);

		ck_assert_msg(ret == calls[_i].result[stage], "%s at stage %d: %d", calls[_i].name,
			      stage, ret);
		if (ret < 0) {
			ck_assert_mem_eq(&percpu, &before, sizeof(percpu));
			ck_assert_ptr_nonnull(strstr(axvcpu_last_error(), axvcpu_error_name(ret)));
		}
		ck_assert_mem_eq(&percpu, &after, sizeof(percpu));
		ck_assert(axpercpu_is_enabled(&percpu) == (calls[_i].after[stage] == ENABLED));
	}
}
END_TEST

START_TEST(an_object_may_begin_again_and_again)
{
	struct axpercpu percpu = AXPERCPU_INIT;
	struct axpercpu fresh = percpu;

	for (unsigned int i = 1; i <= 3; i++) {
		ck_ok(axpercpu_init(&percpu, 0, &ops));
		for (unsigned int j = 1; j <= 3; j++) {
			ck_ok(axpercpu_enable(&percpu));
			ck_ok(axpercpu_disable(&percpu));
		}
		ck_assert_uint_eq(backend.enabled, 3 * i);
		ck_assert_uint_eq(backend.disabled, 3 * i);
		axpercpu_destroy(&percpu);
		ck_assert_mem_eq(&percpu, &fresh, sizeof(percpu));
	}
}
END_TEST

START_TEST(destroy_disables_what_is_enabled_once)
{
	struct axpercpu percpu = at_stage(ENABLED);

	axpercpu_destroy(NULL);
	axpercpu_destroy(&percpu);
	ck_assert_uint_eq(backend.disabled, 1);
	ck_assert(!axpercpu_is_enabled(&percpu));
	axpercpu_destroy(&percpu);
	percpu = at_stage(INITIALISED);
	axpercpu_destroy(&percpu);
	percpu = at_stage(FRESH);
	axpercpu_destroy(&percpu);
	ck_assert_uint_eq(backend.disabled, 1);
}
END_TEST

START_TEST(objects_are_independent)
{
	struct axpercpu first = at_stage(ENABLED);
	struct axpercpu second = at_stage(ENABLED);

	ck_ok(axpercpu_disable(&first));
	ck_assert(!axpercpu_is_enabled(&first));
	ck_assert(axpercpu_is_enabled(&second));
	axpercpu_destroy(&first);
	ck_assert_int_eq(axpercpu_fd(&second), 100);
	axpercpu_destroy(&second);
}
END_TEST

START_TEST(a_failed_enable_changes_nothing_and_may_be_repeated)
{
	struct axpercpu percpu = at_stage(INITIALISED);
	struct axpercpu before = percpu;

	backend.result = -EIO;
	ck_fails_saying(axpercpu_enable(&percpu), EIO, "out of order");
	ck_assert_mem_eq(&percpu, &before, sizeof(percpu));
	/* The message before is of something else. */
	backend.silent = true;
	ck_fails_saying(axpercpu_enable(&percpu), EIO, "mock: enabling CPU 0");
	ck_assert_mem_eq(&percpu, &before, sizeof(percpu));
	ck_assert_uint_eq(backend.disabled, 0);
	backend.result = 0;
	ck_ok(axpercpu_enable(&percpu));
	axpercpu_destroy(&percpu);
}
END_TEST

/* --- optional backend operations ---------------------------------------------------------------- */

START_TEST(a_backend_without_per_cpu_state_is_not_supported)
{
	struct axpercpu percpu = AXPERCPU_INIT;
	struct axpercpu before = percpu;

	ck_fails_saying(axpercpu_init(&percpu, 0, &mock_ops), ENOTSUP, "mock");
	ops.percpu_disable = NULL;
	ck_fails(axpercpu_init(&percpu, 0, &ops), ENOTSUP);
	/* One from before there was any. */
	setup();
	ops.size = offsetof(struct axvcpu_arch_ops, percpu_enable);
	ck_fails(axpercpu_init(&percpu, 0, &ops), ENOTSUP);
	ops.size = 0;
	ck_fails(axpercpu_init(&percpu, 0, &ops), EINVAL);
	ck_assert_mem_eq(&percpu, &before, sizeof(percpu));
}
END_TEST

START_TEST(a_backend_may_lack_query_operations)
{
	struct axpercpu percpu;

	ops.percpu_guest_page_table_levels = NULL;
	ops.percpu_capability = NULL;
	ops.percpu_fd = NULL;
	percpu = at_stage(ENABLED);
	ck_fails(axpercpu_guest_page_table_levels(&percpu), ENOTSUP);
	ck_fails(axpercpu_capability(&percpu, 0), ENOTSUP);
	ck_fails(axpercpu_fd(&percpu), ENOTSUP);
	axpercpu_destroy(&percpu);
}
END_TEST

/* --- the object's size -------------------------------------------------------------------------- */

START_TEST(an_object_that_init_has_not_begun_is_refused)
{
	struct {
		struct axpercpu percpu;
		uint64_t newer;
	} object = { .percpu = AXPERCPU_INIT };

	object.percpu.size = 0;
	ck_fails(axpercpu_init(&object.percpu, 0, &ops), EINVAL);
	object.percpu.size = sizeof(object.percpu) - 8;
	ck_fails(axpercpu_init(&object.percpu, 0, &ops), EINVAL);
	object.percpu.size = 0x55555555;
	ck_fails(axpercpu_init(&object.percpu, 0, &ops), E2BIG);
	/* A newer header's is fine, as long as it asks for nothing. */
	object.percpu.size = sizeof(object);
	object.newer = 1;
	ck_fails(axpercpu_init(&object.percpu, 0, &ops), E2BIG);
	object.newer = 0;
	ck_ok(axpercpu_init(&object.percpu, 0, &ops));
	ck_ok(axpercpu_enable(&object.percpu));
	axpercpu_destroy(&object.percpu);
	ck_assert_uint_eq(object.percpu.size, sizeof(object));
}
END_TEST

/* --- which CPUs there are ----------------------------------------------------------------------- */

/* Contents of the CPU list, or the errno of reading it. */
static const char *list;
static enum { REAL, TEXT, MISSING, UNREADABLE } file;

int __real_axv_sys_open(const char *path, int flags);
int __wrap_axv_sys_open(const char *path, int flags);
int __wrap_axv_sys_open(const char *path, int flags)
{
	int memfd;

	if (file == REAL || strcmp(path, "/sys/devices/system/cpu/present"))
		return __real_axv_sys_open(path, flags);
	if (file == MISSING)
		return -ENOENT;
	if (file == UNREADABLE)
		return __real_axv_sys_open("/", O_RDONLY | O_CLOEXEC);
	memfd = memfd_create("present", MFD_CLOEXEC);
	ck_assert_int_eq(write(memfd, list, strlen(list)), (int)strlen(list));
	ck_assert_int_eq(lseek(memfd, 0, SEEK_SET), 0);
	return memfd;
}

static bool present(uint32_t cpu)
{
	struct axpercpu percpu = AXPERCPU_INIT;
	int ret = axpercpu_init(&percpu, cpu, &ops);
	char number[16];

	if (!ret) {
		ck_assert_uint_eq(percpu.cpu, cpu);
		axpercpu_destroy(&percpu);
		return true;
	}
	ck_assert_int_eq(ret, -EINVAL);
	snprintf(number, sizeof(number), " %u", cpu);
	ck_assert_ptr_nonnull(strstr(axvcpu_last_error(), number));
	return false;
}

START_TEST(this_host_has_its_cpus_and_no_others)
{
	long n = sysconf(_SC_NPROCESSORS_CONF);
	cpu_set_t set;

	ck_assert_int_eq(sched_getaffinity(0, sizeof(set), &set), 0);
	for (uint32_t cpu = 0; cpu < CPU_SETSIZE; cpu++)
		if (CPU_ISSET(cpu, &set))
			ck_assert(present(cpu));
	ck_assert_int_gt(n, 0);
	ck_assert(!present(100000));
	ck_assert(!present(UINT32_MAX));
}
END_TEST

START_TEST(cpus_may_have_gaps)
{
	static const struct {
		const char *list;
		uint32_t in[4], out[4];
	} lists[] = {
		{ "0\n", { 0, 0, 0, 0 }, { 1, 2, 10, UINT32_MAX } },
		{ "0", { 0, 0, 0, 0 }, { 1, 2, 10, UINT32_MAX } },
		{ "0-3\n", { 0, 1, 2, 3 }, { 4, 5, 30, 8191 } },
		{ "0,2-3,8-11\n", { 0, 2, 3, 11 }, { 1, 4, 7, 12 } },
		{ "1,4294967294-4294967295\n",
		  { 1, 1, UINT32_MAX - 1, UINT32_MAX },
		  { 0, 2, 3, 4 } },
		/* No number wraps around. */
		{ "1,4294967296,18446744073709551616\n", { 1, 1, 1, 1 }, { 0, 2, 3, 4 } },
	};
	struct resources before;

	resources_read(&before);
	file = TEXT;
	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
		list = lists[i].list;
		for (int j = 0; j < 4; j++) {
			ck_assert(present(lists[i].in[j]));
			ck_assert(!present(lists[i].out[j]));
		}
	}
	resources_expect(&before, "after all lists");
}
END_TEST

START_TEST(without_a_list_the_number_of_cpus_decides)
{
	static const char *const bad[] = {
		"", "\n", ",", "0-", "-1", "3-0\n", "0,\n", "0;1\n", "zero\n", "0x1\n", "0-3 \n",
	};
	uint32_t n = (uint32_t)sysconf(_SC_NPROCESSORS_CONF);
	static char endless[5000];
	struct resources before;

	resources_read(&before);
	for (file = MISSING; file <= UNREADABLE; file++) {
		ck_assert(present(n - 1));
		ck_assert(!present(n));
	}
	file = TEXT;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		list = bad[i];
		ck_assert(present(n - 1));
		ck_assert(!present(n));
	}
	memset(endless, '0', sizeof(endless) - 1);
	list = endless;
	ck_assert(!present(n));
	resources_expect(&before, "after all of them");
}
END_TEST

static void add_tests(Suite *suite)
{
	TCase *life = suite_case(suite, "life");
	TCase *backends = suite_case(suite, "backends");
	TCase *cpus = suite_case(suite, "cpus");

	tcase_add_checked_fixture(life, setup, NULL);
	tcase_add_loop_test(life, every_call_at_every_stage_does_what_is_documented, 0, CALLS);
	tcase_add_test(life, an_object_may_begin_again_and_again);
	tcase_add_test(life, destroy_disables_what_is_enabled_once);
	tcase_add_test(life, objects_are_independent);
	tcase_add_test(life, a_failed_enable_changes_nothing_and_may_be_repeated);
	tcase_add_test(life, an_object_that_init_has_not_begun_is_refused);

	tcase_add_checked_fixture(backends, setup, NULL);
	tcase_add_test(backends, a_backend_without_per_cpu_state_is_not_supported);
	tcase_add_test(backends, a_backend_may_lack_query_operations);

	tcase_add_checked_fixture(cpus, setup, NULL);
	tcase_add_test(cpus, this_host_has_its_cpus_and_no_others);
	tcase_add_test(cpus, cpus_may_have_gaps);
	tcase_add_test(cpus, without_a_list_the_number_of_cpus_decides);
}

int main(void)
{
	return suite_main("percpu", false, add_tests);
}
