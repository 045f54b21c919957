/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * A saved vCPU goes on where it was: in place, in another VM, at each exit of a guest; and the
 * clocks of a VM follow the time policies. Equal on every architecture. Needs a working /dev/kvm.
 */
#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include "guest.h"
#include "suite.h"

static struct guest guest, other;

/* Exceeds the state of any architecture. */
#define ROOM 0x40000
static unsigned char state[ROOM], again[ROOM];
static size_t size;

static unsigned char memory[GUEST_MEMORY];

static size_t save_to(struct guest *from, unsigned char *to)
{
	int ret = axvcpu_save(from->vcpu, to, ROOM);

	ck_ok(ret);
	ck_assert_int_le(ret, ROOM);
	return (size_t)ret;
}

static void save(struct guest *from)
{
	size = save_to(from, state);
}

static void load(struct guest *to)
{
	ck_ok(axvcpu_load(to->vcpu, state, size, NULL));
}

static void copy_memory(struct guest *to, struct guest *from)
{
	ck_ok(axvm_read(from->vm, GUEST_BASE, memory, sizeof(memory)));
	ck_ok(axvm_write(to->vm, GUEST_BASE, memory, sizeof(memory)));
}

static void copy_clock(struct guest *to, struct guest *from, uint32_t policy)
{
	struct axvm_clock clock = AXVM_CLOCK_INIT;
	int ret;

	ck_ok(axvm_get_clock(from->vm, &clock));
	ret = axvm_set_clock(to->vm, &clock, policy);
	/* Some KVMs of x86_64 have no TSC offset. */
	if (ret != -ENOTSUP)
		ck_ok(ret);
}

/* --- the guest "life" --------------------------------------------------------------------------- */

START_TEST(a_guest_that_is_loaded_in_place_does_the_same_again)
{
	for (int at = 0; at < GUEST_LIFE_STEPS; at++) {
		guest_start(&guest, AXVCPU_MODE_64, PROGRAM(life));
		for (int step = 0; step < at; step++)
			guest_expect_life_step(&guest, step);
		save(&guest);
		for (int round = 0; round < 3; round++) {
			for (int step = at; step < GUEST_LIFE_STEPS; step++)
				guest_expect_life_step(&guest, step);
			load(&guest);
		}
		guest_end(&guest);
	}
}
END_TEST

START_TEST(a_guest_moves_to_another_vm_at_each_exit)
{
	guest_start(&guest, AXVCPU_MODE_64, PROGRAM(life));
	for (int step = 0; step < GUEST_LIFE_STEPS; step++) {
		guest_expect_life_step(&guest, step);
		if (step == GUEST_LIFE_STEPS - 1)
			break;
		guest_start(&other, AXVCPU_MODE_64, PROGRAM(life));
		save(&guest);
		copy_clock(&other, &guest, AXVM_TIME_FREEZE);
		load(&other);
		copy_memory(&other, &guest);
		guest_end(&guest);
		guest = other;
	}
	guest_end(&guest);
}
END_TEST

START_TEST(an_exit_that_is_open_has_no_effect_after_a_load)
{
	uint64_t pc;

	guest_start(&guest, AXVCPU_MODE_64, PROGRAM(life));
	save(&guest);
	pc = guest_reg(&guest, AXVCPU_REG_PC);
	guest_expect_life_step(&guest, 0);
	guest_expect_read(&guest, GUEST_MMIO);
	/* It has no answer yet. */
	ck_fails(axvcpu_save(guest.vcpu, again, sizeof(again)), EBADFD);
	load(&guest);
	ck_assert_uint_eq(guest_reg(&guest, AXVCPU_REG_PC), pc);
	for (int step = 0; step < GUEST_LIFE_STEPS; step++)
		guest_expect_life_step(&guest, step);
	guest_end(&guest);
}
END_TEST

/* --- registers ---------------------------------------------------------------------------------- */

static struct guest_registers values;

/* Values in general and vector registers that differ from those of a setup. */
static void fill_registers(void)
{
	unsigned char bytes[sizeof(values.regs[0].value)];
	const size_t len = axvcpu_reg_size(GUEST_VECTOR(0));

	ck_ok(axvcpu_set_reg(guest.vcpu, GUEST_ARG_REG, UINT64_C(0x123456789abcdef0)));
	for (unsigned int i = 0; i < 8; i++) {
		memset(bytes, (int)(0x10 + i), sizeof(bytes));
		ck_ok(axvcpu_set_reg_bytes(guest.vcpu, GUEST_VECTOR(i), bytes, len));
	}
}

START_TEST(all_named_registers_are_part_of_the_state)
{
	guest_start(&guest, AXVCPU_MODE_64, PROGRAM(spin));
	fill_registers();
	guest_read_registers(&guest, &values);
	save(&guest);
	/* In place, after a reset. */
	ck_ok(axvcpu_reset(guest.vcpu, GUEST_CODE, 0));
	load(&guest);
	guest_expect_registers(&guest, &values);
	/* In another VM. */
	guest_start(&other, AXVCPU_MODE_64, PROGRAM(spin));
	load(&other);
	guest_expect_registers(&other, &values);
	guest_end(&other);
	guest_end(&guest);
}
END_TEST

/* Whether a section has the same content each time, if the vCPU does not run. */
static bool is_still(const char *name)
{
	/* Time passes: MSRs and registers of clocks and timers change by themselves. */
	return strcmp(name, "msrs") && strcmp(name, "lapic") && strcmp(name, "regs");
}

START_TEST(a_loaded_vcpu_is_saved_as_the_same_state)
{
	struct axvcpu_saved_section a, b;

	guest_start(&guest, AXVCPU_MODE_64, PROGRAM(life));
	fill_registers();
	save(&guest);
	load(&guest);
	ck_assert_uint_eq(save_to(&guest, again), size);
	for (unsigned int n = 0; !axvcpu_saved_get_section(state, size, n, &a); n++) {
		ck_ok(axvcpu_saved_get_section(again, size, n, &b));
		ck_assert_str_eq(a.name, b.name);
		ck_assert_uint_eq(a.len, b.len);
		ck_assert_msg(!is_still(a.name) || !memcmp(a.data, b.data, a.len),
			      "section %s has changed", a.name);
	}
	guest_end(&guest);
}
END_TEST

/* --- power and terminal exits ------------------------------------------------------------------- */

START_TEST(a_vcpu_after_its_last_exit_is_loaded_as_such)
{
	guest_start(&guest, AXVCPU_MODE_64, PROGRAM(last));
	save(&guest);
	guest_expect(&guest, GUEST_LAST_EXIT);
	ck_assert_uint_eq(save_to(&guest, again), size);
	load(&guest);
	guest_expect(&guest, GUEST_LAST_EXIT);
	load(&guest);
	ck_ok(axvcpu_load(guest.vcpu, again, size, NULL));
	ck_fails_saying(axvcpu_run(guest.vcpu, &guest.exit), EBADFD, "terminal");
	guest_end(&guest);
}
END_TEST

/* --- lines --------------------------------------------------------------------------------------- */

#define SIP_SEIP (UINT64_C(1) << 9)

static void expect_same_library(void)
{
	struct axvcpu_saved_section a, b;

	for (unsigned int n = 0; !axvcpu_saved_get_section(state, size, n, &a); n++) {
		ck_ok(axvcpu_saved_get_section(again, size, n, &b));
		if (!strcmp(a.name, "library"))
			ck_assert_mem_eq(a.data, b.data, a.len);
	}
}

START_TEST(a_raised_line_is_part_of_the_state)
{
	uint64_t sip;
	int ret;

	guest_start(&guest, AXVCPU_MODE_64, PROGRAM(life));
	ret = axvcpu_set_irq_line(guest.vcpu, 0, true);
	if (ret == -ENOTSUP) {
		suite_skip("a vCPU of this architecture has no lines");
		guest_end(&guest);
		return;
	}
	ck_ok(ret);
	save(&guest);
	ck_ok(axvcpu_set_irq_line(guest.vcpu, 0, false));
	load(&guest);
	ck_assert_uint_eq(save_to(&guest, again), size);
	expect_same_library();
	/* On riscv64 it is a bit of sip. */
	if (!axvcpu_get_reg(guest.vcpu, AXVCPU_REG_RISCV64_SIP, &sip))
		ck_assert_uint_ne(sip & SIP_SEIP, 0);
	/* Lowered, it stays so. */
	ck_ok(axvcpu_set_irq_line(guest.vcpu, 0, false));
	save(&guest);
	ck_ok(axvcpu_set_irq_line(guest.vcpu, 0, true));
	load(&guest);
	ck_assert_uint_eq(save_to(&guest, again), size);
	expect_same_library();
	if (!axvcpu_get_reg(guest.vcpu, AXVCPU_REG_RISCV64_SIP, &sip))
		ck_assert_uint_eq(sip & SIP_SEIP, 0);
	guest_end(&guest);
}
END_TEST

/* --- hostile states ----------------------------------------------------------------------------- */

START_TEST(a_damaged_state_is_refused_or_undone_by_a_good_one)
{
	const unsigned int rounds = 20 + suite_scale(20000);
	uint32_t seed = 1;

	guest_start(&guest, AXVCPU_MODE_64, PROGRAM(life));
	save(&guest);
	ck_ok(axvm_read(guest.vm, GUEST_BASE, memory, sizeof(memory)));
	for (unsigned int round = 0; round < rounds; round++) {
		int ret;

		memcpy(again, state, size);
		suite_flip_bits(&seed, again, size);
		ret = axvcpu_load(guest.vcpu, again, size, NULL);
		ck_assert_msg(axvcpu_state(guest.vcpu) == AXVCPU_READY, "round %u: %d, %s", round,
			      ret, axvcpu_last_error());
		load(&guest);
	}
	/* KVM writes to addresses in some registers, which were damaged, too. */
	ck_ok(axvm_write(guest.vm, GUEST_BASE, memory, sizeof(memory)));
	for (int step = 0; step < GUEST_LIFE_STEPS; step++)
		guest_expect_life_step(&guest, step);
	guest_end(&guest);
}
END_TEST

/* --- clocks ------------------------------------------------------------------------------------- */

static struct axvm_clock read_clock(struct guest *of)
{
	struct axvm_clock clock = AXVM_CLOCK_INIT;

	ck_ok(axvm_get_clock(of->vm, &clock));
	ck_assert_uint_gt(clock.counter_hz, 0);
	ck_assert_int_gt(clock.realtime_ns, 0);
	return clock;
}

/* Far longer than a test may take, and than one another clock. */
#define HOUR_NS INT64_C(3600000000000)

static uint64_t hours(const struct axvm_clock *clock, uint64_t n)
{
	return clock->counter_hz * 3600 * n;
}

/* The counter is that value or up to half an hour later. */
static void expect_counter(struct guest *of, const struct axvm_clock *clock, uint64_t value)
{
	const struct axvm_clock now = read_clock(of);

	ck_assert_msg(now.counter - value < hours(clock, 1) / 2, "the counter is %ju, not %ju",
		      (uintmax_t)now.counter, (uintmax_t)value);
}

START_TEST(the_clock_moves_as_the_policy_says)
{
	struct axvm_clock clock;
	int ret;

	guest_start(&guest, AXVCPU_MODE_64, PROGRAM(life));
	clock = read_clock(&guest);
	/* As if saved two hours ago, ten hours after the start of the VM. */
	clock.counter += hours(&clock, 10);
	clock.realtime_ns -= 2 * HOUR_NS;
	ret = axvm_set_clock(guest.vm, &clock, AXVM_TIME_FREEZE);
	if (ret == -ENOTSUP) {
		suite_skip(axvcpu_last_error());
		guest_end(&guest);
		return;
	}
	ck_ok(ret);
	expect_counter(&guest, &clock, clock.counter);
	ck_ok(axvm_set_clock(guest.vm, &clock, AXVM_TIME_CATCH_UP));
	expect_counter(&guest, &clock, clock.counter + hours(&clock, 2));
	ck_ok(axvm_set_clock(guest.vm, &clock, AXVM_TIME_KEEP));
	expect_counter(&guest, &clock, clock.counter + hours(&clock, 2));
	/* Backwards, too. */
	ck_ok(axvm_set_clock(guest.vm, &clock, AXVM_TIME_FREEZE));
	expect_counter(&guest, &clock, clock.counter);
	for (int step = 0; step < GUEST_LIFE_STEPS; step++)
		guest_expect_life_step(&guest, step);
	guest_end(&guest);
}
END_TEST

START_TEST(a_load_after_the_clock_keeps_it)
{
	struct axvm_clock clock;
	int ret;

	guest_start(&guest, AXVCPU_MODE_64, PROGRAM(life));
	clock = read_clock(&guest);
	save(&guest);
	clock.realtime_ns -= 2 * HOUR_NS;
	ret = axvm_set_clock(guest.vm, &clock, AXVM_TIME_CATCH_UP);
	if (ret == -ENOTSUP) {
		suite_skip(axvcpu_last_error());
		guest_end(&guest);
		return;
	}
	ck_ok(ret);
	load(&guest);
	expect_counter(&guest, &clock, clock.counter + hours(&clock, 2));
	guest_end(&guest);
}
END_TEST

START_TEST(another_frequency_is_refused)
{
	struct axvm_clock clock;

	guest_start(&guest, AXVCPU_MODE_64, PROGRAM(life));
	clock = read_clock(&guest);
	if (!GUEST_HAS_TSC_CONTROL(guest.vm)) {
		clock.counter_hz += 1000000;
		ck_fails(axvm_set_clock(guest.vm, &clock, AXVM_TIME_FREEZE), ENOTSUP);
	}
	guest_end(&guest);
}
END_TEST

static void add_tests(Suite *suite)
{
	TCase *guests = suite_case(suite, "guests");
	TCase *registers = suite_case(suite, "registers");
	TCase *hostile = suite_case(suite, "hostile");
	TCase *clocks = suite_case(suite, "clocks");

	tcase_add_test(guests, a_guest_that_is_loaded_in_place_does_the_same_again);
	tcase_add_test(guests, a_guest_moves_to_another_vm_at_each_exit);
	tcase_add_test(guests, an_exit_that_is_open_has_no_effect_after_a_load);
	tcase_add_test(guests, a_vcpu_after_its_last_exit_is_loaded_as_such);
	tcase_add_test(registers, all_named_registers_are_part_of_the_state);
	tcase_add_test(registers, a_loaded_vcpu_is_saved_as_the_same_state);
	tcase_add_test(registers, a_raised_line_is_part_of_the_state);
	tcase_add_test(hostile, a_damaged_state_is_refused_or_undone_by_a_good_one);
	tcase_add_test(clocks, the_clock_moves_as_the_policy_says);
	tcase_add_test(clocks, a_load_after_the_clock_keeps_it);
	tcase_add_test(clocks, another_frequency_is_refused);
}

int main(void)
{
	return suite_main("vcpu state", true, add_tests);
}
