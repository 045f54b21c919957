/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* The power device: the sleep and reset registers that the ACPI tables describe. */
#ifndef AXRUN_POWER_H
#define AXRUN_POWER_H

#include "bus.h"
#include "outcome.h"

/* Adds it to the bus. Returns 0, or -1 after fail(). */
int power_attach(struct outcome *outcome, struct bus *bus, struct bus_place place);

#endif
