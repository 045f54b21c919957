/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* riscv64: registers, each of KVM's list, by name and by id. Needs a working /dev/kvm. */
#include <errno.h>

#include "riscv64_guest.h"
#include "suite.h"

static struct guest guest;

#define IDS_MAX 1024
#define REG_TYPE(id) ((id) >> 24 & 0xff)
#define TYPE_CONFIG 1u
#define TYPE_CORE 2u
#define TYPE_CSR 3u
#define TYPE_TIMER 4u
#define TYPE_FP_F 5u
#define TYPE_FP_D 6u
#define TYPE_VECTOR 9u
#define TYPE_ISA 7u
#define TYPE_SBI 8u
#define TIMER_TIME UINT64_C(0x8030000004000001)
#define TIMER_STATE UINT64_C(0x8030000004000003)

static uint64_t ids[IDS_MAX];

static size_t list(void)
{
	int n = axvcpu_reg_list(guest.vcpu, NULL, 0);

	ck_ok(n);
	ck_assert_int_le(n, IDS_MAX);
	ck_assert_int_eq(axvcpu_reg_list(guest.vcpu, ids, IDS_MAX), n);
	return (size_t)n;
}

START_TEST(every_register_of_the_list_is_read_and_written_back)
{
	unsigned char before[256], after[256];
	size_t n;

	guest_start(&guest, AXVCPU_MODE_64, PROGRAM(chatter));
	n = list();
	/* General ones, CSRs and the timer at the least. */
	ck_assert_uint_gt(n, 32 + 10 + 4);
	for (size_t i = 0; i < n; i++) {
		size_t size = axvcpu_reg_size(ids[i]);

		ck_assert_uint_gt(size, 0);
		ck_assert_uint_le(size, sizeof(before));
		ck_ok(axvcpu_get_reg_bytes(guest.vcpu, ids[i], before, size));
		/* KVM does not disable features that are off already. */
		if (ids[i] == TIMER_STATE && !before[0]) {
			ck_fails(axvcpu_set_reg_bytes(guest.vcpu, ids[i], before, size), EINVAL);
			continue;
		}
		ck_ok(axvcpu_set_reg_bytes(guest.vcpu, ids[i], before, size));
		ck_ok(axvcpu_get_reg_bytes(guest.vcpu, ids[i], after, size));
		if (ids[i] != TIMER_TIME)
			ck_assert_mem_eq(after, before, size);
	}
	guest_expect(&guest, AXVCPU_EXIT_MMIO_WRITE);
	/* Once it has run, extensions of SBI are written no more, whatever the value. */
	for (size_t i = 0; i < n; i++) {
		size_t size = axvcpu_reg_size(ids[i]);

		ck_ok(axvcpu_get_reg_bytes(guest.vcpu, ids[i], before, size));
		if (REG_TYPE(ids[i]) == TYPE_SBI)
			ck_fails(axvcpu_set_reg_bytes(guest.vcpu, ids[i], before, size), EBUSY);
		else if (ids[i] != TIMER_STATE)
			ck_ok(axvcpu_set_reg_bytes(guest.vcpu, ids[i], before, size));
	}
	guest_expect(&guest, AXVCPU_EXIT_MMIO_WRITE);
	guest_end(&guest);
}
END_TEST

/* Those that hold whatever is put there. */
static bool holds_anything(uint64_t id)
{
	switch (REG_TYPE(id)) {
	case TYPE_CORE:
		return (id & 0xffff) < 32;
	case TYPE_FP_F:
	case TYPE_FP_D:
		return (id & 0xffff) < 32;
	case TYPE_VECTOR:
		return axvcpu_reg_size(id) > 8;
	default:
		return false;
	}
}

START_TEST(every_register_holds_what_is_written)
{
	unsigned char pattern[256], after[256];
	unsigned int held = 0;
	size_t n;

	guest_start(&guest, AXVCPU_MODE_64, PROGRAM(chatter));
	n = list();
	for (size_t i = 0; i < n; i++) {
		size_t size = axvcpu_reg_size(ids[i]);

		if (!holds_anything(ids[i]))
			continue;
		for (size_t b = 0; b < size; b++)
			pattern[b] = (unsigned char)(0x5a + 7 * i + 3 * b);
		ck_ok(axvcpu_set_reg_bytes(guest.vcpu, ids[i], pattern, size));
		ck_ok(axvcpu_get_reg_bytes(guest.vcpu, ids[i], after, size));
		ck_assert_mem_eq(after, pattern, size);
		held++;
	}
	ck_assert_uint_ge(held, 32);
	guest_end(&guest);
}
END_TEST

START_TEST(a_length_that_is_not_the_registers_is_refused)
{
	uint64_t value = 0;

	guest_start(&guest, AXVCPU_MODE_64, PROGRAM(chatter));
	list();
	ck_fails(axvcpu_get_reg_bytes(guest.vcpu, ids[0], &value, 4), EINVAL);
	ck_fails(axvcpu_set_reg_bytes(guest.vcpu, ids[0], &value, 4), EINVAL);
	guest_end(&guest);
}
END_TEST

START_TEST(x0_is_zero_and_writes_to_it_are_ignored)
{
	struct axvcpu_regs regs;

	guest_start(&guest, AXVCPU_MODE_64, PROGRAM(chatter));
	ck_ok(axvcpu_set_gpr(guest.vcpu, 0, 0x1234));
	ck_assert_uint_eq(guest_reg(&guest, AXVCPU_REG_RISCV64_ZERO), 0);
	for (unsigned int i = 1; i < 32; i++)
		ck_ok(axvcpu_set_gpr(guest.vcpu, i, 0x1000 + i));
	ck_ok(axvcpu_get_regs(guest.vcpu, &regs));
	ck_assert_uint_eq(regs.gpr[0], 0);
	for (unsigned int i = 1; i < 32; i++)
		ck_assert_uint_eq(regs.gpr[i], 0x1000 + i);
	ck_assert_uint_eq(regs.pc, GUEST_CODE);
	ck_assert_uint_eq(regs.flags, 0);
	regs.gpr[0] = regs.gpr[5] = 77;
	ck_ok(axvcpu_set_regs(guest.vcpu, &regs));
	ck_assert_uint_eq(guest_reg(&guest, AXVCPU_REG_RISCV64_ZERO), 0);
	ck_assert_uint_eq(guest_reg(&guest, AXVCPU_REG_RISCV64_T0), 77);
	ck_assert_uint_eq(guest_reg(&guest, AXVCPU_REG_SP),
			  guest_reg(&guest, AXVCPU_REG_RISCV64_SP));
	guest_end(&guest);
}
END_TEST

START_TEST(unknown_registers_are_not_found)
{
	static const uint64_t none[] = { AXVCPU_REG_FLAGS,
					 AXVCPU_REG_GPR(32),
					 AXVCPU_REG_X86_CR0,
					 AXVCPU_REG_RISCV64_ZICBOP_BLOCK_SIZE + 1,
					 AXVCPU_REG_RISCV64_ISA_EXTENSION(0x1000),
					 AXVCPU_REG_RISCV64_ISA_EXTENSION(0x10000),
					 AXVCPU_REG_RISCV64_SBI_EXTENSION(0xffff) };
	uint64_t value = 0x77;

	guest_start(&guest, AXVCPU_MODE_64, PROGRAM(chatter));
	for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++) {
		ck_fails(axvcpu_get_reg(guest.vcpu, none[i], &value), ENOENT);
		ck_assert_uint_eq(value, 0x77);
		ck_fails(axvcpu_set_reg(guest.vcpu, none[i], 0), ENOENT);
	}
	guest_end(&guest);
}
END_TEST

START_TEST(named_registers_are_kvms)
{
	uint64_t id, value;
	const char *name;
	unsigned int n;

	guest_start(&guest, AXVCPU_MODE_64, PROGRAM(chatter));
	for (n = 0; !axvcpu_reg_info(guest.vcpu, n, &id, &name); n++)
		ck_ok(axvcpu_get_reg(guest.vcpu, id, &value));
	ck_assert_uint_gt(n, 32);
	ck_ok(axvcpu_set_reg(guest.vcpu, AXVCPU_REG_RISCV64_SSCRATCH, UINT64_C(0x123456789abcdef)));
	ck_assert_uint_eq(guest_reg(&guest, UINT64_C(0x8030000003000003)),
			  UINT64_C(0x123456789abcdef));
	ck_assert_uint_gt(guest_reg(&guest, AXVCPU_REG_RISCV64_TIMER_FREQUENCY), 0);
	ck_assert_uint_ge(guest_reg(&guest, AXVCPU_REG_RISCV64_SATP_MODE), 8);
	guest_end(&guest);
}
END_TEST

static void add_tests(Suite *suite)
{
	TCase *all = suite_case(suite, "all");

	tcase_add_test(all, every_register_of_the_list_is_read_and_written_back);
	tcase_add_test(all, every_register_holds_what_is_written);
	tcase_add_test(all, a_length_that_is_not_the_registers_is_refused);
	tcase_add_test(all, x0_is_zero_and_writes_to_it_are_ignored);
	tcase_add_test(all, unknown_registers_are_not_found);
	tcase_add_test(all, named_registers_are_kvms);
}

int main(void)
{
	return suite_main("riscv64_regs", true, add_tests);
}
