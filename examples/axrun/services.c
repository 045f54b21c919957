/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
#include "services.h"

#include <errno.h>
#include <sys/random.h>

#include "device.h"
#include "state.h"

/* 16 random bits, if the host has them; otherwise the guest must retry, as the source is busy. */
uint64_t services_seed(void)
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

/* --- the device ------------------------------------------------------------------------------- */

static int sysregs_read(struct axvcpu *vcpu, void *ctx, uint64_t offset, unsigned int width,
			uint64_t *value)
{
	(void)width;
	return services_read(ctx, axvcpu_id(vcpu), GUEST_SYSREG_BASE + offset, value) ? AXVM_HANDLED
										      : AXVM_FAULT;
}

static int sysregs_write(struct axvcpu *vcpu, void *ctx, uint64_t offset, unsigned int width,
			 uint64_t value)
{
	(void)width;
	return services_write(ctx, axvcpu_id(vcpu), GUEST_SYSREG_BASE + offset, value)
		       ? AXVM_HANDLED
		       : AXVM_FAULT;
}

/* The state: the scratch registers. */
static void put_state(struct state *state, void *ctx)
{
	struct services *services = ctx;
	uint32_t cpu;

	for (cpu = 0; cpu < GUEST_CPUS_MAX; cpu++)
		state_put(state, 8, services->scratch[cpu]);
	state_put(state, 8, services->shared);
}

static int sysregs_save(void *ctx, void *buf, size_t len)
{
	return state_save(buf, len, put_state, ctx);
}

static int sysregs_restore(void *ctx, uint32_t version, const void *buf, size_t len)
{
	struct services *services = ctx;
	struct state state = state_open(buf, len);
	uint32_t cpu;

	(void)version;
	if (len != sizeof(uint64_t) * (GUEST_CPUS_MAX + 1))
		return -EINVAL;
	for (cpu = 0; cpu < GUEST_CPUS_MAX; cpu++)
		services->scratch[cpu] = state_get(&state, 8);
	services->shared = state_get(&state, 8);
	return 0;
}

int services_attach(struct services *services, struct axvm *vm, const struct platform *platform)
{
	const struct place place = { AXVM_SPACE_SYSREG, GUEST_SYSREG_BASE };

	if (!platform->nsysregs)
		return 0;
	return device_add(vm,
			  AXVCPU_WITH(axvm_device_config, .name = "sysregs",
				      .flags = AXVM_DEVICE_SELF_LOCKED, .ctx = services,
				      .read = sysregs_read, .write = sysregs_write,
				      .save = sysregs_save, .restore = sysregs_restore),
			  place, GUEST_SYSREGS);
}
