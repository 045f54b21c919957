/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * The exit device: a write to its only register ends the run; the value modulo 256 becomes axrun's
 * exit status.
 */
#ifndef AXRUN_EXITDEV_H
#define AXRUN_EXITDEV_H

#include "device.h"
#include "outcome.h"

/* Adds it to the VM. Returns 0, or -1 after fail(). */
int exitdev_attach(struct outcome *outcome, struct axvm *vm, struct place place);

#endif
