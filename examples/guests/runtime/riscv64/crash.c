/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * Ways to crash. Errors within the guest end in its own trap handler; with recent KVMs that
 * includes a jump to unmapped memory. The hypervisor gives up on accesses to unmapped memory that
 * it cannot emulate.
 */
#include "../guest.h"

/* Unmapped: between the devices and RAM. */
#define NOWHERE UINT64_C(0x70000000)

static void atomic(void)
{
	uint64_t value;

	__asm__ volatile("amoadd.d %0, %0, (%1)" : "=&r"(value) : "r"(NOWHERE), "0"(1) : "memory");
}

/* A misaligned load, which would work on memory. */
static void misaligned(void)
{
	uint64_t value;

	__asm__ volatile("ld %0, 0(%1)" : "=r"(value) : "r"(NOWHERE + 1) : "memory");
}

const struct guest_crash guest_crashes[] = {
	{ "atomic", atomic },
	{ "misaligned", misaligned },
};
const size_t guest_ncrashes = sizeof(guest_crashes) / sizeof(guest_crashes[0]);
