/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * ACPI tables of a hardware-reduced machine, by which an unmodified kernel finds the CPUs, the serial port
 * and the registers for sleep and reset, and learns what of a PC is not there. ACPI 6.5 describes them.
 */
#ifndef AXRUN_ACPI_H
#define AXRUN_ACPI_H

#include <stddef.h>
#include <stdint.h>

#include "bus.h"

#define ACPI_TABLES 5

/* What they say. All registers are I/O ports. */
struct acpi_machine {
	uint32_t ncpus;
	struct bus_place console;
	uint32_t console_gsi;
	struct bus_place power;
};

struct acpi_table {
	/* As files that contain such a table are called: "facp". */
	char name[5];
	size_t offset;
	size_t len;
};

struct acpi {
	/* The address of the memory that they go to, and its bytes here. */
	uint64_t gpa;
	uint8_t *bytes;
	size_t size;
	/* Of it, what is used. */
	size_t len;
	/* The root pointer is the first: it lies at `gpa`. */
	struct acpi_table tables[ACPI_TABLES];
	size_t ntables;
};

/*
 * Builds them into acpi->bytes, for acpi->gpa, which is aligned to 16. Returns 0, or -1 after fail(): there
 * is no room.
 */
int acpi_build(struct acpi *acpi, const struct acpi_machine *machine);

#endif
