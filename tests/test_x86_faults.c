/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * x86_64: every failing call (tests/sweep.h) of interrupts, exceptions, messages and routes, of
 * setup without a boot area and on own tables, of segments, FPU and TSC, of MSR filters and PIT.
 * Needs a working /dev/kvm.
 */
#include "event.h"
#include "suite.h"
#include "sweep.h"

#define GSI 5
#define GSI_MESSAGE 30
#define MSI_ADDRESS UINT64_C(0xfee00000)
#define VECTOR 0x40u
#define UNDEFINED_INSTRUCTION 6

static int take_signal_msi(struct sweep_world *world)
{
	const struct axvm_msi msi = { .address = MSI_ADDRESS, .data = VECTOR };

	return axvm_signal_msi(world->vm, &msi);
}

static int take_set_routes(struct sweep_world *world)
{
	const struct axvm_route routes[] = {
		{ .gsi = GSI, .kind = AXVM_ROUTE_PIN, .u.pin = { 2, GSI } },
		{ .gsi = GSI + 1, .kind = AXVM_ROUTE_MSI, .u.msi = { MSI_ADDRESS, VECTOR, 0 } },
	};

	return axvm_set_routes(world->vm, routes, 2);
}

static int add_route(struct sweep_world *world)
{
	const struct axvm_route route = { .gsi = GSI_MESSAGE,
					  .kind = AXVM_ROUTE_MSI,
					  .u.msi = { MSI_ADDRESS, VECTOR, 0 } };

	return axvm_add_route(world->vm, &route);
}

/* A message route with an eventfd. */
static void with_route(struct sweep_world *world)
{
	struct axvm_irqfd irqfd = AXVM_IRQFD_INIT;

	ck_assert_int_eq(add_route(world), GSI_MESSAGE);
	irqfd.gsi = GSI_MESSAGE;
	irqfd.fd = world->fd;
	ck_ok(axvm_set_irqfd(world->vm, &irqfd));
}

static void with_masked_route(struct sweep_world *world)
{
	with_route(world);
	ck_ok(axvm_mask_route(world->vm, GSI_MESSAGE, true));
}

static int take_change_route(struct sweep_world *world)
{
	const struct axvm_route route = { .gsi = GSI_MESSAGE,
					  .kind = AXVM_ROUTE_PIN,
					  .u.pin = { 2, GSI } };

	return axvm_change_route(world->vm, &route);
}

static int take_mask_route(struct sweep_world *world)
{
	return axvm_mask_route(world->vm, GSI_MESSAGE, true);
}

static int take_unmask_route(struct sweep_world *world)
{
	return axvm_mask_route(world->vm, GSI_MESSAGE, false);
}

static int take_remove_route(struct sweep_world *world)
{
	return axvm_remove_route(world->vm, GSI_MESSAGE);
}

static void ignore_end(struct axvm *vm, uint32_t gsi, void *ctx)
{
	(void)vm;
	(void)gsi;
	(void)ctx;
}

static int take_set_irq_end(struct sweep_world *world)
{
	return axvm_set_irq_end(world->vm, GSI, ignore_end, NULL);
}

static void with_irq_end(struct sweep_world *world)
{
	ck_ok(take_set_irq_end(world));
}

static void with_another_irq_end(struct sweep_world *world)
{
	ck_ok(axvm_set_irq_end(world->vm, GSI + 1, ignore_end, NULL));
}

static int take_irq_end_away(struct sweep_world *world)
{
	return axvm_set_irq_end(world->vm, GSI, NULL, NULL);
}

static int take_raise_irq(struct sweep_world *world)
{
	return axvm_raise_irq(world->vm, GSI);
}

static int take_pulse_irq(struct sweep_world *world)
{
	return axvm_pulse_irq(world->vm, GSI);
}

static int take_inject_level(struct sweep_world *world)
{
	return axvcpu_inject_interrupt_with_trigger(sweep_first(world), VECTOR,
						    AXVCPU_TRIGGER_LEVEL);
}

static int take_inject_set(struct sweep_world *world)
{
	const uint64_t set = 3;

	return axvm_inject_interrupt(world->vm, &set, 1, VECTOR);
}

static void bound_with_vector(struct sweep_world *world)
{
	sweep_bound(world);
	ck_ok(axvcpu_inject_interrupt(sweep_first(world), VECTOR));
}

static const struct axvcpu_exception undefined = { .vector = UNDEFINED_INSTRUCTION };

static void bound_with_exception(struct sweep_world *world)
{
	sweep_bound(world);
	ck_ok(axvcpu_inject_exception(sweep_first(world), &undefined));
}

static int take_inject_interrupt(struct sweep_world *world)
{
	return axvcpu_inject_interrupt(sweep_first(world), VECTOR);
}

static int take_inject_nmi(struct sweep_world *world)
{
	return axvcpu_inject_nmi(sweep_first(world));
}

static int take_inject_exception(struct sweep_world *world)
{
	return axvcpu_inject_exception(sweep_first(world), &undefined);
}

static int take_request_irq_window(struct sweep_world *world)
{
	return axvcpu_request_irq_window(sweep_first(world));
}

/* The first vCPU has yet to be set up. The frame that is allocated already has made their region. */
static void begin_created(struct sweep_world *world)
{
	struct axvm_config config = AXVM_CONFIG_INIT;
	uint64_t frame;

	config.max_vcpus = SWEEP_VCPUS;
	world->vm = guest_vm(&config, PROGRAM(chatter));
	ck_ok(axvcpu_new(world->vm, NULL, &world->vcpus[0]));
	world->vcpus[1] = guest_vcpu(world->vm, 1, 0);
	world->fd = event_new();
	ck_ok(axvm_alloc_frame(world->vm, &frame));
}

static int take_setup(struct sweep_world *world)
{
	/* Its boot area is frames. */
	struct axvcpu_setup_config config = AXVCPU_SETUP_CONFIG_INIT;

	config.stack = GUEST_STACK;
	return axvcpu_setup(sweep_first(world), GUEST_CODE, 0, &config);
}

static void begin_on_frames(struct sweep_world *world)
{
	begin_created(world);
	ck_ok(take_setup(world));
}

static int take_setup_on_own_tables(struct sweep_world *world)
{
	struct axvcpu_setup_config config = AXVCPU_SETUP_CONFIG_INIT;
	struct axvcpu_x86_setup x86 = AXVCPU_X86_SETUP_INIT;

	/* Those of the second vCPU. */
	x86.flags = AXVCPU_X86_OWN_TABLES;
	x86.cr3 = GUEST_BOOT_OF(1) + 0x1000;
	config.arch = &x86;
	return axvcpu_setup(sweep_first(world), GUEST_CODE, 0, &config);
}

static int take_segment(struct sweep_world *world)
{
	struct axvcpu_x86_segment segment;
	int ret = axvcpu_x86_get_segment(sweep_first(world), AXVCPU_X86_FS, &segment);

	if (ret)
		return ret;
	segment.base = 0x1000;
	return axvcpu_x86_set_segment(sweep_first(world), AXVCPU_X86_FS, &segment);
}

static void see_the_segment(struct sweep_world *world)
{
	struct axvcpu_x86_segment segment;

	ck_ok(axvcpu_x86_get_segment(sweep_first(world), AXVCPU_X86_FS, &segment));
	ck_assert_uint_eq(segment.base, 0x1000);
	sweep_see_the_guest_run(world);
}

/* By KVM_GET_XSAVE and KVM_GET_XCRS. */
static int take_fpu(struct sweep_world *world)
{
	uint64_t mxcsr, xcr0;
	int ret = axvcpu_get_reg(sweep_first(world), AXVCPU_REG_X86_MXCSR, &mxcsr);

	if (!ret)
		ret = axvcpu_set_reg(sweep_first(world), AXVCPU_REG_X86_MXCSR, mxcsr);
	if (!ret)
		ret = axvcpu_get_reg(sweep_first(world), AXVCPU_REG_X86_XCR0, &xcr0);
	return ret ? ret : axvcpu_set_reg(sweep_first(world), AXVCPU_REG_X86_XCR0, xcr0);
}

static int take_tsc(struct sweep_world *world)
{
	uint64_t hz;
	int ret = axvcpu_get_reg(sweep_first(world), AXVCPU_REG_COUNTER_HZ, &hz);

	if (!ret)
		ret = axvcpu_set_reg(sweep_first(world), AXVCPU_REG_COUNTER_HZ, hz);
	return ret;
}

static int take_set_sysregs(struct sweep_world *world)
{
	static const struct axvm_sysreg_range range = { 0xc0000081, 3, AXVCPU_ACCESS_READ, 0 };

	return axvm_set_sysregs(world->vm, &range, 1);
}

/* A VM beside the world's. */
static int take_pit(struct sweep_world *world)
{
	struct axvm_x86_config x86 = AXVM_X86_CONFIG_INIT;
	struct axvm_config config = AXVM_CONFIG_INIT;
	struct axvm *vm;
	int ret;

	(void)world;
	x86.flags = AXVM_X86_PIT;
	config.irqchip = AXVM_IRQCHIP_KERNEL;
	config.arch_config = &x86;
	ret = axvm_new(&config, &vm);
	return ret ? ret : axvm_free(vm);
}

static int take_reset(struct sweep_world *world)
{
	return axvcpu_reset(sweep_first(world), GUEST_CODE, 0);
}

static void with_line(struct sweep_world *world)
{
	ck_ok(axvm_set_irq_line(world->vm, 5, true));
}

static int take_vm_reset(struct sweep_world *world)
{
	return axvm_reset(world->vm, 0);
}

/* The run itself was the step. */
static void see_the_write(struct sweep_world *world)
{
	ck_assert_uint_eq(world->exit.kind, AXVCPU_EXIT_MMIO_WRITE);
}

/* It has no table of exceptions. */
static void see_the_end(struct sweep_world *world)
{
	ck_assert_uint_eq(world->exit.kind, AXVCPU_EXIT_SHUTDOWN);
}

static const struct sweep_step steps[] = {
	{ "signal_msi", AXVM_IRQCHIP_KERNEL, NULL, take_signal_msi, sweep_see_the_guest_run,
	  .calls = 1 },
	{ "set_routes", AXVM_IRQCHIP_KERNEL, NULL, take_set_routes, sweep_see_the_guest_run,
	  .calls = 2 },
	{ "add_route", AXVM_IRQCHIP_KERNEL, NULL, add_route, sweep_see_the_guest_run, .calls = 6 },
	{ "change_route", AXVM_IRQCHIP_KERNEL, with_route, take_change_route,
	  sweep_see_the_guest_run, .calls = 4 },
	{ "mask_route", AXVM_IRQCHIP_KERNEL, with_route, take_mask_route, sweep_see_the_guest_run,
	  .calls = 5 },
	{ "unmask_route", AXVM_IRQCHIP_KERNEL, with_masked_route, take_unmask_route,
	  sweep_see_the_guest_run, .calls = 5 },
	{ "remove_route", AXVM_IRQCHIP_KERNEL, with_route, take_remove_route,
	  sweep_see_the_guest_run, .calls = 5 },
	{ "remove_route, masked", AXVM_IRQCHIP_KERNEL, with_masked_route, take_remove_route,
	  sweep_see_the_guest_run, .calls = 4 },
	{ "set_irq_end", AXVM_IRQCHIP_KERNEL, NULL, take_set_irq_end, sweep_see_the_guest_run,
	  .calls = 11 },
	{ "set_irq_end, another", AXVM_IRQCHIP_KERNEL, with_another_irq_end, take_set_irq_end,
	  sweep_see_the_guest_run, .calls = 5 },
	{ "irq_end away", AXVM_IRQCHIP_KERNEL, with_irq_end, take_irq_end_away,
	  sweep_see_the_guest_run, .calls = 3 },
	{ "raise_irq", AXVM_IRQCHIP_KERNEL, with_irq_end, take_raise_irq, sweep_see_the_guest_run,
	  .calls = 1 },
	{ "pulse_irq", AXVM_IRQCHIP_KERNEL, NULL, take_pulse_irq, sweep_see_the_guest_run,
	  .calls = 2 },
	{ "inject a level", AXVM_IRQCHIP_KERNEL, NULL, take_inject_level, sweep_see_the_guest_run,
	  .calls = 1 },
	{ "inject into a set", AXVM_IRQCHIP_KERNEL, NULL, take_inject_set, sweep_see_the_guest_run,
	  .calls = 2 },
	{ "inject_interrupt", AXVM_IRQCHIP_KERNEL, NULL, take_inject_interrupt,
	  sweep_see_the_guest_run, .calls = 1 },
	{ "inject_nmi", AXVM_IRQCHIP_NONE, NULL, take_inject_nmi, NULL, .calls = 1 },
	{ "inject_exception", AXVM_IRQCHIP_NONE, NULL, take_inject_exception, NULL, .calls = 1 },
	{ "request_irq_window", AXVM_IRQCHIP_NONE, NULL, take_request_irq_window,
	  sweep_see_the_guest_run, .calls = 0 },
	{ "run with a vector", AXVM_IRQCHIP_NONE, bound_with_vector, sweep_run, see_the_write,
	  .calls = 1 },
	{ "run with an exception", AXVM_IRQCHIP_NONE, bound_with_exception, sweep_run, see_the_end,
	  .calls = 3 },
	{ "setup on frames", AXVM_IRQCHIP_NONE, NULL, take_setup, sweep_see_the_guest_run,
	  .calls = 5, .begin = begin_created },
	{ "reset of the VM", AXVM_IRQCHIP_KERNEL, with_line, take_vm_reset, sweep_see_the_guest_run,
	  .calls = 8 },
	{ "setup on own tables", AXVM_IRQCHIP_NONE, NULL, take_setup_on_own_tables,
	  sweep_see_the_guest_run, .calls = 4, .begin = begin_created },
	{ "segment", AXVM_IRQCHIP_NONE, NULL, take_segment, see_the_segment, .calls = 3 },
	{ "fpu", AXVM_IRQCHIP_NONE, NULL, take_fpu, sweep_see_the_guest_run, .calls = 5 },
	{ "tsc", AXVM_IRQCHIP_NONE, NULL, take_tsc, sweep_see_the_guest_run, .calls = 2 },
	{ "set_sysregs", AXVM_IRQCHIP_NONE, NULL, take_set_sysregs, sweep_see_the_guest_run,
	  .calls = 4 },
	{ "pit", AXVM_IRQCHIP_NONE, NULL, take_pit, NULL, .calls = 12 },
	{ "reset on frames", AXVM_IRQCHIP_NONE, NULL, take_reset, sweep_see_the_guest_run,
	  .calls = 2, .begin = begin_on_frames },
};

#define STEPS (int)(sizeof(steps) / sizeof(steps[0]))

START_TEST(each_call_fails)
{
	sweep(steps, _i);
}
END_TEST

static void add_tests(Suite *suite)
{
	TCase *all = suite_case(suite, "all");

	tcase_add_loop_test(all, each_call_fails, 0, STEPS);
}

int main(void)
{
	return suite_main("x86_faults", true, add_tests);
}
