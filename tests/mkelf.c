/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * mkelf KIND FILE: writes an ELF image for this host that is fine, or wrong in one way. When it
 * runs, it writes 42 to the exit device.
 */
#include <elf.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "image_arch.h"

#define GPA (IMAGE_RAM + 0x100000)
#define CODE_OFFSET 0x200
#define PHDRS 4

static const uint8_t code[] = { IMAGE_CODE };

struct image {
	Elf64_Ehdr ehdr;
	Elf64_Phdr phdr[PHDRS];
	/* Where the file ends. */
	size_t size;
};

static void good64(struct image *image)
{
	(void)image;
}

static void empty_segment(struct image *image)
{
	image->ehdr.e_phnum = 2;
	image->phdr[1].p_type = PT_LOAD;
}

static void other_segments(struct image *image)
{
	image->ehdr.e_phnum = 3;
	image->phdr[1].p_type = PT_NOTE;
	image->phdr[1].p_filesz = UINT64_MAX;
	image->phdr[2].p_type = PT_GNU_STACK;
}

/* Linked high, loaded low, as kernels are: the entry is an address of the former kind. */
static void high_half(struct image *image)
{
	image->phdr[0].p_vaddr = UINT64_C(0xffffffff80100000);
	image->ehdr.e_entry = image->phdr[0].p_vaddr;
}

/* All low memory but the last page before the code. */
static void low_memory(struct image *image)
{
	image->ehdr.e_phnum = 2;
	image->phdr[1] = image->phdr[0];
	image->phdr[1].p_vaddr = image->phdr[1].p_paddr = IMAGE_RAM;
	image->phdr[1].p_filesz = 0;
	image->phdr[1].p_memsz = GPA - IMAGE_RAM - 0x1000;
}

static void all_memory(struct image *image)
{
	low_memory(image);
	image->phdr[0].p_memsz = IMAGE_RAM + (16 << 20) - GPA;
}

static void cut_ident(struct image *image)
{
	image->size = EI_NIDENT - 1;
}

static void cut_header(struct image *image)
{
	image->size = sizeof(Elf64_Ehdr) - 1;
}

static void cut_phdrs(struct image *image)
{
	image->size = sizeof(Elf64_Ehdr) + sizeof(Elf64_Phdr) - 1;
}

static void cut_segment(struct image *image)
{
	image->size--;
}

static void bad_class(struct image *image)
{
	image->ehdr.e_ident[EI_CLASS] = 7;
}

static void big_endian(struct image *image)
{
	image->ehdr.e_ident[EI_DATA] = ELFDATA2MSB;
}

static void bad_version(struct image *image)
{
	image->ehdr.e_version = 2;
}

static void bad_machine(struct image *image)
{
	image->ehdr.e_machine = EM_SPARCV9;
}

/* An ELF64 image for a 32-bit machine. */
static void mixed_machine(struct image *image)
{
	image->ehdr.e_machine = EM_386;
}

static void dynamic_type(struct image *image)
{
	image->ehdr.e_type = ET_DYN;
}

static void relocatable(struct image *image)
{
	image->ehdr.e_type = ET_REL;
}

static void core(struct image *image)
{
	image->ehdr.e_type = ET_CORE;
}

static void bad_type(struct image *image)
{
	image->ehdr.e_type = 0x1234;
}

static void interpreter(struct image *image)
{
	image->ehdr.e_phnum = 2;
	image->phdr[1].p_type = PT_INTERP;
}

static void dynamic(struct image *image)
{
	image->ehdr.e_phnum = 2;
	image->phdr[1].p_type = PT_DYNAMIC;
}

static void no_phdrs(struct image *image)
{
	image->ehdr.e_phnum = 0;
}

static void many_phdrs(struct image *image)
{
	image->ehdr.e_phnum = 0xffff;
}

static void bad_phentsize(struct image *image)
{
	image->ehdr.e_phentsize = 1;
}

static void far_phdrs(struct image *image)
{
	image->ehdr.e_phoff = UINT64_MAX - 8;
}

static void no_load(struct image *image)
{
	image->phdr[0].p_type = PT_NOTE;
}

static void far_segment(struct image *image)
{
	image->phdr[0].p_offset = UINT64_MAX - 2;
}

static void more_in_file(struct image *image)
{
	image->phdr[0].p_memsz = image->phdr[0].p_filesz - 1;
}

static void wrapping(struct image *image)
{
	image->phdr[0].p_paddr = UINT64_MAX - 0xfff;
	image->phdr[0].p_memsz = 0x2000;
}

static void overlapping(struct image *image)
{
	image->ehdr.e_phnum = 2;
	image->phdr[1] = image->phdr[0];
	image->phdr[1].p_paddr++;
	image->phdr[1].p_vaddr++;
}

static void outside(struct image *image)
{
	image->phdr[0].p_vaddr = image->phdr[0].p_paddr = IMAGE_RAM ? 0x40000000 : 0xf0000000;
	image->ehdr.e_entry = image->phdr[0].p_vaddr;
}

static void too_large(struct image *image)
{
	image->phdr[0].p_memsz = UINT64_C(1) << 40;
}

static void entry_outside(struct image *image)
{
	image->ehdr.e_entry = GPA + sizeof(code);
}

static const struct kind {
	const char *name;
	void (*change)(struct image *image);
} kinds[] = {
	{ "good64", good64 },
	{ "empty-segment", empty_segment },
	{ "other-segments", other_segments },
	{ "high-half", high_half },
	{ "low-memory", low_memory },
	{ "all-memory", all_memory },
	{ "cut-ident", cut_ident },
	{ "cut-header", cut_header },
	{ "cut-phdrs", cut_phdrs },
	{ "cut-segment", cut_segment },
	{ "bad-class", bad_class },
	{ "big-endian", big_endian },
	{ "bad-version", bad_version },
	{ "bad-machine", bad_machine },
	{ "mixed-machine", mixed_machine },
	{ "dynamic-type", dynamic_type },
	{ "relocatable", relocatable },
	{ "core", core },
	{ "bad-type", bad_type },
	{ "interpreter", interpreter },
	{ "dynamic", dynamic },
	{ "no-phdrs", no_phdrs },
	{ "many-phdrs", many_phdrs },
	{ "bad-phentsize", bad_phentsize },
	{ "far-phdrs", far_phdrs },
	{ "no-load", no_load },
	{ "far-segment", far_segment },
	{ "more-in-file", more_in_file },
	{ "wrapping", wrapping },
	{ "overlapping", overlapping },
	{ "outside", outside },
	{ "too-large", too_large },
	{ "entry-outside", entry_outside },
};

static void write_file(const char *path, const void *bytes, size_t size)
{
	FILE *file = fopen(path, "wb");

	if (!file || fwrite(bytes, 1, size, file) != size || fclose(file)) {
		perror(path);
		exit(1);
	}
}

static void write64(const struct kind *kind, const char *path)
{
	uint8_t file[CODE_OFFSET + sizeof(code)] = { 0 };
	struct image image = {
		.ehdr = { .e_ident = { ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB,
				       EV_CURRENT },
			  .e_type = ET_EXEC,
			  .e_machine = IMAGE_MACHINE,
			  .e_version = EV_CURRENT,
			  .e_entry = GPA,
			  .e_phoff = sizeof(Elf64_Ehdr),
			  .e_ehsize = sizeof(Elf64_Ehdr),
			  .e_phentsize = sizeof(Elf64_Phdr),
			  .e_phnum = 1 },
		.phdr[0] = { .p_type = PT_LOAD,
			     .p_offset = CODE_OFFSET,
			     .p_vaddr = GPA,
			     .p_paddr = GPA,
			     .p_filesz = sizeof(code),
			     .p_memsz = sizeof(code) },
		.size = sizeof(file),
	};

	kind->change(&image);
	memcpy(file, &image.ehdr, sizeof(image.ehdr));
	memcpy(file + sizeof(image.ehdr), image.phdr, sizeof(image.phdr));
	memcpy(file + CODE_OFFSET, code, sizeof(code));
	write_file(path, file, image.size);
}

/* For x86_64, whose machines also run these. */
static void write32(const char *path)
{
	uint8_t file[CODE_OFFSET + sizeof(code)] = { 0 };
	const Elf32_Ehdr ehdr = {
		.e_ident = { ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS32, ELFDATA2LSB,
			     EV_CURRENT },
		.e_type = ET_EXEC,
		.e_machine = EM_386,
		.e_version = EV_CURRENT,
		.e_entry = (Elf32_Addr)GPA,
		.e_phoff = sizeof(Elf32_Ehdr),
		.e_ehsize = sizeof(Elf32_Ehdr),
		.e_phentsize = sizeof(Elf32_Phdr),
		.e_phnum = 1,
	};
	const Elf32_Phdr phdr = {
		.p_type = PT_LOAD,
		.p_offset = CODE_OFFSET,
		.p_vaddr = (Elf32_Addr)GPA,
		.p_paddr = (Elf32_Addr)GPA,
		.p_filesz = sizeof(code),
		.p_memsz = sizeof(code),
	};

	memcpy(file, &ehdr, sizeof(ehdr));
	memcpy(file + sizeof(ehdr), &phdr, sizeof(phdr));
	memcpy(file + CODE_OFFSET, code, sizeof(code));
	write_file(path, file, sizeof(file));
}

int main(int argc, char **argv)
{
	size_t i;

	if (argc == 3 && !strcmp(argv[1], "good32")) {
		write32(argv[2]);
		return 0;
	}
	for (i = 0; argc == 3 && i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (!strcmp(argv[1], kinds[i].name)) {
			write64(&kinds[i], argv[2]);
			return 0;
		}
	fprintf(stderr, "usage: mkelf KIND FILE\n");
	return 1;
}
