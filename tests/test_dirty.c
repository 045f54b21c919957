/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * Dirty tracking in the library: its own writes and those that a backend reports are in one set, each
 * page is taken once, and none is lost by failures, short arrays or threads. Regions become read-only
 * and writable, or stay as they were. Needs no KVM.
 */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "mock.h"
#include "suite.h"

/* Two adjacent regions, and one apart. Their lengths in pages are no multiple of 64. */
#define PAGES 100u
#define GAP 1000u

static uint64_t page;
static struct axvm *vm;
static struct axvcpu *vcpu;

/* --- a backend that records -------------------------------------------------------------------- */

#define SLOTS 4

static struct {
	/* Calls of vm_set_dirty_log and vm_get_dirty; they fail with the errnos. */
	unsigned int sets, gets;
	int set_ret, get_ret;
	/* By slot: recorded, and which pages the guest has written to. */
	bool on[SLOTS];
	uint64_t written[SLOTS][(PAGES + 63) / 64];
	/* Flags of the latest map, and how many maps shall fail. */
	uint32_t map_flags;
	unsigned int failing_maps;
	unsigned int maps, unmaps;
} backend;

static int backend_map(void *arch, const struct axvm_region *region, uint32_t slot)
{
	(void)arch;
	ck_assert_uint_lt(slot, SLOTS);
	backend.maps++;
	if (backend.failing_maps) {
		backend.failing_maps--;
		return axvcpu_fail(vm, -ENOMEM, "no slot today");
	}
	backend.map_flags = region->flags;
	backend.on[slot] = region->flags & AXVM_MEM_LOG_DIRTY;
	return 0;
}

static int backend_unmap(void *arch, const struct axvm_region *region, uint32_t slot)
{
	(void)arch;
	(void)region;
	backend.unmaps++;
	backend.on[slot] = false;
	memset(backend.written[slot], 0, sizeof(backend.written[slot]));
	return 0;
}

static int backend_set_dirty_log(void *arch, const struct axvm_region *region, uint32_t slot)
{
	(void)arch;
	backend.sets++;
	if (backend.set_ret)
		return axvcpu_fail(vm, backend.set_ret, "no log today");
	ck_assert(backend.on[slot] != !!(region->flags & AXVM_MEM_LOG_DIRTY));
	backend.on[slot] = region->flags & AXVM_MEM_LOG_DIRTY;
	return 0;
}

static int backend_get_dirty(void *arch, const struct axvm_region *region, uint32_t slot,
			     uint64_t *bitmap)
{
	(void)arch;
	backend.gets++;
	if (backend.get_ret)
		return axvcpu_fail(vm, backend.get_ret, "no bitmap today");
	ck_assert(backend.on[slot]);
	/* A region of frames, to which the guest does not write. */
	if (region->len != PAGES * page) {
		memset(bitmap, 0, region->len / page / 8);
		return 0;
	}
	memcpy(bitmap, backend.written[slot], sizeof(backend.written[slot]));
	memset(backend.written[slot], 0, sizeof(backend.written[slot]));
	return 0;
}

/* --- the VM ----------------------------------------------------------------------------------- */

static struct axvcpu_arch_ops ops;

/* The addresses of the regions, in pages; each has PAGES of them. */
static const uint64_t starts[] = { 16, 16 + PAGES, GAP };

static uint64_t at(unsigned int region, uint64_t n)
{
	return (starts[region] + n) * page;
}

static int map_region(unsigned int region, uint32_t flags)
{
	struct axvm_region info = AXVM_REGION_INIT;

	info.gpa = at(region, 0);
	info.len = PAGES * page;
	info.flags = flags;
	return axvm_map(vm, &info);
}

static int set_log(unsigned int region, bool on)
{
	return axvm_set_dirty_log(vm, at(region, 0), PAGES * page, on);
}

static struct axvm_region listed(unsigned int region)
{
	struct axvm_region regions[3] = { AXVM_REGION_INIT };

	ck_assert_int_eq(axvm_regions(vm, 0, 3, regions), 3);
	return regions[region];
}

static void setup(void)
{
	struct axvm_config config = AXVM_CONFIG_INIT;

	page = (uint64_t)sysconf(_SC_PAGESIZE);
	mock_reset();
	memset(&backend, 0, sizeof(backend));
	ops = mock_ops;
	ops.vm_map = backend_map;
	ops.vm_unmap = backend_unmap;
	ops.vm_set_dirty_log = backend_set_dirty_log;
	ops.vm_get_dirty = backend_get_dirty;
	config.arch = &ops;
	ck_ok(axvm_new(&config, &vm));
	ck_ok(axvcpu_new(vm, NULL, &vcpu));
	mock.vcpu = vcpu;
	for (unsigned int i = 0; i < 3; i++)
		ck_ok(map_region(i, 0));
}

static void teardown(void)
{
	ck_ok(axvcpu_free(vcpu));
	ck_ok(axvm_free(vm));
}

static void switch_all_on(void)
{
	for (unsigned int i = 0; i < 3; i++)
		ck_ok(set_log(i, true));
}

/* A round must give exactly these ranges, each { region, first page, number of pages }. */
struct expected {
	unsigned int region;
	uint64_t first, pages;
};

static void expect_round(const struct expected *expected, unsigned int count)
{
	struct axvm_dirty_range ranges[16];
	uint64_t cursor = 0;
	void *ptr;
	int n = axvm_take_dirty(vm, &cursor, 16, ranges);

	ck_assert_int_eq(n, (int)count);
	for (unsigned int i = 0; i < count; i++) {
		const uint64_t gpa = at(expected[i].region, expected[i].first);

		ck_assert_uint_eq(ranges[i].gpa, gpa);
		ck_assert_uint_eq(ranges[i].len, expected[i].pages * page);
		ck_ok(axvm_translate(vm, gpa, ranges[i].len, &ptr));
		ck_assert_ptr_eq(ranges[i].hva, ptr);
	}
	if (n)
		ck_assert_int_eq(axvm_take_dirty(vm, &cursor, 16, ranges), 0);
	ck_assert_uint_eq(cursor, 0);
}

#define EXPECT_ROUND(...) \
	do { \
		static const struct expected expected_[] = { __VA_ARGS__ }; \
		expect_round(expected_, sizeof(expected_) / sizeof(expected_[0])); \
	} while (0)

static void expect_nothing(void)
{
	expect_round(NULL, 0);
}

static void guest_writes(unsigned int region, uint64_t n)
{
	backend.written[listed(region).slot][n / 64] |= UINT64_C(1) << n % 64;
}

/* --- recording -------------------------------------------------------------------------------- */

START_TEST(writes_of_the_library_are_recorded_once)
{
	char bytes[3] = { 1, 2, 3 };

	switch_all_on();
	expect_nothing();
	/* One byte, two pages, a run across a word of the bitmap, the last page. */
	ck_ok(axvm_write(vm, at(0, 3) + 5, bytes, 1));
	ck_ok(axvm_write(vm, at(0, 11) - 1, bytes, 2));
	ck_ok(axvm_set(vm, at(0, 62), 7, 4 * page));
	ck_ok(axvm_set(vm, at(2, PAGES) - 1, 7, 1));
	EXPECT_ROUND({ 0, 3, 1 }, { 0, 10, 2 }, { 0, 62, 4 }, { 2, PAGES - 1, 1 });
	expect_nothing();
}
END_TEST

START_TEST(write_across_regions_is_recorded_in_both)
{
	switch_all_on();
	ck_ok(axvm_set(vm, at(1, 0) - 1, 7, 2));
	EXPECT_ROUND({ 0, PAGES - 1, 1 }, { 1, 0, 1 });
	/* All pages of one, and a byte before. */
	ck_ok(axvm_set(vm, at(1, 0) - 1, 7, PAGES * page + 1));
	EXPECT_ROUND({ 0, PAGES - 1, 1 }, { 1, 0, PAGES });
}
END_TEST

START_TEST(reads_and_refused_writes_are_not_recorded)
{
	char byte;

	switch_all_on();
	ck_ok(axvm_read(vm, at(0, 0), &byte, 1));
	ck_ok(axvm_set(vm, at(0, 0), 1, 0));
	ck_ok(axvm_mark_dirty(vm, at(0, 0), 0));
	ck_fails(axvm_set(vm, at(2, PAGES - 1), 1, 2 * page), EFAULT);
	ck_fails_saying(axvm_mark_dirty(vm, at(2, PAGES - 1), 2 * page), EFAULT, "mark_dirty");
	ck_fails(axvm_mark_dirty(vm, UINT64_MAX, 2), EFAULT);
	expect_nothing();
}
END_TEST

START_TEST(writes_through_pointers_are_recorded_if_marked)
{
	unsigned char *ptr;
	void *start;

	ck_ok(set_log(0, true));
	ck_ok(axvm_translate(vm, at(0, 20), 1, &start));
	ptr = start;
	ptr[1] = 1;
	expect_nothing();
	/* The second region has no log. */
	ck_ok(axvm_mark_dirty(vm, at(0, 20) + 1, 1));
	ck_ok(axvm_mark_dirty(vm, at(0, 98), 4 * page));
	EXPECT_ROUND({ 0, 20, 1 }, { 0, 98, 2 });
	ck_ok(set_log(1, true));
	expect_nothing();
}
END_TEST

START_TEST(writes_of_the_guest_and_of_the_library_are_one_set)
{
	switch_all_on();
	guest_writes(0, 5);
	guest_writes(0, 6);
	guest_writes(1, 99);
	ck_ok(axvm_set(vm, at(0, 6), 1, 2 * page));
	EXPECT_ROUND({ 0, 5, 3 }, { 1, 99, 1 });
	expect_nothing();
	/* Each round asks. */
	guest_writes(0, 5);
	EXPECT_ROUND({ 0, 5, 1 });
}
END_TEST

START_TEST(pages_beyond_the_region_are_ignored)
{
	switch_all_on();
	for (unsigned int i = 0; i < SLOTS; i++)
		if (backend.on[i])
			memset(backend.written[i], 0xff, sizeof(backend.written[i]));
	EXPECT_ROUND({ 0, 0, PAGES }, { 1, 0, PAGES }, { 2, 0, PAGES });
	expect_nothing();
}
END_TEST

START_TEST(frame_is_dirty_when_it_is_allocated)
{
	struct axvm_region regions[4] = { AXVM_REGION_INIT };
	struct axvm_dirty_range ranges[2];
	uint64_t first, second, cursor = 0;

	ck_ok(axvm_alloc_frame(vm, &first));
	ck_assert_int_eq(axvm_regions(vm, 0, 4, regions), 4);
	ck_ok(axvm_set_dirty_log(vm, regions[3].gpa, regions[3].len, true));
	ck_ok(axvm_alloc_frame(vm, &second));
	ck_assert_int_eq(axvm_take_dirty(vm, &cursor, 2, ranges), 1);
	ck_assert_uint_eq(ranges[0].gpa, second);
	ck_assert_uint_eq(ranges[0].len, page);
	ck_ok(axvm_free_frame(vm, first));
	ck_ok(axvm_free_frame(vm, second));
}
END_TEST

START_TEST(reset_of_memory_makes_all_of_it_dirty)
{
	switch_all_on();
	ck_ok(axvm_reset(vm, AXVM_RESET_MEMORY));
	EXPECT_ROUND({ 0, 0, PAGES }, { 1, 0, PAGES }, { 2, 0, PAGES });
	ck_ok(axvm_reset(vm, 0));
	expect_nothing();
}
END_TEST

/* --- taking ----------------------------------------------------------------------------------- */

START_TEST(short_array_loses_and_repeats_no_page)
{
	struct axvm_dirty_range ranges[3];
	const size_t room = (size_t)_i;
	uint64_t cursor = 0, next = 0;
	unsigned int total = 0;
	int n;

	switch_all_on();
	/* Every other page of all regions. */
	for (unsigned int region = 0; region < 3; region++)
		for (uint64_t i = 0; i < PAGES; i += 2)
			ck_ok(axvm_set(vm, at(region, i), 1, 1));
	while ((n = axvm_take_dirty(vm, &cursor, room, ranges)) > 0) {
		ck_assert_int_le(n, (int)room);
		for (int i = 0; i < n; i++) {
			ck_assert_uint_ge(ranges[i].gpa, next);
			ck_assert_uint_eq(ranges[i].len, page);
			next = ranges[i].gpa + ranges[i].len;
			total++;
		}
	}
	ck_assert_int_eq(n, 0);
	ck_assert_uint_eq(total, 3 * PAGES / 2);
	expect_nothing();
}
END_TEST

START_TEST(page_that_changes_during_a_round_is_in_the_next_one)
{
	struct axvm_dirty_range range;
	uint64_t cursor = 0;

	switch_all_on();
	ck_ok(axvm_set(vm, at(0, 1), 1, 1));
	ck_ok(axvm_set(vm, at(1, 3), 1, 1));
	ck_assert_int_eq(axvm_take_dirty(vm, &cursor, 1, &range), 1);
	ck_assert_uint_eq(range.gpa, at(0, 1));
	/* The same again, one before it, and one ahead, which belongs to this round. */
	ck_ok(axvm_set(vm, at(0, 1), 2, 1));
	ck_ok(axvm_set(vm, at(0, 0), 2, 1));
	ck_ok(axvm_set(vm, at(2, 9), 2, 1));
	ck_assert_int_eq(axvm_take_dirty(vm, &cursor, 1, &range), 1);
	ck_assert_uint_eq(range.gpa, at(1, 3));
	ck_assert_int_eq(axvm_take_dirty(vm, &cursor, 1, &range), 1);
	ck_assert_uint_eq(range.gpa, at(2, 9));
	ck_assert_int_eq(axvm_take_dirty(vm, &cursor, 1, &range), 0);
	EXPECT_ROUND({ 0, 0, 2 });
}
END_TEST

START_TEST(failing_backend_loses_no_page)
{
	struct axvm_dirty_range ranges[4];
	uint64_t cursor = 0;

	switch_all_on();
	guest_writes(0, 3);
	guest_writes(1, 4);
	ck_ok(axvm_set(vm, at(2, 5), 1, 1));
	backend.get_ret = -EIO;
	ck_fails_saying(axvm_take_dirty(vm, &cursor, 4, ranges), EIO, "no bitmap today");
	ck_assert_uint_eq(cursor, 0);
	backend.get_ret = 0;
	EXPECT_ROUND({ 0, 3, 1 }, { 1, 4, 1 }, { 2, 5, 1 });
}
END_TEST

static int fail_second_get(void *arch, const struct axvm_region *region, uint32_t slot,
			   uint64_t *bitmap)
{
	backend.get_ret = backend.gets == 1 ? -EIO : 0;
	return backend_get_dirty(arch, region, slot, bitmap);
}

START_TEST(pages_taken_before_a_failure_are_reported_first)
{
	struct axvm_dirty_range ranges[4];
	uint64_t cursor = 0;

	switch_all_on();
	guest_writes(0, 3);
	guest_writes(1, 4);
	ops.vm_get_dirty = fail_second_get;
	ck_assert_int_eq(axvm_take_dirty(vm, &cursor, 4, ranges), 1);
	ck_assert_uint_eq(ranges[0].gpa, at(0, 3));
	ck_assert_int_eq(axvm_take_dirty(vm, &cursor, 4, ranges), 1);
	ck_assert_uint_eq(ranges[0].gpa, at(1, 4));
	ck_assert_int_eq(axvm_take_dirty(vm, &cursor, 4, ranges), 0);
}
END_TEST

START_TEST(invalid_arguments_take_nothing)
{
	struct axvm_dirty_range range;
	uint64_t cursor = 0;

	switch_all_on();
	ck_ok(axvm_set(vm, at(0, 1), 1, 1));
	ck_fails_saying(axvm_take_dirty(vm, NULL, 1, &range), EINVAL, "cursor");
	ck_fails_saying(axvm_take_dirty(vm, &cursor, 1, NULL), EINVAL, "array");
	ck_fails_saying(axvm_take_dirty(vm, &cursor, 0, &range), EINVAL, "elements");
	ck_fails_saying(axvm_take_dirty(vm, &cursor, (size_t)1 << 31, &range), EINVAL, "elements");
	EXPECT_ROUND({ 0, 1, 1 });
}
END_TEST

/* --- threads ---------------------------------------------------------------------------------- */

static atomic_bool stop;

static void *write_all_the_time(void *arg)
{
	uint64_t value = 0;

	while (!atomic_load(&stop)) {
		value++;
		ck_ok(axvm_write(vm, at(0, value % PAGES), &value, sizeof(value)));
	}
	return arg;
}

/* A copy that is updated with the taken pages only is the memory, once the writer has ended. */
START_TEST(copy_of_taken_pages_is_complete)
{
	unsigned char *copy = calloc(PAGES, page), *memory;
	struct axvm_dirty_range ranges[4];
	pthread_t writer;
	void *start;
	int n;

	ck_assert_ptr_nonnull(copy);
	ck_ok(axvm_translate(vm, at(0, 0), PAGES * page, &start));
	memory = start;
	atomic_store(&stop, false);
	ck_assert_int_eq(pthread_create(&writer, NULL, write_all_the_time, NULL), 0);
	ck_ok(set_log(0, true));
	ck_ok(axvm_read(vm, at(0, 0), copy, PAGES * page));
	for (unsigned int i = 0; i < suite_scale(2000); i++) {
		uint64_t cursor = 0;

		if (i + 1 == suite_scale(2000)) {
			atomic_store(&stop, true);
			pthread_join(writer, NULL);
		}
		while ((n = axvm_take_dirty(vm, &cursor, 4, ranges)) > 0)
			for (int r = 0; r < n; r++)
				ck_ok(axvm_read(vm, ranges[r].gpa,
						copy + (ranges[r].gpa - at(0, 0)), ranges[r].len));
		ck_assert_int_eq(n, 0);
	}
	ck_assert_int_eq(memcmp(copy, memory, PAGES * page), 0);
	free(copy);
}
END_TEST

/* --- switching -------------------------------------------------------------------------------- */

START_TEST(nothing_is_recorded_while_the_log_is_off)
{
	ck_ok(axvm_set(vm, at(0, 1), 1, 1));
	ck_ok(set_log(0, true));
	expect_nothing();
	ck_ok(axvm_set(vm, at(0, 2), 1, 1));
	/* Pages that were not taken are forgotten. */
	ck_ok(set_log(0, false));
	ck_ok(axvm_set(vm, at(0, 3), 1, 1));
	expect_nothing();
	ck_ok(set_log(0, true));
	expect_nothing();
	ck_ok(axvm_set(vm, at(0, 4), 1, 1));
	EXPECT_ROUND({ 0, 4, 1 });
}
END_TEST

START_TEST(switching_to_the_present_state_does_nothing)
{
	ck_ok(set_log(0, false));
	ck_assert_uint_eq(backend.sets, 0);
	ck_ok(set_log(0, true));
	ck_ok(axvm_set(vm, at(0, 4), 1, 1));
	ck_ok(set_log(0, true));
	ck_assert_uint_eq(backend.sets, 1);
	EXPECT_ROUND({ 0, 4, 1 });
}
END_TEST

START_TEST(refused_switch_changes_nothing)
{
	backend.set_ret = -ENOMEM;
	ck_fails_saying(set_log(0, true), ENOMEM, "no log today");
	ck_assert_uint_eq(listed(0).flags, 0);
	backend.set_ret = 0;
	ck_ok(set_log(0, true));
	ck_assert_uint_eq(listed(0).flags, AXVM_MEM_LOG_DIRTY);
	ck_ok(axvm_set(vm, at(0, 4), 1, 1));
	backend.set_ret = -ENOMEM;
	ck_fails(set_log(0, false), ENOMEM);
	EXPECT_ROUND({ 0, 4, 1 });
	ck_fails_saying(axvm_set_dirty_log(vm, at(0, 0), page, true), ENOENT, "set_dirty_log");
	ck_fails(axvm_set_dirty_log(vm, at(0, 1), PAGES * page, true), ENOENT);
	ck_fails(axvm_set_dirty_log(vm, at(2, PAGES), page, true), ENOENT);
}
END_TEST

START_TEST(region_is_mapped_with_its_log_on)
{
	ck_ok(axvm_unmap(vm, at(0, 0), PAGES * page));
	ck_ok(map_region(0, AXVM_MEM_LOG_DIRTY));
	ck_assert_uint_eq(backend.map_flags, AXVM_MEM_LOG_DIRTY);
	ck_assert_uint_eq(backend.sets, 0);
	ck_assert_uint_eq(listed(0).flags, AXVM_MEM_LOG_DIRTY);
	expect_nothing();
	ck_ok(axvm_set(vm, at(0, 4), 1, 1));
	guest_writes(0, 5);
	EXPECT_ROUND({ 0, 4, 2 });
}
END_TEST

START_TEST(unmapped_region_leaves_the_round)
{
	switch_all_on();
	ck_ok(axvm_set(vm, at(0, 4), 1, 1));
	ck_ok(axvm_set(vm, at(1, 4), 1, 1));
	ck_ok(axvm_unmap(vm, at(0, 0), PAGES * page));
	EXPECT_ROUND({ 1, 4, 1 });
	ck_ok(map_region(0, 0));
	expect_nothing();
}
END_TEST

START_TEST(backend_without_it_is_refused_by_name)
{
	ops.vm_get_dirty = NULL;
	ck_fails_saying(set_log(0, true), ENOTSUP, "dirty tracking: not supported by the mock");
	ck_ok(axvm_unmap(vm, at(0, 0), PAGES * page));
	ck_fails_saying(map_region(0, AXVM_MEM_LOG_DIRTY), ENOTSUP, "dirty tracking");
	ck_ok(map_region(0, 0));
	/* Without a log there is nothing to take. */
	ck_ok(axvm_mark_dirty(vm, at(0, 0), 1));
	expect_nothing();
}
END_TEST

START_TEST(ring_of_a_wrong_size_is_refused)
{
	struct axvm_config config = AXVM_CONFIG_INIT;
	struct axvm *other = NULL;

	config.arch = &ops;
	config.dirty_ring_entries = 1000;
	ck_fails_saying(axvm_new(&config, &other), EINVAL, "dirty_ring_entries is 1000");
	ck_assert_ptr_null(other);
}
END_TEST

/* --- slots ------------------------------------------------------------------------------------ */

START_TEST(slots_are_listed)
{
	const uint32_t second = listed(1).slot;

	ck_assert_uint_ne(listed(0).slot, second);
	ck_assert_uint_ne(listed(0).slot, listed(2).slot);
	ck_assert_uint_ne(second, listed(2).slot);
	ck_ok(axvm_unmap(vm, at(0, 0), PAGES * page));
	ck_ok(map_region(0, 0));
	ck_assert_uint_eq(listed(1).slot, second);
}
END_TEST

/* --- read-only -------------------------------------------------------------------------------- */

static int set_readonly(unsigned int region, bool readonly)
{
	return axvm_set_readonly(vm, at(region, 0), PAGES * page, readonly);
}

START_TEST(region_becomes_read_only_and_writable)
{
	const uint32_t slot = listed(0).slot;
	void *before, *after;
	unsigned char byte = 0;

	ck_ok(axvm_translate(vm, at(0, 0), 1, &before));
	ck_ok(axvm_set(vm, at(0, 0), 7, 1));
	backend.maps = 0;
	ck_ok(set_readonly(0, true));
	ck_assert_uint_eq(backend.unmaps, 1);
	ck_assert_uint_eq(backend.maps, 1);
	ck_assert_uint_eq(backend.map_flags, AXVM_MEM_READONLY);
	ck_assert_uint_eq(listed(0).flags, AXVM_MEM_READONLY);
	ck_assert_uint_eq(listed(0).slot, slot);
	/* Again: nothing. */
	ck_ok(set_readonly(0, true));
	ck_assert_uint_eq(backend.maps, 1);
	/* The host may still write to memory that is the library's. */
	ck_ok(axvm_read(vm, at(0, 0), &byte, 1));
	ck_assert_uint_eq(byte, 7);
	ck_ok(axvm_set(vm, at(0, 0), 8, 1));
	ck_ok(set_readonly(0, false));
	ck_assert_uint_eq(backend.map_flags, 0);
	ck_assert_uint_eq(listed(0).flags, 0);
	ck_ok(axvm_translate(vm, at(0, 0), 1, &after));
	ck_assert_ptr_eq(before, after);
}
END_TEST

START_TEST(dirty_pages_survive_the_change)
{
	ck_ok(set_log(0, true));
	guest_writes(0, 9);
	ck_ok(axvm_set(vm, at(0, 20), 1, 1));
	ck_ok(set_readonly(0, true));
	ck_assert_uint_eq(backend.map_flags, AXVM_MEM_READONLY | AXVM_MEM_LOG_DIRTY);
	guest_writes(0, 30);
	EXPECT_ROUND({ 0, 9, 1 }, { 0, 20, 1 }, { 0, 30, 1 });
}
END_TEST

START_TEST(refused_change_restores_the_earlier_mapping)
{
	ck_ok(set_log(0, true));
	guest_writes(0, 9);
	backend.failing_maps = 1;
	ck_fails_saying(set_readonly(0, true), ENOMEM, "no slot today");
	ck_assert_uint_eq(backend.map_flags, AXVM_MEM_LOG_DIRTY);
	ck_assert_uint_eq(listed(0).flags, AXVM_MEM_LOG_DIRTY);
	EXPECT_ROUND({ 0, 9, 1 });
	/* Taking the pages fails: nothing else has happened. */
	backend.unmaps = 0;
	backend.get_ret = -EIO;
	ck_fails(set_readonly(0, true), EIO);
	ck_assert_uint_eq(backend.unmaps, 0);
	backend.get_ret = 0;
	ck_ok(set_readonly(0, true));
}
END_TEST

START_TEST(missing_region_can_be_mapped_again_or_unmapped)
{
	char byte = 1;

	ck_ok(set_log(0, true));
	guest_writes(0, 9);
	backend.failing_maps = 2;
	ck_fails_saying(set_readonly(0, true), ENOMEM, "the guest does not have it");
	ck_assert_uint_eq(listed(0).flags, AXVM_MEM_LOG_DIRTY);
	/* The host has it, and its log. */
	ck_ok(axvm_write(vm, at(0, 10), &byte, 1));
	EXPECT_ROUND({ 0, 9, 2 });
	ck_ok(set_log(0, false));
	backend.unmaps = 0;
	if (_i) {
		ck_ok(axvm_unmap(vm, at(0, 0), PAGES * page));
		ck_ok(map_region(0, 0));
	} else {
		/* Its state is the wanted one, but it is not there. */
		ck_ok(set_readonly(0, false));
		ck_assert_uint_eq(backend.map_flags, 0);
	}
	ck_assert_uint_eq(backend.unmaps, 0);
	ck_ok(set_readonly(0, true));
	ck_assert_uint_eq(backend.unmaps, 1);
}
END_TEST

START_TEST(memory_of_the_caller_follows_the_state)
{
	struct axvm_region region = AXVM_REGION_INIT;

	region.gpa = at(2, PAGES);
	region.len = page;
	region.backing = AXVM_MEM_CALLER;
	region.hva = mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ck_assert_ptr_ne(region.hva, MAP_FAILED);
	region.flags = AXVM_MEM_READONLY;
	ck_ok(axvm_map(vm, &region));
	ck_fails(axvm_set(vm, region.gpa, 1, 1), EROFS);
	ck_ok(axvm_set_readonly(vm, region.gpa, region.len, false));
	ck_ok(axvm_set(vm, region.gpa, 1, 1));
	ck_ok(axvm_set_readonly(vm, region.gpa, region.len, true));
	ck_fails(axvm_set(vm, region.gpa, 1, 1), EROFS);
	ck_ok(axvm_unmap(vm, region.gpa, region.len));
	munmap(region.hva, page);
}
END_TEST

START_TEST(file_that_was_mapped_read_only_stays_so)
{
	struct axvm_region region = AXVM_REGION_INIT;

	region.gpa = at(2, PAGES);
	region.len = page;
	region.backing = AXVM_MEM_FILE;
	region.flags = AXVM_MEM_SHARED | AXVM_MEM_READONLY;
	region.fd = memfd_create("test", MFD_CLOEXEC);
	ck_assert_int_ge(region.fd, 0);
	ck_assert_int_eq(ftruncate(region.fd, (off_t)page), 0);
	ck_ok(axvm_map(vm, &region));
	ck_fails_saying(axvm_set_readonly(vm, region.gpa, region.len, false), EROFS,
			"mapped read-only");
	ck_ok(axvm_unmap(vm, region.gpa, region.len));
	/* Mapped writable, it changes both ways. */
	region.flags = AXVM_MEM_SHARED;
	ck_ok(axvm_map(vm, &region));
	ck_ok(axvm_set_readonly(vm, region.gpa, region.len, true));
	ck_fails(axvm_set(vm, region.gpa, 1, 1), EROFS);
	ck_ok(axvm_set_readonly(vm, region.gpa, region.len, false));
	ck_ok(axvm_set(vm, region.gpa, 1, 1));
	close(region.fd);
}
END_TEST

START_TEST(frames_and_ranges_that_are_no_region_are_refused)
{
	struct axvm_region regions[4] = { AXVM_REGION_INIT };
	uint64_t frame;

	ck_ok(axvm_alloc_frame(vm, &frame));
	ck_assert_int_eq(axvm_regions(vm, 0, 4, regions), 4);
	ck_fails_saying(axvm_set_readonly(vm, regions[3].gpa, regions[3].len, true), EBUSY,
			"axvm_alloc_frame");
	ck_fails_saying(axvm_set_readonly(vm, at(0, 0), page, true), ENOENT, "set_readonly");
	ck_assert_uint_eq(backend.unmaps, 0);
	ck_ok(axvm_free_frame(vm, frame));
}
END_TEST

static void *run_until_kicked(void *arg)
{
	struct axvcpu_exit exit;

	ck_ok(axvcpu_bind(arg));
	ck_ok(axvcpu_run(arg, &exit));
	ck_ok(axvcpu_unbind(arg));
	return NULL;
}

START_TEST(region_of_a_running_vcpu_is_not_changed)
{
	pthread_t owner;

	ck_ok(axvcpu_setup(vcpu, 0, 0, NULL));
	mock.spin = true;
	ck_assert_int_eq(pthread_create(&owner, NULL, run_until_kicked, vcpu), 0);
	while (!atomic_load(&mock.inside))
		sched_yield();
	ck_fails_saying(set_readonly(0, true), EBUSY, "vCPU 0 is Running");
	ck_assert_uint_eq(backend.unmaps, 0);
	ck_ok(axvcpu_kick(vcpu));
	pthread_join(owner, NULL);
	ck_ok(set_readonly(0, true));
	/* Also by its owner, while it is not in the guest. */
	ck_ok(axvcpu_bind(vcpu));
	ck_ok(set_readonly(0, false));
	ck_ok(axvcpu_unbind(vcpu));
}
END_TEST

static void add_tests(Suite *suite)
{
	TCase *recording = suite_case(suite, "recording");
	TCase *taking = suite_case(suite, "taking");
	TCase *switching = suite_case(suite, "switching");
	TCase *readonly = suite_case(suite, "read-only");

	tcase_add_checked_fixture(recording, setup, teardown);
	tcase_add_test(recording, writes_of_the_library_are_recorded_once);
	tcase_add_test(recording, write_across_regions_is_recorded_in_both);
	tcase_add_test(recording, reads_and_refused_writes_are_not_recorded);
	tcase_add_test(recording, writes_through_pointers_are_recorded_if_marked);
	tcase_add_test(recording, writes_of_the_guest_and_of_the_library_are_one_set);
	tcase_add_test(recording, pages_beyond_the_region_are_ignored);
	tcase_add_test(recording, frame_is_dirty_when_it_is_allocated);
	tcase_add_test(recording, reset_of_memory_makes_all_of_it_dirty);
	tcase_add_checked_fixture(taking, setup, teardown);
	tcase_add_loop_test(taking, short_array_loses_and_repeats_no_page, 1, 4);
	tcase_add_test(taking, page_that_changes_during_a_round_is_in_the_next_one);
	tcase_add_test(taking, failing_backend_loses_no_page);
	tcase_add_test(taking, pages_taken_before_a_failure_are_reported_first);
	tcase_add_test(taking, invalid_arguments_take_nothing);
	if (SUITE_TSAN)
		suite_left_out("copy_of_taken_pages_is_complete",
			       "it reads memory while another thread writes it");
	else
		tcase_add_test(taking, copy_of_taken_pages_is_complete);
	tcase_add_checked_fixture(switching, setup, teardown);
	tcase_add_test(switching, nothing_is_recorded_while_the_log_is_off);
	tcase_add_test(switching, switching_to_the_present_state_does_nothing);
	tcase_add_test(switching, refused_switch_changes_nothing);
	tcase_add_test(switching, region_is_mapped_with_its_log_on);
	tcase_add_test(switching, unmapped_region_leaves_the_round);
	tcase_add_test(switching, backend_without_it_is_refused_by_name);
	tcase_add_test(switching, ring_of_a_wrong_size_is_refused);
	tcase_add_checked_fixture(readonly, setup, teardown);
	tcase_add_test(readonly, slots_are_listed);
	tcase_add_test(readonly, region_becomes_read_only_and_writable);
	tcase_add_test(readonly, dirty_pages_survive_the_change);
	tcase_add_test(readonly, refused_change_restores_the_earlier_mapping);
	tcase_add_loop_test(readonly, missing_region_can_be_mapped_again_or_unmapped, 0, 2);
	tcase_add_test(readonly, memory_of_the_caller_follows_the_state);
	tcase_add_test(readonly, file_that_was_mapped_read_only_stays_so);
	tcase_add_test(readonly, frames_and_ranges_that_are_no_region_are_refused);
	tcase_add_test(readonly, region_of_a_running_vcpu_is_not_changed);
}

int main(void)
{
	return suite_main("dirty", false, add_tests);
}
