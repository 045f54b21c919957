/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* Registers: KVM's two structures of them, and ids for what is in there. */
#include <errno.h>
#include <inttypes.h>

#include "backends/x86_64/x86_64.h"

/* --- general registers: struct kvm_regs, which is not in hardware order ------------------------- */

static const uint16_t gpr_offset[] = {
	offsetof(struct kvm_regs, rax), offsetof(struct kvm_regs, rcx),
	offsetof(struct kvm_regs, rdx), offsetof(struct kvm_regs, rbx),
	offsetof(struct kvm_regs, rsp), offsetof(struct kvm_regs, rbp),
	offsetof(struct kvm_regs, rsi), offsetof(struct kvm_regs, rdi),
	offsetof(struct kvm_regs, r8),	offsetof(struct kvm_regs, r9),
	offsetof(struct kvm_regs, r10), offsetof(struct kvm_regs, r11),
	offsetof(struct kvm_regs, r12), offsetof(struct kvm_regs, r13),
	offsetof(struct kvm_regs, r14), offsetof(struct kvm_regs, r15),
};

static __u64 *gpr(struct kvm_regs *regs, unsigned int n)
{
	return (__u64 *)((unsigned char *)regs + gpr_offset[n]);
}

static __u64 *general_reg(struct kvm_regs *regs, uint64_t id)
{
	if (id < ARRAY_SIZE(gpr_offset))
		return gpr(regs, (unsigned int)id);
	switch (id) {
	case AXVCPU_REG_PC:
		return &regs->rip;
	case AXVCPU_REG_SP:
		return &regs->rsp;
	case AXVCPU_REG_FLAGS:
		return &regs->rflags;
	default:
		return NULL;
	}
}

int axk_x86_get_regs(void *arch_vcpu, struct axvcpu_regs *regs)
{
	struct axk_vcpu *vcpu = arch_vcpu;
	struct kvm_regs kvm_regs;
	int ret = axk_vcpu_ioctl(vcpu, KVM_GET_REGS, &kvm_regs);

	if (ret)
		return ret;
	*regs = (struct axvcpu_regs){ .pc = kvm_regs.rip, .flags = kvm_regs.rflags };
	for (unsigned int i = 0; i < ARRAY_SIZE(gpr_offset); i++)
		regs->gpr[i] = *gpr(&kvm_regs, i);
	return 0;
}

int axk_x86_set_regs(void *arch_vcpu, const struct axvcpu_regs *regs)
{
	struct axk_vcpu *vcpu = arch_vcpu;
	struct kvm_regs kvm_regs = { .rip = regs->pc, .rflags = regs->flags };

	for (unsigned int i = 0; i < ARRAY_SIZE(gpr_offset); i++)
		*gpr(&kvm_regs, i) = regs->gpr[i];
	/* The interrupt flag may be another now. */
	axk_x86_irq_state_changed(vcpu);
	return axk_vcpu_ioctl(vcpu, KVM_SET_REGS, &kvm_regs);
}

/* --- system registers: struct kvm_sregs ---------------------------------------------------------- */

#define SREG(id, member) \
	[(id)-AXVCPU_REG_X86_CR0] = { offsetof(struct kvm_sregs, member), \
				      sizeof(((struct kvm_sregs *)0)->member) }

static const struct {
	uint16_t offset;
	uint16_t size;
} sregs_table[] = {
	SREG(AXVCPU_REG_X86_CR0, cr0),
	SREG(AXVCPU_REG_X86_CR2, cr2),
	SREG(AXVCPU_REG_X86_CR3, cr3),
	SREG(AXVCPU_REG_X86_CR4, cr4),
	SREG(AXVCPU_REG_X86_CR8, cr8),
	SREG(AXVCPU_REG_X86_EFER, efer),
	SREG(AXVCPU_REG_X86_APIC_BASE, apic_base),
	SREG(AXVCPU_REG_X86_CS_BASE, cs.base),
	SREG(AXVCPU_REG_X86_DS_BASE, ds.base),
	SREG(AXVCPU_REG_X86_ES_BASE, es.base),
	SREG(AXVCPU_REG_X86_FS_BASE, fs.base),
	SREG(AXVCPU_REG_X86_GS_BASE, gs.base),
	SREG(AXVCPU_REG_X86_SS_BASE, ss.base),
	SREG(AXVCPU_REG_X86_TR_BASE, tr.base),
	SREG(AXVCPU_REG_X86_GDT_BASE, gdt.base),
	SREG(AXVCPU_REG_X86_IDT_BASE, idt.base),
	SREG(AXVCPU_REG_X86_CS, cs.selector),
	SREG(AXVCPU_REG_X86_SS, ss.selector),
};

static bool is_sreg(uint64_t id)
{
	return id >= AXVCPU_REG_X86_CR0 && id - AXVCPU_REG_X86_CR0 < ARRAY_SIZE(sregs_table);
}

static unsigned char *sreg(struct kvm_sregs *sregs, uint64_t id, size_t *size)
{
	*size = sregs_table[id - AXVCPU_REG_X86_CR0].size;
	return (unsigned char *)sregs + sregs_table[id - AXVCPU_REG_X86_CR0].offset;
}

static int get_sreg(struct axk_vcpu *vcpu, uint64_t id, uint64_t *value)
{
	struct kvm_sregs sregs;
	uint64_t wide = 0;
	size_t size;
	unsigned char *p;
	int ret = axk_vcpu_ioctl(vcpu, KVM_GET_SREGS, &sregs);

	if (ret)
		return ret;
	p = sreg(&sregs, id, &size);
	__builtin_memcpy(&wide, p, size);
	*value = wide;
	return 0;
}

static int set_sreg(struct axk_vcpu *vcpu, uint64_t id, uint64_t value)
{
	struct kvm_sregs sregs;
	size_t size;
	unsigned char *p;
	int ret = axk_vcpu_ioctl(vcpu, KVM_GET_SREGS, &sregs);

	if (ret)
		return ret;
	p = sreg(&sregs, id, &size);
	__builtin_memcpy(p, &value, size);
	ret = axk_vcpu_ioctl(vcpu, KVM_SET_SREGS, &sregs);
	/* Without a LAPIC of its own, the kernel takes it from here on every entry. */
	if (!ret && id == AXVCPU_REG_X86_CR8)
		vcpu->run->cr8 = value;
	return ret;
}

/* --- MSRs ------------------------------------------------------------------------------------------ */

static bool is_msr(uint64_t id)
{
	return id >> 32 == AXVCPU_REG_X86_MSR(0) >> 32;
}

/* --- one register --------------------------------------------------------------------------------- */

int axk_x86_get_reg(void *arch_vcpu, uint64_t id, uint64_t *value)
{
	struct axk_vcpu *vcpu = arch_vcpu;
	struct kvm_regs regs;
	uint64_t raw = 0;
	int ret;

	if (is_sreg(id))
		return get_sreg(vcpu, id, value);
	if (is_msr(id))
		return axk_x86_get_msr(vcpu, (uint32_t)id, value);
	if (axk_is_value_id(id)) {
		ret = axk_get_one_reg(vcpu, id, &raw);
		if (!ret)
			*value = raw;
		return ret;
	}
	if (!general_reg(&regs, id))
		return -ENOENT;
	ret = axk_vcpu_ioctl(vcpu, KVM_GET_REGS, &regs);
	if (!ret)
		*value = *general_reg(&regs, id);
	return ret;
}

int axk_x86_set_reg(void *arch_vcpu, uint64_t id, uint64_t value)
{
	struct axk_vcpu *vcpu = arch_vcpu;
	struct kvm_regs regs;
	int ret;

	if (is_sreg(id))
		return set_sreg(vcpu, id, value);
	if (is_msr(id))
		return axk_x86_set_msr(vcpu, (uint32_t)id, value);
	if (axk_is_value_id(id))
		return axk_set_one_reg(vcpu, id, &value);
	if (!general_reg(&regs, id))
		return -ENOENT;
	ret = axk_vcpu_ioctl(vcpu, KVM_GET_REGS, &regs);
	if (ret)
		return ret;
	*general_reg(&regs, id) = value;
	axk_x86_irq_state_changed(vcpu);
	return axk_vcpu_ioctl(vcpu, KVM_SET_REGS, &regs);
}

int axk_x86_set_return_value(void *arch_vcpu, uint64_t value)
{
	return axk_x86_set_reg(arch_vcpu, AXVCPU_REG_GPR(0), value);
}

/* --- the list --------------------------------------------------------------------------------------- */

static const struct {
	uint64_t id;
	const char *name;
} names[] = {
	{ AXVCPU_REG_PC, "rip" },
	{ AXVCPU_REG_FLAGS, "rflags" },
	{ AXVCPU_REG_GPR(0), "rax" },
	{ AXVCPU_REG_GPR(3), "rbx" },
	{ AXVCPU_REG_GPR(1), "rcx" },
	{ AXVCPU_REG_GPR(2), "rdx" },
	{ AXVCPU_REG_GPR(6), "rsi" },
	{ AXVCPU_REG_GPR(7), "rdi" },
	{ AXVCPU_REG_GPR(4), "rsp" },
	{ AXVCPU_REG_GPR(5), "rbp" },
	{ AXVCPU_REG_GPR(8), "r8" },
	{ AXVCPU_REG_GPR(9), "r9" },
	{ AXVCPU_REG_GPR(10), "r10" },
	{ AXVCPU_REG_GPR(11), "r11" },
	{ AXVCPU_REG_GPR(12), "r12" },
	{ AXVCPU_REG_GPR(13), "r13" },
	{ AXVCPU_REG_GPR(14), "r14" },
	{ AXVCPU_REG_GPR(15), "r15" },
	{ AXVCPU_REG_X86_CR0, "cr0" },
	{ AXVCPU_REG_X86_CR2, "cr2" },
	{ AXVCPU_REG_X86_CR3, "cr3" },
	{ AXVCPU_REG_X86_CR4, "cr4" },
	{ AXVCPU_REG_X86_CR8, "cr8" },
	{ AXVCPU_REG_X86_EFER, "efer" },
	{ AXVCPU_REG_X86_APIC_BASE, "apic_base" },
	{ AXVCPU_REG_X86_CS, "cs" },
	{ AXVCPU_REG_X86_SS, "ss" },
	{ AXVCPU_REG_X86_CS_BASE, "cs_base" },
	{ AXVCPU_REG_X86_DS_BASE, "ds_base" },
	{ AXVCPU_REG_X86_ES_BASE, "es_base" },
	{ AXVCPU_REG_X86_FS_BASE, "fs_base" },
	{ AXVCPU_REG_X86_GS_BASE, "gs_base" },
	{ AXVCPU_REG_X86_SS_BASE, "ss_base" },
	{ AXVCPU_REG_X86_TR_BASE, "tr_base" },
	{ AXVCPU_REG_X86_GDT_BASE, "gdt_base" },
	{ AXVCPU_REG_X86_IDT_BASE, "idt_base" },
};

int axk_x86_reg_info(unsigned int n, uint64_t *id, const char **name)
{
	if (n >= ARRAY_SIZE(names))
		return -ENOENT;
	*id = names[n].id;
	*name = names[n].name;
	return 0;
}
