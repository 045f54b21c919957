/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* Interrupts between CPUs, where no in-kernel interrupt controller delivers them. */
#ifndef AXRUN_IPI_H
#define AXRUN_IPI_H

#include <stdint.h>

#include <axvcpu/arm64.h>
#include <axvcpu/axvcpu.h>

#include "cpus.h"

/* Targets, among `ncpus` CPUs, of an IPI from `sender`: bit n is CPU n. */
uint64_t ipi_targets(const struct axvcpu_exit_ipi *ipi, uint32_t sender, uint32_t ncpus);

/* Delivers the IPI. */
void ipi_send(struct cpus *cpus, struct cpu *sender, const struct axvcpu_exit_ipi *ipi);

/*
 * Starts the target of a CPU_UP exit. Returns the result; with several targets, that of the last
 * one.
 */
enum axvcpu_psci_result ipi_start(struct cpus *cpus, struct cpu *sender,
				  const struct axvcpu_exit_cpu_up *up);

#endif
