/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* The power device: the sleep and reset registers that the ACPI tables describe. */
#ifndef AXRUN_POWER_H
#define AXRUN_POWER_H

#include "device.h"
#include "outcome.h"

/* Adds it to the VM. Returns 0, or -1 after fail(). */
int power_attach(struct outcome *outcome, struct axvm *vm, struct place place);

#endif
