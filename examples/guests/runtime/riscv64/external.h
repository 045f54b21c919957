/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * External interrupts: of the IMSICs or, without them, of a line from axrun's timer device. Both
 * number them from 1.
 */
#ifndef GUEST_EXTERNAL_H
#define GUEST_EXTERNAL_H

/* Initialises them for this CPU. */
void guest_external_start(void);

/* Takes the pending interrupt; 0 if there is none. */
unsigned int guest_external_take(void);

#endif
