/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * riscv64: accesses and jumps that KVM cannot carry out are exits that describe them. Needs a
 * working /dev/kvm.
 */
#include <errno.h>

#include "riscv64_guest.h"
#include "suite.h"

static struct guest guest;

#define R AXVCPU_ACCESS_READ
#define W AXVCPU_ACCESS_WRITE
/* Relative to GUEST_MMIO, where nothing is aligned at odd ones. */
#define FAULT(name, addr, size, access, error) \
	{ \
#name, &guest_faults_at_##name, (uint64_t)(addr), (size), (access), (error) \
	}

static const struct {
	const char *name;
	const uint32_t *at;
	uint64_t addr;
	uint32_t size;
	uint32_t access;
	uint32_t error;
} faults[] = {
	FAULT(ld, 9, 8, R, EIO),
	FAULT(lw, -15, 4, R, EIO),
	FAULT(sh, 17, 2, W, EIO),
	FAULT(sd, -7, 8, W, EIO),
	FAULT(lr, 8, 4, R, EOPNOTSUPP),
	FAULT(sc, 8, 8, W, EOPNOTSUPP),
	FAULT(amo, 8, 8, R | W, EOPNOTSUPP),
	FAULT(flw, 12, 4, R, EOPNOTSUPP),
	FAULT(fsd, 16, 8, W, EOPNOTSUPP),
	FAULT(cbo, 8, 0, W, EOPNOTSUPP),
	FAULT(c_fld, 24, 8, R, EOPNOTSUPP),
	FAULT(c_fsd, 32, 8, W, EOPNOTSUPP),
	FAULT(c_fldsp, 40, 8, R, EOPNOTSUPP),
	FAULT(c_fsdsp, 48, 8, W, EOPNOTSUPP),
	FAULT(c_lw, 5, 4, R, EIO),
	FAULT(c_sd, 9, 8, W, EIO),
	FAULT(c_lhu, 3, 2, R, 0),
	FAULT(c_sh, 3, 2, W, 0),
};

#define FAULTS (sizeof(faults) / sizeof(faults[0]))

START_TEST(failed_access_is_reported_and_the_guest_continues)
{
	guest_start(&guest, AXVCPU_MODE_64, PROGRAM(faults));
	guest_expect_write(&guest, GUEST_MMIO, 0);
	for (size_t i = 0; i < FAULTS; i++) {
		uint64_t pc = GUEST_CODE + *faults[i].at;
		uint64_t next = GUEST_CODE +
				(i + 1 < FAULTS ? *faults[i + 1].at : guest_faults_at_end);

		if (!i)
			ck_ok(axvcpu_set_reg(guest.vcpu, AXVCPU_REG_PC, pc));
		guest_expect(&guest, AXVCPU_EXIT_NESTED_PAGE_FAULT);
		ck_assert_msg(guest_reg(&guest, AXVCPU_REG_PC) == pc, "%s", faults[i].name);
		ck_assert_msg(guest.exit.u.page_fault.addr == GUEST_MMIO + faults[i].addr,
			      "%s: at %#lx", faults[i].name,
			      (unsigned long)guest.exit.u.page_fault.addr);
		ck_assert_msg(guest.exit.u.page_fault.size == faults[i].size, "%s: size %lu",
			      faults[i].name, (unsigned long)guest.exit.u.page_fault.size);
		ck_assert_msg(guest.exit.u.page_fault.access == faults[i].access, "%s: access %u",
			      faults[i].name, guest.exit.u.page_fault.access);
		/* Which of the two it is for the small ones is KVM's age. */
		if (faults[i].error)
			ck_assert_msg(guest.exit.u.page_fault.error == faults[i].error,
				      "%s: error %u", faults[i].name,
				      guest.exit.u.page_fault.error);
		ck_assert_int_eq(axvcpu_state(guest.vcpu), AXVCPU_READY);
		ck_assert_uint_eq(guest.exit.answerable, 0);
		/* As often as it is tried. */
		guest_expect(&guest, AXVCPU_EXIT_NESTED_PAGE_FAULT);
		ck_assert_uint_eq(guest.exit.u.page_fault.addr, GUEST_MMIO + faults[i].addr);
		ck_ok(axvcpu_set_reg(guest.vcpu, AXVCPU_REG_PC, next));
	}
	guest_expect_end(&guest);
	guest_end(&guest);
}
END_TEST

/*
 * The guest has jumped to 'to', and there is no memory at 'missing'. KVM of Linux 6.12 hands that out; a later
 * one makes it the guest's own instruction access fault.
 */
static void expect_failed_fetch(uint64_t to, uint64_t missing)
{
	const uint64_t access_fault = 1;

	do
		ck_ok(axvcpu_run(guest.vcpu, &guest.exit));
	while (guest.exit.kind == AXVCPU_EXIT_NOTHING);
	if (guest.exit.kind == AXVCPU_EXIT_NESTED_PAGE_FAULT) {
		ck_assert_uint_eq(guest.exit.u.page_fault.addr, missing);
		ck_assert_uint_eq(guest.exit.u.page_fault.access, AXVCPU_ACCESS_EXEC);
		ck_assert_uint_eq(guest.exit.u.page_fault.error, EOPNOTSUPP);
		ck_assert_uint_eq(guest_reg(&guest, AXVCPU_REG_PC), to);
		return;
	}
	ck_assert_uint_eq(guest.exit.kind, AXVCPU_EXIT_MMIO_WRITE);
	ck_assert_uint_eq(guest.exit.u.mmio.addr, GUEST_TRAPPED);
	ck_assert_uint_eq(guest_reg(&guest, AXVCPU_REG_RISCV64_SCAUSE), access_fault);
	ck_assert_uint_eq(guest_reg(&guest, AXVCPU_REG_RISCV64_STVAL), missing);
	ck_assert_uint_eq(guest_reg(&guest, AXVCPU_REG_RISCV64_SEPC), to);
}

static void start_jump(uint64_t to)
{
	struct axvcpu_setup_config setup = guest_setup_config(0);

	guest_create(&guest, NULL, PROGRAM(jump));
	setup.arg = to;
	ck_ok(axvcpu_setup(guest.vcpu, GUEST_CODE, 0, &setup));
	ck_ok(axvcpu_bind(guest.vcpu));
}

static void jump(uint64_t to)
{
	start_jump(to);
	guest_expect_write(&guest, GUEST_MMIO, 0);
	expect_failed_fetch(to, to);
	/* The VMM may send it back. */
	ck_ok(axvcpu_set_entry(guest.vcpu, GUEST_CODE));
	guest_expect_write(&guest, GUEST_MMIO, 0);
	guest_end(&guest);
}

START_TEST(code_outside_memory_is_reported_by_its_address)
{
	jump(0);
	jump(GUEST_MMIO);
	jump(GUEST_BASE - 2);
	jump(GUEST_BASE + GUEST_MEMORY);
}
END_TEST

START_TEST(fetch_fault_address_is_the_second_half)
{
	/* The first half of "ld a2, (a1)" in the last two bytes. */
	const unsigned char half[] = { 0x03, 0xb6 };
	const uint64_t last = GUEST_BASE + GUEST_MEMORY - 2;

	start_jump(last);
	ck_ok(axvm_write(guest.vm, last, half, sizeof(half)));
	guest_expect_write(&guest, GUEST_MMIO, 0);
	expect_failed_fetch(last, last + 2);
	guest_end(&guest);
}
END_TEST

START_TEST(a_fault_leaves_no_message_of_a_failure)
{
	guest_start(&guest, AXVCPU_MODE_64, PROGRAM(faults));
	guest_expect_write(&guest, GUEST_MMIO, 0);
	ck_ok(axvcpu_set_reg(guest.vcpu, AXVCPU_REG_PC, GUEST_CODE + *faults[0].at));
	ck_fails(axvm_map(guest.vm, NULL), EINVAL);
	guest_expect(&guest, AXVCPU_EXIT_NESTED_PAGE_FAULT);
	ck_assert_ptr_nonnull(strstr(axvcpu_last_error(), "EINVAL"));
	guest_end(&guest);
}
END_TEST

static void add_tests(Suite *suite)
{
	TCase *all = suite_case(suite, "all");

	tcase_add_test(all, failed_access_is_reported_and_the_guest_continues);
	tcase_add_test(all, code_outside_memory_is_reported_by_its_address);
	tcase_add_test(all, fetch_fault_address_is_the_second_half);
	tcase_add_test(all, a_fault_leaves_no_message_of_a_failure);
}

int main(void)
{
	return suite_main("riscv64_page_faults", true, add_tests);
}
