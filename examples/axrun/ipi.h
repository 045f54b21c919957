/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* Interrupts from one CPU to others, where no interrupt controller in the kernel sends them. */
#ifndef AXRUN_IPI_H
#define AXRUN_IPI_H

#include <stdint.h>

#include <axvcpu/arm64.h>
#include <axvcpu/axvcpu.h>

#include "cpus.h"

/* The CPUs, of `ncpus`, that it goes to if `sender` sends it: bit n is CPU n. */
uint64_t ipi_targets(const struct axvcpu_exit_ipi *ipi, uint32_t sender, uint32_t ncpus);

/* Delivers it. */
void ipi_send(struct cpus *cpus, struct cpu *sender, const struct axvcpu_exit_ipi *ipi);

/* Starts what a CPU_UP exit names. What came of it, of the last one if it is several. */
enum axvcpu_psci_result ipi_start(struct cpus *cpus, struct cpu *sender,
				  const struct axvcpu_exit_cpu_up *up);

#endif
