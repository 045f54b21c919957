/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * ACPI tables of a hardware-reduced machine. They tell an unmodified kernel about the CPUs, the
 * serial port, the generation id and the sleep and reset registers, and which PC devices are absent.
 * See ACPI 6.5.
 */
#ifndef AXRUN_ACPI_H
#define AXRUN_ACPI_H

#include <stddef.h>
#include <stdint.h>

#include "device.h"

#define ACPI_TABLES 5

/* The described hardware. All registers are I/O ports. */
struct acpi_machine {
	uint32_t ncpus;
	struct place console;
	uint32_t console_gsi;
	struct place power;
	/* Address of the generation id, and its interrupt; no such device if the address is 0. */
	uint64_t generation;
	uint32_t generation_gsi;
};

struct acpi_table {
	/* The name of a file with this table, such as "facp". */
	char name[5];
	size_t offset;
	size_t len;
};

struct acpi {
	/* Guest-physical address of the area, and its contents. */
	uint64_t gpa;
	uint8_t *bytes;
	size_t size;
	/* Bytes used. */
	size_t len;
	/* The root pointer comes first, at `gpa`. */
	struct acpi_table tables[ACPI_TABLES];
	size_t ntables;
};

/*
 * Builds the tables in acpi->bytes, for acpi->gpa, which is aligned to 16. Returns 0, or -1 after
 * fail() if they do not fit.
 */
int acpi_build(struct acpi *acpi, const struct acpi_machine *machine);

#endif
