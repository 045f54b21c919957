/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* Kernels for x86_64: a bzImage, and ELF images with and without a PVH entry. */
#include <elf.h>
#include <string.h>

#include "../examples/axrun/bytes.h"
#include "../examples/axrun/bzimage.h"
#include "../examples/axrun/pvh.h"
#include "../examples/axrun/zeropage.h"
#include "kernels.h"
#include "suite.h"

#define RSDP 0xe0000u

/* --- bzImage ---------------------------------------------------------------------------------- */

#define SETUP_SIZE 0x400u
#define KERNEL_SIZE 0x1000u

static void make_bzimage(uint8_t *bytes)
{
	bytes[SETUP_SECTS] = SETUP_SIZE / 512 - 1;
	bytes_put(bytes + SETUP_SYSSIZE, 4, KERNEL_SIZE / 16);
	bytes_put(bytes + SETUP_BOOT_FLAG, 2, SETUP_BOOT_FLAG_VALUE);
	bytes[SETUP_JUMP_LEN] = 0x6a;
	bytes_put(bytes + SETUP_MAGIC, 4, SETUP_MAGIC_VALUE);
	bytes_put(bytes + SETUP_VERSION, 2, 0x20f);
	bytes[SETUP_LOADFLAGS] = SETUP_LOADED_HIGH;
	bytes_put(bytes + SETUP_INITRD_MAX, 4, 0x7fffffff);
	bytes_put(bytes + SETUP_ALIGNMENT, 4, 0x200000);
	bytes[SETUP_RELOCATABLE] = 1;
	bytes_put(bytes + SETUP_XLOADFLAGS, 2, SETUP_KERNEL_64);
	bytes_put(bytes + SETUP_CMDLINE_SIZE, 4, 255);
	bytes_put(bytes + SETUP_PREF_ADDRESS, 8, 0x1000000);
	bytes_put(bytes + SETUP_INIT_SIZE, 4, 0x100000);
}

static void start_by_zero_page(const struct image *image, const struct layout *layout)
{
	uint8_t page[GUEST_PAGE_SIZE];

	zeropage_fill(page, image, layout, RSDP);
	ck_assert_uint_eq(page[0x1e8], 3);
	ck_assert_uint_eq(bytes_get(page + SETUP_BOOT_FLAG, 2), SETUP_BOOT_FLAG_VALUE);
	ck_assert_uint_eq(bytes_get(page + SETUP_CMD_LINE, 4), layout->page_gpa + GUEST_PAGE_SIZE);
	ck_assert_uint_eq(bytes_get(page + SETUP_RAMDISK, 4), layout->initrd.gpa);
	ck_assert_uint_eq(bytes_get(page + SETUP_DATA, 8), 0);
}

/* --- ELF -------------------------------------------------------------------------------------- */

#define NOTES_AT 0x200u
#define TEXT_AT 0x1000u
#define TEXT_SIZE 0x800u
#define TEXT_GPA 0x1000000u
#define TEXT_VADDR UINT64_C(0xffffffff81000000)
#define PVH_ENTRY (TEXT_GPA + 0x123)

static void make_vmlinux(uint8_t *bytes)
{
	const Elf64_Ehdr header = {
		.e_ident = { ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB,
			     EV_CURRENT },
		.e_type = ET_EXEC,
		.e_machine = EM_X86_64,
		.e_version = EV_CURRENT,
		.e_entry = TEXT_GPA,
		.e_phoff = sizeof(Elf64_Ehdr),
		.e_ehsize = sizeof(Elf64_Ehdr),
		.e_phentsize = sizeof(Elf64_Phdr),
		.e_phnum = 2,
	};
	const Elf64_Phdr segments[2] = {
		{
			.p_type = PT_LOAD,
			.p_offset = TEXT_AT,
			.p_vaddr = TEXT_VADDR,
			.p_paddr = TEXT_GPA,
			.p_filesz = TEXT_SIZE,
			.p_memsz = 2 * TEXT_SIZE,
			.p_align = 0x1000,
		},
		/* As Linux has it: per-CPU data, at virtual addresses from 0 on. */
		{
			.p_type = PT_LOAD,
			.p_offset = TEXT_AT + TEXT_SIZE,
			.p_vaddr = 0,
			.p_paddr = TEXT_GPA + 0x200000,
			.p_filesz = 0x100,
			.p_memsz = 0x1000,
			.p_align = 0x1000,
		},
	};

	memcpy(bytes, &header, sizeof(header));
	memcpy(bytes + sizeof(header), segments, sizeof(segments));
}

/* Another note comes first. */
static void make_pvh(uint8_t *bytes)
{
	const Elf64_Phdr notes = {
		.p_type = PT_NOTE,
		.p_offset = NOTES_AT,
		.p_filesz = 0x30,
		.p_memsz = 0x30,
		.p_align = 4,
	};
	const uint32_t first[] = { 4, 4, 1, 0x00554e47, 0 };
	const uint32_t entry[] = { 4, 8, 18, 0x006e6558, PVH_ENTRY, 0 };

	make_vmlinux(bytes);
	memcpy(bytes + sizeof(Elf64_Ehdr) + 2 * sizeof(Elf64_Phdr), &notes, sizeof(notes));
	bytes_put(bytes + offsetof(Elf64_Ehdr, e_phnum), 2, 3);
	memcpy(bytes + NOTES_AT, first, sizeof(first));
	memcpy(bytes + NOTES_AT + sizeof(first), entry, sizeof(entry));
}

static void start_by_pvh(const struct layout *layout)
{
	uint8_t page[GUEST_PAGE_SIZE];

	pvh_fill(page, layout, RSDP);
	ck_assert_uint_eq(bytes_get(page, 4), 0x336ec578);
	ck_assert_uint_eq(bytes_get(page + 0x0c, 4), 1);
	ck_assert_uint_eq(bytes_get(page + 0x40, 8), layout->initrd.gpa);
	ck_assert_uint_eq(bytes_get(page + 0x30, 4), 3);
}

void kernels_start(const struct image *image, const struct layout *layout)
{
	switch (image->protocol) {
	case PROTOCOL_TREE:
		break;
	case PROTOCOL_ZERO_PAGE:
		start_by_zero_page(image, layout);
		break;
	case PROTOCOL_PVH:
		start_by_pvh(layout);
		break;
	}
}

const struct kernel_sample kernels_x86[] = {
	{
		.name = "bzImage",
		.platform = "x86_64",
		/* Something comes behind the kernel, which is not of it. */
		.size = SETUP_SIZE + KERNEL_SIZE + 0x40,
		.head = SETUP_FIELDS_END,
		.make = make_bzimage,
		.entry = 0x1000000 + 0x200,
		.mode = AXVCPU_MODE_64,
		.command_line_max = 255,
	},
	{
		.name = "vmlinux",
		.platform = "x86_64",
		.size = TEXT_AT + TEXT_SIZE + 0x100,
		.head = sizeof(Elf64_Ehdr) + 2 * sizeof(Elf64_Phdr),
		.make = make_vmlinux,
		.entry = TEXT_GPA,
		.mode = AXVCPU_MODE_64,
		.command_line_max = 2047,
	},
	{
		.name = "PVH",
		.platform = "x86_64",
		.size = TEXT_AT + TEXT_SIZE + 0x100,
		.head = NOTES_AT + 0x30,
		.make = make_pvh,
		.entry = PVH_ENTRY,
		.mode = AXVCPU_MODE_32,
		.command_line_max = 2047,
	},
	{ .name = NULL },
};
