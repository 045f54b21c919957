/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * Where things are for the guests of the tests, on every architecture: for C and for the programs of
 * tests/ARCH/programs.S, so numbers without a suffix.
 */
#ifndef TESTS_GUEST_MAP_H
#define TESTS_GUEST_MAP_H

/* Start of memory, and other constants of an architecture: tests/ARCH/guest_arch.h. */
#include "guest_arch.h"

#define GUEST_CODE (GUEST_BASE + 0x1000)
/* For each vCPU: 64 bytes of counters, a page of stack below, the boot area. */
#define GUEST_CELL_OF(id) (GUEST_BASE + 0x4000 + 64 * (id))
#define GUEST_STACK_OF(id) (GUEST_BASE + 0x8000 + 0x1000 * (id))
#define GUEST_BOOT_OF(id) (GUEST_BASE + 0x180000 + 0x8000 * (id))

/* Addresses without memory: the devices of the programs, */
#define GUEST_MMIO 0xd0000000
/* and, in another page of any size, where they write when they are through, again and again. */
#define GUEST_END 0xd0010000

/* Values that the programs write: an arbitrary one, and one with distinguishable bytes. */
#define GUEST_VALUE 0x41
#define GUEST_PATTERN 0x8877665544332211

/* "ring": the number of the current turn, a word. */
#define GUEST_TURN (GUEST_BASE + 0x3000)
#define GUEST_RING_VCPUS 4

/* "work": memory that comes and goes; the addresses of its reports and of its reads. */
#define GUEST_WINDOW (GUEST_BASE + 0x400000)
#define GUEST_WORK_TELL GUEST_MMIO
#define GUEST_WORK_ASK (GUEST_MMIO + 8)

#endif
