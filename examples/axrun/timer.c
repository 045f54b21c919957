/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
#include "timer.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <time.h>

#include "message.h"

#define NS_PER_SECOND UINT64_C(1000000000)
#define NS_PER_US UINT64_C(1000)
/* Limits the load that a guest can put on the host. */
#define PERIOD_MIN_NS (100 * NS_PER_US)
/* Bytes of a timer in a saved state. */
#define TIMER_STATE_SIZE 17u

static uint64_t now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * NS_PER_SECOND + (uint64_t)ts.tv_nsec;
}

/* --- the registers ---------------------------------------------------------------------------- */

static uint64_t read_reg(struct cpus *cpus, uint64_t offset, unsigned int width)
{
	struct cpu *cpu = &cpus->cpu[offset / GUEST_TIMER_SIZE];
	const struct cpu_timer *timer = &cpu->timer;

	if (width != 4)
		return UINT64_MAX;
	switch (offset % GUEST_TIMER_SIZE) {
	case GUEST_TIMER_VECTOR:
		return timer->vector;
	case GUEST_TIMER_ONCE:
		return timer->deadline_ns && !timer->period_ns;
	case GUEST_TIMER_EVERY:
		return timer->deadline_ns && timer->period_ns;
	case GUEST_TIMER_INTERRUPT:
		return cpus->platform->line ? cpus_take_interrupt(cpus, cpu) : UINT64_MAX;
	default:
		return UINT64_MAX;
	}
}

static void set(struct cpus *cpus, struct cpu_timer *timer, uint64_t delay_ns, uint64_t period_ns)
{
	timer->deadline_ns = delay_ns ? now() + delay_ns : 0;
	timer->period_ns = period_ns;
	pthread_cond_signal(&cpus->timers_changed);
}

static void write_reg(struct cpus *cpus, uint64_t offset, unsigned int width, uint64_t value)
{
	struct cpu *cpu = &cpus->cpu[offset / GUEST_TIMER_SIZE];
	struct cpu_timer *timer = &cpu->timer;
	uint64_t ns = value * NS_PER_US;

	if (width != 4)
		return;
	switch (offset % GUEST_TIMER_SIZE) {
	case GUEST_TIMER_VECTOR:
		timer->vector = (uint8_t)value;
		break;
	case GUEST_TIMER_ONCE:
		set(cpus, timer, ns, 0);
		break;
	case GUEST_TIMER_EVERY:
		if (ns && ns < PERIOD_MIN_NS)
			ns = PERIOD_MIN_NS;
		set(cpus, timer, ns, ns);
		break;
	case GUEST_TIMER_INTERRUPT:
		if (cpus->platform->line && value < CPU_INTERRUPTS)
			cpus_add_interrupt(cpus, cpu, (uint8_t)value);
		break;
	default:
		break;
	}
}

static int timer_read(struct axvcpu *vcpu, void *ctx, uint64_t offset, unsigned int width,
		      uint64_t *value)
{
	struct cpus *cpus = ctx;

	(void)vcpu;
	pthread_mutex_lock(&cpus->lock);
	*value = read_reg(cpus, offset, width);
	pthread_mutex_unlock(&cpus->lock);
	return AXVM_HANDLED;
}

static int timer_write(struct axvcpu *vcpu, void *ctx, uint64_t offset, unsigned int width,
		       uint64_t value)
{
	struct cpus *cpus = ctx;

	(void)vcpu;
	pthread_mutex_lock(&cpus->lock);
	write_reg(cpus, offset, width, value);
	pthread_mutex_unlock(&cpus->lock);
	return AXVM_HANDLED;
}

/* --- saved states ----------------------------------------------------------------------------- */

/* Deadlines are relative: the time between save and restore does not count. */
static void put_timer(struct state *state, const struct cpu_timer *timer, uint64_t at)
{
	uint64_t left = 0;

	if (timer->deadline_ns)
		left = timer->deadline_ns > at ? timer->deadline_ns - at : 1;
	state_put(state, 1, timer->vector);
	state_put(state, 8, left);
	state_put(state, 8, timer->period_ns);
}

static void get_timer(struct state *state, struct cpu_timer *timer, uint64_t at)
{
	uint64_t left;

	timer->vector = (uint8_t)state_get(state, 1);
	left = state_get(state, 8);
	/* As far in the future as a guest can set it. */
	if (left > UINT32_MAX * NS_PER_US)
		left = UINT32_MAX * NS_PER_US;
	timer->deadline_ns = left ? at + left : 0;
	timer->period_ns = state_get(state, 8);
	if (timer->period_ns && timer->period_ns < PERIOD_MIN_NS)
		timer->period_ns = PERIOD_MIN_NS;
	if (timer->period_ns > UINT32_MAX * NS_PER_US)
		timer->period_ns = UINT32_MAX * NS_PER_US;
}

static void put_state(struct state *state, void *ctx)
{
	struct cpus *cpus = ctx;
	uint64_t at = now();
	uint32_t i;

	for (i = 0; i < cpus->n; i++) {
		cpus_put_state(state, &cpus->cpu[i]);
		put_timer(state, &cpus->cpu[i].timer, at);
	}
}

static int timer_save(void *ctx, void *buf, size_t len)
{
	struct cpus *cpus = ctx;
	int size;

	pthread_mutex_lock(&cpus->lock);
	size = state_save(buf, len, put_state, cpus);
	pthread_mutex_unlock(&cpus->lock);
	return size;
}

static int timer_restore(void *ctx, uint32_t version, const void *buf, size_t len)
{
	struct cpus *cpus = ctx;
	struct state state = state_open(buf, len);
	struct state again = state;
	struct cpu checked;
	uint64_t at = now();
	uint32_t i;
	int err = 0;

	(void)version;
	if (len != cpus->n * (CPU_STATE_SIZE + TIMER_STATE_SIZE))
		return -EINVAL;
	for (i = 0; i < cpus->n && !err; i++) {
		err = cpus_get_state(&state, &checked);
		get_timer(&state, &checked.timer, at);
	}
	if (err)
		return err;
	pthread_mutex_lock(&cpus->lock);
	for (i = 0; i < cpus->n; i++) {
		cpus_get_state(&again, &cpus->cpu[i]);
		get_timer(&again, &cpus->cpu[i].timer, at);
		cpus_restored(cpus, &cpus->cpu[i]);
	}
	pthread_mutex_unlock(&cpus->lock);
	return 0;
}

int timer_attach(struct cpus *cpus, struct axvm *vm)
{
	return device_add(vm,
			  AXVCPU_WITH(axvm_device_config, .name = "timer",
				      .flags = AXVM_DEVICE_SELF_LOCKED, .ctx = cpus,
				      .read = timer_read, .write = timer_write, .save = timer_save,
				      .restore = timer_restore),
			  cpus->platform->timer, (uint64_t)cpus->n * GUEST_TIMER_SIZE);
}

/* --- the thread ------------------------------------------------------------------------------- */

static void expire(struct cpus *cpus, struct cpu *cpu, uint64_t at)
{
	struct cpu_timer *timer = &cpu->timer;

	cpus_add_interrupt(cpus, cpu, timer->vector);
	if (!timer->period_ns) {
		timer->deadline_ns = 0;
		return;
	}
	/* Missed expiries are skipped: a late CPU gets no burst. */
	timer->deadline_ns += timer->period_ns;
	if (timer->deadline_ns <= at)
		timer->deadline_ns = at + timer->period_ns;
}

/* Expires all timers that are due. Returns the next deadline, or 0 if there is none. */
static uint64_t expire_all(struct cpus *cpus)
{
	uint64_t at = now(), next = 0;
	uint32_t i;

	for (i = 0; i < cpus->n; i++) {
		struct cpu *cpu = &cpus->cpu[i];

		if (cpu->timer.deadline_ns && cpu->timer.deadline_ns <= at)
			expire(cpus, cpu, at);
		if (cpu->timer.deadline_ns && (!next || cpu->timer.deadline_ns < next))
			next = cpu->timer.deadline_ns;
	}
	return next;
}

static void *work(void *arg)
{
	struct cpus *cpus = arg;

	pthread_mutex_lock(&cpus->lock);
	while (!cpus->timers_end) {
		uint64_t next = expire_all(cpus);
		struct timespec ts = { (time_t)(next / NS_PER_SECOND),
				       (long)(next % NS_PER_SECOND) };

		if (next)
			pthread_cond_timedwait(&cpus->timers_changed, &cpus->lock, &ts);
		else
			pthread_cond_wait(&cpus->timers_changed, &cpus->lock);
	}
	pthread_mutex_unlock(&cpus->lock);
	return NULL;
}

int timer_start(struct cpus *cpus, pthread_t *thread)
{
	sigset_t all, old;
	int err;

	/* Signals are for the main thread only. */
	sigfillset(&all);
	cpus->timers_end = false;
	pthread_sigmask(SIG_SETMASK, &all, &old);
	err = pthread_create(thread, NULL, work, cpus);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (err)
		return fail("cannot create the timer thread: %s", strerror(err));
	return 0;
}

void timer_stop(struct cpus *cpus, pthread_t thread)
{
	pthread_mutex_lock(&cpus->lock);
	cpus->timers_end = true;
	pthread_cond_signal(&cpus->timers_changed);
	pthread_mutex_unlock(&cpus->lock);
	pthread_join(thread, NULL);
}
