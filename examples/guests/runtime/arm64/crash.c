/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * Ways to crash. Errors within the guest end in its own exception handler. The hypervisor gives up
 * on accesses to unmapped memory by instructions that it would have to decode: the hardware
 * describes only plain loads and stores.
 */
#include "../guest.h"

/* Unmapped: between the devices and RAM. */
#define NOWHERE UINT64_C(0x70000000)

static void load_pair(void)
{
	uint64_t low, high;

	__asm__ volatile("ldp %0, %1, [%2]" : "=&r"(low), "=&r"(high) : "r"(NOWHERE) : "memory");
}

static void store_pair(void)
{
	__asm__ volatile("stp xzr, xzr, [%0]" : : "r"(NOWHERE) : "memory");
}

/* A load with writeback. */
static void post_index(void)
{
	uint64_t gpa = NOWHERE, value;

	__asm__ volatile("ldr %0, [%1], #8" : "=&r"(value), "+&r"(gpa) : : "memory");
}

const struct guest_crash guest_crashes[] = {
	{ "load-pair", load_pair },
	{ "store-pair", store_pair },
	{ "post-index", post_index },
};
const size_t guest_ncrashes = sizeof(guest_crashes) / sizeof(guest_crashes[0]);
