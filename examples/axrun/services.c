/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
#include "services.h"

#include <sys/random.h>

/* 16 random bits, if the host has them; otherwise the guest must retry, as the source is busy. */
static uint64_t seed(void)
{
	uint16_t bits;

	if (getrandom(&bits, sizeof(bits), GRND_NONBLOCK) != sizeof(bits))
		return GUEST_SEED_BUSY;
	return GUEST_SEED_READY | bits;
}

uint64_t services_call(const struct axvcpu_exit_hypercall *call, uint32_t cpu)
{
	const uint64_t *args = call->args;

	switch (call->nr) {
	case GUEST_CALL_ADD:
		return args[0] + args[1];
	case GUEST_CALL_PICK:
		if (args[0] >= sizeof(call->args) / sizeof(call->args[0]))
			return GUEST_CALL_ERROR;
		return args[args[0]];
	case GUEST_CALL_CPU:
		return cpu;
	default:
		return GUEST_CALL_ERROR;
	}
}

bool services_read(struct services *services, uint32_t cpu, uint64_t reg, uint64_t *value)
{
	switch (reg) {
	case GUEST_SYSREG_BASE + GUEST_SYSREG_ID:
		*value = GUEST_SYSREG_MAGIC;
		return true;
	case GUEST_SYSREG_BASE + GUEST_SYSREG_SCRATCH:
		*value = services->scratch[cpu];
		return true;
	case GUEST_SYSREG_BASE + GUEST_SYSREG_SHARED:
		*value = services->shared;
		return true;
	case GUEST_CSR_SEED:
		*value = seed();
		return true;
	default:
		return false;
	}
}

bool services_write(struct services *services, uint32_t cpu, uint64_t reg, uint64_t value)
{
	switch (reg) {
	case GUEST_SYSREG_BASE + GUEST_SYSREG_SCRATCH:
		services->scratch[cpu] = value;
		return true;
	case GUEST_SYSREG_BASE + GUEST_SYSREG_SHARED:
		services->shared = value;
		return true;
	default:
		return false;
	}
}
