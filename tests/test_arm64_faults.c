/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * Each system call and allocation that only arm64 makes fails in turn, and is retried; KVM features
 * that the emulated machine has and others lack; and the number of system calls that docs/exits.md,
 * docs/performance.md and the headers promise. Needs a working /dev/kvm.
 */
#include <errno.h>
#include <linux/kvm.h>
#include <stdio.h>

#include "arm64_guest.h"
#include "event.h"
#include "injector.h"
#include "resources.h"
#include "suite.h"
#include "sweep.h"

#define NR 0xc6000100u

/* --- worlds ---------------------------------------------------------------------------------- */

/* Two vCPUs of this program and this VM, the second of which waits for its start. */
static void begin(struct sweep_world *world, struct axvm_config *config, const void *code,
		  size_t len, uint64_t arg)
{
	config->max_vcpus = SWEEP_VCPUS;
	world->vm = guest_vm(config, code, len);
	for (uint32_t i = 0; i < SWEEP_VCPUS; i++)
		world->vcpus[i] = guest_vcpu(world->vm, i, arg);
	world->fd = event_new();
}

static void begin_calls(struct sweep_world *world, const struct a64_call *call)
{
	struct axvm_config config = AXVM_CONFIG_INIT;

	config.forward = AXVM_FORWARD_HYPERCALLS | AXVM_FORWARD_POWER;
	begin(world, &config, PROGRAM(calls), A64_LIST);
	a64_calls(world->vm, 0, call, 1);
}

static void begin_hypercall(struct sweep_world *world)
{
	const struct a64_call call = { 0, { NR, 1, 2, 3, 4, 5, 6 } };

	begin_calls(world, &call);
}

static void begin_cpu_on(struct sweep_world *world)
{
	const struct a64_call call = { 0, { A64_PSCI_CPU_ON, 1, GUEST_CODE, 7 } };

	begin_calls(world, &call);
}

static void begin_affinity_info(struct sweep_world *world)
{
	const struct a64_call call = { 0, { A64_PSCI_AFFINITY_INFO, 1, 0 } };

	begin_calls(world, &call);
}

static void begin_cpu_off(struct sweep_world *world)
{
	const struct a64_call call = { 0, { A64_PSCI_CPU_OFF } };

	begin_calls(world, &call);
}

/* A CPU that is on: the caller. */
static void begin_cpu_on_in_vain(struct sweep_world *world)
{
	const struct a64_call call = { 0, { A64_PSCI_CPU_ON, 0, GUEST_CODE, 7 } };

	begin_calls(world, &call);
}

static void begin_load_pair(struct sweep_world *world)
{
	struct axvm_config config = AXVM_CONFIG_INIT;

	begin(world, &config, PROGRAM(faults), PIECE(load_pair));
	ck_ok(axvm_write(world->vm, A64_PIECES, PROGRAM(pieces)));
}

static void begin_echo(struct sweep_world *world)
{
	struct axvm_config config = AXVM_CONFIG_INIT;

	begin(world, &config, PROGRAM(echo), 0);
}

static void begin_steps(struct sweep_world *world)
{
	struct axvm_config config = AXVM_CONFIG_INIT;

	begin(world, &config, PROGRAM(steps), 0);
}

/* AXVM_ARM64_ITS, where KVM can have one. */
static uint32_t its;

static struct axvm_config everything(struct axvm_arm64_config *gic)
{
	struct axvm_config config = AXVM_CONFIG_INIT;

	*gic = (struct axvm_arm64_config)AXVM_ARM64_CONFIG_INIT;
	gic->flags = its;
	config.irqchip = AXVM_IRQCHIP_KERNEL;
	config.forward = AXVM_FORWARD_HYPERCALLS | AXVM_FORWARD_POWER;
	config.arch_config = gic;
	return config;
}

/* With all of that, not finalized. */
static void begin_with_everything(struct sweep_world *world)
{
	struct axvm_arm64_config gic;
	struct axvm_config config = everything(&gic);

	begin(world, &config, PROGRAM(chatter), 0);
}

/* CPU features that KVM has here. */
static struct axvcpu_arm64_setup features;

static void find_features(struct axvm *vm)
{
	features = (struct axvcpu_arm64_setup)AXVCPU_ARM64_SETUP_INIT;
	if (axvm_capability(vm, KVM_CAP_ARM_SVE) > 0) {
		features.flags |= AXVCPU_ARM64_SVE;
		features.sve_max_bytes = 16;
	}
	if (axvm_capability(vm, KVM_CAP_ARM_PMU_V3) > 0)
		features.flags |= AXVCPU_ARM64_PMU;
	if (axvm_capability(vm, KVM_CAP_ARM_PTRAUTH_ADDRESS) > 0 &&
	    axvm_capability(vm, KVM_CAP_ARM_PTRAUTH_GENERIC) > 0)
		features.flags |= AXVCPU_ARM64_PAUTH;
}

static int setup_all(struct sweep_world *world, uint32_t id)
{
	struct axvcpu_setup_config setup = guest_setup_config(id);

	setup.arch = &features;
	return axvcpu_setup(world->vcpus[id], GUEST_CODE, 0, &setup);
}

/* With a GIC that is not ready yet. */
static void begin_unready(struct sweep_world *world)
{
	struct axvm_config config = AXVM_CONFIG_INIT;

	config.irqchip = AXVM_IRQCHIP_KERNEL;
	begin(world, &config, PROGRAM(chatter), 0);
}

/* The first vCPU has yet to be set up. */
static void begin_created(struct sweep_world *world)
{
	struct axvm_config config = AXVM_CONFIG_INIT;

	config.max_vcpus = SWEEP_VCPUS;
	config.irqchip = AXVM_IRQCHIP_KERNEL;
	world->vm = guest_vm(&config, PROGRAM(chatter));
	find_features(world->vm);
	for (uint32_t i = 0; i < SWEEP_VCPUS; i++) {
		struct axvcpu_config vcpu_config = AXVCPU_CONFIG_INIT;

		vcpu_config.id = i;
		ck_ok(axvcpu_new(world->vm, &vcpu_config, &world->vcpus[i]));
	}
	world->fd = event_new();
}

/* With all of it, as its PMU is started by its first run. */
static void begin_with_pmu(struct sweep_world *world)
{
	begin_created(world);
	for (uint32_t i = 0; i < SWEEP_VCPUS; i++)
		ck_ok(setup_all(world, i));
}

/* --- before ---------------------------------------------------------------------------------- */

static void at_an_exit(struct sweep_world *world)
{
	sweep_bound(world);
	do
		ck_ok(sweep_run(world));
	while (world->exit.kind == AXVCPU_EXIT_NOTHING);
}

static void answered(struct sweep_world *world)
{
	at_an_exit(world);
	ck_assert_uint_eq(world->exit.kind, AXVCPU_EXIT_HYPERCALL);
	ck_ok(axvcpu_complete_pair(sweep_first(world), 11, 12));
}

static void with_early_interrupts(struct sweep_world *world)
{
	ck_ok(axvcpu_inject_interrupt(sweep_first(world), 20));
	ck_ok(axvcpu_inject_interrupt(sweep_first(world), 40));
	sweep_bound(world);
}

static void raised(struct sweep_world *world)
{
	at_an_exit(world);
	ck_ok(axvcpu_inject_interrupt(sweep_first(world), 20));
}

static const struct axvcpu_debug_point points[] = {
	{ GUEST_CODE + 8, 0, AXVCPU_DEBUG_BREAK },
	{ A64_LIST, 8, AXVCPU_DEBUG_WATCH },
};

static int set_points(struct sweep_world *world)
{
	struct axvcpu_debug debug = AXVCPU_DEBUG_INIT;

	debug.points = points;
	debug.npoints = 2;
	return axvcpu_set_debug(sweep_first(world), &debug);
}

static void with_points(struct sweep_world *world)
{
	ck_ok(set_points(world));
	sweep_bound(world);
}

static void with_an_mmu(struct sweep_world *world)
{
	/* A table of large blocks: 39 bits, 4 KiB pages. */
	const uint64_t block = UINT64_C(0x80000000) | 1u << 10 | 1u;
	struct axvcpu *vcpu = sweep_first(world);

	ck_ok(axvm_write(world->vm, A64_TABLES + 8 * 5, &block, sizeof(block)));
	ck_ok(axvcpu_set_reg(vcpu, AXVCPU_REG_ARM64_TCR_EL1, 25 | 25 << 16 | UINT64_C(2) << 30));
	ck_ok(axvcpu_set_reg(vcpu, AXVCPU_REG_ARM64_TTBR0_EL1, A64_TABLES));
	ck_ok(axvcpu_set_reg(vcpu, AXVCPU_REG_ARM64_SCTLR_EL1, 1));
}

/* --- steps ----------------------------------------------------------------------------------- */

static int take_new(struct sweep_world *world)
{
	struct axvm_arm64_config gic;
	struct axvm_config config = everything(&gic);
	struct axvm *vm = NULL;
	int ret = axvm_new(&config, &vm);

	(void)world;
	/* Not counted, and cannot fail. */
	if (!ret)
		ck_ok(axvm_free(vm));
	else
		ck_assert_ptr_null(vm);
	return ret;
}

static int take_finalize(struct sweep_world *world)
{
	return axvm_finalize(world->vm);
}

static int take_setup(struct sweep_world *world)
{
	return setup_all(world, 0);
}

static int take_reset(struct sweep_world *world)
{
	return axvcpu_reset(sweep_first(world), GUEST_CODE, A64_LIST);
}

static int take_flush(struct sweep_world *world)
{
	return axvcpu_flush(sweep_first(world));
}

static int take_serror(struct sweep_world *world)
{
	const struct axvcpu_exception serror = { .vector = AXVCPU_ARM64_SERROR,
						 .has_error_code = 1 };

	return axvcpu_inject_exception(sweep_first(world), &serror);
}

static int take_abort(struct sweep_world *world)
{
	const struct axvcpu_exception abort = { .vector = AXVCPU_ARM64_DATA_ABORT };

	return axvcpu_inject_exception(sweep_first(world), &abort);
}

static int take_line(struct sweep_world *world)
{
	return axvcpu_set_irq_line(sweep_first(world), 0, true);
}

static int take_ppi(struct sweep_world *world)
{
	return axvcpu_set_irq_line(sweep_first(world), 20, true);
}

static int take_spi(struct sweep_world *world)
{
	return axvm_set_irq_line(world->vm, 5, true);
}

static int take_edge(struct sweep_world *world)
{
	return axvcpu_inject_interrupt_with_trigger(sweep_first(world), 37, AXVCPU_TRIGGER_EDGE);
}

static int take_add_route(struct sweep_world *world)
{
	const struct axvm_route route = { .gsi = 300, .kind = AXVM_ROUTE_PIN, .u.pin = { 0, 5 } };

	return axvm_add_route(world->vm, &route);
}

static void ignore_end(struct axvm *vm, uint32_t gsi, void *ctx)
{
	(void)vm;
	(void)gsi;
	(void)ctx;
}

static int take_irq_end(struct sweep_world *world)
{
	return axvm_set_irq_end(world->vm, 5, ignore_end, NULL);
}

static int take_translate(struct sweep_world *world)
{
	uint64_t gpa = 0;
	int ret = axvcpu_translate(sweep_first(world), (UINT64_C(5) << 30) + 0x123, &gpa);

	ck_assert_uint_eq(gpa, ret ? 0 : 0x80000123);
	return ret;
}

static int take_sp(struct sweep_world *world)
{
	return axvcpu_set_reg(sweep_first(world), AXVCPU_REG_SP, 0x1000);
}

static int take_list(struct sweep_world *world)
{
	uint64_t ids[16];

	return axvcpu_reg_list(sweep_first(world), ids, 16);
}

/* --- expected results ------------------------------------------------------------------------ */

static void see_the_call(struct sweep_world *world)
{
	ck_assert_uint_eq(world->exit.kind, AXVCPU_EXIT_HYPERCALL);
	ck_assert_uint_eq(world->exit.u.hypercall.nr, NR);
	for (unsigned int i = 0; i < 6; i++)
		ck_assert_uint_eq(world->exit.u.hypercall.args[i], i + 1);
}

static void see_both_results(struct sweep_world *world)
{
	ck_assert_uint_eq(world->exit.kind, AXVCPU_EXIT_MMIO_WRITE);
	ck_assert_uint_eq(world->exit.u.mmio.data, 11);
	ck_ok(sweep_run(world));
	ck_assert_uint_eq(world->exit.u.mmio.data, 12);
}

static void see_its_results(struct sweep_world *world)
{
	do
		ck_ok(sweep_run(world));
	while (world->exit.kind == AXVCPU_EXIT_NOTHING);
	see_both_results(world);
}

static void see_cpu_up(struct sweep_world *world)
{
	ck_assert_uint_eq(world->exit.kind, AXVCPU_EXIT_CPU_UP);
	ck_assert_uint_eq(world->exit.u.cpu_up.target_cpu, 1);
	ck_assert_uint_eq(world->exit.u.cpu_up.arg, 7);
}

static void see_it_off(struct sweep_world *world)
{
	ck_assert_uint_eq(world->exit.kind, AXVCPU_EXIT_MMIO_WRITE);
	ck_assert_uint_eq(world->exit.u.mmio.data, 1);
}

static void see_the_breakpoint(struct sweep_world *world)
{
	ck_assert_uint_eq(world->exit.kind, AXVCPU_EXIT_DEBUG);
	ck_assert_uint_eq(world->exit.u.debug.pc, GUEST_CODE + 8);
	ck_assert_uint_eq(world->exit.u.debug.point, 0);
}

static void see_the_write(struct sweep_world *world)
{
	ck_assert_uint_eq(world->exit.kind, AXVCPU_EXIT_MMIO_WRITE);
	ck_assert_uint_eq(world->exit.u.mmio.data, GUEST_VALUE);
}

#define FINALIZE \
	.begin = begin_with_everything, .take = take_finalize, .see = sweep_see_the_guest_run
static const struct sweep_step steps_with_its[] = {
	{ .name = "a VM with everything", .take = take_new, .calls = 20 },
	{ .name = "finalize", FINALIZE, .calls = 2 },
};
static const struct sweep_step steps_without[] = {
	{ .name = "a VM with everything but an ITS", .take = take_new, .calls = 18 },
	{ .name = "finalize without an ITS", FINALIZE, .calls = 1 },
};

static const struct sweep_step steps[] = {
	{ .name = "setup with everything",
	  .begin = begin_created,
	  .take = take_setup,
	  .see = sweep_see_the_guest_run,
	  .calls = 12 },
	{ .name = "run with a PMU",
	  .begin = begin_with_pmu,
	  .prepare = sweep_bound,
	  .take = sweep_run,
	  .see = see_the_write,
	  .calls = 2 },
	{ .name = "reset, with a GIC",
	  .irqchip = AXVM_IRQCHIP_KERNEL,
	  .prepare = raised,
	  .take = take_reset,
	  .see = sweep_see_the_guest_run,
	  .calls = 9 },
	{ .name = "run to a call",
	  .begin = begin_hypercall,
	  .prepare = sweep_bound,
	  .take = sweep_run,
	  .see = see_the_call,
	  .calls = 7 },
	{ .name = "run from a call",
	  .begin = begin_hypercall,
	  .prepare = answered,
	  .take = sweep_run,
	  .see = see_both_results,
	  .calls = 3 },
	{ .name = "flush of a call",
	  .begin = begin_hypercall,
	  .prepare = answered,
	  .take = take_flush,
	  .see = see_its_results,
	  .calls = 2 },
	{ .name = "run to CPU_ON",
	  .begin = begin_cpu_on,
	  .prepare = sweep_bound,
	  .take = sweep_run,
	  .see = see_cpu_up,
	  .calls = 4 },
	{ .name = "run over AFFINITY_INFO",
	  .begin = begin_affinity_info,
	  .prepare = sweep_bound,
	  .take = sweep_run,
	  .see = see_it_off,
	  .calls = 5 },
	{ .name = "SError", .take = take_serror, .calls = 3 },
	{ .name = "external abort",
	  .begin = begin_echo,
	  .prepare = at_an_exit,
	  .take = take_abort,
	  .calls = 3 },
	{ .name = "debug", .begin = begin_steps, .take = set_points, .calls = 3 },
	{ .name = "run to a breakpoint",
	  .begin = begin_steps,
	  .prepare = with_points,
	  .take = sweep_run,
	  .see = see_the_breakpoint,
	  .calls = 2 },
	{ .name = "translate",
	  .begin = begin_steps,
	  .prepare = with_an_mmu,
	  .take = take_translate,
	  .calls = 4 },
	{ .name = "line, without a GIC",
	  .take = take_line,
	  .see = sweep_see_the_guest_run,
	  .calls = 1 },
	{ .name = "PPI",
	  .irqchip = AXVM_IRQCHIP_KERNEL,
	  .take = take_ppi,
	  .see = sweep_see_the_guest_run,
	  .calls = 1 },
	{ .name = "SPI",
	  .irqchip = AXVM_IRQCHIP_KERNEL,
	  .take = take_spi,
	  .see = sweep_see_the_guest_run,
	  .calls = 1 },
	{ .name = "inject an edge",
	  .irqchip = AXVM_IRQCHIP_KERNEL,
	  .take = take_edge,
	  .see = sweep_see_the_guest_run,
	  .calls = 2 },
	{ .name = "add_route",
	  .irqchip = AXVM_IRQCHIP_KERNEL,
	  .take = take_add_route,
	  .see = sweep_see_the_guest_run,
	  .calls = 5 },
	{ .name = "set_irq_end",
	  .irqchip = AXVM_IRQCHIP_KERNEL,
	  .take = take_irq_end,
	  .see = sweep_see_the_guest_run,
	  .calls = 11 },
	{ .name = "run with early interrupts",
	  .begin = begin_unready,
	  .prepare = with_early_interrupts,
	  .take = sweep_run,
	  .see = see_the_write,
	  .calls = 3 },
	{ .name = "stack pointer", .take = take_sp, .calls = 2 },
	{ .name = "list of registers",
	  .take = take_list,
	  .see = sweep_see_the_guest_run,
	  .calls = 3 },
};

#define COUNT(array) (int)(sizeof(array) / sizeof((array)[0]))

START_TEST(each_call_fails)
{
	sweep(steps, _i);
}
END_TEST

START_TEST(each_call_with_an_its_fails)
{
	sweep(steps_with_its, _i);
}
END_TEST

START_TEST(each_call_without_an_its_fails)
{
	sweep(steps_without, _i);
}
END_TEST

/* --- missing KVM features --------------------------------------------------------------------- */

static const struct {
	uint32_t flags;
	enum axvcpu_mode mode;
	/* KVM_ARM_VCPU_* */
	uint32_t bit;
	unsigned int capability;
	/* Others that are asked for before. */
	unsigned int skip;
	const char *text;
} lacks[] = {
	{ AXVCPU_ARM64_SVE, AXVCPU_MODE_64, KVM_ARM_VCPU_SVE, KVM_CAP_ARM_SVE, 0,
	  "AXVCPU_ARM64_SVE needs KVM_CAP_ARM_SVE" },
	{ AXVCPU_ARM64_PMU, AXVCPU_MODE_64, KVM_ARM_VCPU_PMU_V3, KVM_CAP_ARM_PMU_V3, 0,
	  "AXVCPU_ARM64_PMU needs KVM_CAP_ARM_PMU_V3" },
	{ AXVCPU_ARM64_PAUTH, AXVCPU_MODE_64, KVM_ARM_VCPU_PTRAUTH_ADDRESS,
	  KVM_CAP_ARM_PTRAUTH_ADDRESS, 0, "AXVCPU_ARM64_PAUTH needs KVM_CAP_ARM_PTRAUTH_ADDRESS" },
	/* The exit reported by the first attempt must be forgotten. */
	{ AXVCPU_ARM64_PAUTH, AXVCPU_MODE_64, KVM_ARM_VCPU_PTRAUTH_ADDRESS,
	  KVM_CAP_ARM_PTRAUTH_GENERIC, 1, "AXVCPU_ARM64_PAUTH needs KVM_CAP_ARM_PTRAUTH_GENERIC" },
	{ 0, AXVCPU_MODE_32, KVM_ARM_VCPU_EL1_32BIT, KVM_CAP_ARM_EL1_32BIT, 0,
	  "AXVCPU_MODE_32 needs KVM_CAP_ARM_EL1_32BIT" },
};

/* The features that the latest KVM_ARM_VCPU_INIT of those that are watched has asked for. */
static uint32_t asked_for(void)
{
	return ((const struct kvm_vcpu_init *)injector.request_arg)->features[0];
}

START_TEST(refused_setup_leaves_vcpu_created)
{
	struct axvcpu_setup_config setup = guest_setup_config(0);
	struct axvcpu_arm64_setup arm64 = AXVCPU_ARM64_SETUP_INIT;
	struct resources before;
	struct guest guest;

	guest_create(&guest, NULL, PROGRAM(chatter));
	if (lacks[_i].skip && axvm_capability(guest.vm, KVM_CAP_ARM_PTRAUTH_ADDRESS) <= 0) {
		suite_skip("this KVM lacks the first capability, too");
		guest_end(&guest);
		return;
	}
	arm64.flags = lacks[_i].flags;
	setup.mode = lacks[_i].mode;
	setup.stack = 0;
	setup.arch = &arm64;
	resources_read(&before);
	injector_ioctl(KVM_CHECK_EXTENSION, 0, 1);
	injector.skip = lacks[_i].skip;
	ck_fails_saying(axvcpu_setup(guest.vcpu, GUEST_CODE, 0, &setup), ENOTSUP, lacks[_i].text);
	ck_assert_uint_eq(injector.request_calls, lacks[_i].skip + 1);
	ck_assert_uint_eq(injector.request_arg, lacks[_i].capability);
	ck_assert_int_eq(axvcpu_state(guest.vcpu), AXVCPU_CREATED);
	resources_expect(&before, "after the refusal");
	/* Who can do without it has the same vCPU, of which KVM has been told nothing before. */
	injector_ioctl(KVM_ARM_VCPU_INIT, 0, 0);
	guest_setup(&guest, AXVCPU_MODE_64);
	ck_assert_uint_eq(injector.request_calls, 1);
	ck_assert_uint_eq(asked_for() & 1u << lacks[_i].bit, 0);
	ck_ok(axvcpu_bind(guest.vcpu));
	guest_expect_write(&guest, GUEST_MMIO, GUEST_VALUE);
	guest_end(&guest);
}
END_TEST

/* A VM with this config is refused because of the feature that the injector hides. */
static void expect_no_vm(const struct axvm_config *config, const char *text)
{
	guest_expect_refused(config, ENOTSUP, text);
	/* The library asked for the hidden feature. */
	ck_assert_uint_eq(injector.times, 0);
	ck_assert_uint_eq(injector.mapped, 0);
	ck_assert_int_eq(injector.opened, 0);
}

static const struct {
	uint32_t forward;
	const char *text;
} filters[] = {
	{ AXVM_FORWARD_HYPERCALLS, "AXVM_FORWARD_HYPERCALLS needs KVM_ARM_VM_SMCCC_FILTER" },
	{ AXVM_FORWARD_POWER, "AXVM_FORWARD_POWER needs KVM_ARM_VM_SMCCC_FILTER" },
	{ AXVM_FORWARD_HYPERCALLS | AXVM_FORWARD_POWER,
	  "AXVM_FORWARD_HYPERCALLS needs KVM_ARM_VM_SMCCC_FILTER" },
};

START_TEST(missing_smccc_filter_is_named_in_the_error)
{
	/* As kernels of different ages, with other attributes or none, say so. */
	static const int errnos[] = { ENXIO, ENODEV, ENOTTY, EINVAL };
	struct axvm_config config = AXVM_CONFIG_INIT;
	struct sweep_world world;

	config.forward = filters[_i].forward;
	for (size_t i = 0; i < sizeof(errnos) / sizeof(errnos[0]); i++) {
		injector_ioctl(KVM_HAS_DEVICE_ATTR, -errnos[i], 1);
		expect_no_vm(&config, filters[_i].text);
	}
	/* Who can do without it is not asked. */
	injector_ioctl(KVM_HAS_DEVICE_ATTR, -ENXIO, 1);
	sweep_world_begin(&world, AXVM_IRQCHIP_NONE);
	sweep_see_the_guest_run(&world);
	ck_assert_uint_eq(injector.request_calls, 0);
	sweep_world_end(&world);
}
END_TEST

/* The GIC itself has been made by then. */
START_TEST(missing_its_is_named_in_the_error)
{
	struct axvm_arm64_config gic;
	struct axvm_config config = everything(&gic);
	struct axvm *vm = NULL;

	config.forward = 0;
	/* The library asks whether there is a GICv3, unless the config requires one. */
	for (unsigned int asks = 0; asks < 2; asks++) {
		gic.flags = AXVM_ARM64_ITS;
		gic.gic_version = asks ? 0 : 3;
		injector_ioctl(KVM_CREATE_DEVICE, -ENODEV, 1);
		injector.skip = 1 + asks;
		expect_no_vm(&config, "this KVM has no KVM_DEV_TYPE_ARM_VGIC_ITS");
		/* Who can do without it has the GIC. */
		gic.flags = 0;
		ck_ok(axvm_new(&config, &vm));
		ck_ok(axvm_free(vm));
		vm = NULL;
	}
}
END_TEST

/* --- how many -------------------------------------------------------------------------------- */

/* Runs until a call has returned in x0. */
static void expect_result(struct sweep_world *world, unsigned int calls, int64_t result)
{
	ck_assert_uint_eq(sweep_calls_of_run(world, AXVCPU_EXIT_MMIO_WRITE), calls);
	ck_assert_uint_eq(world->exit.u.mmio.addr, GUEST_MMIO);
	ck_assert_int_eq((int64_t)world->exit.u.mmio.data, result);
}

START_TEST(an_exit_makes_the_documented_system_calls)
{
	struct sweep_world world;

	/* Memory-mapped: one, also with an answer. */
	begin_echo(&world);
	at_an_exit(&world);
	for (int i = 0; i < 4; i++) {
		injector_arm(0, 0, false);
		if (world.exit.answerable)
			ck_ok(axvcpu_complete_value(sweep_first(&world), 1));
		ck_assert_uint_eq(injector.calls, 0);
		injector_disarm();
		ck_assert_uint_eq(sweep_calls_of_run(&world, i % 2 ? AXVCPU_EXIT_MMIO_READ
								   : AXVCPU_EXIT_MMIO_WRITE),
				  1);
	}
	sweep_world_end(&world);
	/* A call: six for its arguments, and one for each word of its result. */
	begin_hypercall(&world);
	sweep_bound(&world);
	ck_ok(axvm_finalize(world.vm));
	ck_assert_uint_eq(sweep_calls_of_run(&world, AXVCPU_EXIT_HYPERCALL), 1 + 6);
	injector_arm(0, 0, false);
	ck_ok(axvcpu_complete_value(sweep_first(&world), 11));
	ck_assert_uint_eq(injector.calls, 0);
	injector_disarm();
	ck_assert_uint_eq(sweep_calls_of_run(&world, AXVCPU_EXIT_MMIO_WRITE), 1 + 1);
	ck_assert_uint_eq(sweep_calls_of_run(&world, AXVCPU_EXIT_MMIO_WRITE), 1);
	sweep_world_end(&world);
	begin_hypercall(&world);
	sweep_bound(&world);
	ck_ok(axvm_finalize(world.vm));
	ck_assert_uint_eq(sweep_calls_of_run(&world, AXVCPU_EXIT_HYPERCALL), 1 + 6);
	injector_arm(0, 0, false);
	ck_ok(axvcpu_complete_pair(sweep_first(&world), 11, 12));
	ck_assert_uint_eq(injector.calls, 0);
	injector_disarm();
	expect_result(&world, 1 + 2, 11);
	ck_assert_uint_eq(sweep_calls_of_run(&world, AXVCPU_EXIT_MMIO_WRITE), 1);
	ck_assert_uint_eq(world.exit.u.mmio.data, 12);
	sweep_world_end(&world);
	/* An access that the hardware does not decode: one call, also when it is retried. */
	begin_load_pair(&world);
	sweep_bound(&world);
	ck_ok(axvm_finalize(world.vm));
	ck_assert_uint_eq(sweep_calls_of_run(&world, AXVCPU_EXIT_MMIO_WRITE), 1);
	for (int i = 0; i < 2; i++) {
		ck_assert_uint_eq(sweep_calls_of_run(&world, AXVCPU_EXIT_NESTED_PAGE_FAULT), 1);
		ck_assert_uint_eq(world.exit.raw_reason, KVM_EXIT_ARM_NISV);
	}
	sweep_world_end(&world);
	/* Debugging: where it stopped. */
	begin_steps(&world);
	with_points(&world);
	ck_ok(axvm_finalize(world.vm));
	ck_assert_uint_eq(sweep_calls_of_run(&world, AXVCPU_EXIT_DEBUG), 1 + 1);
	sweep_world_end(&world);
}
END_TEST

static void power_call(struct sweep_world *world, void (*begin_call)(struct sweep_world *world))
{
	begin_call(world);
	sweep_bound(world);
	ck_ok(axvm_finalize(world->vm));
}

START_TEST(a_power_call_makes_the_documented_system_calls)
{
	struct sweep_world world;

	/* CPU_ON: three for its arguments, and one for the result, whether the CPU starts or not. */
	for (int starts = 0; starts < 2; starts++) {
		power_call(&world, begin_cpu_on);
		ck_assert_uint_eq(sweep_calls_of_run(&world, AXVCPU_EXIT_CPU_UP), 1 + 3);
		if (starts)
			ck_ok(axvcpu_start(world.vcpus[1], GUEST_CODE, 7));
		expect_result(&world, 1 + 1,
			      starts ? AXVCPU_PSCI_SUCCESS : AXVCPU_PSCI_INTERNAL_FAILURE);
		ck_assert_uint_eq(sweep_calls_of_run(&world, AXVCPU_EXIT_MMIO_WRITE), 1);
		sweep_world_end(&world);
	}
	/* CPU_OFF: none, and one for the result of a CPU that stays on. */
	power_call(&world, begin_cpu_off);
	ck_assert_uint_eq(sweep_calls_of_run(&world, AXVCPU_EXIT_CPU_DOWN), 1);
	expect_result(&world, 1 + 1, AXVCPU_PSCI_DENIED);
	sweep_world_end(&world);
	/*
	 * A call without an exit: arguments, result, and KVM_RUN again. AFFINITY_INFO returns OFF.
	 */
	power_call(&world, begin_affinity_info);
	expect_result(&world, 1 + 3 + 1, 1);
	sweep_world_end(&world);
	power_call(&world, begin_cpu_on_in_vain);
	expect_result(&world, 1 + 4 + 1, AXVCPU_PSCI_ALREADY_ON);
	sweep_world_end(&world);
}
END_TEST

static void add_tests(Suite *suite)
{
	TCase *all = suite_case(suite, "all");
	TCase *lacking = suite_case(suite, "lacking");
	TCase *count = suite_case(suite, "count");

	tcase_add_loop_test(all, each_call_fails, 0, COUNT(steps));
	if (a64_has_gic(3)) {
		its = AXVM_ARM64_ITS;
		tcase_add_loop_test(all, each_call_with_an_its_fails, 0, COUNT(steps_with_its));
		tcase_add_test(lacking, missing_its_is_named_in_the_error);
	} else {
		suite_left_out("each_call_with_an_its_fails", "this KVM has no GICv3");
		suite_left_out("missing_its_is_named_in_the_error", "this KVM has no GICv3");
		tcase_add_loop_test(all, each_call_without_an_its_fails, 0, COUNT(steps_without));
	}
	tcase_add_loop_test(lacking, refused_setup_leaves_vcpu_created, 0, COUNT(lacks));
	tcase_add_loop_test(lacking, missing_smccc_filter_is_named_in_the_error, 0, COUNT(filters));
	tcase_add_test(count, an_exit_makes_the_documented_system_calls);
	tcase_add_test(count, a_power_call_makes_the_documented_system_calls);
}

int main(void)
{
	return suite_main("arm64: faults", true, add_tests);
}
