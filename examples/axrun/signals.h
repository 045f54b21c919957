/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * Signals and time: what takes the guest off the CPU although it did nothing.
 *
 * A signal that would end axrun is caught, the vCPUs stopped, and the run ends in good order:
 * output written, terminal restored; then axrun dies of it after all. A second one does not wait
 * for that.
 * A signal that was ignored when axrun started stays ignored.
 *
 * All of them come to the main thread: those of the vCPUs block them.
 */
#ifndef AXRUN_SIGNALS_H
#define AXRUN_SIGNALS_H

#include <stdbool.h>
#include <stdint.h>

#include <axvcpu/axvcpu.h>

/* Catches signals, and makes the timers. Returns 0, or -1 after fail(). */
int signals_install(void);

/* The signal that takes vCPUs out of the guest; signals_install() has given it a handler. */
int signals_kick_signal(void);

/*
 * What to stop from now on when a signal or the deadline comes, and which vCPU to kick when a tick
 * does; NULL: nothing. For the main thread; then look at signals_stop() once.
 */
void signals_watch(struct axvm_runner *runner, struct axvcpu *vcpu);

/* For each thread of a vCPU, before it touches the terminal. */
void signals_thread_start(void);

/*
 * Around system calls that may take long: once the run is to end, they are interrupted again and
 * again. One thread at a time.
 */
void signals_begin_io(void);
void signals_end_io(void);

/* Ends the run in that time. */
void signals_set_deadline(uint64_t ns);

/* Makes signals_take_tick() true soon, if it is not to be so already. */
void signals_request_tick(void);

/* Whether a requested tick has come since the last call. */
bool signals_take_tick(void);

/* Ends the run: somebody asked for it. Any thread. */
void signals_quit(void);

/* Whether the run is to end: a signal came, the deadline, or signals_quit(). */
bool signals_stop(void);

/* Whether signals_quit() was called. */
bool signals_asked_to_quit(void);

/* The signal that came; 0 if none. */
int signals_caught(void);

/* Ends the process by that signal. */
_Noreturn void signals_die(int signal);

#endif
