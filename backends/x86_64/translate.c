/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * The guest's address translation, by its tables in guest memory: KVM's own translation returns no
 * permissions. The guest controls the tables; the walk is bounded, with one look-up for each of at
 * most five levels.
 */
#include <errno.h>
#include <inttypes.h>

#include "axvcpu/debug.h"
#include "axvcpu/memory.h"
#include "backends/x86_64/x86_64.h"

#define PTE_PRESENT UINT64_C(1)
#define PTE_WRITE (UINT64_C(1) << 1)
#define PTE_USER (UINT64_C(1) << 2)
#define PTE_LARGE (UINT64_C(1) << 7)
#define PTE_NX (UINT64_C(1) << 63)
#define PTE_ADDRESS UINT64_C(0x000ffffffffff000)
/* In an entry for 4 MiB, bits 20 to 13 are bits 39 to 32 of the address. */
#define PSE36_ADDRESS(pte) ((pte) >> 13 & UINT64_C(0xff)) << 32

#define PAGE_SHIFT 12

/* The tables of a paging mode. */
struct tables {
	uint64_t root;
	unsigned int levels;
	/* Size of an entry in bytes, bits of an index. */
	unsigned int entry_size;
	unsigned int index_bits;
	/* Number of levels, from the last, whose entries can map a page. */
	unsigned int page_levels;
	/* Entries of the top level have no permissions: PAE. */
	bool bare_top;
};

static struct tables choose_tables(const struct kvm_sregs *sregs)
{
	if (!(sregs->cr4 & CR4_PAE))
		return (struct tables){ .root = sregs->cr3 & UINT32_MAX & PTE_ADDRESS,
					.levels = 2,
					.entry_size = 4,
					.index_bits = 10,
					.page_levels = sregs->cr4 & CR4_PSE ? 2 : 1 };
	if (!(sregs->efer & EFER_LMA))
		return (struct tables){ .root = sregs->cr3 & UINT32_MAX & ~UINT64_C(0x1f),
					.levels = 3,
					.entry_size = 8,
					.index_bits = 9,
					.page_levels = 2,
					.bare_top = true };
	return (struct tables){ .root = sregs->cr3 & PTE_ADDRESS,
				.levels = sregs->cr4 & CR4_LA57 ? 5 : 4,
				.entry_size = 8,
				.index_bits = 9,
				.page_levels = 3 };
}

static bool is_valid_address(const struct kvm_sregs *sregs, const struct tables *tables,
			     uint64_t gva)
{
	if (sregs->efer & EFER_LMA)
		return axk_is_canonical(gva, PAGE_SHIFT + tables->levels * tables->index_bits);
	return gva <= UINT32_MAX;
}

static void set_access(struct axvcpu_translation *translation, uint64_t flags, bool executable)
{
	translation->access = AXVCPU_ACCESS_READ | (flags & PTE_WRITE ? AXVCPU_ACCESS_WRITE : 0) |
			      (executable ? AXVCPU_ACCESS_EXEC : 0);
	translation->user_access = flags & PTE_USER ? translation->access : 0;
}

static bool walk(const struct axk_vcpu *vcpu, const struct kvm_sregs *sregs, uint64_t gva,
		 struct axvcpu_translation *translation)
{
	const struct tables tables = choose_tables(sregs);
	uint64_t nx = sregs->efer & EFER_NXE ? PTE_NX : 0;
	uint64_t table = tables.root, flags = PTE_WRITE | PTE_USER;
	bool executable = true;

	if (!is_valid_address(sregs, &tables, gva))
		return false;
	for (unsigned int level = tables.levels; level-- > 0;) {
		unsigned int shift = PAGE_SHIFT + level * tables.index_bits;
		uint64_t index = gva >> shift & ((UINT64_C(1) << tables.index_bits) - 1);
		uint64_t pte = 0, low = (UINT64_C(1) << shift) - 1;

		/* A table outside of guest memory maps nothing. */
		if (axvm_read(vcpu->vm->vm, table + index * tables.entry_size, &pte,
			      tables.entry_size) ||
		    !(pte & PTE_PRESENT))
			return false;
		if (!tables.bare_top || level != tables.levels - 1) {
			flags &= pte;
			executable = executable && !(pte & nx);
		}
		if (level && !(pte & PTE_LARGE && level < tables.page_levels)) {
			/* The bit is reserved in other levels, and ignored without CR4.PSE. */
			if (pte & PTE_LARGE && tables.entry_size == 8)
				return false;
			table = pte & PTE_ADDRESS;
			continue;
		}
		translation->gpa = (pte & PTE_ADDRESS & ~low) | (gva & low);
		if (level && tables.entry_size == 4)
			translation->gpa |= PSE36_ADDRESS(pte);
		translation->page_size = low + 1;
		set_access(translation, flags, executable);
		return true;
	}
	return false;
}

int axk_x86_translate_access(void *arch_vcpu, uint64_t gva, struct axvcpu_translation *translation)
{
	struct axk_vcpu *vcpu = arch_vcpu;
	struct kvm_sregs sregs;
	int ret = axk_x86_need_regs(vcpu);

	if (!ret)
		ret = axk_vcpu_ioctl(vcpu, KVM_GET_SREGS, &sregs);
	if (ret)
		return ret;
	if (!(sregs.cr0 & CR0_PG)) {
		axk_translate_directly(gva, translation);
		return 0;
	}
	if (!walk(vcpu, &sregs, gva, translation))
		return axvcpu_fail(vcpu->vm->vm, -EFAULT,
				   "translate: vCPU %" PRIu32 ": %#" PRIx64 " is not mapped",
				   vcpu->id, gva);
	return 0;
}
