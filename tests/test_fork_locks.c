/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * A fork while the parent's other threads are anywhere in the library: the child is refused and
 * frees its copy without a lock. On the mock, so without KVM; tests/test_fork.c is about KVM's
 * part. The locks and madvise are wrapped at link time. Needs no KVM.
 */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "child.h"
#include "lib/base/compiler.h"
#include "lib/host/sys.h"
#include "mock.h"
#include "suite.h"

/* --- threads that stop with a lock in their hands --------------------------------------------- */

static bool in_child;
static _Thread_local bool stops;
/* Locks that the thread has yet to take before it stops. */
static unsigned int left;
static atomic_bool stopped, go_on;

static void stop_here(void)
{
	atomic_store(&stopped, true);
	while (!atomic_load(&go_on))
		sched_yield();
}

static void about_to_lock(void)
{
	const bool takes_a_lock = in_child;

	child_expect(!takes_a_lock);
}

static void locked(void)
{
	if (stops && left && !--left)
		stop_here();
}

#define WRAP_LOCK(name, type) \
	int __real_##name(type *lock); \
	int __wrap_##name(type *lock); \
	int __wrap_##name(type *lock) \
	{ \
		int ret; \
\
		about_to_lock(); \
		ret = __real_##name(lock); \
		locked(); \
		return ret; \
	}

WRAP_LOCK(pthread_mutex_lock, pthread_mutex_t)
WRAP_LOCK(pthread_rwlock_rdlock, pthread_rwlock_t)
WRAP_LOCK(pthread_rwlock_wrlock, pthread_rwlock_t)

/* --- kernels that do not wipe pages ----------------------------------------------------------- */

static bool wipes;

int __real_axv_sys_madvise(void *addr, size_t len, int advice);
int __wrap_axv_sys_madvise(void *addr, size_t len, int advice);
int __wrap_axv_sys_madvise(void *addr, size_t len, int advice)
{
	return advice == MADV_WIPEONFORK && !wipes ? -EINVAL
						   : __real_axv_sys_madvise(addr, len, advice);
}

/* --- a VM with one vCPU of the test's, and one that a runner runs ------------------------------ */

#define LEN 0x10000u

static struct axvm *vm;
static struct axvcpu *own, *running;
static struct axvm_runner *runner;
static uint64_t frame;

static int go(struct axvcpu *vcpu, struct axvcpu_exit *exit_, void *ctx)
{
	(void)vcpu;
	(void)exit_;
	(void)ctx;
	return AXVM_CONTINUE;
}

static int map(uint64_t gpa)
{
	struct axvm_region region = AXVM_REGION_INIT;

	region.gpa = gpa;
	region.len = LEN;
	return axvm_map(vm, &region);
}

static struct axvcpu *new_vcpu(uint32_t id)
{
	struct axvcpu_config config = AXVCPU_CONFIG_INIT;
	struct axvcpu *vcpu = NULL;

	config.id = id;
	ck_ok(axvcpu_new(vm, &config, &vcpu));
	ck_ok(axvcpu_setup(vcpu, 0, 0, NULL));
	return vcpu;
}

static void start(bool wiped)
{
	struct axvm_config config = AXVM_CONFIG_INIT;
	struct axvm_runner_config runner_config = AXVM_RUNNER_CONFIG_INIT;

	wipes = wiped;
	mock_reset();
	mock.spin = true;
	config.arch = &mock_ops;
	config.max_vcpus = 4;
	ck_ok(axvm_new(&config, &vm));
	ck_ok(map(0));
	ck_ok(map(2 * LEN));
	ck_ok(axvm_alloc_frame(vm, &frame));
	own = new_vcpu(0);
	running = new_vcpu(1);
	ck_ok(axvcpu_bind(own));
	runner_config.handler = go;
	runner_config.vcpus = &running;
	runner_config.nvcpus = 1;
	ck_ok(axvm_runner_start(vm, &runner_config, &runner));
	while (!atomic_load(&mock.inside))
		sched_yield();
}

static void end(void)
{
	ck_assert_int_eq(axvcpu_state(own), AXVCPU_READY);
	ck_ok(axvm_runner_free(runner));
	ck_ok(axvcpu_unbind(own));
	ck_ok(axvcpu_free(own));
	ck_ok(axvcpu_free(running));
	ck_ok(axvm_free(vm));
}

/* --- children --------------------------------------------------------------------------------- */

static void call_all_and_free(void)
{
	in_child = true;
	/* That a lock is not free shows only as a hang. */
	child_calls_all(vm, own, runner);
	child_calls_all(vm, running, runner);
	child_expect(axvcpu_state(running) == AXVCPU_RUNNING);
	child_expect(!axvm_runner_free(runner));
	child_expect(!axvcpu_free(running));
	child_expect(!axvcpu_free(own));
	child_expect(!axvm_free(vm));
	/* Changes in progress at the fork leak, and so do queued requests. */
	_exit(0);
}

static void a_child_in_every_way(void)
{
	/* ThreadSanitizer has its own locks, which it handles only in libc's fork. */
	for (int way = 0; way < (SUITE_TSAN ? CHILD_RAW : CHILD_WAYS); way++)
		child_run((enum child_way)way, call_all_and_free);
}

/* --- operations of another thread -------------------------------------------------------------- */

static int do_map(void)
{
	return map(8 * LEN);
}

static int do_unmap(void)
{
	return axvm_unmap(vm, 2 * LEN, LEN);
}

static int do_read(void)
{
	char byte;

	return axvm_read(vm, 0, &byte, 1);
}

static int do_translate(void)
{
	void *ptr;

	return axvm_translate(vm, 0, 1, &ptr);
}

static int do_regions(void)
{
	return axvm_regions(vm, 0, 0, NULL);
}

static int do_free_frame(void)
{
	return axvm_free_frame(vm, frame);
}

static int do_new(void)
{
	struct axvcpu_config config = AXVCPU_CONFIG_INIT;
	struct axvcpu *vcpu;

	config.id = 2;
	return axvcpu_new(vm, &config, &vcpu);
}

static int do_inject(void)
{
	return axvcpu_inject_interrupt(own, 1);
}

static int do_inject_set(void)
{
	const uint64_t set = 1;

	return axvm_inject_interrupt(vm, &set, 1, 1);
}

static void end_function(struct axvm *of, uint32_t gsi, void *ctx)
{
	(void)of;
	(void)gsi;
	(void)ctx;
}

static int do_set_irq_end(void)
{
	return axvm_set_irq_end(vm, 5, end_function, NULL);
}

static int do_join(void)
{
	return axvm_runner_join(runner, 1);
}

static const struct {
	const char *name;
	int (*act)(void);
	/* Its return value. */
	int result;
	/* Locks that it takes at least. */
	unsigned int locks;
} acts[] = {
	{ "map", do_map, 0, 1 },
	{ "unmap", do_unmap, 0, 1 },
	{ "read", do_read, 0, 0 },
	{ "translate", do_translate, 0, 0 },
	{ "regions", do_regions, 3, 0 },
	{ "free_frame", do_free_frame, 0, 1 },
	{ "new", do_new, -EBUSY, 1 },
	{ "inject", do_inject, 0, 1 },
	{ "inject into a set", do_inject_set, 0, 1 },
	{ "set_irq_end", do_set_irq_end, -ENOTSUP, 1 },
	{ "join", do_join, -ETIMEDOUT, 1 },
};

static void *act(void *arg)
{
	const unsigned int *i = arg;
	int ret;

	stops = true;
	ret = acts[*i].act();
	stops = false;
	atomic_store(&stopped, true);
	ck_assert_int_eq(ret, acts[*i].result);
	return NULL;
}

/* Whether the thread took so many locks. */
static bool fork_at_lock(unsigned int i, unsigned int n, bool wiped)
{
	pthread_t thread;
	bool reached;

	start(wiped);
	left = n;
	atomic_store(&stopped, false);
	atomic_store(&go_on, false);
	ck_assert_int_eq(pthread_create(&thread, NULL, act, &i), 0);
	while (!atomic_load(&stopped))
		sched_yield();
	reached = !left;
	if (reached)
		a_child_in_every_way();
	atomic_store(&go_on, true);
	ck_assert_int_eq(pthread_join(thread, NULL), 0);
	end();
	return reached;
}

START_TEST(child_waits_for_no_lock_that_a_thread_held_at_the_fork)
{
	for (int wiped = 0; wiped < 2; wiped++) {
		unsigned int n = 0;

		while (fork_at_lock((unsigned int)_i, n + 1, wiped))
			n++;
		ck_assert_msg(n >= acts[_i].locks, "%s takes %u locks", acts[_i].name, n);
	}
}
END_TEST

/* --- operations in progress in another thread --------------------------------------------------- */

static enum mock_op stop_at;

static void stop_inside(enum mock_op op, void *arch)
{
	(void)arch;
	if (op == stop_at && stops)
		stop_here();
}

static void *get_reg(void *arg)
{
	uint64_t value;
	int ret;

	stops = true;
	ret = axvcpu_get_reg(own, 0, &value);
	stops = false;
	ck_ok(ret);
	return arg;
}

START_TEST(child_waits_for_no_operation_that_a_thread_was_inside_of)
{
	pthread_t thread;

	start(_i);
	mock.hook = stop_inside;
	stop_at = MOCK_GET_REG;
	atomic_store(&stopped, false);
	atomic_store(&go_on, false);
	ck_assert_int_eq(pthread_create(&thread, NULL, get_reg, NULL), 0);
	while (!atomic_load(&stopped))
		sched_yield();
	a_child_in_every_way();
	atomic_store(&go_on, true);
	ck_assert_int_eq(pthread_join(thread, NULL), 0);
	mock.hook = NULL;
	end();
}
END_TEST

/* --- children that are no copies ---------------------------------------------------------------- */

static uint64_t seen;
static int results[4];

/* In a child that has the memory of its parent, which waits meanwhile. */
static void use(void)
{
	results[0] = axvcpu_get_reg(own, 3, &seen);
	results[1] = axvm_set(vm, 0, 0x5a, 1);
	results[2] = axvcpu_inject_interrupt(own, 9);
	results[3] = axvcpu_kick(own);
}

static int use_and_return(void *arg)
{
	(void)arg;
	use();
	return 0;
}

static noinline pid_t start_sharing_child(bool by_vfork)
{
	static char stack[65536] __attribute__((aligned(16)));
	pid_t pid;

	if (!by_vfork)
		return clone(use_and_return, stack + sizeof(stack), CLONE_VM | SIGCHLD, NULL);
	pid = vfork();
	if (!pid) {
		use();
		_exit(0);
	}
	return pid;
}

START_TEST(child_with_the_memory_of_its_parent_is_the_same_process)
{
	struct axvcpu_exit exit_;
	char byte = 0;

	start(true);
	/* The mock has one kick for all of its vCPUs. */
	ck_ok(axvm_runner_free(runner));
	runner = NULL;
	atomic_store(&mock.kicked, false);
	mock.regs[3] = 0x1234;
	child_end(start_sharing_child(_i));
	for (unsigned int i = 0; i < ARRAY_SIZE(results); i++)
		ck_assert_int_eq(results[i], 0);
	ck_assert_uint_eq(seen, 0x1234);
	ck_ok(axvm_read(vm, 0, &byte, 1));
	ck_assert_int_eq(byte, 0x5a);
	/* It is the thread that owns the vCPU, or left its request for it. */
	ck_ok(axvcpu_run(own, &exit_));
	ck_assert_uint_eq(exit_.kicked, 1);
	ck_assert_uint_eq(mock.nvectors, 1);
	ck_assert_uint_eq(mock.vectors[0], 9);
	end();
}
END_TEST

/* ---------------------------------------------------------------------------------------------- */

static void add_tests(Suite *suite)
{
	TCase *tcase = suite_case(suite, "locks");

	tcase_add_loop_test(tcase, child_waits_for_no_lock_that_a_thread_held_at_the_fork, 0,
			    (int)ARRAY_SIZE(acts));
	tcase_add_loop_test(tcase, child_waits_for_no_operation_that_a_thread_was_inside_of, 0, 2);
	/* ThreadSanitizer makes a fork of a vfork. */
	if (!SUITE_TSAN)
		tcase_add_loop_test(tcase, child_with_the_memory_of_its_parent_is_the_same_process,
				    0, 2);
}

int main(void)
{
	return suite_main("fork_locks", false, add_tests);
}
