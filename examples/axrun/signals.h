/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * Signals and timers, which interrupt the guest from outside.
 *
 * A signal that would end axrun is caught and the vCPUs are stopped. The run ends in order: the
 * output is written and the terminal restored, then axrun dies of the signal. A second signal ends
 * axrun at once. Signals that were ignored when axrun started stay ignored.
 *
 * The main thread receives all of them; the vCPU threads block them.
 */
#ifndef AXRUN_SIGNALS_H
#define AXRUN_SIGNALS_H

#include <stdbool.h>
#include <stdint.h>

#include <axvcpu/axvcpu.h>

/* Installs the handlers and creates the timers. Returns 0, or -1 after fail(). */
int signals_install(void);

/* The signal for kicks; signals_install() has installed its handler. */
int signals_kick_signal(void);

/*
 * Sets the runner to stop on a signal or at the deadline, and the vCPU to kick on a tick; NULL:
 * none. Main thread only; check signals_stop() once afterwards.
 */
void signals_watch(struct axvm_runner *runner, struct axvcpu *vcpu);

/* Called by each vCPU thread before it uses the terminal. */
void signals_thread_start(void);

/*
 * Around system calls that may block: while the run is ending, they are interrupted repeatedly. One
 * thread at a time.
 */
void signals_begin_io(void);
void signals_end_io(void);

/* Ends the run after that time. */
void signals_set_deadline(uint64_t ns);

/*
 * Requests a tick: signals_take_tick() returns true soon. Does nothing if one is already requested.
 */
void signals_request_tick(void);

/* Returns whether a requested tick has come since the last call. */
bool signals_take_tick(void);

/*
 * Makes signals_save() and SIGUSR1 stop the vCPUs for a save, and so does the time, in nanoseconds
 * from now, if it is not 0. Otherwise SIGUSR1 ends the run as other signals do.
 */
void signals_allow_save(uint64_t ns);

/* Stops the vCPUs for a save. Returns false if that is not allowed. Any thread. */
bool signals_save(void);

/* Whether the vCPUs must stop for a save. */
bool signals_asked_to_save(void);

/* Ends the run at the user's request. Any thread. */
void signals_quit(void);

/* Whether the run must end: after a signal, the deadline or signals_quit(). */
bool signals_stop(void);

/* Whether signals_quit() was called. */
bool signals_asked_to_quit(void);

/* The signal received, or 0. */
int signals_caught(void);

/* Ends the process with that signal. */
_Noreturn void signals_die(int signal);

#endif
