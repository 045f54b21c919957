/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * riscv64: fault injection for the saved state of an AIA: each system call and allocation fails in
 * turn. A failing save changes nothing; a failing load leaves the former state, or Invalid vCPUs if
 * each call after that fails, too. Needs a working /dev/kvm.
 */
#include <errno.h>

#include "injector.h"
#include "riscv64_guest.h"
#include "suite.h"
#include "sweep.h"

#define IMSIC UINT64_C(0x28000000)
#define ROOM 0x10000
static unsigned char state[ROOM], present[ROOM], now[ROOM];
static int size;

/* A small AIA, with little to save. */
static void begin(struct sweep_world *world)
{
	struct axvm_riscv64_config riscv = AXVM_RISCV64_CONFIG_INIT;
	struct axvm_config config = AXVM_CONFIG_INIT;

	riscv.sources = 3;
	riscv.ids = 63;
	config.irqchip = AXVM_IRQCHIP_KERNEL;
	config.arch_config = &riscv;
	sweep_world_begin_with(world, &config);
}

static void send(struct sweep_world *world, uint32_t identity)
{
	const struct axvm_msi msi = { .address = IMSIC, .data = identity };

	ck_assert_int_eq(axvm_signal_msi(world->vm, &msi), 1);
}

static int take_save(struct sweep_world *world)
{
	return axvm_save(world->vm, state, sizeof(state));
}

static int take_load(struct sweep_world *world)
{
	return axvm_load(world->vm, state, (size_t)size, NULL);
}

static void expect_saved(struct sweep_world *world, const unsigned char *bytes)
{
	ck_assert_int_eq(axvm_save(world->vm, now, sizeof(now)), size);
	ck_assert_mem_eq(now, bytes, (size_t)size);
	sweep_see_the_guest_run(world);
}

/* 31 is the sign of a half register: KVM's registers are written to find out whether it is one. */
static void begin_saved(struct sweep_world *world)
{
	begin(world);
	send(world, 31);
	ck_ok(axvm_set_irq_line(world->vm, 2, true));
	size = axvm_save(world->vm, present, sizeof(present));
	ck_ok(size);
}

static void see_saved(struct sweep_world *world)
{
	ck_assert_mem_eq(state, present, (size_t)size);
	expect_saved(world, present);
}

static const struct sweep_step steps[] = {
	{ "save", .begin = begin_saved, .take = take_save, .see = see_saved, .calls = 20 },
};

START_TEST(each_call_of_save_fails)
{
	sweep(steps, _i);
}
END_TEST

/* The present state differs from the one that is loaded. */
static void begin_to_load(struct sweep_world *world)
{
	begin_saved(world);
	ck_ok(take_save(world));
	send(world, 5);
	ck_ok(axvm_set_irq_line(world->vm, 2, false));
	ck_ok(axvm_set_irq_line(world->vm, 3, true));
	ck_assert_int_eq(axvm_save(world->vm, present, sizeof(present)), size);
	ck_assert_int_ne(memcmp(state, present, (size_t)size), 0);
}

static void see(struct sweep_world *world, bool saved)
{
	expect_saved(world, saved ? state : present);
}

static const struct sweep_load load = { begin_to_load, take_load, see };

START_TEST(a_failing_load_leaves_the_former_state)
{
	sweep_loads(&load, _i);
}
END_TEST

static void add_tests(Suite *suite)
{
	TCase *all = suite_case(suite, "all");

	if (!riscv64_host_has_aia())
		return;
	tcase_add_loop_test(all, each_call_of_save_fails, 0, 1);
	tcase_add_loop_test(all, a_failing_load_leaves_the_former_state, 0, 2);
}

int main(void)
{
	return suite_main("riscv64, VM state, faults", true, add_tests);
}
