/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * The guest's address translation. KVM has no call for it on arm64, so this walks the EL1 tables in
 * guest memory. The guest controls their contents; the walk is bounded, with one look-up for each
 * of at most five levels.
 */
#include <errno.h>
#include <inttypes.h>

#include "axvcpu/memory.h"
#include "backends/arm64/arm64.h"

/* Fields of TCR_EL1. */
#define TCR_T0SZ(tcr) ((tcr)&0x3f)
#define TCR_T1SZ(tcr) ((tcr) >> 16 & 0x3f)
#define TCR_EPD0 (UINT64_C(1) << 7)
#define TCR_EPD1 (UINT64_C(1) << 23)
#define TCR_TG0(tcr) ((tcr) >> 14 & 3)
#define TCR_TG1(tcr) ((tcr) >> 30 & 3)
#define TCR_IPS(tcr) ((tcr) >> 32 & 7)
#define IPS_52_BITS 6
#define TCR_TBI0 (UINT64_C(1) << 37)
#define TCR_TBI1 (UINT64_C(1) << 38)
/* The permissions of tables are ignored. */
#define TCR_HPD0 (UINT64_C(1) << 41)
#define TCR_HPD1 (UINT64_C(1) << 42)
/* 52-bit addresses with pages of 4 or 16 KiB. */
#define TCR_DS (UINT64_C(1) << 59)

#define DESCRIPTOR_VALID 1u
#define DESCRIPTOR_TABLE 2u
/* Permissions in descriptors of blocks and pages. */
#define DESCRIPTOR_EL0 (UINT64_C(1) << 6)
#define DESCRIPTOR_READONLY (UINT64_C(1) << 7)
#define DESCRIPTOR_PXN (UINT64_C(1) << 53)
#define DESCRIPTOR_UXN (UINT64_C(1) << 54)
/* Restrictions in descriptors of tables, for all that they map. */
#define TABLE_PXN (UINT64_C(1) << 59)
#define TABLE_UXN (UINT64_C(1) << 60)
#define TABLE_NO_EL0 (UINT64_C(1) << 61)
#define TABLE_READONLY (UINT64_C(1) << 62)
#define LAST_LEVEL 3
/* There is at most one level before level 0. */
#define FIRST_LEVEL (-1)

/* A mask of bits 'high' to 'low'. */
#define BITS(high, low) ((UINT64_MAX >> (63 - (high))) & (UINT64_MAX << (low)))

struct tables {
	uint64_t root;
	/* Number of bits of a virtual address, of an offset in a page, of an index. */
	unsigned int va_bits;
	unsigned int page_bits;
	unsigned int index_bits;
	/* 52-bit addresses: descriptors hold the upper bits in separate fields. */
	bool wide;
	/* Descriptors of tables restrict the permissions. */
	bool restricting;
};

static int read_reg(struct axk_vcpu *vcpu, uint64_t id, uint64_t *value)
{
	return axk_get_named_reg(vcpu, id, value);
}

static int not_mapped(const struct axk_vcpu *vcpu, uint64_t gva)
{
	axvcpu_fail(vcpu->vm->vm, -EFAULT,
		    "translate: vCPU %" PRIu32 ": %#" PRIx64 " is not mapped", vcpu->id, gva);
	return -EFAULT;
}

/* --- which tables ---------------------------------------------------------------------------- */

/* The two halves of the address space encode the page size differently. */
static unsigned int page_bits(bool upper, uint64_t tcr)
{
	static const unsigned char lower_half[] = { 12, 16, 14, 0 };
	static const unsigned char upper_half[] = { 0, 14, 12, 16 };

	return upper ? upper_half[TCR_TG1(tcr)] : lower_half[TCR_TG0(tcr)];
}

/* Returns the address of the root table, which may be shorter than a page, aligned to its size. */
static uint64_t root_of(const struct tables *tables, uint64_t ttbr)
{
	uint64_t root = ttbr & BITS(47, 1);

	/* 52-bit addresses: bits 51 to 48 are in bits 5 to 2. */
	if (tables->wide)
		return (root & ~UINT64_C(0x3f)) | (ttbr >> 2 & 0xf) << 48;
	return root;
}

static int choose_tables(struct axk_vcpu *vcpu, uint64_t gva, struct tables *tables)
{
	bool upper = gva >> 55 & 1;
	uint64_t tcr, ttbr;
	unsigned int size;
	int ret = read_reg(vcpu, AXVCPU_REG_ARM64_TCR_EL1, &tcr);

	if (!ret)
		ret = read_reg(vcpu,
			       upper ? AXVCPU_REG_ARM64_TTBR1_EL1 : AXVCPU_REG_ARM64_TTBR0_EL1,
			       &ttbr);
	if (ret)
		return ret;
	tables->page_bits = page_bits(upper, tcr);
	tables->index_bits = tables->page_bits - 3;
	size = (unsigned int)(upper ? TCR_T1SZ(tcr) : TCR_T0SZ(tcr));
	tables->wide = tables->page_bits == 16 ? TCR_IPS(tcr) == IPS_52_BITS : !!(tcr & TCR_DS);
	/* 16 to 48 bits, or to 52. Invalid settings map nothing. */
	if (!tables->page_bits || size < (tables->wide || tables->page_bits == 16 ? 12 : 16) ||
	    size > 48 || (tcr & (upper ? TCR_EPD1 : TCR_EPD0)))
		return not_mapped(vcpu, gva);
	tables->va_bits = 64 - size;
	tables->root = root_of(tables, ttbr);
	tables->restricting = !(tcr & (upper ? TCR_HPD1 : TCR_HPD0));
	/* With top-byte-ignore, bit 55 stands for all bits above it. */
	if (tcr & (upper ? TCR_TBI1 : TCR_TBI0))
		gva = upper ? gva | BITS(63, 56) : gva & ~BITS(63, 56);
	if (gva >> tables->va_bits != (upper ? UINT64_MAX >> tables->va_bits : 0))
		return not_mapped(vcpu, gva);
	return 0;
}

/* --- the walk -------------------------------------------------------------------------------- */

/* Returns the number of address bits below the index of this level. */
static unsigned int shift_of(const struct tables *tables, int level)
{
	return tables->page_bits + (unsigned int)(LAST_LEVEL - level) * tables->index_bits;
}

static int first_level(const struct tables *tables)
{
	int level = LAST_LEVEL;

	while (level > FIRST_LEVEL &&
	       shift_of(tables, level) + tables->index_bits < tables->va_bits)
		level--;
	return level;
}

static uint64_t address_of(const struct tables *tables, uint64_t descriptor, unsigned int low)
{
	uint64_t address = descriptor & BITS(47, low);

	if (!tables->wide)
		return address;
	if (tables->page_bits == 16)
		return address | (descriptor >> 12 & 0xf) << 48;
	return (descriptor & BITS(49, low)) | (descriptor >> 8 & 3) << 50;
}

/* Whether a descriptor of this level may be a block. */
static bool can_be_block(const struct tables *tables, int level)
{
	/*
	 * 4 KiB: 2 MiB and 1 GiB, in wide tables 512 GiB; 16 KiB: 32 MiB, 64 GiB; 64 KiB: 512 MiB,
	 * 4 TiB.
	 */
	if (level == 2)
		return true;
	if (level == 1)
		return tables->page_bits == 12 || tables->wide;
	return level == 0 && tables->page_bits == 12 && tables->wide;
}

/* Sets the permissions of a page by its descriptor and the descriptors of tables before it. */
static void set_access(struct axvcpu_translation *translation, uint64_t page, uint64_t tables)
{
	bool el0 = (page & DESCRIPTOR_EL0) && !(tables & TABLE_NO_EL0);
	bool writable = !(page & DESCRIPTOR_READONLY) && !(tables & TABLE_READONLY);
	uint32_t access = AXVCPU_ACCESS_READ | (writable ? AXVCPU_ACCESS_WRITE : 0);

	translation->access = access;
	/* EL1 does not execute memory that EL0 can write to. */
	if (!(page & DESCRIPTOR_PXN) && !(tables & TABLE_PXN) && !(el0 && writable))
		translation->access |= AXVCPU_ACCESS_EXEC;
	translation->user_access = el0 ? access : 0;
	if (!(page & DESCRIPTOR_UXN) && !(tables & TABLE_UXN))
		translation->user_access |= AXVCPU_ACCESS_EXEC;
}

static int walk(struct axk_vcpu *vcpu, const struct tables *tables, uint64_t gva,
		struct axvcpu_translation *translation)
{
	uint64_t table = tables->root, restrictions = 0;
	uint64_t va = gva & BITS(tables->va_bits - 1, 0);

	for (int level = first_level(tables); level <= LAST_LEVEL; level++) {
		unsigned int shift = shift_of(tables, level);
		uint64_t index = va >> shift & BITS(tables->index_bits - 1, 0);
		uint64_t descriptor;

		/* A table outside of guest memory maps nothing. */
		if (axvm_read(vcpu->vm->vm, table + index * sizeof(descriptor), &descriptor,
			      sizeof(descriptor)) ||
		    !(descriptor & DESCRIPTOR_VALID))
			break;
		/* At the last level the same bit marks a page. */
		if (level != LAST_LEVEL && (descriptor & DESCRIPTOR_TABLE)) {
			table = address_of(tables, descriptor, tables->page_bits);
			restrictions |= tables->restricting ? descriptor : 0;
			continue;
		}
		if (level == LAST_LEVEL && !(descriptor & DESCRIPTOR_TABLE))
			break;
		if (level != LAST_LEVEL && !can_be_block(tables, level))
			break;
		translation->gpa = address_of(tables, descriptor, shift) |
				   (va & BITS(shift - 1, 0));
		translation->page_size = UINT64_C(1) << shift;
		set_access(translation, descriptor, restrictions);
		return 0;
	}
	return not_mapped(vcpu, gva);
}

int axk_arm64_translate_access(void *arch_vcpu, uint64_t gva,
			       struct axvcpu_translation *translation)
{
	struct axk_vcpu *vcpu = arch_vcpu;
	struct tables tables;
	uint64_t sctlr, pstate;
	int ret = read_reg(vcpu, AXVCPU_REG_ARM64_SCTLR_EL1, &sctlr);

	if (!ret)
		ret = read_reg(vcpu, AXVCPU_REG_FLAGS, &pstate);
	if (ret)
		return ret;
	if (!(sctlr & SCTLR_M)) {
		axk_translate_directly(gva, translation);
		return 0;
	}
	if ((pstate & PSTATE_AARCH32) && vcpu->arch.setup.mode == AXVCPU_MODE_32)
		return axvcpu_fail(vcpu->vm->vm, -ENOTSUP,
				   "translate: vCPU %" PRIu32
				   ": AArch32 page tables are not supported",
				   vcpu->id);
	ret = choose_tables(vcpu, gva, &tables);
	if (ret)
		return ret;
	return walk(vcpu, &tables, gva, translation);
}
