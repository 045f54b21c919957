/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* The guest's address translation, by its tables in guest memory: Sv39, Sv48 and Sv57. */
#include <errno.h>
#include <inttypes.h>

#include "axvcpu/debug.h"
#include "axvcpu/memory.h"
#include "backends/riscv64/riscv64.h"

#define SATP_PPN(satp) ((satp) & ((UINT64_C(1) << 44) - 1))
#define MODE_SV39 8u
#define MODE_SV57 10u

#define PTE_V (UINT64_C(1) << 0)
#define PTE_R (UINT64_C(1) << 1)
#define PTE_W (UINT64_C(1) << 2)
#define PTE_X (UINT64_C(1) << 3)
#define PTE_U (UINT64_C(1) << 4)
#define PTE_PPN(pte) ((pte) >> 10 & ((UINT64_C(1) << 44) - 1))
#define PTE_RESERVED (UINT64_C(0x7f) << 54)
/* Svnapot: the entry maps 16 pages; the lower bits of the page number encode that. */
#define PTE_N (UINT64_C(1) << 63)
#define NAPOT_MASK UINT64_C(0xf)
#define NAPOT_64K UINT64_C(0x8)

#define PAGE_SHIFT 12
#define LEVEL_BITS 9
#define LEVEL_MASK ((UINT64_C(1) << LEVEL_BITS) - 1)

bool axk_riscv_read(const struct axk_vcpu *vcpu, uint64_t gpa, void *buf, size_t len)
{
	struct axvm *vm = vcpu->vm->vm;
	struct axvm_region region = AXVM_REGION_INIT;

	for (size_t i = 0; (size_t)axvm_regions(vm, i, 1, &region) > i; i++)
		if (gpa >= region.gpa && gpa - region.gpa <= region.len - len)
			return !axvm_read(vm, gpa, buf, len);
	return false;
}

static uint32_t access_of(uint64_t pte)
{
	return (pte & PTE_R ? AXVCPU_ACCESS_READ : 0) | (pte & PTE_W ? AXVCPU_ACCESS_WRITE : 0) |
	       (pte & PTE_X ? AXVCPU_ACCESS_EXEC : 0);
}

/* Translates by a leaf entry at 'level' (0: the last). Returns false if the entry is invalid. */
static bool leaf(uint64_t pte, unsigned int level, uint64_t gva,
		 struct axvcpu_translation *translation)
{
	uint64_t low = (UINT64_C(1) << level * LEVEL_BITS) - 1;
	uint64_t ppn = PTE_PPN(pte);

	if (pte & PTE_N) {
		if (level || (ppn & NAPOT_MASK) != NAPOT_64K)
			return false;
		low = NAPOT_MASK;
		ppn &= ~NAPOT_MASK;
	}
	/* A large page is aligned to its size. */
	if (ppn & low)
		return false;
	ppn |= gva >> PAGE_SHIFT & low;
	translation->gpa = ppn << PAGE_SHIFT | (gva & ((UINT64_C(1) << PAGE_SHIFT) - 1));
	translation->page_size = (low + 1) << PAGE_SHIFT;
	translation->access = access_of(pte);
	if (pte & PTE_U) {
		translation->user_access = translation->access;
		/* Supervisor mode never executes pages of user mode. */
		translation->access &= ~AXVCPU_ACCESS_EXEC;
	}
	return true;
}

bool axk_riscv_walk(struct axk_vcpu *vcpu, uint64_t satp, uint64_t gva,
		    struct axvcpu_translation *translation)
{
	uint64_t table = SATP_PPN(satp) << PAGE_SHIFT;
	uint64_t mode = SATP_MODE(satp);
	unsigned int levels;

	if (mode == SATP_BARE) {
		axk_translate_directly(gva, translation);
		return true;
	}
	if (mode < MODE_SV39 || mode > MODE_SV57)
		return false;
	levels = 3 + (unsigned int)(mode - MODE_SV39);
	if (!axk_is_canonical(gva, PAGE_SHIFT + levels * LEVEL_BITS))
		return false;
	/* Bounded by the number of levels, whatever the tables contain. */
	while (levels-- > 0) {
		uint64_t index = gva >> (PAGE_SHIFT + levels * LEVEL_BITS) & LEVEL_MASK;
		uint64_t pte;

		if (!axk_riscv_read(vcpu, table + index * sizeof(pte), &pte, sizeof(pte)))
			return false;
		if (!(pte & PTE_V) || (pte & PTE_RESERVED) || (pte & (PTE_R | PTE_W)) == PTE_W)
			return false;
		if (pte & (PTE_R | PTE_X))
			return leaf(pte, levels, gva, translation);
		if (pte & PTE_N)
			return false;
		table = PTE_PPN(pte) << PAGE_SHIFT;
	}
	return false;
}

int axk_riscv_translate_access(void *arch_vcpu, uint64_t gva,
			       struct axvcpu_translation *translation)
{
	struct axk_vcpu *vcpu = arch_vcpu;
	uint64_t satp;
	int ret = axk_riscv_get(vcpu, RISCV_CSR(satp), &satp);

	if (ret)
		return ret;
	if (!axk_riscv_walk(vcpu, satp, gva, translation))
		return axvcpu_fail(vcpu->vm->vm, -EFAULT,
				   "translate: vCPU %" PRIu32 ": %#" PRIx64 " is not mapped",
				   vcpu->id, gva);
	return 0;
}
