/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * A reset: the CPU is as setup made it, whatever the guest has made of it. Needs a working
 * /dev/kvm.
 */
#include <errno.h>
#include <inttypes.h>
#include <linux/kvm.h>
#include <stdio.h>
#include <stdlib.h>

#include "arm64_guest.h"
#include "suite.h"

static struct guest guest;

#define ARG UINT64_C(0x123456789abcdef0)

struct snapshot {
	uint64_t *ids;
	/* 16 bytes each are enough of every register that is no vector. */
	unsigned char (*values)[16];
	int n;
};

static struct snapshot take(void)
{
	struct snapshot snapshot = { .n = axvcpu_reg_list(guest.vcpu, NULL, 0) };

	ck_assert_int_gt(snapshot.n, 0);
	snapshot.ids = calloc((size_t)snapshot.n, sizeof(snapshot.ids[0]));
	snapshot.values = calloc((size_t)snapshot.n, sizeof(snapshot.values[0]));
	ck_assert(snapshot.ids && snapshot.values);
	ck_ok(axvcpu_reg_list(guest.vcpu, snapshot.ids, (size_t)snapshot.n));
	for (int i = 0; i < snapshot.n; i++)
		ck_ok(axvcpu_get_reg_bytes(guest.vcpu, snapshot.ids[i], snapshot.values[i],
					   axvcpu_reg_size(snapshot.ids[i])));
	return snapshot;
}

static void release(struct snapshot *snapshot)
{
	free(snapshot->ids);
	free(snapshot->values);
}

static bool counts(uint64_t id)
{
	return id == KVM_REG_ARM_TIMER_CNT || id == KVM_REG_ARM_PTIMER_CNT;
}

/*
 * State that a guest cannot change: KVM's firmware settings, the shape of the caches, and the CPU
 * number. A reset keeps the caller's values.
 */
static bool is_a_setting(uint64_t id)
{
	uint64_t coprocessor = id & KVM_REG_ARM_COPROC_MASK;

	return coprocessor == KVM_REG_ARM_FW || coprocessor == KVM_REG_ARM_FW_FEAT_BMAP ||
	       coprocessor == KVM_REG_ARM_DEMUX || id == ARM64_SYS_REG(3, 0, 0, 0, 5);
}

START_TEST(every_register_is_as_setup_left_it)
{
	struct snapshot before, after;
	int changed = 0, differ = 0;

	guest_start(&guest, AXVCPU_MODE_64, PROGRAM(chatter));
	before = take();
	/* All bits that can be changed are. */
	for (int i = 0; i < before.n; i++) {
		unsigned char value[16];
		size_t size = axvcpu_reg_size(before.ids[i]);

		if (counts(before.ids[i]))
			continue;
		for (size_t j = 0; j < size; j++)
			value[j] = (unsigned char)~before.values[i][j];
		changed += axvcpu_set_reg_bytes(guest.vcpu, before.ids[i], value, size) == 0;
	}
	ck_assert_int_gt(changed, 60);
	ck_ok(axvcpu_reset(guest.vcpu, GUEST_CODE, 0));
	after = take();
	ck_assert_int_eq(before.n, after.n);
	for (int i = 0; i < before.n; i++) {
		ck_assert_uint_eq(before.ids[i], after.ids[i]);
		if (counts(before.ids[i]) || is_a_setting(before.ids[i]))
			continue;
		if (memcmp(before.values[i], after.values[i], 16)) {
			fprintf(stderr, "register %#" PRIx64 " is not what it was\n",
				before.ids[i]);
			differ++;
		}
	}
	ck_assert_int_eq(differ, 0);
	release(&before);
	release(&after);
	guest_expect_write(&guest, GUEST_MMIO, GUEST_VALUE);
	guest_end(&guest);
}
END_TEST

START_TEST(a_reset_takes_entry_and_argument)
{
	guest_start(&guest, AXVCPU_MODE_64, PROGRAM(tell));
	guest_expect_write(&guest, GUEST_MMIO, 0);
	ck_ok(axvcpu_reset(guest.vcpu, GUEST_CODE, ARG));
	guest_expect_write(&guest, GUEST_MMIO, ARG);
	ck_fails_saying(axvcpu_reset(guest.vcpu, GUEST_CODE + 1, 5), EINVAL, "multiple of 4");
	/* Nothing has changed. */
	guest_expect_write(&guest, GUEST_MMIO, ARG);
	/* Also an unassigned one. */
	ck_ok(axvcpu_unbind(guest.vcpu));
	ck_ok(axvcpu_reset(guest.vcpu, GUEST_CODE, ARG + 1));
	ck_ok(axvcpu_bind(guest.vcpu));
	guest_expect_write(&guest, GUEST_MMIO, ARG + 1);
	guest_end(&guest);
}
END_TEST

START_TEST(an_open_read_does_not_reach_the_new_cpu)
{
	guest_start(&guest, AXVCPU_MODE_64, PROGRAM(echo));
	guest_expect_read(&guest, GUEST_MMIO);
	ck_ok(axvcpu_complete_value(guest.vcpu, 0x99));
	ck_ok(axvcpu_reset(guest.vcpu, GUEST_CODE, 0));
	ck_assert_uint_eq(guest_reg(&guest, AXVCPU_REG_ARM64_X(2)), 0);
	ck_assert_uint_eq(guest_reg(&guest, AXVCPU_REG_PC), GUEST_CODE);
	guest_expect_read(&guest, GUEST_MMIO);
	/* An unanswered one. */
	ck_ok(axvcpu_reset(guest.vcpu, GUEST_CODE, 0));
	ck_assert_uint_eq(guest_reg(&guest, AXVCPU_REG_PC), GUEST_CODE);
	guest_end(&guest);
}
END_TEST

START_TEST(raised_lines_are_lowered)
{
	a64_start(&guest, NULL, PROGRAM(lines), 0, NULL);
	guest_expect_write(&guest, GUEST_MMIO, 0);
	ck_ok(axvcpu_set_irq_line(guest.vcpu, 0, true));
	guest_expect_write(&guest, GUEST_MMIO + 8, 0);
	ck_ok(axvcpu_reset(guest.vcpu, GUEST_CODE, 0));
	guest_expect_write(&guest, GUEST_MMIO, 0);
	/* The other one is the first that it sees. */
	ck_ok(axvcpu_set_irq_line(guest.vcpu, 1, true));
	guest_expect_write(&guest, GUEST_MMIO + 16, 0);
	guest_end(&guest);
}
END_TEST

START_TEST(pending_gic_interrupts_are_cleared)
{
	/* Two software-generated interrupts, which no line can take back: by GICR_ISPENDR0, ... */
	static const struct a64_store pending_v3[] = { { AXVM_ARM64_GICR + 0x10200, 4, 0x6 } };
	/* ... or by GICD_SGIR: to this CPU, and the number. */
	static const struct a64_store pending_v2[] = {
		{ AXVM_ARM64_GICD + 0xf00, 4, 2u << 24 | 1 },
		{ AXVM_ARM64_GICD + 0xf00, 4, 2u << 24 | 2 },
	};
	bool v3 = a64_gic_version() == 3;

	a64_start_gic(&guest, NULL, false, NULL, 0);
	ck_ok(axvcpu_inject_interrupt(guest.vcpu, 20));
	ck_ok(axvcpu_inject_interrupt(guest.vcpu, 21));
	ck_ok(axvcpu_reset(guest.vcpu, GUEST_CODE, A64_LIST));
	guest_expect_write(&guest, GUEST_MMIO, 0);
	ck_ok(axvcpu_inject_interrupt(guest.vcpu, 22));
	a64_expect_irq(&guest, 22);
	guest_end(&guest);
	/* Those are pending at once. */
	a64_start_gic(&guest, NULL, false, v3 ? pending_v3 : pending_v2, v3 ? 1 : 2);
	a64_expect_irq(&guest, 1);
	a64_gic_list(guest.vm, NULL, false, NULL, 0);
	ck_ok(axvcpu_reset(guest.vcpu, GUEST_CODE, A64_LIST));
	guest_expect_write(&guest, GUEST_MMIO, 0);
	/* The list also contained the registers that enable interrupts. */
	ck_ok(axvcpu_inject_interrupt(guest.vcpu, 22));
	ck_ok(axvcpu_inject_interrupt(guest.vcpu, 40));
	a64_expect_irq(&guest, 40);
	guest_end(&guest);
}
END_TEST

START_TEST(debugging_goes_on)
{
	struct axvcpu_debug debug = AXVCPU_DEBUG_INIT;

	guest_start(&guest, AXVCPU_MODE_64, PROGRAM(steps));
	debug.flags = AXVCPU_DEBUG_STEP;
	ck_ok(axvcpu_set_debug(guest.vcpu, &debug));
	guest_expect(&guest, AXVCPU_EXIT_DEBUG);
	ck_ok(axvcpu_reset(guest.vcpu, GUEST_CODE, 0));
	guest_expect(&guest, AXVCPU_EXIT_DEBUG);
	ck_assert_uint_eq(guest.exit.u.debug.pc, GUEST_CODE + 4);
	guest_end(&guest);
}
END_TEST

static void add_tests(Suite *suite)
{
	TCase *all = suite_case(suite, "all");

	tcase_add_test(all, every_register_is_as_setup_left_it);
	tcase_add_test(all, a_reset_takes_entry_and_argument);
	tcase_add_test(all, an_open_read_does_not_reach_the_new_cpu);
	tcase_add_test(all, raised_lines_are_lowered);
	tcase_add_test(all, pending_gic_interrupts_are_cleared);
	tcase_add_test(all, debugging_goes_on);
}

int main(void)
{
	return suite_main("arm64: reset", true, add_tests);
}
