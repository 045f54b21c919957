/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* riscv64: a reset leaves nothing of the guest before. Needs a working /dev/kvm. */
#include <errno.h>

#include "riscv64_guest.h"
#include "suite.h"

static struct guest guest;

#define SECOND (GUEST_BASE + 0x2000)
#define IDS_MAX 1024
#define REG_TYPE(id) ((id) >> 24 & 0xff)
#define TYPE_CORE 2u
#define TYPE_CSR 3u
#define TYPE_FP_F 5u
#define TYPE_FP_D 6u
#define TYPE_VECTOR 9u
#define TYPE_SBI_STATE 10u
#define TIMER_COMPARE UINT64_C(0x8030000004000002)
#define VLENB UINT64_C(0x8030000009000004)
#define SIP UINT64_C(0x8030000003000007)

static uint64_t ids[IDS_MAX];
static unsigned char fresh[IDS_MAX][256];

/* Those that are a guest's. */
static bool is_state(uint64_t id)
{
	switch (REG_TYPE(id)) {
	case TYPE_CORE:
	case TYPE_CSR:
	case TYPE_FP_F:
	case TYPE_FP_D:
	case TYPE_SBI_STATE:
		return true;
	case TYPE_VECTOR:
		return id != VLENB;
	default:
		return id == TIMER_COMPARE;
	}
}

START_TEST(every_register_is_what_setup_left)
{
	unsigned char now[256], dirt[256];
	int n;

	memset(dirt, 0x5a, sizeof(dirt));
	guest_start(&guest, AXVCPU_MODE_64, PROGRAM(chatter));
	n = axvcpu_reg_list(guest.vcpu, ids, IDS_MAX);
	ck_ok(n);
	ck_assert_int_le(n, IDS_MAX);
	for (int i = 0; i < n; i++)
		ck_ok(axvcpu_get_reg_bytes(guest.vcpu, ids[i], fresh[i], axvcpu_reg_size(ids[i])));
	guest_expect(&guest, AXVCPU_EXIT_MMIO_WRITE);
	for (int i = 0; i < n; i++)
		if (is_state(ids[i]))
			/* Registers that do not keep the written value differ before or after. */
			axvcpu_set_reg_bytes(guest.vcpu, ids[i], dirt, axvcpu_reg_size(ids[i]));
	ck_assert_uint_eq(guest_reg(&guest, AXVCPU_REG_RISCV64_SSCRATCH),
			  UINT64_C(0x5a5a5a5a5a5a5a5a));
	ck_ok(axvcpu_reset(guest.vcpu, GUEST_CODE, 0));
	for (int i = 0; i < n; i++) {
		size_t size = axvcpu_reg_size(ids[i]);

		if (!is_state(ids[i]))
			continue;
		ck_ok(axvcpu_get_reg_bytes(guest.vcpu, ids[i], now, size));
		ck_assert_msg(!memcmp(now, fresh[i], size), "register %#llx: %#x..., not %#x...",
			      (unsigned long long)ids[i], now[0], fresh[i][0]);
	}
	guest_expect(&guest, AXVCPU_EXIT_MMIO_WRITE);
	guest_end(&guest);
}
END_TEST

START_TEST(a_reset_starts_anew_from_free_and_ready)
{
	guest_start(&guest, AXVCPU_MODE_64, PROGRAM(echo));
	ck_ok(axvm_write(guest.vm, SECOND, PROGRAM(tell)));
	/* In the middle of an instruction, whose answer goes to no guest. */
	guest_expect_read(&guest, GUEST_MMIO);
	ck_ok(axvcpu_complete_value(guest.vcpu, 0x1234));
	ck_ok(axvcpu_reset(guest.vcpu, SECOND, 0xabc));
	ck_assert_uint_eq(guest_reg(&guest, AXVCPU_REG_PC), SECOND);
	ck_assert_uint_eq(guest_reg(&guest, AXVCPU_REG_SP), GUEST_STACK);
	ck_assert_uint_eq(guest_reg(&guest, AXVCPU_REG_RISCV64_A2), 0);
	guest_expect_write(&guest, GUEST_MMIO, 0xabc);
	ck_ok(axvcpu_unbind(guest.vcpu));
	ck_ok(axvcpu_reset(guest.vcpu, SECOND, 0xdef));
	ck_ok(axvcpu_bind(guest.vcpu));
	guest_expect_write(&guest, GUEST_MMIO, 0xdef);
	guest_end(&guest);
}
END_TEST

START_TEST(a_guest_that_has_ended_lives_again)
{
	guest_start(&guest, AXVCPU_MODE_64, PROGRAM(last));
	ck_ok(axvm_write(guest.vm, SECOND, PROGRAM(tell)));
	for (int i = 0; i < 5; i++) {
		guest_expect(&guest, AXVCPU_EXIT_SYSTEM_DOWN);
		ck_fails(axvcpu_run(guest.vcpu, &guest.exit), EBADFD);
		ck_ok(axvcpu_reset(guest.vcpu, SECOND, UINT64_C(0x123456789abc)));
		guest_expect_write(&guest, GUEST_MMIO, UINT64_C(0x123456789abc));
		ck_ok(axvcpu_reset(guest.vcpu, GUEST_CODE, 0));
	}
	guest_end(&guest);
}
END_TEST

START_TEST(a_line_that_was_high_is_low)
{
	guest_start(&guest, AXVCPU_MODE_64, PROGRAM(sleeper));
	guest_expect_write(&guest, GUEST_MMIO, 0);
	ck_ok(axvcpu_set_irq_line(guest.vcpu, 0, true));
	guest_expect(&guest, AXVCPU_EXIT_MMIO_WRITE);
	ck_ok(axvcpu_reset(guest.vcpu, GUEST_CODE, 0));
	ck_assert_uint_eq(guest_reg(&guest, SIP), 0);
	guest_expect_write(&guest, GUEST_MMIO, 0);
	ck_ok(axvcpu_kick(guest.vcpu));
	guest_expect(&guest, AXVCPU_EXIT_NOTHING);
	ck_assert_uint_eq(guest.exit.kicked, 1);
	guest_end(&guest);
}
END_TEST

START_TEST(a_timer_that_was_set_is_off)
{
	guest_start(&guest, AXVCPU_MODE_64, PROGRAM(timer));
	guest_expect(&guest, AXVCPU_EXIT_MMIO_WRITE);
	ck_assert_uint_ne(guest_reg(&guest, TIMER_COMPARE), UINT64_MAX);
	ck_ok(axvcpu_reset(guest.vcpu, GUEST_CODE, 0));
	ck_assert_uint_eq(guest_reg(&guest, TIMER_COMPARE), UINT64_MAX);
	ck_assert_uint_eq(guest_reg(&guest, AXVCPU_REG_RISCV64_TIMER_STATE), 0);
	guest_expect(&guest, AXVCPU_EXIT_MMIO_WRITE);
	guest_end(&guest);
}
END_TEST

START_TEST(a_raw_hart_is_raw_again)
{
	guest_start(&guest, AXVCPU_MODE_RAW, PROGRAM(tell));
	guest_expect_write(&guest, GUEST_MMIO, 0);
	ck_ok(axvcpu_reset(guest.vcpu, GUEST_CODE, 77));
	for (unsigned int i = 0; i < 32; i++)
		ck_assert_uint_eq(guest_reg(&guest, AXVCPU_REG_GPR(i)), 0);
	guest_expect_write(&guest, GUEST_MMIO, 0);
	guest_end(&guest);
}
END_TEST

static void add_tests(Suite *suite)
{
	TCase *all = suite_case(suite, "all");

	tcase_add_test(all, every_register_is_what_setup_left);
	tcase_add_test(all, a_reset_starts_anew_from_free_and_ready);
	tcase_add_test(all, a_guest_that_has_ended_lives_again);
	tcase_add_test(all, a_line_that_was_high_is_low);
	tcase_add_test(all, a_timer_that_was_set_is_off);
	tcase_add_test(all, a_raw_hart_is_raw_again);
}

int main(void)
{
	return suite_main("riscv64_reset", true, add_tests);
}
