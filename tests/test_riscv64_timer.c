/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * A timer that is armed, or has gone off, is so again after a restore and in a clone, in the time of the
 * guest. Needs a working /dev/kvm.
 */
#include <unistd.h>

#include "riscv64_guest.h"
#include "suite.h"

static struct guest guest;
static struct axvm_checkpoint *checkpoint;

static uint64_t counter_hz(void)
{
	return guest_reg(&guest, AXVCPU_REG_COUNTER_HZ);
}

/* "alarm" when it has armed its timer. Returns the time at which it goes off. */
static uint64_t start(uint32_t irqchip, uint64_t ticks)
{
	guest.vm = guest_vm(&AXVCPU_WITH(axvm_config, .irqchip = irqchip), PROGRAM(alarm));
	guest.vcpu = guest_vcpu(guest.vm, 0, ticks);
	ck_ok(axvm_finalize(guest.vm));
	ck_ok(axvcpu_bind(guest.vcpu));
	guest_expect(&guest, AXVCPU_EXIT_MMIO_WRITE);
	ck_assert_uint_eq(guest.exit.u.mmio.addr, GUEST_MMIO);
	return guest.exit.u.mmio.data;
}

static void take(void)
{
	ck_ok(axvm_quiesce(guest.vm, NULL, 0));
	ck_ok(axvm_checkpoint_new(guest.vm,
				  &AXVCPU_WITH(axvm_checkpoint_config,
					       .flags = AXVM_CHECKPOINT_TRACK),
				  &checkpoint));
}

/* It goes off at that time, and not an hour later. */
static void expect_alarm(struct guest *of, uint64_t at)
{
	guest_expect(of, AXVCPU_EXIT_MMIO_WRITE);
	ck_assert_uint_eq(of->exit.u.mmio.addr, GUEST_MMIO + 8);
	ck_assert_uint_ge(of->exit.u.mmio.data, at);
	ck_assert_uint_lt(of->exit.u.mmio.data, at + counter_hz() * 3600);
}

static void expect_alarms(uint64_t at)
{
	expect_alarm(&guest, at);
	for (int round = 0; round < 3; round++) {
		struct guest clone = { .vm = NULL };

		ck_ok((int)axvm_checkpoint_restore(checkpoint, guest.vm, NULL));
		expect_alarm(&guest, at);
		ck_ok(axvm_checkpoint_clone(checkpoint, NULL, &clone.vm));
		clone.vcpu = axvm_vcpu(clone.vm, 0);
		ck_ok(axvcpu_bind(clone.vcpu));
		expect_alarm(&clone, at);
		guest_end(&clone);
	}
}

static void end(void)
{
	ck_ok(axvm_checkpoint_free(checkpoint));
	guest_end(&guest);
}

static void move_clock(uint64_t hours)
{
	struct axvm_clock clock = AXVM_CLOCK_INIT;

	ck_ok(axvm_get_clock(guest.vm, &clock));
	clock.counter += clock.counter_hz * 3600 * hours;
	ck_ok(axvm_set_clock(guest.vm, &clock, AXVM_TIME_FREEZE));
}

START_TEST(an_armed_timer_goes_off_at_its_time)
{
	/* A quarter of a second in the emulated machines. */
	const uint64_t at = start(guest_irqchips[_i], 2500000);

	take();
	expect_alarms(at);
	end();
}
END_TEST

START_TEST(a_timer_that_has_gone_off_interrupts_again)
{
	const uint64_t at = start(guest_irqchips[_i], 1);

	usleep(10000);
	take();
	expect_alarms(at);
	end();
}
END_TEST

#define FAR (UINT64_C(1) << 50)

START_TEST(a_timer_of_a_far_time_is_armed_again)
{
	const uint64_t at = start(guest_irqchips[_i], FAR), hours = FAR / counter_hz() / 3600 + 1;

	take();
	/* It goes off now. */
	move_clock(hours);
	expect_alarm(&guest, at);
	ck_ok((int)axvm_checkpoint_restore(checkpoint, guest.vm, NULL));
	guest_run_until_kicked(&guest);
	move_clock(hours);
	expect_alarm(&guest, at);
	end();
}
END_TEST

static void add_tests(Suite *suite)
{
	TCase *tcase = suite_case(suite, "timers");
	const int nirqchips = guest_nirqchips();

	tcase_add_loop_test(tcase, an_armed_timer_goes_off_at_its_time, 0, nirqchips);
	tcase_add_loop_test(tcase, a_timer_that_has_gone_off_interrupts_again, 0, nirqchips);
	tcase_add_loop_test(tcase, a_timer_of_a_far_time_is_armed_again, 0, nirqchips);
}

int main(void)
{
	return suite_main("riscv64_timer", true, add_tests);
}
