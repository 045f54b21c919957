/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
#include "sweep.h"

#include <stdio.h>
#include <unistd.h>

#include "event.h"
#include "injector.h"
#include "resources.h"
#include "suite.h"

void sweep_world_begin(struct sweep_world *world, uint32_t irqchip)
{
	struct axvm_config config = AXVM_CONFIG_INIT;

	config.irqchip = irqchip;
	sweep_world_begin_with(world, &config);
}

void sweep_world_begin_with(struct sweep_world *world, struct axvm_config *config)
{
	config->max_vcpus = SWEEP_VCPUS;
	world->vm = guest_vm(config, PROGRAM(chatter));
	for (uint32_t i = 0; i < SWEEP_VCPUS; i++)
		world->vcpus[i] = guest_vcpu(world->vm, i, 0);
	/* Before that, some controllers take nothing. */
	ck_ok(axvm_finalize(world->vm));
	world->fd = event_new();
}

void sweep_world_end(struct sweep_world *world)
{
	for (int i = 0; i < SWEEP_VCPUS; i++) {
		if (axvcpu_state(world->vcpus[i]) == AXVCPU_READY)
			ck_ok(axvcpu_unbind(world->vcpus[i]));
		ck_ok(axvcpu_free(world->vcpus[i]));
	}
	ck_ok(axvm_free(world->vm));
	close(world->fd);
}

void sweep_bound(struct sweep_world *world)
{
	ck_ok(axvcpu_bind(sweep_first(world)));
}

int sweep_run(struct sweep_world *world)
{
	return axvcpu_run(sweep_first(world), &world->exit);
}

void sweep_see_the_guest_run(struct sweep_world *world)
{
	if (axvcpu_state(sweep_first(world)) == AXVCPU_FREE)
		sweep_bound(world);
	do
		ck_ok(sweep_run(world));
	while (world->exit.kind == AXVCPU_EXIT_NOTHING);
	ck_assert_uint_eq(world->exit.kind, AXVCPU_EXIT_MMIO_WRITE);
	ck_assert_uint_eq(world->exit.u.mmio.data, GUEST_VALUE);
}

unsigned int sweep_calls_of_run(struct sweep_world *world, enum axvcpu_exit_kind kind)
{
	unsigned int calls = 0;

	do {
		injector_arm(0, 0, false);
		ck_ok(sweep_run(world));
		injector_disarm();
		calls = injector.calls;
	} while (world->exit.kind == AXVCPU_EXIT_NOTHING);
	ck_assert_uint_eq(world->exit.kind, kind);
	return calls;
}

static void take(struct sweep_world *world, const struct sweep_step *step)
{
	int ret;

	/* A late signal of a kick, of which there is none here, or one that came before. */
	do {
		ret = step->take(world);
		ck_assert_msg(ret >= 0, "%s: %d, %s", step->name, ret, axvcpu_last_error());
	} while (step->take == sweep_run && world->exit.kind == AXVCPU_EXIT_NOTHING);
	if (step->see)
		step->see(world);
}

/* Returns whether there was an n-th call. */
static bool take_failing(const struct sweep_step *step, unsigned int n, unsigned int variant,
			 bool persist)
{
	enum axvcpu_state states[SWEEP_VCPUS];
	struct resources resources;
	struct sweep_world world;
	char when[128];
	uint64_t mapped;
	bool harmless;
	int ret;

	if (step->begin)
		step->begin(&world);
	else
		sweep_world_begin(&world, step->irqchip);
	if (step->prepare)
		step->prepare(&world);
	resources_read(&resources);
	mapped = injector.mapped;
	for (int i = 0; i < SWEEP_VCPUS; i++)
		states[i] = axvcpu_state(world.vcpus[i]);

	injector_arm(n, variant, persist);
	ret = step->take(&world);
	injector_disarm();
	snprintf(when, sizeof(when), "%s, call %u (%s) failing%s", step->name, n,
		 injector.failed ? injector.failed : "none", persist ? ", and all after" : "");
	harmless = injector.harmless || (step->waits && !strcmp(injector.failed, "futex")) ||
		   (step->does_without_files && !strcmp(injector.failed, "open"));
	if (harmless) {
		ck_assert_msg(ret >= 0, "%s: %d, %s", when, ret, axvcpu_last_error());
		if (!injector.failed)
			ck_assert_msg(step->calls ? injector.calls >= step->calls : !injector.calls,
				      "%s makes %u calls", step->name, injector.calls);
		if (step->see)
			step->see(&world);
	} else {
		ck_assert_msg(ret == injector.expected, "%s: %d (%s), not %s; %s", when, ret,
			      axvcpu_error_name(ret), axvcpu_error_name(injector.expected),
			      axvcpu_last_error());
		ck_assert_msg(strstr(axvcpu_last_error(), axvcpu_error_name(ret)), "%s: \"%s\"",
			      when, axvcpu_last_error());
		if (!step->has_threads)
			resources_expect(&resources, when);
		ck_assert_uint_eq(injector.mapped, mapped);
		for (int i = 0; i < SWEEP_VCPUS; i++)
			ck_assert_msg(axvcpu_state(world.vcpus[i]) == states[i], "%s: vCPU %d: %s",
				      when, i, axvcpu_state_name(axvcpu_state(world.vcpus[i])));
		ck_assert_ptr_null(axvcpu_current());
		take(&world, step);
	}
	sweep_world_end(&world);
	return injector.failed;
}

void sweep(const struct sweep_step *steps, int step)
{
	for (unsigned int turn = 0; turn < suite_scale(INJECTOR_WAYS); turn++) {
		const unsigned int way = injector_way(step, turn);
		unsigned int n = 1;

		while (take_failing(&steps[step], n, way % INJECTOR_VARIANTS,
				    way >= INJECTOR_VARIANTS))
			n = injector_next(n);
	}
}

/* Returns whether there was an n-th call. */
static bool load_failing(const struct sweep_load *load, unsigned int n, unsigned int variant,
			 bool persist)
{
	struct sweep_world world;
	bool failed;
	int ret;

	load->begin(&world);
	injector_arm(n, variant, persist);
	ret = load->take(&world);
	injector_disarm();
	failed = injector.failed;
	if (!ret)
		ck_assert_msg(injector.harmless, "call %u (%s) fails, and load does not", n,
			      injector.failed);
	else
		ck_assert_msg(ret == injector.expected, "call %u (%s): %d, not %d; %s", n,
			      injector.failed, ret, injector.expected, axvcpu_last_error());
	if (axvcpu_state(sweep_first(&world)) == AXVCPU_INVALID)
		ck_assert_msg(ret && persist, "call %u (%s): the vCPU is Invalid", n,
			      injector.failed);
	else
		load->see(&world, !ret);
	sweep_world_end(&world);
	return failed;
}

void sweep_loads(const struct sweep_load *load, bool persist)
{
	for (unsigned int turn = 0; turn < suite_scale(INJECTOR_VARIANTS); turn++) {
		const unsigned int variant = (persist + turn) % INJECTOR_VARIANTS;
		unsigned int n = 1;

		while (load_failing(load, n, variant, persist))
			n = injector_next(n);
	}
}
