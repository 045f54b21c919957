/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * The timer device: a timer for each CPU, for machines without an interrupt controller, which would
 * have them; and what there is of one where a CPU has but a line. guests/abi.h describes its registers. One thread waits for all of them.
 */
#ifndef AXRUN_TIMER_H
#define AXRUN_TIMER_H

#include "bus.h"
#include "cpus.h"

/* Puts them on the bus. Returns 0, or -1 after fail(). */
int timer_attach(struct cpus *cpus, struct bus *bus);

/* Starts and ends the thread. 0, or -1 after fail(). */
int timer_start(struct cpus *cpus, pthread_t *thread);
void timer_stop(struct cpus *cpus, pthread_t thread);

#endif
