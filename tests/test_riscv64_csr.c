/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * riscv64: CSRs that KVM leaves to its caller: those of an IMSIC where there is none. It has them
 * only on a host with an AIA; elsewhere they are the guest's exceptions. ("seed" is another, for
 * guests with Zkr whose firmware lets them have it.) Needs a working /dev/kvm.
 */
#include <errno.h>

#include "riscv64_guest.h"
#include "suite.h"

static struct guest guest;

#define STOPEI 0x15c
#define SIREG 0x151
#define ILLEGAL 2

static void expect_access(uint64_t csr, uint64_t mask, uint64_t value)
{
	guest_expect(&guest, mask ? AXVCPU_EXIT_SYSREG_WRITE : AXVCPU_EXIT_SYSREG_READ);
	ck_assert_uint_eq(guest.exit.answerable, 1);
	ck_assert_uint_eq(guest.exit.raw_code, 0);
	ck_assert_uint_eq(guest.exit.u.sysreg.addr, csr);
	ck_assert_uint_eq(guest.exit.u.sysreg.write_mask, mask);
	ck_assert_uint_eq(guest.exit.u.sysreg.value, value);
	ck_assert_uint_eq(guest.exit.u.sysreg.reg_known, 0);
}

START_TEST(reads_and_writes_carry_mask_and_value_and_take_the_old_value)
{
	guest_start(&guest, AXVCPU_MODE_64, PROGRAM(csrs));
	expect_access(STOPEI, 0, 0);
	ck_ok(axvcpu_complete_value(guest.vcpu, UINT64_C(0x1111222233334444)));
	guest_expect_write(&guest, GUEST_MMIO, UINT64_C(0x1111222233334444));
	expect_access(STOPEI, UINT64_MAX, GUEST_MMIO);
	ck_ok(axvcpu_complete_value(guest.vcpu, 0x2222));
	guest_expect_write(&guest, GUEST_MMIO, 0x2222);
	expect_access(SIREG, 0, 0);
	ck_ok(axvcpu_complete_value(guest.vcpu, 0x3333));
	guest_expect_write(&guest, GUEST_MMIO, 0x3333);
	/* Bits to set, bits to clear. */
	expect_access(SIREG, 0x55, 0x55);
	ck_ok(axvcpu_complete_value(guest.vcpu, 0x4444));
	guest_expect_write(&guest, GUEST_MMIO, 0x4444);
	expect_access(SIREG, 3, 0);
	ck_ok(axvcpu_complete_value(guest.vcpu, 0x5555));
	guest_expect_write(&guest, GUEST_MMIO, 0x5555);
	/* Where the old value is not used. */
	expect_access(SIREG, UINT64_MAX, 9);
	ck_ok(axvcpu_complete_value(guest.vcpu, 0x6666));
	guest_expect_end(&guest);
	guest_end(&guest);
}
END_TEST

START_TEST(unanswered_read_is_0)
{
	guest_start(&guest, AXVCPU_MODE_64, PROGRAM(csrs));
	expect_access(STOPEI, 0, 0);
	guest_expect_write(&guest, GUEST_MMIO, 0);
	expect_access(STOPEI, UINT64_MAX, GUEST_MMIO);
	ck_assert_uint_eq(guest_reg(&guest, AXVCPU_REG_PC), PROGRAM_AT(csrs, swap));
	ck_ok(axvcpu_flush(guest.vcpu));
	ck_assert_uint_eq(guest_reg(&guest, AXVCPU_REG_PC), PROGRAM_AT(csrs, swap) + 4);
	guest_expect_write(&guest, GUEST_MMIO, 0);
	guest_end(&guest);
}
END_TEST

START_TEST(a_fault_is_an_exception_at_the_access_which_changes_nothing)
{
	guest_start(&guest, AXVCPU_MODE_64, PROGRAM(csr_fault));
	expect_access(STOPEI, UINT64_MAX, GUEST_MMIO);
	ck_ok(axvcpu_complete_fault(guest.vcpu));
	ck_fails(axvcpu_complete_value(guest.vcpu, 1), EBADFD);
	guest_expect_write(&guest, GUEST_MMIO + 8, ILLEGAL);
	guest_expect_write(&guest, GUEST_MMIO + 0x10, PROGRAM_AT(csr_fault, here));
	/* The register that was to take the old value. */
	guest_expect_write(&guest, GUEST_MMIO, 0x77);
	guest_end(&guest);
}
END_TEST

START_TEST(no_other_answer_is_taken)
{
	guest_start(&guest, AXVCPU_MODE_64, PROGRAM(csrs));
	expect_access(STOPEI, 0, 0);
	ck_fails(axvcpu_complete_pair(guest.vcpu, 1, 2), EINVAL);
	ck_ok(axvcpu_complete_value(guest.vcpu, 3));
	ck_fails(axvcpu_complete_value(guest.vcpu, 4), EBADFD);
	guest_expect_write(&guest, GUEST_MMIO, 3);
	guest_end(&guest);
}
END_TEST

START_TEST(without_an_aia_they_are_the_guests_exceptions)
{
	guest_start(&guest, AXVCPU_MODE_64, PROGRAM(csr_fault));
	guest_expect_write(&guest, GUEST_MMIO + 8, ILLEGAL);
	guest_end(&guest);
}
END_TEST

static void add_tests(Suite *suite)
{
	TCase *all = suite_case(suite, "all");

	if (!riscv64_host_has_aia()) {
		tcase_add_test(all, without_an_aia_they_are_the_guests_exceptions);
		return;
	}
	tcase_add_test(all, reads_and_writes_carry_mask_and_value_and_take_the_old_value);
	tcase_add_test(all, unanswered_read_is_0);
	tcase_add_test(all, a_fault_is_an_exception_at_the_access_which_changes_nothing);
	tcase_add_test(all, no_other_answer_is_taken);
}

int main(void)
{
	return suite_main("riscv64_csr", true, add_tests);
}
