/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * Fault injection for saved vCPUs and clocks: each system call and allocation fails in turn. A
 * failing save or clock changes nothing; a failing load leaves the former state, or an Invalid vCPU
 * if each call after that fails, too. Needs a working /dev/kvm.
 */
#include <errno.h>

#include "injector.h"
#include "suite.h"
#include "sweep.h"

/* Exceeds the state of any architecture. */
#define ROOM 0x40000
static unsigned char state[ROOM];
static int size;

/* --- saving, clocks ----------------------------------------------------------------------------- */

static int take_save(struct sweep_world *world)
{
	return axvcpu_save(sweep_first(world), state, sizeof(state));
}

static int take_get_clock(struct sweep_world *world)
{
	struct axvm_clock clock = AXVM_CLOCK_INIT;

	return axvm_get_clock(world->vm, &clock);
}

static struct axvm_clock clock_;

static void with_clock(struct sweep_world *world)
{
	clock_ = (struct axvm_clock)AXVM_CLOCK_INIT;
	ck_ok(axvm_get_clock(world->vm, &clock_));
}

static int take_set_clock(struct sweep_world *world)
{
	int ret = axvm_set_clock(world->vm, &clock_, AXVM_TIME_FREEZE);

	/* Some KVMs of x86_64 have no TSC offset. */
	return ret == -ENOTSUP ? 0 : ret;
}

static const struct sweep_step steps[] = {
	{ "save", AXVM_IRQCHIP_NONE, NULL, take_save, sweep_see_the_guest_run, .calls = 5 },
	{ "save, with an irqchip", AXVM_IRQCHIP_KERNEL, NULL, take_save, sweep_see_the_guest_run,
	  .calls = 5 },
	{ "get_clock", AXVM_IRQCHIP_NONE, NULL, take_get_clock, sweep_see_the_guest_run,
	  .calls = 2 },
	{ "set_clock", AXVM_IRQCHIP_NONE, with_clock, take_set_clock, sweep_see_the_guest_run,
	  .calls = 4 },
};

START_TEST(each_call_fails)
{
	sweep(steps, _i);
}
END_TEST

/* --- loading ------------------------------------------------------------------------------------ */

/* What the guest does not use. */
#define REG 9
#define VALUE_SAVED 17u
#define VALUE_NOW 18u

static void prepare(struct sweep_world *world)
{
	sweep_world_begin(world, AXVM_IRQCHIP_NONE);
	ck_ok(axvcpu_set_reg(sweep_first(world), AXVCPU_REG_GPR(REG), VALUE_SAVED));
	size = take_save(world);
	ck_ok(size);
	ck_ok(axvcpu_set_reg(sweep_first(world), AXVCPU_REG_GPR(REG), VALUE_NOW));
}

static int take_load(struct sweep_world *world)
{
	return axvcpu_load(sweep_first(world), state, (size_t)size, NULL);
}

static void see(struct sweep_world *world, bool saved)
{
	uint64_t now;

	ck_ok(axvcpu_get_reg(sweep_first(world), AXVCPU_REG_GPR(REG), &now));
	ck_assert_uint_eq(now, saved ? VALUE_SAVED : VALUE_NOW);
	sweep_see_the_guest_run(world);
}

static const struct sweep_load load = { prepare, take_load, see };

START_TEST(a_failing_load_leaves_the_former_state)
{
	sweep_loads(&load, _i);
}
END_TEST

static void add_tests(Suite *suite)
{
	TCase *all = suite_case(suite, "all");
	TCase *loads = suite_case(suite, "load");

	tcase_add_loop_test(all, each_call_fails, 0, (int)(sizeof(steps) / sizeof(steps[0])));
	tcase_add_loop_test(loads, a_failing_load_leaves_the_former_state, 0, 2);
}

int main(void)
{
	return suite_main("faults, vCPU state", true, add_tests);
}
