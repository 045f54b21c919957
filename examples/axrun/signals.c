/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
#include "signals.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "guard.h"
#include "message.h"
#include "terminal.h"

#define NS_PER_SECOND UINT64_C(1000000000)
/* How long output may be buffered. */
#define TICK_NS UINT64_C(20000000)
/*
 * Once the run is ending, the signal is repeated: the first one may have come just before a
 * blocking system call, such as a write to a pipe without a reader.
 */
#define NUDGE_NS UINT64_C(100000000)

/* Signals from users and from the kernel that end a process. */
static const int ending_signals[] = {
	SIGHUP,	 SIGINT,  SIGQUIT, SIGTERM, SIGALRM, SIGVTALRM,
	SIGPROF, SIGUSR1, SIGUSR2, SIGXCPU, SIGIO,   SIGPWR,
};
/* Faults of axrun, sanitizers, abort(): these end axrun, but restore the terminal first. */
static const int fault_signals[] = {
	SIGILL, SIGTRAP, SIGABRT, SIGBUS, SIGFPE, SIGSEGV, SIGSYS,
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

enum timer_id {
	TIMER_DEADLINE,
	TIMER_NUDGE,
	TIMER_TICK,
	TIMER_SAVE,
	TIMERS,
};

static timer_t timers[TIMERS];
/* Used by the main thread and its signal handlers. */
static struct axvm_runner *volatile watched_runner;
static struct axvcpu *volatile watched_vcpu;
/* Used by all threads. */
static atomic_int caught;
static atomic_bool timed_out;
static atomic_bool quit;
static atomic_bool may_save;
static atomic_bool save;
static atomic_uint tick;
static atomic_uint tick_requested;
static atomic_bool in_io;
static _Atomic pthread_t io_thread;

/* A real-time signal, as these queue: one timer's signal does not replace another's. */
static int timer_signal(void)
{
	return SIGRTMAX;
}

int signals_kick_signal(void)
{
	return SIGRTMAX - 1;
}

static void set_timer(enum timer_id id, uint64_t ns, uint64_t interval_ns)
{
	struct itimerspec spec = {
		.it_value = { (time_t)(ns / NS_PER_SECOND), (long)(ns % NS_PER_SECOND) },
		.it_interval = { (time_t)(interval_ns / NS_PER_SECOND),
				 (long)(interval_ns % NS_PER_SECOND) },
	};

	timer_settime(timers[id], 0, &spec, NULL);
}

static void stop(void)
{
	struct axvm_runner *runner = watched_runner;

	if (runner)
		axvm_runner_stop(runner);
	/*
	 * This thread still exists: the main thread is in this function, so it joins no vCPU
	 * thread.
	 */
	if (atomic_load(&in_io))
		pthread_kill(atomic_load(&io_thread), signals_kick_signal());
}

/* Takes the signal's default action, also in its own handler, where the signal is blocked. */
static void raise_default(int signal)
{
	struct sigaction action = { .sa_handler = SIG_DFL };
	sigset_t set, old;

	sigaction(signal, &action, NULL);
	raise(signal);
	sigemptyset(&set);
	sigaddset(&set, signal);
	sigprocmask(SIG_UNBLOCK, &set, &old);
	sigprocmask(SIG_SETMASK, &old, NULL);
}

static void on_ending(int signal)
{
	int saved_errno = errno;

	if (caught) {
		terminal_restore();
		raise_default(signal);
	}
	atomic_store(&caught, signal);
	stop();
	set_timer(TIMER_NUDGE, NUDGE_NS, NUDGE_NS);
	errno = saved_errno;
}

static void on_save(int signal)
{
	int saved_errno = errno;

	(void)signal;
	atomic_store(&save, true);
	stop();
	errno = saved_errno;
}

static void on_fault(int signal)
{
	terminal_restore();
	raise_default(signal);
}

static void on_timer(int signal, siginfo_t *info, void *context)
{
	int saved_errno = errno;

	(void)signal;
	(void)context;
	if (info->si_code != SI_TIMER)
		return;
	switch (info->si_value.sival_int) {
	case TIMER_DEADLINE:
		atomic_store(&timed_out, true);
		set_timer(TIMER_NUDGE, NUDGE_NS, NUDGE_NS);
		stop();
		break;
	case TIMER_NUDGE:
		stop();
		break;
	case TIMER_TICK:
		atomic_store(&tick, true);
		if (watched_vcpu)
			axvcpu_kick(watched_vcpu);
		break;
	case TIMER_SAVE:
		atomic_store(&save, true);
		stop();
		break;
	}
	errno = saved_errno;
}

static void on_stop(int signal)
{
	int saved_errno = errno;
	struct sigaction action;

	terminal_restore();
	sigaction(signal, NULL, &action);
	raise_default(signal);
	/*
	 * Either the process was stopped and has continued, perhaps in the background: a later
	 * SIGCONT takes the terminal then. Or it was not stopped, because its process group is
	 * orphaned.
	 */
	sigaction(signal, &action, NULL);
	terminal_resume();
	errno = saved_errno;
}

static void on_continue(int signal)
{
	int saved_errno = errno;

	(void)signal;
	terminal_resume();
	errno = saved_errno;
}

/* The handler only makes a system call fail with EINTR. */
static void on_kick(int signal)
{
	(void)signal;
}

/* Installs a handler only if the signal has its default action. */
static void take(int signal, const struct sigaction *action)
{
	struct sigaction old;

	if (sigaction(signal, NULL, &old) == 0 && !(old.sa_flags & SA_SIGINFO) &&
	    old.sa_handler == SIG_DFL)
		sigaction(signal, action, NULL);
}

static void catch_all(void)
{
	struct sigaction action = { .sa_handler = on_ending };
	size_t i;

	/* No handler interrupts another, so that each finds a consistent terminal state. */
	sigfillset(&action.sa_mask);
	for (i = 0; i < COUNT(fault_signals); i++)
		sigdelset(&action.sa_mask, fault_signals[i]);
	for (i = 0; i < COUNT(ending_signals); i++)
		take(ending_signals[i], &action);
	action.sa_handler = on_stop;
	take(SIGTSTP, &action);
	action.sa_handler = on_continue;
	take(SIGCONT, &action);
	action.sa_handler = on_fault;
	for (i = 0; i < COUNT(fault_signals); i++)
		take(fault_signals[i], &action);
}

static int make_timers(void)
{
	struct sigaction action = { .sa_flags = SA_SIGINFO, .sa_sigaction = on_timer };
	struct sigevent event = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = timer_signal() };
	sigset_t set;
	int id;

	sigfillset(&action.sa_mask);
	if (sigaction(timer_signal(), &action, NULL))
		return fail("cannot install a handler for the timer signal: %s", strerror(errno));
	sigemptyset(&set);
	sigaddset(&set, timer_signal());
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	for (id = 0; id < TIMERS; id++) {
		event.sigev_value.sival_int = id;
		if (timer_create(CLOCK_MONOTONIC, &event, &timers[id]))
			return fail("cannot create a timer: %s", strerror(errno));
	}
	return 0;
}

int signals_install(void)
{
	struct sigaction action = { .sa_handler = on_kick };

	if (make_timers())
		return -1;
	if (sigaction(signals_kick_signal(), &action, NULL))
		return fail("cannot install a handler for the kick signal: %s", strerror(errno));
	catch_all();
	return 0;
}

void signals_watch(struct axvm_runner *runner, struct axvcpu *vcpu)
{
	watched_runner = runner;
	watched_vcpu = vcpu;
	/* An earlier tick had no vCPU to kick. */
	if (vcpu && atomic_load(&tick))
		axvcpu_kick(vcpu);
}

/*
 * SIGTTIN and SIGTTOU stop a process in the background that uses the terminal. They go to the
 * thread that uses it; a thread that blocks them gets EIO instead.
 */
void signals_thread_start(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTTIN);
	sigaddset(&set, SIGTTOU);
	pthread_sigmask(SIG_UNBLOCK, &set, NULL);
}

void signals_begin_io(void)
{
	atomic_store(&io_thread, pthread_self());
	atomic_store(&in_io, true);
}

void signals_end_io(void)
{
	atomic_store(&in_io, false);
}

void signals_set_deadline(uint64_t ns)
{
	set_timer(TIMER_DEADLINE, ns, 0);
}

void signals_request_tick(void)
{
	/* The load comes first: it is cheaper, and this is called for each character. */
	if (!atomic_load(&tick_requested) && !atomic_exchange(&tick_requested, true))
		set_timer(TIMER_TICK, TICK_NS, 0);
}

bool signals_take_tick(void)
{
	if (!atomic_load(&tick) || !atomic_exchange(&tick, false))
		return false;
	/* Cleared before the output is written: later characters request the next tick. */
	atomic_store(&tick_requested, false);
	return true;
}

void signals_allow_save(uint64_t ns)
{
	struct sigaction action = { .sa_handler = on_save };

	sigfillset(&action.sa_mask);
	sigaction(SIGUSR1, &action, NULL);
	atomic_store(&may_save, true);
	if (ns)
		set_timer(TIMER_SAVE, ns, 0);
}

bool signals_save(void)
{
	if (may_save)
		set_timer(TIMER_SAVE, 1, 0);
	return may_save;
}

bool signals_asked_to_save(void)
{
	return save;
}

/* The main thread knows what to stop: make its timer expire at once. */
void signals_quit(void)
{
	atomic_store(&quit, true);
	set_timer(TIMER_NUDGE, 1, NUDGE_NS);
}

bool signals_asked_to_quit(void)
{
	return quit;
}

bool signals_stop(void)
{
	return caught || timed_out || quit;
}

int signals_caught(void)
{
	return caught;
}

_Noreturn void signals_die(int signal)
{
	terminal_restore();
	guard_end();
	raise_default(signal);
	/* Reached only if the signal does not end a process. */
	_exit(128 + signal);
}
