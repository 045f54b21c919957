/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * Ways to crash. What is wrong with a guest alone ends in its own vectors; a hypervisor gives up on
 * accesses to no memory by instructions that it would have to decode by itself: the hardware tells
 * it what a plain load or store did, and nothing of the others.
 */
#include "../guest.h"

/* Mapped by nobody: between the devices and RAM. */
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

/* A load that also changes its base register. */
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
