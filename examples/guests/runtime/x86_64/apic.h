/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * The LAPIC. Without an interrupt controller only its command register works, by which CPUs start
 * and interrupt each other.
 */
#ifndef GUEST_APIC_H
#define GUEST_APIC_H

#include <stdint.h>

/* Ends the handling of the current interrupt. */
void guest_apic_eoi(void);

/* Starts a CPU in real mode, at a page below 1 MiB. */
void guest_apic_start_cpu(unsigned int cpu, uint32_t gpa);

#endif
