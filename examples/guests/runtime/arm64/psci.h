/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* Power State Coordination Interface (PSCI): calls by HVC. */
#ifndef GUEST_PSCI_H
#define GUEST_PSCI_H

#include "arch.h"

#define PSCI_CPU_OFF 0x84000002u
#define PSCI_CPU_ON 0xc4000003u
#define PSCI_AFFINITY_INFO 0xc4000004u
#define PSCI_SYSTEM_OFF 0x84000008u
#define PSCI_SYSTEM_RESET 0x84000009u

/* Return values. */
#define PSCI_SUCCESS 0
#define PSCI_INVALID_PARAMETERS (-2)
#define PSCI_ALREADY_ON (-4)
/* Return values of AFFINITY_INFO. */
#define PSCI_ON 0
#define PSCI_OFF 1

/* Some hypervisors return 32 bits, others 64. */
static inline int32_t guest_psci(uint32_t function, uint64_t a, uint64_t b, uint64_t c)
{
	const uint64_t args[6] = { a, b, c };

	return (int32_t)guest_smccc(function, args);
}

#endif
