/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * The timer device: one timer per CPU, for machines without an interrupt controller. Where CPUs
 * only have an interrupt line, it also gives the interrupt's number. Its registers are described in
 * guests/abi.h. One thread serves all timers.
 */
#ifndef AXRUN_TIMER_H
#define AXRUN_TIMER_H

#include "device.h"
#include "cpus.h"

/* Adds it to the VM. Returns 0, or -1 after fail(). */
int timer_attach(struct cpus *cpus, struct axvm *vm);

/* Start and end the thread. 0, or -1 after fail(). */
int timer_start(struct cpus *cpus, pthread_t *thread);
void timer_stop(struct cpus *cpus, pthread_t thread);

#endif
