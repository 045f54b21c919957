/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * x86_64: translation by the guest's tables in each paging mode, the permissions of all levels, and
 * tables that are wrong or hostile. KVM's own walk (KVM_TRANSLATE) must find the same addresses.
 * Needs a working /dev/kvm.
 */
#include <errno.h>
#include <inttypes.h>
#include <linux/kvm.h>
#include <sys/ioctl.h>

#include "suite.h"
#include "x86_guest.h"

static struct guest guest;

#define P UINT64_C(1)
#define W UINT64_C(2)
#define U UINT64_C(4)
#define PS UINT64_C(0x80)
#define NX (UINT64_C(1) << 63)

#define READ AXVCPU_ACCESS_READ
#define WRITE AXVCPU_ACCESS_WRITE
#define EXEC AXVCPU_ACCESS_EXEC

/* A page for each level: the last level is the first page. */
#define TABLE(level) (UINT64_C(0x10000) + 0x1000 * (level))

#define CR4_PSE 0x10u
#define CR4_PAE 0x20u
#define CR4_LA57 0x1000u

enum paging { LEGACY, PAE, LONG, LONG5 };
static enum paging paging;

static unsigned int levels(void)
{
	static const unsigned int levels_of[] = { 2, 3, 4, 5 };

	return levels_of[paging];
}

static void put(unsigned int level, uint64_t gva, uint64_t entry)
{
	unsigned int bits = paging == LEGACY ? 10 : 9;
	size_t size = paging == LEGACY ? 4 : 8;
	uint64_t index = gva >> (12 + level * bits) & ((1u << bits) - 1);

	ck_ok(axvm_write(guest.vm, TABLE(level) + index * size, &entry, size));
}

/* Tables down to 'level', and there this entry. */
static void map(unsigned int level, uint64_t gva, uint64_t entry)
{
	ck_ok(axvm_set(guest.vm, TABLE(0), 0, 0x5000));
	for (unsigned int i = levels() - 1; i > level; i--)
		put(i, gva, TABLE(i - 1) | P | (paging == PAE && i == 2 ? 0 : W | U));
	put(level, gva, entry);
}

/* With NX, except in 32-bit paging. */
static int setup_long(void)
{
	struct axvcpu_setup_config config = AXVCPU_SETUP_CONFIG_INIT;
	struct axvcpu_x86_setup x86 = AXVCPU_X86_SETUP_INIT;

	x86.flags = AXVCPU_X86_OWN_TABLES;
	x86.cr3 = TABLE(levels() - 1);
	x86.efer = 0xd00;
	x86.cr4 = paging == LONG5 ? 0x620 | CR4_LA57 : 0;
	config.arch = &x86;
	return axvcpu_setup(guest.vcpu, GUEST_CODE, 0, &config);
}

static void start(enum paging mode)
{
	paging = mode;
	guest_create(&guest, NULL, PROGRAM(finish));
	if (mode == LONG) {
		ck_ok(setup_long());
		return;
	}
	guest_setup(&guest, AXVCPU_MODE_32);
	/* A PAE root is read when paging is enabled. */
	map(0, 0, P);
	ck_ok(axvcpu_set_reg(guest.vcpu, AXVCPU_REG_X86_CR3, TABLE(levels() - 1)));
	ck_ok(axvcpu_set_reg(guest.vcpu, AXVCPU_REG_X86_CR4, mode == PAE ? CR4_PAE : CR4_PSE));
	if (mode == PAE)
		ck_ok(axvcpu_set_reg(guest.vcpu, AXVCPU_REG_X86_EFER, 0x800));
	ck_ok(axvcpu_set_reg(guest.vcpu, AXVCPU_REG_X86_CR0,
			     guest_reg(&guest, AXVCPU_REG_X86_CR0) | 1u << 31));
}

static void mapped(uint64_t gva, uint64_t gpa, uint64_t page_size, uint32_t access, uint32_t user)
{
	struct axvcpu_translation translation = AXVCPU_TRANSLATION_INIT;
	uint64_t plain = 0;

	ck_ok(axvcpu_translate_access(guest.vcpu, gva, &translation));
	ck_assert_uint_eq(translation.gpa, gpa);
	ck_assert_uint_eq(translation.page_size, page_size);
	ck_assert_uint_eq(translation.access, access);
	ck_assert_uint_eq(translation.user_access, user);
	ck_ok(axvcpu_translate(guest.vcpu, gva, &plain));
	ck_assert_uint_eq(plain, gpa);
}

static void unmapped(uint64_t gva)
{
	struct axvcpu_translation translation = AXVCPU_TRANSLATION_INIT;

	translation.gpa = 77;
	ck_fails_saying(axvcpu_translate_access(guest.vcpu, gva, &translation), EFAULT,
			"not mapped");
	ck_assert_uint_eq(translation.gpa, 77);
}

/* KVM has read the PAE root already, so it is asked only about other modes. */
static void expect_as_kvm(uint64_t gva)
{
	struct kvm_translation translation = { .linear_address = gva };
	uint64_t gpa = 0;

	ck_assert_int_eq(ioctl(axvcpu_fd(guest.vcpu), KVM_TRANSLATE, &translation), 0);
	ck_assert(translation.valid);
	ck_ok(axvcpu_translate(guest.vcpu, gva, &gpa));
	ck_assert_uint_eq(gpa, translation.physical_address);
}

START_TEST(pages_of_every_size_are_followed_in_four_levels)
{
	static const uint64_t addresses[] = { UINT64_C(0x7123456789ab),
					      UINT64_C(0xffff923456789abc) };

	start(LONG);
	for (size_t i = 0; i < 2; i++) {
		for (unsigned int level = 0; level < 3; level++) {
			uint64_t size = UINT64_C(0x1000) << 9 * level, gva = addresses[i];

			map(level, gva, 3 * size | P | W | U | (level ? PS : 0));
			mapped(gva, 3 * size + (gva & (size - 1)), size, READ | WRITE | EXEC,
			       READ | WRITE | EXEC);
			expect_as_kvm(gva);
		}
	}
	guest_end(&guest);
}
END_TEST

START_TEST(permissions_are_those_of_all_levels_together)
{
	const uint64_t gva = UINT64_C(0x123456789abc);

	start(LONG);
	map(0, gva, 0x5000 | P | W | U);
	for (unsigned int level = 0; level < 4; level++) {
		uint64_t entry = (level ? TABLE(level - 1) : 0x5000) | P;

		mapped(gva, 0x5abc, 0x1000, READ | WRITE | EXEC, READ | WRITE | EXEC);
		put(level, gva, entry | U);
		mapped(gva, 0x5abc, 0x1000, READ | EXEC, READ | EXEC);
		put(level, gva, entry | W);
		mapped(gva, 0x5abc, 0x1000, READ | WRITE | EXEC, 0);
		put(level, gva, entry | W | U | NX);
		mapped(gva, 0x5abc, 0x1000, READ | WRITE, READ | WRITE);
		put(level, gva, entry | W | U);
	}
	guest_end(&guest);
}
END_TEST

START_TEST(tables_that_are_wrong_map_nothing)
{
	const uint64_t gva = UINT64_C(0x123456789abc);

	start(LONG);
	/* Not present, in any level. */
	for (unsigned int level = 0; level < 4; level++) {
		map(level, gva, 0x5000 | W | U);
		unmapped(gva);
	}
	/* A large page where there is none; a table that is no memory; one that is its own. */
	map(3, gva, P | W | U | PS);
	unmapped(gva);
	map(1, gva, UINT64_C(0xffffffffff000) | P | W | U);
	unmapped(gva);
	map(0, gva, 0x5000 | P);
	put(3, gva, TABLE(3) | P);
	unmapped(gva);
	/* Not canonical. */
	unmapped(UINT64_C(1) << 47);
	unmapped(UINT64_C(0x8000000000000000));
	guest_end(&guest);
}
END_TEST

START_TEST(five_levels_are_followed)
{
	const uint64_t gva = UINT64_C(0x00a3456789abcdef);

	paging = LONG5;
	guest_create(&guest, NULL, PROGRAM(finish));
	/* KVM accepts LA57 only on hosts that have it. */
	if (setup_long()) {
		guest_end(&guest);
		suite_skip("no LA57");
		return;
	}
	map(0, gva, 0x5000 | P | W);
	mapped(gva, 0x5def, 0x1000, READ | WRITE | EXEC, 0);
	expect_as_kvm(gva);
	map(2, gva, PS | P | W);
	mapped(gva, gva & 0x3fffffff, 0x40000000, READ | WRITE | EXEC, 0);
	unmapped(UINT64_C(1) << 56);
	guest_end(&guest);
}
END_TEST

START_TEST(pae_and_32_bit_tables_are_followed)
{
	const uint64_t gva = 0xc1234567;

	start(PAE);
	map(0, gva, 0x5000 | P | U | NX);
	mapped(gva, 0x5567, 0x1000, READ, READ);
	map(1, gva, 0x600000 | P | W | PS);
	mapped(gva, 0x600000 + (gva & 0x1fffff), 0x200000, READ | WRITE | EXEC, 0);
	unmapped(UINT64_C(1) << 32);
	guest_end(&guest);

	start(LEGACY);
	map(0, gva, 0x5000 | P | U);
	mapped(gva, 0x5567, 0x1000, READ | EXEC, READ | EXEC);
	expect_as_kvm(gva);
	/* 4 MiB at 5 GiB: bits 20 to 13 hold the upper bits. */
	map(1, gva, 0x40000000 | UINT64_C(1) << 13 | P | W | PS);
	mapped(gva, UINT64_C(0x140000000) + (gva & 0x3fffff), 0x400000, READ | WRITE | EXEC, 0);
	/* Without PSE the bit is ignored, and this is a table. */
	ck_ok(axvcpu_set_reg(guest.vcpu, AXVCPU_REG_X86_CR4, 0));
	map(0, gva, 0x5000 | P);
	put(1, gva, TABLE(0) | P | PS);
	mapped(gva, 0x5567, 0x1000, READ | EXEC, 0);
	unmapped(UINT64_C(1) << 32);
	guest_end(&guest);
}
END_TEST

static void add_tests(Suite *suite)
{
	TCase *all = suite_case(suite, "all");

	tcase_add_test(all, pages_of_every_size_are_followed_in_four_levels);
	tcase_add_test(all, permissions_are_those_of_all_levels_together);
	tcase_add_test(all, tables_that_are_wrong_map_nothing);
	tcase_add_test(all, five_levels_are_followed);
	tcase_add_test(all, pae_and_32_bit_tables_are_followed);
}

int main(void)
{
	return suite_main("x86_translate", true, add_tests);
}
