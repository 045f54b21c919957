/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* Interrupt handlers by number, for architectures without an interrupt table. */
#ifndef GUEST_DISPATCH_H
#define GUEST_DISPATCH_H

#include <stdint.h>

/* Interrupt numbers below this can have handlers. */
#define GUEST_INTERRUPTS 128u

/* Calls the handler of an interrupt that this CPU has taken. Without a handler the guest ends. */
void guest_dispatch(unsigned int number);

/* Number of interrupts that this CPU has taken. */
uint64_t guest_dispatched(void);

#endif
