/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * Saved states and clocks, on the mock: the format, damaged bytes, which states are loaded, what is
 * undone, and the time policies. Needs no KVM.
 */
#include <errno.h>
#include <stdlib.h>

#include "mock.h"
#include "suite.h"

static struct axvm *vm;
static struct axvcpu *vcpu;

#define ROOM 4096
static unsigned char state[ROOM];
static size_t size;

static void start(void)
{
	const struct axvcpu_setup_config setup = AXVCPU_SETUP_CONFIG_INIT;

	mock_start(&vm, &vcpu, 0);
	ck_ok(axvcpu_setup(vcpu, 0, 0, &setup));
	for (unsigned int i = 0; i < 32; i++)
		mock.regs[i] = 100 + i;
}

static void end(void)
{
	ck_ok(axvcpu_free(vcpu));
	ck_ok(axvm_free(vm));
}

static void save(void)
{
	int ret = axvcpu_save(vcpu, state, sizeof(state));

	ck_ok(ret);
	size = (size_t)ret;
	ck_assert_uint_le(size, sizeof(state));
}

static int load(void)
{
	return axvcpu_load(vcpu, state, size, NULL);
}

static void change_registers(void)
{
	for (unsigned int i = 0; i < 32; i++)
		mock.regs[i] = 900 + i;
}

static void expect_registers(uint64_t first)
{
	for (unsigned int i = 0; i < 32; i++)
		ck_assert_uint_eq(mock.regs[i], first + i);
}

/* --- saving and loading ------------------------------------------------------------------------- */

START_TEST(a_loaded_vcpu_has_the_saved_state)
{
	start();
	save();
	change_registers();
	ck_ok(load());
	expect_registers(100);
	ck_assert_int_eq(axvcpu_state(vcpu), AXVCPU_FREE);
	ck_assert(mock.current_right);
	end();
}
END_TEST

START_TEST(a_size_of_zero_asks_for_the_size)
{
	start();
	save();
	ck_assert_int_eq(axvcpu_save(vcpu, NULL, 0), (int)size);
	memset(state, 0xee, sizeof(state));
	/* Nothing is written behind the buffer. */
	for (size_t room = 0; room < size; room++) {
		ck_assert_int_eq(axvcpu_save(vcpu, state, room), (int)size);
		ck_assert_uint_eq(state[room], 0xee);
	}
	end();
}
END_TEST

START_TEST(an_exit_without_an_answer_is_not_lost)
{
	struct axvcpu_exit exit;

	start();
	ck_ok(axvcpu_bind(vcpu));
	mock.exit = (struct axvcpu_exit){ .kind = AXVCPU_EXIT_MMIO_READ, .answerable = 1 };
	ck_ok(axvcpu_run(vcpu, &exit));
	ck_fails_saying(axvcpu_save(vcpu, state, sizeof(state)), EBADFD, "axvcpu_complete()");
	ck_ok(axvcpu_complete_value(vcpu, 1));
	save();
	ck_ok(axvcpu_unbind(vcpu));
	end();
}
END_TEST

START_TEST(power_and_a_terminal_exit_are_part_of_the_state)
{
	struct axvcpu_exit exit;
	unsigned char before[ROOM];
	int len;

	start();
	ck_ok(axvcpu_bind(vcpu));
	len = axvcpu_save(vcpu, before, sizeof(before));
	ck_ok(len);
	mock.exit = (struct axvcpu_exit){ .kind = AXVCPU_EXIT_SHUTDOWN };
	ck_ok(axvcpu_run(vcpu, &exit));
	save();
	ck_ok(axvcpu_load(vcpu, before, (size_t)len, NULL));
	mock.exit.kind = AXVCPU_EXIT_HALT;
	ck_ok(axvcpu_run(vcpu, &exit));
	ck_ok(load());
	ck_fails_saying(axvcpu_run(vcpu, &exit), EBADFD, "terminal");
	ck_ok(axvcpu_load(vcpu, before, (size_t)len, NULL));
	ck_ok(axvcpu_stop(vcpu));
	save();
	ck_ok(axvcpu_load(vcpu, before, (size_t)len, NULL));
	ck_assert_int_eq(axvcpu_power(vcpu), AXVCPU_POWER_ON);
	ck_ok(load());
	ck_assert_int_eq(axvcpu_power(vcpu), AXVCPU_POWER_OFF);
	ck_ok(axvcpu_unbind(vcpu));
	end();
}
END_TEST

START_TEST(a_failing_load_changes_nothing)
{
	start();
	save();
	change_registers();
	mock.half_loads = 1;
	ck_fails(load(), EIO);
	expect_registers(900);
	ck_assert_int_eq(axvcpu_state(vcpu), AXVCPU_FREE);
	ck_ok(load());
	expect_registers(100);
	end();
}
END_TEST

START_TEST(a_load_that_cannot_be_undone_makes_the_vcpu_invalid)
{
	struct axvcpu_load_config config = AXVCPU_LOAD_CONFIG_INIT;

	start();
	save();
	mock.half_loads = 2;
	ck_fails_saying(load(), EIO, "the vCPU is Invalid");
	ck_assert_int_eq(axvcpu_state(vcpu), AXVCPU_INVALID);
	end();
	start();
	save();
	config.flags = AXVCPU_LOAD_NO_ROLLBACK;
	mock.half_loads = 1;
	ck_fails_saying(axvcpu_load(vcpu, state, size, &config), EIO, "the vCPU is Invalid");
	ck_assert_int_eq(axvcpu_state(vcpu), AXVCPU_INVALID);
	end();
}
END_TEST

START_TEST(the_backend_learns_which_parts_stay)
{
	struct axvcpu_load_config config = AXVCPU_LOAD_CONFIG_INIT;

	start();
	save();
	ck_ok(load());
	ck_assert_uint_eq(mock.parts, AXVCPU_PARTS);
	config.without = AXVCPU_PART_SYSTEM | AXVCPU_PART_EVENTS;
	ck_ok(axvcpu_load(vcpu, state, size, &config));
	ck_assert_uint_eq(mock.parts, AXVCPU_PARTS & ~config.without);
	config.without = AXVCPU_PARTS + 1;
	ck_fails_saying(axvcpu_load(vcpu, state, size, &config), EINVAL, "0x20");
	/* A load that is undone loads all parts of the former state. */
	config.without = AXVCPU_PARTS;
	mock.half_loads = 1;
	ck_fails(axvcpu_load(vcpu, state, size, &config), EIO);
	ck_assert_uint_eq(mock.parts, AXVCPU_PARTS);
	expect_registers(100);
	end();
}
END_TEST

START_TEST(bytes_of_the_caller_are_checked_by_each_load)
{
	start();
	save();
	mock.prepares = true;
	for (unsigned int i = 0; i < 3; i++) {
		change_registers();
		ck_ok(load());
		expect_registers(100);
	}
	ck_assert_uint_eq(mock.prepared_loads, 0);
	end();
}
END_TEST

static int refuse_or_not(void *ctx, struct axvcpu *of, const struct axvcpu_refusal *refusal)
{
	ck_assert_ptr_eq(of, vcpu);
	ck_assert_str_eq(refusal->section, "mock");
	ck_assert_uint_eq(refusal->id, 31);
	ck_assert_int_eq(refusal->error, -ENOENT);
	ck_assert_str_eq(refusal->message, "register 31");
	return *(const int *)ctx;
}

START_TEST(the_caller_decides_about_a_refused_part)
{
	struct axvcpu_load_config config = AXVCPU_LOAD_CONFIG_INIT;
	int answer = 0;

	start();
	save();
	change_registers();
	mock.refuses = true;
	config.refused = refuse_or_not;
	config.ctx = &answer;
	ck_ok(axvcpu_load(vcpu, state, size, &config));
	expect_registers(100);
	/* The present state, which is loaded again, has that part, too. */
	config.flags = AXVCPU_LOAD_NO_ROLLBACK;
	answer = -EACCES;
	ck_fails_saying(axvcpu_load(vcpu, state, size, &config), EACCES, "register 31");
	end();
}
END_TEST

START_TEST(only_a_state_of_this_vcpu_is_loaded)
{
	struct axvcpu_load_config config = AXVCPU_LOAD_CONFIG_INIT;
	struct axvcpu_config second = AXVCPU_CONFIG_INIT;
	const struct axvcpu_setup_config setup = AXVCPU_SETUP_CONFIG_INIT;
	struct axvm_config vm_config = AXVM_CONFIG_INIT;
	struct axvcpu *other;

	mock_reset();
	vm_config.arch = &mock_ops;
	vm_config.max_vcpus = 2;
	ck_ok(axvm_new(&vm_config, &vm));
	ck_ok(axvcpu_new(vm, NULL, &vcpu));
	second.id = 1;
	ck_ok(axvcpu_new(vm, &second, &other));
	ck_ok(axvcpu_setup(vcpu, 0, 0, &setup));
	ck_fails(axvcpu_load(other, state, 0, NULL), EINVAL);
	ck_ok(axvcpu_setup(other, 0, 0, &setup));
	save();
	ck_fails_saying(axvcpu_load(other, state, size, NULL), EINVAL, "vCPU 0");
	/* The name of the architecture is at byte 16. */
	state[16] = 'x';
	ck_fails_saying(load(), EINVAL, "xock");
	state[16] = 'm';
	config.flags = 0x80;
	ck_fails_saying(axvcpu_load(vcpu, state, size, &config), EINVAL, "0x80");
	ck_ok(load());
	ck_ok(axvcpu_free(other));
	end();
}
END_TEST

START_TEST(an_unknown_section_is_refused_unless_it_is_optional)
{
	start();
	mock.extra_section = "news";
	save();
	change_registers();
	ck_fails_saying(load(), ENOTSUP, "news");
	expect_registers(900);
	mock.extra_flags = AXVCPU_SECTION_OPTIONAL;
	save();
	change_registers();
	ck_ok(load());
	expect_registers(900);
	end();
}
END_TEST

/* --- the format --------------------------------------------------------------------------------- */

START_TEST(the_sections_can_be_listed)
{
	struct axvcpu_saved_section section;
	char arch[AXVCPU_SAVED_NAME];

	start();
	mock.extra_section = "more";
	save();
	ck_assert_int_eq(axvcpu_saved_check(state, size, arch), 4);
	ck_assert_str_eq(arch, "mock");
	ck_ok(axvcpu_saved_get_section(state, size, 0, &section));
	ck_assert_str_eq(section.name, "axvcpu");
	ck_ok(axvcpu_saved_get_section(state, size, 1, &section));
	ck_assert_str_eq(section.name, "axvcpu-setup");
	ck_assert_uint_eq(section.flags, AXVCPU_SECTION_OPTIONAL);
	ck_ok(axvcpu_saved_get_section(state, size, 2, &section));
	ck_assert_str_eq(section.name, "mock");
	ck_assert_uint_eq(section.len, sizeof(mock.regs));
	ck_assert_mem_eq(section.data, mock.regs, section.len);
	ck_ok(axvcpu_saved_get_section(state, size, 3, &section));
	ck_assert_str_eq(section.name, "more");
	ck_assert_uint_eq(section.len, 3);
	ck_assert_mem_eq(section.data, "abc", 3);
	ck_assert_int_eq(axvcpu_saved_get_section(state, size, 4, &section), -ENOENT);
	end();
}
END_TEST

START_TEST(a_name_that_is_not_valid_or_not_unique_is_refused)
{
	static const char *const names[] = { "", "Upper", "with space", "sixteen-bytes-xx" };

	start();
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		mock.extra_section = names[i];
		ck_fails_saying(axvcpu_save(vcpu, state, sizeof(state)), EINVAL, "section");
	}
	mock.extra_section = "mock";
	save();
	ck_fails_saying(load(), EINVAL, "two sections");
	end();
}
END_TEST

START_TEST(a_truncated_state_is_refused)
{
	start();
	save();
	for (size_t len = 0; len < size; len++) {
		/* Of that size: a read beyond it is found by sanitizers. */
		unsigned char *copy = malloc(len ? len : 1);

		ck_assert_ptr_nonnull(copy);
		memcpy(copy, state, len);
		ck_fails(axvcpu_load(vcpu, copy, len, NULL), EINVAL);
		/* And with a header that claims the size. */
		if (len >= 32) {
			const uint32_t claimed = (uint32_t)len;

			memcpy(copy + 12, &claimed, sizeof(claimed));
			ck_assert_int_lt(axvcpu_load(vcpu, copy, len, NULL), 0);
		}
		free(copy);
	}
	expect_registers(100);
	end();
}
END_TEST

START_TEST(a_flipped_bit_is_refused_or_is_a_value)
{
	start();
	save();
	for (size_t bit = 0; bit < 8 * size; bit++) {
		struct axvcpu_saved_section section;

		state[bit / 8] ^= (unsigned char)(1u << bit % 8);
		for (unsigned int n = 0; !axvcpu_saved_get_section(state, size, n, &section); n++) {
			const unsigned char *data = section.data;

			ck_assert(data >= state && data + section.len <= state + size);
		}
		load();
		ck_assert_int_eq(axvcpu_state(vcpu), AXVCPU_FREE);
		state[bit / 8] ^= (unsigned char)(1u << bit % 8);
	}
	ck_ok(load());
	expect_registers(100);
	end();
}
END_TEST

/* --- clocks ------------------------------------------------------------------------------------- */

#define HZ UINT64_C(1000000000)

static struct axvm_clock saved_clock(void)
{
	struct axvm_clock clock = AXVM_CLOCK_INIT;

	clock.counter = 5000;
	clock.counter_hz = HZ;
	clock.kvmclock_ns = 7000;
	clock.realtime_ns = 1000000;
	clock.flags = AXVM_CLOCK_KVMCLOCK;
	return clock;
}

START_TEST(the_clock_moves_as_the_policy_says)
{
	struct axvm_clock saved = saved_clock();
	/* Also a gap whose product with the frequency overflows; and a host clock set back. */
	static const int64_t gaps[] = { 0, 300, INT64_C(100000000000000), -500 };

	start();
	for (size_t i = 0; i < sizeof(gaps) / sizeof(gaps[0]); i++) {
		const uint64_t passed = gaps[i] > 0 ? (uint64_t)gaps[i] : 0;

		mock.clock = saved;
		mock.clock.counter = 123;
		mock.clock.realtime_ns += gaps[i];
		ck_ok(axvm_set_clock(vm, &saved, AXVM_TIME_FREEZE));
		ck_assert_uint_eq(mock.clock.counter, 5000);
		ck_assert_uint_eq(mock.target.counter, 5000);
		ck_assert_uint_eq(mock.target.kvmclock_ns, 7000);
		ck_ok(axvm_set_clock(vm, &saved, AXVM_TIME_CATCH_UP));
		ck_assert_uint_eq(mock.clock.counter, 5000 + passed);
		ck_assert_uint_eq(mock.target.kvmclock_ns, 7000 + passed);
		mock.clock.counter = 123;
		ck_ok(axvm_set_clock(vm, &saved, AXVM_TIME_KEEP));
		ck_assert(!mock.has_target);
		ck_assert_uint_eq(mock.clock.counter, 123);
	}
	end();
}
END_TEST

START_TEST(a_clock_is_refused_that_no_vm_can_have)
{
	struct axvm_clock saved = saved_clock(), clock = AXVM_CLOCK_INIT;

	start();
	mock.clock = saved;
	ck_ok(axvm_get_clock(vm, &clock));
	ck_assert_mem_eq(&clock, &saved, sizeof(clock));
	ck_fails(axvm_set_clock(vm, &saved, 3), EINVAL);
	saved.counter_hz = 0;
	ck_fails(axvm_set_clock(vm, &saved, AXVM_TIME_FREEZE), EINVAL);
	ck_fails(axvm_set_clock(vm, NULL, AXVM_TIME_FREEZE), EINVAL);
	clock.size = 0;
	ck_fails(axvm_get_clock(vm, &clock), EINVAL);
	ck_ok(axvcpu_free(vcpu));
	clock.size = sizeof(clock);
	ck_fails_saying(axvm_get_clock(vm, &clock), EBADFD, "no vCPU");
	ck_ok(axvm_free(vm));
}
END_TEST

START_TEST(a_clock_that_cannot_be_set_stays)
{
	struct axvm_clock saved = saved_clock();

	start();
	mock.clock = saved;
	mock.clock.counter = 123;
	mock.ret[MOCK_SET_CLOCK] = -EIO;
	ck_assert_int_eq(axvm_set_clock(vm, &saved, AXVM_TIME_FREEZE), -EIO);
	ck_assert_uint_eq(mock.clock.counter, 123);
	end();
}
END_TEST

static void add_tests(Suite *suite)
{
	TCase *states = suite_case(suite, "states");
	TCase *format = suite_case(suite, "format");
	TCase *clocks = suite_case(suite, "clocks");

	tcase_add_test(states, a_loaded_vcpu_has_the_saved_state);
	tcase_add_test(states, a_size_of_zero_asks_for_the_size);
	tcase_add_test(states, an_exit_without_an_answer_is_not_lost);
	tcase_add_test(states, power_and_a_terminal_exit_are_part_of_the_state);
	tcase_add_test(states, a_failing_load_changes_nothing);
	tcase_add_test(states, a_load_that_cannot_be_undone_makes_the_vcpu_invalid);
	tcase_add_test(states, the_backend_learns_which_parts_stay);
	tcase_add_test(states, bytes_of_the_caller_are_checked_by_each_load);
	tcase_add_test(states, the_caller_decides_about_a_refused_part);
	tcase_add_test(states, only_a_state_of_this_vcpu_is_loaded);
	tcase_add_test(states, an_unknown_section_is_refused_unless_it_is_optional);
	tcase_add_test(format, the_sections_can_be_listed);
	tcase_add_test(format, a_name_that_is_not_valid_or_not_unique_is_refused);
	tcase_add_test(format, a_truncated_state_is_refused);
	tcase_add_test(format, a_flipped_bit_is_refused_or_is_a_value);
	tcase_add_test(clocks, the_clock_moves_as_the_policy_says);
	tcase_add_test(clocks, a_clock_is_refused_that_no_vm_can_have);
	tcase_add_test(clocks, a_clock_that_cannot_be_set_stays);
}

int main(void)
{
	return suite_main("saved states", false, add_tests);
}
