/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* Hypercalls and system registers that axrun emulates. Described in guests/abi.h. */
#ifndef AXRUN_SERVICES_H
#define AXRUN_SERVICES_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <axvcpu/axvcpu.h>

#include "../guests/abi.h"
#include "platform.h"

struct services {
	/* The scratch system registers: one per CPU, and a shared one. */
	_Atomic uint64_t scratch[GUEST_CPUS_MAX];
	_Atomic uint64_t shared;
};

/*
 * Adds the system registers to the VM as a device, if the platform has any. Returns 0, or -1 after
 * fail().
 */
int services_attach(struct services *services, struct axvm *vm, const struct platform *platform);

/* Returns the result of a hypercall by this CPU. */
uint64_t services_call(const struct axvcpu_exit_hypercall *call, uint32_t cpu);

/* Reads the CSR of riscv64's entropy source. */
uint64_t services_seed(void);

/* Read and write a system register; false if it does not exist, then the access faults. */
bool services_read(struct services *services, uint32_t cpu, uint64_t reg, uint64_t *value);
bool services_write(struct services *services, uint32_t cpu, uint64_t reg, uint64_t value);

#endif
