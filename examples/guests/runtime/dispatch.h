/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* Who handles an interrupt, by number, where the architecture has no table for that. */
#ifndef GUEST_DISPATCH_H
#define GUEST_DISPATCH_H

#include <stdint.h>

/* What interrupts can have handlers. */
#define GUEST_INTERRUPTS 128u

/* Calls the handler of an interrupt that this CPU has taken; without one the guest ends. */
void guest_dispatch(unsigned int number);

/* How many this CPU has taken. */
uint64_t guest_dispatched(void);

#endif
