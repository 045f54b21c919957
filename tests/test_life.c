/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * The life of a VM on an architecture without hardware: every call in every status, from every kind
 * of thread; why a run ended; the list of vCPUs while others are created and freed. Needs nothing.
 */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <unistd.h>

#include "child.h"
#include "mock.h"
#include "suite.h"

static struct axvm *vm;
static struct axvcpu *vcpu;
static struct axvm_runner *runner;
static struct axvm_runner *second;

/* What the handler does. */
static atomic_int result;
/* It waits until this is false. */
static atomic_bool linger;
static atomic_bool lingers;
/* The handler calls this once, if it is set. */
static void (*_Atomic job)(void);
static atomic_bool job_done;

static int handle(struct axvcpu *v, struct axvcpu_exit *exit, void *ctx)
{
	void (*fn)(void) = atomic_exchange(&job, NULL);

	(void)v;
	(void)exit;
	(void)ctx;
	if (fn) {
		fn();
		atomic_store(&job_done, true);
	}
	while (atomic_load(&linger)) {
		atomic_store(&lingers, true);
		usleep(1000);
	}
	return atomic_load(&result);
}

static struct axvm_status_info status(void)
{
	struct axvm_status_info info = AXVM_STATUS_INFO_INIT;

	ck_ok(axvm_get_status(vm, &info));
	return info;
}

#define ck_status(expected) \
	do { \
		uint32_t is_ = status().status; \
		ck_assert_msg(is_ == (expected), "the VM is %s, not %s", axvm_status_name(is_), \
			      axvm_status_name(expected)); \
	} while (0)

#define ck_end(reason_, vcpu_, error_, exit_, text_) \
	do { \
		struct axvm_status_info info_ = status(); \
		ck_assert_str_eq(axvm_end_reason_name(info_.reason), \
				 axvm_end_reason_name(reason_)); \
		ck_assert_uint_eq(info_.vcpu, (vcpu_)); \
		ck_assert_int_eq(info_.error, (error_)); \
		ck_assert_uint_eq(info_.exit_kind, (exit_)); \
		ck_assert_msg(strstr(info_.text, (text_)), "\"%s\"", info_.text); \
	} while (0)

static int start(struct axvm_runner **out)
{
	struct axvm_runner_config config = AXVM_RUNNER_CONFIG_INIT;

	config.handler = handle;
	return axvm_runner_start(vm, &config, out);
}

static void create(void)
{
	mock_start(&vm, &vcpu, 0);
	ck_ok(axvcpu_setup(vcpu, 0x1000, 0, NULL));
	/* Operations of several threads overlap here. */
	mock.vcpu = NULL;
}

static void destroy(void)
{
	axvm_runner_free(second);
	axvm_runner_free(runner);
	ck_ok(axvcpu_free(vcpu));
	ck_ok(axvm_free(vm));
}

/* --- every call in every status --------------------------------------------------------------- */

/* Brings a new VM, with a runner, into a status. */
static void enter_status(enum axvm_status to)
{
	create();
	ck_status(AXVM_STATUS_READY);
	ck_ok(start(&runner));
	ck_status(AXVM_STATUS_RUNNING);
	switch (to) {
	case AXVM_STATUS_READY:
		ck_ok(axvm_runner_stop(runner));
		ck_ok(axvm_runner_join(runner, -1));
		ck_ok(axvm_reset(vm, 0));
		break;
	case AXVM_STATUS_RUNNING:
		break;
	case AXVM_STATUS_PAUSED:
		ck_ok(axvm_runner_pause(runner, -1));
		break;
	case AXVM_STATUS_STOPPING:
		atomic_store(&linger, true);
		while (!atomic_load(&lingers))
			sched_yield();
		ck_ok(axvm_runner_stop(runner));
		break;
	case AXVM_STATUS_STOPPED:
		ck_ok(axvm_runner_stop(runner));
		ck_ok(axvm_runner_join(runner, -1));
		break;
	case AXVM_STATUS_FAILED:
		atomic_store(&result, -EPIPE);
		ck_fails(axvm_runner_join(runner, -1), EPIPE);
		atomic_store(&result, AXVM_CONTINUE);
		break;
	}
	ck_status(to);
}

static int call_start(void)
{
	return start(&second);
}

static int call_pause(void)
{
	return axvm_runner_pause(runner, -1);
}

static int call_resume(void)
{
	return axvm_runner_resume(runner);
}

static int call_stop(void)
{
	return axvm_runner_stop(runner);
}

static int call_reset(void)
{
	return axvm_reset(vm, AXVM_RESET_MEMORY);
}

/* The call is refused, except stop, which then changes nothing. */
#define NO (-1)
#define READY AXVM_STATUS_READY
#define RUNNING AXVM_STATUS_RUNNING
#define PAUSED AXVM_STATUS_PAUSED
#define STOPPING AXVM_STATUS_STOPPING

static const struct call {
	int (*call)(void);
	const char *name;
	/* The status after the call, by the one before. */
	int to[AXVM_STATUS_FAILED + 1];
	/* What the message of a refusal says must be. */
	const char *allowed;
} calls[] = {
	{ call_start,
	  "start",
	  { RUNNING, NO, NO, NO, RUNNING, RUNNING },
	  "ready or stopped or failed" },
	{ call_pause, "pause", { NO, PAUSED, PAUSED, NO, NO, NO }, "running or paused" },
	{ call_resume, "resume", { NO, RUNNING, RUNNING, NO, NO, NO }, "running or paused" },
	{ call_stop, "stop", { NO, STOPPING, STOPPING, NO, NO, NO }, NULL },
	{ call_reset,
	  "reset",
	  { READY, NO, PAUSED, NO, READY, READY },
	  "ready or paused or stopped" },
};
#define CALLS (sizeof(calls) / sizeof(calls[0]))
#define STATUSES (AXVM_STATUS_FAILED + 1)

static const struct call *call;
static enum axvm_status from;

static void make_the_call(void)
{
	if (call->to[from] != NO || call->call == call_stop) {
		ck_ok(call->call());
		return;
	}
	ck_fails_saying(call->call(), EBADFD, axvm_status_name(from));
	ck_assert_ptr_nonnull(strstr(axvcpu_last_error(), call->name));
	ck_assert_ptr_nonnull(strstr(axvcpu_last_error(), call->allowed));
}

static void *in_a_thread(void *arg)
{
	(void)arg;
	make_the_call();
	return NULL;
}

/* In a handler, which runs only in some of them. */
static void make_the_call_inside(void)
{
	if (call->call == call_pause)
		ck_fails_saying(call->call(), EBUSY, "own threads");
	else
		make_the_call();
}

static void in_a_child(void)
{
	struct axvm_status_info info = AXVM_STATUS_INFO_INIT;
	struct axvcpu *list[1];

	for (size_t i = 0; i < CALLS; i++)
		child_expect(calls[i].call() == -EPERM);
	child_expect_eperm(axvm_get_status(vm, &info));
	child_expect_eperm(axvm_runner_kill(runner));
	child_expect_eperm(axvm_vcpus(vm, 0, 1, list));
	child_expect(!axvm_vcpu(vm, 0));
}

static void expect_status(int to)
{
	if (to == NO)
		to = (int)from;
	/* Its threads end by themselves. */
	if (to == STOPPING && from != AXVM_STATUS_STOPPING) {
		ck_ok(axvm_runner_join(runner, -1));
		to = AXVM_STATUS_STOPPED;
	}
	ck_status((enum axvm_status)to);
}

START_TEST(every_call_in_every_status_does_as_the_table_says)
{
	const bool here = _i % 2;
	pthread_t other;

	from = (enum axvm_status)(_i / 2 % STATUSES);
	call = &calls[_i / 2 / STATUSES];
	enter_status(from);
	if (here) {
		make_the_call();
	} else {
		ck_assert_int_eq(pthread_create(&other, NULL, in_a_thread, NULL), 0);
		pthread_join(other, NULL);
	}
	expect_status(call->to[from]);
	atomic_store(&linger, false);
	destroy();
}
END_TEST

START_TEST(every_call_of_a_handler_does_as_the_table_says)
{
	from = AXVM_STATUS_RUNNING;
	call = &calls[_i];
	enter_status(from);
	atomic_store(&job, make_the_call_inside);
	while (!atomic_load(&job_done))
		sched_yield();
	/* A thread of the runner cannot wait for itself. */
	expect_status(call->call == call_pause ? NO : call->to[from]);
	destroy();
}
END_TEST

START_TEST(every_call_of_a_forked_child_is_refused_in_every_status)
{
	from = (enum axvm_status)_i;
	enter_status(from);
	/*
	 * AddressSanitizer's locks are not for a fork: one that a thread holds as it ends stays
	 * locked in the child.
	 */
	if (from != RUNNING && from != PAUSED && from != STOPPING)
		suite_expect_threads(1);
	child_run(CHILD_FORK, in_a_child);
	expect_status(NO);
	atomic_store(&linger, false);
	destroy();
}
END_TEST

static void stop_and_try_all(void)
{
	from = AXVM_STATUS_STOPPING;
	ck_ok(axvm_runner_stop(runner));
	for (size_t i = 0; i < CALLS; i++) {
		call = &calls[i];
		make_the_call_inside();
		ck_status(AXVM_STATUS_STOPPING);
	}
}

START_TEST(a_handler_of_a_stopping_vm_changes_nothing)
{
	create();
	ck_ok(start(&runner));
	atomic_store(&job, stop_and_try_all);
	ck_ok(axvm_runner_join(runner, -1));
	ck_assert(atomic_load(&job_done));
	ck_status(AXVM_STATUS_STOPPED);
	destroy();
}
END_TEST

START_TEST(a_runner_that_has_ended_does_not_stop_the_next_one)
{
	create();
	ck_ok(start(&runner));
	ck_ok(axvm_runner_stop(runner));
	ck_ok(axvm_runner_join(runner, -1));
	ck_ok(start(&second));
	ck_ok(axvm_runner_stop(runner));
	ck_status(AXVM_STATUS_RUNNING);
	ck_fails_saying(axvm_runner_pause(runner, -1), EBADFD, "this runner has ended");
	ck_fails_saying(axvm_runner_resume(runner), EBADFD, "this runner has ended");
	ck_ok(axvm_runner_free(runner));
	runner = NULL;
	ck_status(AXVM_STATUS_RUNNING);
	destroy();
}
END_TEST

START_TEST(the_end_of_a_paused_runner_ends_the_pause)
{
	create();
	for (int i = 0; i < 20; i++) {
		unsigned int before;

		ck_ok(start(&runner));
		before = atomic_load(&mock.calls[MOCK_RUN]);
		/* Otherwise the vCPU would never come to run. */
		while (atomic_load(&mock.calls[MOCK_RUN]) == before)
			sched_yield();
		ck_ok(axvm_runner_pause(runner, -1));
		ck_status(AXVM_STATUS_PAUSED);
		ck_ok(axvm_runner_free(runner));
		runner = NULL;
		ck_status(AXVM_STATUS_STOPPED);
	}
	destroy();
}
END_TEST

static void *start_one(void *arg)
{
	struct axvm_runner **own = arg;
	int ret = start(own);

	ck_assert(ret == 0 || ret == -EBADFD || ret == -EBUSY);
	return NULL;
}

START_TEST(of_several_starts_at_the_same_time_one_succeeds)
{
	struct axvm_runner *runners[4] = { NULL };
	pthread_t threads[4];
	int started = 0;

	create();
	for (int i = 0; i < 4; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, start_one, &runners[i]), 0);
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	for (int i = 0; i < 4; i++)
		started += !!runners[i];
	ck_assert_int_eq(started, 1);
	ck_status(AXVM_STATUS_RUNNING);
	for (int i = 0; i < 4; i++)
		ck_ok(axvm_runner_free(runners[i]));
	destroy();
}
END_TEST

static atomic_bool over;

static void *look(void *arg)
{
	(void)arg;
	while (!atomic_load(&over)) {
		struct axvm_status_info info = status();

		/* Status and reason belong together. */
		ck_assert(!info.reason == (info.status < AXVM_STATUS_STOPPED));
		ck_assert_uint_ne(info.status, AXVM_STATUS_FAILED);
	}
	return NULL;
}

static void *pause_and_resume(void *arg)
{
	(void)arg;
	while (!atomic_load(&over)) {
		int ret = axvm_runner_pause(runner, -1);

		ck_assert(ret == 0 || ret == -EBADFD);
		ret = axvm_runner_resume(runner);
		ck_assert(ret == 0 || ret == -EBADFD);
	}
	return NULL;
}

START_TEST(threads_that_pause_stop_and_look_at_the_same_time_leave_it_stopped)
{
	create();
	for (unsigned int i = 0; i < 20 + suite_scale(200); i++) {
		pthread_t threads[3];

		ck_ok(start(&runner));
		atomic_store(&over, false);
		ck_assert_int_eq(pthread_create(&threads[0], NULL, look, NULL), 0);
		ck_assert_int_eq(pthread_create(&threads[1], NULL, pause_and_resume, NULL), 0);
		ck_assert_int_eq(pthread_create(&threads[2], NULL, pause_and_resume, NULL), 0);
		usleep(i % 8 * 100);
		ck_ok(axvm_runner_stop(runner));
		ck_ok(axvm_runner_join(runner, -1));
		ck_status(AXVM_STATUS_STOPPED);
		atomic_store(&over, true);
		for (int k = 0; k < 3; k++)
			pthread_join(threads[k], NULL);
		ck_status(AXVM_STATUS_STOPPED);
		ck_ok(axvm_runner_free(runner));
	}
	runner = NULL;
	destroy();
}
END_TEST

/* --- why it ended ----------------------------------------------------------------------------- */

START_TEST(a_stop_is_a_clean_end_that_outlives_the_runner)
{
	create();
	ck_assert_uint_eq(status().reason, AXVM_END_NONE);
	ck_ok(start(&runner));
	ck_assert_uint_eq(status().reason, AXVM_END_NONE);
	ck_ok(axvm_runner_free(runner));
	runner = NULL;
	ck_status(AXVM_STATUS_STOPPED);
	ck_end(AXVM_END_CLEAN, AXVM_NO_VCPU, 0, AXVCPU_EXIT_NOTHING, "");
	ck_ok(axvm_reset(vm, 0));
	ck_assert_uint_eq(status().reason, AXVM_END_NONE);
	destroy();
}
END_TEST

static const struct {
	enum axvcpu_exit_kind kind;
	enum axvm_status status;
	enum axvm_end_reason reason;
} last_exits[] = {
	{ AXVCPU_EXIT_SYSTEM_DOWN, AXVM_STATUS_STOPPED, AXVM_END_POWERED_OFF },
	{ AXVCPU_EXIT_SYSTEM_RESET, AXVM_STATUS_STOPPED, AXVM_END_RESET },
	{ AXVCPU_EXIT_SHUTDOWN, AXVM_STATUS_FAILED, AXVM_END_FAULT },
	{ AXVCPU_EXIT_INTERNAL_ERROR, AXVM_STATUS_FAILED, AXVM_END_FAULT },
	{ AXVCPU_EXIT_FAIL_ENTRY, AXVM_STATUS_FAILED, AXVM_END_FAULT },
};
#define LAST_EXITS (sizeof(last_exits) / sizeof(last_exits[0]))

static void stop_the_runner(void)
{
	ck_ok(axvm_runner_stop(runner));
}

START_TEST(the_exit_after_which_a_run_ends_is_the_reason_and_a_reset_makes_it_run_again)
{
	create();
	mock.exit.kind = last_exits[_i].kind;
	atomic_store(&result, AXVM_STOP);
	for (int i = 0; i < 3; i++) {
		ck_ok(start(&runner));
		ck_ok(axvm_runner_join(runner, -1));
		ck_ok(axvm_runner_free(runner));
		runner = NULL;
		ck_status(last_exits[_i].status);
		ck_end(last_exits[_i].reason, 0, 0, last_exits[_i].kind,
		       axvcpu_exit_name(last_exits[_i].kind));
		ck_ok(axvm_reset(vm, 0));
		ck_status(AXVM_STATUS_READY);
		ck_assert_uint_eq(mock.entry, 0x1000);
	}
	/* The same if the handler stops the runner in another way. */
	atomic_store(&result, AXVM_CONTINUE);
	atomic_store(&linger, true);
	ck_ok(start(&runner));
	while (!atomic_load(&lingers))
		sched_yield();
	stop_the_runner();
	atomic_store(&linger, false);
	ck_ok(axvm_runner_join(runner, -1));
	ck_assert_uint_eq(status().reason, last_exits[_i].reason);
	destroy();
}
END_TEST

START_TEST(an_error_is_the_reason_with_its_message_even_after_a_power_off)
{
	create();
	mock.exit.kind = AXVCPU_EXIT_SYSTEM_DOWN;
	ck_ok(start(&runner));
	/* The handler continues, and the run is refused. */
	ck_fails(axvm_runner_join(runner, -1), EBADFD);
	ck_status(AXVM_STATUS_FAILED);
	ck_end(AXVM_END_FAULT, 0, -EBADFD, AXVCPU_EXIT_SYSTEM_DOWN, "terminal exit (SYSTEM_DOWN)");
	ck_fails(axvm_runner_free(runner), EBADFD);
	runner = NULL;
	ck_ok(axvm_reset(vm, 0));
	mock.exit.kind = AXVCPU_EXIT_NOTHING;
	atomic_store(&result, -EPIPE);
	ck_ok(start(&runner));
	ck_fails(axvm_runner_join(runner, -1), EPIPE);
	ck_end(AXVM_END_FAULT, 0, -EPIPE, AXVCPU_EXIT_NOTHING, "");
	destroy();
}
END_TEST

static void sleep_long(void)
{
	/* ThreadSanitizer loses track of a thread that is cancelled in a call that it intercepts. */
	while (SUITE_TSAN) {
		pthread_testcancel();
		sched_yield();
	}
	sleep(SUITE_TIMEOUT);
}

START_TEST(a_kill_ends_a_handler_that_sleeps)
{
	create();
	atomic_store(&job, sleep_long);
	ck_ok(start(&runner));
	while (atomic_load(&job))
		sched_yield();
	ck_ok(axvm_runner_kill(runner));
	ck_fails(axvm_runner_join(runner, -1), ECANCELED);
	ck_status(AXVM_STATUS_STOPPED);
	ck_end(AXVM_END_FORCED, 0, -ECANCELED, AXVCPU_EXIT_NOTHING, "");
	ck_fails(axvm_runner_free(runner), ECANCELED);
	runner = NULL;
	ck_assert_int_eq(axvcpu_state(vcpu), AXVCPU_FREE);
	ck_ok(start(&runner));
	ck_status(AXVM_STATUS_RUNNING);
	destroy();
}
END_TEST

START_TEST(a_kill_of_vcpus_in_the_guest_ends_them_as_a_stop_does)
{
	create();
	mock.spin = true;
	ck_ok(start(&runner));
	while (!atomic_load(&mock.inside))
		sched_yield();
	ck_ok(axvm_runner_kill(runner));
	ck_ok(axvm_runner_kill(runner));
	axvm_runner_join(runner, -1);
	ck_status(AXVM_STATUS_STOPPED);
	ck_assert_uint_eq(status().reason, AXVM_END_FORCED);
	ck_ok(axvm_runner_kill(runner));
	destroy();
}
END_TEST

START_TEST(names_and_short_structs)
{
	struct axvm_status_info info;

	ck_assert_str_eq(axvm_status_name(AXVM_STATUS_FAILED), "failed");
	ck_assert_str_eq(axvm_status_name(AXVM_STATUS_FAILED + 1), "?");
	ck_assert_str_eq(axvm_end_reason_name(AXVM_END_POWERED_OFF), "powered off");
	ck_assert_str_eq(axvm_end_reason_name(AXVM_END_FAULT + 1), "?");
	create();
	memset(&info, 0x5a, sizeof(info));
	info.size = 8;
	ck_fails_saying(axvm_get_status(vm, &info), EINVAL, "size is 8");
	info.size = 12;
	ck_ok(axvm_get_status(vm, &info));
	ck_assert_uint_eq(info.status, AXVM_STATUS_READY);
	ck_assert_uint_eq(info.reason, 0x5a5a5a5a);
	destroy();
}
END_TEST

/* --- as data and text ------------------------------------------------------------------------- */

START_TEST(the_config_is_the_one_in_effect)
{
	struct axvm_config config = AXVM_CONFIG_INIT, is = AXVM_CONFIG_INIT;
	struct axvm_sysreg_range sysregs[2] = { { 1, 2, AXVCPU_ACCESS_READ, 0 },
						{ 3, 4, AXVCPU_ACCESS_WRITE, 0 } };

	mock_reset();
	config.arch = &mock_ops;
	config.id = 77;
	config.sysregs = sysregs;
	config.nsysregs = 2;
	config.arch_config = sysregs;
	ck_ok(axvm_new(&config, &vm));
	memset(sysregs, 0, sizeof(sysregs));
	is.size = 8;
	ck_fails_saying(axvm_get_config(vm, &is), EINVAL, "size is 8");
	is.size = sizeof(is);
	ck_ok(axvm_get_config(vm, &is));
	ck_assert_ptr_eq(is.arch, &mock_ops);
	ck_assert_uint_eq(is.id, 77);
	ck_assert_uint_eq(is.max_vcpus, 1);
	ck_assert_uint_eq(is.gpa_bits, 64);
	ck_assert_int_gt(is.kick_signal, 0);
	ck_assert(is.hal->map_memory);
	ck_assert_uint_eq(is.nsysregs, 2);
	ck_assert_uint_eq(is.sysregs[1].base, 3);
	ck_assert_uint_eq(is.sysregs[1].access, AXVCPU_ACCESS_WRITE);
	ck_assert_ptr_null(is.arch_config);
	ck_ok(axvm_free(vm));
}
END_TEST

START_TEST(a_description_has_config_status_memory_and_vcpus)
{
	static const char *const parts[] = { "VM 7: mock, no irqchip, 64 address bits",
					     "status: failed, end: fault, vCPU 0:",
					     "memory: 0x10000 +0x1000 memfd, read-only\n",
					     "vCPUs: 1 of 1\n", "vCPU 0: Free, power on\n" };
	struct axvm_region region = AXVM_REGION_INIT;
	char text[1024], cut[16];
	int len;

	create();
	region.gpa = 0x10000;
	region.len = 0x1000;
	region.backing = AXVM_MEM_MEMFD;
	region.flags = AXVM_MEM_READONLY;
	ck_ok(axvm_map(vm, &region));
	atomic_store(&result, -EPIPE);
	ck_ok(start(&runner));
	ck_fails(axvm_runner_join(runner, -1), EPIPE);
	len = axvm_describe(vm, text, sizeof(text));
	ck_assert_int_eq(len, (int)strlen(text));
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		ck_assert_msg(strstr(text, parts[i]), "\"%s\" is not in: %s", parts[i], text);
	ck_assert_int_eq(axvm_describe(vm, NULL, 0), len);
	ck_assert_int_eq(axvm_describe(vm, cut, sizeof(cut)), len);
	ck_assert_int_eq((int)strlen(cut), (int)sizeof(cut) - 1);
	ck_assert_int_eq(strncmp(cut, text, sizeof(cut) - 1), 0);
	destroy();
}
END_TEST

/* --- reset ------------------------------------------------------------------------------------ */

START_TEST(a_reset_needs_vcpus_that_rest)
{
	struct axvcpu_exit exit;

	create();
	ck_fails_saying(axvm_reset(vm, 2), EINVAL, "unknown flags 0x2");
	ck_ok(axvcpu_bind(vcpu));
	ck_ok(axvcpu_run(vcpu, &exit));
	/* The owner may reset what it owns. */
	ck_ok(axvm_reset(vm, 0));
	ck_assert_int_eq(axvcpu_state(vcpu), AXVCPU_READY);
	ck_assert_uint_eq(atomic_load(&mock.calls[MOCK_RESET]), 1);
	mock.ret[MOCK_RESET] = -EIO;
	ck_assert_int_eq(axvm_reset(vm, 0), -EIO);
	mock.ret[MOCK_RESET] = 0;
	ck_ok(axvm_reset(vm, 0));
	ck_ok(axvcpu_unbind(vcpu));
	destroy();
}
END_TEST

static atomic_bool bound;

static void *own(void *arg)
{
	(void)arg;
	ck_ok(axvcpu_bind(vcpu));
	atomic_store(&bound, true);
	while (!atomic_load(&over))
		usleep(1000);
	ck_ok(axvcpu_unbind(vcpu));
	return NULL;
}

START_TEST(a_reset_of_a_vcpu_that_another_thread_may_run_is_refused)
{
	pthread_t owner;

	create();
	ck_assert_int_eq(pthread_create(&owner, NULL, own, NULL), 0);
	while (!atomic_load(&bound))
		sched_yield();
	ck_fails_saying(axvm_reset(vm, 0), EBUSY, "vCPU 0 is Ready");
	ck_assert_uint_eq(atomic_load(&mock.calls[MOCK_RESET]), 0);
	atomic_store(&over, true);
	pthread_join(owner, NULL);
	ck_ok(axvm_reset(vm, 0));
	destroy();
}
END_TEST

START_TEST(a_backend_without_reset_is_named)
{
	struct axvm_config config = AXVM_CONFIG_INIT;
	struct axvcpu_arch_ops ops = mock_ops;

	mock_reset();
	ops.reset = NULL;
	config.arch = &ops;
	ck_ok(axvm_new(&config, &vm));
	ck_fails_saying(axvm_reset(vm, 0), ENOTSUP, "mock");
	ck_ok(axvm_free(vm));
}
END_TEST

/* --- the list of vCPUs ------------------------------------------------------------------------ */

#define LISTED 64

/* Threads inside vcpu_new and vcpu_free. */
static atomic_int inside;

static int lonely_new(void *arch_vm, const struct axvcpu_config *config, void **arch_vcpu)
{
	(void)arch_vm;
	(void)config;
	ck_assert_int_eq(atomic_fetch_add(&inside, 1), 0);
	*arch_vcpu = &mock;
	sched_yield();
	atomic_fetch_sub(&inside, 1);
	return 0;
}

static void lonely_free(void *arch_vcpu)
{
	(void)arch_vcpu;
	ck_assert_int_eq(atomic_fetch_add(&inside, 1), 0);
	sched_yield();
	atomic_fetch_sub(&inside, 1);
}

static struct axvcpu_arch_ops lonely_ops;

static void create_for_a_list(void)
{
	struct axvm_config config = AXVM_CONFIG_INIT;

	mock_reset();
	lonely_ops = mock_ops;
	lonely_ops.vcpu_new = lonely_new;
	lonely_ops.vcpu_free = lonely_free;
	config.arch = &lonely_ops;
	config.max_vcpus = LISTED;
	ck_ok(axvm_new(&config, &vm));
}

static struct axvcpu *new_vcpu(uint32_t id)
{
	struct axvcpu_config config = AXVCPU_CONFIG_INIT;
	struct axvcpu *created;

	config.id = id;
	ck_ok(axvcpu_new(vm, &config, &created));
	return created;
}

START_TEST(vcpus_are_found_by_id_and_listed_in_order)
{
	static const uint32_t ids[] = { 7, 0, 63, 5 };
	struct axvcpu *list[LISTED] = { NULL };

	create_for_a_list();
	ck_assert_int_eq(axvm_vcpus(vm, 0, 0, NULL), 0);
	for (int i = 0; i < 4; i++)
		new_vcpu(ids[i]);
	ck_assert_int_eq(axvm_vcpus(vm, 0, LISTED, list), 4);
	ck_assert_uint_eq(axvcpu_id(list[0]), 0);
	ck_assert_uint_eq(axvcpu_id(list[1]), 5);
	ck_assert_uint_eq(axvcpu_id(list[2]), 7);
	ck_assert_uint_eq(axvcpu_id(list[3]), 63);
	ck_assert_ptr_null(list[4]);
	list[1] = NULL;
	ck_assert_int_eq(axvm_vcpus(vm, 2, 1, list), 4);
	ck_assert_uint_eq(axvcpu_id(list[0]), 7);
	ck_assert_ptr_null(list[1]);
	ck_assert_int_eq(axvm_vcpus(vm, 4, LISTED, list), 4);
	ck_assert_uint_eq(axvcpu_id(list[0]), 7);
	ck_fails(axvm_vcpus(vm, 0, 1, NULL), EINVAL);
	ck_assert_ptr_null(axvm_vcpu(vm, 1));
	ck_assert_ptr_null(axvm_vcpu(vm, LISTED));
	ck_assert_ptr_null(axvm_vcpu(vm, UINT32_MAX));
	for (int i = 0; i < 4; i++) {
		ck_assert_uint_eq(axvcpu_id(axvm_vcpu(vm, ids[i])), ids[i]);
		ck_ok(axvcpu_free(axvm_vcpu(vm, ids[i])));
		ck_assert_ptr_null(axvm_vcpu(vm, ids[i]));
	}
	ck_ok(axvm_free(vm));
}
END_TEST

/* Creates and frees the vCPUs of its own ids. */
static void *come_and_go(void *arg)
{
	const uint32_t first = *(const uint32_t *)arg;

	for (unsigned int i = 0; i < 200 + suite_scale(5000); i++) {
		uint32_t id = first + i % (LISTED / 4);
		struct axvcpu *own_vcpu = new_vcpu(id);

		ck_assert_ptr_eq(axvm_vcpu(vm, id), own_vcpu);
		ck_ok(axvcpu_free(own_vcpu));
		ck_assert_ptr_null(axvm_vcpu(vm, id));
	}
	return NULL;
}

static void *list_all(void *arg)
{
	struct axvcpu *list[LISTED];

	(void)arg;
	while (!atomic_load(&over)) {
		int total = axvm_vcpus(vm, 0, LISTED, list);

		/* The one that stays, and at most one of each thread. */
		ck_assert_int_ge(total, 1);
		ck_assert_int_le(total, 4);
		for (int i = 1; i < total; i++)
			ck_assert_ptr_ne(list[i], list[i - 1]);
	}
	return NULL;
}

START_TEST(vcpus_are_listed_while_others_are_created_and_freed)
{
	static uint32_t firsts[3] = { 0, LISTED / 4, LISTED / 2 };
	struct axvcpu *stays;
	pthread_t threads[3], lister;

	create_for_a_list();
	stays = new_vcpu(LISTED - 1);
	ck_assert_int_eq(pthread_create(&lister, NULL, list_all, NULL), 0);
	for (int i = 0; i < 3; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, come_and_go, &firsts[i]), 0);
	for (int i = 0; i < 3; i++)
		pthread_join(threads[i], NULL);
	atomic_store(&over, true);
	pthread_join(lister, NULL);
	ck_assert_ptr_eq(axvm_vcpu(vm, LISTED - 1), stays);
	ck_ok(axvcpu_free(stays));
	ck_ok(axvm_free(vm));
}
END_TEST

START_TEST(a_runner_without_a_list_takes_all_vcpus)
{
	struct axvm_runner_config config = AXVM_RUNNER_CONFIG_INIT;

	create_for_a_list();
	config.handler = handle;
	ck_fails_saying(axvm_runner_start(vm, &config, &runner), EINVAL, "has no vCPUs");
	ck_ok(axvm_free(vm));
	create_for_a_list();
	for (uint32_t id = 0; id < 3; id++)
		ck_ok(axvcpu_setup(new_vcpu(id * 2), 0, 0, NULL));
	config.nvcpus = 1;
	ck_fails_saying(axvm_runner_start(vm, &config, &runner), EINVAL, "vcpus is NULL");
	config.nvcpus = 0;
	ck_ok(axvm_runner_start(vm, &config, &runner));
	for (uint32_t id = 0; id < 3; id++)
		ck_assert_int_ne(axvcpu_state(axvm_vcpu(vm, id * 2)), AXVCPU_FREE);
	ck_ok(axvm_runner_free(runner));
	for (uint32_t id = 0; id < 3; id++)
		ck_ok(axvcpu_free(axvm_vcpu(vm, id * 2)));
	ck_ok(axvm_free(vm));
}
END_TEST

static void add_tests(Suite *suite)
{
	TCase *table = suite_case(suite, "table");
	TCase *ends = suite_case(suite, "ends");
	TCase *data = suite_case(suite, "data");
	TCase *reset = suite_case(suite, "reset");
	TCase *list = suite_case(suite, "list");

	tcase_add_loop_test(table, every_call_in_every_status_does_as_the_table_says, 0,
			    (int)(2 * CALLS * STATUSES));
	tcase_add_loop_test(table, every_call_of_a_handler_does_as_the_table_says, 0, (int)CALLS);
	if (SUITE_TSAN)
		suite_left_out("every_call_of_a_forked_child_is_refused_in_every_status",
			       "ThreadSanitizer takes threads of the parent for leaks");
	else
		tcase_add_loop_test(table, every_call_of_a_forked_child_is_refused_in_every_status,
				    0, (int)STATUSES);
	tcase_add_test(table, a_handler_of_a_stopping_vm_changes_nothing);
	tcase_add_test(table, a_runner_that_has_ended_does_not_stop_the_next_one);
	tcase_add_test(table, the_end_of_a_paused_runner_ends_the_pause);
	tcase_add_test(table, of_several_starts_at_the_same_time_one_succeeds);
	tcase_add_test(table, threads_that_pause_stop_and_look_at_the_same_time_leave_it_stopped);

	tcase_add_test(ends, a_stop_is_a_clean_end_that_outlives_the_runner);
	tcase_add_loop_test(
		ends, the_exit_after_which_a_run_ends_is_the_reason_and_a_reset_makes_it_run_again,
		0, (int)LAST_EXITS);
	tcase_add_test(ends, an_error_is_the_reason_with_its_message_even_after_a_power_off);
	if (SUITE_ASAN)
		suite_left_out(
			"a_kill_ends_a_handler_that_sleeps",
			"AddressSanitizer cannot unwind a thread that is cancelled in a call");
	else
		tcase_add_test(ends, a_kill_ends_a_handler_that_sleeps);
	tcase_add_test(ends, a_kill_of_vcpus_in_the_guest_ends_them_as_a_stop_does);
	tcase_add_test(ends, names_and_short_structs);

	tcase_add_test(data, the_config_is_the_one_in_effect);
	tcase_add_test(data, a_description_has_config_status_memory_and_vcpus);

	tcase_add_test(reset, a_reset_needs_vcpus_that_rest);
	tcase_add_test(reset, a_reset_of_a_vcpu_that_another_thread_may_run_is_refused);
	tcase_add_test(reset, a_backend_without_reset_is_named);

	tcase_add_test(list, vcpus_are_found_by_id_and_listed_in_order);
	tcase_add_test(list, vcpus_are_listed_while_others_are_created_and_freed);
	tcase_add_test(list, a_runner_without_a_list_takes_all_vcpus);
}

int main(void)
{
	return suite_main("life", false, add_tests);
}
