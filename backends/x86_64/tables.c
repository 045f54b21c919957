/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * The pages of guest memory that 64-bit code starts with: a GDT, the top-level page table, a table for
 * each 512 GiB, a page directory for each GiB. They lie in the caller's boot area, or are frames.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "backends/x86_64/x86_64.h"

#define PTE_PRESENT (UINT64_C(1) << 0)
#define PTE_WRITE (UINT64_C(1) << 1)
#define PTE_LARGE (UINT64_C(1) << 7)

#define GIB (UINT64_C(1) << 30)
#define LARGE_PAGE (UINT64_C(2) << 20)
#define ENTRIES 512

/* Upper bound of the identity map: the lower half of 48-bit linear addresses. */
#define MAX_GIBS (UINT64_C(1) << 17)

/* Indices of the first pages. The tables for 512 GiB follow, then the page directories. */
#define PAGE_GDT 0
#define PAGE_ROOT 1
#define PAGE_UPPER 2

/* --- how many, and where ---------------------------------------------------------------------------- */

/* Size of the identity map in GiB: all memory except frames, and the devices below 4 GiB. */
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

	/*
	 * In a forked child, a thread that the child does not have may hold the lock of the frames.
	 */
	if (!axvm_is_copy(vcpu->vm->vm))
		for (uint64_t i = 0; i < tables->nframes; i++)
			axvm_free_frame(vcpu->vm->vm, tables->frames[i]);
	free(tables->frames);
	*tables = (struct axk_x86_tables){ 0 };
}

/* On failure, axk_x86_tables_free() frees the frames that were allocated. */
static int take_frames(struct axk_vcpu *vcpu, uint64_t n)
{
	struct axk_x86_tables *tables = &vcpu->arch.tables;
	struct axvm *vm = vcpu->vm->vm;
	int ret;

	tables->frames = axv_sys_calloc(n, sizeof(*tables->frames));
	if (!tables->frames)
		return axvcpu_fail(vm, -ENOMEM, "setup: allocating a list of %" PRIu64 " frames",
				   n);
	for (; tables->nframes < n; tables->nframes++) {
		ret = axvm_alloc_frame(vm, &tables->frames[tables->nframes]);
		if (ret)
			return axvcpu_fail(vm, ret,
					   "setup: there is no boot area, and only %" PRIu64
					   " of %" PRIu64
					   " frames for the tables could be allocated: %s",
					   tables->nframes, n, axvcpu_last_error());
	}
	return 0;
}

int axk_x86_tables_adopt(struct axk_vcpu *vcpu, const struct axk_x86_tables *tables)
{
	const struct axvm *vm = vcpu->vm->vm;
	struct axk_x86_tables *own = &vcpu->arch.tables;
	const uint64_t directories = tables->gibs + (tables->frames ? 1 : 0);

	/* Resets write to these pages. None: there are no tables. */
	if (tables->gibs > MAX_GIBS ||
	    (tables->directories && tables->directories != directories) ||
	    tables->nframes != (tables->frames ? pages_for(directories) : 0))
		return axvcpu_fail(vm, -EINVAL,
				   "clone: vCPU %" PRIu32 ": page tables for %" PRIu64
				   " GiB in %" PRIu64 " frames are not possible",
				   vcpu->id, tables->gibs, tables->nframes);
	*own = *tables;
	if (!tables->frames)
		return 0;
	own->frames = axv_sys_calloc(tables->nframes, sizeof(*own->frames));
	if (!own->frames) {
		*own = (struct axk_x86_tables){ 0 };
		return axvcpu_fail(vm, -ENOMEM,
				   "clone: vCPU %" PRIu32 ": allocating %" PRIu64 " frames",
				   vcpu->id, tables->nframes);
	}
	memcpy(own->frames, tables->frames, tables->nframes * sizeof(*own->frames));
	return 0;
}

/* --- places ----------------------------------------------------------------------------------------------- */

static int place_in_area(struct axk_vcpu *vcpu, const struct axvcpu_setup_config *config)
{
	struct axk_x86_tables *tables = &vcpu->arch.tables;
	uint64_t need = pages_for(tables->gibs) * X86_PAGE;

	if (config->boot_size < need)
		return axvcpu_fail(vcpu->vm->vm, -ENOSPC,
				   "setup: boot_size is %" PRIu64 "; the tables need %" PRIu64,
				   config->boot_size, need);
	tables->area = config->boot_gpa;
	tables->directories = tables->gibs;
	return 0;
}

/*
 * A frame's guest-physical address can be too large for a linear address, so the identity map
 * cannot cover the GDT: its linear address lies in the GiB after the identity map.
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

	/* A reset writes the same tables as setup, even if regions were mapped since. */
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

/* Writes page 'at': entries for the 'n' pages from 'first', at most as many as fit. */
static int write_pointers(struct axvm *vm, const struct axk_x86_tables *tables, uint64_t at,
			  uint64_t first, uint64_t n)
{
	uint64_t table[ENTRIES] = { 0 };

	for (uint64_t i = 0; i < n && i < ENTRIES; i++)
		table[i] = page_gpa(tables, first + i) | PTE_PRESENT | PTE_WRITE;
	return axvm_write(vm, page_gpa(tables, at), table, sizeof(table));
}

/* Writes page 'at': a page directory that maps the 'n' large pages from 'gpa'. */
static int write_directory(struct axvm *vm, const struct axk_x86_tables *tables, uint64_t at,
			   uint64_t gpa, uint64_t n)
{
	uint64_t table[ENTRIES] = { 0 };

	for (uint64_t i = 0; i < n; i++)
		table[i] = (gpa + i * LARGE_PAGE) | PTE_PRESENT | PTE_WRITE | PTE_LARGE;
	return axvm_write(vm, page_gpa(tables, at), table, sizeof(table));
}

/* Writes the identity map, and after it the mapping of the GDT's page if that has a directory. */
int axk_x86_tables_write(struct axk_vcpu *vcpu)
{
	const struct axk_x86_tables *tables = &vcpu->arch.tables;
	struct axvm *vm = vcpu->vm->vm;
	uint64_t directories = tables->directories;
	uint64_t uppers = upper_tables(directories);
	uint64_t first = PAGE_UPPER + uppers;
	int ret = write_pointers(vm, tables, PAGE_ROOT, PAGE_UPPER, uppers);

	if (ret)
		return ret;
	for (uint64_t i = 0; i < uppers; i++) {
		ret = write_pointers(vm, tables, PAGE_UPPER + i, first + i * ENTRIES,
				     directories - i * ENTRIES);
		if (ret)
			return ret;
	}
	for (uint64_t i = 0; i < tables->gibs; i++) {
		ret = write_directory(vm, tables, first + i, i * GIB, ENTRIES);
		if (ret)
			return ret;
	}
	if (directories == tables->gibs)
		return 0;
	return write_directory(vm, tables, first + tables->gibs,
			       page_gpa(tables, PAGE_GDT) & ~(LARGE_PAGE - 1), 1);
}
