/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * Fault injection (tests/sweep.h): each system call of lines, event descriptors, capabilities,
 * power and requests, dirty tracking, and of the runner, fails in turn. Needs a working /dev/kvm.
 */
#include <errno.h>
#include <linux/kvm.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "injector.h"
#include "resources.h"
#include "suite.h"
#include "sweep.h"

#define GSI 5

/* --- preparation -------------------------------------------------------------------------------------- */

/* The exit is open: a reset has to finish it. */
static void at_an_exit(struct sweep_world *world)
{
	sweep_bound(world);
	do
		ck_ok(axvcpu_run(sweep_first(world), &world->exit));
	while (world->exit.kind == AXVCPU_EXIT_NOTHING);
	ck_assert_uint_eq(world->exit.kind, AXVCPU_EXIT_MMIO_WRITE);
}

/* --- steps --------------------------------------------------------------------------------------------- */

static int take_set_irq_line(struct sweep_world *world)
{
	return axvm_set_irq_line(world->vm, GSI, true);
}

static int irqfd(struct sweep_world *world, uint32_t flags)
{
	struct axvm_irqfd irqfd = AXVM_IRQFD_INIT;

	irqfd.flags = flags;
	irqfd.gsi = GSI;
	irqfd.fd = world->fd;
	return axvm_set_irqfd(world->vm, &irqfd);
}

static int take_irqfd(struct sweep_world *world)
{
	return irqfd(world, 0);
}

static void with_irqfd(struct sweep_world *world)
{
	ck_ok(irqfd(world, 0));
}

static int take_irqfd_away(struct sweep_world *world)
{
	return irqfd(world, AXVM_EVENT_REMOVE);
}

static int ioeventfd(struct sweep_world *world, uint32_t flags)
{
	struct axvm_ioeventfd ioeventfd = AXVM_IOEVENTFD_INIT;

	ioeventfd.flags = flags;
	ioeventfd.address = GUEST_MMIO + 8;
	ioeventfd.width = 4;
	ioeventfd.fd = world->fd;
	return axvm_set_ioeventfd(world->vm, &ioeventfd);
}

static int take_ioeventfd(struct sweep_world *world)
{
	return ioeventfd(world, 0);
}

static void with_ioeventfd(struct sweep_world *world)
{
	ck_ok(ioeventfd(world, 0));
}

static int take_ioeventfd_away(struct sweep_world *world)
{
	return ioeventfd(world, AXVM_EVENT_REMOVE);
}

static struct axvm_device *swept;

static int ignore_write(struct axvcpu *vcpu, void *ctx, uint64_t offset, unsigned int width,
			uint64_t value)
{
	(void)vcpu;
	(void)ctx;
	(void)offset;
	(void)width;
	(void)value;
	return AXVM_HANDLED;
}

/* The second range is of addresses that the guest does not use: its writes stay exits. */
static int take_device(struct sweep_world *world)
{
	static const struct axvm_device_range ranges[] = {
		{ .base = GUEST_END, .len = 8 },
		{ .base = GUEST_END + 8, .len = 8, .flags = AXVM_RANGE_COALESCED },
	};
	struct axvm_device_config config = AXVM_DEVICE_CONFIG_INIT;

	config.name = "swept";
	config.ranges = ranges;
	config.nranges = 2;
	config.write = ignore_write;
	return axvm_add_device(world->vm, &config, &swept);
}

static int device_event(struct sweep_world *world)
{
	struct axvm_ioeventfd ioeventfd = AXVM_IOEVENTFD_INIT;

	ioeventfd.width = 4;
	ioeventfd.fd = world->fd;
	return axvm_set_device_ioeventfd(swept, 0, &ioeventfd);
}

static void with_device(struct sweep_world *world)
{
	ck_ok(take_device(world));
}

static void with_device_event(struct sweep_world *world)
{
	with_device(world);
	ck_ok(device_event(world));
}

static int take_device_away(struct sweep_world *world)
{
	(void)world;
	return axvm_remove_device(swept);
}

/* No polling: nothing changes. */
static int take_vm_capability(struct sweep_world *world)
{
	return axvm_enable_capability(world->vm, KVM_CAP_HALT_POLL, NULL);
}

static int take_vm_reset(struct sweep_world *world)
{
	return axvm_reset(world->vm, 0);
}

static int take_get_cpu_mode(struct sweep_world *world)
{
	struct axvcpu_cpu_mode mode = AXVCPU_CPU_MODE_INIT;
	int ret = axvcpu_get_cpu_mode(sweep_first(world), &mode);

	ck_assert_uint_eq(mode.execution, ret ? 0 : GUEST_EXECUTION);
	return ret;
}

static int take_translate_access(struct sweep_world *world)
{
	struct axvcpu_translation translation = AXVCPU_TRANSLATION_INIT;
	int ret = axvcpu_translate_access(sweep_first(world), GUEST_CODE, &translation);

	ck_assert_uint_eq(translation.gpa, ret ? 0 : GUEST_CODE);
	return ret;
}

/* Reads register 1, and writes the same value. */
static int take_vector(struct sweep_world *world)
{
	unsigned char bytes[16];
	size_t size = axvcpu_reg_size(GUEST_VECTOR(1));
	int ret = axvcpu_get_reg_bytes(sweep_first(world), GUEST_VECTOR(1), bytes, size);

	return ret ? ret : axvcpu_set_reg_bytes(sweep_first(world), GUEST_VECTOR(1), bytes, size);
}

static int take_reset(struct sweep_world *world)
{
	return axvcpu_reset(sweep_first(world), GUEST_CODE, 0);
}

static void *bind_and_end(void *arg)
{
	ck_ok(axvcpu_bind(arg));
	return NULL;
}

/* The first vCPU's owner has ended. */
static void without_owner(struct sweep_world *world)
{
	pthread_t thread;

	ck_assert_int_eq(pthread_create(&thread, NULL, bind_and_end, sweep_first(world)), 0);
	ck_assert_int_eq(pthread_join(thread, NULL), 0);
}

static int take_adopt(struct sweep_world *world)
{
	return axvcpu_adopt(sweep_first(world));
}

static int take_start(struct sweep_world *world)
{
	return axvcpu_start(world->vcpus[1], GUEST_CODE, 0);
}

static int take_stop(struct sweep_world *world)
{
	return axvcpu_stop(sweep_first(world));
}

static int take_pause(struct sweep_world *world)
{
	return axvcpu_pause(sweep_first(world), -1);
}

static int take_resume(struct sweep_world *world)
{
	return axvcpu_resume(sweep_first(world));
}

/* A run that a signal ends, in a thread whose mask has changed since bind. */
static int take_interrupted_run(struct sweep_world *world)
{
	sigset_t changed, before;
	int ret;

	sigfillset(&changed);
	pthread_sigmask(SIG_SETMASK, &changed, &before);
	injector_ioctl(KVM_RUN, -EINTR, 1);
	ret = sweep_run(world);
	injector_ioctl(0, 0, 0);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (!ret)
		ck_assert_uint_eq(world->exit.kind, AXVCPU_EXIT_NOTHING);
	return ret;
}

/* From another thread, so that it is left in the queue, or taken out of it when time is up. */
struct letter {
	struct axvcpu *vcpu;
	int64_t timeout_ns;
	char message[256];
	int ret;
};

#define REG 3

static void *post(void *arg)
{
	static const struct axvcpu_request request = {
		.kind = AXVCPU_REQUEST_SET_REG, .u.reg = { AXVCPU_REG_GPR(REG), GUEST_VALUE }
	};
	struct letter *letter = arg;

	letter->ret = axvcpu_send_request(letter->vcpu, &request, letter->timeout_ns);
	snprintf(letter->message, sizeof(letter->message), "%s", axvcpu_last_error());
	return NULL;
}

static int post_from_elsewhere(struct sweep_world *world, int64_t timeout_ns)
{
	struct letter letter = { .vcpu = sweep_first(world), .timeout_ns = timeout_ns };
	pthread_t thread;

	ck_assert_int_eq(pthread_create(&thread, NULL, post, &letter), 0);
	pthread_join(thread, NULL);
	/* Its message is this thread's to judge. */
	return letter.ret && letter.ret != -ETIMEDOUT
		       ? axvcpu_fail(world->vm, letter.ret, "%s", letter.message)
		       : letter.ret;
}

static int take_post(struct sweep_world *world)
{
	return post_from_elsewhere(world, 0);
}

static int take_post_and_wait(struct sweep_world *world)
{
	return post_from_elsewhere(world, 5000000) == -ETIMEDOUT ? 0 : -EPROTO;
}

static int take_dirty_log(struct sweep_world *world)
{
	return axvm_set_dirty_log(world->vm, GUEST_BASE, GUEST_MEMORY, true);
}

static int take_dirty_log_off(struct sweep_world *world)
{
	return axvm_set_dirty_log(world->vm, GUEST_BASE, GUEST_MEMORY, false);
}

#define WRITTEN (GUEST_BASE + 0x20000)

/* A page is dirty. */
static void with_dirty_log(struct sweep_world *world)
{
	ck_ok(take_dirty_log(world));
	ck_ok(axvm_set(world->vm, WRITTEN, 1, 1));
}

/* A failed call has not lost the page. */
static int take_dirty(struct sweep_world *world)
{
	struct axvm_dirty_range range;
	uint64_t cursor = 0;
	int ret = axvm_take_dirty(world->vm, &cursor, 1, &range);

	if (ret < 0)
		return ret;
	ck_assert_int_eq(ret, 1);
	ck_assert_uint_eq(range.gpa, WRITTEN);
	return 0;
}

static const uint32_t dirty_ring_entries = 1024;

static bool has_dirty_rings(void)
{
	struct axvm_config config = AXVM_CONFIG_INIT;
	struct axvm *vm;
	int ret;

	config.dirty_ring_entries = dirty_ring_entries;
	ret = axvm_new(&config, &vm);
	if (!ret)
		ck_ok(axvm_free(vm));
	else
		ck_assert_int_eq(ret, -ENOTSUP);
	return !ret;
}

static void begin_with_dirty_rings(struct sweep_world *world)
{
	struct axvm_config config = AXVM_CONFIG_INIT;

	config.dirty_ring_entries = dirty_ring_entries;
	sweep_world_begin_with(world, &config);
}

/* There and back. Half of it may have been done before. */
static int take_readonly(struct sweep_world *world)
{
	int ret = axvm_set_readonly(world->vm, GUEST_BASE, GUEST_MEMORY, true);

	return ret ? ret : axvm_set_readonly(world->vm, GUEST_BASE, GUEST_MEMORY, false);
}

/* --- expected results ---------------------------------------------------------------------------------- */

static void see_what_was_posted(struct sweep_world *world)
{
	uint64_t value;

	sweep_see_the_guest_run(world);
	ck_ok(axvcpu_get_reg(sweep_first(world), AXVCPU_REG_GPR(REG), &value));
	ck_assert_uint_eq(value, GUEST_VALUE);
}

static void see_nothing_posted(struct sweep_world *world)
{
	uint64_t value;

	sweep_see_the_guest_run(world);
	ck_ok(axvcpu_get_reg(sweep_first(world), AXVCPU_REG_GPR(REG), &value));
	ck_assert_uint_eq(value, 0);
}

static void see_it_on(struct sweep_world *world)
{
	ck_assert_uint_eq(axvcpu_power(world->vcpus[1]), AXVCPU_POWER_ON);
	ck_ok(axvcpu_bind(world->vcpus[1]));
	do
		ck_ok(axvcpu_run(world->vcpus[1], &world->exit));
	while (world->exit.kind == AXVCPU_EXIT_NOTHING);
	ck_assert_uint_eq(world->exit.kind, AXVCPU_EXIT_MMIO_WRITE);
}

static void see_it_off(struct sweep_world *world)
{
	ck_assert_uint_eq(axvcpu_power(sweep_first(world)), AXVCPU_POWER_OFF);
}

static const struct sweep_step steps[] = {
	{ "set_irq_line", AXVM_IRQCHIP_KERNEL, NULL, take_set_irq_line, sweep_see_the_guest_run,
	  .calls = 1 },
	{ "irqfd", AXVM_IRQCHIP_KERNEL, NULL, take_irqfd, sweep_see_the_guest_run, .calls = 1 },
	{ "irqfd away", AXVM_IRQCHIP_KERNEL, with_irqfd, take_irqfd_away, sweep_see_the_guest_run,
	  .calls = 1 },
	{ "ioeventfd", AXVM_IRQCHIP_NONE, NULL, take_ioeventfd, sweep_see_the_guest_run,
	  .calls = 1 },
	{ "ioeventfd away", AXVM_IRQCHIP_NONE, with_ioeventfd, take_ioeventfd_away,
	  sweep_see_the_guest_run, .calls = 1 },
	{ "device", AXVM_IRQCHIP_NONE, NULL, take_device, sweep_see_the_guest_run, .calls = 4 },
	{ "ioeventfd of a device", AXVM_IRQCHIP_NONE, with_device, device_event,
	  sweep_see_the_guest_run, .calls = 2 },
	{ "device away", AXVM_IRQCHIP_NONE, with_device_event, take_device_away,
	  sweep_see_the_guest_run, .calls = 2 },
	{ "enable_capability", AXVM_IRQCHIP_NONE, NULL, take_vm_capability, sweep_see_the_guest_run,
	  .calls = 1 },
	{ "get_cpu_mode", AXVM_IRQCHIP_NONE, NULL, take_get_cpu_mode, sweep_see_the_guest_run,
	  .calls = 2 },
	{ "translate_access", AXVM_IRQCHIP_NONE, NULL, take_translate_access,
	  sweep_see_the_guest_run, .calls = 1 },
	{ "vector register", AXVM_IRQCHIP_NONE, NULL, take_vector, sweep_see_the_guest_run,
	  .calls = 2 },
	{ "reset, free", AXVM_IRQCHIP_NONE, NULL, take_reset, sweep_see_the_guest_run, .calls = 2 },
	{ "reset, at an exit", AXVM_IRQCHIP_NONE, at_an_exit, take_reset, sweep_see_the_guest_run,
	  .calls = 3 },
	{ "reset, at an exit, with an irqchip", AXVM_IRQCHIP_KERNEL, at_an_exit, take_reset,
	  sweep_see_the_guest_run, .calls = 3 },
	{ "reset of the VM", AXVM_IRQCHIP_NONE, NULL, take_vm_reset, sweep_see_the_guest_run,
	  .calls = 3 },
	{ "adopt", AXVM_IRQCHIP_NONE, without_owner, take_adopt, sweep_see_the_guest_run,
	  .calls = 1 },
	{ "start", AXVM_IRQCHIP_NONE, NULL, take_start, see_it_on, .calls = 2 },
	{ "stop", AXVM_IRQCHIP_NONE, NULL, take_stop, see_it_off, .calls = 0 },
	{ "pause", AXVM_IRQCHIP_NONE, NULL, take_pause, NULL, .calls = 0 },
	{ "resume", AXVM_IRQCHIP_NONE, NULL, take_resume, sweep_see_the_guest_run, .calls = 0 },
	{ "run, interrupted", AXVM_IRQCHIP_NONE, sweep_bound, take_interrupted_run,
	  sweep_see_the_guest_run, .calls = 3 },
	{ "request", AXVM_IRQCHIP_NONE, sweep_bound, take_post, see_what_was_posted, .calls = 1,
	  .has_threads = true },
	{ "dirty log", AXVM_IRQCHIP_NONE, NULL, take_dirty_log, sweep_see_the_guest_run,
	  .calls = 2 },
	{ "dirty log, with rings", AXVM_IRQCHIP_NONE, NULL, take_dirty_log, sweep_see_the_guest_run,
	  .calls = 3, .begin = begin_with_dirty_rings },
	{ "dirty log off", AXVM_IRQCHIP_NONE, with_dirty_log, take_dirty_log_off,
	  sweep_see_the_guest_run, .calls = 1 },
	{ "dirty pages", AXVM_IRQCHIP_NONE, with_dirty_log, take_dirty, sweep_see_the_guest_run,
	  .calls = 1 },
	{ "read-only and back", AXVM_IRQCHIP_NONE, with_dirty_log, take_readonly,
	  sweep_see_the_guest_run, .calls = 6 },
	{ "request and wait", AXVM_IRQCHIP_NONE, sweep_bound, take_post_and_wait,
	  see_nothing_posted, .calls = 1, .waits = true, .has_threads = true },
};

#define STEPS (int)(sizeof(steps) / sizeof(steps[0]))

START_TEST(each_call_fails)
{
	if (steps[_i].begin == begin_with_dirty_rings && !has_dirty_rings()) {
		suite_skip("this KVM has no dirty rings");
		return;
	}
	sweep(steps, _i);
}
END_TEST

/* --- the runner --------------------------------------------------------------------------------------- */

static int ignore(struct axvcpu *vcpu, struct axvcpu_exit *exit, void *ctx)
{
	(void)vcpu;
	(void)exit;
	(void)ctx;
	return AXVM_CONTINUE;
}

/* Either all of them run, or none. Returns whether there was an n-th call. */
static bool start_failing(unsigned int n, unsigned int variant)
{
	struct axvm_runner_config config = AXVM_RUNNER_CONFIG_INIT;
	struct axvm_runner *runner = NULL;
	unsigned int threads = suite_count_threads();
	struct sweep_world world;
	bool failed;
	int ret, end;

	sweep_world_begin(&world, AXVM_IRQCHIP_NONE);
	config.handler = ignore;
	config.vcpus = world.vcpus;
	config.nvcpus = SWEEP_VCPUS;
	config.stack_size = 256 * 1024;
	injector_arm(n, variant, false);
	ret = axvm_runner_start(world.vm, &config, &runner);
	injector_disarm();
	failed = injector.failed;
	if (ret) {
		ck_assert_msg(ret == injector.expected, "call %u (%s): %d, not %d; %s", n,
			      injector.failed ? injector.failed : "none", ret, injector.expected,
			      axvcpu_last_error());
		ck_assert_ptr_nonnull(strstr(axvcpu_last_error(), axvcpu_error_name(ret)));
		ck_assert_ptr_null(runner);
		suite_expect_threads(threads);
		for (int i = 0; i < SWEEP_VCPUS; i++)
			ck_assert_uint_eq(axvcpu_state(world.vcpus[i]), AXVCPU_FREE);
		ck_ok(axvm_runner_start(world.vm, &config, &runner));
		ck_ok(axvm_runner_free(runner));
	} else {
		/* It may have been a call of the runs that have begun. */
		end = axvm_runner_free(runner);
		ck_assert_msg(!end || (!injector.harmless && end == injector.expected),
			      "call %u (%s): the end: %d, %s", n,
			      injector.failed ? injector.failed : "none", end, axvcpu_last_error());
	}
	suite_expect_threads(threads);
	sweep_world_end(&world);
	return failed;
}

/* Calls to begin with, by those who start and bind; those of the runs come without an end. */
#define RUNNER_CALLS 12

START_TEST(a_runner_starts_wholly_or_not_at_all)
{
	for (unsigned int variant = 0; variant < INJECTOR_VARIANTS; variant++)
		for (unsigned int n = 1; n <= RUNNER_CALLS; n++)
			start_failing(n, variant);
}
END_TEST

static void add_tests(Suite *suite)
{
	TCase *all = suite_case(suite, "all");
	TCase *runner = suite_case(suite, "runner");

	tcase_add_loop_test(all, each_call_fails, 0, STEPS);
	tcase_add_test(runner, a_runner_starts_wholly_or_not_at_all);
}

int main(void)
{
	return suite_main("faults, more", true, add_tests);
}
