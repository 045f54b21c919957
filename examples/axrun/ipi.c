/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
#include "ipi.h"

#include <inttypes.h>

#include "message.h"

/* Values of `delivery_mode`, from axvcpu/exit.h. */
enum {
	MODE_FIXED = 0,
	MODE_LOWEST = 1,
	MODE_NMI = 4,
	MODE_INIT = 5,
	MODE_STARTUP = 6,
};

/* A logical destination is a cluster of 16 CPUs and a bit mask in it. */
#define CLUSTER_SHIFT 16
#define CLUSTER_CPUS 16

/* The vector of a startup IPI is the page number of the entry point. */
#define STARTUP_SHIFT 12

static uint64_t bit(uint64_t cpu)
{
	return cpu < 64 ? UINT64_C(1) << cpu : 0;
}

static uint64_t all_of(uint32_t ncpus)
{
	return ncpus < 64 ? bit(ncpus) - 1 : UINT64_MAX;
}

/*
 * Guests program the xAPIC's logical ids themselves, and axrun does not see that. It assumes the
 * ids that all guests with the flat model use: bit n is CPU n, for the first eight. x2APIC ids,
 * which the hardware assigns, work alike, for more CPUs.
 */
static uint64_t logical(uint64_t destination)
{
	uint64_t first = (destination >> CLUSTER_SHIFT) * CLUSTER_CPUS;
	uint64_t mask = destination & ((1u << CLUSTER_CPUS) - 1);

	return first < 64 ? mask << first : 0;
}

uint64_t ipi_targets(const struct axvcpu_exit_ipi *ipi, uint32_t sender, uint32_t ncpus)
{
	uint64_t targets;

	if (ipi->send_to_all)
		targets = ipi->send_to_self ? UINT64_MAX : ~bit(sender);
	else if (ipi->send_to_self)
		targets = bit(sender);
	else
		targets = ipi->logical ? logical(ipi->target_cpu) : bit(ipi->target_cpu);
	targets &= all_of(ncpus);
	/* All CPUs have the same priority: take the first. */
	if (ipi->delivery_mode == MODE_LOWEST)
		targets &= -targets;
	return targets;
}

static enum axvcpu_psci_result start(struct cpus *cpus, struct cpu *sender, uint32_t id,
				     uint64_t entry, uint64_t arg)
{
	/* Many guests send a second startup IPI; a CPU that is on ignores it. */
	if (cpus_start(cpus, sender, id, entry, arg))
		return AXVCPU_PSCI_SUCCESS;
	log_message(AXVCPU_LOG_DEBUG, "CPU %" PRIu32 " is already on", id);
	return AXVCPU_PSCI_ALREADY_ON;
}

void ipi_send(struct cpus *cpus, struct cpu *sender, const struct axvcpu_exit_ipi *ipi)
{
	uint64_t targets = ipi_targets(ipi, axvcpu_id(sender->vcpu), cpus->n);
	uint32_t id;

	if (!targets)
		log_message(AXVCPU_LOG_DEBUG, "IPI without a target: 0x%" PRIx64, ipi->target_cpu);
	for (id = 0; id < cpus->n; id++) {
		if (!(targets & bit(id)))
			continue;
		switch (ipi->delivery_mode) {
		case MODE_FIXED:
		case MODE_LOWEST:
			cpus_interrupt(cpus, sender, id, (uint8_t)ipi->vector);
			break;
		case MODE_NMI:
			cpus_nmi(cpus, sender, id);
			break;
		case MODE_INIT:
			/* Current CPUs ignore the deassertion of INIT. */
			if (ipi->level)
				cpus_init(cpus, sender, id);
			break;
		case MODE_STARTUP:
			start(cpus, sender, id, ipi->vector << STARTUP_SHIFT, 0);
			break;
		default:
			log_message(AXVCPU_LOG_DEBUG,
				    "IPI with unsupported delivery mode %u to CPU %" PRIu32,
				    ipi->delivery_mode, id);
			break;
		}
	}
}

enum axvcpu_psci_result ipi_start(struct cpus *cpus, struct cpu *sender,
				  const struct axvcpu_exit_cpu_up *up)
{
	enum axvcpu_psci_result result = AXVCPU_PSCI_SUCCESS;
	uint32_t id;

	if (up->target_cpu != AXVCPU_ALL_OTHERS) {
		id = platform_cpu(cpus->platform, up->target_cpu);
		if (id < cpus->n)
			return start(cpus, sender, id, up->entry_point, up->arg);
		log_message(AXVCPU_LOG_DEBUG, "no CPU 0x%" PRIx64 " to start", up->target_cpu);
		return AXVCPU_PSCI_INVALID_PARAMETERS;
	}
	for (id = 0; id < cpus->n; id++)
		if (id != axvcpu_id(sender->vcpu))
			result = start(cpus, sender, id, up->entry_point, up->arg);
	return result;
}
