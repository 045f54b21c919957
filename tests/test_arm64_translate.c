/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * Translation of guest addresses by the guest's own tables: the library returns the same as the
 * hardware (AT, executed in the guest), for every page size, width, and block size. Needs a working
 * /dev/kvm.
 */
#include <errno.h>
#include <inttypes.h>

#include "arm64_guest.h"
#include "suite.h"

#define ID_AA64MMFR0_EL1 UINT64_C(0x603000000013c038)

#define PAGE_VALID 3u
#define BLOCK_VALID 1u
#define TABLE_VALID 3u
/* Accessed, inner shareable, for EL1 to read, write and execute; memory of MAIR's first kind. */
#define LEAF_FLAGS ((1u << 10) | (3u << 8))
#define UPPER(va_bits) (UINT64_MAX << (va_bits))

static struct guest guest;

/* The tables of one half. */
struct half {
	unsigned int page_bits;
	unsigned int va_bits;
	uint64_t root;
};
/* Where the next table goes. */
static uint64_t free_table;

static uint64_t new_table(unsigned int page_bits)
{
	uint64_t size = UINT64_C(1) << page_bits;
	uint64_t table = (free_table + size - 1) & ~(size - 1);

	free_table = table + size;
	ck_assert_uint_le(free_table, (uint64_t)GUEST_BASE + GUEST_MEMORY);
	ck_ok(axvm_set(guest.vm, table, 0, size));
	return table;
}

static unsigned int shift_of(const struct half *half, int level)
{
	return half->page_bits + (unsigned int)(3 - level) * (half->page_bits - 3);
}

static int first_level(const struct half *half)
{
	int level = 3;

	while (shift_of(half, level) + half->page_bits - 3 < half->va_bits)
		level--;
	return level;
}

static uint64_t entry_of(const struct half *half, uint64_t table, uint64_t va, int level)
{
	uint64_t index = (va & ~UPPER(half->va_bits)) >> shift_of(half, level);

	return table + 8 * (index & ((UINT64_C(1) << (half->page_bits - 3)) - 1));
}

/* Maps the range that one entry of 'level' covers. */
static void map(const struct half *half, uint64_t va, uint64_t gpa, int level)
{
	uint64_t table = half->root, descriptor;

	for (int i = first_level(half); i < level; i++) {
		uint64_t entry = entry_of(half, table, va, i);

		ck_ok(axvm_read(guest.vm, entry, &descriptor, sizeof(descriptor)));
		if (!descriptor) {
			descriptor = new_table(half->page_bits) | TABLE_VALID;
			ck_ok(axvm_write(guest.vm, entry, &descriptor, sizeof(descriptor)));
		}
		table = descriptor & ~UINT64_C(3);
	}
	descriptor = gpa | LEAF_FLAGS | (level == 3 ? PAGE_VALID : BLOCK_VALID);
	ck_ok(axvm_write(guest.vm, entry_of(half, table, va, level), &descriptor,
			 sizeof(descriptor)));
}

static struct half new_half(unsigned int page_bits, unsigned int va_bits)
{
	return (struct half){ page_bits, va_bits, new_table(page_bits) };
}

/* --- switching it on ------------------------------------------------------------------------- */

#define TCR_TBI0 (UINT64_C(1) << 37)
#define TCR_EPD1 (UINT64_C(1) << 23)
/* Walks are cacheable, as the tables were when written. */
#define TCR_CACHED UINT64_C(0x3500)
/* 40 bits of physical addresses. */
#define TCR_IPS (UINT64_C(2) << 32)

static uint64_t tcr_of(const struct half *lower, const struct half *upper)
{
	/* 12, 14, 16 bits. */
	static const uint64_t tg0[] = { 0, 2, 1 }, tg1[] = { 2, 1, 3 };

	return TCR_CACHED | TCR_CACHED << 16 | TCR_IPS | (64 - lower->va_bits) |
	       (uint64_t)(64 - upper->va_bits) << 16 | tg0[(lower->page_bits - 12) / 2] << 14 |
	       tg1[(upper->page_bits - 12) / 2] << 30;
}

static void switch_on(const struct half *lower, const struct half *upper, uint64_t tcr_more)
{
	const uint64_t sctlr = guest_reg(&guest, AXVCPU_REG_ARM64_SCTLR_EL1);

	ck_ok(axvcpu_set_reg(guest.vcpu, AXVCPU_REG_ARM64_MAIR_EL1, 0xff));
	ck_ok(axvcpu_set_reg(guest.vcpu, AXVCPU_REG_ARM64_TCR_EL1,
			     tcr_of(lower, upper) | tcr_more));
	ck_ok(axvcpu_set_reg(guest.vcpu, AXVCPU_REG_ARM64_TTBR0_EL1, lower->root));
	ck_ok(axvcpu_set_reg(guest.vcpu, AXVCPU_REG_ARM64_TTBR1_EL1, upper->root));
	ck_ok(axvcpu_set_reg(guest.vcpu, AXVCPU_REG_ARM64_SCTLR_EL1, sctlr | 1));
}

static void begin(void)
{
	struct axvm_config config = AXVM_CONFIG_INIT;

	config.forward = AXVM_FORWARD_HYPERCALLS;
	guest_start_with(&guest, &config, AXVCPU_MODE_64, PROGRAM(at));
	free_table = A64_TABLES;
}

/* --- comparing ------------------------------------------------------------------------------- */

/* Result of the guest's own lookup. */
static bool hardware(uint64_t va, uint64_t *gpa)
{
	uint64_t par;

	ck_ok(axvcpu_set_gpr(guest.vcpu, 0, va));
	guest_expect(&guest, AXVCPU_EXIT_HYPERCALL);
	ck_assert_uint_eq(guest.exit.u.hypercall.nr, A64_CALL_AT);
	ck_assert_uint_eq(guest.exit.u.hypercall.args[1], va);
	par = guest.exit.u.hypercall.args[0];
	*gpa = (par & UINT64_C(0xfffffffff000)) | (va & 0xfff);
	return !(par & 1);
}

static void compare(uint64_t va)
{
	uint64_t expected, gpa = 0x5a5a;
	bool mapped = hardware(va, &expected);
	int ret = axvcpu_translate(guest.vcpu, va, &gpa);

	if (!mapped) {
		ck_assert_msg(ret == -EFAULT, "%#" PRIx64 " is not mapped, but %d, %#" PRIx64, va,
			      ret, gpa);
		ck_assert_uint_eq(gpa, 0x5a5a);
		return;
	}
	ck_assert_msg(!ret && gpa == expected, "%#" PRIx64 " is %#" PRIx64 ", not %d, %#" PRIx64,
		      va, expected, ret, gpa);
}

/* An address of each kind around it, in both halves. */
static void compare_around(uint64_t va, uint64_t size)
{
	const uint64_t places[] = { va,	    va + 8,	va + size - 1, va + size,
				    va - 1, va + 0x123, va ^ size,     va + size / 2 };

	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++)
		compare(places[i]);
}

/* Whether the CPU has pages of that size. */
static bool has_pages(unsigned int page_bits)
{
	uint64_t mmfr0 = guest_reg(&guest, ID_AA64MMFR0_EL1);

	switch (page_bits) {
	case 12:
		return (mmfr0 >> 28 & 0xf) != 0xf;
	case 14:
		return (mmfr0 >> 20 & 0xf) != 0;
	default:
		return (mmfr0 >> 24 & 0xf) != 0xf;
	}
}

/* --- tests ----------------------------------------------------------------------------------- */

START_TEST(without_an_mmu_addresses_are_unchanged)
{
	uint64_t gpa = 0;

	begin();
	ck_ok(axvcpu_translate(guest.vcpu, 0x123456789abc, &gpa));
	ck_assert_uint_eq(gpa, 0x123456789abc);
	guest_end(&guest);
}
END_TEST

static const struct {
	unsigned int page_bits;
	unsigned int lower_bits;
	unsigned int upper_bits;
} shapes[] = {
	{ 12, 48, 48 }, { 12, 39, 33 }, { 12, 36, 42 }, { 12, 32, 25 },
	{ 14, 47, 48 }, { 14, 36, 40 }, { 16, 48, 42 }, { 16, 36, 48 },
};
#define NSHAPES (int)(sizeof(shapes) / sizeof(shapes[0]))

START_TEST(translation_agrees_with_the_hardware)
{
	const unsigned int page_bits = shapes[_i].page_bits;
	const uint64_t page = UINT64_C(1) << page_bits;
	struct half lower, upper;
	uint64_t block;

	begin();
	if (!has_pages(page_bits)) {
		guest_end(&guest);
		return;
	}
	lower = new_half(page_bits, shapes[_i].lower_bits);
	upper = new_half(page_bits, shapes[_i].upper_bits);
	block = UINT64_C(1) << shift_of(&lower, 2);
	/* The guest itself, and a page, a block, in both halves, far from it. */
	map(&lower, GUEST_CODE & ~(page - 1), GUEST_CODE & ~(page - 1), 3);
	map(&lower, 7 * page, GUEST_BASE + 0x100000, 3);
	map(&lower, 3 * block, 5 * block, 2);
	map(&upper, UPPER(upper.va_bits) + 3 * page, GUEST_BASE + 0x110000, 3);
	if (block << 1 < UINT64_C(1) << (upper.va_bits - 1))
		map(&upper, UPPER(upper.va_bits) + block, 2 * block, 2);
	/* The last page that there is. */
	map(&upper, UINT64_MAX - page + 1, GUEST_BASE + 0x120000, 3);
	switch_on(&lower, &upper, 0);
	compare_around(GUEST_CODE & ~(page - 1), page);
	compare_around(7 * page, page);
	compare_around(3 * block, block);
	compare_around(UPPER(upper.va_bits) + 3 * page, page);
	compare_around(UPPER(upper.va_bits) + block, block);
	compare_around(UINT64_MAX - page + 1, page);
	/* Between the halves, and just beside each. */
	compare(UINT64_C(1) << lower.va_bits);
	compare(UPPER(upper.va_bits) - 1);
	compare(UINT64_C(0xff00000000000000) | 7 * page);
	guest_end(&guest);
}
END_TEST

START_TEST(a_large_block_of_the_first_level)
{
	struct half lower, upper;

	begin();
	lower = new_half(12, 39);
	upper = new_half(12, 39);
	map(&lower, GUEST_CODE, GUEST_CODE, 3);
	map(&lower, UINT64_C(5) << 30, UINT64_C(9) << 30, 1);
	switch_on(&lower, &upper, 0);
	compare_around(UINT64_C(5) << 30, UINT64_C(1) << 30);
	guest_end(&guest);
}
END_TEST

START_TEST(a_tag_in_the_top_byte_does_not_count_where_it_is_ignored)
{
	struct half lower, upper;

	begin();
	lower = new_half(12, 48);
	upper = new_half(12, 48);
	map(&lower, GUEST_CODE, GUEST_CODE, 3);
	map(&lower, 0x7000, GUEST_BASE + 0x100000, 3);
	map(&upper, UPPER(48) + 0x3000, GUEST_BASE + 0x110000, 3);
	switch_on(&lower, &upper, TCR_TBI0);
	compare(0x7000);
	compare(UINT64_C(0xab00000000007000));
	compare(UINT64_C(0x0100000000007000));
	compare(UINT64_C(0xff00000000007000));
	compare(UINT64_C(0xffff000000003000));
	compare(UINT64_C(0x12ff000000003000));
	compare(UINT64_C(0xff7f000000003000));
	guest_end(&guest);
}
END_TEST

START_TEST(a_half_that_is_off_maps_nothing)
{
	struct half lower, upper;

	begin();
	lower = new_half(12, 39);
	upper = new_half(12, 39);
	map(&lower, GUEST_CODE, GUEST_CODE, 3);
	map(&upper, UPPER(39), GUEST_BASE + 0x100000, 3);
	switch_on(&lower, &upper, TCR_EPD1);
	compare(UPPER(39));
	guest_end(&guest);
}
END_TEST

START_TEST(walk_of_cyclic_tables_terminates)
{
	struct half lower, upper;
	uint64_t descriptor;

	begin();
	lower = new_half(12, 48);
	upper = new_half(12, 48);
	map(&lower, GUEST_CODE, GUEST_CODE, 3);
	/* Its last entry is itself. */
	descriptor = lower.root | LEAF_FLAGS | TABLE_VALID;
	ck_ok(axvm_write(guest.vm, lower.root + 8 * 511, &descriptor, sizeof(descriptor)));
	switch_on(&lower, &upper, 0);
	compare(UINT64_C(0xfffffffff000));
	compare(UINT64_C(0xff8000000000));
	/* A table that is met as a page has no access flag, which is not asked for. */
	ck_ok(axvcpu_translate(guest.vcpu, UINT64_C(0xffffffe00000), &descriptor));
	guest_end(&guest);
}
END_TEST

START_TEST(tables_that_are_no_memory_map_nothing)
{
	struct half lower, upper;
	const uint64_t nowhere[] = { 0, 0x1000, UINT64_C(0xfffffffff000), GUEST_MMIO };
	uint64_t gpa = 0, descriptor;

	begin();
	lower = new_half(12, 39);
	upper = new_half(12, 39);
	switch_on(&lower, &upper, 0);
	for (size_t i = 0; i < sizeof(nowhere) / sizeof(nowhere[0]); i++) {
		descriptor = nowhere[i] | TABLE_VALID;
		ck_ok(axvm_write(guest.vm, lower.root, &descriptor, sizeof(descriptor)));
		ck_fails_saying(axvcpu_translate(guest.vcpu, 0x1000, &gpa), EFAULT, "not mapped");
		ck_ok(axvcpu_set_reg(guest.vcpu, AXVCPU_REG_ARM64_TTBR0_EL1, nowhere[i]));
		ck_fails(axvcpu_translate(guest.vcpu, 0x1000, &gpa), EFAULT);
		ck_ok(axvcpu_set_reg(guest.vcpu, AXVCPU_REG_ARM64_TTBR0_EL1, lower.root));
	}
	guest_end(&guest);
}
END_TEST

START_TEST(a_size_that_makes_no_sense_maps_nothing)
{
	uint64_t gpa = 0;

	begin();
	ck_ok(axvcpu_set_reg(guest.vcpu, AXVCPU_REG_ARM64_SCTLR_EL1,
			     guest_reg(&guest, AXVCPU_REG_ARM64_SCTLR_EL1) | 1));
	/* Every size of both halves, with all sizes of pages, also those that there are none of. */
	for (uint64_t i = 0; i < 64 * 16; i++) {
		ck_ok(axvcpu_set_reg(guest.vcpu, AXVCPU_REG_ARM64_TCR_EL1,
				     i % 64 | (i % 64) << 16 | (i / 64 & 3) << 14 |
					     (i / 256) << 30));
		for (uint64_t va = 0; va < 4; va++) {
			int ret = axvcpu_translate(guest.vcpu, va << 62, &gpa);

			ck_assert_int_eq(ret, -EFAULT);
		}
	}
	guest_end(&guest);
}
END_TEST

/* Permission bits of pages and blocks, and of tables. */
#define EL0 (UINT64_C(1) << 6)
#define READONLY (UINT64_C(1) << 7)
#define PXN (UINT64_C(1) << 53)
#define UXN (UINT64_C(1) << 54)
#define TABLE_PXN (UINT64_C(1) << 59)
#define TABLE_UXN (UINT64_C(1) << 60)
#define TABLE_NO_EL0 (UINT64_C(1) << 61)
#define TABLE_READONLY (UINT64_C(1) << 62)
#define TCR_HPD0 (UINT64_C(1) << 41)

#define RD AXVCPU_ACCESS_READ
#define WR AXVCPU_ACCESS_WRITE
#define EX AXVCPU_ACCESS_EXEC

static const struct {
	uint64_t page, table;
	uint32_t access, user;
} permissions[] = {
	{ 0, 0, RD | WR | EX, EX },
	{ READONLY, 0, RD | EX, EX },
	/* EL1 executes nothing that EL0 writes to. */
	{ EL0, 0, RD | WR, RD | WR | EX },
	{ EL0 | READONLY, 0, RD | EX, RD | EX },
	{ PXN, 0, RD | WR, EX },
	{ UXN, 0, RD | WR | EX, 0 },
	{ EL0 | PXN | UXN, 0, RD | WR, RD | WR },
	{ EL0, TABLE_NO_EL0, RD | WR | EX, EX },
	{ EL0, TABLE_READONLY, RD | EX, RD | EX },
	{ 0, TABLE_PXN, RD | WR, EX },
	{ 0, TABLE_UXN, RD | WR | EX, 0 },
};

START_TEST(permissions_are_those_of_pages_and_tables)
{
	const uint64_t va = 0x12345678;
	struct axvcpu_translation translation = AXVCPU_TRANSLATION_INIT;
	struct half lower, upper;
	uint64_t entry, table;

	begin();
	lower = new_half(12, 39);
	upper = new_half(12, 39);
	map(&lower, va, GUEST_BASE, 3);
	switch_on(&lower, &upper, 0);
	entry = entry_of(&lower, lower.root, va, 1);
	ck_ok(axvm_read(guest.vm, entry, &table, sizeof(table)));
	for (size_t i = 0; i < sizeof(permissions) / sizeof(permissions[0]); i++) {
		const uint64_t restricted = table | permissions[i].table;
		uint64_t page_table, page;

		ck_ok(axvm_write(guest.vm, entry, &restricted, sizeof(restricted)));
		ck_ok(axvm_read(guest.vm, entry_of(&lower, table & ~UINT64_C(3), va, 2),
				&page_table, sizeof(page_table)));
		page = GUEST_BASE | LEAF_FLAGS | PAGE_VALID | permissions[i].page;
		ck_ok(axvm_write(guest.vm, entry_of(&lower, page_table & ~UINT64_C(3), va, 3),
				 &page, sizeof(page)));
		ck_ok(axvcpu_translate_access(guest.vcpu, va, &translation));
		ck_assert_uint_eq(translation.gpa, GUEST_BASE + 0x678);
		ck_assert_uint_eq(translation.page_size, 4096);
		ck_assert_msg(translation.access == permissions[i].access &&
				      translation.user_access == permissions[i].user,
			      "row %zu: %#x and %#x", i, translation.access,
			      translation.user_access);
	}
	/* The restrictions of tables are switched off. */
	table |= TABLE_PXN | TABLE_UXN | TABLE_NO_EL0 | TABLE_READONLY;
	ck_ok(axvm_write(guest.vm, entry, &table, sizeof(table)));
	ck_ok(axvcpu_translate_access(guest.vcpu, va, &translation));
	ck_assert_uint_eq(translation.access, RD);
	ck_assert_uint_eq(translation.user_access, 0);
	ck_ok(axvcpu_set_reg(guest.vcpu, AXVCPU_REG_ARM64_TCR_EL1,
			     guest_reg(&guest, AXVCPU_REG_ARM64_TCR_EL1) | TCR_HPD0));
	ck_ok(axvcpu_translate_access(guest.vcpu, va, &translation));
	ck_assert_uint_eq(translation.access, RD | WR | EX);
	ck_assert_uint_eq(translation.user_access, EX);
	guest_end(&guest);
}
END_TEST

static void add_tests(Suite *suite)
{
	TCase *all = suite_case(suite, "all");

	tcase_add_test(all, without_an_mmu_addresses_are_unchanged);
	tcase_add_loop_test(all, translation_agrees_with_the_hardware, 0, NSHAPES);
	tcase_add_test(all, a_large_block_of_the_first_level);
	tcase_add_test(all, a_tag_in_the_top_byte_does_not_count_where_it_is_ignored);
	tcase_add_test(all, a_half_that_is_off_maps_nothing);
	tcase_add_test(all, walk_of_cyclic_tables_terminates);
	tcase_add_test(all, tables_that_are_no_memory_map_nothing);
	tcase_add_test(all, a_size_that_makes_no_sense_maps_nothing);
	tcase_add_test(all, permissions_are_those_of_pages_and_tables);
}

int main(void)
{
	return suite_main("arm64: translate", true, add_tests);
}
