/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* The power state coordination interface: calls by HVC. */
#ifndef GUEST_PSCI_H
#define GUEST_PSCI_H

#include "arch.h"

#define PSCI_CPU_OFF 0x84000002u
#define PSCI_CPU_ON 0xc4000003u
#define PSCI_AFFINITY_INFO 0xc4000004u
#define PSCI_SYSTEM_OFF 0x84000008u
#define PSCI_SYSTEM_RESET 0x84000009u

/* Results. */
#define PSCI_SUCCESS 0
#define PSCI_INVALID_PARAMETERS (-2)
#define PSCI_ALREADY_ON (-4)
/* Of AFFINITY_INFO. */
#define PSCI_ON 0
#define PSCI_OFF 1

/* Results have 32 bits in some hypervisors, 64 in others. */
static inline int32_t guest_psci(uint32_t function, uint64_t a, uint64_t b, uint64_t c)
{
	const uint64_t args[6] = { a, b, c };

	return (int32_t)guest_smccc(function, args);
}

#endif
