/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * External interrupts: of the IMSICs, or, if there are none, by a line from axrun's timer device.
 * Both have identities from 1 up.
 */
#ifndef GUEST_EXTERNAL_H
#define GUEST_EXTERNAL_H

/* Prepares them for this CPU. */
void guest_external_start(void);

/* Takes the one that waits; 0: none does. */
unsigned int guest_external_take(void);

#endif
