/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * The x86_64 machine of axrun as a Linux kernel finds it: consistent ACPI tables, memory map, load
 * addresses, the registers for power-off and reset. Needs no KVM.
 */
#include "../examples/axrun/acpi.h"
#include "../examples/axrun/bytes.h"
#include "../examples/axrun/e820.h"
#include "../examples/axrun/layout.h"
#include "../examples/axrun/power.h"
#include "device.h"
#include "suite.h"

#define MIB (UINT64_C(1) << 20)
#define GIB (UINT64_C(1) << 30)

/* --- ACPI tables --------------------------------------------------------------------------------- */

#define GPA UINT64_C(0xe0000)
#define ROOM 0x2000u
#define HEADER 36u

static uint8_t memory[ROOM];
static struct acpi acpi;

static void build(uint32_t ncpus)
{
	const struct acpi_machine machine = {
		.ncpus = ncpus,
		.console = { AXVM_SPACE_PORT, 0x3f8 },
		.console_gsi = 4,
		.power = { AXVM_SPACE_PORT, 0x540 },
	};

	memset(memory, 0xa5, sizeof(memory));
	acpi = (struct acpi){ .gpa = GPA, .bytes = memory, .size = sizeof(memory) };
	ck_assert_int_eq(acpi_build(&acpi, &machine), 0);
	ck_assert_uint_le(acpi.len, sizeof(memory));
}

static unsigned int sum(const uint8_t *bytes, uint64_t len)
{
	unsigned int all = 0;

	while (len-- > 0)
		all += *bytes++;
	return all & 0xff;
}

/* The table at an address, which must be whole. */
static const uint8_t *table_at(uint64_t gpa, const char *signature, uint64_t *len)
{
	const uint8_t *table = memory + (gpa - GPA);

	ck_assert_uint_ge(gpa, GPA);
	ck_assert_uint_le(gpa - GPA + HEADER, acpi.len);
	ck_assert_int_eq(memcmp(table, signature, 4), 0);
	*len = bytes_get(table + 4, 4);
	ck_assert_uint_ge(*len, HEADER);
	ck_assert_uint_le(gpa - GPA + *len, acpi.len);
	ck_assert_uint_eq(sum(table, *len), 0);
	return table;
}

/* From the root on, as a kernel does. */
static const uint8_t *find_table(const char *signature, uint64_t *len)
{
	const uint8_t *xsdt;
	uint64_t size, at;

	ck_assert_int_eq(memcmp(memory, "RSD PTR ", 8), 0);
	ck_assert_uint_eq(sum(memory, 20), 0);
	ck_assert_uint_eq(bytes_get(memory + 20, 4), 36);
	ck_assert_uint_eq(sum(memory, 36), 0);
	xsdt = table_at(bytes_get(memory + 24, 8), "XSDT", &size);
	ck_assert_uint_eq((size - HEADER) % 8, 0);
	for (at = HEADER; at < size; at += 8) {
		uint64_t gpa = bytes_get(xsdt + at, 8);

		ck_assert_uint_lt(gpa - GPA, acpi.len);
		if (!memcmp(memory + (gpa - GPA), signature, 4))
			return table_at(gpa, signature, len);
	}
	ck_abort_msg("there is no %s", signature);
	return NULL;
}

START_TEST(the_cpus_are_in_the_table_as_apic_ids)
{
	static const uint32_t counts[] = { 1, 2, 8, 64 };
	uint64_t len, at;
	size_t i;

	for (i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
		uint32_t cpus = 0, ioapics = 0;
		const uint8_t *madt;

		build(counts[i]);
		madt = find_table("APIC", &len);
		ck_assert_uint_eq(bytes_get(madt + HEADER, 4), 0xfee00000);
		/* No PICs. */
		ck_assert_uint_eq(bytes_get(madt + HEADER + 4, 4), 0);
		for (at = HEADER + 8; at < len; at += madt[at + 1]) {
			ck_assert_uint_ge(madt[at + 1], 8);
			if (madt[at] == 0) {
				ck_assert_uint_eq(madt[at + 3], cpus++);
				ck_assert_uint_eq(bytes_get(madt + at + 4, 4), 1);
			} else if (madt[at] == 1) {
				ioapics++;
				ck_assert_uint_eq(bytes_get(madt + at + 4, 4), 0xfec00000);
				ck_assert_uint_eq(bytes_get(madt + at + 8, 4), 0);
			}
		}
		ck_assert_uint_eq(at, len);
		ck_assert_uint_eq(cpus, counts[i]);
		ck_assert_uint_eq(ioapics, 1);
	}
}
END_TEST

START_TEST(the_machine_is_hardware_reduced_and_says_what_it_lacks)
{
	uint64_t len, flags, arch;
	const uint8_t *fadt;

	build(1);
	fadt = find_table("FACP", &len);
	ck_assert_uint_eq(len, 276);
	ck_assert_uint_eq(fadt[8], 6);
	flags = bytes_get(fadt + 112, 4);
	ck_assert(flags >> 20 & 1);
	ck_assert(flags >> 10 & 1);
	arch = bytes_get(fadt + 109, 2);
	/* Neither ISA devices nor a keyboard controller; no VGA, no clock. */
	ck_assert_uint_eq(arch & 3, 0);
	ck_assert(arch >> 2 & 1);
	ck_assert(arch >> 5 & 1);
	/* Reset, sleep control, sleep status: ports, of a byte. */
	ck_assert_uint_eq(bytes_get(fadt + 116, 4), 0x01000801);
	ck_assert_uint_eq(bytes_get(fadt + 120, 8), 0x540 + GUEST_POWER_RESET);
	ck_assert_uint_eq(fadt[128], GUEST_POWER_RESET_VALUE);
	ck_assert_uint_eq(bytes_get(fadt + 244, 4), 0x01000801);
	ck_assert_uint_eq(bytes_get(fadt + 248, 8), 0x540 + GUEST_POWER_SLEEP);
	ck_assert_uint_eq(bytes_get(fadt + 256, 4), 0x01000801);
	ck_assert_uint_eq(bytes_get(fadt + 260, 8), 0x540 + GUEST_POWER_STATUS);
}
END_TEST

/* The end of an AML package whose length, in four bytes, is there. */
static uint64_t package_end(const uint8_t *table, uint64_t at)
{
	ck_assert_uint_eq(table[at] >> 4, 0xc);
	return at + ((uint64_t)(table[at] & 0xf) | bytes_get(table + at + 1, 3) << 4);
}

static uint64_t find_bytes(const uint8_t *table, uint64_t at, uint64_t end, const void *bytes,
			   size_t len)
{
	for (; at + len <= end; at++)
		if (!memcmp(table + at, bytes, len))
			return at;
	ck_abort_msg("not in the table");
	return 0;
}

START_TEST(the_devices_are_the_serial_port_and_power_off)
{
	static const uint8_t id[] = { 0x08, '_', 'H', 'I', 'D', 0x0c, 0x41, 0xd0, 0x05, 0x01 };
	static const uint8_t ports[] = { 0x47, 1, 0xf8, 3, 0xf8, 3, 1, 8 };
	static const uint8_t irq[] = { 0x89, 6, 0, 1, 1, 4, 0, 0, 0, 0x79, 0 };
	static const uint8_t s5[] = { 0x08, '_', 'S', '5', '_', 0x12 };
	uint64_t len, scope, device, at;
	const uint8_t *fadt, *dsdt;

	build(2);
	fadt = find_table("FACP", &len);
	ck_assert_uint_eq(bytes_get(fadt + 40, 4), bytes_get(fadt + 140, 8));
	dsdt = table_at(bytes_get(fadt + 140, 8), "DSDT", &len);
	ck_assert_uint_eq(dsdt[8], 2);
	/* The scope holds the device; the objects outside it follow. */
	ck_assert_uint_eq(dsdt[HEADER], 0x10);
	scope = package_end(dsdt, HEADER + 1);
	ck_assert_int_eq(memcmp(dsdt + HEADER + 5, "\\_SB_\x5b\x82", 7), 0);
	device = package_end(dsdt, HEADER + 12);
	ck_assert_uint_eq(device, scope);
	find_bytes(dsdt, HEADER, scope, id, sizeof(id));
	at = find_bytes(dsdt, HEADER, scope, ports, sizeof(ports));
	ck_assert_int_eq(memcmp(dsdt + at + sizeof(ports), irq, sizeof(irq)), 0);
	/* The buffer of the resources holds their length in bytes. */
	ck_assert_uint_eq(bytes_get(dsdt + at - 2, 2), sizeof(ports) + sizeof(irq));
	ck_assert_uint_eq(package_end(dsdt, at - 7), at + sizeof(ports) + sizeof(irq));
	ck_assert_int_eq(memcmp(dsdt + scope, s5, sizeof(s5)), 0);
	ck_assert_uint_eq(package_end(dsdt, scope + sizeof(s5)), len);
}
END_TEST

START_TEST(a_changed_generation_id_is_announced)
{
	static const struct acpi_machine machine = {
		.ncpus = 1,
		.generation = 0xf0000,
		.generation_gsi = 5,
	};
	static const uint8_t id[] = "\x08_HID\x0dVMGENCTR";
	static const uint8_t addr[] = { 0x08, 'A', 'D', 'D', 'R', 0x12 };
	static const uint8_t numbers[] = { 2, 0x0c, 0, 0, 0x0f, 0, 0 };
	static const uint8_t events[] = "\x08_HID\x0d"
					"ACPI0013";
	static const uint8_t edge[] = { 0x89, 6, 0, 3, 1, 5, 0, 0, 0, 0x79, 0 };
	static const uint8_t method[] = { 0x14 };
	static const uint8_t event[] = {
		'_', 'E', 'V', 'T', 1, 0x86, 'V', 'G', 'E', 'N', 0x0a, 0x80
	};
	const uint8_t *fadt, *dsdt;
	uint64_t len, at;

	acpi = (struct acpi){ .gpa = GPA, .bytes = memory, .size = sizeof(memory) };
	ck_assert_int_eq(acpi_build(&acpi, &machine), 0);
	fadt = find_table("FACP", &len);
	dsdt = table_at(bytes_get(fadt + 140, 8), "DSDT", &len);
	at = find_bytes(dsdt, HEADER, len, id, sizeof(id));
	at = find_bytes(dsdt, at, len, addr, sizeof(addr)) + sizeof(addr);
	ck_assert_int_eq(memcmp(dsdt + at + 4, numbers, sizeof(numbers)), 0);
	ck_assert_uint_eq(package_end(dsdt, at), at + 4 + sizeof(numbers));
	at = find_bytes(dsdt, at, len, events, sizeof(events));
	at = find_bytes(dsdt, at, len, edge, sizeof(edge));
	at = find_bytes(dsdt, at + sizeof(edge), len, method, sizeof(method)) + sizeof(method);
	ck_assert_int_eq(memcmp(dsdt + at + 4, event, sizeof(event)), 0);
	ck_assert_uint_eq(package_end(dsdt, at), at + 4 + sizeof(event));
}
END_TEST

START_TEST(tables_without_room_are_refused)
{
	const struct acpi_machine machine = { .ncpus = 64 };
	static uint8_t room[ROOM];
	size_t size, whole;

	build(64);
	whole = acpi.len;
	memset(room, 0x5a, sizeof(room));
	for (size = 0; size < whole; size++) {
		acpi = (struct acpi){ .gpa = GPA, .bytes = room, .size = size };
		ck_assert_int_eq(acpi_build(&acpi, &machine), -1);
		ck_assert_uint_eq(room[size], 0x5a);
	}
	acpi.size = whole;
	ck_assert_int_eq(acpi_build(&acpi, &machine), 0);
}
END_TEST

/* --- memory --------------------------------------------------------------------------------------- */

static const struct image kernel = {
	.kind = IMAGE_LINUX,
	.protocol = PROTOCOL_ZERO_PAGE,
	.segments = { { .gpa = 16 * MIB, .memsz = 16 * MIB } },
	.nsegments = 1,
	.entry = 16 * MIB,
	.initrd_end = 2 * GIB,
};

static void check_entry(const struct e820_entry *entry, uint64_t gpa, uint64_t end, uint32_t type)
{
	ck_assert_uint_eq(entry->gpa, gpa);
	ck_assert_uint_eq(entry->size, end - gpa);
	ck_assert_uint_eq(entry->type, type);
}

START_TEST(memory_has_a_gap_at_640_kib_and_goes_on_above_4_gib)
{
	struct e820_entry entries[E820_ENTRIES];
	struct layout layout;

	ck_assert_int_eq(layout_make(&layout, platform_find("x86_64"), 5 * GIB, &kernel, 0), 0);
	ck_assert_uint_eq(e820_make(entries, &layout), 4);
	check_entry(&entries[0], 0, 0xa0000, E820_RAM);
	check_entry(&entries[1], 0xa0000, MIB, E820_RESERVED);
	check_entry(&entries[2], MIB, 3 * GIB, E820_RAM);
	check_entry(&entries[3], 4 * GIB, 6 * GIB, E820_RAM);
}
END_TEST

START_TEST(the_initrd_is_as_high_as_the_kernel_takes_it)
{
	struct image image = kernel;
	struct layout layout;

	image.initrd.size = 0x1234;
	ck_assert_int_eq(layout_make(&layout, platform_find("x86_64"), GIB, &image, 0), 0);
	ck_assert_uint_eq(layout.initrd.gpa, GIB - 0x2000);
	ck_assert_int_eq(layout_make(&layout, platform_find("x86_64"), 4 * GIB, &image, 0), 0);
	ck_assert_uint_eq(layout.initrd.gpa, 2 * GIB - 0x2000);
	/* Nothing is left above the kernel: then below it, but not where a PC has no memory. */
	ck_assert_int_eq(layout_make(&layout, platform_find("x86_64"), 32 * MIB, &image, 0), 0);
	ck_assert_uint_eq(layout.initrd.gpa, 16 * MIB - 0x2000);
	image.initrd.size = 15 * MIB + 1;
	ck_assert_int_eq(layout_make(&layout, platform_find("x86_64"), 32 * MIB, &image, 0), -1);
}
END_TEST

START_TEST(a_kernel_below_1_mib_is_refused_and_so_is_too_little_memory)
{
	struct image image = kernel;
	struct layout layout;

	ck_assert_int_eq(layout_make(&layout, platform_find("x86_64"), 31 * MIB, &image, 0), -1);
	image.segments[0].gpa = MIB - 1;
	image.entry = MIB;
	ck_assert_int_eq(layout_make(&layout, platform_find("x86_64"), 32 * MIB, &image, 0), -1);
	image.segments[0].gpa = MIB;
	ck_assert_int_eq(layout_make(&layout, platform_find("x86_64"), 32 * MIB, &image, 0), 0);
}
END_TEST

/* --- power ----------------------------------------------------------------------------------------- */

static struct outcome outcome;

static void write_power(uint64_t reg, uint64_t value)
{
	ck_assert(device_write(AXVM_SPACE_PORT, 0x540 + reg, 1, value));
}

static void make_power(void)
{
	device_begin();
	outcome = (struct outcome){ 0 };
	ck_assert_int_eq(power_attach(&outcome, device_vm,
				      (struct place){ AXVM_SPACE_PORT, 0x540 }),
			 0);
}

START_TEST(the_state_for_power_off_ends_the_run_and_no_other_does)
{
	uint64_t value;

	make_power();
	/* The state without "now", "now" with other states, the status. */
	write_power(GUEST_POWER_SLEEP, GUEST_POWER_OFF_STATE << 2);
	write_power(GUEST_POWER_SLEEP, 1u << 5 | 3u << 2);
	write_power(GUEST_POWER_STATUS, GUEST_POWER_OFF);
	ck_assert(outcome_open(&outcome));
	ck_assert(device_read(AXVM_SPACE_PORT, 0x540 + GUEST_POWER_STATUS, 1, &value));
	ck_assert_uint_eq(value, 0);
	write_power(GUEST_POWER_SLEEP, GUEST_POWER_OFF);
	ck_assert_int_eq(outcome.ending, RUN_POWER_OFF);
	ck_assert_int_eq(outcome.status, 0);
}
END_TEST

START_TEST(the_reset_register_takes_its_value_only)
{
	make_power();
	write_power(GUEST_POWER_RESET, 0);
	write_power(GUEST_POWER_RESET, 6);
	ck_assert(outcome_open(&outcome));
	write_power(GUEST_POWER_RESET, GUEST_POWER_RESET_VALUE);
	ck_assert_int_eq(outcome.ending, RUN_RESET);
	ck_assert_int_eq(outcome.status, STATUS_RESET);
}
END_TEST

static void add_tests(Suite *suite)
{
	TCase *tcase = suite_case(suite, "pc");

	tcase_add_test(tcase, the_cpus_are_in_the_table_as_apic_ids);
	tcase_add_test(tcase, the_machine_is_hardware_reduced_and_says_what_it_lacks);
	tcase_add_test(tcase, the_devices_are_the_serial_port_and_power_off);
	tcase_add_test(tcase, a_changed_generation_id_is_announced);
	tcase_add_test(tcase, tables_without_room_are_refused);
	tcase_add_test(tcase, memory_has_a_gap_at_640_kib_and_goes_on_above_4_gib);
	tcase_add_test(tcase, the_initrd_is_as_high_as_the_kernel_takes_it);
	tcase_add_test(tcase, a_kernel_below_1_mib_is_refused_and_so_is_too_little_memory);
	tcase_add_test(tcase, the_state_for_power_off_ends_the_run_and_no_other_does);
	tcase_add_test(tcase, the_reset_register_takes_its_value_only);
}

int main(void)
{
	return suite_main("pc", false, add_tests);
}
