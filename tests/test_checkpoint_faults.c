/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * Fault injection for checkpoints: each system call and allocation fails in turn. Taking one that
 * fails changes nothing; a restore that fails has changed nothing, or the vCPUs are Invalid; a clone
 * that fails leaves nothing; writing, reading and verifying a file leave nothing behind. Needs a
 * working /dev/kvm.
 */
#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

#include "injector.h"
#include "suite.h"
#include "sweep.h"

/* --- taking ----------------------------------------------------------------------------------- */

static struct axvm_checkpoint *taken;

static int take(struct sweep_world *world, uint32_t flags)
{
	int ret = axvm_checkpoint_new(world->vm,
				      &AXVCPU_WITH(axvm_checkpoint_config, .flags = flags), &taken);

	ck_assert(!taken == !!ret);
	return ret;
}

static int take_plain(struct sweep_world *world)
{
	return take(world, 0);
}

static int take_tracking(struct sweep_world *world)
{
	return take(world, AXVM_CHECKPOINT_TRACK);
}

/* No log stays on. */
static void see_no_log(struct sweep_world *world)
{
	struct axvm_dirty_range range;
	uint64_t cursor = 0;
	uint32_t value = 1;

	ck_ok(axvm_checkpoint_free(taken));
	taken = NULL;
	ck_ok(axvm_write(world->vm, GUEST_BASE + 0x20000, &value, sizeof(value)));
	ck_assert_int_eq(axvm_take_dirty(world->vm, &cursor, 1, &range), 0);
	sweep_see_the_guest_run(world);
}

static int take_quiesce(struct sweep_world *world)
{
	return axvm_quiesce(world->vm, NULL, 0);
}

/* --- cloning ---------------------------------------------------------------------------------- */

/* It has frames, and system registers where there are any. */
static void prepare_clone(struct sweep_world *world)
{
	static const struct axvm_sysreg_range range = { 0x10, 1, AXVCPU_ACCESS_READ, 0 };
	uint64_t frame;

	ck_ok(axvm_alloc_frame(world->vm, &frame));
	axvm_set_sysregs(world->vm, &range, 1);
	ck_ok(take_plain(world));
}

/* The calls of other time policies are those of a restore. */
static int take_clone_with(struct sweep_world *world, uint32_t flags)
{
	struct axvm *vm = NULL;
	int ret = axvm_checkpoint_clone(taken,
					&AXVCPU_WITH(axvm_clone_config, .flags = flags,
						     .time_policy = AXVM_TIME_KEEP),
					&vm);

	ck_assert(!vm == !!ret);
	if (ret)
		return ret;
	injector_disarm();
	/* The clone takes the place of its VM. */
	for (int i = 0; i < SWEEP_VCPUS; i++) {
		ck_ok(axvcpu_free(world->vcpus[i]));
		world->vcpus[i] = axvm_vcpu(vm, (uint32_t)i);
	}
	ck_ok(axvm_free(world->vm));
	world->vm = vm;
	ck_ok(axvm_checkpoint_free(taken));
	taken = NULL;
	return 0;
}

static int take_clone(struct sweep_world *world)
{
	return take_clone_with(world, 0);
}

static int take_copy(struct sweep_world *world)
{
	return take_clone_with(world, AXVM_CLONE_MEMFD);
}

/* --- files ------------------------------------------------------------------------------------ */

static struct axvm_checkpoint *copy;
static int file;

static void prepare_write(struct sweep_world *world)
{
	ck_ok(take_plain(world));
	file = memfd_create("test", MFD_CLOEXEC);
	ck_assert_int_ge(file, 0);
}

static void prepare_read(struct sweep_world *world)
{
	prepare_write(world);
	ck_ok(axvm_checkpoint_write(taken, file));
}

static void prepare_verify(struct sweep_world *world)
{
	prepare_read(world);
	ck_ok(axvm_checkpoint_read(file, &copy));
}

static int take_write(struct sweep_world *world)
{
	(void)world;
	return axvm_checkpoint_write(taken, file);
}

static int take_read(struct sweep_world *world)
{
	int ret = axvm_checkpoint_read(file, &copy);

	(void)world;
	ck_assert(!copy == !!ret);
	return ret;
}

static int take_verify(struct sweep_world *world)
{
	(void)world;
	return axvm_checkpoint_verify(copy);
}

/* The file is right. */
static void see_file(struct sweep_world *world)
{
	(void)world;
	if (!copy)
		ck_ok(axvm_checkpoint_read(file, &copy));
	ck_ok(axvm_checkpoint_verify(copy));
	ck_ok(axvm_checkpoint_free(copy));
	ck_ok(axvm_checkpoint_free(taken));
	copy = taken = NULL;
	close(file);
}

static const struct sweep_step steps[] = {
	{ "checkpoint", AXVM_IRQCHIP_KERNEL, NULL, take_plain, see_no_log, .calls = 20,
	  .does_without_files = true },
	{ "checkpoint that tracks", AXVM_IRQCHIP_NONE, NULL, take_tracking, see_no_log, .calls = 20,
	  .does_without_files = true },
	{ "clone", AXVM_IRQCHIP_KERNEL, prepare_clone, take_clone, sweep_see_the_guest_run,
	  .calls = 40 },
	{ "clone with memfds", AXVM_IRQCHIP_NONE, prepare_clone, take_copy, sweep_see_the_guest_run,
	  .calls = 40 },
	{ "write", AXVM_IRQCHIP_KERNEL, prepare_write, take_write, see_file, .calls = 10 },
	{ "read", AXVM_IRQCHIP_KERNEL, prepare_read, take_read, see_file, .calls = 10 },
	{ "verify", AXVM_IRQCHIP_NONE, prepare_verify, take_verify, see_file, .calls = 4 },
	{ "quiesce", AXVM_IRQCHIP_NONE, sweep_bound, take_quiesce, sweep_see_the_guest_run,
	  .calls = 1 },
};

START_TEST(each_call_fails)
{
	sweep(steps, _i);
}
END_TEST

/* --- restoring -------------------------------------------------------------------------------- */

#define CELL (GUEST_BASE + 0x20000)

static void put(struct sweep_world *world, uint32_t value)
{
	ck_ok(axvm_write(world->vm, CELL, &value, sizeof(value)));
}

static uint32_t get(struct sweep_world *world)
{
	uint32_t value;

	ck_ok(axvm_read(world->vm, CELL, &value, sizeof(value)));
	return value;
}

/*
 * Ways to restore: all; all from a file; in place, all, all of a prepared state, and without all that
 * can be left out.
 */
enum way { ALL, FROM_FILE, IN_PLACE, PREPARED, FASTEST, WAYS };

static int64_t restore(const struct axvm_checkpoint *checkpoint, struct axvm *vm, enum way way)
{
	struct axvm_restore_config config = AXVM_RESTORE_CONFIG_INIT;

	if (way == FASTEST) {
		config.flags = AXVM_RESTORE_NO_CONTROLLERS | AXVM_RESTORE_NO_DEVICES;
		config.time_policy = AXVM_TIME_KEEP;
		/* KVM gets the registers with the next run. */
		config.without = AXVCPU_PARTS & ~AXVCPU_PART_EVENTS;
	}
	return axvm_checkpoint_restore(checkpoint, vm, &config);
}

/* Replaces a checkpoint by the same one from a file. */
static void move_to_file(struct axvm_checkpoint **checkpoint)
{
	const int fd = memfd_create("test", MFD_CLOEXEC);

	ck_assert_int_ge(fd, 0);
	ck_ok(axvm_checkpoint_write(*checkpoint, fd));
	ck_ok(axvm_checkpoint_free(*checkpoint));
	ck_ok(axvm_checkpoint_read(fd, checkpoint));
	close(fd);
}

/* Returns whether there was an n-th call. */
static bool restore_failing(unsigned int n, unsigned int variant, enum way way)
{
	const uint32_t flags = way < IN_PLACE ? 0 : AXVM_CHECKPOINT_TRACK;
	struct axvm_checkpoint *checkpoint;
	struct sweep_world world;
	bool failed;
	int64_t ret;

	sweep_world_begin(&world, AXVM_IRQCHIP_KERNEL);
	put(&world, 1);
	ck_ok(axvm_checkpoint_new(world.vm, &AXVCPU_WITH(axvm_checkpoint_config, .flags = flags),
				  &checkpoint));
	if (way == FROM_FILE)
		move_to_file(&checkpoint);
	if (way >= PREPARED)
		ck_assert_int_ge(restore(checkpoint, world.vm, way), 0);
	put(&world, 2);
	injector_arm(n, variant, false);
	ret = restore(checkpoint, world.vm, way);
	injector_disarm();
	failed = injector.failed;
	if (ret >= 0) {
		ck_assert_msg(injector.harmless, "call %u (%s) fails, and restore does not", n,
			      injector.failed);
		ck_assert_uint_eq(get(&world), 1);
		sweep_see_the_guest_run(&world);
	} else if (axvcpu_state(sweep_first(&world)) != AXVCPU_INVALID) {
		ck_assert_uint_eq(get(&world), 2);
		sweep_see_the_guest_run(&world);
	} else {
		ck_assert_int_eq(axvcpu_state(world.vcpus[1]), AXVCPU_INVALID);
	}
	if (ret < 0)
		ck_assert_msg(ret == injector.expected, "call %u (%s): %d, not %d; %s", n,
			      injector.failed, (int)ret, injector.expected, axvcpu_last_error());
	ck_ok(axvm_checkpoint_free(checkpoint));
	sweep_world_end(&world);
	return failed;
}

START_TEST(a_failing_restore_has_changed_nothing_or_says_invalid)
{
	for (unsigned int turn = 0; turn < suite_scale(INJECTOR_VARIANTS); turn++) {
		const unsigned int variant = ((unsigned int)_i + turn) % INJECTOR_VARIANTS;
		unsigned int n = 1;

		while (restore_failing(n, variant, (enum way)_i))
			n = injector_next(n);
		ck_assert_uint_gt(n, _i == FASTEST ? 3 : 20);
	}
}
END_TEST

static void add_tests(Suite *suite)
{
	TCase *all = suite_case(suite, "all");
	TCase *restore = suite_case(suite, "restore");

	tcase_add_loop_test(all, each_call_fails, 0, (int)(sizeof(steps) / sizeof(steps[0])));
	tcase_add_loop_test(restore, a_failing_restore_has_changed_nothing_or_says_invalid, 0,
			    WAYS);
}

int main(void)
{
	return suite_main("faults, checkpoints", true, add_tests);
}
