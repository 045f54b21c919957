/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * Checkpoints of real guests, equal on every architecture: a guest does the same again from each of
 * its exits, in place, in another VM, and in another process that reads a file, with 1 to 4 vCPUs;
 * many resets leave the same memory and the same registers; files of earlier versions of the
 * library go on. Needs a working /dev/kvm; the last test also needs a file of tests/checkpoints,
 * and is skipped without it.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "child.h"
#include "guest.h"
#include "suite.h"

static struct guest guest, other;
static struct axvm_checkpoint *checkpoint;

static void take(struct guest *of, uint32_t flags)
{
	ck_ok(axvm_quiesce(of->vm, NULL, 0));
	ck_ok(axvm_checkpoint_new(of->vm, &AXVCPU_WITH(axvm_checkpoint_config, .flags = flags),
				  &checkpoint));
}

/* Returns the number of pages, or a negative errno. */
static int64_t try_restore(const struct axvm_checkpoint *from, struct guest *to)
{
	int64_t pages = axvm_checkpoint_restore(from, to->vm, NULL);

	/* Some KVMs of x86_64 have no TSC offset. */
	if (pages == -ENOTSUP)
		pages = axvm_checkpoint_restore(from, to->vm,
						&AXVCPU_WITH(axvm_restore_config,
							     .time_policy = AXVM_TIME_KEEP));
	return pages;
}

static int64_t restore_from(const struct axvm_checkpoint *from, struct guest *to)
{
	int64_t pages = try_restore(from, to);

	ck_assert_msg(pages >= 0, "%s", axvcpu_last_error());
	return pages;
}

static int64_t restore(struct guest *to)
{
	return restore_from(checkpoint, to);
}

/* --- the guest "life" ------------------------------------------------------------------------- */

static void start(struct guest *of, uint32_t irqchip)
{
	guest_start_with(of, &AXVCPU_WITH(axvm_config, .irqchip = irqchip), AXVCPU_MODE_64,
			 PROGRAM(life));
	ck_ok(axvm_finalize(of->vm));
}

START_TEST(a_guest_does_the_same_again_from_each_exit)
{
	for (int at = 0; at < GUEST_LIFE_STEPS; at++) {
		start(&guest, guest_irqchips[_i]);
		start(&other, guest_irqchips[_i]);
		for (int step = 0; step < at; step++)
			guest_expect_life_step(&guest, step);
		take(&guest, at % 2 ? AXVM_CHECKPOINT_TRACK : 0);
		for (int round = 0; round < 3; round++) {
			struct guest *in = round == 2 ? &other : &guest;

			if (round)
				restore(in);
			for (int step = at; step < GUEST_LIFE_STEPS; step++)
				guest_expect_life_step(in, step);
		}
		ck_ok(axvm_checkpoint_free(checkpoint));
		guest_end(&other);
		guest_end(&guest);
	}
}
END_TEST

/* --- parts ------------------------------------------------------------------------------------ */

#define VECTOR_MAX 64

/* Gives a general register, a system register and a vector register this value. */
static void set_values(uint8_t value)
{
	const size_t len = axvcpu_reg_size(GUEST_VECTOR(2));
	unsigned char bytes[VECTOR_MAX];

	ck_assert_uint_le(len, sizeof(bytes));
	memset(bytes, value, len);
	ck_ok(axvcpu_set_reg(guest.vcpu, AXVCPU_REG_GPR(3), value));
	ck_ok(axvcpu_set_reg(guest.vcpu, GUEST_SYSREG, value));
	ck_ok(axvcpu_set_reg_bytes(guest.vcpu, GUEST_VECTOR(2), bytes, len));
}

static void expect_values(uint8_t general, uint8_t system, uint8_t vector)
{
	const size_t len = axvcpu_reg_size(GUEST_VECTOR(2));
	unsigned char bytes[VECTOR_MAX];

	ck_assert_uint_eq(guest_reg(&guest, AXVCPU_REG_GPR(3)), general);
	ck_assert_uint_eq(guest_reg(&guest, GUEST_SYSREG), system);
	ck_ok(axvcpu_get_reg_bytes(guest.vcpu, GUEST_VECTOR(2), bytes, len));
	for (size_t i = 0; i < len; i++)
		ck_assert_uint_eq(bytes[i], vector);
}

static int64_t restore_without(uint32_t parts)
{
	const int64_t pages = axvm_checkpoint_restore(
		checkpoint, guest.vm,
		&AXVCPU_WITH(axvm_restore_config, .time_policy = AXVM_TIME_KEEP, .without = parts,
			     .flags = parts == AXVCPU_PARTS ? AXVM_RESTORE_NO_CONTROLLERS |
								      AXVM_RESTORE_NO_DEVICES
							    : 0));

	ck_assert_msg(pages >= 0, "%s", axvcpu_last_error());
	return pages;
}

#define VALUE_THEN 0x11
#define VALUE_NOW 0x22

START_TEST(a_part_left_out_stays_and_all_others_come_back)
{
	static const uint32_t without[] = {
		0,
		AXVCPU_PART_FPU,
		AXVCPU_PART_SYSTEM,
		AXVCPU_PART_INTERRUPTS,
		AXVCPU_PART_TIMERS,
		AXVCPU_PART_EVENTS,
		AXVCPU_PART_SYSTEM | AXVCPU_PART_INTERRUPTS,
		AXVCPU_PARTS,
	};

	start(&guest, guest_irqchips[_i]);
	set_values(VALUE_THEN);
	take(&guest, AXVM_CHECKPOINT_TRACK);
	/* Also a state that the first restore has prepared; restores without a run between. */
	for (int round = 0; round < 3; round++)
		for (size_t i = 0; i < sizeof(without) / sizeof(without[0]); i++) {
			set_values(VALUE_NOW);
			restore_without(without[i]);
			expect_values(VALUE_THEN,
				      without[i] & AXVCPU_PART_SYSTEM ? VALUE_NOW : VALUE_THEN,
				      without[i] & AXVCPU_PART_FPU ? VALUE_NOW : VALUE_THEN);
		}
	restore_without(0);
	expect_values(VALUE_THEN, VALUE_THEN, VALUE_THEN);
	for (int step = 0; step < GUEST_LIFE_STEPS; step++)
		guest_expect_life_step(&guest, step);
	ck_ok(axvm_checkpoint_free(checkpoint));
	guest_end(&guest);
}
END_TEST

/* What may happen between the fastest restore and the next run. */
static void do_before_run(int what)
{
	static unsigned char bytes[0x40000];

	switch (what) {
	case 1:
		guest_reg(&guest, AXVCPU_REG_PC);
		break;
	case 2:
		ck_ok(axvcpu_set_reg(guest.vcpu, AXVCPU_REG_GPR(3), VALUE_NOW));
		break;
	case 3:
		ck_ok(axvcpu_save(guest.vcpu, bytes, sizeof(bytes)));
		break;
	case 4:
		restore_without(0);
		break;
	case 5:
		restore_without(AXVCPU_PARTS & ~AXVCPU_PART_EVENTS);
		break;
	case 6:
		ck_ok(axvcpu_unbind(guest.vcpu));
		ck_ok(axvcpu_bind(guest.vcpu));
		break;
	case 7:
		ck_ok(axvcpu_kick(guest.vcpu));
		break;
	default:
		break;
	}
}
#define BEFORE_RUN 8

START_TEST(a_guest_does_the_same_again_after_the_fastest_restore)
{
	for (int at = 0; at < GUEST_LIFE_STEPS; at++) {
		start(&guest, guest_irqchips[_i]);
		for (int step = 0; step < at; step++)
			guest_expect_life_step(&guest, step);
		take(&guest, AXVM_CHECKPOINT_TRACK);
		restore_without(AXVCPU_PARTS);
		for (int what = 0; what < BEFORE_RUN; what++) {
			restore_without(AXVCPU_PARTS);
			do_before_run(what);
			/* All of them, and each first one: its exit is open at the next restore. */
			for (int step = at; step < GUEST_LIFE_STEPS; step++)
				guest_expect_life_step(&guest, step);
			restore_without(AXVCPU_PARTS);
			guest_expect_life_step(&guest, at);
		}
		ck_ok(axvm_checkpoint_free(checkpoint));
		guest_end(&guest);
	}
}
END_TEST

/* --- files ------------------------------------------------------------------------------------ */

static int file;

static void write_file(void)
{
	file = memfd_create("checkpoint", MFD_CLOEXEC);
	ck_assert_int_ge(file, 0);
	ck_ok(axvm_checkpoint_write(checkpoint, file));
}

static struct axvm_checkpoint *read_file(void)
{
	struct axvm_checkpoint *copy;

	ck_ok(axvm_checkpoint_read(file, &copy));
	return copy;
}

/* The exits that the guest had before, and its interrupt controller. */
static int steps_before;
static uint32_t irqchip_before;

/* In a VM of this process. */
static void go_on_from_the_file(void)
{
	struct axvm_checkpoint *copy = read_file();

	ck_ok(axvm_checkpoint_verify(copy));
	start(&other, irqchip_before);
	restore_from(copy, &other);
	for (int step = steps_before; step < GUEST_LIFE_STEPS; step++)
		guest_expect_life_step(&other, step);
	guest_end(&other);
	ck_ok(axvm_checkpoint_free(copy));
}

START_TEST(a_guest_goes_on_in_another_process)
{
	irqchip_before = guest_irqchips[_i];
	for (int at = 0; at < GUEST_LIFE_STEPS; at++) {
		steps_before = at;
		start(&guest, irqchip_before);
		for (int step = 0; step < at; step++)
			guest_expect_life_step(&guest, step);
		take(&guest, 0);
		write_file();
		ck_ok(axvm_checkpoint_free(checkpoint));
		guest_end(&guest);
		child_run(CHILD_FORK, go_on_from_the_file);
		close(file);
	}
}
END_TEST

/* --- earlier versions ------------------------------------------------------------------------- */

/* The guest of a sample is "life" behind its first exits, with an in-kernel irqchip. */
#define SAMPLE_STEPS 2
#define SAMPLE_VERSION "1"

/* For tests/checkpoints/make. */
START_TEST(a_sample_is_written)
{
	start(&guest, AXVM_IRQCHIP_KERNEL);
	for (int step = 0; step < SAMPLE_STEPS; step++)
		guest_expect_life_step(&guest, step);
	take(&guest, 0);
	file = open(getenv("AXVCPU_TEST_SAMPLE"), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	ck_assert_int_ge(file, 0);
	ck_ok(axvm_checkpoint_write(checkpoint, file));
	ck_ok(axvm_checkpoint_free(checkpoint));
	close(file);
	guest_end(&guest);
}
END_TEST

static int open_sample(void)
{
	char path[64];

	snprintf(path, sizeof(path), "tests/checkpoints/checkpoint-%s-" SAMPLE_VERSION,
		 axvcpu_host_arch()->name);
	return suite_open_source(path);
}

/* This KVM lacks a feature, a register, or the model of the GIC. */
static bool is_lacking(int64_t pages)
{
	return pages == -ENOTSUP || pages == -ENOENT ||
	       (pages == -EINVAL && strstr(axvcpu_last_error(), "state is that of a GICv"));
}

START_TEST(a_file_of_an_earlier_version_goes_on)
{
	struct axvm_checkpoint *copy;
	int64_t pages;
	int step = 0;

	file = open_sample();
	if (file < 0) {
		suite_skip("tests/checkpoints has no file of this architecture");
		return;
	}
	copy = read_file();
	ck_ok(axvm_checkpoint_verify(copy));
	/* The features of another CPU may be missing here. */
	if (!guest_kvm_is_emulated()) {
		suite_skip("the file was made on an emulated CPU");
	} else if (guest_nirqchips() < 2) {
		suite_skip("KVM has no interrupt controller, and the file has one");
	} else {
		start(&guest, AXVM_IRQCHIP_KERNEL);
		pages = try_restore(copy, &guest);
		if (is_lacking(pages)) {
			suite_skip(axvcpu_last_error());
		} else {
			ck_assert_msg(pages >= 0, "%s", axvcpu_last_error());
			step = SAMPLE_STEPS;
		}
		/* A refusal leaves the guest as it was. */
		for (; step < GUEST_LIFE_STEPS; step++)
			guest_expect_life_step(&guest, step);
		guest_end(&guest);
	}
	ck_ok(axvm_checkpoint_free(copy));
	close(file);
}
END_TEST

/* --- memory ----------------------------------------------------------------------------------- */

/* "copy": the addresses that it copies from and to, and the value. */
#define ARG (GUEST_BASE + 0x3000)
#define VALUE_AT (ARG + 16)
#define TARGET (GUEST_BASE + 0x20000)

static void start_copy(void)
{
	const uint64_t args[3] = { VALUE_AT, TARGET, UINT64_C(0x1122334455667788) };

	guest.vm = guest_vm(&(struct axvm_config)AXVM_CONFIG_INIT, PROGRAM(copy));
	guest.vcpu = guest_vcpu(guest.vm, 0, ARG);
	ck_ok(axvm_write(guest.vm, ARG, args, sizeof(args)));
	ck_ok(axvcpu_bind(guest.vcpu));
}

static unsigned char before[GUEST_MEMORY], after[GUEST_MEMORY];
static struct guest_registers registers;

static void expect_all(void)
{
	ck_ok(axvm_read(guest.vm, GUEST_BASE, after, sizeof(after)));
	ck_assert_mem_eq(before, after, sizeof(before));
	guest_expect_registers(&guest, &registers);
}

/* Pages of this process that are present. */
static long resident_pages(void)
{
	FILE *statm = fopen("/proc/self/statm", "re");
	long pages = 0;

	ck_assert_ptr_nonnull(statm);
	ck_assert_int_eq(fscanf(statm, "%*d %ld", &pages), 1);
	fclose(statm);
	return pages;
}

/* Less than a page in a thousand resets. */
#define GROWTH_MAX 64
/* Number of rounds after which everything is compared. */
#define COMPARED 100

START_TEST(many_resets_leave_the_same_memory_and_registers)
{
	const unsigned int rounds = suite_scale(100000), warm = rounds / 10;
	uint32_t seed = 1;
	int64_t pages;
	long resident = 0;
	uint64_t value;

	start_copy();
	take(&guest, AXVM_CHECKPOINT_TRACK);
	ck_ok(axvm_read(guest.vm, GUEST_BASE, before, sizeof(before)));
	ck_assert_int_eq(restore(&guest), 0);
	/* A first entry completes what a setup has left open: on riscv64, bits of sstatus. */
	guest_expect_end(&guest);
	ck_assert_int_ge(_i ? restore_without(AXVCPU_PARTS) : restore(&guest), 1);
	guest_read_registers(&guest, &registers);
	expect_all();
	for (unsigned int round = 0; round < rounds; round++) {
		if (round == warm)
			resident = resident_pages();
		guest_expect_end(&guest);
		ck_ok(axvm_read(guest.vm, TARGET, &value, sizeof(value)));
		ck_assert_uint_eq(value, UINT64_C(0x1122334455667788));
		/* The page of the target, and page tables, in which the CPU marks accesses. */
		pages = _i ? restore_without(AXVCPU_PARTS) : restore(&guest);
		ck_assert_int_ge(pages, 1);
		ck_assert_int_le(pages, 16);
		seed = seed * 1664525 + 1013904223;
		if ((seed >> 8) % rounds < COMPARED)
			expect_all();
	}
	expect_all();
	/* A sanitizer keeps memory that was freed. */
	if (!SUITE_ASAN && !SUITE_TSAN)
		ck_assert_int_le(resident_pages() - resident, GROWTH_MAX);
	ck_assert_uint_eq(guest_reg(&guest, AXVCPU_REG_PC), GUEST_CODE);
	ck_ok(axvm_checkpoint_free(checkpoint));
	guest_end(&guest);
}
END_TEST

/* --- several vCPUs ---------------------------------------------------------------------------- */

#define MOST_VCPUS 4
static struct guest guests[MOST_VCPUS];

/* The vCPUs make their steps in turn; vCPU n begins n rounds after the first. */
static void run_steps(int n, int first, int count)
{
	for (int step = first; step < first + count; step++)
		for (int id = 0; id < n; id++)
			if (step - id >= 0 && step - id < GUEST_LIFE_STEPS)
				guest_expect_life_step(&guests[id], step - id);
}

START_TEST(several_vcpus_go_on_together)
{
	const int n = _i % MOST_VCPUS + 1;
	struct axvm_checkpoint *copy;

	guest.vm = guest_vm(&AXVCPU_WITH(axvm_config, .max_vcpus = MOST_VCPUS,
					 .irqchip = guest_irqchips[_i / MOST_VCPUS]),
			    PROGRAM(life));
	for (int id = 0; id < n; id++) {
		guests[id] = (struct guest){ .vm = guest.vm };
		guests[id].vcpu = guest_vcpu_on(guest.vm, (uint32_t)id, 0);
	}
	ck_ok(axvm_finalize(guest.vm));
	for (int id = 0; id < n; id++)
		ck_ok(axvcpu_bind(guests[id].vcpu));
	run_steps(n, 0, 3);
	take(&guest, AXVM_CHECKPOINT_TRACK);
	for (int round = 0; round < 3; round++) {
		run_steps(n, 3, GUEST_LIFE_STEPS);
		restore(&guest);
	}
	run_steps(n, 3, GUEST_LIFE_STEPS);
	write_file();
	copy = read_file();
	close(file);
	restore_from(copy, &guest);
	run_steps(n, 3, GUEST_LIFE_STEPS);
	ck_ok(axvm_checkpoint_free(copy));
	ck_ok(axvm_checkpoint_free(checkpoint));
	for (int id = 0; id < n; id++) {
		ck_ok(axvcpu_unbind(guests[id].vcpu));
		ck_ok(axvcpu_free(guests[id].vcpu));
	}
	ck_ok(axvm_free(guest.vm));
}
END_TEST

/* --- a runner --------------------------------------------------------------------------------- */

static int count_on(struct axvcpu *vcpu, struct axvcpu_exit *exit, void *ctx)
{
	(void)vcpu;
	(void)exit;
	(void)ctx;
	return AXVM_CONTINUE;
}

#define COUNT_AT (GUEST_BASE + 0x20000)

static uint32_t count_now(void)
{
	uint32_t count;

	ck_ok(axvm_read(guest.vm, COUNT_AT, &count, sizeof(count)));
	return count;
}

static void wait_for_count(uint32_t above)
{
	for (unsigned int i = 0; i < suite_seconds(60) * 1000 && count_now() <= above; i++)
		usleep(1000);
	ck_assert_uint_gt(count_now(), above);
}

START_TEST(a_guest_that_runs_is_stopped_and_set_back)
{
	struct axvm_runner *runner;
	uint32_t at;

	guest.vm = guest_vm(&(struct axvm_config)AXVM_CONFIG_INIT, PROGRAM(count));
	guest.vcpu = guest_vcpu(guest.vm, 0, COUNT_AT);
	ck_ok(axvm_runner_start(guest.vm, &AXVCPU_WITH(axvm_runner_config, .handler = count_on),
				&runner));
	wait_for_count(0);
	ck_ok(axvm_quiesce(guest.vm, runner, -1));
	ck_ok(axvm_checkpoint_new(guest.vm,
				  &AXVCPU_WITH(axvm_checkpoint_config,
					       .flags = AXVM_CHECKPOINT_TRACK),
				  &checkpoint));
	at = count_now();
	for (int round = 0; round < 5; round++) {
		ck_ok(axvm_runner_resume(runner));
		wait_for_count(at);
		ck_ok(axvm_quiesce(guest.vm, runner, -1));
		ck_assert_int_ge(restore(&guest), 1);
		ck_assert_uint_eq(count_now(), at);
	}
	ck_ok(axvm_runner_free(runner));
	ck_ok(axvm_checkpoint_free(checkpoint));
	guest_end(&guest);
}
END_TEST

static void add_tests(Suite *suite)
{
	const int nirqchips = guest_nirqchips();
	TCase *tcase = suite_case(suite, "checkpoints");

	tcase_add_loop_test(tcase, a_guest_does_the_same_again_from_each_exit, 0, nirqchips);
	tcase_add_loop_test(tcase, a_part_left_out_stays_and_all_others_come_back, 0, nirqchips);
	tcase_add_loop_test(tcase, a_guest_does_the_same_again_after_the_fastest_restore, 0,
			    nirqchips);
	tcase_add_loop_test(tcase, many_resets_leave_the_same_memory_and_registers, 0, 2);
	tcase_add_loop_test(tcase, a_guest_goes_on_in_another_process, 0, nirqchips);
	tcase_add_test(tcase, a_file_of_an_earlier_version_goes_on);
	if (getenv("AXVCPU_TEST_SAMPLE"))
		tcase_add_test(suite_case(suite, "sample"), a_sample_is_written);
	tcase_add_loop_test(tcase, several_vcpus_go_on_together, 0, nirqchips * MOST_VCPUS);
	tcase_add_test(tcase, a_guest_that_runs_is_stopped_and_set_back);
}

int main(void)
{
	return suite_main("checkpoints of guests", true, add_tests);
}
