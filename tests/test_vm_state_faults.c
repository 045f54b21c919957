/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * Fault injection for saved states of VMs: each system call and allocation fails in turn. A failing
 * save changes nothing; a failing load leaves the former state, or Invalid vCPUs if each call after
 * that fails, too. Needs a working /dev/kvm, and one with an interrupt controller.
 */
#include <errno.h>

#include "injector.h"
#include "suite.h"
#include "sweep.h"

/* Exceeds the state of any architecture. */
#define ROOM 0x40000
static unsigned char state[ROOM], before[ROOM], after[ROOM];
static int size;

/* --- saving ------------------------------------------------------------------------------------- */

static int take_save(struct sweep_world *world)
{
	return axvm_save(world->vm, state, sizeof(state));
}

static const struct sweep_step steps[] = {
	{ "vm_save", AXVM_IRQCHIP_KERNEL, NULL, take_save, sweep_see_the_guest_run, .calls = 3 },
};

START_TEST(each_call_fails)
{
	sweep(steps, _i);
}
END_TEST

/* --- loading ------------------------------------------------------------------------------------ */

#define GSI 5

/* The line is high in 'state', and low in the present state, which 'before' has. */
static void prepare(struct sweep_world *world)
{
	sweep_world_begin(world, AXVM_IRQCHIP_KERNEL);
	ck_ok(axvm_set_irq_line(world->vm, GSI, true));
	size = take_save(world);
	ck_ok(size);
	ck_ok(axvm_set_irq_line(world->vm, GSI, false));
	ck_assert_int_eq(axvm_save(world->vm, before, sizeof(before)), size);
}

static int take_load(struct sweep_world *world)
{
	return axvm_load(world->vm, state, (size_t)size, NULL);
}

static void see(struct sweep_world *world, bool saved)
{
	ck_assert_int_eq(axvm_save(world->vm, after, sizeof(after)), size);
	ck_assert_mem_eq(after, saved ? state : before, (size_t)size);
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
	return suite_main("faults, VM state", true, add_tests);
}
