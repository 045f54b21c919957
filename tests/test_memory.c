/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * The memory map: errors, edges, state after a failure of a backend or HAL, and threads. Random
 * operations are checked against a model in test_memory_model.c. Needs no KVM.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "mock.h"
#include "suite.h"

static uint64_t page;
static struct axvm *vm;
/* Two pages, page-aligned, that tests map as the caller's memory. */
static unsigned char *own;

static struct axvcpu_arch_ops ops;
static struct axvm_limits limits;

/* Maximum size of a region in the backend. */
#define REGION_MAX (UINT64_C(1) << 32)

static int limited_vm_new(struct axvm *new, const struct axvm_config *config,
			  struct axvm_limits *out, void **arch)
{
	(void)new;
	(void)config;
	(void)arch;
	if (limits.regions)
		out->regions = limits.regions;
	out->region_bytes = REGION_MAX;
	return 0;
}

static void create(const struct axvcpu_hal *hal, uint32_t gpa_bits, uint32_t regions)
{
	struct axvm_config config = AXVM_CONFIG_INIT;

	page = (uint64_t)sysconf(_SC_PAGESIZE);
	memset(&mock, 0, sizeof(mock));
	limits.regions = regions;
	ops = mock_ops;
	ops.vm_new = limited_vm_new;
	config.arch = &ops;
	config.hal = hal;
	config.gpa_bits = gpa_bits;
	ck_ok(axvm_new(&config, &vm));
	own = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ck_assert_ptr_ne(own, MAP_FAILED);
}

static void setup(void)
{
	create(NULL, 0, 0);
}

static void teardown(void)
{
	ck_ok(axvm_free(vm));
	munmap(own, 2 * page);
}

static int map_at(uint64_t gpa, uint64_t len)
{
	struct axvm_region region = AXVM_REGION_INIT;

	region.gpa = gpa;
	region.len = len;
	return axvm_map(vm, &region);
}

static int map_own(uint64_t gpa, uint64_t len, uint32_t flags)
{
	struct axvm_region region = AXVM_REGION_INIT;

	region.gpa = gpa;
	region.len = len;
	region.backing = AXVM_MEM_CALLER;
	region.flags = flags;
	region.hva = own;
	return axvm_map(vm, &region);
}

static int count(void)
{
	return axvm_regions(vm, 0, 0, NULL);
}

/* --- errors of map ---------------------------------------------------------------------------- */

static int file_fd = -1;

static struct axvm_region region_of(uint32_t backing)
{
	struct axvm_region region = AXVM_REGION_INIT;

	region.gpa = 16 * page;
	region.len = page;
	region.backing = backing;
	region.hva = own;
	region.fd = file_fd;
	return region;
}

/* Each makes of a region that is fine one that is not. */
static void no_length(struct axvm_region *region)
{
	region->len = 0;
}

static void odd_gpa(struct axvm_region *region)
{
	region->gpa += page / 2;
}

static void odd_len(struct axvm_region *region)
{
	region->len += 1;
}

static void wrap(struct axvm_region *region)
{
	region->gpa = -(2 * page);
	region->len = 3 * page;
}

static void wide(struct axvm_region *region)
{
	region->gpa = UINT64_C(1) << 40;
}

static void wide_end(struct axvm_region *region)
{
	region->gpa = (UINT64_C(1) << 40) - page;
	region->len = 2 * page;
}

static void too_long(struct axvm_region *region)
{
	region->len = REGION_MAX + page;
}

static void bad_backing(struct axvm_region *region)
{
	region->backing = AXVM_MEM_CALLER + 1;
}

static void bad_flag(struct axvm_region *region)
{
	region->flags = 1u << 31;
}

static void hugetlb(struct axvm_region *region)
{
	region->flags = AXVM_MEM_HUGETLB;
}

static void no_hva(struct axvm_region *region)
{
	region->hva = NULL;
}

static void odd_hva(struct axvm_region *region)
{
	region->hva = own + 8;
}

static void wrap_hva(struct axvm_region *region)
{
	region->hva = (void *)(UINTPTR_MAX - page + 1);
	region->len = 2 * page;
}

static void odd_offset(struct axvm_region *region)
{
	region->fd_offset = 512;
}

static void short_file(struct axvm_region *region)
{
	region->len = 3 * page;
}

static void short_rest(struct axvm_region *region)
{
	region->fd_offset = page;
	region->len = 2 * page;
}

static void past_file(struct axvm_region *region)
{
	region->fd_offset = UINT64_C(1) << 62;
}

static void closed_file(struct axvm_region *region)
{
	region->fd = -1;
}

static void overlap(struct axvm_region *region)
{
	region->gpa = 8 * page;
}

static void small_size(struct axvm_region *region)
{
	region->size = 4;
}

static void huge_size(struct axvm_region *region)
{
	region->size = SIZE_MAX;
}

/* One row per reason. Two rows may share a text only if they are one reason, seen twice. */
static const struct {
	void (*spoil)(struct axvm_region *region);
	uint32_t backing;
	int err;
	const char *text;
} refusals[] = {
	{ no_length, AXVM_MEM_ANONYMOUS, EINVAL, "the length is 0" },
	{ odd_gpa, AXVM_MEM_ANONYMOUS, EINVAL, "the address is not a multiple of" },
	{ odd_len, AXVM_MEM_ANONYMOUS, EINVAL, "the length is not a multiple of" },
	{ wrap, AXVM_MEM_ANONYMOUS, EINVAL, "0x3000: the range wraps around" },
	{ wide, AXVM_MEM_ANONYMOUS, EINVAL, "beyond this VM's 40 bits" },
	{ wide_end, AXVM_MEM_ANONYMOUS, EINVAL, "beyond this VM's 40 bits" },
	{ too_long, AXVM_MEM_ANONYMOUS, EINVAL, "a region has at most 0x100000000 bytes here" },
	{ bad_backing, AXVM_MEM_ANONYMOUS, EINVAL, "unknown backing 4" },
	{ bad_flag, AXVM_MEM_ANONYMOUS, EINVAL, "unknown flags 0x80000000" },
	{ hugetlb, AXVM_MEM_FILE, EINVAL, "flags 0x4 are not allowed with backing 2" },
	{ no_hva, AXVM_MEM_CALLER, EINVAL, "hva is NULL" },
	{ odd_hva, AXVM_MEM_CALLER, EINVAL, "008 is not a multiple of the page size" },
	{ wrap_hva, AXVM_MEM_CALLER, EINVAL, "hva 0xfffffffffffff000 wraps around" },
	{ odd_offset, AXVM_MEM_FILE, EINVAL, "fd_offset 0x200 is not a multiple" },
	{ short_file, AXVM_MEM_FILE, EINVAL,
	  "the file has 8192 bytes; 0x3000 bytes from offset 0 " },
	{ short_rest, AXVM_MEM_FILE, EINVAL,
	  "the file has 8192 bytes; 0x2000 bytes from offset 0x1000" },
	{ past_file, AXVM_MEM_FILE, EINVAL,
	  "the file has 8192 bytes; 0x1000 bytes from offset 0x4" },
	{ closed_file, AXVM_MEM_FILE, EBADF, "fstat of descriptor -1" },
	{ overlap, AXVM_MEM_ANONYMOUS, EEXIST, "overlaps the region 0x8000 +0x1000" },
	{ small_size, AXVM_MEM_ANONYMOUS, EINVAL, "size is 4" },
	{ huge_size, AXVM_MEM_ANONYMOUS, E2BIG, "the maximum is 4096" },
};

static void refusal_setup(void)
{
	create(NULL, 40, 0);
	file_fd = memfd_create("file", MFD_CLOEXEC);
	ck_assert_int_ge(file_fd, 0);
	ck_assert_int_eq(ftruncate(file_fd, (off_t)(2 * page)), 0);
}

static void refusal_teardown(void)
{
	teardown();
	close(file_fd);
}

START_TEST(refused_before_the_backend_sees_it)
{
	struct axvm_region region = region_of(refusals[_i].backing);

	/* The texts of the table are of machines with pages of 4 KiB. */
	if (page != 4096)
		return;
	ck_ok(map_at(8 * page, page));
	mock.calls[MOCK_VM_MAP] = 0;

	/* Valid as it is, so that only the modified field is refused. */
	ck_ok(axvm_map(vm, &region));
	ck_ok(axvm_unmap(vm, region.gpa, region.len));
	mock.calls[MOCK_VM_MAP] = 0;

	refusals[_i].spoil(&region);
	ck_fails_saying(axvm_map(vm, &region), refusals[_i].err, refusals[_i].text);
	ck_assert_uint_eq(mock.calls[MOCK_VM_MAP], 0);
	ck_assert_int_eq(count(), 1);
	/* One message, one reason. */
	for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++)
		if (strcmp(refusals[i].text, refusals[_i].text))
			ck_assert_msg(!strstr(axvcpu_last_error(), refusals[i].text),
				      "\"%s\" also says \"%s\"", axvcpu_last_error(),
				      refusals[i].text);
}
END_TEST

START_TEST(null_region_is_refused)
{
	ck_fails_saying(axvm_map(vm, NULL), EINVAL, "the region is NULL");
}
END_TEST

START_TEST(flags_go_with_backings_as_documented)
{
	static const uint32_t flags[] = { AXVM_MEM_READONLY, AXVM_MEM_POPULATE, AXVM_MEM_HUGETLB,
					  AXVM_MEM_THP, AXVM_MEM_SHARED };
	static const char taken[][6] = {
		[AXVM_MEM_ANONYMOUS] = "yyyyn",
		[AXVM_MEM_MEMFD] = "yyyyn",
		[AXVM_MEM_FILE] = "yynyy",
		[AXVM_MEM_CALLER] = "ynnnn",
	};

	for (uint32_t backing = 0; backing <= AXVM_MEM_CALLER; backing++) {
		for (int i = 0; i < 5; i++) {
			struct axvm_region region = region_of(backing);
			int ret;

			region.flags = flags[i];
			ret = axvm_map(vm, &region);
			if (taken[backing][i] == 'n')
				ck_assert_int_eq(ret, -EINVAL);
			else if (flags[i] == AXVM_MEM_HUGETLB)
				/* Taken, and then there is no page of 4 KiB in that pool. */
				ck_assert(!strstr(axvcpu_last_error(), "are not allowed with"));
			else
				ck_assert_msg(!ret, "backing %u flags %#x: %s", backing, flags[i],
					      axvcpu_last_error());
			if (!ret)
				ck_ok(axvm_unmap(vm, region.gpa, region.len));
		}
	}
}
END_TEST

START_TEST(every_way_to_overlap_is_refused_and_adjoining_is_not)
{
	static const struct {
		uint64_t first, pages;
		bool overlaps;
	} cases[] = {
		{ 8, 4, true },	  { 8, 1, true },  { 11, 1, true },  { 9, 2, true },
		{ 7, 2, true },	  { 11, 2, true }, { 7, 6, true },   { 0, 9, true },
		{ 11, 99, true }, { 4, 4, false }, { 12, 4, false }, { 7, 1, false },
	};

	ck_ok(map_at(8 * page, 4 * page));
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint64_t gpa = cases[i].first * page, len = cases[i].pages * page;

		if (cases[i].overlaps) {
			ck_fails(map_at(gpa, len), EEXIST);
		} else {
			ck_ok(map_at(gpa, len));
			ck_ok(axvm_unmap(vm, gpa, len));
		}
	}
}
END_TEST

START_TEST(no_slot_is_left)
{
	create(NULL, 0, 3);
	for (uint64_t i = 0; i < 3; i++)
		ck_ok(map_at(2 * i * page, page));
	ck_fails_saying(map_at(100 * page, page), ENOSPC, "all 3 slots are in use");
	ck_assert_int_eq(count(), 3);
	ck_ok(axvm_unmap(vm, 2 * page, page));
	ck_ok(map_at(100 * page, page));
	teardown();
}
END_TEST

START_TEST(the_whole_address_space_takes_a_region_at_its_very_end)
{
	uint64_t last = -page;
	void *p;

	ck_ok(map_at(last, page));
	ck_ok(axvm_translate(vm, UINT64_MAX, 1, &p));
	ck_ok(axvm_translate(vm, last, page, &p));
	ck_fails(axvm_translate(vm, UINT64_MAX, 2, &p), EFAULT);
	ck_fails(axvm_translate(vm, last, page + 1, &p), EFAULT);
	ck_fails(axvm_translate(vm, last, UINT64_MAX, &p), EFAULT);
	ck_fails_saying(axvm_set(vm, UINT64_MAX, 0, 2), EFAULT, "set 0xffffffffffffffff +0x2: ");
	ck_ok(axvm_set(vm, last, 0xaa, page));
	/* Page 0 adjoins it only for those who let addresses wrap around. */
	ck_ok(map_at(0, page));
	ck_fails_saying(axvm_set(vm, UINT64_MAX, 0, 2), EFAULT, "set 0xffffffffffffffff +0x2: ");
	ck_fails(axvm_translate(vm, UINT64_MAX, 2, &p), EFAULT);
	ck_fails(map_at(last, page), EEXIST);
	ck_ok(axvm_unmap(vm, last, page));
}
END_TEST

/* --- translate, read, write: edges ------------------------------------------------------------ */

START_TEST(translate_at_the_edges_of_a_region)
{
	const uint64_t gpa = 16 * page;
	void *untouched = &untouched, *p = untouched;

	ck_ok(map_own(gpa, 2 * page, 0));
	ck_ok(axvm_translate(vm, gpa, 1, &p));
	ck_assert_ptr_eq(p, own);
	ck_ok(axvm_translate(vm, gpa, 2 * page, &p));
	ck_assert_ptr_eq(p, own);
	ck_ok(axvm_translate(vm, gpa + 2 * page - 1, 1, &p));
	ck_assert_ptr_eq(p, own + 2 * page - 1);

	p = untouched;
	ck_fails(axvm_translate(vm, gpa - 1, 1, &p), EFAULT);
	ck_fails(axvm_translate(vm, gpa - 1, 2, &p), EFAULT);
	ck_fails(axvm_translate(vm, gpa + 2 * page, 1, &p), EFAULT);
	ck_fails(axvm_translate(vm, gpa + 2 * page - 1, 2, &p), EFAULT);
	ck_fails(axvm_translate(vm, gpa, 2 * page + 1, &p), EFAULT);
	/* The end wraps around, right back into the region, for one. */
	ck_fails(axvm_translate(vm, gpa + 1, UINT64_MAX, &p), EFAULT);
	ck_fails(axvm_translate(vm, gpa, -gpa, &p), EFAULT);
	ck_fails_saying(axvm_translate(vm, gpa, 0, &p), EINVAL, "the length is 0");
	ck_assert_ptr_eq(p, untouched);
}
END_TEST

START_TEST(translate_ends_at_its_region_but_copies_go_on)
{
	const uint64_t gpa = 16 * page;
	unsigned char buf[64], back[64];
	void *p;

	ck_ok(map_at(gpa, page));
	ck_ok(map_at(gpa + page, page));
	ck_fails(axvm_translate(vm, gpa + page - 1, 2, &p), EFAULT);
	ck_ok(axvm_translate(vm, gpa + page - 1, 1, &p));
	ck_ok(axvm_translate(vm, gpa + page, page, &p));

	for (unsigned int i = 0; i < sizeof(buf); i++)
		buf[i] = (unsigned char)(i + 1);
	ck_ok(axvm_write(vm, gpa + page - 32, buf, sizeof(buf)));
	ck_ok(axvm_read(vm, gpa + page - 32, back, sizeof(back)));
	ck_assert_mem_eq(buf, back, sizeof(buf));
	ck_assert_uint_eq(((unsigned char *)p)[0], 33);
}
END_TEST

START_TEST(copies_are_all_or_nothing)
{
	unsigned char buf[256], before[256];
	void *p;

	ck_ok(map_at(16 * page, page));
	memset(buf, 0x5a, sizeof(buf));
	memset(before, 0x5a, sizeof(before));
	ck_fails(axvm_read(vm, 17 * page - 128, buf, sizeof(buf)), EFAULT);
	ck_assert_mem_eq(buf, before, sizeof(buf));
	ck_fails(axvm_write(vm, 17 * page - 128, buf, sizeof(buf)), EFAULT);
	ck_fails(axvm_set(vm, 17 * page - 128, 0x5a, 256), EFAULT);
	ck_ok(axvm_translate(vm, 17 * page - 128, 128, &p));
	for (int i = 0; i < 128; i++)
		ck_assert_uint_eq(((unsigned char *)p)[i], 0);
	/* A hole between two regions is one, too. */
	ck_ok(map_at(18 * page, page));
	ck_fails(axvm_set(vm, 16 * page, 0x5a, 3 * page), EFAULT);
	ck_assert_uint_eq(((unsigned char *)p)[0], 0);
}
END_TEST

START_TEST(copies_of_nothing_succeed_anywhere)
{
	ck_ok(axvm_read(vm, 0, NULL, 0));
	ck_ok(axvm_write(vm, UINT64_MAX, NULL, 0));
	ck_ok(axvm_set(vm, 12345, 0, 0));
}
END_TEST

START_TEST(copies_that_wrap_around_are_refused)
{
	unsigned char byte = 0;

	ck_ok(map_at(0, page));
	ck_fails(axvm_read(vm, 1, &byte, UINT64_MAX), EFAULT);
	ck_fails(axvm_write(vm, 1, &byte, UINT64_MAX), EFAULT);
	ck_fails(axvm_set(vm, page - 1, 0, -(page - 1) + 1), EFAULT);
}
END_TEST

START_TEST(host_writes_to_readonly_caller_memory_are_refused)
{
	unsigned char buf[16] = { 1 };

	ck_ok(map_own(16 * page, 2 * page, AXVM_MEM_READONLY));
	ck_fails_saying(axvm_write(vm, 16 * page, buf, sizeof(buf)), EROFS,
			"read-only for the host");
	ck_fails(axvm_set(vm, 17 * page, 1, 1), EROFS);
	ck_ok(axvm_read(vm, 16 * page, buf, sizeof(buf)));
	ck_assert_uint_eq(buf[0], 0);
	/* A write that only ends there changes nothing before it. */
	ck_ok(map_at(15 * page, page));
	ck_fails(axvm_set(vm, 16 * page - 8, 1, 16), EROFS);
	ck_ok(axvm_read(vm, 16 * page - 8, buf, 8));
	ck_assert_uint_eq(buf[0], 0);
}
END_TEST

/* --- unmap, list ------------------------------------------------------------------------------ */

START_TEST(unmap_takes_whole_regions_only)
{
	const uint64_t gpa = 16 * page;

	ck_ok(map_at(gpa, 4 * page));
	ck_ok(map_at(gpa + 4 * page, page));
	ck_fails(axvm_unmap(vm, gpa, page), ENOENT);
	ck_fails(axvm_unmap(vm, gpa, 5 * page), ENOENT);
	ck_fails(axvm_unmap(vm, gpa + page, 3 * page), ENOENT);
	ck_fails(axvm_unmap(vm, gpa - page, 5 * page), ENOENT);
	ck_fails(axvm_unmap(vm, gpa, 0), ENOENT);
	ck_fails(axvm_unmap(vm, gpa, UINT64_MAX), ENOENT);
	ck_fails(axvm_unmap(vm, gpa + 1, 4 * page), ENOENT);
	ck_fails_saying(axvm_unmap(vm, 0, page), ENOENT, "no region has exactly this range");
	ck_assert_uint_eq(mock.calls[MOCK_VM_UNMAP], 0);
	ck_assert_int_eq(count(), 2);
	ck_ok(axvm_unmap(vm, gpa, 4 * page));
	ck_fails(axvm_unmap(vm, gpa, 4 * page), ENOENT);
	ck_ok(axvm_unmap(vm, gpa + 4 * page, page));
	ck_assert_int_eq(count(), 0);
	ck_fails(axvm_unmap(vm, gpa, page), ENOENT);
}
END_TEST

START_TEST(last_hit_is_forgotten_when_its_region_goes)
{
	void *p;

	for (uint64_t i = 0; i < 8; i++)
		ck_ok(map_at(2 * i * page, page));
	for (uint64_t i = 0; i < 8; i++) {
		/* Hit it, take it away, hit again: each in turn, so that the indexes shift. */
		ck_ok(axvm_translate(vm, 2 * i * page, page, &p));
		ck_ok(axvm_unmap(vm, 2 * i * page, page));
		ck_fails(axvm_translate(vm, 2 * i * page, 1, &p), EFAULT);
		if (i < 7)
			ck_ok(axvm_translate(vm, 2 * (i + 1) * page, page, &p));
	}
	/* And a region mapped in its place is not mistaken for the old one. */
	ck_ok(map_own(14 * page, 2 * page, 0));
	ck_ok(axvm_translate(vm, 15 * page, page, &p));
	ck_assert_ptr_eq(p, own + page);
	ck_ok(map_at(0, page));
	ck_ok(axvm_translate(vm, 15 * page, page, &p));
	ck_assert_ptr_eq(p, own + page);
}
END_TEST

START_TEST(regions_are_listed_by_address)
{
	struct axvm_region list[4] = { AXVM_REGION_INIT };

	ck_ok(map_at(32 * page, page));
	ck_ok(map_own(0, 2 * page, AXVM_MEM_READONLY));
	ck_ok(map_at(16 * page, 3 * page));
	ck_assert_int_eq(axvm_regions(vm, 0, 4, list), 3);
	ck_assert_uint_eq(list[0].gpa, 0);
	ck_assert_uint_eq(list[0].len, 2 * page);
	ck_assert_uint_eq(list[0].backing, AXVM_MEM_CALLER);
	ck_assert_uint_eq(list[0].flags, AXVM_MEM_READONLY);
	ck_assert_ptr_eq(list[0].hva, own);
	ck_assert_int_eq(list[0].fd, -1);
	ck_assert_uint_eq(list[1].gpa, 16 * page);
	ck_assert_uint_eq(list[1].len, 3 * page);
	ck_assert_ptr_nonnull(list[1].hva);
	ck_assert_uint_eq(list[2].gpa, 32 * page);
	for (int i = 0; i < 3; i++)
		ck_assert_uint_eq(list[i].size, sizeof(list[i]));
	ck_assert_uint_eq(list[3].size, 0);

	/* A part of the list; the rest of the array stays as it is. */
	memset(list, 0x77, sizeof(list));
	list[0].size = sizeof(list[0]);
	ck_assert_int_eq(axvm_regions(vm, 1, 1, list), 3);
	ck_assert_uint_eq(list[0].gpa, 16 * page);
	ck_assert_uint_eq(list[1].gpa, UINT64_C(0x7777777777777777));
	ck_assert_int_eq(axvm_regions(vm, 3, 4, list), 3);
	ck_assert_int_eq(axvm_regions(vm, SIZE_MAX, SIZE_MAX, list), 3);
	ck_assert_uint_eq(list[0].gpa, 16 * page);
	ck_fails(axvm_regions(vm, 0, 1, NULL), EINVAL);
}
END_TEST

/* --- state after a failing backend or HAL ----------------------------------------------------- */

static void say_so(enum mock_op op, void *arch)
{
	(void)arch;
	if (mock.ret[op])
		axvcpu_fail(NULL, mock.ret[op], "the backend fails");
}

START_TEST(failing_backend_map_leaves_nothing_behind)
{
	const uint64_t gpa = 16 * page;
	void *p;

	mock.hook = say_so;
	mock.ret[MOCK_VM_MAP] = -ENOMEM;
	for (uint32_t backing = 0; backing <= AXVM_MEM_CALLER; backing++) {
		struct axvm_region region = region_of(backing);

		ck_fails_saying(axvm_map(vm, &region), ENOMEM, "the backend fails");
		ck_assert_int_eq(count(), 0);
		ck_fails(axvm_translate(vm, gpa, 1, &p), EFAULT);
	}
	mock.ret[MOCK_VM_MAP] = 0;
	for (uint32_t backing = 0; backing <= AXVM_MEM_CALLER; backing++) {
		struct axvm_region region = region_of(backing);

		ck_ok(axvm_map(vm, &region));
		ck_ok(axvm_unmap(vm, region.gpa, region.len));
	}
}
END_TEST

START_TEST(failing_backend_unmap_leaves_the_region)
{
	const uint64_t gpa = 16 * page;
	unsigned char byte = 0;

	mock.hook = say_so;
	ck_ok(map_at(gpa, page));
	ck_ok(axvm_set(vm, gpa, 0x42, page));
	mock.ret[MOCK_VM_UNMAP] = -EIO;
	ck_fails_saying(axvm_unmap(vm, gpa, page), EIO, "the backend fails");
	ck_assert_int_eq(count(), 1);
	ck_ok(axvm_read(vm, gpa + page - 1, &byte, 1));
	ck_assert_uint_eq(byte, 0x42);
	ck_fails(map_at(gpa, page), EEXIST);
	mock.ret[MOCK_VM_UNMAP] = 0;
	ck_ok(axvm_unmap(vm, gpa, page));
	ck_assert_int_eq(count(), 0);
}
END_TEST

/* A HAL that counts, and returns the configured errors. */
static struct {
	unsigned int maps, unmaps;
	int ret;
	/* Added to the returned address. */
	size_t skew;
	bool null;
	void *ctx;
	uint64_t last_gpa;
} hal;

static int hal_map(void *ctx, struct axvm_region *region)
{
	hal.ctx = ctx;
	if (hal.ret)
		return hal.ret;
	ck_assert_ptr_null(region->hva);
	hal.maps++;
	hal.last_gpa = region->gpa;
	region->hva = hal.null ? NULL : own + hal.skew;
	return 0;
}

static void hal_unmap(void *ctx, const struct axvm_region *region)
{
	ck_assert_ptr_eq(ctx, &hal);
	ck_assert_uint_eq(region->gpa, hal.last_gpa);
	ck_assert_ptr_eq(region->hva, hal.null ? NULL : own + hal.skew);
	hal.unmaps++;
}

static void hal_setup(void)
{
	struct axvcpu_hal hooks = AXVCPU_HAL_INIT;

	memset(&hal, 0, sizeof(hal));
	hooks.ctx = &hal;
	hooks.map_memory = hal_map;
	hooks.unmap_memory = hal_unmap;
	create(&hooks, 0, 0);
	/* It was copied. */
	memset(&hooks, 0xff, sizeof(hooks));
}

START_TEST(hal_hooks_come_in_pairs)
{
	void *p;

	ck_ok(map_at(16 * page, page));
	ck_assert_ptr_eq(hal.ctx, &hal);
	ck_assert_uint_eq(hal.maps, 1);
	ck_assert_uint_eq(hal.unmaps, 0);
	ck_ok(axvm_translate(vm, 16 * page + 1, 1, &p));
	ck_assert_ptr_eq(p, own + 1);
	ck_ok(axvm_unmap(vm, 16 * page, page));
	ck_assert_uint_eq(hal.unmaps, 1);
	/* The caller's memory is none of its business. */
	ck_ok(map_own(0, page, 0));
	ck_assert_uint_eq(hal.maps, 1);
	ck_ok(axvm_unmap(vm, 0, page));
	ck_assert_uint_eq(hal.unmaps, 1);
	/* The end of the VM is the end of its memory. */
	ck_ok(map_at(32 * page, page));
	teardown();
	ck_assert_uint_eq(hal.maps, 2);
	ck_assert_uint_eq(hal.unmaps, 2);
}
END_TEST

START_TEST(hal_gets_its_memory_back_when_the_backend_fails)
{
	mock.hook = say_so;
	mock.ret[MOCK_VM_MAP] = -ENOSPC;
	ck_fails(map_at(16 * page, page), ENOSPC);
	ck_assert_uint_eq(hal.maps, 1);
	ck_assert_uint_eq(hal.unmaps, 1);
	mock.ret[MOCK_VM_MAP] = 0;
	/* While the backend still has the region, its memory stays. */
	ck_ok(map_at(16 * page, page));
	mock.ret[MOCK_VM_UNMAP] = -EIO;
	ck_fails(axvm_unmap(vm, 16 * page, page), EIO);
	ck_assert_uint_eq(hal.unmaps, 1);
	mock.ret[MOCK_VM_UNMAP] = 0;
	teardown();
	ck_assert_uint_eq(hal.unmaps, 2);
}
END_TEST

START_TEST(failing_hal_is_passed_on)
{
	void *p;

	/* An earlier failure is unrelated, and must not be in the message. */
	ck_fails_saying(axvm_translate(vm, 0x123000, 1, &p), EFAULT, "0x123000");
	hal.ret = -ENFILE;
	ck_fails_saying(map_at(16 * page, page), ENFILE, "map 0x");
	ck_assert_msg(!strstr(axvcpu_last_error(), "0x123000"), "%s", axvcpu_last_error());
	ck_assert_uint_eq(mock.calls[MOCK_VM_MAP], 0);
	ck_assert_int_eq(count(), 0);
	hal.ret = 0;
	ck_ok(map_at(16 * page, page));
	teardown();
	ck_assert_uint_eq(hal.maps, 1);
	ck_assert_uint_eq(hal.unmaps, 1);
}
END_TEST

START_TEST(unaligned_memory_of_a_hal_is_refused)
{
	hal.skew = 16;
	ck_fails_saying(map_at(16 * page, page), EINVAL, "is unaligned");
	ck_assert_uint_eq(hal.maps, hal.unmaps);
	hal.skew = 0;
	hal.null = true;
	ck_fails(map_at(16 * page, page), EINVAL);
	ck_assert_uint_eq(hal.maps, hal.unmaps);
	ck_assert_uint_eq(mock.calls[MOCK_VM_MAP], 0);
	hal.null = false;
	ck_ok(map_at(16 * page, page));
	teardown();
	ck_assert_uint_eq(hal.maps, hal.unmaps);
}
END_TEST

START_TEST(half_a_pair_of_hal_hooks_is_refused)
{
	struct axvm_config config = AXVM_CONFIG_INIT;
	struct axvcpu_hal hooks = AXVCPU_HAL_INIT;
	struct axvm *none = NULL;

	config.arch = &mock_ops;
	config.hal = &hooks;
	hooks.map_memory = hal_map;
	ck_fails_saying(axvm_new(&config, &none), EINVAL, "must be given together");
	hooks.map_memory = NULL;
	hooks.unmap_memory = hal_unmap;
	ck_fails_saying(axvm_new(&config, &none), EINVAL, "must be given together");
	ck_assert_ptr_null(none);
}
END_TEST

/* --- slots ------------------------------------------------------------------------------------ */

static uint64_t slot_gpa[200];
static bool slot_fails;

static int slot_map(void *arch, const struct axvm_region *region, uint32_t slot)
{
	(void)arch;
	ck_assert_uint_lt(slot, 200);
	ck_assert_uint_eq(slot_gpa[slot], 0);
	if (slot_fails)
		return axvcpu_fail(NULL, -ENOMEM, "the backend fails");
	slot_gpa[slot] = region->gpa;
	return 0;
}

static int slot_unmap(void *arch, const struct axvm_region *region, uint32_t slot)
{
	(void)arch;
	ck_assert_uint_lt(slot, 200);
	ck_assert_uint_eq(slot_gpa[slot], region->gpa);
	slot_gpa[slot] = 0;
	return 0;
}

/* As many as KVM has, and not one more: so whatever is given back must be found again. */
START_TEST(slots_are_below_the_limit_and_used_again)
{
	struct axvm_config config = AXVM_CONFIG_INIT;

	limits.regions = 200;
	ops.vm_map = slot_map;
	ops.vm_unmap = slot_unmap;
	config.arch = &ops;
	ck_ok(axvm_free(vm));
	ck_ok(axvm_new(&config, &vm));
	for (uint64_t i = 1; i <= 200; i++) {
		slot_fails = true;
		ck_fails(map_own(i * 2 * page, page, 0), ENOMEM);
		slot_fails = false;
		ck_ok(map_own(i * 2 * page, page, 0));
	}
	ck_fails(map_own(1000 * page, page, 0), ENOSPC);
	for (uint64_t i = 3; i <= 200; i += 3)
		ck_ok(axvm_unmap(vm, i * 2 * page, page));
	for (uint64_t i = 3; i <= 200; i += 3)
		ck_ok(map_own((i + 1000) * 2 * page, page, 0));
	for (int i = 0; i < 200; i++)
		ck_assert_uint_ne(slot_gpa[i], 0);
}
END_TEST

/* --- threads ---------------------------------------------------------------------------------- */

#define STABLE (UINT64_C(1) << 30)
#define STABLE_PAGES 4
#define ROUNDS 3000

static atomic_bool done;

/* Without the bookkeeping that Check does for every assertion: a thread makes a million of them. */
#define must(condition) \
	do { \
		if (!(condition)) \
			ck_abort_msg("%s: %s", #condition, axvcpu_last_error()); \
	} while (0)

static bool all_bytes(const unsigned char *buf, size_t len, unsigned char byte)
{
	for (size_t i = 0; i < len; i++)
		if (buf[i] != byte)
			return false;
	return true;
}

/* At any time a reader sees a whole region or none. */
static void *read_all_the_time(void *arg)
{
	uintptr_t me = (uintptr_t)arg;
	unsigned char buf[512];

	for (uint64_t round = 0; !atomic_load(&done); round++) {
		struct axvm_region list[16] = { AXVM_REGION_INIT };
		uint64_t coming_and_going = round % 32 * 2 * page;
		void *p;
		int n, ret;

		must(!axvm_read(vm, STABLE + round % 64 * 128, buf, sizeof(buf)));
		must(all_bytes(buf, sizeof(buf), 0xa5));
		must(!axvm_translate(vm, STABLE + me * page, page, &p));
		ret = axvm_read(vm, coming_and_going + 100, buf, sizeof(buf));
		must(ret == -EFAULT || (!ret && all_bytes(buf, sizeof(buf), 0)));
		n = axvm_regions(vm, 0, 16, list);
		must(n >= 2);
		for (int i = 1; i < n && i < 16; i++)
			must(list[i].gpa >= list[i - 1].gpa + list[i - 1].len);
	}
	return NULL;
}

/* Each thread uses every other address, so that they share only the map. */
static void *map_all_the_time(void *arg)
{
	uint64_t me = (uintptr_t)arg;

	for (uint64_t round = 0; round < suite_scale(ROUNDS); round++) {
		uint64_t gpa = (round * 2 + me) % 32 * 2 * page;

		must(!map_at(gpa, page));
		must(!axvm_unmap(vm, gpa, page));
	}
	return NULL;
}

START_TEST(readers_and_changers_do_not_disturb_each_other)
{
	pthread_t readers[3], changers[2];

	ck_ok(map_at(STABLE, (STABLE_PAGES - 1) * page));
	ck_ok(map_at(STABLE + (STABLE_PAGES - 1) * page, page));
	ck_ok(axvm_set(vm, STABLE, 0xa5, STABLE_PAGES * page));
	for (uintptr_t i = 0; i < 3; i++)
		ck_assert_int_eq(pthread_create(&readers[i], NULL, read_all_the_time, (void *)i),
				 0);
	for (uintptr_t i = 0; i < 2; i++)
		ck_assert_int_eq(pthread_create(&changers[i], NULL, map_all_the_time, (void *)i),
				 0);
	for (int i = 0; i < 2; i++)
		pthread_join(changers[i], NULL);
	atomic_store(&done, true);
	for (int i = 0; i < 3; i++)
		pthread_join(readers[i], NULL);
	ck_assert_int_eq(count(), 2);
}
END_TEST

static void *copy_all_the_time(void *arg)
{
	unsigned char buf[512];

	(void)arg;
	while (!atomic_load(&done))
		must(!axvm_read(vm, STABLE, buf, sizeof(buf)));
	return NULL;
}

/* Nor a map, which makes versions of the index that copies may have. */
START_TEST(a_stream_of_copies_keeps_no_change_waiting)
{
	pthread_t threads[6];

	ck_ok(map_at(STABLE, page));
	for (int i = 0; i < 6; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, copy_all_the_time, NULL), 0);
	for (unsigned int i = 0; i < suite_scale(100); i++) {
		ck_ok(map_at(0, page));
		ck_ok(axvm_unmap(vm, 0, page));
	}
	atomic_store(&done, true);
	for (int i = 0; i < 6; i++)
		pthread_join(threads[i], NULL);
}
END_TEST

/* ---------------------------------------------------------------------------------------------- */

static void add_tests(Suite *suite)
{
	TCase *refused = suite_case(suite, "refused");
	TCase *edges = suite_case(suite, "edges");
	TCase *failing = suite_case(suite, "failing");
	TCase *custom = suite_case(suite, "hal");
	TCase *threads = suite_case(suite, "threads");

	tcase_add_checked_fixture(refused, refusal_setup, refusal_teardown);
	tcase_add_loop_test(refused, refused_before_the_backend_sees_it, 0,
			    sizeof(refusals) / sizeof(refusals[0]));
	tcase_add_test(refused, null_region_is_refused);
	tcase_add_test(refused, flags_go_with_backings_as_documented);
	tcase_add_test(refused, failing_backend_map_leaves_nothing_behind);

	tcase_add_checked_fixture(edges, setup, teardown);
	tcase_add_test(edges, every_way_to_overlap_is_refused_and_adjoining_is_not);
	tcase_add_test(edges, the_whole_address_space_takes_a_region_at_its_very_end);
	tcase_add_test(edges, translate_at_the_edges_of_a_region);
	tcase_add_test(edges, translate_ends_at_its_region_but_copies_go_on);
	tcase_add_test(edges, copies_are_all_or_nothing);
	tcase_add_test(edges, copies_of_nothing_succeed_anywhere);
	tcase_add_test(edges, copies_that_wrap_around_are_refused);
	tcase_add_test(edges, host_writes_to_readonly_caller_memory_are_refused);
	tcase_add_test(edges, unmap_takes_whole_regions_only);
	tcase_add_test(edges, last_hit_is_forgotten_when_its_region_goes);
	tcase_add_test(edges, regions_are_listed_by_address);
	tcase_add_test(edges, slots_are_below_the_limit_and_used_again);
	tcase_add_test(edges, failing_backend_unmap_leaves_the_region);

	tcase_add_test(failing, no_slot_is_left);
	tcase_add_test(failing, half_a_pair_of_hal_hooks_is_refused);

	tcase_add_checked_fixture(custom, hal_setup, NULL);
	tcase_add_test(custom, hal_hooks_come_in_pairs);
	tcase_add_test(custom, hal_gets_its_memory_back_when_the_backend_fails);
	tcase_add_test(custom, failing_hal_is_passed_on);
	tcase_add_test(custom, unaligned_memory_of_a_hal_is_refused);

	tcase_add_checked_fixture(threads, setup, teardown);
	tcase_add_test(threads, readers_and_changers_do_not_disturb_each_other);
	tcase_add_test(threads, a_stream_of_copies_keeps_no_change_waiting);
}

int main(void)
{
	return suite_main("memory", false, add_tests);
}
