/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * riscv64: the guest's address translation, by tables that are right, wrong and hostile. Needs a
 * working /dev/kvm.
 */
#include <errno.h>

#include "riscv64_guest.h"
#include "suite.h"

static struct guest guest;

#define V 1u
#define R 2u
#define W 4u
#define X 8u
#define A 0x40u
#define D 0x80u
#define LEAF (V | R | W | X | A | D)
#define NAPOT (UINT64_C(1) << 63)

#define SV39 8
#define SV48 9
#define SV57 10

#define TABLES (GUEST_BASE + 0x100000)
#define TARGET (GUEST_BASE + 0x80000)

static uint64_t satp(uint64_t mode)
{
	return mode << 60 | TABLES >> 12;
}

static uint64_t pte(uint64_t gpa, uint64_t flags)
{
	return gpa >> 12 << 10 | flags;
}

/* The entry for an address in the table of a level, of those that lie one behind the other. */
static uint64_t entry_at(unsigned int levels, unsigned int level, uint64_t gva)
{
	return TABLES + (levels - 1 - level) * 0x1000 + (gva >> (12 + 9 * level) & 0x1ff) * 8;
}

static void put(uint64_t gpa, uint64_t value)
{
	ck_ok(axvm_write(guest.vm, gpa, &value, sizeof(value)));
}

/* Maps an address by a leaf at a level, with tables above it. */
static void map_at(unsigned int levels, unsigned int level, uint64_t gva, uint64_t leaf)
{
	ck_ok(axvm_set(guest.vm, TABLES, 0, 5 * 0x1000));
	for (unsigned int i = levels - 1; i > level; i--)
		put(entry_at(levels, i, gva), pte(TABLES + (levels - i) * 0x1000, V));
	put(entry_at(levels, level, gva), leaf);
}

static void start(uint64_t mode)
{
	guest_start(&guest, AXVCPU_MODE_64, PROGRAM(through_tables));
	ck_ok(axvcpu_set_reg(guest.vcpu, AXVCPU_REG_RISCV64_SATP, satp(mode)));
}

static void mapped(uint64_t gva, uint64_t gpa)
{
	uint64_t found = 0;

	ck_ok(axvcpu_translate(guest.vcpu, gva, &found));
	ck_assert_uint_eq(found, gpa);
}

static void unmapped(uint64_t gva)
{
	uint64_t found = 0x77;

	ck_fails(axvcpu_translate(guest.vcpu, gva, &found), EFAULT);
	ck_assert_uint_eq(found, 0x77);
}

START_TEST(without_tables_an_address_is_itself)
{
	guest_start(&guest, AXVCPU_MODE_64, PROGRAM(spin));
	mapped(0, 0);
	mapped(GUEST_CODE + 5, GUEST_CODE + 5);
	mapped(UINT64_C(0x123456789abcdef0), UINT64_C(0x123456789abcdef0));
	guest_end(&guest);
}
END_TEST

START_TEST(pages_of_every_size_are_followed)
{
	static const uint64_t addresses[] = { 0x3fc0123456, UINT64_C(0xffffffc012345678) };

	for (uint64_t mode = SV39; mode <= SV57; mode++) {
		unsigned int levels = (unsigned int)(mode - SV39) + 3;

		start(mode);
		for (size_t i = 0; i < 2; i++) {
			uint64_t gva = addresses[i];

			/* In Sv39 the first one would not be canonical. */
			if (mode == SV39)
				gva = (uint64_t)((int64_t)(gva << 25) >> 25);
			for (unsigned int level = 0; level < levels; level++) {
				uint64_t size = UINT64_C(0x1000) << 9 * level;
				uint64_t gpa = level ? UINT64_C(3) * size : TARGET;

				map_at(levels, level, gva, pte(gpa, LEAF));
				mapped(gva, gpa | (gva & (size - 1)));
				/* The neighbouring pages are not. */
				unmapped(gva ^ size);
			}
		}
		guest_end(&guest);
	}
}
END_TEST

START_TEST(the_hardware_sees_it_alike)
{
	const uint64_t value = UINT64_C(0x1122334455667788);
	unsigned int levels;
	uint64_t mode;

	guest_start(&guest, AXVCPU_MODE_64, PROGRAM(through_tables));
	/* The widest that this host has. */
	mode = guest_reg(&guest, AXVCPU_REG_RISCV64_SATP_MODE);
	levels = (unsigned int)(mode - SV39) + 3;
	map_at(levels, 0, GUEST_ALIAS, pte(TARGET, LEAF));
	/* Its code and its devices: as large pages of the third level. */
	put(entry_at(levels, 2, GUEST_ALIAS) - (GUEST_ALIAS >> 30 & 0x1ff) * 8 + 2 * 8,
	    pte(GUEST_BASE, LEAF));
	put(entry_at(levels, 2, GUEST_ALIAS) - (GUEST_ALIAS >> 30 & 0x1ff) * 8 + 3 * 8,
	    pte(UINT64_C(0xc0000000), LEAF));
	/* The same table, where addresses have a zero there. */
	for (unsigned int i = levels - 1; i > 2; i--)
		put(entry_at(levels, i, 0), pte(TABLES + (levels - i) * 0x1000, V));
	ck_ok(axvm_write(guest.vm, TARGET + (GUEST_ALIAS & 0xfff), &value, sizeof(value)));
	ck_ok(axvcpu_set_reg(guest.vcpu, AXVCPU_REG_RISCV64_A1, satp(mode)));
	guest_expect_write(&guest, GUEST_MMIO, value);
	mapped(GUEST_ALIAS, TARGET + (GUEST_ALIAS & 0xfff));
	mapped(GUEST_CODE, GUEST_CODE);
	mapped(GUEST_MMIO, GUEST_MMIO);
	guest_end(&guest);
}
END_TEST

START_TEST(sixteen_pages_at_once_are_followed)
{
	const uint64_t gva = 0x1234567;

	start(SV39);
	map_at(3, 0, gva, pte(TARGET | 0x8000, LEAF) | NAPOT);
	mapped(gva, TARGET + (gva & 0xffff));
	/* Other numbers of pages are reserved. */
	map_at(3, 0, gva, pte(TARGET | 0x4000, LEAF) | NAPOT);
	unmapped(gva);
	map_at(3, 1, gva, pte(0x40000000, LEAF) | NAPOT);
	unmapped(gva);
	guest_end(&guest);
}
END_TEST

START_TEST(tables_that_are_wrong_map_nothing)
{
	const uint64_t gva = 0x1234567;

	start(SV39);
	map_at(3, 0, gva, pte(TARGET, LEAF & ~V));
	unmapped(gva);
	/* To write and not to read. */
	map_at(3, 0, gva, pte(TARGET, V | W));
	unmapped(gva);
	/* A pointer where there is no level left. */
	map_at(3, 0, gva, pte(TARGET, V));
	unmapped(gva);
	/* A large page between large pages. */
	map_at(3, 1, gva, pte(TARGET + 0x1000, LEAF));
	unmapped(gva);
	/* Bits that mean nothing yet. */
	map_at(3, 0, gva, pte(TARGET, LEAF) | UINT64_C(1) << 57);
	unmapped(gva);
	/* A pointer with bits that only leaves have. */
	map_at(3, 0, gva, pte(TARGET, LEAF));
	put(entry_at(3, 1, gva), pte(TABLES + 0x2000, V) | NAPOT);
	unmapped(gva);
	guest_end(&guest);
}
END_TEST

START_TEST(walk_of_hostile_tables_terminates)
{
	start(SV57);
	/* A table that is its own, all the way down. */
	for (unsigned int i = 0; i < 512; i++)
		put(TABLES + 8 * i, pte(TABLES, V));
	unmapped(0);
	unmapped(UINT64_C(0x00f0123456789abc));
	/* One that is not in memory, and one at the end of all addresses. */
	map_at(5, 4, 0, pte(GUEST_MMIO, V));
	unmapped(0);
	map_at(5, 4, 0, UINT64_C(0x3fffffffffffff) >> 10 << 10 | V);
	unmapped(0);
	ck_ok(axvcpu_set_reg(guest.vcpu, AXVCPU_REG_RISCV64_SATP,
			     UINT64_C(10) << 60 | ((UINT64_C(1) << 44) - 1)));
	unmapped(0);
	guest_end(&guest);
}
END_TEST

START_TEST(addresses_that_are_not_canonical_are_not_mapped)
{
	start(SV39);
	map_at(3, 2, 0, pte(0, LEAF));
	mapped(0x3fffffff, 0x3fffffff);
	unmapped(UINT64_C(1) << 39);
	unmapped(UINT64_C(1) << 63);
	unmapped(UINT64_C(0x8000000000));
	guest_end(&guest);
}
END_TEST

#define U 0x10u

#define RD AXVCPU_ACCESS_READ
#define WR AXVCPU_ACCESS_WRITE
#define EX AXVCPU_ACCESS_EXEC

START_TEST(permissions_are_those_of_the_leaf)
{
	static const struct {
		uint64_t flags;
		uint32_t access, user;
	} leaves[] = {
		{ R, RD, 0 },
		{ R | W, RD | WR, 0 },
		{ X, EX, 0 },
		{ R | W | X, RD | WR | EX, 0 },
		/* Supervisor mode does not execute pages of user mode. */
		{ R | W | X | U, RD | WR, RD | WR | EX },
		{ R | U, RD, RD },
	};
	const uint64_t gva = 0x1234567;
	struct axvcpu_translation translation = AXVCPU_TRANSLATION_INIT;

	start(SV39);
	for (size_t i = 0; i < sizeof(leaves) / sizeof(leaves[0]); i++) {
		map_at(3, 0, gva, pte(TARGET, V | A | D | leaves[i].flags));
		ck_ok(axvcpu_translate_access(guest.vcpu, gva, &translation));
		ck_assert_uint_eq(translation.gpa, TARGET + (gva & 0xfff));
		ck_assert_uint_eq(translation.page_size, 0x1000);
		ck_assert_uint_eq(translation.access, leaves[i].access);
		ck_assert_uint_eq(translation.user_access, leaves[i].user);
	}
	map_at(3, 0, gva, pte(TARGET | 0x8000, LEAF) | NAPOT);
	ck_ok(axvcpu_translate_access(guest.vcpu, gva, &translation));
	ck_assert_uint_eq(translation.page_size, 0x10000);
	map_at(3, 2, gva, pte(0, LEAF));
	ck_ok(axvcpu_translate_access(guest.vcpu, gva, &translation));
	ck_assert_uint_eq(translation.page_size, 0x40000000);
	guest_end(&guest);
}
END_TEST

static void add_tests(Suite *suite)
{
	TCase *all = suite_case(suite, "all");

	tcase_add_test(all, without_tables_an_address_is_itself);
	tcase_add_test(all, pages_of_every_size_are_followed);
	tcase_add_test(all, the_hardware_sees_it_alike);
	tcase_add_test(all, sixteen_pages_at_once_are_followed);
	tcase_add_test(all, tables_that_are_wrong_map_nothing);
	tcase_add_test(all, walk_of_hostile_tables_terminates);
	tcase_add_test(all, addresses_that_are_not_canonical_are_not_mapped);
	tcase_add_test(all, permissions_are_those_of_the_leaf);
}

int main(void)
{
	return suite_main("riscv64_translate", true, add_tests);
}
