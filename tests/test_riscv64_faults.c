/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * riscv64: each system call and allocation that only riscv64 makes fails in turn, and is retried;
 * KVMs that are older and newer than the present one; and the number of calls that the headers
 * promise. Needs a working /dev/kvm.
 */
#include <errno.h>
#include <linux/kvm.h>

#include "event.h"
#include "injector.h"
#include "riscv64_guest.h"
#include "suite.h"
#include "sweep.h"

#define IMSIC UINT64_C(0x28000000)
#define ILLEGAL 2

/* --- worlds ----------------------------------------------------------------------------------- */

/* The first vCPU at the exit that its program comes to first. */
static void begin(struct sweep_world *world, uint32_t irqchip, const void *code, size_t len,
		  uint64_t arg)
{
	struct axvm_config config = AXVM_CONFIG_INIT;

	config.max_vcpus = SWEEP_VCPUS;
	config.irqchip = irqchip;
	world->vm = guest_vm(&config, code, len);
	for (uint32_t i = 0; i < SWEEP_VCPUS; i++)
		world->vcpus[i] = guest_vcpu(world->vm, i, arg);
	world->fd = event_new();
}

static void run_on(struct sweep_world *world, enum axvcpu_exit_kind kind)
{
	do
		ck_ok(sweep_run(world));
	while (world->exit.kind == AXVCPU_EXIT_NOTHING);
	ck_assert_uint_eq(world->exit.kind, kind);
}

static void begin_chatter(struct sweep_world *world)
{
	begin(world, AXVM_IRQCHIP_NONE, PROGRAM(chatter), 0);
}

static void begin_aia(struct sweep_world *world)
{
	begin(world, AXVM_IRQCHIP_KERNEL, PROGRAM(chatter), 0);
}

static void begin_csr(struct sweep_world *world)
{
	begin(world, AXVM_IRQCHIP_NONE, PROGRAM(csr_fault), 0);
	sweep_bound(world);
	run_on(world, AXVCPU_EXIT_SYSREG_WRITE);
}

static void begin_exception(struct sweep_world *world)
{
	const struct axvcpu_exception exception = { .vector = ILLEGAL };

	begin(world, AXVM_IRQCHIP_NONE, PROGRAM(traps), 0);
	sweep_bound(world);
	run_on(world, AXVCPU_EXIT_MMIO_WRITE);
	ck_ok(axvcpu_inject_exception(sweep_first(world), &exception));
}

/* The second vCPU has yet to be set up. */
static void begin_created(struct sweep_world *world)
{
	struct axvcpu_config second = AXVCPU_CONFIG_INIT;
	struct axvm_config config = AXVM_CONFIG_INIT;

	config.max_vcpus = SWEEP_VCPUS;
	world->vm = guest_vm(&config, PROGRAM(chatter));
	second.id = 1;
	world->vcpus[0] = guest_vcpu(world->vm, 0, 0);
	ck_ok(axvcpu_new(world->vm, &second, &world->vcpus[1]));
	world->fd = event_new();
}

/* --- steps ------------------------------------------------------------------------------------ */

static int take_aia(struct sweep_world *world)
{
	struct axvm_riscv64_config riscv = AXVM_RISCV64_CONFIG_INIT;
	struct axvm_config config = AXVM_CONFIG_INIT;
	struct axvm *vm = NULL;
	int ret;

	(void)world;
	riscv.mode = AXVM_RISCV64_AIA_EMUL;
	config.irqchip = AXVM_IRQCHIP_KERNEL;
	config.arch_config = &riscv;
	config.gpa_bits = 39;
	ret = axvm_new(&config, &vm);
	if (ret)
		ck_assert_ptr_null(vm);
	else
		ck_ok(axvm_free(vm));
	return ret;
}

static int take_finalize(struct sweep_world *world)
{
	return axvm_finalize(world->vm);
}

static int take_setup(struct sweep_world *world)
{
	const struct axvcpu_riscv64_extension isa[] = { { "d", 0, 0 }, { "f", 0, 0 } };
	const struct axvcpu_riscv64_extension sbi[] = { { "dbcn", 0, 1 } };
	struct axvcpu_riscv64_setup riscv = AXVCPU_RISCV64_SETUP_INIT;
	struct axvcpu_setup_config setup = guest_setup_config(1);

	riscv.isa = isa;
	riscv.nisa = 2;
	riscv.sbi = sbi;
	riscv.nsbi = 1;
	setup.arch = &riscv;
	return axvcpu_setup(world->vcpus[1], GUEST_CODE, 0, &setup);
}

static void see_setup(struct sweep_world *world)
{
	uint64_t on = 7;

	ck_ok(axvcpu_get_reg(world->vcpus[1],
			     AXVCPU_REG_RISCV64_ISA_EXTENSION(AXVCPU_RISCV64_ISA_F), &on));
	ck_assert_uint_eq(on, 0);
}

static int take_message(struct sweep_world *world)
{
	return axvcpu_inject_interrupt(sweep_first(world), 5);
}

static int take_msi(struct sweep_world *world)
{
	const struct axvm_msi msi = { .address = IMSIC, .data = 5 };

	return axvm_signal_msi(world->vm, &msi);
}

static int take_add_route(struct sweep_world *world)
{
	const struct axvm_route route = { .gsi = AXVM_GSI_ANY,
					  .kind = AXVM_ROUTE_MSI,
					  .u.msi = { IMSIC, 5, 0 } };

	return axvm_add_route(world->vm, &route);
}

static int take_wire(struct sweep_world *world)
{
	return axvm_set_irq_line(world->vm, 5, true);
}

static int take_line(struct sweep_world *world)
{
	return axvcpu_set_irq_line(sweep_first(world), 0, true);
}

static int take_reset(struct sweep_world *world)
{
	return axvcpu_reset(sweep_first(world), GUEST_CODE, 0);
}

static int take_fault(struct sweep_world *world)
{
	return axvcpu_complete_fault(sweep_first(world));
}

static void see_fault(struct sweep_world *world)
{
	run_on(world, AXVCPU_EXIT_MMIO_WRITE);
	ck_assert_uint_eq(world->exit.u.mmio.addr, GUEST_MMIO + 8);
	ck_assert_uint_eq(world->exit.u.mmio.data, ILLEGAL);
}

static void see_exception(struct sweep_world *world)
{
	ck_assert_uint_eq(world->exit.kind, AXVCPU_EXIT_MMIO_WRITE);
	ck_assert_uint_eq(world->exit.u.mmio.addr, GUEST_MMIO + 8);
	ck_assert_uint_eq(world->exit.u.mmio.data, ILLEGAL);
}

static int take_debug(struct sweep_world *world)
{
	struct axvcpu_debug debug = AXVCPU_DEBUG_INIT;

	debug.flags = AXVCPU_DEBUG_SOFTWARE;
	return axvcpu_set_debug(sweep_first(world), &debug);
}

static int take_translate(struct sweep_world *world)
{
	uint64_t gpa;

	return axvcpu_translate(sweep_first(world), GUEST_CODE, &gpa);
}

static int take_regs(struct sweep_world *world)
{
	struct axvcpu_regs regs;

	return axvcpu_get_regs(sweep_first(world), &regs);
}

static int take_list(struct sweep_world *world)
{
	uint64_t ids[8];

	return axvcpu_reg_list(sweep_first(world), ids, 8);
}

/* Without an AIA. */
static const struct sweep_step steps[] = {
	{ "setup", .begin = begin_created, .take = take_setup, .see = see_setup, .calls = 11 },
	{ "set_irq_line", .begin = begin_chatter, .take = take_line, .see = sweep_see_the_guest_run,
	  .calls = 1 },
	{ "reset", .begin = begin_chatter, .take = take_reset, .see = sweep_see_the_guest_run,
	  .calls = 60 },
	{ "run with an exception", .begin = begin_exception, .take = sweep_run,
	  .see = see_exception, .calls = 11 },
	{ "set_debug", .begin = begin_chatter, .take = take_debug, .see = sweep_see_the_guest_run,
	  .calls = 1 },
	{ "translate", .begin = begin_chatter, .take = take_translate, .calls = 1 },
	{ "get_regs", .begin = begin_chatter, .take = take_regs, .calls = 32 },
	{ "reg_list", .begin = begin_chatter, .take = take_list, .calls = 3 },
};

#define STEPS (int)(sizeof(steps) / sizeof(steps[0]))

/* With one. */
static const struct sweep_step aia_steps[] = {
	{ "new VM", .begin = begin_chatter, .take = take_aia, .calls = 20 },
	{ "finalize", .begin = begin_aia, .take = take_finalize, .see = sweep_see_the_guest_run,
	  .calls = 3 },
	{ "inject", AXVM_IRQCHIP_KERNEL, .take = take_message, .see = sweep_see_the_guest_run,
	  .calls = 1 },
	{ "signal_msi", AXVM_IRQCHIP_KERNEL, .take = take_msi, .see = sweep_see_the_guest_run,
	  .calls = 1 },
	{ "add_route", AXVM_IRQCHIP_KERNEL, .take = take_add_route, .see = sweep_see_the_guest_run,
	  .calls = 5 },
	{ "set_irq_line of the VM", AXVM_IRQCHIP_KERNEL, .take = take_wire,
	  .see = sweep_see_the_guest_run, .calls = 1 },
	{ "reset with an IMSIC", AXVM_IRQCHIP_KERNEL, .take = take_reset,
	  .see = sweep_see_the_guest_run, .calls = 70 },
	{ "fault of a CSR", .begin = begin_csr, .take = take_fault, .see = see_fault, .calls = 1 },
};

#define AIA_STEPS (int)(sizeof(aia_steps) / sizeof(aia_steps[0]))

START_TEST(each_call_fails)
{
	sweep(steps, _i);
}
END_TEST

START_TEST(each_call_of_the_aia_fails)
{
	sweep(aia_steps, _i);
}
END_TEST

/* --- reported details of an exit ---------------------------------------------------------------- */

/* The exit is there, whatever can be found out about it. */
static void exit_without(enum axvcpu_exit_kind kind, const void *code, size_t len, bool debug)
{
	bool failed = true;

	for (unsigned int n = 1; failed; n++) {
		struct sweep_world world;

		begin(&world, AXVM_IRQCHIP_NONE, code, len, 0);
		if (debug)
			ck_ok(take_debug(&world));
		sweep_bound(&world);
		run_on(&world, AXVCPU_EXIT_MMIO_WRITE);
		/* The run itself is the first call. */
		injector_arm(n + 1, 0, true);
		ck_ok(sweep_run(&world));
		injector_disarm();
		ck_assert_uint_eq(world.exit.kind, kind);
		failed = injector.failed;
		ck_assert_int_eq(axvcpu_state(sweep_first(&world)), AXVCPU_READY);
		sweep_world_end(&world);
	}
}

START_TEST(fault_is_reported_when_its_details_cannot_be_read)
{
	exit_without(AXVCPU_EXIT_NESTED_PAGE_FAULT, PROGRAM(faults), false);
}
END_TEST

START_TEST(breakpoint_is_reported_when_its_address_cannot_be_read)
{
	exit_without(AXVCPU_EXIT_DEBUG, PROGRAM(breaks), true);
}
END_TEST

/* --- KVMs of other ages ------------------------------------------------------------------------- */

static struct guest guest;

START_TEST(without_a_list_the_registers_that_all_have_are_reset)
{
	guest_start(&guest, AXVCPU_MODE_64, PROGRAM(chatter));
	guest_expect(&guest, AXVCPU_EXIT_MMIO_WRITE);
	ck_ok(axvcpu_set_reg(guest.vcpu, AXVCPU_REG_RISCV64_SSCRATCH, 7));
	ck_ok(axvcpu_set_reg(guest.vcpu, AXVCPU_REG_RISCV64_SATP, UINT64_C(8) << 60));
	ck_ok(axvcpu_set_gpr(guest.vcpu, AXVCPU_REG_RISCV64_T6, 7));
	injector_ioctl(KVM_GET_REG_LIST, -EINVAL, UINT32_MAX);
	ck_ok(axvcpu_reset(guest.vcpu, GUEST_CODE, 0));
	injector_ioctl(KVM_GET_REG_LIST, 0, 0);
	ck_assert_uint_eq(guest_reg(&guest, AXVCPU_REG_RISCV64_SSCRATCH), 0);
	ck_assert_uint_eq(guest_reg(&guest, AXVCPU_REG_RISCV64_SATP), 0);
	ck_assert_uint_eq(guest_reg(&guest, AXVCPU_REG_RISCV64_SCOUNTEREN), 7);
	ck_assert_uint_eq(guest_reg(&guest, AXVCPU_REG_RISCV64_T6), 0);
	guest_expect(&guest, AXVCPU_EXIT_MMIO_WRITE);
	guest_end(&guest);
}
END_TEST

/* Linux has it from 6.10 on; here it is KVM's answers that are of an older one. */
START_TEST(a_kvm_that_cannot_debug_says_what_it_lacks)
{
	struct axvcpu_debug debug = AXVCPU_DEBUG_INIT;

	debug.flags = AXVCPU_DEBUG_SOFTWARE;
	guest_start(&guest, AXVCPU_MODE_64, PROGRAM(chatter));
	injector_arm(1, 0, false);
	injector_ioctl(KVM_CHECK_EXTENSION, 0, 1);
	ck_fails_saying(axvcpu_set_debug(guest.vcpu, &debug), ENOTSUP, "KVM_CAP_SET_GUEST_DEBUG");
	injector_disarm();
	ck_assert_str_eq(injector.failed, "KVM_SET_GUEST_DEBUG");
	ck_assert_uint_eq(injector.request_calls, 1);
	ck_assert_uint_eq(injector.request_arg, KVM_CAP_SET_GUEST_DEBUG);
	/* Nothing to leave off. */
	injector_arm(0, 0, false);
	ck_ok(axvcpu_set_debug(guest.vcpu, NULL));
	injector_disarm();
	ck_assert_uint_eq(injector.calls, 0);
	guest_expect(&guest, AXVCPU_EXIT_MMIO_WRITE);
	guest_end(&guest);
}
END_TEST

START_TEST(debugging_that_fails_for_another_reason_fails_with_that)
{
	struct axvcpu_debug debug = AXVCPU_DEBUG_INIT;

	debug.flags = AXVCPU_DEBUG_SOFTWARE;
	guest_start(&guest, AXVCPU_MODE_64, PROGRAM(chatter));
	injector_ioctl(KVM_SET_GUEST_DEBUG, -EINVAL, UINT32_MAX);
	/* It has the capability, so that is not it. */
	ck_fails(axvcpu_set_debug(guest.vcpu, &debug), EINVAL);
	/* Nothing to leave off. */
	injector.request_calls = 0;
	ck_ok(axvcpu_set_debug(guest.vcpu, NULL));
	ck_assert_uint_eq(injector.request_calls, 0);
	injector_ioctl(KVM_SET_GUEST_DEBUG, 0, 0);
	guest_expect(&guest, AXVCPU_EXIT_MMIO_WRITE);
	guest_end(&guest);
}
END_TEST

START_TEST(missing_aia_is_named_in_the_error)
{
	struct axvm_config config = AXVM_CONFIG_INIT;
	struct axvm *vm = NULL;

	config.irqchip = AXVM_IRQCHIP_KERNEL;
	injector_ioctl(KVM_CREATE_DEVICE, -ENODEV, 1);
	ck_fails_saying(axvm_new(&config, &vm), ENOTSUP, "AIA");
	ck_assert_ptr_null(vm);
}
END_TEST

/* KVM's answer to how many there are is taken away, which leaves none. */
START_TEST(host_with_fewer_identities_is_reported)
{
	struct axvm_riscv64_config riscv = AXVM_RISCV64_CONFIG_INIT;
	struct axvm_config config = AXVM_CONFIG_INIT;
	struct axvm *vm = NULL;

	riscv.ids = 63;
	config.irqchip = AXVM_IRQCHIP_KERNEL;
	config.arch_config = &riscv;
	injector_ioctl(KVM_GET_DEVICE_ATTR, 0, 1);
	ck_fails_saying(axvm_new(&config, &vm), ENOTSUP, "ids is 63");
	ck_assert_ptr_null(vm);
}
END_TEST

/* --- how many ----------------------------------------------------------------------------------- */

#define VENDOR 0x09000000

static void begin_at(struct sweep_world *world, const void *code, size_t len, uint64_t arg,
		     bool debug)
{
	begin(world, AXVM_IRQCHIP_NONE, code, len, arg);
	if (debug)
		ck_ok(take_debug(world));
	sweep_bound(world);
	ck_ok(axvm_finalize(world->vm));
}

START_TEST(an_exit_makes_the_documented_system_calls)
{
	const struct sbi_cell cell = { .extension = VENDOR };
	struct sweep_world world;

	/* Memory-mapped: one, also with an answer. */
	begin_at(&world, PROGRAM(echo), 0, false);
	for (int i = 0; i < 2; i++) {
		ck_assert_uint_eq(sweep_calls_of_run(&world, AXVCPU_EXIT_MMIO_READ), 1);
		ck_ok(axvcpu_complete_value(sweep_first(&world), 1));
		ck_assert_uint_eq(sweep_calls_of_run(&world, AXVCPU_EXIT_MMIO_WRITE), 1);
	}
	sweep_world_end(&world);
	/* So is a call, with its arguments and both words of its answer. */
	begin_at(&world, PROGRAM(sbi), GUEST_CELL_OF(0), false);
	ck_ok(axvm_write(world.vm, GUEST_CELL_OF(0), &cell, sizeof(cell)));
	ck_assert_uint_eq(sweep_calls_of_run(&world, AXVCPU_EXIT_HYPERCALL), 1);
	ck_ok(axvcpu_complete_pair(sweep_first(&world), 1, 2));
	ck_assert_uint_eq(sweep_calls_of_run(&world, AXVCPU_EXIT_MMIO_WRITE), 1);
	sweep_world_end(&world);
	/* Debugging: where it stopped. */
	begin_at(&world, PROGRAM(breaks), 0, true);
	ck_assert_uint_eq(sweep_calls_of_run(&world, AXVCPU_EXIT_MMIO_WRITE), 1);
	ck_assert_uint_eq(sweep_calls_of_run(&world, AXVCPU_EXIT_DEBUG), 1 + 1);
	sweep_world_end(&world);
	/*
	 * Exits that KVM does not complete: program counter, translation mode, and faulting
	 * address.
	 */
	begin_at(&world, PROGRAM(faults), 0, false);
	ck_assert_uint_eq(sweep_calls_of_run(&world, AXVCPU_EXIT_MMIO_WRITE), 1);
	ck_assert_uint_eq(sweep_calls_of_run(&world, AXVCPU_EXIT_NESTED_PAGE_FAULT), 1 + 3);
	/* EIO so far; EOPNOTSUPP is no other. */
	ck_ok(axvcpu_set_reg(sweep_first(&world), AXVCPU_REG_PC, PROGRAM_AT(faults, lr)));
	ck_assert_uint_eq(sweep_calls_of_run(&world, AXVCPU_EXIT_NESTED_PAGE_FAULT), 1 + 3);
	ck_assert_uint_eq(world.exit.u.page_fault.error, EOPNOTSUPP);
	sweep_world_end(&world);
	if (!riscv64_failed_fetch_comes_out())
		return;
	/* Code that is nowhere has no access, whose address would be one more. */
	begin_at(&world, PROGRAM(jump), 0, false);
	ck_assert_uint_eq(sweep_calls_of_run(&world, AXVCPU_EXIT_MMIO_WRITE), 1);
	ck_assert_uint_eq(sweep_calls_of_run(&world, AXVCPU_EXIT_NESTED_PAGE_FAULT), 1 + 2);
	ck_assert_uint_eq(world.exit.u.page_fault.access, AXVCPU_ACCESS_EXEC);
	ck_assert_uint_eq(world.exit.u.page_fault.error, EOPNOTSUPP);
	sweep_world_end(&world);
}
END_TEST

START_TEST(an_access_to_a_csr_and_its_answer_are_one_system_call)
{
	struct sweep_world world;

	begin_at(&world, PROGRAM(csrs), 0, false);
	ck_assert_uint_eq(sweep_calls_of_run(&world, AXVCPU_EXIT_SYSREG_READ), 1);
	ck_ok(axvcpu_complete_value(sweep_first(&world), 1));
	ck_assert_uint_eq(sweep_calls_of_run(&world, AXVCPU_EXIT_MMIO_WRITE), 1);
	ck_assert_uint_eq(world.exit.u.mmio.data, 1);
	ck_assert_uint_eq(sweep_calls_of_run(&world, AXVCPU_EXIT_SYSREG_WRITE), 1);
	ck_ok(axvcpu_complete_value(sweep_first(&world), 2));
	ck_assert_uint_eq(sweep_calls_of_run(&world, AXVCPU_EXIT_MMIO_WRITE), 1);
	ck_assert_uint_eq(world.exit.u.mmio.data, 2);
	sweep_world_end(&world);
}
END_TEST

static void count_exception(bool open)
{
	const struct axvcpu_exception exception = { .vector = ILLEGAL };
	struct sweep_world world;

	begin_at(&world, PROGRAM(traps), 0, false);
	ck_assert_uint_eq(sweep_calls_of_run(&world, AXVCPU_EXIT_MMIO_WRITE), 1);
	if (!open)
		ck_ok(axvcpu_flush(sweep_first(&world)));
	injector_arm(0, 0, false);
	ck_ok(axvcpu_inject_exception(sweep_first(&world), &exception));
	injector_disarm();
	ck_assert_uint_eq(injector.calls, 0);
	/* The access comes first: KVM_RUN finishes it. */
	ck_assert_uint_eq(sweep_calls_of_run(&world, AXVCPU_EXIT_MMIO_WRITE), 9 + open + 1);
	see_exception(&world);
	sweep_world_end(&world);
}

START_TEST(an_exception_makes_the_documented_system_calls)
{
	count_exception(false);
	count_exception(true);
}
END_TEST

/* stval, and the state of an exception: four registers are read, and five written. */
START_TEST(a_csr_fault_makes_the_documented_system_calls)
{
	struct sweep_world world;

	begin_csr(&world);
	injector_arm(0, 0, false);
	ck_ok(axvcpu_complete_fault(sweep_first(&world)));
	injector_disarm();
	ck_assert_uint_eq(injector.calls, 1);
	ck_assert_uint_eq(sweep_calls_of_run(&world, AXVCPU_EXIT_MMIO_WRITE), 9 + 1);
	sweep_world_end(&world);
}
END_TEST

static void add_tests(Suite *suite)
{
	TCase *all = suite_case(suite, "all");
	TCase *exits = suite_case(suite, "exits");
	TCase *ages = suite_case(suite, "ages");
	TCase *count = suite_case(suite, "count");

	tcase_add_loop_test(all, each_call_fails, 0, STEPS);
	if (riscv64_host_has_aia())
		tcase_add_loop_test(all, each_call_of_the_aia_fails, 0, AIA_STEPS);
	tcase_add_test(exits, fault_is_reported_when_its_details_cannot_be_read);
	tcase_add_test(exits, breakpoint_is_reported_when_its_address_cannot_be_read);
	tcase_add_test(ages, without_a_list_the_registers_that_all_have_are_reset);
	tcase_add_test(ages, a_kvm_that_cannot_debug_says_what_it_lacks);
	tcase_add_test(ages, debugging_that_fails_for_another_reason_fails_with_that);
	tcase_add_test(ages, missing_aia_is_named_in_the_error);
	if (riscv64_host_has_aia())
		tcase_add_test(ages, host_with_fewer_identities_is_reported);
	tcase_add_test(count, an_exit_makes_the_documented_system_calls);
	tcase_add_test(count, an_exception_makes_the_documented_system_calls);
	if (riscv64_host_has_aia()) {
		tcase_add_test(count, an_access_to_a_csr_and_its_answer_are_one_system_call);
		tcase_add_test(count, a_csr_fault_makes_the_documented_system_calls);
	}
}

int main(void)
{
	return suite_main("riscv64_faults", true, add_tests);
}
