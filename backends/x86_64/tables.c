/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * The pages of guest memory that 64-bit code starts with: a GDT, the top-level page table, a table for
 * every 512 GiB, a page directory for every GiB. They are in the caller's boot area, or are frames.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "backends/x86_64/x86_64.h"

#define PTE_PRESENT (UINT64_C(1) << 0)
#define PTE_WRITE (UINT64_C(1) << 1)
#define PTE_LARGE (UINT64_C(1) << 7)

#define GIB (UINT64_C(1) << 30)
#define LARGE_PAGE (UINT64_C(2) << 20)
#define ENTRIES 512

/* The lower half of 48 bits of linear addresses. */
#define MAX_GIBS (UINT64_C(1) << 17)

/* The first pages; then one for every 512 page directories, then these. */
#define PAGE_GDT 0
#define PAGE_ROOT 1
#define PAGE_UPPER 2

/* --- how many, and where ---------------------------------------------------------------------------- */

/* GiBs of the identity map: all memory, except frames, and the devices below 4 GiB. */
static uint64_t gibs_to_map(struct axvm *vm)
{
	struct axvm_region region = AXVM_REGION_INIT;
	uint64_t gibs = 4;

	for (int i = axvm_regions(vm, 0, 0, NULL); i > 0; i--) {
		if (axvm_regions(vm, (size_t)i - 1, 1, &region) < i ||
		    (region.flags & AXVM_MEM_FRAMES))
			continue;
		if ((region.gpa + (region.len - 1)) / GIB + 1 > gibs)
			gibs = (region.gpa + (region.len - 1)) / GIB + 1;
		break;
	}
	return gibs > MAX_GIBS ? MAX_GIBS : gibs;
}

static uint64_t upper_tables(uint64_t directories)
{
	return (directories + ENTRIES - 1) / ENTRIES;
}

static uint64_t pages_for(uint64_t directories)
{
	return PAGE_UPPER + upper_tables(directories) + directories;
}

static uint64_t page_gpa(const struct axk_x86_tables *tables, uint64_t n)
{
	return tables->frames ? tables->frames[n] : tables->area + n * X86_PAGE;
}

/* --- frames --------------------------------------------------------------------------------------------- */

void axk_x86_tables_free(struct axk_vcpu *vcpu)
{
	struct axk_x86_tables *tables = &vcpu->arch.tables;

	/* In a forked child, a lock of theirs may be that of a thread which is not here. */
	if (!axvm_is_copy(vcpu->vm->vm))
		for (uint64_t i = 0; i < tables->nframes; i++)
			axvm_free_frame(vcpu->vm->vm, tables->frames[i]);
	free(tables->frames);
	*tables = (struct axk_x86_tables){ 0 };
}

/* If it fails, axk_x86_tables_free() gives back those that it has. */
static int take_frames(struct axk_vcpu *vcpu, uint64_t n)
{
	struct axk_x86_tables *tables = &vcpu->arch.tables;
	struct axvm *vm = vcpu->vm->vm;
	int ret;

	tables->frames = axv_sys_calloc(n, sizeof(*tables->frames));
	if (!tables->frames)
		return axvcpu_fail(vm, -ENOMEM, "setup: the list of %" PRIu64 " frames", n);
	for (; tables->nframes < n; tables->nframes++) {
		ret = axvm_alloc_frame(vm, &tables->frames[tables->nframes]);
		if (ret)
			return axvcpu_fail(vm, ret,
					   "setup: no boot area is given, and of %" PRIu64
					   " frames for its tables only %" PRIu64
					   " can be allocated: %s",
					   n, tables->nframes, axvcpu_last_error());
	}
	return 0;
}

/* --- places ----------------------------------------------------------------------------------------------- */

static int place_in_area(struct axk_vcpu *vcpu, const struct axvcpu_setup_config *config)
{
	struct axk_x86_tables *tables = &vcpu->arch.tables;
	uint64_t need = pages_for(tables->gibs) * X86_PAGE;

	if (config->boot_size < need)
		return axvcpu_fail(vcpu->vm->vm, -ENOSPC,
				   "setup: boot_size is %" PRIu64 ", the tables need %" PRIu64,
				   config->boot_size, need);
	tables->area = config->boot_gpa;
	tables->directories = tables->gibs;
	return 0;
}

/*
 * A frame's guest-physical address can be too wide to be a linear one, so the GDT is not reached by an
 * identity map: its linear address is in the next GiB.
 */
static int place_in_frames(struct axk_vcpu *vcpu)
{
	struct axk_x86_tables *tables = &vcpu->arch.tables;

	if (tables->gibs == MAX_GIBS)
		tables->gibs--;
	tables->directories = tables->gibs + 1;
	return take_frames(vcpu, pages_for(tables->directories));
}

int axk_x86_tables_place(struct axk_vcpu *vcpu, const struct axvcpu_setup_config *config,
			 struct axk_x86_boot *boot)
{
	struct axk_x86_tables *tables = &vcpu->arch.tables;
	int ret = 0;

	/* A reset makes what setup made, whatever has been mapped since. */
	if (!tables->directories) {
		tables->gibs = gibs_to_map(vcpu->vm->vm);
		if (config->boot_size)
			ret = place_in_area(vcpu, config);
		else
			ret = place_in_frames(vcpu);
	}
	if (ret) {
		axk_x86_tables_free(vcpu);
		return ret;
	}
	boot->root = page_gpa(tables, PAGE_ROOT);
	boot->gdt_gpa = boot->gdt_linear = page_gpa(tables, PAGE_GDT);
	if (tables->frames)
		boot->gdt_linear = tables->gibs * GIB + boot->gdt_gpa % LARGE_PAGE;
	return 0;
}

/* --- writing ---------------------------------------------------------------------------------------------- */

/* Writes page 'at': pointers to the 'n' pages from 'first', or to as many as it has room for. */
static int write_pointers(struct axvm *vm, const struct axk_x86_tables *tables, uint64_t at,
			  uint64_t first, uint64_t n)
{
	uint64_t table[ENTRIES] = { 0 };

	for (uint64_t i = 0; i < n && i < ENTRIES; i++)
		table[i] = page_gpa(tables, first + i) | PTE_PRESENT | PTE_WRITE;
	return axvm_write(vm, page_gpa(tables, at), table, sizeof(table));
}

/* Writes page 'at': it maps the 'n' large pages from 'gpa'. */
static int write_directory(struct axvm *vm, const struct axk_x86_tables *tables, uint64_t at,
			   uint64_t gpa, uint64_t n)
{
	uint64_t table[ENTRIES] = { 0 };

	for (uint64_t i = 0; i < n; i++)
		table[i] = (gpa + i * LARGE_PAGE) | PTE_PRESENT | PTE_WRITE | PTE_LARGE;
	return axvm_write(vm, page_gpa(tables, at), table, sizeof(table));
}

/* The identity map, from 0, and behind it the page of the GDT if there is a directory for that. */
int axk_x86_tables_write(struct axk_vcpu *vcpu)
{
	const struct axk_x86_tables *tables = &vcpu->arch.tables;
	struct axvm *vm = vcpu->vm->vm;
	uint64_t directories = tables->directories;
	uint64_t uppers = upper_tables(directories);
	uint64_t first = PAGE_UPPER + uppers;
	int ret = write_pointers(vm, tables, PAGE_ROOT, PAGE_UPPER, uppers);

	for (uint64_t i = 0; !ret && i < uppers; i++)
		ret = write_pointers(vm, tables, PAGE_UPPER + i, first + i * ENTRIES,
				     directories - i * ENTRIES);
	for (uint64_t i = 0; !ret && i < tables->gibs; i++)
		ret = write_directory(vm, tables, first + i, i * GIB, ENTRIES);
	if (!ret && directories > tables->gibs)
		ret = write_directory(vm, tables, first + tables->gibs,
				      page_gpa(tables, PAGE_GDT) & ~(LARGE_PAGE - 1), 1);
	return ret;
}
