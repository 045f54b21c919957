/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* The guests of guests-MACHINE.S, as bytes. */
#ifndef TUTORIAL_GUESTS_H
#define TUTORIAL_GUESTS_H

#include <stdint.h>

#define GUEST(name) \
	extern const char guest_##name[]; \
	extern const uint32_t guest_##name##_size

GUEST(hi);
GUEST(six);
GUEST(console);
GUEST(read);
GUEST(interrupt);
GUEST(two);
GUEST(count);

#endif
