/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * Every backing that guest memory can have, made by the default HAL, and the resulting host
 * mapping. Needs no KVM.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mock.h"
#include "suite.h"

#define GPA (UINT64_C(1) << 20)
#define PAGES 4u

static size_t page, len;
static struct axvm *vm;
static int file_fd;

static void setup(void)
{
	struct axvm_config config = AXVM_CONFIG_INIT;

	page = (size_t)sysconf(_SC_PAGESIZE);
	len = PAGES * page;
	memset(&mock, 0, sizeof(mock));
	config.arch = &mock_ops;
	ck_ok(axvm_new(&config, &vm));
	/* One page more than is mapped; every page begins with its number, in ASCII. */
	file_fd = memfd_create("file", MFD_CLOEXEC);
	ck_assert_int_ge(file_fd, 0);
	ck_assert_int_eq(ftruncate(file_fd, (off_t)(len + page)), 0);
	for (unsigned int i = 0; i <= PAGES; i++) {
		char digit = (char)('0' + i);

		ck_assert_int_eq(pwrite(file_fd, &digit, 1, (off_t)(i * page)), 1);
	}
}

static void teardown(void)
{
	ck_ok(axvm_free(vm));
	close(file_fd);
}

static struct axvm_region region_of(enum axvm_backing backing, uint32_t flags)
{
	struct axvm_region region = AXVM_REGION_INIT;

	region.gpa = GPA;
	region.len = len;
	region.backing = backing;
	region.flags = flags;
	region.fd = file_fd;
	return region;
}

/* Maps, and returns the region as it is listed. */
static struct axvm_region map(enum axvm_backing backing, uint32_t flags)
{
	struct axvm_region region = region_of(backing, flags), listed = AXVM_REGION_INIT;

	ck_ok(axvm_map(vm, &region));
	ck_assert_int_eq(axvm_regions(vm, 0, 1, &listed), 1);
	ck_assert_uint_eq(listed.gpa, GPA);
	ck_assert_uint_eq(listed.len, len);
	ck_assert_uint_eq(listed.backing, backing);
	/* The file of these tests has no seals. */
	ck_assert_uint_eq(listed.flags,
			  flags | (backing == AXVM_MEM_FILE ? AXVM_MEM_TRUNCATABLE : 0));
	ck_assert_ptr_nonnull(listed.hva);
	return listed;
}

static unsigned int resident(const struct axvm_region *region)
{
	unsigned char vec[PAGES];
	unsigned int n = 0;

	ck_assert_int_eq(mincore(region->hva, len, vec), 0);
	for (unsigned int i = 0; i < PAGES; i++)
		n += vec[i] & 1;
	return n;
}

static bool is_mapped(const void *addr)
{
	unsigned char vec;

	return mincore((void *)(uintptr_t)addr, page, &vec) == 0;
}

static char file_byte(size_t offset)
{
	char byte;

	ck_assert_int_eq(pread(file_fd, &byte, 1, (off_t)offset), 1);
	return byte;
}

static char guest_byte(uint64_t offset)
{
	char byte;

	ck_ok(axvm_read(vm, GPA + offset, &byte, 1));
	return byte;
}

/* --- anonymous -------------------------------------------------------------------------------- */

START_TEST(anonymous_is_zero_lazy_and_gone_after_unmap)
{
	struct axvm_region region = map(AXVM_MEM_ANONYMOUS, 0);
	const unsigned char *p = region.hva;

	ck_assert_int_eq(region.fd, -1);
	ck_assert_uint_eq(resident(&region), 0);
	for (size_t i = 0; i < len; i++)
		if (p[i])
			ck_abort_msg("byte %zu is not 0", i);
	ck_ok(axvm_set(vm, GPA, 0x11, len));
	ck_assert_uint_eq(p[len - 1], 0x11);
	ck_ok(axvm_unmap(vm, GPA, len));
	ck_assert(!is_mapped(p));
	/* A descriptor that happens to be in the region is not the library's. */
	ck_assert_int_ge(fcntl(file_fd, F_GETFD), 0);
}
END_TEST

START_TEST(populate_makes_every_backing_resident)
{
	static const enum axvm_backing backings[] = { AXVM_MEM_ANONYMOUS, AXVM_MEM_MEMFD,
						      AXVM_MEM_FILE };

	for (size_t i = 0; i < sizeof(backings) / sizeof(backings[0]); i++) {
		struct axvm_region region = map(backings[i], AXVM_MEM_POPULATE);

		ck_assert_uint_eq(resident(&region), PAGES);
		ck_ok(axvm_unmap(vm, GPA, len));
	}
}
END_TEST

START_TEST(guest_readonly_is_still_writable_for_the_host)
{
	static const enum axvm_backing backings[] = { AXVM_MEM_ANONYMOUS, AXVM_MEM_MEMFD,
						      AXVM_MEM_FILE };

	for (size_t i = 0; i < sizeof(backings) / sizeof(backings[0]); i++) {
		map(backings[i], AXVM_MEM_READONLY);
		ck_ok(axvm_set(vm, GPA, 'x', len));
		ck_assert_int_eq(guest_byte(len - 1), 'x');
		ck_ok(axvm_unmap(vm, GPA, len));
	}
}
END_TEST

START_TEST(thp_is_a_hint_that_every_own_backing_takes)
{
	static const enum axvm_backing backings[] = { AXVM_MEM_ANONYMOUS, AXVM_MEM_MEMFD,
						      AXVM_MEM_FILE };

	for (size_t i = 0; i < sizeof(backings) / sizeof(backings[0]); i++) {
		map(backings[i], AXVM_MEM_THP | AXVM_MEM_POPULATE);
		ck_ok(axvm_set(vm, GPA, 'x', len));
		ck_ok(axvm_unmap(vm, GPA, len));
	}
}
END_TEST

/* Else the kernel would give the guest each huge page in pieces. */
START_TEST(thp_memory_lies_in_huge_pages_as_the_guest_has_it)
{
	const uint64_t huge = UINT64_C(2) << 20;

	for (uint64_t offset = 0; offset < huge; offset += huge / 4 + page) {
		struct axvm_region region = region_of(AXVM_MEM_ANONYMOUS, AXVM_MEM_THP);

		region.gpa = huge + offset;
		region.len = huge + page;
		ck_ok(axvm_map(vm, &region));
		ck_assert_int_eq(axvm_regions(vm, 0, 1, &region), 1);
		ck_assert_uint_eq((uintptr_t)region.hva % huge, region.gpa % huge);
		ck_assert_uint_eq(region.len, huge + page);
		ck_ok(axvm_set(vm, region.gpa, 'x', region.len));
		ck_ok(axvm_unmap(vm, region.gpa, region.len));
	}
}
END_TEST

/* --- memfd ------------------------------------------------------------------------------------ */

START_TEST(memfd_is_listed_and_shares_its_contents)
{
	struct axvm_region region = map(AXVM_MEM_MEMFD, 0);
	struct stat st;
	char *other;

	ck_assert_int_ge(region.fd, 0);
	ck_assert_int_ne(region.fd, file_fd);
	ck_assert_uint_eq(region.fd_offset, 0);
	ck_assert(fcntl(region.fd, F_GETFD) & FD_CLOEXEC);
	ck_assert_int_eq(fstat(region.fd, &st), 0);
	ck_assert_uint_eq((uint64_t)st.st_size, len);

	other = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED, region.fd, 0);
	ck_assert_ptr_ne(other, MAP_FAILED);
	ck_ok(axvm_set(vm, GPA + page, 'h', 1));
	ck_assert_int_eq(other[page], 'h');
	other[len - 1] = 'o';
	ck_assert_int_eq(guest_byte(len - 1), 'o');
	ck_assert_int_eq(file_byte(page), '1');

	ck_ok(axvm_unmap(vm, GPA, len));
	ck_assert(!is_mapped(region.hva));
	ck_assert_int_eq(fcntl(region.fd, F_GETFD), -1);
	ck_assert_int_eq(errno, EBADF);
	/* Who shares it keeps it. */
	ck_assert_int_eq(other[page], 'h');
	munmap(other, len);
}
END_TEST

/* --- file ------------------------------------------------------------------------------------- */

START_TEST(private_file_is_read_and_never_written)
{
	struct axvm_region region = map(AXVM_MEM_FILE, 0);

	/* Lent for the call. */
	ck_assert_int_eq(region.fd, -1);
	ck_assert_int_eq(guest_byte(2 * page), '2');
	ck_ok(axvm_set(vm, GPA + 2 * page, 'x', 1));
	ck_assert_int_eq(guest_byte(2 * page), 'x');
	ck_ok(axvm_unmap(vm, GPA, len));
	ck_assert_int_eq(file_byte(2 * page), '2');
	ck_assert_int_ge(fcntl(file_fd, F_GETFD), 0);
}
END_TEST

START_TEST(shared_file_is_written)
{
	map(AXVM_MEM_FILE, AXVM_MEM_SHARED);
	ck_ok(axvm_set(vm, GPA + 2 * page, 'x', 1));
	ck_assert_int_eq(file_byte(2 * page), 'x');
	ck_assert_int_eq(pwrite(file_fd, "y", 1, (off_t)(3 * page)), 1);
	ck_assert_int_eq(guest_byte(3 * page), 'y');
	ck_ok(axvm_unmap(vm, GPA, len));
	ck_assert_int_eq(file_byte(2 * page), 'x');
}
END_TEST

START_TEST(file_begins_at_the_offset_and_may_be_closed_once_mapped)
{
	struct axvm_region region = region_of(AXVM_MEM_FILE, 0);

	region.fd_offset = page;
	region.fd = dup(file_fd);
	ck_ok(axvm_map(vm, &region));
	close(region.fd);
	for (unsigned int i = 0; i < PAGES; i++)
		ck_assert_int_eq(guest_byte(i * page), (char)('1' + i));
}
END_TEST

/* A descriptor of the same file without the right to write, or to read. */
static int reopen(int flags)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", file_fd);
	fd = open(path, flags | O_CLOEXEC);
	ck_assert_int_ge(fd, 0);
	return fd;
}

START_TEST(readonly_descriptor_is_enough_where_nothing_is_written)
{
	struct axvm_region region = region_of(AXVM_MEM_FILE, AXVM_MEM_SHARED);

	region.fd = reopen(O_RDONLY);
	ck_fails_saying(axvm_map(vm, &region), EACCES, "mmap");
	region.flags = AXVM_MEM_SHARED | AXVM_MEM_READONLY;
	ck_ok(axvm_map(vm, &region));
	ck_assert_int_eq(guest_byte(page), '1');
	ck_fails(axvm_set(vm, GPA, 0, 1), EROFS);
	ck_ok(axvm_unmap(vm, GPA, len));
	/* Its writes go to a copy. */
	region.flags = 0;
	ck_ok(axvm_map(vm, &region));
	ck_ok(axvm_set(vm, GPA, 0, 1));
	close(region.fd);
}
END_TEST

START_TEST(kernel_refuses_unmappable_files)
{
	struct axvm_region region = region_of(AXVM_MEM_FILE, 0);
	int pipe_fds[2];

	region.fd = reopen(O_WRONLY);
	ck_fails(axvm_map(vm, &region), EACCES);
	close(region.fd);
	ck_assert_int_eq(pipe2(pipe_fds, O_CLOEXEC), 0);
	region.fd = pipe_fds[0];
	ck_fails(axvm_map(vm, &region), ENODEV);
	close(pipe_fds[0]);
	close(pipe_fds[1]);
	ck_fails_saying(axvm_map(vm, &region), EBADF, "fstat");
	ck_assert_int_eq(axvm_regions(vm, 0, 0, NULL), 0);
}
END_TEST

START_TEST(device_has_no_size_to_exceed)
{
	struct axvm_region region = region_of(AXVM_MEM_FILE, 0);

	region.fd = open("/dev/zero", O_RDWR | O_CLOEXEC);
	ck_assert_int_ge(region.fd, 0);
	ck_ok(axvm_map(vm, &region));
	close(region.fd);
	ck_assert_int_eq(guest_byte(len - 1), 0);
}
END_TEST

/* --- caller ----------------------------------------------------------------------------------- */

START_TEST(callers_memory_stays_the_callers)
{
	struct axvm_region region = region_of(AXVM_MEM_CALLER, 0);
	unsigned char *own = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
				  -1, 0);
	void *p;

	ck_assert_ptr_ne(own, MAP_FAILED);
	region.hva = own;
	ck_ok(axvm_map(vm, &region));
	ck_ok(axvm_translate(vm, GPA + 5, 1, &p));
	ck_assert_ptr_eq(p, own + 5);
	ck_ok(axvm_set(vm, GPA, 0x33, len));
	ck_ok(axvm_unmap(vm, GPA, len));
	ck_assert(is_mapped(own));
	ck_assert_uint_eq(own[len - 1], 0x33);
	ck_ok(axvm_map(vm, &region));
	teardown();
	ck_assert(is_mapped(own));
	munmap(own, len);
	setup();
}
END_TEST

/* --- hugetlb ---------------------------------------------------------------------------------- */

#define POOL "/proc/sys/vm/nr_hugepages"

static long pool_before = -1;

static long read_number(const char *path, const char *key)
{
	char line[128];
	long value = -1;
	FILE *file = fopen(path, "re");

	while (file && value < 0 && fgets(line, sizeof(line), file))
		if (!strncmp(line, key, strlen(key)))
			value = strtol(line + strlen(key), NULL, 10);
	if (file)
		fclose(file);
	return value;
}

static uint64_t huge_size(void)
{
	long kib = read_number("/proc/meminfo", "Hugepagesize:");

	return kib > 0 ? (uint64_t)kib * 1024 : 0;
}

static void set_pool(long pages)
{
	FILE *file = fopen(POOL, "we");

	if (!file)
		return;
	fprintf(file, "%ld", pages);
	fclose(file);
}

/* In the parent, so that the pool gets its size back whatever becomes of the test. */
static void pool_setup(void)
{
	pool_before = read_number(POOL, "");
	if (pool_before >= 0)
		set_pool(pool_before + 2);
}

static void pool_teardown(void)
{
	if (pool_before >= 0)
		set_pool(pool_before);
}

START_TEST(hugetlb_maps_pages_of_the_pool)
{
	static const enum axvm_backing backings[] = { AXVM_MEM_ANONYMOUS, AXVM_MEM_MEMFD };
	uint64_t huge = huge_size();

	if (!huge) {
		suite_skip("this kernel has no huge pages");
		return;
	}
	if (read_number("/proc/meminfo", "HugePages_Free:") < 2) {
		suite_skip("no pages, nor the right to reserve some");
		return;
	}
	for (size_t i = 0; i < 2; i++) {
		struct axvm_region region = region_of(backings[i], AXVM_MEM_HUGETLB);
		struct axvm_region listed = AXVM_REGION_INIT;
		long left = read_number("/proc/meminfo", "HugePages_Free:");

		region.gpa = huge;
		region.len = 2 * huge;
		ck_ok(axvm_map(vm, &region));
		ck_ok(axvm_set(vm, region.gpa, 0x77, region.len));
		ck_assert_int_eq(read_number("/proc/meminfo", "HugePages_Free:"), left - 2);
		ck_assert_int_eq(axvm_regions(vm, 0, 1, &listed), 1);
		ck_assert_int_eq(listed.fd >= 0, backings[i] == AXVM_MEM_MEMFD);
		ck_assert_uint_eq((uintptr_t)listed.hva % huge, 0);
		ck_ok(axvm_unmap(vm, region.gpa, region.len));
		ck_assert_int_eq(read_number("/proc/meminfo", "HugePages_Free:"), left);

		region.flags |= AXVM_MEM_POPULATE | AXVM_MEM_READONLY;
		ck_ok(axvm_map(vm, &region));
		ck_assert_int_eq(read_number("/proc/meminfo", "HugePages_Free:"), left - 2);
		ck_ok(axvm_unmap(vm, region.gpa, region.len));
	}
}
END_TEST

START_TEST(hugetlb_takes_multiples_of_its_page_size_only)
{
	struct axvm_region region = region_of(AXVM_MEM_ANONYMOUS, AXVM_MEM_HUGETLB);

	if (!huge_size()) {
		suite_skip("this kernel has no huge pages");
		return;
	}
	ck_fails_saying(axvm_map(vm, &region), EINVAL, "not a multiple of the huge page size");
	region.backing = AXVM_MEM_MEMFD;
	ck_fails_saying(axvm_map(vm, &region), EINVAL, "not a multiple of the huge page size");
	ck_assert_int_eq(axvm_regions(vm, 0, 0, NULL), 0);
}
END_TEST

START_TEST(hugetlb_without_pages_says_where_they_come_from)
{
	struct axvm_region region = region_of(AXVM_MEM_ANONYMOUS, AXVM_MEM_HUGETLB);
	long left = read_number("/proc/meminfo", "HugePages_Free:");

	if (!huge_size() || left < 0) {
		suite_skip("this kernel has no huge pages");
		return;
	}
	/* Not even with the pages that may be added to the pool on demand. */
	left += read_number("/proc/sys/vm/nr_overcommit_hugepages", "");
	region.len = (uint64_t)(left + 1) * huge_size();
	ck_fails_saying(axvm_map(vm, &region), ENOMEM, "vm.nr_hugepages");
	region.backing = AXVM_MEM_MEMFD;
	ck_fails_saying(axvm_map(vm, &region), ENOMEM, "vm.nr_hugepages");
	ck_assert_int_eq(axvm_regions(vm, 0, 0, NULL), 0);
}
END_TEST

/* ---------------------------------------------------------------------------------------------- */

static void add_tests(Suite *suite)
{
	TCase *own = suite_case(suite, "own");
	TCase *file = suite_case(suite, "file");
	TCase *huge = suite_case(suite, "hugetlb");
	TCase *pool = suite_case(suite, "pool");

	tcase_add_checked_fixture(own, setup, teardown);
	tcase_add_test(own, anonymous_is_zero_lazy_and_gone_after_unmap);
	tcase_add_test(own, populate_makes_every_backing_resident);
	tcase_add_test(own, guest_readonly_is_still_writable_for_the_host);
	tcase_add_test(own, thp_is_a_hint_that_every_own_backing_takes);
	tcase_add_test(own, thp_memory_lies_in_huge_pages_as_the_guest_has_it);
	tcase_add_test(own, memfd_is_listed_and_shares_its_contents);
	tcase_add_test(own, callers_memory_stays_the_callers);

	tcase_add_checked_fixture(file, setup, teardown);
	tcase_add_test(file, private_file_is_read_and_never_written);
	tcase_add_test(file, shared_file_is_written);
	tcase_add_test(file, file_begins_at_the_offset_and_may_be_closed_once_mapped);
	tcase_add_test(file, readonly_descriptor_is_enough_where_nothing_is_written);
	tcase_add_test(file, kernel_refuses_unmappable_files);
	tcase_add_test(file, device_has_no_size_to_exceed);

	tcase_add_checked_fixture(huge, setup, teardown);
	tcase_add_test(huge, hugetlb_takes_multiples_of_its_page_size_only);
	tcase_add_test(huge, hugetlb_without_pages_says_where_they_come_from);

	tcase_add_unchecked_fixture(pool, pool_setup, pool_teardown);
	tcase_add_checked_fixture(pool, setup, teardown);
	tcase_add_test(pool, hugetlb_maps_pages_of_the_pool);
}

int main(void)
{
	return suite_main("backing", false, add_tests);
}
