/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * The runner: one thread per vCPU. It uses only the public API, except for messages and waits.
 */
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "axvcpu/axvcpu.h"
#include "lib/base/cancel.h"
#include "lib/base/compiler.h"
#include "lib/base/signals.h"
#include "lib/base/sized.h"
#include "lib/base/wait.h"
#include "lib/host/sys.h"
#include "lib/machine/object.h"

/* The phase that all workers of a runner are in. */
enum phase {
	/* Each worker binds its vCPU and waits for the others. */
	PHASE_BINDING,
	/* All have bound. */
	PHASE_RUNNING,
	/* One failed to bind, or was not created: none runs. */
	PHASE_ABORTED,
};

struct worker {
	struct axvm_runner *runner;
	struct axvcpu *vcpu;
	pthread_t thread;
	bool bound;
	/* The latest exit that the handler has seen. */
	struct axvcpu_exit exit;
	/* The thread ends normally, not by pthread_exit() or a cancellation in the handler. */
	bool returns;
};

struct axvm_runner {
	struct axvm *vm;
	int (*handler)(struct axvcpu *vcpu, struct axvcpu_exit *exit, void *ctx);
	void *ctx;
	int64_t budget_ns;
	bool all_exits;
	char name[8];
	atomic_bool stop;
	/* axvm_runner_kill() was called. */
	atomic_bool killed;
	/* axvm_runner_pause() has paused the vCPUs. */
	atomic_bool paused;

	pthread_mutex_t lock;
	/* Guards the fields below; 'changed' is signalled on every change. */
	pthread_cond_t changed;
	enum phase phase;
	size_t bound;
	size_t ended;
	/* The number of this run (life.h), once all have bound. */
	uint64_t run;
	/* Why the run ends: the first error, with its message; else the first other cause. */
	struct axv_end end;

	size_t nworkers;
	struct worker workers[];
};

/* --- the workers ----------------------------------------------------------------------------- */

/* Copies the message, too: it is thread-local, and would end with this thread. */
static void record_error(struct worker *worker, int error)
{
	struct axvm_runner *runner = worker->runner;
	const bool killed = error == -ECANCELED && atomic_load(&runner->killed);
	struct axv_end *end = &runner->end;

	pthread_mutex_lock(&runner->lock);
	if (!end->error) {
		*end = (struct axv_end){ .reason = killed ? AXVM_END_FORCED : AXVM_END_FAULT,
					 .vcpu = axvcpu_id(worker->vcpu),
					 .error = error,
					 .exit_kind = worker->exit.kind };
		snprintf(end->text, sizeof(end->text), "%s", axvcpu_last_error());
	}
	pthread_mutex_unlock(&runner->lock);
}

/* Returns the reason of an end that an exit stands for, or AXVM_END_NONE. */
static uint32_t reason_of(uint32_t exit_kind)
{
	switch (exit_kind) {
	case AXVCPU_EXIT_SYSTEM_DOWN:
		return AXVM_END_POWERED_OFF;
	case AXVCPU_EXIT_SYSTEM_RESET:
		return AXVM_END_RESET;
	case AXVCPU_EXIT_SHUTDOWN:
	case AXVCPU_EXIT_INTERNAL_ERROR:
	case AXVCPU_EXIT_FAIL_ENTRY:
	case AXVCPU_EXIT_SYSTEM_CRASH:
		return AXVM_END_FAULT;
	default:
		return AXVM_END_NONE;
	}
}

/* The run ends after the worker's latest exit. */
static void record_exit(struct worker *worker)
{
	const uint32_t reason = reason_of(worker->exit.kind);
	struct axvm_runner *runner = worker->runner;
	struct axv_end *end = &runner->end;

	if (!reason)
		return;
	pthread_mutex_lock(&runner->lock);
	if (!end->reason) {
		*end = (struct axv_end){ .reason = reason,
					 .vcpu = axvcpu_id(worker->vcpu),
					 .exit_kind = worker->exit.kind };
		axvcpu_exit_describe(&worker->exit, end->text, sizeof(end->text));
	}
	pthread_mutex_unlock(&runner->lock);
}

/* Called by the last worker, with the runner's lock held. */
static void end_run(struct axvm_runner *runner)
{
	if (!runner->end.reason)
		runner->end = (struct axv_end){
			.reason = atomic_load(&runner->killed) ? AXVM_END_FORCED : AXVM_END_CLEAN,
			.vcpu = AXVM_NO_VCPU,
		};
	axv_life_end(runner->vm, runner->run, &runner->end);
}

/* Time limit for another thread's operation on the vCPU, which may have to wait for a host CPU. */
#define BUSY_NS INT64_C(10000000000)

/* State of repeated calls that fail with -EBUSY. */
struct retries {
	int64_t end;
	unsigned int waits;
};

/*
 * Whether to repeat a call that returned 'ret'. -EBUSY means that another thread was inside an
 * operation, which any thread may begin while the vCPU is not in the guest. It is transient, and no
 * reason to end the VM.
 */
static bool try_again(int ret, struct retries *retries)
{
	if (likely(ret != -EBUSY))
		return false;
	if (!retries->waits)
		retries->end = axv_deadline_in(BUSY_NS);
	axv_wait_briefly(&retries->waits);
	return axv_deadline_left(retries->end);
}

static int bind(struct axvcpu *vcpu)
{
	struct retries retries = { 0 };
	int ret;

	do
		ret = axvcpu_bind(vcpu);
	while (try_again(ret, &retries));
	return ret;
}

static int unbind(struct axvcpu *vcpu)
{
	struct retries retries = { 0 };
	int ret;

	do
		ret = axvcpu_unbind(vcpu);
	while (try_again(ret, &retries));
	return ret;
}

/* Binds, and waits until all workers have. Returns whether to run. */
static bool bind_together(struct worker *worker)
{
	struct axvm_runner *runner = worker->runner;
	int ret = bind(worker->vcpu);
	bool run;

	if (ret)
		record_error(worker, ret);
	pthread_mutex_lock(&runner->lock);
	runner->bound++;
	if (ret)
		runner->phase = PHASE_ABORTED;
	pthread_cond_broadcast(&runner->changed);
	while (runner->phase == PHASE_BINDING)
		pthread_cond_wait(&runner->changed, &runner->lock);
	run = runner->phase == PHASE_RUNNING;
	pthread_mutex_unlock(&runner->lock);
	if (!run && !ret)
		unbind(worker->vcpu);
	return run;
}

/*
 * Cancellation is enabled in the handler only: in the library it would leave an operation on a vCPU
 * half done, or a lock held.
 */
static int handle(struct worker *worker)
{
	const struct axvm_runner *runner = worker->runner;
	int ret;

	pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, NULL);
	ret = runner->handler(worker->vcpu, &worker->exit, runner->ctx);
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, NULL);
	return ret;
}

/* Calls the device that the exit concerns, or the handler. */
static int serve(struct worker *worker)
{
	struct axvcpu_exit *exit = &worker->exit;
	int ret = worker->runner->all_exits ? 0 : axvcpu_dispatch(worker->vcpu, exit);

	if (ret < 0)
		return ret;
	if (ret && !exit->kicked)
		return AXVM_CONTINUE;
	/* The device has handled the exit, and the kick is for the handler. */
	if (ret) {
		exit->kind = AXVCPU_EXIT_NOTHING;
		exit->answerable = 0;
	}
	return handle(worker);
}

/* Runs the vCPU until the runner is stopped. Returns 0, or the error of run or of the handler. */
static int run(struct worker *worker)
{
	struct axvm_runner *runner = worker->runner;
	struct retries retries = { 0 };

	while (!atomic_load(&runner->stop)) {
		struct axvcpu_exit *exit = &worker->exit;
		int ret = runner->budget_ns > 0
				  ? axvcpu_run_for(worker->vcpu, runner->budget_ns, exit)
				  : axvcpu_run(worker->vcpu, exit);

		if (unlikely(try_again(ret, &retries)))
			continue;
		retries.waits = 0;
		if (!ret)
			ret = serve(worker);
		if (ret < 0)
			return ret;
		if (ret)
			axvm_runner_stop(runner);
	}
	record_exit(worker);
	return 0;
}

static int ended_by_handler(const struct worker *worker)
{
	return axvcpu_fail(worker->runner->vm, -ECANCELED,
			   "runner: vCPU %u: the handler ended its thread, by pthread_exit() or a "
			   "cancellation",
			   axvcpu_id(worker->vcpu));
}

/* Runs at the end of the thread, in all cases. */
static void end_thread(void *arg)
{
	struct worker *worker = arg;
	struct axvm_runner *runner = worker->runner;
	int ret = worker->returns ? 0 : ended_by_handler(worker);

	if (ret) {
		record_error(worker, ret);
		axvm_runner_stop(runner);
	}
	/* The pause of a runner ends with it, at the latest. */
	if (atomic_load(&runner->paused))
		axvcpu_resume(worker->vcpu);
	ret = worker->bound ? unbind(worker->vcpu) : 0;
	if (ret)
		record_error(worker, ret);
	pthread_mutex_lock(&runner->lock);
	if (++runner->ended == runner->nworkers && runner->run)
		end_run(runner);
	pthread_cond_broadcast(&runner->changed);
	pthread_mutex_unlock(&runner->lock);
}

static void *work(void *arg)
{
	struct worker *worker = arg;
	struct axvm_runner *runner = worker->runner;
	char name[16];

	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, NULL);
	snprintf(name, sizeof(name), "%s%u", runner->name, axvcpu_id(worker->vcpu));
	pthread_setname_np(pthread_self(), name);
	pthread_cleanup_push(end_thread, worker);
	worker->bound = bind_together(worker);
	if (worker->bound) {
		int ret = run(worker);

		if (ret) {
			record_error(worker, ret);
			axvm_runner_stop(runner);
		}
	}
	worker->returns = true;
	pthread_cleanup_pop(true);
	return NULL;
}

/* --- start ------------------------------------------------------------------------------------------- */

/* Without vCPUs in the config, takes all of the VM: in an array that the caller must free. */
static int take_all(struct axvm *vm, struct axvm_runner_config *config, struct axvcpu ***all)
{
	int count = axvm_vcpus(vm, 0, 0, NULL);

	if (count < 0)
		return count;
	if (!count)
		return axvcpu_fail(vm, -EINVAL, "runner: the VM has no vCPUs");
	*all = axv_sys_calloc((size_t)count, sizeof(**all));
	if (!*all)
		return axvcpu_fail(vm, -ENOMEM, "runner: allocating the list of vCPUs");
	config->vcpus = *all;
	config->nvcpus = (size_t)count;
	/* No more can have been created meanwhile, as the VM is finalized. */
	count = axvm_vcpus(vm, 0, config->nvcpus, *all);
	return count < 0 ? count : 0;
}

static int check(const struct axvm *vm, const struct axvm_runner_config *config)
{
	if (!config->handler)
		return axvcpu_fail(vm, -EINVAL, "runner: handler is NULL");
	if ((config->flags & ~AXVM_RUNNER_ALL_EXITS) || config->reserved)
		return axvcpu_fail(vm, -EINVAL,
				   "runner: unknown flags %#x, or the reserved field is not 0",
				   config->flags & ~AXVM_RUNNER_ALL_EXITS);
	if (!config->vcpus != !config->nvcpus)
		return axvcpu_fail(vm, -EINVAL,
				   "runner: vcpus is NULL or nvcpus is 0; set both, or neither "
				   "and the runner takes all vCPUs");
	return axv_life_check(vm, LIFE_START, LIFE_ANY_RUN);
}

static int check_vcpus(const struct axvm *vm, const struct axvm_runner_config *config)
{
	for (size_t i = 0; i < config->nvcpus; i++) {
		struct axvcpu *vcpu = config->vcpus[i];
		enum axvcpu_state state;

		if (!vcpu || axvcpu_vm(vcpu) != vm)
			return axvcpu_fail(vm, -EINVAL,
					   "runner: vcpus[%zu] is not a vCPU of this VM", i);
		state = axvcpu_state(vcpu);
		if (state != AXVCPU_FREE)
			return axvcpu_fail(vm, -EBADFD,
					   "runner: vCPU %u is in state %s; it must be Free",
					   axvcpu_id(vcpu), axvcpu_state_name(state));
	}
	return 0;
}

static int runner_new(struct axvm *vm, const struct axvm_runner_config *config,
		      struct axvm_runner **out)
{
	struct axvm_runner *runner =
		axv_sys_calloc(1, sizeof(*runner) + config->nvcpus * sizeof(runner->workers[0]));
	pthread_condattr_t attr;

	if (!runner)
		return axvcpu_fail(vm, -ENOMEM, "runner: allocating it");
	runner->vm = vm;
	runner->handler = config->handler;
	runner->ctx = config->ctx;
	runner->budget_ns = config->budget_ns;
	runner->all_exits = config->flags & AXVM_RUNNER_ALL_EXITS;
	runner->nworkers = config->nvcpus;
	/* Short enough that Linux also takes the number that follows it. */
	snprintf(runner->name, sizeof(runner->name), "%s", config->name ? config->name : "vcpu");
	pthread_mutex_init(&runner->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&runner->changed, &attr);
	pthread_condattr_destroy(&attr);
	*out = runner;
	return 0;
}

static void runner_destroy(struct axvm_runner *runner)
{
	pthread_cond_destroy(&runner->changed);
	pthread_mutex_destroy(&runner->lock);
	free(runner);
}

static int create_threads(struct axvm_runner *runner, const struct axvm_runner_config *config,
			  size_t *created)
{
	pthread_attr_t attr;
	sigset_t old;
	int ret = -pthread_attr_init(&attr);

	*created = 0;
	if (!ret && config->stack_size)
		ret = -pthread_attr_setstacksize(&attr, config->stack_size);
	if (ret)
		return axvcpu_fail(runner->vm, ret, "runner: setting a stack size of %zu bytes",
				   config->stack_size);
	axv_signals_block(&old);
	for (; !ret && *created < config->nvcpus; *created += !ret) {
		struct worker *worker = &runner->workers[*created];

		worker->runner = runner;
		worker->vcpu = config->vcpus[*created];
		ret = axv_sys_thread_create(&worker->thread, &attr, work, worker);
	}
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	pthread_attr_destroy(&attr);
	if (ret)
		return axvcpu_fail(runner->vm, ret, "runner: creating thread %zu", *created);
	return 0;
}

/*
 * Waits until every worker has bound, then starts them; if one failed, or 'ret' is an error, makes
 * all of them end. Returns 0, or why they do not run.
 */
static int release(struct axvm_runner *runner, int ret)
{
	pthread_mutex_lock(&runner->lock);
	while (!ret && runner->phase == PHASE_BINDING && runner->bound < runner->nworkers)
		pthread_cond_wait(&runner->changed, &runner->lock);
	if (!ret && runner->phase == PHASE_ABORTED)
		ret = axvcpu_fail(runner->vm, runner->end.error,
				  "runner: binding a vCPU failed: %s", runner->end.text);
	if (!ret)
		ret = axv_life_start(runner->vm, &runner->run);
	runner->phase = ret ? PHASE_ABORTED : PHASE_RUNNING;
	pthread_cond_broadcast(&runner->changed);
	pthread_mutex_unlock(&runner->lock);
	return ret;
}

/* With the vCPUs in the config. */
static int start_these(struct axvm *vm, const struct axvm_runner_config *config,
		       struct axvm_runner **out)
{
	struct axvm_runner *runner = NULL;
	size_t created;
	int ret = check_vcpus(vm, config);

	if (ret)
		return ret;
	/* Before the threads start, so that the caller gets the error. */
	ret = axvm_finalize(vm);
	if (ret)
		return ret;
	ret = runner_new(vm, config, &runner);
	if (ret)
		return ret;
	ret = release(runner, create_threads(runner, config, &created));
	if (ret) {
		for (size_t i = 0; i < created; i++)
			pthread_join(runner->workers[i].thread, NULL);
		runner_destroy(runner);
		return ret;
	}
	*out = runner;
	return 0;
}

static int start(struct axvm *vm, const struct axvm_runner_config *given, struct axvm_runner **out)
{
	struct axvm_runner_config config;
	struct axvcpu **all = NULL;
	int ret = axv_vm_check_process(vm);

	if (ret)
		return ret;
	ret = axv_sized_copy(vm, "struct axvm_runner_config", &config, sizeof(config), given);
	if (ret)
		return ret;
	ret = check(vm, &config);
	if (ret)
		return ret;
	if (!config.vcpus) {
		ret = axvm_finalize(vm);
		if (!ret)
			ret = take_all(vm, &config, &all);
	}
	if (!ret)
		ret = start_these(vm, &config, out);
	free(all);
	return ret;
}

int axvm_runner_start(struct axvm *vm, const struct axvm_runner_config *given,
		      struct axvm_runner **out)
{
	int cancel = axv_cancel_disable();
	int ret = start(vm, given, out);

	axv_cancel_restore(cancel);
	return ret;
}

/* --- stop, join, pause, free ------------------------------------------------------------------ */

int axvm_runner_stop(struct axvm_runner *runner)
{
	/* Without a message: this may be a signal handler. */
	if (axvm_is_copy(runner->vm))
		return -EPERM;
	/* Refused if the run is ending or has ended, which is no error. */
	axv_life_move(&runner->vm->life, LIFE_STOP, runner->run);
	/* A kick stays pending until a run has reported it, so no worker misses this. */
	atomic_store(&runner->stop, true);
	for (size_t i = 0; i < runner->nworkers; i++)
		axvcpu_kick(runner->workers[i].vcpu);
	return 0;
}

int axvm_runner_kill(struct axvm_runner *runner)
{
	int ret = axv_vm_check_process(runner->vm);

	if (ret)
		return ret;
	atomic_store(&runner->killed, true);
	axvm_runner_stop(runner);
	/* Cancellation is enabled in the handlers only. A thread that has ended ignores it. */
	for (size_t i = 0; i < runner->nworkers; i++)
		pthread_cancel(runner->workers[i].thread);
	return 0;
}

/* A worker cannot wait for itself, and a forked child has no workers. */
static int check_outside(const struct axvm_runner *runner, const char *what)
{
	int ret = axv_vm_check_process(runner->vm);

	if (ret)
		return ret;
	for (size_t i = 0; i < runner->nworkers; i++)
		if (pthread_equal(runner->workers[i].thread, pthread_self()))
			return axvcpu_fail(runner->vm, -EBUSY,
					   "runner: %s: called by one of the runner's own threads",
					   what);
	return 0;
}

int axvm_runner_join(struct axvm_runner *runner, int64_t timeout_ns)
{
	const int64_t end = axv_deadline_in(timeout_ns);
	const struct timespec ts = axv_timespec_of(end);
	int cancel, error, ret = check_outside(runner, "join");

	if (ret)
		return ret;
	cancel = axv_cancel_disable();
	pthread_mutex_lock(&runner->lock);
	while (!ret && runner->ended < runner->nworkers) {
		if (end == NO_DEADLINE)
			pthread_cond_wait(&runner->changed, &runner->lock);
		else
			ret = -pthread_cond_timedwait(&runner->changed, &runner->lock, &ts);
	}
	error = runner->end.error;
	pthread_mutex_unlock(&runner->lock);
	axv_cancel_restore(cancel);
	if (ret)
		return axvcpu_fail(runner->vm, ret,
				   "runner: join timed out; some vCPUs are still running");
	if (error)
		return axvcpu_fail(runner->vm, error,
				   "runner: a vCPU has ended with an error; its thread's latest "
				   "message: \"%s\"",
				   runner->end.text);
	return 0;
}

static int resume_all(struct axvm_runner *runner)
{
	int ret = 0;

	atomic_store(&runner->paused, false);
	for (size_t i = 0; i < runner->nworkers; i++) {
		int one = axvcpu_resume(runner->workers[i].vcpu);

		if (!ret)
			ret = one;
	}
	return ret;
}

int axvm_runner_resume(struct axvm_runner *runner)
{
	int ret = axv_vm_check_process(runner->vm);

	if (ret)
		return ret;
	ret = axv_life_make(runner->vm, LIFE_RESUME, runner->run);
	if (ret)
		return ret;
	return resume_all(runner);
}

int axvm_runner_pause(struct axvm_runner *runner, int64_t timeout_ns)
{
	const int64_t end = axv_deadline_in(timeout_ns);
	int ret = check_outside(runner, "pause");

	if (!ret)
		ret = axv_life_check(runner->vm, LIFE_PAUSE, runner->run);
	if (ret)
		return ret;
	/* Before the requests: a thread that ends meanwhile resumes its vCPU. */
	atomic_store(&runner->paused, true);
	/*
	 * Requests the pause of all vCPUs first, so that they stop together; then waits for each.
	 */
	for (size_t i = 0; !ret && i < runner->nworkers; i++)
		ret = axvcpu_pause(runner->workers[i].vcpu, 0);
	for (size_t i = 0; !ret && i < runner->nworkers; i++) {
		int64_t left = axv_deadline_left(end);

		/* Not 0, which would queue the request and not wait for it. */
		ret = axvcpu_pause(runner->workers[i].vcpu, left ? left : 1);
	}
	if (!ret)
		ret = axv_life_make(runner->vm, LIFE_PAUSE, runner->run);
	if (ret) {
		axv_life_move(&runner->vm->life, LIFE_RESUME, runner->run);
		resume_all(runner);
	}
	return ret;
}

int axvm_runner_free(struct axvm_runner *runner)
{
	int cancel, ret;

	if (!runner)
		return 0;
	/* A forked child has none of the runner's threads, and must not use its locks. */
	if (axvm_is_copy(runner->vm)) {
		free(runner);
		return 0;
	}
	ret = check_outside(runner, "free");
	if (ret)
		return ret;
	cancel = axv_cancel_disable();
	axvm_runner_stop(runner);
	ret = axvm_runner_join(runner, -1);
	for (size_t i = 0; i < runner->nworkers; i++)
		pthread_join(runner->workers[i].thread, NULL);
	runner_destroy(runner);
	axv_cancel_restore(cancel);
	return ret;
}
