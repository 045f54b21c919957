/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * Dirty tracking on real guests, equal on every architecture: writes of the guest are recorded by
 * KVM's bitmaps and by its rings, also while it runs, if a ring is full and if a vCPU is freed; and
 * a region that becomes read-only or writable. Needs a working /dev/kvm. Tests of rings are skipped
 * if KVM has none.
 */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "guest.h"
#include "suite.h"

/* "copy": the addresses that it copies from and to, and the value. */
#define ARG (GUEST_BASE + 0x3000)
#define VALUE_AT (ARG + 16)
#define VALUE UINT64_C(0x1122334455667788)

/* Memory that no program uses. */
#define FREE (GUEST_BASE + 0x20000)
#define FREE_PAGES 300u

/* Enough for the writes that any CPU buffers. */
#define ENTRIES 1024u

static struct guest guest;
static uint64_t page;
/* Whether each page of the guest's memory was in the latest round. */
static bool *dirty;

static int new_with_rings(uint32_t entries)
{
	struct axvm_config config = AXVM_CONFIG_INIT;
	struct axvm *vm;
	int ret;

	config.dirty_ring_entries = entries;
	ret = axvm_new(&config, &vm);
	if (!ret)
		ck_ok(axvm_free(vm));
	return ret;
}

/* Whether the test can run: with bitmaps, or with rings of so many entries. Skips it otherwise. */
static bool can_have(uint32_t entries)
{
	const int ret = entries ? new_with_rings(entries) : 0;

	if (!ret)
		return true;
	/* Rings of fewer entries than the CPU buffers are refused. */
	ck_assert_int_eq(ret, entries < ENTRIES && ret == -EINVAL ? -EINVAL : -ENOTSUP);
	suite_skip("this KVM has no dirty rings of this size");
	return false;
}

static void begin(uint32_t entries, const void *code, size_t len, uint64_t arg)
{
	struct axvm_config config = AXVM_CONFIG_INIT;

	page = (uint64_t)sysconf(_SC_PAGESIZE);
	dirty = calloc(GUEST_MEMORY / page, sizeof(*dirty));
	ck_assert_ptr_nonnull(dirty);
	config.dirty_ring_entries = entries;
	guest.vm = guest_vm(&config, code, len);
	guest.vcpu = guest_vcpu(guest.vm, 0, arg);
}

static void begin_copy(uint32_t entries)
{
	const uint64_t value = VALUE;

	begin(entries, PROGRAM(copy), ARG);
	ck_ok(axvm_write(guest.vm, VALUE_AT, &value, sizeof(value)));
	ck_ok(axvcpu_bind(guest.vcpu));
}

static void end(void)
{
	guest_end(&guest);
	free(dirty);
}

static void prepare_copy(uint64_t to)
{
	const uint64_t list[2] = { VALUE_AT, to };

	ck_ok(axvm_write(guest.vm, ARG, list, sizeof(list)));
	ck_ok(axvcpu_reset(guest.vcpu, GUEST_CODE, ARG));
}

static void copy_to(uint64_t to)
{
	prepare_copy(to);
	guest_expect_end(&guest);
}

static void set_log(bool on)
{
	ck_ok(axvm_set_dirty_log(guest.vm, GUEST_BASE, GUEST_MEMORY, on));
}

/* One round. Returns the number of pages. */
static unsigned int take_round(void)
{
	struct axvm_dirty_range ranges[8];
	unsigned int total = 0;
	uint64_t cursor = 0;
	int n;

	memset(dirty, 0, GUEST_MEMORY / page * sizeof(*dirty));
	while ((n = axvm_take_dirty(guest.vm, &cursor, 8, ranges)) > 0) {
		for (int i = 0; i < n; i++) {
			ck_assert_uint_ge(ranges[i].gpa, GUEST_BASE);
			ck_assert_uint_le(ranges[i].gpa + ranges[i].len, GUEST_BASE + GUEST_MEMORY);
			for (uint64_t done = 0; done < ranges[i].len; done += page, total++)
				dirty[(ranges[i].gpa - GUEST_BASE + done) / page] = true;
		}
	}
	ck_ok(n);
	return total;
}

static bool is_dirty(uint64_t gpa)
{
	return dirty[(gpa - GUEST_BASE) / page];
}

/* Loop tests run with bitmaps, and with rings. */
static uint32_t entries_of(int i)
{
	return i ? ENTRIES : 0;
}

START_TEST(writes_of_the_guest_are_recorded_each_round)
{
	if (!can_have(entries_of(_i)))
		return;
	begin_copy(entries_of(_i));
	set_log(true);
	ck_assert_uint_eq(take_round(), 0);
	for (int i = 0; i < 3; i++) {
		copy_to(FREE + 2 * page);
		take_round();
		ck_assert(is_dirty(FREE + 2 * page));
		/* The library has written there. */
		ck_assert(is_dirty(ARG));
		ck_assert(!is_dirty(FREE + page));
		ck_assert(!is_dirty(FREE + 3 * page));
		ck_assert_uint_eq(take_round(), 0);
	}
	/* A write to a page that was written to before, and was not taken. */
	copy_to(FREE);
	copy_to(FREE);
	take_round();
	ck_assert(is_dirty(FREE));
	ck_assert(!is_dirty(FREE + 2 * page));
	end();
}
END_TEST

START_TEST(only_writes_with_the_log_on_are_recorded)
{
	if (!can_have(entries_of(_i)))
		return;
	begin_copy(entries_of(_i));
	copy_to(FREE);
	set_log(true);
	ck_assert_uint_eq(take_round(), 0);
	copy_to(FREE + page);
	set_log(false);
	copy_to(FREE + 2 * page);
	ck_assert_uint_eq(take_round(), 0);
	set_log(true);
	ck_assert_uint_eq(take_round(), 0);
	copy_to(FREE + 3 * page);
	take_round();
	ck_assert(!is_dirty(FREE + page));
	ck_assert(!is_dirty(FREE + 2 * page));
	ck_assert(is_dirty(FREE + 3 * page));
	end();
}
END_TEST

START_TEST(region_is_mapped_with_its_log_on)
{
	struct axvm_region region = AXVM_REGION_INIT;
	struct axvm_dirty_range range;
	uint64_t cursor = 0;

	if (!can_have(entries_of(_i)))
		return;
	begin_copy(entries_of(_i));
	region.gpa = GUEST_WINDOW;
	region.len = 4 * page;
	region.flags = AXVM_MEM_LOG_DIRTY;
	ck_ok(axvm_map(guest.vm, &region));
	copy_to(GUEST_WINDOW + 3 * page);
	ck_assert_int_eq(axvm_take_dirty(guest.vm, &cursor, 1, &range), 1);
	ck_assert_uint_eq(range.gpa, GUEST_WINDOW + 3 * page);
	ck_assert_uint_eq(range.len, page);
	ck_assert_uint_eq(*(uint64_t *)range.hva, VALUE);
	end();
}
END_TEST

START_TEST(full_ring_is_emptied_without_an_exit)
{
	const uint32_t entries = 256;

	if (!can_have(entries))
		return;
	begin_copy(entries);
	set_log(true);
	for (unsigned int i = 0; i < FREE_PAGES; i++)
		copy_to(FREE + i * page);
	ck_assert_uint_ge(take_round(), FREE_PAGES);
	for (unsigned int i = 0; i < FREE_PAGES; i++)
		ck_assert(is_dirty(FREE + i * page));
	ck_assert_uint_eq(take_round(), 0);
	end();
}
END_TEST

START_TEST(pages_of_a_freed_vcpu_stay_recorded)
{
	if (!can_have(entries_of(_i)))
		return;
	begin_copy(entries_of(_i));
	set_log(true);
	copy_to(FREE);
	ck_ok(axvcpu_unbind(guest.vcpu));
	ck_ok(axvcpu_free(guest.vcpu));
	take_round();
	ck_assert(is_dirty(FREE));
	ck_assert_uint_eq(take_round(), 0);
	ck_ok(axvm_free(guest.vm));
	free(dirty);
}
END_TEST

START_TEST(impossible_rings_are_refused)
{
	const bool some = new_with_rings(ENTRIES) != -ENOTSUP;
	struct axvm_config config = AXVM_CONFIG_INIT;

	config.dirty_ring_entries = 1u << 31;
	guest_expect_refused(&config, some ? EINVAL : ENOTSUP, "dirty_ring_entries");
	config.dirty_ring_entries = 1;
	guest_expect_refused(&config, some ? EINVAL : ENOTSUP,
			     some ? "dirty ring with 1 entries" : "dirty_ring_entries");
}
END_TEST

/* --- while the guest runs --------------------------------------------------------------------- */

static int continue_always(struct axvcpu *vcpu, struct axvcpu_exit *exit, void *ctx)
{
	(void)vcpu;
	(void)exit;
	(void)ctx;
	return AXVM_CONTINUE;
}

/* Adds the pages of one round to the copy. */
static void update(unsigned char *copy)
{
	struct axvm_dirty_range range;
	uint64_t cursor = 0;
	int n;

	while ((n = axvm_take_dirty(guest.vm, &cursor, 1, &range)) > 0)
		ck_ok(axvm_read(guest.vm, range.gpa, copy + (range.gpa - GUEST_BASE), range.len));
	ck_ok(n);
}

START_TEST(copy_that_follows_a_running_guest_is_complete)
{
	struct axvm_runner_config config = AXVM_RUNNER_CONFIG_INIT;
	const uint64_t cell = GUEST_CELL_OF(0) - GUEST_BASE;
	unsigned char *copy = malloc(GUEST_MEMORY), *memory = malloc(GUEST_MEMORY);
	struct axvm_runner *runner = NULL;

	if (!can_have(entries_of(_i))) {
		free(copy);
		free(memory);
		return;
	}
	ck_assert(copy && memory);
	begin(entries_of(_i), PROGRAM(count), GUEST_CELL_OF(0));
	config.handler = continue_always;
	ck_ok(axvm_runner_start(guest.vm, &config, &runner));
	set_log(true);
	ck_ok(axvm_read(guest.vm, GUEST_BASE, copy, GUEST_MEMORY));
	for (unsigned int i = 0; i < suite_scale(1000); i++) {
		unsigned char before[4];

		/* The cell changes all the time, so it is in every round or the one after. */
		memcpy(before, copy + cell, sizeof(before));
		do
			update(copy);
		while (memcmp(before, copy + cell, sizeof(before)) == 0);
	}
	ck_ok(axvm_runner_pause(runner, -1));
	update(copy);
	ck_ok(axvm_read(guest.vm, GUEST_BASE, memory, GUEST_MEMORY));
	ck_assert_int_eq(memcmp(copy, memory, GUEST_MEMORY), 0);
	ck_ok(axvm_runner_stop(runner));
	ck_ok(axvm_runner_join(runner, -1));
	ck_ok(axvm_runner_free(runner));
	free(copy);
	free(memory);
	end();
}
END_TEST

/* --- read-only -------------------------------------------------------------------------------- */

static uint64_t value_at(uint64_t gpa)
{
	uint64_t value = 0;

	ck_ok(axvm_read(guest.vm, gpa, &value, sizeof(value)));
	return value;
}

START_TEST(guest_writes_to_a_region_only_while_it_is_writable)
{
	struct axvm_region region = AXVM_REGION_INIT;
	struct axvm_dirty_range range;
	uint64_t cursor = 0;

	if (!can_have(entries_of(_i)))
		return;
	begin_copy(entries_of(_i));
	region.gpa = GUEST_WINDOW;
	region.len = 4 * page;
	region.flags = AXVM_MEM_LOG_DIRTY;
	ck_ok(axvm_map(guest.vm, &region));
	copy_to(GUEST_WINDOW);
	ck_assert_uint_eq(value_at(GUEST_WINDOW), VALUE);
	ck_ok(axvm_set_readonly(guest.vm, region.gpa, region.len, true));
	prepare_copy(GUEST_WINDOW + page);
	guest_expect_write(&guest, GUEST_WINDOW + page, VALUE);
	guest_expect_end(&guest);
	ck_assert_uint_eq(value_at(GUEST_WINDOW), VALUE);
	ck_assert_uint_eq(value_at(GUEST_WINDOW + page), 0);
	ck_ok(axvm_set_readonly(guest.vm, region.gpa, region.len, false));
	copy_to(GUEST_WINDOW + 2 * page);
	ck_assert_uint_eq(value_at(GUEST_WINDOW + 2 * page), VALUE);
	/* The log has the writes before and after. */
	ck_assert_int_eq(axvm_take_dirty(guest.vm, &cursor, 1, &range), 1);
	ck_assert_uint_eq(range.gpa, GUEST_WINDOW);
	ck_assert_uint_eq(range.len, page);
	ck_assert_int_eq(axvm_take_dirty(guest.vm, &cursor, 1, &range), 1);
	ck_assert_uint_eq(range.gpa, GUEST_WINDOW + 2 * page);
	ck_assert_uint_eq(range.len, page);
	ck_assert_int_eq(axvm_take_dirty(guest.vm, &cursor, 1, &range), 0);
	end();
}
END_TEST

static void add_tests(Suite *suite)
{
	TCase *paused = suite_case(suite, "paused");
	TCase *running = suite_case(suite, "running");
	TCase *readonly = suite_case(suite, "read-only");

	tcase_add_loop_test(paused, writes_of_the_guest_are_recorded_each_round, 0, 2);
	tcase_add_loop_test(paused, only_writes_with_the_log_on_are_recorded, 0, 2);
	tcase_add_loop_test(paused, region_is_mapped_with_its_log_on, 0, 2);
	tcase_add_test(paused, full_ring_is_emptied_without_an_exit);
	tcase_add_loop_test(paused, pages_of_a_freed_vcpu_stay_recorded, 0, 2);
	tcase_add_test(paused, impossible_rings_are_refused);
	tcase_add_loop_test(running, copy_that_follows_a_running_guest_is_complete, 0, 2);
	tcase_add_loop_test(readonly, guest_writes_to_a_region_only_while_it_is_writable, 0, 2);
}

int main(void)
{
	return suite_main("dirty_kvm", true, add_tests);
}
