/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * Injection into sets of vCPUs and with a trigger mode, and pulses, as a backend gets them. On the
 * mock, so without KVM; the suites of each architecture have guests.
 */
#include <errno.h>
#include <string.h>

#include "mock.h"
#include "suite.h"

#define VCPUS 70u

static struct axvm *vm;
static struct axvcpu *vcpus[VCPUS];
static struct axvcpu_arch_ops ops;

/* The calls of the backend: vCPUs by their objects, in order. */
static struct {
	const void *injected[VCPUS];
	unsigned int n;
	/* The injection that fails, from 1. */
	unsigned int fail_at;
	uint32_t vector, trigger;
	int trigger_ret;
	bool levels[4];
	unsigned int nlevels;
	int line_ret[2];
} got;

static int inject(void *arch, uint32_t vector)
{
	if (got.n + 1 == got.fail_at)
		return axvcpu_fail(vm, -EIO, "inject");
	got.injected[got.n++] = arch;
	got.vector = vector;
	return 0;
}

static int inject_with_trigger(void *arch, uint32_t vector, uint32_t trigger)
{
	(void)arch;
	got.vector = vector;
	got.trigger = trigger;
	return got.trigger_ret;
}

static int set_line(void *arch, uint32_t gsi, bool level)
{
	(void)arch;
	(void)gsi;
	if (got.line_ret[got.nlevels])
		return axvcpu_fail(vm, got.line_ret[got.nlevels], "line");
	got.levels[got.nlevels++] = level;
	return 0;
}

/* vCPUs 0, 2, 4 and so on. */
static void start(void)
{
	struct axvm_config config = AXVM_CONFIG_INIT;

	memset(&got, 0, sizeof(got));
	mock_reset();
	ops = mock_ops;
	ops.inject_interrupt = inject;
	ops.inject_with_trigger = inject_with_trigger;
	ops.vm_set_irq_line = set_line;
	config.arch = &ops;
	config.max_vcpus = VCPUS;
	ck_ok(axvm_new(&config, &vm));
	for (uint32_t id = 0; id < VCPUS; id += 2) {
		struct axvcpu_config vcpu = AXVCPU_CONFIG_INIT;

		vcpu.id = id;
		ck_ok(axvcpu_new(vm, &vcpu, &vcpus[id]));
		ck_ok(axvcpu_setup(vcpus[id], 0, 0, NULL));
	}
}

static void end(void)
{
	for (uint32_t id = 0; id < VCPUS; id += 2)
		ck_ok(axvcpu_free(vcpus[id]));
	ck_ok(axvm_free(vm));
}

/* --- sets ------------------------------------------------------------------------------------- */

START_TEST(each_vcpu_of_the_set_gets_the_interrupt)
{
	const uint64_t set[2] = { 1u << 2 | 1u << 6, 1u << 4 };

	start();
	ck_ok(axvm_inject_interrupt(vm, set, 2, 33));
	ck_assert_uint_eq(got.n, 3);
	ck_assert_uint_eq(got.vector, 33);
	ck_assert_ptr_eq(got.injected[0], axvcpu_arch(vcpus[2]));
	ck_assert_ptr_eq(got.injected[1], axvcpu_arch(vcpus[6]));
	ck_assert_ptr_eq(got.injected[2], axvcpu_arch(vcpus[68]));
	/* The first word alone, and an empty set. */
	ck_ok(axvm_inject_interrupt(vm, set, 1, 33));
	ck_assert_uint_eq(got.n, 5);
	ck_ok(axvm_inject_interrupt(vm, NULL, 0, 33));
	ck_assert_uint_eq(got.n, 5);
	end();
}
END_TEST

START_TEST(a_set_with_a_missing_vcpu_injects_nothing)
{
	const uint64_t missing[2] = { 1u << 2 | 1u << 6, 1u << 5 };
	const uint64_t beyond[3] = { 1u << 2, 0, UINT64_C(1) << 63 };

	start();
	ck_fails_saying(axvm_inject_interrupt(vm, missing, 2, 33), ENOENT, "no vCPU 69");
	ck_fails_saying(axvm_inject_interrupt(vm, beyond, 3, 33), ENOENT, "no vCPU 191");
	ck_assert_uint_eq(got.n, 0);
	end();
}
END_TEST

START_TEST(a_failure_is_of_a_named_vcpu_and_those_before_have_the_interrupt)
{
	const uint64_t set[2] = { 1u << 2 | 1u << 6, 1u << 4 };

	start();
	got.fail_at = 2;
	ck_fails_saying(axvm_inject_interrupt(vm, set, 2, 33), EIO, "vCPU 6 of the set: inject");
	ck_assert_uint_eq(got.n, 1);
	ck_assert_ptr_eq(got.injected[0], axvcpu_arch(vcpus[2]));
	end();
}
END_TEST

/* --- trigger modes ---------------------------------------------------------------------------- */

START_TEST(the_backend_gets_the_trigger_mode)
{
	struct axvcpu *created = NULL;
	struct axvcpu_config config = AXVCPU_CONFIG_INIT;

	start();
	ck_ok(axvcpu_inject_interrupt_with_trigger(vcpus[0], 40, AXVCPU_TRIGGER_LEVEL));
	ck_assert(got.vector == 40 && got.trigger == AXVCPU_TRIGGER_LEVEL);
	ck_ok(axvcpu_inject_interrupt_with_trigger(vcpus[0], 41, AXVCPU_TRIGGER_EDGE));
	ck_assert(got.vector == 41 && got.trigger == AXVCPU_TRIGGER_EDGE);
	ck_assert_uint_eq(got.n, 0);
	/* Where it is the same as an injection without a mode, that is made. */
	got.trigger_ret = -EAGAIN;
	ck_ok(axvcpu_inject_interrupt_with_trigger(vcpus[0], 42, AXVCPU_TRIGGER_EDGE));
	ck_assert(got.n == 1 && got.vector == 42);
	ck_fails_saying(axvcpu_inject_interrupt_with_trigger(vcpus[0], 42, (enum axvcpu_trigger)2),
			EINVAL, "unknown trigger 2");
	config.id = 1;
	ck_ok(axvcpu_new(vm, &config, &created));
	ck_fails(axvcpu_inject_interrupt_with_trigger(created, 42, AXVCPU_TRIGGER_EDGE), EBADFD);
	ck_ok(axvcpu_free(created));
	ops.inject_with_trigger = NULL;
	ck_fails_saying(axvcpu_inject_interrupt_with_trigger(vcpus[0], 42, AXVCPU_TRIGGER_EDGE),
			ENOTSUP, "inject_with_trigger: not supported by the mock backend");
	end();
}
END_TEST

/* --- pulses ----------------------------------------------------------------------------------- */

START_TEST(a_pulse_raises_and_lowers)
{
	start();
	ck_ok(axvm_pulse_irq(vm, 5));
	ck_assert(got.nlevels == 2 && got.levels[0] && !got.levels[1]);
	got.nlevels = 0;
	got.line_ret[0] = -EIO;
	ck_fails(axvm_pulse_irq(vm, 5), EIO);
	ck_assert_uint_eq(got.nlevels, 0);
	got.line_ret[0] = 0;
	got.line_ret[1] = -EIO;
	ck_fails(axvm_pulse_irq(vm, 5), EIO);
	ck_assert_uint_eq(got.nlevels, 1);
	ops.vm_set_irq_line = NULL;
	ck_fails(axvm_pulse_irq(vm, 5), ENOTSUP);
	end();
}
END_TEST

static void add_tests(Suite *suite)
{
	TCase *sets = suite_case(suite, "sets");
	TCase *others = suite_case(suite, "others");

	tcase_add_test(sets, each_vcpu_of_the_set_gets_the_interrupt);
	tcase_add_test(sets, a_set_with_a_missing_vcpu_injects_nothing);
	tcase_add_test(sets, a_failure_is_of_a_named_vcpu_and_those_before_have_the_interrupt);
	tcase_add_test(others, the_backend_gets_the_trigger_mode);
	tcase_add_test(others, a_pulse_raises_and_lowers);
}

int main(void)
{
	return suite_main("irq_set", false, add_tests);
}
