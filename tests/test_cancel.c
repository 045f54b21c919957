/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * Thread cancellation: a thread that is cancelled inside a call of the library ends after it, and
 * not in it, with a lock held or a vCPU busy. Hooks, operations of a backend and the library's own
 * system calls might all be cancellation points. Needs no KVM.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <unistd.h>

#include <axvcpu/crate.h>

#include "mock.h"
#include "suite.h"

#define GPA (UINT64_C(1) << 30)

static uint64_t page;
static struct axvm *vm;
static struct axvcpu *vcpu;
static unsigned char *memory;

/* --- code of the caller's that is a cancellation point ---------------------------------------- */

/* Set in the thread that is cancelled. */
static _Thread_local bool victim;
static atomic_bool arrived, requested;

/* Where it is cancelled, and where it would end. */
static void cancellation_point(void)
{
	if (!victim)
		return;
	atomic_store(&arrived, true);
	while (!atomic_load(&requested))
		sched_yield();
	pthread_testcancel();
}

static int hook_map(void *ctx, struct axvm_region *region)
{
	(void)ctx;
	cancellation_point();
	region->hva = memory;
	return 0;
}

static void hook_unmap(void *ctx, const struct axvm_region *region)
{
	(void)ctx;
	(void)region;
	cancellation_point();
}

static void hook_log(void *ctx, enum axvcpu_log_level level, const char *message)
{
	(void)ctx;
	(void)level;
	(void)message;
	cancellation_point();
}

static int hook_set_affinity(void *ctx, const void *set, size_t size)
{
	(void)ctx;
	(void)set;
	(void)size;
	cancellation_point();
	return 0;
}

static int hook_get_affinity(void *ctx, void *set, size_t size)
{
	(void)ctx;
	memset(set, 0xff, size);
	cancellation_point();
	return 0;
}

static int hook_alloc_frame(void *ctx, struct axvm *of, uint64_t *gpa)
{
	(void)ctx;
	(void)of;
	*gpa = GPA;
	cancellation_point();
	return 0;
}

static int hook_free_frame(void *ctx, struct axvm *of, uint64_t gpa)
{
	(void)ctx;
	(void)of;
	(void)gpa;
	cancellation_point();
	return 0;
}

static int hook_irq_fetch(void *ctx, uint64_t *vector)
{
	(void)ctx;
	*vector = 1;
	cancellation_point();
	return 1;
}

/* With the VM's locks held; operations on a vCPU are not allowed to be one. */
static void inside_op(enum mock_op op, void *arch)
{
	(void)arch;
	if (op == MOCK_VCPU_NEW || op >= MOCK_VM_MAP)
		cancellation_point();
}

static int transition(void *ctx)
{
	(void)ctx;
	cancellation_point();
	return 0;
}

/* --- the calls -------------------------------------------------------------------------------- */

static int map(void)
{
	struct axvm_region region = AXVM_REGION_INIT;

	region.gpa = GPA;
	region.len = page;
	return axvm_map(vm, &region);
}

static int unmap(void)
{
	return axvm_unmap(vm, GPA, page);
}

static void check_map(void)
{
	ck_ok(unmap());
	ck_ok(map());
}

static void check_unmap(void)
{
	ck_ok(map());
	ck_ok(unmap());
}

static void prepare_map(void)
{
	ck_ok(map());
}

/* The log hook runs with the lock held. */
static int unmap_nothing(void)
{
	return unmap() == -ENOENT ? 0 : -EINVAL;
}

static int alloc_frame(void)
{
	uint64_t gpa;

	return axvm_alloc_frame(vm, &gpa);
}

static int free_frame(void)
{
	return axvm_free_frame(vm, GPA);
}

static void check_frames(void)
{
	ck_ok(alloc_frame());
}

static int new_vcpu(void)
{
	struct axvcpu_config config = AXVCPU_CONFIG_INIT;
	struct axvcpu *another;

	config.id = 1;
	return axvcpu_new(vm, &config, &another);
}

static void check_new_vcpu(void)
{
	struct axvcpu_config config = AXVCPU_CONFIG_INIT;
	struct axvcpu *third;

	config.id = 2;
	ck_ok(axvcpu_new(vm, &config, &third));
}

static int finalize(void)
{
	return axvm_finalize(vm);
}

static void check_finalize(void)
{
	ck_ok(axvm_finalize(vm));
}

static void prepare_vcpu(void)
{
	const struct axvcpu_setup_config setup = AXVCPU_SETUP_CONFIG_INIT;

	ck_ok(axvcpu_setup(vcpu, 0, 0, &setup));
}

static int bind_unbind(void)
{
	int ret = axvcpu_bind(vcpu);

	return ret ? ret : axvcpu_unbind(vcpu);
}

static int run(void)
{
	struct axvcpu_exit exit;
	int ret = axvcpu_bind(vcpu);

	if (!ret)
		ret = axvcpu_run(vcpu, &exit);
	if (!ret && exit.kind != AXVCPU_EXIT_EXTERNAL_INTERRUPT)
		return -EINVAL;
	return ret ? ret : axvcpu_unbind(vcpu);
}

static int with_transition(void)
{
	return axvcpu_with_state_transition(vcpu, AXVCPU_FREE, AXVCPU_FREE, transition, NULL);
}

static void check_vcpu(void)
{
	struct axvcpu_exit exit;

	ck_assert_int_eq(axvcpu_state(vcpu), AXVCPU_FREE);
	ck_ok(axvcpu_bind(vcpu));
	ck_ok(axvcpu_run(vcpu, &exit));
	ck_ok(axvcpu_unbind(vcpu));
}

enum point {
	POINT_MAP = 1,
	POINT_LOG = 2,
	POINT_AFFINITY = 4,
	POINT_IRQ = 8,
	POINT_OP = 16,
	POINT_FRAME = 32,
};

static const struct {
	const char *name;
	/* The code that is a cancellation point. */
	enum point point;
	void (*prepare)(void);
	int (*call)(void);
	/* That it has been done, and that another thread gets as far. */
	void (*check)(void);
} calls[] = {
	{ "map, in the HAL", POINT_MAP, NULL, map, check_map },
	{ "map, in the backend", POINT_OP, NULL, map, check_map },
	{ "unmap, in the HAL", POINT_MAP, prepare_map, unmap, check_unmap },
	{ "unmap, in the backend", POINT_OP, prepare_map, unmap, check_unmap },
	{ "unmap, in the log", POINT_LOG, NULL, unmap_nothing, check_unmap },
	{ "alloc_frame", POINT_MAP, NULL, alloc_frame, check_frames },
	{ "alloc_frame, in the HAL", POINT_FRAME, NULL, alloc_frame, check_frames },
	{ "free_frame, in the HAL", POINT_FRAME, NULL, free_frame, check_frames },
	{ "new", POINT_OP, NULL, new_vcpu, check_new_vcpu },
	{ "finalize", POINT_OP, NULL, finalize, check_finalize },
	{ "bind", POINT_AFFINITY, prepare_vcpu, bind_unbind, check_vcpu },
	{ "run", POINT_IRQ, prepare_vcpu, run, check_vcpu },
	{ "with_state_transition", 0, prepare_vcpu, with_transition, check_vcpu },
};

/* --- the victim ------------------------------------------------------------------------------- */

static atomic_bool returned;

static void *be_cancelled(void *arg)
{
	int (*call)(void) = *(int (*const *)(void))arg;

	victim = true;
	if (call() == 0)
		atomic_store(&returned, true);
	pthread_testcancel();
	return NULL;
}

static void begin(enum point point)
{
	struct axvm_config config = AXVM_CONFIG_INIT;
	struct axvcpu_config vcpu_config = AXVCPU_CONFIG_INIT;
	struct axvcpu_hal hal = AXVCPU_HAL_INIT;
	static const unsigned long cpus = 1;

	page = (uint64_t)sysconf(_SC_PAGESIZE);
	memory = mmap(NULL, 512 * page, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	ck_assert_ptr_ne(memory, MAP_FAILED);
	mock_reset();
	if (point & POINT_OP)
		mock.hook = inside_op;
	if (point & POINT_MAP) {
		hal.map_memory = hook_map;
		hal.unmap_memory = hook_unmap;
	}
	if (point & POINT_LOG)
		hal.log = hook_log;
	if (point & POINT_AFFINITY) {
		hal.set_affinity = hook_set_affinity;
		hal.get_affinity = hook_get_affinity;
		vcpu_config.cpu_set = &cpus;
		vcpu_config.cpu_set_size = sizeof(cpus);
	}
	if (point & POINT_FRAME) {
		hal.alloc_frame = hook_alloc_frame;
		hal.free_frame = hook_free_frame;
	}
	if (point & POINT_IRQ)
		hal.irq_fetch = hook_irq_fetch;
	config.arch = &mock_ops;
	config.hal = &hal;
	config.max_vcpus = 3;
	ck_ok(axvm_new(&config, &vm));
	ck_ok(axvcpu_new(vm, &vcpu_config, &vcpu));
}

START_TEST(a_cancelled_thread_ends_after_its_call_and_not_in_it)
{
	int (*call)(void) = calls[_i].call;
	pthread_t thread;
	void *result;

	begin(calls[_i].point);
	if (calls[_i].prepare)
		calls[_i].prepare();
	ck_assert_int_eq(pthread_create(&thread, NULL, be_cancelled, &call), 0);
	while (!atomic_load(&arrived))
		sched_yield();
	ck_assert_int_eq(pthread_cancel(thread), 0);
	atomic_store(&requested, true);
	ck_assert_int_eq(pthread_join(thread, &result), 0);
	ck_assert_ptr_eq(result, PTHREAD_CANCELED);
	ck_assert_msg(returned, "%s: the thread has ended in it", calls[_i].name);
	calls[_i].check();
}
END_TEST

/* --- the library's own system calls ----------------------------------------------------------- */

static int map_memfd(void)
{
	struct axvm_region region = AXVM_REGION_INIT;

	region.gpa = GPA;
	region.len = page;
	region.backing = AXVM_MEM_MEMFD;
	return axvm_map(vm, &region);
}

/* It closes the memfd. */
static int cancel_self_and_unmap(void)
{
	pthread_cancel(pthread_self());
	return unmap();
}

static int cancel_self_and_probe(void)
{
	struct axpercpu percpu = AXPERCPU_INIT;

	pthread_cancel(pthread_self());
	/* It opens, reads and closes. Whether there is a KVM does not matter. */
	if (axpercpu_init(&percpu, 0, NULL) == 0 && axpercpu_enable(&percpu) == 0)
		axpercpu_disable(&percpu);
	return 0;
}

START_TEST(no_system_call_of_the_library_is_a_cancellation_point)
{
	static int (*const each[])(void) = { cancel_self_and_unmap, cancel_self_and_probe };
	struct axvm_region region = AXVM_REGION_INIT;
	int (*call)(void) = each[_i];
	pthread_t thread;
	void *result;

	begin(0);
	ck_ok(map_memfd());
	ck_assert_int_eq(axvm_regions(vm, 0, 1, &region), 1);
	ck_assert_int_eq(pthread_create(&thread, NULL, be_cancelled, &call), 0);
	ck_assert_int_eq(pthread_join(thread, &result), 0);
	ck_assert_ptr_eq(result, PTHREAD_CANCELED);
	ck_assert(returned);
	ck_assert_int_eq(fcntl(region.fd, F_GETFD), _i ? FD_CLOEXEC : -1);
}
END_TEST

/* --- the runner ------------------------------------------------------------------------------- */

static struct axvm_runner *runner;

static int handler(struct axvcpu *of, struct axvcpu_exit *exit, void *ctx)
{
	(void)of;
	(void)exit;
	(void)ctx;
	return AXVM_CONTINUE;
}

/* It waits for an event that never comes, and holds a lock. */
static int cancel_self_and_join(void)
{
	pthread_cancel(pthread_self());
	return axvm_runner_join(runner, 1000000) == -ETIMEDOUT ? 0 : -EINVAL;
}

START_TEST(a_cancelled_join_leaves_the_runner_to_others)
{
	struct axvm_runner_config config = AXVM_RUNNER_CONFIG_INIT;
	int (*call)(void) = cancel_self_and_join;
	pthread_t thread;
	void *result;

	begin(0);
	prepare_vcpu();
	mock.spin = true;
	config.handler = handler;
	config.vcpus = &vcpu;
	config.nvcpus = 1;
	ck_ok(axvm_runner_start(vm, &config, &runner));
	ck_assert_int_eq(pthread_create(&thread, NULL, be_cancelled, &call), 0);
	ck_assert_int_eq(pthread_join(thread, &result), 0);
	ck_assert_ptr_eq(result, PTHREAD_CANCELED);
	ck_assert(returned);
	ck_ok(axvm_runner_free(runner));
}
END_TEST

static void add_tests(Suite *suite)
{
	TCase *tcase = suite_case(suite, "cancel");

	tcase_add_loop_test(tcase, a_cancelled_thread_ends_after_its_call_and_not_in_it, 0,
			    sizeof(calls) / sizeof(calls[0]));
	tcase_add_loop_test(tcase, no_system_call_of_the_library_is_a_cancellation_point, 0, 2);
	tcase_add_test(tcase, a_cancelled_join_leaves_the_runner_to_others);
}

int main(void)
{
	return suite_main("cancel", false, add_tests);
}
