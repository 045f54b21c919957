/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
#include "pc.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../guests/abi.h"
#include "acpi.h"
#include "bytes.h"
#include "message.h"
#include "pvh.h"
#include "zeropage.h"

/* --- ACPI ------------------------------------------------------------------------------------- */

static int dump_table(int dir, const struct acpi *acpi, const struct acpi_table *table,
		      const char *path)
{
	char name[sizeof(table->name) + 4];
	FILE *file;
	bool written;
	int fd;

	snprintf(name, sizeof(name), "%s.dat", table->name);
	fd = openat(dir, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	file = fd < 0 ? NULL : fdopen(fd, "w");
	if (!file) {
		fail("--dump-acpi %s: %s: %s", path, name, strerror(errno));
		if (fd >= 0)
			close(fd);
		return -1;
	}
	written = fwrite(acpi->bytes + table->offset, 1, table->len, file) == table->len;
	if (fclose(file) || !written)
		return fail("--dump-acpi %s: %s: write error", path, name);
	return 0;
}

/* An existing directory is fine. */
static int dump(const struct acpi *acpi, const char *path)
{
	int dir, err = 0;
	size_t i;

	if (mkdir(path, 0777) && errno != EEXIST)
		return fail("--dump-acpi %s: %s", path, strerror(errno));
	dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return fail("--dump-acpi %s: %s", path, strerror(errno));
	for (i = 0; i < acpi->ntables && !err; i++)
		err = dump_table(dir, acpi, &acpi->tables[i], path);
	close(dir);
	return err;
}

static int build(const struct machine *machine, const struct options *options,
		 const struct platform *platform, struct acpi *acpi)
{
	const struct acpi_machine description = {
		.ncpus = machine->ncpus,
		.console = platform->console,
		.console_gsi = platform->console_gsi,
		.power = platform->power,
		.generation = platform->generation_gpa,
		.generation_gsi = platform->generation_gsi,
	};

	if (acpi_build(acpi, &description))
		return -1;
	if (axvm_write(machine->vm, acpi->gpa, acpi->bytes, acpi->len))
		return fail("cannot write the ACPI tables: %s", axvcpu_last_error());
	if (options->acpi_path)
		return dump(acpi, options->acpi_path);
	return 0;
}

static int make_acpi(const struct machine *machine, const struct options *options,
		     const struct platform *platform)
{
	struct acpi acpi = { .gpa = platform->acpi_gpa, .size = platform->acpi_size };
	int err;

	acpi.bytes = malloc(acpi.size);
	if (!acpi.bytes)
		return fail("out of memory for the ACPI tables");
	err = build(machine, options, platform, &acpi);
	free(acpi.bytes);
	return err;
}

/* --- the reset vector -------------------------------------------------------------------------- */

/* The entry point of a BIOS in real mode: 0xffff:0. */
#define RESET_VECTOR 0xffff0u

/*
 * A BIOS that only resets the machine, by the power device. On a hardware-reduced machine Linux
 * does not use ACPI's reset register: it tries EFI, which is absent, and then jumps here.
 */
static int make_reset_vector(const struct machine *machine, const struct platform *platform)
{
	/* mov dx, port; mov al, value; out dx, al; 1: hlt; jmp 1b */
	uint8_t code[] = { 0xba, 0, 0, 0xb0, GUEST_POWER_RESET_VALUE, 0xee, 0xf4, 0xeb, 0xfd };

	bytes_put(code + 1, 2, platform->power.base + GUEST_POWER_RESET);
	if (axvm_write(machine->vm, RESET_VECTOR, code, sizeof(code)))
		return fail("cannot write the reset vector: %s", axvcpu_last_error());
	return 0;
}

/* --- the kernel's parameters ------------------------------------------------------------------ */

static int make_start(const struct machine *machine, const struct options *options,
		      const struct platform *platform, const struct image *image,
		      const struct layout *layout)
{
	uint64_t reg = image->protocol == PROTOCOL_PVH ? AXVCPU_REG_X86_RBX : AXVCPU_REG_X86_RSI;
	uint8_t page[GUEST_PAGE_SIZE];

	if (image->protocol == PROTOCOL_PVH)
		pvh_fill(page, layout, platform->acpi_gpa);
	else
		zeropage_fill(page, image, layout, platform->acpi_gpa);
	if (axvm_write(machine->vm, layout->page_gpa, page, sizeof(page)) ||
	    axvm_write(machine->vm, layout->page_gpa + GUEST_PAGE_SIZE, options->args,
		       strlen(options->args) + 1))
		return fail("cannot write the kernel's boot parameters: %s", axvcpu_last_error());
	if (axvcpu_set_reg(machine->vcpus[0], reg, layout->page_gpa))
		return fail("cannot set up the vCPU: %s", axvcpu_last_error());
	return 0;
}

int pc_make(const struct machine *machine, const struct options *options,
	    const struct platform *platform, const struct image *image, const struct layout *layout)
{
	if (image->kind != IMAGE_LINUX || image->protocol == PROTOCOL_TREE)
		return 0;
	if (make_acpi(machine, options, platform) || make_reset_vector(machine, platform))
		return -1;
	return make_start(machine, options, platform, image, layout);
}
