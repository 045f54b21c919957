/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* System registers and segments: struct kvm_sregs. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "backends/x86_64/x86_64.h"

/* --- segments --------------------------------------------------------------------------------- */

#define ATTRIBUTES_ALL \
	(AXVCPU_X86_SEGMENT_TYPE | AXVCPU_X86_SEGMENT_S | AXVCPU_X86_SEGMENT_DPL | \
	 AXVCPU_X86_SEGMENT_PRESENT | AXVCPU_X86_SEGMENT_UNUSABLE | AXVCPU_X86_SEGMENT_AVL | \
	 AXVCPU_X86_SEGMENT_L | AXVCPU_X86_SEGMENT_DB | AXVCPU_X86_SEGMENT_G)

uint16_t axk_x86_attributes(const struct kvm_segment *segment)
{
	return (uint16_t)((segment->type & 0xfu) | (segment->s & 1u) << 4 |
			  (segment->dpl & 3u) << 5 | (segment->present & 1u) << 7 |
			  (segment->unusable & 1u) << 8 | (segment->avl & 1u) << 12 |
			  (segment->l & 1u) << 13 | (segment->db & 1u) << 14 |
			  (segment->g & 1u) << 15);
}

static void set_attributes(struct kvm_segment *segment, uint64_t attributes)
{
	segment->type = (uint8_t)(attributes & AXVCPU_X86_SEGMENT_TYPE);
	segment->s = !!(attributes & AXVCPU_X86_SEGMENT_S);
	segment->dpl = (uint8_t)((attributes & AXVCPU_X86_SEGMENT_DPL) >> 5);
	segment->present = !!(attributes & AXVCPU_X86_SEGMENT_PRESENT);
	segment->unusable = !!(attributes & AXVCPU_X86_SEGMENT_UNUSABLE);
	segment->avl = !!(attributes & AXVCPU_X86_SEGMENT_AVL);
	segment->l = !!(attributes & AXVCPU_X86_SEGMENT_L);
	segment->db = !!(attributes & AXVCPU_X86_SEGMENT_DB);
	segment->g = !!(attributes & AXVCPU_X86_SEGMENT_G);
}

/* Returns a segment by its number; NULL for the descriptor tables. */
static struct kvm_segment *segment_of(struct kvm_sregs *sregs, uint32_t number)
{
	switch (number) {
	case AXVCPU_X86_ES:
		return &sregs->es;
	case AXVCPU_X86_CS:
		return &sregs->cs;
	case AXVCPU_X86_SS:
		return &sregs->ss;
	case AXVCPU_X86_DS:
		return &sregs->ds;
	case AXVCPU_X86_FS:
		return &sregs->fs;
	case AXVCPU_X86_GS:
		return &sregs->gs;
	case AXVCPU_X86_LDT:
		return &sregs->ldt;
	case AXVCPU_X86_TR:
		return &sregs->tr;
	default:
		return NULL;
	}
}

static struct kvm_dtable *table_of(struct kvm_sregs *sregs, uint32_t number)
{
	return number == AXVCPU_X86_GDT ? &sregs->gdt : &sregs->idt;
}

int axk_x86_get_segment(struct axk_vcpu *vcpu, uint32_t number, struct axvcpu_x86_segment *segment)
{
	struct kvm_sregs sregs;
	const struct kvm_segment *from = segment_of(&sregs, number);
	const struct kvm_dtable *table = table_of(&sregs, number);
	int ret = axk_vcpu_ioctl(vcpu, KVM_GET_SREGS, &sregs);

	if (ret)
		return ret;
	if (from)
		*segment = (struct axvcpu_x86_segment){ from->base, from->limit, from->selector,
							axk_x86_attributes(from) };
	else
		*segment = (struct axvcpu_x86_segment){ .base = table->base,
							.limit = table->limit };
	return 0;
}

int axk_x86_set_segment(struct axk_vcpu *vcpu, uint32_t number,
			const struct axvcpu_x86_segment *segment)
{
	struct kvm_sregs sregs;
	struct kvm_segment *to = segment_of(&sregs, number);
	int ret;

	if (to ? segment->attributes & ~ATTRIBUTES_ALL
	       : segment->limit > UINT16_MAX || segment->selector || segment->attributes)
		return axvcpu_fail(vcpu->vm->vm, -EINVAL,
				   "set_segment: vCPU %" PRIu32 ": segment %" PRIu32
				   " cannot have limit %#" PRIx32 ", selector %#x, attributes %#x",
				   vcpu->id, number, segment->limit, segment->selector,
				   segment->attributes);
	ret = axk_vcpu_ioctl(vcpu, KVM_GET_SREGS, &sregs);
	if (ret)
		return ret;
	if (to) {
		to->base = segment->base;
		to->limit = segment->limit;
		to->selector = segment->selector;
		set_attributes(to, segment->attributes);
	} else {
		table_of(&sregs, number)->base = segment->base;
		table_of(&sregs, number)->limit = (uint16_t)segment->limit;
	}
	return axk_vcpu_ioctl(vcpu, KVM_SET_SREGS, &sregs);
}

/* --- by register id --------------------------------------------------------------------------- */

struct field {
	uint16_t offset;
	/* In bytes; 0: the attributes of the segment at 'offset'. */
	uint16_t size;
};

#define FIELD(id, member) \
	[AXVCPU_REG_X86_##id - AXVCPU_REG_X86_CR0] = { offsetof(struct kvm_sregs, member), \
						       sizeof(((struct kvm_sregs *)0)->member) }
#define ATTRIBUTES(id, segment) \
	[AXVCPU_REG_X86_##id##_ATTRIBUTES - \
		AXVCPU_REG_X86_CR0] = { offsetof(struct kvm_sregs, segment), 0 }
#define SEGMENT(id, segment) \
	FIELD(id, segment.selector), FIELD(id##_BASE, segment.base), \
		FIELD(id##_LIMIT, segment.limit), ATTRIBUTES(id, segment)
#define TABLE(id, table) FIELD(id##_BASE, table.base), FIELD(id##_LIMIT, table.limit)

static const struct field fields[] = {
	FIELD(CR0, cr0),
	FIELD(CR2, cr2),
	FIELD(CR3, cr3),
	FIELD(CR4, cr4),
	FIELD(CR8, cr8),
	FIELD(EFER, efer),
	FIELD(APIC_BASE, apic_base),
	SEGMENT(CS, cs),
	SEGMENT(DS, ds),
	SEGMENT(ES, es),
	SEGMENT(FS, fs),
	SEGMENT(GS, gs),
	SEGMENT(SS, ss),
	SEGMENT(TR, tr),
	SEGMENT(LDT, ldt),
	TABLE(GDT, gdt),
	TABLE(IDT, idt),
};

bool axk_x86_is_sreg(uint64_t id)
{
	return id >= AXVCPU_REG_X86_CR0 && id - AXVCPU_REG_X86_CR0 < ARRAY_SIZE(fields);
}

int axk_x86_get_sreg(struct axk_vcpu *vcpu, uint64_t id, uint64_t *value)
{
	const struct field *field = &fields[id - AXVCPU_REG_X86_CR0];
	struct kvm_sregs sregs;
	void *p = (unsigned char *)&sregs + field->offset;
	uint64_t wide = 0;
	int ret = axk_vcpu_ioctl(vcpu, KVM_GET_SREGS, &sregs);

	if (ret)
		return ret;
	if (field->size)
		memcpy(&wide, p, field->size);
	else
		wide = axk_x86_attributes(p);
	*value = wide;
	return 0;
}

int axk_x86_set_sreg(struct axk_vcpu *vcpu, uint64_t id, uint64_t value)
{
	const struct field *field = &fields[id - AXVCPU_REG_X86_CR0];
	uint64_t max = field->size ? UINT64_MAX >> (64 - 8 * field->size) : ATTRIBUTES_ALL;
	struct kvm_sregs sregs;
	void *p = (unsigned char *)&sregs + field->offset;
	int ret;

	if (value & ~max)
		return axvcpu_fail(vcpu->vm->vm, -EINVAL,
				   "set_reg: vCPU %" PRIu32 ": register %#" PRIx64
				   " has no bits %#" PRIx64,
				   vcpu->id, id, value & ~max);
	ret = axk_vcpu_ioctl(vcpu, KVM_GET_SREGS, &sregs);
	if (ret)
		return ret;
	if (field->size)
		memcpy(p, &value, field->size);
	else
		set_attributes(p, value);
	ret = axk_vcpu_ioctl(vcpu, KVM_SET_SREGS, &sregs);
	/* Without an in-kernel LAPIC, KVM loads CR8 from here on every entry. */
	if (!ret && id == AXVCPU_REG_X86_CR8)
		vcpu->run->cr8 = value;
	return ret;
}

/* --- the mode of the CPU ---------------------------------------------------------------------- */

static uint32_t execution(const struct kvm_sregs *sregs, uint64_t rflags)
{
	if (sregs->efer & EFER_LMA)
		return sregs->cs.l ? AXVCPU_EXECUTION_64 : AXVCPU_EXECUTION_COMPATIBILITY;
	if (!(sregs->cr0 & CR0_PE))
		return AXVCPU_EXECUTION_REAL;
	return rflags & RFLAGS_VM ? AXVCPU_EXECUTION_VIRTUAL_8086 : AXVCPU_EXECUTION_PROTECTED;
}

int axk_x86_get_cpu_mode(void *arch_vcpu, struct axvcpu_cpu_mode *mode)
{
	struct axk_vcpu *vcpu = arch_vcpu;
	struct kvm_sregs sregs;
	struct kvm_regs regs;
	int ret = axk_x86_need_regs(vcpu);

	if (!ret)
		ret = axk_vcpu_ioctl(vcpu, KVM_GET_SREGS, &sregs);
	if (!ret)
		ret = axk_vcpu_ioctl(vcpu, KVM_GET_REGS, &regs);
	if (ret)
		return ret;
	mode->execution = execution(&sregs, regs.rflags);
	mode->paging = !!(sregs.cr0 & CR0_PG);
	mode->bits = sregs.cs.db ? 32 : 16;
	/* KVM reports the current privilege level there. */
	mode->privilege = sregs.ss.dpl;
	if (mode->execution == AXVCPU_EXECUTION_64)
		mode->bits = 64;
	if (mode->execution == AXVCPU_EXECUTION_REAL)
		mode->privilege = 0;
	if (mode->execution == AXVCPU_EXECUTION_VIRTUAL_8086)
		mode->privilege = 3;
	mode->user = mode->privilege == 3;
	return 0;
}
