/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
#include "acpi.h"

#include <stdio.h>
#include <string.h>

#include "../guests/abi.h"
#include "aml.h"
#include "bytes.h"
#include "message.h"

#define ALIGNMENT 16u
#define OEM "AXVCPU"
#define OEM_TABLE "AXRUN   "
#define CREATOR "AXVC"

/* Header of all tables except the root pointer. */
#define HEADER_LENGTH 4u
#define HEADER_REVISION 8u
#define HEADER_CHECKSUM 9u
#define HEADER_OEM 10u
#define HEADER_OEM_TABLE 16u
#define HEADER_OEM_REVISION 24u
#define HEADER_CREATOR 28u
#define HEADER_CREATOR_REVISION 32u
#define HEADER_SIZE 36u

/* --- tables ----------------------------------------------------------------------------------- */

/* Allocates the next table, zeroed; NULL after fail(). */
static uint8_t *new_table(struct acpi *acpi, const char *name, size_t len)
{
	size_t offset = (acpi->len + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1);
	struct acpi_table *table = &acpi->tables[acpi->ntables];

	if (acpi->ntables == ACPI_TABLES || offset > acpi->size || len > acpi->size - offset) {
		fail("not enough room for the ACPI tables");
		return NULL;
	}
	acpi->ntables++;
	snprintf(table->name, sizeof(table->name), "%s", name);
	table->offset = offset;
	table->len = len;
	acpi->len = offset + len;
	return memset(acpi->bytes + offset, 0, len);
}

/* Shortens the last table. */
static void trim(struct acpi *acpi, size_t len)
{
	struct acpi_table *table = &acpi->tables[acpi->ntables - 1];

	table->len = len;
	acpi->len = table->offset + len;
}

/* Address of the last table. */
static uint64_t address(const struct acpi *acpi)
{
	return acpi->gpa + acpi->tables[acpi->ntables - 1].offset;
}

/* The value that makes the sum of all bytes 0. */
static uint8_t checksum(const uint8_t *bytes, size_t len)
{
	uint8_t sum = 0;

	while (len-- > 0)
		sum = (uint8_t)(sum + *bytes++);
	return (uint8_t)-sum;
}

/* Completes a table: fills in its header. */
static void finish(uint8_t *table, const char *signature, size_t len, uint8_t revision)
{
	memcpy(table, signature, 4);
	bytes_put(table + HEADER_LENGTH, 4, len);
	table[HEADER_REVISION] = revision;
	memcpy(table + HEADER_OEM, OEM, 6);
	memcpy(table + HEADER_OEM_TABLE, OEM_TABLE, 8);
	bytes_put(table + HEADER_OEM_REVISION, 4, 1);
	memcpy(table + HEADER_CREATOR, CREATOR, 4);
	bytes_put(table + HEADER_CREATOR_REVISION, 4, 1);
	table[HEADER_CHECKSUM] = checksum(table, len);
}

/* Each of these builds a table and returns its address, or 0 after fail(). */

/* --- DSDT: the devices ------------------------------------------------------------------------ */

#define DSDT_REVISION 2u /* from 2 on, integers have 64 bits */
#define DSDT_MAX 1024u
#define UART_PORTS 8u

static void describe_console(struct aml *aml, const struct acpi_machine *machine)
{
	aml_device_begin(aml, "COM1");
	aml_name(aml, "_HID");
	aml_eisa_id(aml, "PNP0501");
	aml_name(aml, "_UID");
	aml_number(aml, 1);
	aml_name(aml, "_CRS");
	aml_resources_begin(aml);
	aml_ports(aml, (uint16_t)machine->console.base, UART_PORTS);
	aml_interrupt(aml, machine->console_gsi);
	aml_resources_end(aml);
	aml_end(aml);
}

/* See Microsoft's "Virtual Machine Generation ID". Linux drivers match the hardware id, too. */
static void describe_generation(struct aml *aml, const struct acpi_machine *machine)
{
	aml_device_begin(aml, "VGEN");
	aml_name(aml, "_HID");
	aml_string(aml, "VMGENCTR");
	aml_name(aml, "_CID");
	aml_string(aml, "VM_Gen_Counter");
	aml_name(aml, "_DDN");
	aml_string(aml, "VM_Gen_Counter");
	aml_name(aml, "ADDR");
	aml_package_begin(aml, 2);
	aml_number(aml, (uint32_t)machine->generation);
	aml_number(aml, (uint32_t)(machine->generation >> 32));
	aml_end(aml);
	aml_end(aml);
}

#define GENERATION_CHANGED 0x80u

/* The generic event device: on a hardware-reduced machine, interrupts that notify devices. */
static void describe_events(struct aml *aml, const struct acpi_machine *machine)
{
	aml_device_begin(aml, "GED_");
	aml_name(aml, "_HID");
	aml_string(aml, "ACPI0013");
	aml_name(aml, "_UID");
	aml_number(aml, 0);
	aml_name(aml, "_CRS");
	aml_resources_begin(aml);
	aml_edge_interrupt(aml, machine->generation_gsi);
	aml_resources_end(aml);
	/* The argument is the number of the interrupt: there is only one. */
	aml_method_begin(aml, "_EVT", 1);
	aml_notify(aml, "VGEN", GENERATION_CHANGED);
	aml_end(aml);
	aml_end(aml);
}

/*
 * The first element is the value for the sleep register to power off; the other three are unused on
 * hardware-reduced machines.
 */
static void describe_power_off(struct aml *aml)
{
	unsigned int i;

	aml_name(aml, "_S5_");
	aml_package_begin(aml, 4);
	aml_number(aml, GUEST_POWER_OFF_STATE);
	for (i = 1; i < 4; i++)
		aml_number(aml, 0);
	aml_end(aml);
}

static uint64_t build_dsdt(struct acpi *acpi, const struct acpi_machine *machine)
{
	uint8_t *table = new_table(acpi, "dsdt", DSDT_MAX);
	struct aml aml;

	if (!table)
		return 0;
	aml = (struct aml){ .bytes = table, .size = DSDT_MAX, .len = HEADER_SIZE };
	aml_scope_begin(&aml, "\\_SB_");
	describe_console(&aml, machine);
	if (machine->generation) {
		describe_generation(&aml, machine);
		describe_events(&aml, machine);
	}
	aml_end(&aml);
	describe_power_off(&aml);
	if (aml.full) {
		fail("not enough room for the ACPI devices");
		return 0;
	}
	trim(acpi, aml.len);
	finish(table, "DSDT", aml.len, DSDT_REVISION);
	return address(acpi);
}

/* --- FADT: registers and missing devices ------------------------------------------------------ */

#define FADT_SIZE 276u
#define FADT_REVISION 6u
#define FADT_MINOR_REVISION 5u
#define FADT_DSDT 40u
#define FADT_BOOT_ARCH 109u
#define FADT_FLAGS 112u
#define FADT_RESET 116u
#define FADT_RESET_VALUE 128u
#define FADT_MINOR 131u
#define FADT_X_DSDT 140u
#define FADT_SLEEP_CONTROL 244u
#define FADT_SLEEP_STATUS 256u
#define FADT_HYPERVISOR 268u

/* The flags for legacy devices and a keyboard controller stay clear. */
#define BOOT_NO_VGA (1u << 2)
#define BOOT_NO_MSI (1u << 3)
#define BOOT_NO_ASPM (1u << 4)
#define BOOT_NO_RTC (1u << 5)

#define FLAG_WBINVD (1u << 0)
#define FLAG_C1 (1u << 2)
#define FLAG_NO_FIXED_POWER_BUTTON (1u << 4)
#define FLAG_NO_FIXED_SLEEP_BUTTON (1u << 5)
#define FLAG_RESET (1u << 10)
#define FLAG_HARDWARE_REDUCED (1u << 20)

/* A one-byte register at an I/O port. */
static void put_register(uint8_t *at, uint64_t port)
{
	at[0] = 1; /* address space: system I/O */
	at[1] = 8; /* register width in bits */
	at[3] = 1; /* access size: byte */
	bytes_put(at + 4, 8, port);
}

static uint64_t build_fadt(struct acpi *acpi, const struct acpi_machine *machine, uint64_t dsdt)
{
	uint8_t *table = new_table(acpi, "facp", FADT_SIZE);

	if (!table)
		return 0;
	bytes_put(table + FADT_DSDT, 4, dsdt);
	bytes_put(table + FADT_X_DSDT, 8, dsdt);
	bytes_put(table + FADT_BOOT_ARCH, 2,
		  BOOT_NO_VGA | BOOT_NO_MSI | BOOT_NO_ASPM | BOOT_NO_RTC);
	bytes_put(table + FADT_FLAGS, 4,
		  FLAG_WBINVD | FLAG_C1 | FLAG_NO_FIXED_POWER_BUTTON | FLAG_NO_FIXED_SLEEP_BUTTON |
			  FLAG_RESET | FLAG_HARDWARE_REDUCED);
	put_register(table + FADT_RESET, machine->power.base + GUEST_POWER_RESET);
	table[FADT_RESET_VALUE] = GUEST_POWER_RESET_VALUE;
	table[FADT_MINOR] = FADT_MINOR_REVISION;
	put_register(table + FADT_SLEEP_CONTROL, machine->power.base + GUEST_POWER_SLEEP);
	put_register(table + FADT_SLEEP_STATUS, machine->power.base + GUEST_POWER_STATUS);
	memcpy(table + FADT_HYPERVISOR, OEM, 6);
	finish(table, "FACP", FADT_SIZE, FADT_REVISION);
	return address(acpi);
}

/* --- MADT: the CPUs and interrupt controllers ------------------------------------------------- */

#define MADT_REVISION 6u
#define MADT_LAPIC_ADDRESS 36u
#define MADT_ENTRIES 44u
#define LAPIC_SIZE 8u
#define LAPIC_ENABLED 1u
#define IOAPIC 1u
#define IOAPIC_SIZE 12u
/* The addresses in KVM. */
#define LAPIC_GPA 0xfee00000u
#define IOAPIC_GPA 0xfec00000u

/* PCAT_COMPAT is not set: there are no PICs for the guest. */
static uint64_t build_madt(struct acpi *acpi, const struct acpi_machine *machine)
{
	size_t size = MADT_ENTRIES + machine->ncpus * LAPIC_SIZE + IOAPIC_SIZE;
	uint8_t *table = new_table(acpi, "apic", size), *entry;
	uint32_t i;

	if (!table)
		return 0;
	bytes_put(table + MADT_LAPIC_ADDRESS, 4, LAPIC_GPA);
	entry = table + MADT_ENTRIES;
	for (i = 0; i < machine->ncpus; i++, entry += LAPIC_SIZE) {
		entry[1] = LAPIC_SIZE;
		entry[2] = entry[3] = (uint8_t)i;
		bytes_put(entry + 4, 4, LAPIC_ENABLED);
	}
	entry[0] = IOAPIC;
	entry[1] = IOAPIC_SIZE;
	bytes_put(entry + 4, 4, IOAPIC_GPA);
	finish(table, "APIC", size, MADT_REVISION);
	return address(acpi);
}

/* --- the root tables -------------------------------------------------------------------------- */

#define XSDT_REVISION 1u
#define XSDT_SIZE (HEADER_SIZE + 2 * 8) /* with two table addresses */
#define RSDP_SIZE 36u
#define RSDP_CHECKSUM 8u
#define RSDP_OEM 9u
#define RSDP_REVISION 15u
#define RSDP_LENGTH 20u
#define RSDP_XSDT 24u
#define RSDP_EXTENDED_CHECKSUM 32u
/* The first checksum covers the fields of ACPI 1.0. */
#define RSDP_V1_SIZE 20u

static uint64_t build_xsdt(struct acpi *acpi, uint64_t fadt, uint64_t madt)
{
	uint8_t *table = new_table(acpi, "xsdt", XSDT_SIZE);

	if (!table)
		return 0;
	bytes_put(table + HEADER_SIZE, 8, fadt);
	bytes_put(table + HEADER_SIZE + 8, 8, madt);
	finish(table, "XSDT", XSDT_SIZE, XSDT_REVISION);
	return address(acpi);
}

static void fill_rsdp(uint8_t *rsdp, uint64_t xsdt)
{
	memcpy(rsdp, "RSD PTR ", 8);
	memcpy(rsdp + RSDP_OEM, OEM, 6);
	rsdp[RSDP_REVISION] = 2;
	bytes_put(rsdp + RSDP_LENGTH, 4, RSDP_SIZE);
	bytes_put(rsdp + RSDP_XSDT, 8, xsdt);
	rsdp[RSDP_CHECKSUM] = checksum(rsdp, RSDP_V1_SIZE);
	rsdp[RSDP_EXTENDED_CHECKSUM] = checksum(rsdp, RSDP_SIZE);
}

int acpi_build(struct acpi *acpi, const struct acpi_machine *machine)
{
	uint64_t dsdt, fadt, madt, xsdt;
	uint8_t *rsdp;

	acpi->len = acpi->ntables = 0;
	rsdp = new_table(acpi, "rsdp", RSDP_SIZE);
	dsdt = rsdp ? build_dsdt(acpi, machine) : 0;
	fadt = dsdt ? build_fadt(acpi, machine, dsdt) : 0;
	madt = fadt ? build_madt(acpi, machine) : 0;
	xsdt = madt ? build_xsdt(acpi, fadt, madt) : 0;
	if (!xsdt)
		return -1;
	fill_rsdp(rsdp, xsdt);
	return 0;
}
