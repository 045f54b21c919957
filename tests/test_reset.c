/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * Reset of a whole VM on real guests, equal on every architecture: vCPUs, their power, memory, and
 * the runner that runs it again. The interrupt controllers are tested by the suites of each
 * architecture. Needs a working /dev/kvm.
 */
#include <errno.h>
#include <sched.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>

#include "guest.h"
#include "suite.h"

#define VCPUS 3
/* Where each vCPU counts, without an exit. */
#define CELL(i) ((uint64_t)GUEST_CELL_OF((uint32_t)(i)))

static struct axvm *vm;
static struct axvm_runner *runner;

static int handle(struct axvcpu *vcpu, struct axvcpu_exit *exit, void *ctx)
{
	(void)vcpu;
	(void)ctx;
	return exit->kind == GUEST_LAST_EXIT ? AXVM_STOP : AXVM_CONTINUE;
}

static void start(void)
{
	struct axvm_runner_config config = AXVM_RUNNER_CONFIG_INIT;

	config.handler = handle;
	ck_ok(axvm_runner_start(vm, &config, &runner));
}

static uint32_t counted(int i)
{
	uint32_t value;

	ck_ok(axvm_read(vm, CELL(i), &value, sizeof(value)));
	return value;
}

static void wait_until_it_counts(int i)
{
	uint32_t before = counted(i);

	while (counted(i) == before)
		sched_yield();
}

static uint32_t status(void)
{
	struct axvm_status_info info = AXVM_STATUS_INFO_INIT;

	ck_ok(axvm_get_status(vm, &info));
	return info.status;
}

static void create(void)
{
	struct axvm_config config = AXVM_CONFIG_INIT;

	config.max_vcpus = VCPUS;
	vm = guest_vm(&config, PROGRAM(count));
	for (uint32_t i = 0; i < VCPUS; i++)
		guest_vcpu(vm, i, CELL(i));
}

static void destroy(void)
{
	ck_ok(axvm_runner_free(runner));
	for (uint32_t i = 0; i < VCPUS; i++)
		ck_ok(axvcpu_free(axvm_vcpu(vm, i)));
	ck_ok(axvm_free(vm));
}

/* Starts the secondary CPUs elsewhere than setup did. */
static void start_others(void)
{
	for (uint32_t i = 1; i < VCPUS; i++)
		ck_ok(axvcpu_start(axvm_vcpu(vm, i), GUEST_CODE, CELL(i)));
	for (int i = 1; i < VCPUS; i++)
		wait_until_it_counts(i);
}

static void clear_cells(void)
{
	for (int i = 0; i < VCPUS; i++)
		ck_ok(axvm_set(vm, CELL(i), 0, 4));
}

START_TEST(a_paused_vm_is_reset_and_runs_the_same_again)
{
	create();
	start();
	for (unsigned int round = 0; round < 5 + suite_scale(100); round++) {
		wait_until_it_counts(0);
		start_others();
		ck_ok(axvm_runner_pause(runner, -1));
		ck_ok(axvm_reset(vm, 0));
		ck_assert_uint_eq(status(), AXVM_STATUS_PAUSED);
		for (uint32_t i = 0; i < VCPUS; i++) {
			struct axvcpu *vcpu = axvm_vcpu(vm, i);
			uint64_t pc;

			ck_ok(axvcpu_get_reg(vcpu, AXVCPU_REG_PC, &pc));
			ck_assert_uint_eq(pc, GUEST_CODE);
			ck_assert_int_eq(axvcpu_power(vcpu),
					 i ? AXVCPU_POWER_WAITING : AXVCPU_POWER_ON);
		}
		clear_cells();
		ck_ok(axvm_runner_resume(runner));
		wait_until_it_counts(0);
		/* The others wait for their start. */
		for (int i = 1; i < VCPUS; i++)
			ck_assert_uint_eq(counted(i), 0);
	}
	destroy();
}
END_TEST

START_TEST(a_running_vm_is_not_reset)
{
	create();
	start();
	ck_fails_saying(axvm_reset(vm, 0), EBADFD, "the VM is running");
	wait_until_it_counts(0);
	destroy();
}
END_TEST

START_TEST(a_vm_that_has_ended_runs_again_after_a_reset)
{
	create();
	for (int round = 0; round < 5; round++) {
		ck_ok(axvm_write(vm, GUEST_CODE, PROGRAM(last)));
		start();
		ck_ok(axvm_runner_join(runner, -1));
		ck_assert_uint_ge(status(), AXVM_STATUS_STOPPED);
		ck_ok(axvm_runner_free(runner));
		ck_ok(axvm_write(vm, GUEST_CODE, PROGRAM(count)));
		ck_ok(axvm_reset(vm, 0));
		ck_assert_uint_eq(status(), AXVM_STATUS_READY);
		start();
		ck_assert_uint_eq(status(), AXVM_STATUS_RUNNING);
		wait_until_it_counts(0);
		ck_ok(axvm_runner_free(runner));
		runner = NULL;
		ck_ok(axvm_reset(vm, 0));
	}
	destroy();
}
END_TEST

/* --- memory ----------------------------------------------------------------------------------- */

#define MEMORY UINT64_C(0x40000000)
#define LEN 0x200000u

static struct axvm_region region_of(uint64_t gpa, uint32_t backing, uint32_t flags)
{
	struct axvm_region region = AXVM_REGION_INIT;

	region.gpa = gpa;
	region.len = LEN;
	region.backing = backing;
	region.flags = flags;
	return region;
}

static void expect_bytes(uint64_t gpa, unsigned char byte)
{
	unsigned char *p;
	void *at;

	ck_ok(axvm_translate(vm, gpa, LEN, &at));
	p = at;
	for (size_t i = 0; i < LEN; i += 0x1000)
		ck_assert_uint_eq(p[i], byte);
	ck_assert_uint_eq(p[LEN - 1], byte);
}

START_TEST(memory_is_cleared_except_what_is_read_only)
{
	struct axvm_region regions[4];
	uint64_t frame;
	uint32_t word = 0x12345678;

	create();
	regions[0] = region_of(MEMORY, AXVM_MEM_ANONYMOUS, 0);
	regions[1] = region_of(MEMORY + LEN, AXVM_MEM_MEMFD, AXVM_MEM_THP);
	regions[2] = region_of(MEMORY + 2 * LEN, AXVM_MEM_CALLER, 0);
	regions[2].hva = mmap(NULL, LEN, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
			      0);
	ck_assert_ptr_ne(regions[2].hva, MAP_FAILED);
	/* Written below, and then mapped read-only. */
	regions[3] = regions[2];
	regions[3].gpa = MEMORY + 3 * LEN;
	regions[3].flags = AXVM_MEM_READONLY;
	regions[3].hva = mmap(NULL, LEN, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
			      0);
	ck_assert_ptr_ne(regions[3].hva, MAP_FAILED);
	memset(regions[3].hva, 0x77, LEN);
	for (int i = 0; i < 4; i++)
		ck_ok(axvm_map(vm, &regions[i]));
	ck_ok(axvm_set(vm, MEMORY, 0x55, 3 * LEN));
	ck_ok(axvm_alloc_frame(vm, &frame));
	ck_ok(axvm_write(vm, frame, &word, sizeof(word)));
	/* Without the flag, it stays. */
	ck_ok(axvm_reset(vm, 0));
	for (int i = 0; i < 3; i++)
		expect_bytes(regions[i].gpa, 0x55);
	ck_ok(axvm_reset(vm, AXVM_RESET_MEMORY));
	for (int i = 0; i < 3; i++)
		expect_bytes(regions[i].gpa, 0);
	expect_bytes(regions[3].gpa, 0x77);
	ck_ok(axvm_read(vm, frame, &word, sizeof(word)));
	ck_assert_uint_eq(word, 0);
	/* The guest is loaded again, and runs. */
	ck_ok(axvm_write(vm, GUEST_CODE, PROGRAM(count)));
	start();
	wait_until_it_counts(0);
	ck_ok(axvm_free_frame(vm, frame));
	destroy();
}
END_TEST

static void add_tests(Suite *suite)
{
	TCase *machine = suite_case(suite, "machine");
	TCase *memory = suite_case(suite, "memory");

	tcase_add_test(machine, a_paused_vm_is_reset_and_runs_the_same_again);
	tcase_add_test(machine, a_running_vm_is_not_reset);
	tcase_add_test(machine, a_vm_that_has_ended_runs_again_after_a_reset);
	tcase_add_test(memory, memory_is_cleared_except_what_is_read_only);
}

int main(void)
{
	return suite_main("reset", true, add_tests);
}
