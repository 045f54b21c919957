/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* What axrun itself answers: hypercalls and system registers. guests/abi.h describes them. */
#ifndef AXRUN_SERVICES_H
#define AXRUN_SERVICES_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <axvcpu/axvcpu.h>

#include "../guests/abi.h"

struct services {
	/* Of the system registers: each CPU's own scratch, and that of all. */
	_Atomic uint64_t scratch[GUEST_CPUS_MAX];
	_Atomic uint64_t shared;
};

/* The result of a hypercall that this CPU makes. */
uint64_t services_call(const struct axvcpu_exit_hypercall *call, uint32_t cpu);

/* Reads and writes a system register; false: it is not there, and the access faults. */
bool services_read(struct services *services, uint32_t cpu, uint64_t reg, uint64_t *value);
bool services_write(struct services *services, uint32_t cpu, uint64_t reg, uint64_t value);

#endif
