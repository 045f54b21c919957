/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * Guest memory whose pages come from userfaultfd: a copy waits for a page, and other operations on
 * the VM must not wait for that copy, except an unmap. Needs userfaultfd, and no KVM.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "mock.h"
#include "suite.h"

/* Linux 5.11. */
#ifndef UFFD_USER_MODE_ONLY
#define UFFD_USER_MODE_ONLY 1
#endif

#define LAZY (UINT64_C(16) << 20)
#define OTHER (UINT64_C(32) << 20)
#define THIRD (UINT64_C(48) << 20)
#define BYTE 0x5a

static uint64_t page;
static struct axvm *vm;
static int uffd;
static unsigned char *lazy;

/* Copies, one from or to each page, and an unmap; each in a separate thread. */
static struct copy {
	pthread_t thread;
	int kind;
	uint64_t gpa;
	int ret;
	atomic_bool ended;
	unsigned char buf[64];
} copies[2];
static struct {
	pthread_t thread;
	uint64_t gpa;
	int ret;
	atomic_bool ended;
} removal;

static int map_at(uint64_t gpa)
{
	struct axvm_region region = AXVM_REGION_INIT;

	region.gpa = gpa;
	region.len = 2 * page;
	return axvm_map(vm, &region);
}

static int open_uffd(void)
{
	struct uffdio_api api = { .api = UFFD_API };
	int fd = (int)syscall(SYS_userfaultfd, O_CLOEXEC | UFFD_USER_MODE_ONLY);

	if (fd < 0 && errno == EINVAL)
		fd = (int)syscall(SYS_userfaultfd, O_CLOEXEC);
	if (fd >= 0 && ioctl(fd, UFFDIO_API, &api)) {
		close(fd);
		return -1;
	}
	return fd;
}

static void setup(void)
{
	struct uffdio_register range = { .mode = UFFDIO_REGISTER_MODE_MISSING };
	struct axvm_config config = AXVM_CONFIG_INIT;
	void *p;

	page = (uint64_t)sysconf(_SC_PAGESIZE);
	mock_reset();
	memset(copies, 0, sizeof(copies));
	memset(&removal, 0, sizeof(removal));
	config.arch = &mock_ops;
	ck_ok(axvm_new(&config, &vm));
	ck_ok(map_at(LAZY));
	ck_ok(map_at(OTHER));
	ck_ok(axvm_translate(vm, LAZY, 2 * page, &p));
	lazy = p;
	uffd = open_uffd();
	ck_assert_int_ge(uffd, 0);
	range.range.start = (uintptr_t)lazy;
	range.range.len = 2 * page;
	ck_assert_int_eq(ioctl(uffd, UFFDIO_REGISTER, &range), 0);
}

static void teardown(void)
{
	close(uffd);
	ck_ok(axvm_free(vm));
}

static void *run_copy(void *arg)
{
	struct copy *copy = arg;

	if (copy->kind == 0)
		copy->ret = axvm_read(vm, copy->gpa, copy->buf, sizeof(copy->buf));
	else if (copy->kind == 1)
		copy->ret = axvm_write(vm, copy->gpa, copy->buf, sizeof(copy->buf));
	else
		copy->ret = axvm_set(vm, copy->gpa, 0, sizeof(copy->buf));
	atomic_store(&copy->ended, true);
	return NULL;
}

static void *run_removal(void *arg)
{
	(void)arg;
	removal.ret = axvm_unmap(vm, removal.gpa, 2 * page);
	atomic_store(&removal.ended, true);
	return NULL;
}

/* Returns once the copy, of the page number 'n', waits for it. */
static void begin_copy(int n, int kind)
{
	struct pollfd wait = { .fd = uffd, .events = POLLIN };
	struct copy *copy = &copies[n];
	struct uffd_msg msg;

	copy->kind = kind;
	copy->gpa = LAZY + (uint64_t)n * page;
	copy->ended = false;
	ck_assert_int_eq(pthread_create(&copy->thread, NULL, run_copy, copy), 0);
	ck_assert_int_eq(poll(&wait, 1, -1), 1);
	ck_assert_int_eq(read(uffd, &msg, sizeof(msg)), sizeof(msg));
	ck_assert_uint_eq(msg.event, UFFD_EVENT_PAGEFAULT);
}

/* Provides the page. */
static void end_copy(int n)
{
	struct copy *copy = &copies[n];
	struct uffdio_copy supply = { .dst = (uintptr_t)lazy + (uint64_t)n * page, .len = page };
	unsigned char *bytes = malloc(page);

	ck_assert_ptr_nonnull(bytes);
	memset(bytes, BYTE, page);
	supply.src = (uintptr_t)bytes;
	ck_assert(!copy->ended);
	ck_assert_int_eq(ioctl(uffd, UFFDIO_COPY, &supply), 0);
	pthread_join(copy->thread, NULL);
	free(bytes);
	ck_assert_int_eq(copy->ret, 0);
	if (copy->kind == 0)
		ck_assert_uint_eq(copy->buf[sizeof(copy->buf) - 1], BYTE);
}

/* Returns once the region is out of the map, and the removal waits. */
static void begin_removal(uint64_t gpa)
{
	void *p;

	removal.gpa = gpa;
	ck_assert_int_eq(pthread_create(&removal.thread, NULL, run_removal, NULL), 0);
	while (axvm_translate(vm, gpa, 1, &p) == 0)
		sched_yield();
}

static void end_removal(void)
{
	pthread_join(removal.thread, NULL);
	ck_assert_int_eq(removal.ret, 0);
}

static bool is_mapped(void *addr)
{
	unsigned char vec;

	return mincore(addr, page, &vec) == 0;
}

/* As the thread that provides the page would. Each waits for nothing, or the test hangs. */
static void look_up_everything(void)
{
	struct axvm_region list[4] = { AXVM_REGION_INIT };
	uint64_t gpa = 0;
	void *p;

	ck_ok(axvm_virt_to_phys(vm, lazy + 5, &gpa));
	ck_assert_uint_eq(gpa, LAZY + 5);
	ck_ok(axvm_translate(vm, LAZY + page, page, &p));
	ck_assert_ptr_eq(p, lazy + page);
	ck_assert_ptr_eq(axvm_phys_to_virt(vm, LAZY), lazy);
	ck_assert_int_gt(axvm_regions(vm, 0, 4, list), 0);
	ck_assert_uint_eq(list[0].gpa, LAZY);
}

/* Whatever does not concern the page. */
static void change_everything_else(void)
{
	unsigned char byte = 0;
	uint64_t frame;

	ck_ok(map_at(THIRD));
	ck_ok(axvm_set(vm, THIRD, BYTE, 2 * page));
	ck_ok(axvm_read(vm, THIRD + page, &byte, 1));
	ck_assert_uint_eq(byte, BYTE);
	ck_fails(map_at(THIRD), EEXIST);
	ck_ok(axvm_alloc_frame(vm, &frame));
	ck_ok(axvm_free_frame(vm, frame));
	look_up_everything();
}

START_TEST(look_ups_and_maps_do_not_wait_for_a_copy_that_waits_for_a_page)
{
	begin_copy(0, _i);
	look_up_everything();
	change_everything_else();
	end_copy(0);
}
END_TEST

START_TEST(unmap_waits_for_a_copy_without_blocking_others)
{
	void *other;

	begin_copy(0, _i);
	ck_ok(axvm_translate(vm, OTHER, 1, &other));
	begin_removal(OTHER);
	look_up_everything();
	change_everything_else();
	/* Another copy might be from there: the memory stays until all of them have ended. */
	ck_assert(!removal.ended);
	ck_assert(is_mapped(other));
	/* And the address is free already. */
	ck_ok(map_at(OTHER));
	end_copy(0);
	end_removal();
}
END_TEST

START_TEST(a_copy_ends_in_a_region_that_is_being_unmapped)
{
	begin_copy(0, _i);
	begin_removal(LAZY);
	ck_ok(map_at(THIRD));
	ck_assert_int_eq(axvm_regions(vm, 0, 0, NULL), 2);
	ck_assert(!removal.ended);
	ck_assert(is_mapped(lazy));
	end_copy(0);
	end_removal();
}
END_TEST

/* Each begins before the previous one ends: a copy is in progress at all times. */
START_TEST(an_unmap_does_not_wait_for_copies_without_end)
{
	int n = 0;

	begin_copy(n, _i);
	begin_removal(OTHER);
	/* The time limit of a test ends this, if they do keep it waiting. */
	while (!removal.ended) {
		begin_copy(!n, _i);
		end_copy(n);
		ck_assert_int_eq(madvise(lazy + (uint64_t)n * page, page, MADV_DONTNEED), 0);
		n = !n;
	}
	end_removal();
	end_copy(n);
}
END_TEST

static void add_tests(Suite *suite)
{
	TCase *lazy_case = suite_case(suite, "lazy");
	int fd = open_uffd();

	if (fd < 0) {
		suite_left_out("userfault", "this kernel or user has no userfaultfd");
		return;
	}
	close(fd);
	tcase_add_checked_fixture(lazy_case, setup, teardown);
	/* axvm_read(), axvm_write(), axvm_set(). */
	tcase_add_loop_test(lazy_case,
			    look_ups_and_maps_do_not_wait_for_a_copy_that_waits_for_a_page, 0, 3);
	tcase_add_loop_test(lazy_case, unmap_waits_for_a_copy_without_blocking_others, 0, 3);
	tcase_add_loop_test(lazy_case, a_copy_ends_in_a_region_that_is_being_unmapped, 0, 3);
	tcase_add_loop_test(lazy_case, an_unmap_does_not_wait_for_copies_without_end, 0, 3);
}

int main(void)
{
	return suite_main("userfault", false, add_tests);
}
