/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * Fault injection for the state of a GIC and an ITS: each system call and allocation fails in turn. A
 * failing save changes nothing. A failing load leaves the former state, or all vCPUs Invalid if each
 * call after that fails, too. Needs a working /dev/kvm.
 */
#include <errno.h>

#include "arm64_guest.h"
#include "injector.h"
#include "suite.h"
#include "sweep.h"

#define ROOM 0x10000
static unsigned char state[ROOM];
static int size;

/* The smallest GIC; a GICv3 with an ITS. */
static void begin(struct sweep_world *world)
{
	static uint32_t version;
	struct axvm_arm64_config gic = AXVM_ARM64_CONFIG_INIT;
	struct axvm_config config = AXVM_CONFIG_INIT;

	/* Once: it makes a VM. */
	if (!version)
		version = a64_gic_version();
	gic.nirqs = 64;
	if (version == 3)
		gic.flags = AXVM_ARM64_ITS;
	config.irqchip = AXVM_IRQCHIP_KERNEL;
	config.arch_config = &gic;
	sweep_world_begin_with(world, &config);
}

static int take_save(struct sweep_world *world)
{
	return axvm_save(world->vm, state, sizeof(state));
}

static const struct sweep_step save_step = { .name = "vm_save",
					     .begin = begin,
					     .take = take_save,
					     .see = sweep_see_the_guest_run,
					     .calls = 100 };

START_TEST(each_call_of_a_save_fails)
{
	sweep(&save_step, 0);
}
END_TEST

/* --- loading ------------------------------------------------------------------------------------- */

#define GSI 3

/* Whether the line of the interrupt is high, as the state of the VM has it. */
static bool is_raised(struct sweep_world *world)
{
	static unsigned char now[ROOM];
	int ret = axvm_save(world->vm, now, sizeof(now));
	struct axvcpu_saved_section section;

	ck_ok(ret);
	for (unsigned int i = 0;; i++) {
		ck_ok(axvcpu_saved_get_section(now, (size_t)ret, i, &section));
		if (!strcmp(section.name, "lines"))
			return *(const unsigned char *)section.data >> GSI & 1;
	}
}

static void prepare(struct sweep_world *world)
{
	begin(world);
	ck_ok(axvm_set_irq_line(world->vm, GSI, true));
	size = take_save(world);
	ck_ok(size);
	ck_ok(axvm_set_irq_line(world->vm, GSI, false));
}

static int take_load(struct sweep_world *world)
{
	return axvm_load(world->vm, state, (size_t)size, NULL);
}

static void see(struct sweep_world *world, bool saved)
{
	ck_assert(is_raised(world) == saved);
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
	TCase *save = suite_case(suite, "save");
	TCase *loads = suite_case(suite, "load");

	tcase_add_test(save, each_call_of_a_save_fails);
	tcase_add_loop_test(loads, a_failing_load_leaves_the_former_state, 0, 2);
}

int main(void)
{
	return suite_main("faults, arm64 VM state", true, add_tests);
}
