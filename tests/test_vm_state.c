/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * Saved states of VMs, on the mock: which are refused before anything changes, what is undone, and
 * which vCPUs are in the way. The format itself: test_saved.c. Needs no KVM.
 */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "mock.h"
#include "suite.h"

static struct axvm *vm;
static struct axvcpu *vcpus[2];

#define ROOM 4096
static unsigned char state[ROOM];
static size_t size;

static struct axvm *new_vm(const struct axvcpu_arch_ops *ops, uint32_t irqchip)
{
	struct axvm_config config = AXVM_CONFIG_INIT;
	struct axvm *made;

	config.arch = ops;
	config.max_vcpus = 2;
	config.irqchip = irqchip;
	ck_ok(axvm_new(&config, &made));
	return made;
}

static struct axvcpu *new_vcpu(struct axvm *of, uint32_t id)
{
	struct axvcpu_config config = AXVCPU_CONFIG_INIT;
	struct axvcpu *made;

	config.id = id;
	ck_ok(axvcpu_new(of, &config, &made));
	return made;
}

/* A VM with a vCPU that is Free, and one that is Created. */
static void start(void)
{
	const struct axvcpu_setup_config setup = AXVCPU_SETUP_CONFIG_INIT;

	mock_reset();
	vm = new_vm(&mock_ops, AXVM_IRQCHIP_KERNEL);
	for (uint32_t id = 0; id < 2; id++)
		vcpus[id] = new_vcpu(vm, id);
	ck_ok(axvcpu_setup(vcpus[0], 0, 0, &setup));
	for (unsigned int i = 0; i < 32; i++)
		mock.pins[i] = 100 + i;
}

static void end(void)
{
	for (uint32_t id = 0; id < 2; id++)
		ck_ok(axvcpu_free(vcpus[id]));
	ck_ok(axvm_free(vm));
}

static void save(void)
{
	int ret = axvm_save(vm, state, sizeof(state));

	ck_ok(ret);
	size = (size_t)ret;
	ck_assert_uint_le(size, sizeof(state));
}

static int load(void)
{
	return axvm_load(vm, state, size, NULL);
}

static void change_pins(void)
{
	for (unsigned int i = 0; i < 32; i++)
		mock.pins[i] = 900 + i;
}

/* The number of bits in which the pins differ from those that were saved. */
static unsigned int changed_bits(void)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < 32; i++)
		for (uint64_t bits = mock.pins[i] ^ (100 + i); bits; bits &= bits - 1)
			n++;
	return n;
}

static void expect_pins(uint64_t first)
{
	for (unsigned int i = 0; i < 32; i++)
		ck_assert_uint_eq(mock.pins[i], first + i);
}

/* --- saving and loading ------------------------------------------------------------------------- */

START_TEST(a_loaded_vm_has_the_saved_state)
{
	struct axvm *other;

	start();
	save();
	change_pins();
	ck_ok(load());
	expect_pins(100);
	ck_assert_int_eq(axvcpu_state(vcpus[0]), AXVCPU_FREE);
	/* And so has another one of the same shape. */
	other = new_vm(&mock_ops, AXVM_IRQCHIP_KERNEL);
	for (uint32_t id = 0; id < 2; id++)
		new_vcpu(other, id);
	change_pins();
	ck_ok(axvm_load(other, state, size, NULL));
	expect_pins(100);
	for (uint32_t id = 0; id < 2; id++)
		ck_ok(axvcpu_free(axvm_vcpu(other, id)));
	ck_ok(axvm_free(other));
	end();
}
END_TEST

START_TEST(a_size_of_zero_asks_for_the_size)
{
	start();
	save();
	ck_assert_int_eq(axvm_save(vm, NULL, 0), (int)size);
	memset(state, 0xee, sizeof(state));
	for (size_t room = 0; room < size; room++) {
		ck_assert_int_eq(axvm_save(vm, state, room), (int)size);
		ck_assert_uint_eq(state[room], 0xee);
	}
	end();
}
END_TEST

START_TEST(a_failing_save_is_reported)
{
	start();
	mock.ret[MOCK_VM_SAVE] = -EIO;
	ck_assert_int_eq(axvm_save(vm, state, sizeof(state)), -EIO);
	end();
}
END_TEST

START_TEST(a_failing_load_changes_nothing)
{
	start();
	save();
	change_pins();
	mock.half_loads = 1;
	ck_fails(load(), EIO);
	expect_pins(900);
	ck_assert_int_eq(axvcpu_state(vcpus[0]), AXVCPU_FREE);
	ck_assert_int_eq(axvcpu_state(vcpus[1]), AXVCPU_CREATED);
	ck_ok(load());
	expect_pins(100);
	end();
}
END_TEST

START_TEST(a_load_that_cannot_be_undone_makes_all_vcpus_invalid)
{
	struct axvcpu_load_config config = AXVCPU_LOAD_CONFIG_INIT;

	for (int way = 0; way < 2; way++) {
		start();
		save();
		/* The state before is loaded again, and that fails, too; or there is none. */
		mock.half_loads = way ? 1 : 2;
		config.flags = way ? AXVCPU_LOAD_NO_ROLLBACK : 0;
		ck_fails_saying(axvm_load(vm, state, size, &config), EIO, "the vCPUs are Invalid");
		for (uint32_t id = 0; id < 2; id++)
			ck_assert_int_eq(axvcpu_state(vcpus[id]), AXVCPU_INVALID);
		end();
	}
}
END_TEST

static int refuse_or_not(void *ctx, struct axvcpu *vcpu, const struct axvcpu_refusal *refusal)
{
	ck_assert_ptr_null(vcpu);
	ck_assert_str_eq(refusal->section, "mock");
	ck_assert_uint_eq(refusal->id, 31);
	return *(const int *)ctx;
}

START_TEST(the_caller_decides_about_a_refused_part)
{
	struct axvcpu_load_config config = AXVCPU_LOAD_CONFIG_INIT;
	int answer = 0;

	start();
	save();
	change_pins();
	mock.refuses = true;
	config.refused = refuse_or_not;
	config.ctx = &answer;
	ck_ok(axvm_load(vm, state, size, &config));
	expect_pins(100);
	config.flags = AXVCPU_LOAD_NO_ROLLBACK;
	answer = -EACCES;
	ck_fails_saying(axvm_load(vm, state, size, &config), EACCES, "register 31");
	end();
}
END_TEST

/* --- states that are refused -------------------------------------------------------------------- */

START_TEST(only_a_state_of_a_vm_of_this_shape_is_loaded)
{
	struct axvcpu_load_config config = AXVCPU_LOAD_CONFIG_INIT;
	unsigned char vcpu_state[ROOM];
	struct axvm *other;
	int len;

	start();
	save();
	other = new_vm(&mock_ops, AXVM_IRQCHIP_KERNEL);
	ck_fails_saying(axvm_load(other, state, size, NULL), EINVAL, "2 vCPUs");
	ck_ok(axvm_free(other));
	other = new_vm(&mock_ops, AXVM_IRQCHIP_NONE);
	for (uint32_t id = 0; id < 2; id++)
		new_vcpu(other, id);
	ck_fails_saying(axvm_load(other, state, size, NULL), EINVAL, "irqchip");
	for (uint32_t id = 0; id < 2; id++)
		ck_ok(axvcpu_free(axvm_vcpu(other, id)));
	ck_ok(axvm_free(other));
	/* The state of a vCPU is not that of a VM, and the other way round. */
	len = axvcpu_save(vcpus[0], vcpu_state, sizeof(vcpu_state));
	ck_ok(len);
	ck_fails_saying(axvm_load(vm, vcpu_state, (size_t)len, NULL), EINVAL, "axvm");
	ck_fails_saying(axvcpu_load(vcpus[0], state, size, NULL), EINVAL, "axvcpu");
	/* The name of the architecture is at byte 16. */
	state[16] = 'x';
	ck_fails_saying(load(), EINVAL, "xock");
	state[16] = 'm';
	config.flags = 0x80;
	ck_fails_saying(axvm_load(vm, state, size, &config), EINVAL, "0x80");
	ck_fails(axvm_load(vm, NULL, 0, NULL), EINVAL);
	/* The backend was not asked. */
	ck_assert_uint_eq(mock.calls[MOCK_VM_LOAD], 0);
	ck_ok(load());
	end();
}
END_TEST

START_TEST(an_unknown_section_is_refused_unless_it_is_optional)
{
	start();
	mock.extra_section = "news";
	save();
	change_pins();
	ck_fails_saying(load(), ENOTSUP, "news");
	expect_pins(900);
	mock.extra_flags = AXVCPU_SECTION_OPTIONAL;
	save();
	ck_ok(load());
	end();
}
END_TEST

START_TEST(a_truncated_state_is_refused)
{
	start();
	save();
	change_pins();
	for (size_t len = 0; len < size; len++) {
		/* Of that size: a read beyond it is found by sanitizers. */
		unsigned char *copy = malloc(len ? len : 1);

		ck_assert_ptr_nonnull(copy);
		memcpy(copy, state, len);
		ck_fails(axvm_load(vm, copy, len, NULL), EINVAL);
		/* And with a header that claims the size. */
		if (len >= 32) {
			const uint32_t claimed = (uint32_t)len;

			memcpy(copy + 12, &claimed, sizeof(claimed));
			ck_assert_int_lt(axvm_load(vm, copy, len, NULL), 0);
		}
		free(copy);
	}
	expect_pins(900);
	end();
}
END_TEST

START_TEST(a_flipped_bit_is_refused_or_is_a_value)
{
	start();
	save();
	for (size_t bit = 0; bit < 8 * size; bit++) {
		change_pins();
		state[bit / 8] ^= (unsigned char)(1u << bit % 8);
		if (load())
			expect_pins(900);
		else
			ck_assert_uint_le(changed_bits(), 1);
		ck_assert_int_eq(axvcpu_state(vcpus[0]), AXVCPU_FREE);
		state[bit / 8] ^= (unsigned char)(1u << bit % 8);
	}
	ck_ok(load());
	expect_pins(100);
	end();
}
END_TEST

/* --- when --------------------------------------------------------------------------------------- */

static void *bind_and_run(void *arg)
{
	struct axvcpu_exit exit;

	ck_ok(axvcpu_bind(vcpus[0]));
	ck_ok(axvcpu_run(vcpus[0], &exit));
	ck_ok(axvcpu_unbind(vcpus[0]));
	return arg;
}

static void expect_busy(void)
{
	ck_fails_saying(axvm_save(vm, state, sizeof(state)), EBUSY, "vCPU 0");
	ck_fails_saying(load(), EBUSY, "vCPU 0");
	expect_pins(900);
}

START_TEST(a_vcpu_that_runs_is_in_the_way_unless_it_is_paused)
{
	pthread_t owner;

	start();
	save();
	change_pins();
	/* Its owner is this thread, which does not run it now. */
	ck_ok(axvcpu_bind(vcpus[0]));
	ck_ok(axvm_save(vm, NULL, 0));
	ck_ok(axvcpu_unbind(vcpus[0]));
	mock.spin = true;
	ck_assert_int_eq(pthread_create(&owner, NULL, bind_and_run, NULL), 0);
	while (!atomic_load(&mock.inside))
		sched_yield();
	expect_busy();
	ck_ok(axvcpu_pause(vcpus[0], -1));
	ck_ok(load());
	expect_pins(100);
	ck_ok(axvcpu_resume(vcpus[0]));
	ck_ok(axvcpu_kick(vcpus[0]));
	pthread_join(owner, NULL);
	end();
}
END_TEST

START_TEST(a_backend_without_the_operations_is_named)
{
	struct axvcpu_arch_ops ops = mock_ops;

	mock_reset();
	/* As an older table, which ends before these entries. */
	ops.size = offsetof(struct axvcpu_arch_ops, vm_save);
	vm = new_vm(&ops, AXVM_IRQCHIP_NONE);
	ck_fails_saying(axvm_save(vm, state, sizeof(state)), ENOTSUP,
			"vm_save: not supported by the mock");
	ck_fails_saying(load(), ENOTSUP, "vm_load: not supported by the mock");
	ck_ok(axvm_free(vm));
	/* Without `vm_save`, a failing load could not be undone. */
	ops.size = sizeof(ops);
	ops.vm_save = NULL;
	vm = new_vm(&ops, AXVM_IRQCHIP_NONE);
	ck_fails_saying(load(), ENOTSUP, "vm_load");
	ck_ok(axvm_free(vm));
}
END_TEST

static void add_tests(Suite *suite)
{
	TCase *states = suite_case(suite, "states");
	TCase *refused = suite_case(suite, "refused");
	TCase *when = suite_case(suite, "when");

	tcase_add_test(states, a_loaded_vm_has_the_saved_state);
	tcase_add_test(states, a_size_of_zero_asks_for_the_size);
	tcase_add_test(states, a_failing_save_is_reported);
	tcase_add_test(states, a_failing_load_changes_nothing);
	tcase_add_test(states, a_load_that_cannot_be_undone_makes_all_vcpus_invalid);
	tcase_add_test(states, the_caller_decides_about_a_refused_part);
	tcase_add_test(refused, only_a_state_of_a_vm_of_this_shape_is_loaded);
	tcase_add_test(refused, an_unknown_section_is_refused_unless_it_is_optional);
	tcase_add_test(refused, a_truncated_state_is_refused);
	tcase_add_test(refused, a_flipped_bit_is_refused_or_is_a_value);
	tcase_add_test(when, a_vcpu_that_runs_is_in_the_way_unless_it_is_paused);
	tcase_add_test(when, a_backend_without_the_operations_is_named);
}

int main(void)
{
	return suite_main("VM state", false, add_tests);
}
