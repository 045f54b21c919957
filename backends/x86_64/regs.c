/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* Registers by id: general registers; the choice of the file that has the others; the list. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "backends/x86_64/x86_64.h"

/* --- general registers: struct kvm_regs, which is not in hardware order ----------------------- */

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
	int ret = axk_x86_need_regs(vcpu);

	if (!ret)
		ret = axk_vcpu_ioctl(vcpu, KVM_GET_REGS, &kvm_regs);
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
	int ret = axk_x86_need_regs(vcpu);

	if (ret)
		return ret;
	for (unsigned int i = 0; i < ARRAY_SIZE(gpr_offset); i++)
		*gpr(&kvm_regs, i) = regs->gpr[i];
	/* The interrupt flag may have changed. */
	axk_x86_irq_state_changed(vcpu);
	return axk_vcpu_ioctl(vcpu, KVM_SET_REGS, &kvm_regs);
}

/* --- the frequency of the TSC ----------------------------------------------------------------- */

static int get_tsc_hz(const struct axk_vcpu *vcpu, uint64_t *hz)
{
	int khz = axk_vcpu_result(vcpu, axk_ioctl_value(vcpu->fd, KVM_GET_TSC_KHZ, 0),
				  "KVM_GET_TSC_KHZ");

	if (khz < 0)
		return khz;
	*hz = (uint64_t)khz * 1000;
	return 0;
}

static int set_tsc_hz(const struct axk_vcpu *vcpu, uint64_t hz)
{
	uint64_t present;
	int ret = get_tsc_hz(vcpu, &present);

	if (ret || hz == present)
		return ret;
	if (!hz || hz % 1000 || hz / 1000 > INT32_MAX)
		return axvcpu_fail(vcpu->vm->vm, -EINVAL,
				   "set_reg: vCPU %" PRIu32 ": a TSC cannot have %" PRIu64
				   " Hz; KVM counts in kHz",
				   vcpu->id, hz);
	ret = axk_vm_capability(vcpu->vm, KVM_CAP_TSC_CONTROL);
	if (ret < 0)
		return ret;
	if (!ret)
		return axvcpu_fail(vcpu->vm->vm, -ENOTSUP,
				   "set_reg: vCPU %" PRIu32 ": the TSC has %" PRIu64
				   " Hz; changing that needs KVM_CAP_TSC_CONTROL, which this host "
				   "lacks",
				   vcpu->id, present);
	return axk_vcpu_result(vcpu, axk_ioctl_value(vcpu->fd, KVM_SET_TSC_KHZ, hz / 1000),
			       "KVM_SET_TSC_KHZ");
}

/* --- MSRs ------------------------------------------------------------------------------------- */

static bool is_msr(uint64_t id)
{
	return id >> 32 == AXVCPU_REG_X86_MSR(0) >> 32;
}

/* --- one register ----------------------------------------------------------------------------- */

static bool is_fpu_value(uint64_t id)
{
	return (id >= AXVCPU_REG_X86_FCW && id <= AXVCPU_REG_X86_XCR0) ||
	       id >> 32 == AXVCPU_REG_X86_K(0) >> 32;
}

int axk_x86_get_reg(void *arch_vcpu, uint64_t id, uint64_t *value)
{
	struct axk_vcpu *vcpu = arch_vcpu;
	struct kvm_regs regs;
	uint64_t raw = 0;
	int ret = axk_x86_need_regs(vcpu);

	if (ret)
		return ret;
	if (axk_x86_is_sreg(id))
		return axk_x86_get_sreg(vcpu, id, value);
	if (is_msr(id))
		return axk_x86_get_msr(vcpu, (uint32_t)id, value);
	if (is_fpu_value(id))
		return axk_x86_get_fpu_value(vcpu, id, value);
	if (id == AXVCPU_REG_COUNTER_HZ)
		return get_tsc_hz(vcpu, value);
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
	int ret = axk_x86_need_regs(vcpu);

	if (ret)
		return ret;
	if (axk_x86_is_sreg(id))
		return axk_x86_set_sreg(vcpu, id, value);
	if (is_msr(id))
		return axk_x86_set_msr(vcpu, (uint32_t)id, value);
	if (is_fpu_value(id))
		return axk_x86_set_fpu_value(vcpu, id, value);
	if (id == AXVCPU_REG_COUNTER_HZ)
		return set_tsc_hz(vcpu, value);
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

/* --- registers of any size -------------------------------------------------------------------- */

/* Returns the number of a segment; 10 or more for other ids. */
static uint64_t segment_number(uint64_t id)
{
	return id - AXVCPU_REG_X86_SEGMENT(0);
}

int axk_x86_get_reg_bytes(void *arch_vcpu, uint64_t id, void *buf, size_t len)
{
	struct axk_vcpu *vcpu = arch_vcpu;
	struct axvcpu_x86_segment segment;
	int ret = axk_x86_need_regs(vcpu);

	if (ret)
		return ret;
	if (id >> 56)
		return axk_get_reg_bytes(vcpu, id, buf, len);
	if (segment_number(id) > AXVCPU_X86_IDT)
		return axk_x86_get_fpu(vcpu, id, buf);
	ret = axk_x86_get_segment(vcpu, (uint32_t)id, &segment);
	if (!ret)
		memcpy(buf, &segment, sizeof(segment));
	return ret;
}

int axk_x86_set_reg_bytes(void *arch_vcpu, uint64_t id, const void *buf, size_t len)
{
	struct axk_vcpu *vcpu = arch_vcpu;
	struct axvcpu_x86_segment segment;
	int ret = axk_x86_need_regs(vcpu);

	if (ret)
		return ret;
	if (id >> 56)
		return axk_set_reg_bytes(vcpu, id, buf, len);
	if (segment_number(id) > AXVCPU_X86_IDT)
		return axk_x86_set_fpu(vcpu, id, buf);
	memcpy(&segment, buf, sizeof(segment));
	return axk_x86_set_segment(vcpu, (uint32_t)id, &segment);
}

int axk_x86_set_return_value(void *arch_vcpu, uint64_t value)
{
	return axk_x86_set_reg(arch_vcpu, AXVCPU_REG_X86_RAX, value);
}

/* --- the list --------------------------------------------------------------------------------- */

#define ST(n) \
	{ \
		AXVCPU_REG_X86_ST(n), "st" #n \
	}
#define XMM(n) \
	{ \
		AXVCPU_REG_X86_XMM(n), "xmm" #n \
	}

static const struct {
	uint64_t id;
	const char *name;
} names[] = {
	{ AXVCPU_REG_X86_RIP, "rip" },
	{ AXVCPU_REG_X86_RFLAGS, "rflags" },
	{ AXVCPU_REG_X86_RAX, "rax" },
	{ AXVCPU_REG_X86_RBX, "rbx" },
	{ AXVCPU_REG_X86_RCX, "rcx" },
	{ AXVCPU_REG_X86_RDX, "rdx" },
	{ AXVCPU_REG_X86_RSI, "rsi" },
	{ AXVCPU_REG_X86_RDI, "rdi" },
	{ AXVCPU_REG_X86_RSP, "rsp" },
	{ AXVCPU_REG_X86_RBP, "rbp" },
	{ AXVCPU_REG_X86_R8, "r8" },
	{ AXVCPU_REG_X86_R9, "r9" },
	{ AXVCPU_REG_X86_R10, "r10" },
	{ AXVCPU_REG_X86_R11, "r11" },
	{ AXVCPU_REG_X86_R12, "r12" },
	{ AXVCPU_REG_X86_R13, "r13" },
	{ AXVCPU_REG_X86_R14, "r14" },
	{ AXVCPU_REG_X86_R15, "r15" },
	{ AXVCPU_REG_X86_CR0, "cr0" },
	{ AXVCPU_REG_X86_CR2, "cr2" },
	{ AXVCPU_REG_X86_CR3, "cr3" },
	{ AXVCPU_REG_X86_CR4, "cr4" },
	{ AXVCPU_REG_X86_CR8, "cr8" },
	{ AXVCPU_REG_X86_EFER, "efer" },
	{ AXVCPU_REG_X86_APIC_BASE, "apic_base" },
	{ AXVCPU_REG_X86_CS, "cs" },
	{ AXVCPU_REG_X86_SS, "ss" },
	{ AXVCPU_REG_X86_DS, "ds" },
	{ AXVCPU_REG_X86_ES, "es" },
	{ AXVCPU_REG_X86_FS, "fs" },
	{ AXVCPU_REG_X86_GS, "gs" },
	{ AXVCPU_REG_X86_TR, "tr" },
	{ AXVCPU_REG_X86_LDT, "ldt" },
	{ AXVCPU_REG_X86_CS_BASE, "cs_base" },
	{ AXVCPU_REG_X86_DS_BASE, "ds_base" },
	{ AXVCPU_REG_X86_ES_BASE, "es_base" },
	{ AXVCPU_REG_X86_FS_BASE, "fs_base" },
	{ AXVCPU_REG_X86_GS_BASE, "gs_base" },
	{ AXVCPU_REG_X86_SS_BASE, "ss_base" },
	{ AXVCPU_REG_X86_TR_BASE, "tr_base" },
	{ AXVCPU_REG_X86_LDT_BASE, "ldt_base" },
	{ AXVCPU_REG_X86_GDT_BASE, "gdt_base" },
	{ AXVCPU_REG_X86_IDT_BASE, "idt_base" },
	{ AXVCPU_REG_X86_CS_LIMIT, "cs_limit" },
	{ AXVCPU_REG_X86_DS_LIMIT, "ds_limit" },
	{ AXVCPU_REG_X86_ES_LIMIT, "es_limit" },
	{ AXVCPU_REG_X86_FS_LIMIT, "fs_limit" },
	{ AXVCPU_REG_X86_GS_LIMIT, "gs_limit" },
	{ AXVCPU_REG_X86_SS_LIMIT, "ss_limit" },
	{ AXVCPU_REG_X86_TR_LIMIT, "tr_limit" },
	{ AXVCPU_REG_X86_LDT_LIMIT, "ldt_limit" },
	{ AXVCPU_REG_X86_GDT_LIMIT, "gdt_limit" },
	{ AXVCPU_REG_X86_IDT_LIMIT, "idt_limit" },
	{ AXVCPU_REG_X86_CS_ATTRIBUTES, "cs_attributes" },
	{ AXVCPU_REG_X86_DS_ATTRIBUTES, "ds_attributes" },
	{ AXVCPU_REG_X86_ES_ATTRIBUTES, "es_attributes" },
	{ AXVCPU_REG_X86_FS_ATTRIBUTES, "fs_attributes" },
	{ AXVCPU_REG_X86_GS_ATTRIBUTES, "gs_attributes" },
	{ AXVCPU_REG_X86_SS_ATTRIBUTES, "ss_attributes" },
	{ AXVCPU_REG_X86_TR_ATTRIBUTES, "tr_attributes" },
	{ AXVCPU_REG_X86_LDT_ATTRIBUTES, "ldt_attributes" },
	{ AXVCPU_REG_X86_FCW, "fcw" },
	{ AXVCPU_REG_X86_FSW, "fsw" },
	{ AXVCPU_REG_X86_FTW, "ftw" },
	{ AXVCPU_REG_X86_FOP, "fop" },
	{ AXVCPU_REG_X86_FIP, "fip" },
	{ AXVCPU_REG_X86_FDP, "fdp" },
	{ AXVCPU_REG_X86_MXCSR, "mxcsr" },
	{ AXVCPU_REG_X86_XCR0, "xcr0" },
	ST(0),
	ST(1),
	ST(2),
	ST(3),
	ST(4),
	ST(5),
	ST(6),
	ST(7),
	XMM(0),
	XMM(1),
	XMM(2),
	XMM(3),
	XMM(4),
	XMM(5),
	XMM(6),
	XMM(7),
	XMM(8),
	XMM(9),
	XMM(10),
	XMM(11),
	XMM(12),
	XMM(13),
	XMM(14),
	XMM(15),
};

int axk_x86_reg_info(unsigned int n, uint64_t *id, const char **name)
{
	if (n >= ARRAY_SIZE(names))
		return -ENOENT;
	*id = names[n].id;
	*name = names[n].name;
	return 0;
}
