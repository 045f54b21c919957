/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * Ways to crash. What is wrong with a guest alone ends in its own trap handler, with later KVMs a jump to
 * where no memory is, too; a hypervisor gives up on accesses to no memory that it cannot emulate.
 */
#include "../guest.h"

/* Mapped by nobody: between the devices and RAM. */
#define NOWHERE UINT64_C(0x70000000)

static void atomic(void)
{
	uint64_t value;

	__asm__ volatile("amoadd.d %0, %0, (%1)" : "=&r"(value) : "r"(NOWHERE), "0"(1) : "memory");
}

/* A load of the wrong alignment, which memory would allow. */
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
