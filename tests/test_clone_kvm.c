/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * Clones of real guests, equal on every architecture: a clone continues where the checkpoint was
 * taken, with 1 to 4 vCPUs, with and without an in-kernel interrupt controller; clones diverge; they
 * can be reset and restored; several threads clone at the same time. Needs a working /dev/kvm.
 */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "guest.h"
#include "suite.h"

static struct guest guest;
static struct axvm_checkpoint *checkpoint;

static void take(void)
{
	ck_ok(axvm_quiesce(guest.vm, NULL, 0));
	ck_ok(axvm_checkpoint_new(guest.vm, NULL, &checkpoint));
}

static int try_clone(struct axvm **vm)
{
	struct axvm_clone_config config = AXVM_CLONE_CONFIG_INIT;
	int ret = axvm_checkpoint_clone(checkpoint, &config, vm);

	/* Some KVMs of x86_64 have no TSC offset. */
	if (ret != -ENOTSUP)
		return ret;
	config.time_policy = AXVM_TIME_KEEP;
	return axvm_checkpoint_clone(checkpoint, &config, vm);
}

/* A clone whose first vCPU is the calling thread's. */
static struct guest clone_guest(void)
{
	struct guest clone = { .vm = NULL };

	ck_ok(try_clone(&clone.vm));
	clone.vcpu = axvm_vcpu(clone.vm, 0);
	ck_assert_ptr_nonnull(clone.vcpu);
	ck_ok(axvcpu_bind(clone.vcpu));
	return clone;
}

static void free_checkpoint(void)
{
	ck_ok(axvm_checkpoint_free(checkpoint));
	checkpoint = NULL;
}

/* --- the guest "life" ------------------------------------------------------------------------- */

/* Its exits, in order: write, read, write, write, end. */
#define LIFE_STEPS 5
#define LIFE_ANSWER 0x77

static void expect_step_with(struct guest *of, int step, uint32_t answer)
{
	switch (step) {
	case 0:
		guest_expect_write(of, GUEST_MMIO, GUEST_VALUE);
		break;
	case 1:
		guest_expect_read(of, GUEST_MMIO);
		ck_ok(axvcpu_complete_value(of->vcpu, answer));
		break;
	case 2:
		guest_expect_write(of, GUEST_MMIO + 8, answer);
		break;
	case 3:
		guest_expect_write(of, GUEST_MMIO, answer);
		break;
	default:
		guest_expect_end(of);
		break;
	}
}

static void expect_steps(struct guest *of, int first)
{
	for (int step = first; step < LIFE_STEPS; step++)
		expect_step_with(of, step, LIFE_ANSWER);
}

static void start(uint32_t irqchip)
{
	guest_start_with(&guest, &AXVCPU_WITH(axvm_config, .irqchip = irqchip), AXVCPU_MODE_64,
			 PROGRAM(life));
	ck_ok(axvm_finalize(guest.vm));
}

START_TEST(a_clone_continues_from_each_exit)
{
	for (int at = 0; at < LIFE_STEPS; at++) {
		struct guest clone;

		start(guest_irqchips[_i]);
		for (int step = 0; step < at; step++)
			expect_step_with(&guest, step, LIFE_ANSWER);
		take();
		/* Before the VM continues, and after it was freed. */
		clone = clone_guest();
		expect_steps(&guest, at);
		expect_steps(&clone, at);
		guest_end(&clone);
		guest_end(&guest);
		clone = clone_guest();
		free_checkpoint();
		expect_steps(&clone, at);
		guest_end(&clone);
	}
}
END_TEST

START_TEST(clones_diverge)
{
	struct guest clones[3];

	start(guest_irqchips[_i]);
	expect_step_with(&guest, 0, 0);
	take();
	for (int i = 0; i < 3; i++)
		clones[i] = clone_guest();
	for (int step = 1; step < LIFE_STEPS; step++)
		for (uint32_t i = 0; i < 3; i++)
			expect_step_with(&clones[i], step, 100 + i);
	expect_steps(&guest, 1);
	for (int i = 0; i < 3; i++)
		guest_end(&clones[i]);
	free_checkpoint();
	guest_end(&guest);
}
END_TEST

/* --- memory ----------------------------------------------------------------------------------- */

/* "copy": the addresses that it copies from and to, and the value. */
#define ARG (GUEST_BASE + 0x3000)
#define VALUE_AT (ARG + 16)
#define TARGET (GUEST_BASE + 0x20000)

static void put(const struct guest *to, uint64_t gpa, uint64_t value)
{
	ck_ok(axvm_write(to->vm, gpa, &value, sizeof(value)));
}

static uint64_t get(const struct guest *of, uint64_t gpa)
{
	uint64_t value;

	ck_ok(axvm_read(of->vm, gpa, &value, sizeof(value)));
	return value;
}

START_TEST(a_guest_sees_only_its_own_writes)
{
	struct guest clones[3];

	guest.vm = guest_vm(&(struct axvm_config)AXVM_CONFIG_INIT, PROGRAM(copy));
	guest.vcpu = guest_vcpu(guest.vm, 0, ARG);
	put(&guest, ARG, VALUE_AT);
	put(&guest, ARG + 8, TARGET);
	put(&guest, VALUE_AT, 1);
	take();
	for (uint64_t i = 0; i < 3; i++) {
		clones[i] = clone_guest();
		put(&clones[i], VALUE_AT, 10 + i);
	}
	for (int i = 0; i < 3; i++)
		guest_expect_end(&clones[i]);
	for (uint64_t i = 0; i < 3; i++)
		ck_assert_uint_eq(get(&clones[i], TARGET), 10 + i);
	ck_assert_uint_eq(get(&guest, TARGET), 0);
	/* Set back, it does the same again. */
	ck_ok((int)axvm_checkpoint_restore(checkpoint, clones[1].vm,
					   &AXVCPU_WITH(axvm_restore_config,
							.time_policy = AXVM_TIME_KEEP)));
	ck_assert_uint_eq(get(&clones[1], TARGET), 0);
	ck_assert_uint_eq(get(&clones[0], TARGET), 10);
	guest_expect_end(&clones[1]);
	ck_assert_uint_eq(get(&clones[1], TARGET), 1);
	for (int i = 0; i < 3; i++)
		guest_end(&clones[i]);
	free_checkpoint();
	ck_ok(axvcpu_free(guest.vcpu));
	ck_ok(axvm_free(guest.vm));
}
END_TEST

START_TEST(memory_in_memfds_is_that_of_the_checkpoint)
{
	struct guest clone = { .vm = NULL };
	struct axvm_region region = AXVM_REGION_INIT;

	start(AXVM_IRQCHIP_NONE);
	expect_step_with(&guest, 0, 0);
	take();
	ck_ok(axvm_checkpoint_clone(checkpoint,
				    &AXVCPU_WITH(axvm_clone_config, .flags = AXVM_CLONE_MEMFD,
						 .time_policy = AXVM_TIME_KEEP),
				    &clone.vm));
	clone.vcpu = axvm_vcpu(clone.vm, 0);
	ck_ok(axvcpu_bind(clone.vcpu));
	ck_assert_int_ge(axvm_regions(clone.vm, 0, 1, &region), 1);
	ck_assert_int_ge(region.fd, 0);
	expect_steps(&clone, 1);
	guest_end(&clone);
	free_checkpoint();
	guest_end(&guest);
}
END_TEST

/* --- the setup -------------------------------------------------------------------------------- */

START_TEST(a_clone_is_reset_to_its_setup)
{
	struct axvcpu_setup_config setup = guest_setup_config(0);
	struct guest clone;

	/* With a boot area, and with frames for it, where the architecture has one. */
	if (_i)
		setup.boot_gpa = setup.boot_size = 0;
	guest_create(&guest, NULL, PROGRAM(life));
	ck_ok(axvcpu_setup(guest.vcpu, GUEST_CODE, 0, &setup));
	ck_ok(axvcpu_bind(guest.vcpu));
	for (int step = 0; step < 3; step++)
		expect_step_with(&guest, step, LIFE_ANSWER);
	take();
	guest_end(&guest);
	clone = clone_guest();
	/* Tables that the guest no longer needs may be gone. */
	if (setup.boot_size)
		ck_ok(axvm_set(clone.vm, setup.boot_gpa, 0xff, setup.boot_size));
	ck_ok(axvm_reset(clone.vm, 0));
	expect_steps(&clone, 0);
	guest_end(&clone);
	free_checkpoint();
}
END_TEST

/* --- several vCPUs ---------------------------------------------------------------------------- */

#define MOST_VCPUS 4

static struct guest guests[2][MOST_VCPUS];

/* The vCPUs of a VM make their steps in turn; vCPU n begins n rounds after the first. */
static void run_steps(struct guest *of, int n, int first, int count)
{
	for (int step = first; step < first + count; step++)
		for (int id = 0; id < n; id++)
			if (step - id >= 0 && step - id < LIFE_STEPS)
				expect_step_with(&of[id], step - id, LIFE_ANSWER);
}

static void end_vcpus(struct guest *of, int n)
{
	for (int id = 0; id < n; id++) {
		ck_ok(axvcpu_unbind(of[id].vcpu));
		ck_ok(axvcpu_free(of[id].vcpu));
	}
	ck_ok(axvm_free(of[0].vm));
}

START_TEST(several_vcpus_continue_in_a_clone)
{
	const int n = _i % MOST_VCPUS + 1;
	struct guest *clones = guests[1];

	guest.vm = guest_vm(&AXVCPU_WITH(axvm_config, .max_vcpus = MOST_VCPUS,
					 .irqchip = guest_irqchips[_i / MOST_VCPUS]),
			    PROGRAM(life));
	for (int id = 0; id < n; id++) {
		guests[0][id] = (struct guest){ .vm = guest.vm };
		guests[0][id].vcpu = guest_vcpu_on(guest.vm, (uint32_t)id, 0);
	}
	ck_ok(axvm_finalize(guest.vm));
	for (int id = 0; id < n; id++)
		ck_ok(axvcpu_bind(guests[0][id].vcpu));
	run_steps(guests[0], n, 0, 3);
	take();
	for (int round = 0; round < 2; round++) {
		struct axvm *vm = NULL;

		ck_ok(try_clone(&vm));
		ck_assert_int_eq(axvm_vcpus(vm, 0, 0, NULL), n);
		for (int id = 0; id < n; id++) {
			clones[id] = (struct guest){ .vm = vm };
			clones[id].vcpu = axvm_vcpu(vm, (uint32_t)id);
			ck_ok(axvcpu_bind(clones[id].vcpu));
		}
		run_steps(clones, n, 3, LIFE_STEPS);
		end_vcpus(clones, n);
	}
	run_steps(guests[0], n, 3, LIFE_STEPS);
	free_checkpoint();
	end_vcpus(guests[0], n);
}
END_TEST

/* --- several threads -------------------------------------------------------------------------- */

#define THREADS 4

/* What a thread has found: Check's assertions are only for the thread of the test. */
static const char *clone_and_run(uint64_t value)
{
	struct axvcpu_exit exit = { .kind = AXVCPU_EXIT_NOTHING };
	struct axvm *vm = NULL;
	struct axvcpu *vcpu;
	uint64_t copied = 0;

	if (try_clone(&vm))
		return axvcpu_last_error();
	vcpu = axvm_vcpu(vm, 0);
	if (axvm_write(vm, VALUE_AT, &value, sizeof(value)) || axvcpu_bind(vcpu))
		return axvcpu_last_error();
	while (exit.kind == AXVCPU_EXIT_NOTHING)
		if (axvcpu_run(vcpu, &exit))
			return axvcpu_last_error();
	if (exit.kind != AXVCPU_EXIT_MMIO_WRITE || exit.u.mmio.addr != GUEST_END)
		return "another exit";
	if (axvm_read(vm, TARGET, &copied, sizeof(copied)) || copied != value)
		return "another value";
	if (axvcpu_unbind(vcpu) || axvcpu_free(vcpu) || axvm_free(vm))
		return axvcpu_last_error();
	return NULL;
}

static void *clone_in_thread(void *arg)
{
	const uint64_t first = (uintptr_t)arg * 1000;
	const unsigned int rounds = suite_scale(20);
	const char *found = NULL;

	for (uint64_t i = 0; !found && i < rounds; i++)
		found = clone_and_run(first + i);
	if (found)
		fprintf(stderr, "thread: %s\n", found);
	return found ? arg : NULL;
}

START_TEST(several_threads_clone_at_the_same_time)
{
	pthread_t threads[THREADS];

	guest.vm = guest_vm(&(struct axvm_config)AXVM_CONFIG_INIT, PROGRAM(copy));
	guest.vcpu = guest_vcpu(guest.vm, 0, ARG);
	put(&guest, ARG, VALUE_AT);
	put(&guest, ARG + 8, TARGET);
	take();
	for (uintptr_t i = 0; i < THREADS; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, clone_in_thread,
						(void *)(i + 1)),
				 0);
	/* The VM runs meanwhile. */
	ck_ok(axvcpu_bind(guest.vcpu));
	guest_expect_end(&guest);
	for (int i = 0; i < THREADS; i++) {
		void *failed = NULL;

		ck_assert_int_eq(pthread_join(threads[i], &failed), 0);
		ck_assert_ptr_null(failed);
	}
	free_checkpoint();
	guest_end(&guest);
}
END_TEST

/* --- a runner --------------------------------------------------------------------------------- */

static int count_exits(struct axvcpu *vcpu, struct axvcpu_exit *exit, void *ctx)
{
	unsigned int *exits = ctx;

	(void)vcpu;
	(void)exit;
	return ++*exits == 100 ? AXVM_STOP : AXVM_CONTINUE;
}

START_TEST(a_runner_runs_a_clone)
{
	struct axvm_runner *runner;
	struct axvm *vm = NULL;
	unsigned int exits = 0;

	guest.vm = guest_vm(&(struct axvm_config)AXVM_CONFIG_INIT, PROGRAM(chatter));
	guest.vcpu = guest_vcpu(guest.vm, 0, 0);
	take();
	guest_end(&guest);
	ck_ok(try_clone(&vm));
	ck_ok(axvm_runner_start(vm,
				&AXVCPU_WITH(axvm_runner_config, .handler = count_exits,
					     .ctx = &exits),
				&runner));
	ck_ok(axvm_runner_join(runner, -1));
	ck_ok(axvm_runner_free(runner));
	ck_assert_uint_eq(exits, 100);
	ck_ok(axvcpu_free(axvm_vcpu(vm, 0)));
	ck_ok(axvm_free(vm));
	free_checkpoint();
}
END_TEST

static void add_tests(Suite *suite)
{
	const int nirqchips = guest_nirqchips();
	TCase *tcase = suite_case(suite, "clones");

	tcase_add_loop_test(tcase, a_clone_continues_from_each_exit, 0, nirqchips);
	tcase_add_loop_test(tcase, clones_diverge, 0, nirqchips);
	tcase_add_test(tcase, a_guest_sees_only_its_own_writes);
	tcase_add_test(tcase, memory_in_memfds_is_that_of_the_checkpoint);
	tcase_add_loop_test(tcase, a_clone_is_reset_to_its_setup, 0, 2);
	tcase_add_loop_test(tcase, several_vcpus_continue_in_a_clone, 0, nirqchips * MOST_VCPUS);
	tcase_add_test(tcase, several_threads_clone_at_the_same_time);
	tcase_add_test(tcase, a_runner_runs_a_clone);
}

int main(void)
{
	return suite_main("clones of guests", true, add_tests);
}
