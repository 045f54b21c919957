/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* The initial state of a vCPU: its mode, its GDT, its registers. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "backends/x86_64/x86_64.h"
#include "lib/base/sized.h"

#define CR0_MP (UINT64_C(1) << 1)
#define CR0_ET (UINT64_C(1) << 4)
#define CR0_NE (UINT64_C(1) << 5)
#define CR0_WP (UINT64_C(1) << 16)
#define CR4_OSFXSR (UINT64_C(1) << 9)
#define CR4_OSXMMEXCPT (UINT64_C(1) << 10)
#define RFLAGS_FIXED UINT64_C(2)

/* The selectors that the Linux boot protocol requires, after a 32-bit code segment. */
#define SELECTOR_CODE32 0x08
#define SELECTOR_CODE 0x10
#define SELECTOR_DATA 0x18

/* Segment types with the accessed bit, which a CPU sets when it loads the segment. */
#define TYPE_CODE 0xb
#define TYPE_DATA 0x3
#define TYPE_TSS_BUSY 0xb
#define TYPE_LDT 0x2

/* --- the GDT ----------------------------------------------------------------------------------------- */

static uint64_t descriptor(const struct kvm_segment *segment)
{
	uint64_t limit = segment->g ? segment->limit >> 12 : segment->limit;

	return (limit & 0xffff) | (segment->base & 0xffffff) << 16 |
	       (uint64_t)axk_x86_attributes(segment) << 40 | (limit >> 16 & 0xf) << 48 |
	       (segment->base >> 24 & 0xff) << 56;
}

static struct kvm_segment flat_segment(uint16_t selector, uint8_t type, bool code64)
{
	return (struct kvm_segment){ .limit = 0xffffffff,
				     .selector = selector,
				     .type = type,
				     .present = 1,
				     .db = !code64,
				     .s = 1,
				     .l = code64,
				     .g = 1 };
}

/* Writes the GDT at 'gpa', which the guest addresses as 'linear'. */
static int write_gdt(struct axk_vcpu *vcpu, uint64_t gpa, uint64_t linear, bool code64,
		     struct kvm_dtable *gdt)
{
	const struct kvm_segment code32 = flat_segment(SELECTOR_CODE32, TYPE_CODE, false);
	const struct kvm_segment code = flat_segment(SELECTOR_CODE, TYPE_CODE, code64);
	const struct kvm_segment data = flat_segment(SELECTOR_DATA, TYPE_DATA, false);
	const uint64_t table[] = { 0, descriptor(&code32), descriptor(&code), descriptor(&data) };

	gdt->base = linear;
	gdt->limit = sizeof(table) - 1;
	return axvm_write(vcpu->vm->vm, gpa, table, sizeof(table));
}

static int check_boot_area(const struct axk_vcpu *vcpu, const struct axvcpu_setup_config *config)
{
	const struct axvm *vm = vcpu->vm->vm;

	if (config->boot_gpa % X86_PAGE)
		return axvcpu_fail(vm, -EINVAL, "setup: boot_gpa %#" PRIx64 " is not page-aligned",
				   config->boot_gpa);
	if (config->mode == AXVCPU_MODE_64 && config->boot_gpa && !config->boot_size)
		return axvcpu_fail(vm, -EINVAL,
				   "setup: boot_gpa is %#" PRIx64 ", but boot_size is 0; set both, "
				   "or neither and the library provides the boot area",
				   config->boot_gpa);
	return 0;
}

/* --- modes ----------------------------------------------------------------------------------------- */

static void set_segments(struct kvm_sregs *sregs, struct kvm_segment code, struct kvm_segment data)
{
	sregs->cs = code;
	sregs->ds = sregs->es = sregs->fs = sregs->gs = sregs->ss = data;
	/* The hardware enters a guest only with a busy task segment. */
	sregs->tr = (struct kvm_segment){ .limit = 0xffff, .type = TYPE_TSS_BUSY, .present = 1 };
	sregs->ldt = (struct kvm_segment){ .limit = 0xffff, .type = TYPE_LDT, .present = 1 };
	sregs->idt = (struct kvm_dtable){ 0 };
}

/* Writes the page tables and the GDT of 64-bit mode, and sets the registers that point to them. */
static int write_boot_area(struct axk_vcpu *vcpu, const struct axvcpu_setup_config *config,
			   struct kvm_sregs *sregs)
{
	struct axk_x86_boot boot;
	int ret = check_boot_area(vcpu, config);

	if (ret)
		return ret;
	ret = axk_x86_tables_place(vcpu, config, &boot);
	if (ret)
		return ret;
	ret = write_gdt(vcpu, boot.gdt_gpa, boot.gdt_linear, true, &sregs->gdt);
	if (ret)
		return ret;
	sregs->cr3 = boot.root;
	return axk_x86_tables_write(vcpu);
}

static int setup_64(struct axk_vcpu *vcpu, const struct axvcpu_setup_config *config,
		    struct kvm_sregs *sregs)
{
	const struct axk_x86_control *control = &vcpu->arch.control;
	int ret = 0;

	if (control->own_tables) {
		sregs->gdt = (struct kvm_dtable){ 0 };
		sregs->cr3 = control->cr3;
	} else {
		ret = write_boot_area(vcpu, config, sregs);
	}
	if (ret)
		return ret;
	set_segments(sregs, flat_segment(SELECTOR_CODE, TYPE_CODE, true),
		     flat_segment(SELECTOR_DATA, TYPE_DATA, false));
	sregs->cr0 = control->cr0;
	sregs->cr4 = control->cr4;
	sregs->efer = control->efer;
	return 0;
}

static int setup_32(struct axk_vcpu *vcpu, const struct axvcpu_setup_config *config,
		    struct kvm_sregs *sregs)
{
	int ret = check_boot_area(vcpu, config);

	sregs->gdt = (struct kvm_dtable){ 0 };
	if (!ret && config->boot_size)
		ret = write_gdt(vcpu, config->boot_gpa, config->boot_gpa, false, &sregs->gdt);
	if (ret)
		return ret;
	set_segments(sregs, flat_segment(SELECTOR_CODE, TYPE_CODE, false),
		     flat_segment(SELECTOR_DATA, TYPE_DATA, false));
	sregs->cr0 = CR0_PE | CR0_MP | CR0_ET | CR0_NE;
	sregs->cr3 = 0;
	sregs->cr4 = 0;
	sregs->efer = 0;
	return 0;
}

/*
 * As after a reset, except that all segments have base 0, and CS a base from which IP reaches the
 * entry. A CPU that is started by SIPI begins at IP 0 of a code segment at the entry.
 */
static int setup_16(struct axk_vcpu *vcpu, bool start, struct kvm_sregs *sregs,
		    struct kvm_regs *regs)
{
	struct kvm_segment data = { .limit = 0xffff, .type = TYPE_DATA, .present = 1, .s = 1 };
	struct kvm_segment code = data;

	if (vcpu->entry > 0xfffff)
		return axvcpu_fail(vcpu->vm->vm, -EINVAL,
				   "setup: entry %#" PRIx64 " is beyond the 1 MiB of real mode",
				   vcpu->entry);
	code.type = TYPE_CODE;
	code.base = start && !(vcpu->entry % X86_PAGE) ? vcpu->entry : vcpu->entry & 0xf0000;
	code.selector = (uint16_t)(code.base >> 4);
	set_segments(sregs, code, data);
	sregs->gdt = (struct kvm_dtable){ .limit = 0xffff };
	sregs->idt = (struct kvm_dtable){ .limit = 0x3ff };
	sregs->cr0 = CR0_ET;
	sregs->cr3 = 0;
	sregs->cr4 = 0;
	sregs->efer = 0;
	regs->rip = vcpu->entry - code.base;
	return 0;
}

static int set_mode(struct axk_vcpu *vcpu, const struct axvcpu_setup_config *config, bool start,
		    struct kvm_sregs *sregs, struct kvm_regs *regs)
{
	switch (config->mode) {
	case AXVCPU_MODE_64:
		return setup_64(vcpu, config, sregs);
	case AXVCPU_MODE_32:
		return setup_32(vcpu, config, sregs);
	default:
		return setup_16(vcpu, start, sregs, regs);
	}
}

/* In other modes than 64-bit, entry, stack and arg must fit into 32 bits. */
static int check_width(const struct axk_vcpu *vcpu, const struct axvcpu_setup_config *config)
{
	uint64_t max = config->mode == AXVCPU_MODE_64 ? UINT64_MAX : UINT32_MAX;

	if (vcpu->entry > max || config->stack > max || config->arg > max)
		return axvcpu_fail(vcpu->vm->vm, -EINVAL,
				   "setup: entry, stack or arg is wider than the mode's 32 bits");
	return 0;
}

int axk_x86_enter_mode(struct axk_vcpu *vcpu, const struct axvcpu_setup_config *config, bool start,
		       struct kvm_sregs *sregs)
{
	struct kvm_regs regs = {
		.rip = vcpu->entry, .rsp = config->stack, .rdi = config->arg, .rflags = RFLAGS_FIXED
	};
	int ret = check_width(vcpu, config);

	if (ret)
		return ret;
	ret = set_mode(vcpu, config, start, sregs, &regs);
	if (ret)
		return ret;
	ret = axk_ioctl(vcpu->fd, KVM_SET_SREGS, sregs);
	if (ret)
		return axvcpu_fail(vcpu->vm->vm, ret,
				   "setup: KVM_SET_SREGS on vCPU %" PRIu32
				   " with CR0 %#llx, CR3 %#llx, CR4 %#llx, EFER %#llx",
				   vcpu->id, sregs->cr0, sregs->cr3, sregs->cr4, sregs->efer);
	return axk_vcpu_ioctl(vcpu, KVM_SET_REGS, &regs);
}

/* Fields that a mode does not set keep KVM's reset values, such as the LAPIC base. */
static int setup_registers(struct axk_vcpu *vcpu, const struct axvcpu_setup_config *config)
{
	struct kvm_sregs sregs;
	int ret = axk_vcpu_ioctl(vcpu, KVM_GET_SREGS, &sregs);

	if (ret)
		return ret;
	return axk_x86_enter_mode(vcpu, config, false, &sregs);
}

/* Checks the values that replace those of 64-bit mode. */
static int check_control(const struct axk_vcpu *vcpu, const struct axvcpu_setup_config *config,
			 const struct axvcpu_x86_setup *x86)
{
	const struct axvm *vm = vcpu->vm->vm;
	bool own_tables = x86->flags & AXVCPU_X86_OWN_TABLES;

	if (x86->flags & ~AXVCPU_X86_OWN_TABLES)
		return axvcpu_fail(vm, -EINVAL, "setup: unknown flags %#" PRIx32, x86->flags);
	if (config->mode != AXVCPU_MODE_64 &&
	    (x86->flags || x86->cr3 || x86->cr0 || x86->cr4 || x86->efer))
		return axvcpu_fail(vm, -EINVAL,
				   "setup: flags, cr3, cr0, cr4 and efer are for AXVCPU_MODE_64");
	if (own_tables ? config->boot_gpa || config->boot_size : x86->cr3)
		return axvcpu_fail(vm, -EINVAL,
				   "setup: with AXVCPU_X86_OWN_TABLES, boot_gpa and boot_size must "
				   "be 0; without it, cr3 must be 0");
	if ((x86->cr0 && (~x86->cr0 & (CR0_PE | CR0_PG))) || (x86->cr4 && !(x86->cr4 & CR4_PAE)) ||
	    (x86->efer && (~x86->efer & (EFER_LME | EFER_LMA))))
		return axvcpu_fail(vm, -EINVAL,
				   "setup: cr0 %#" PRIx64 ", cr4 %#" PRIx64 ", efer %#" PRIx64
				   ": 64-bit mode needs PE and PG, PAE, LME and LMA",
				   x86->cr0, x86->cr4, x86->efer);
	if ((x86->cr4 & CR4_LA57) && !own_tables)
		return axvcpu_fail(vm, -EINVAL,
				   "setup: cr4 %#" PRIx64 ": LA57 needs AXVCPU_X86_OWN_TABLES",
				   x86->cr4);
	return 0;
}

static struct axk_x86_control control_of(const struct axvcpu_x86_setup *x86)
{
	return (struct axk_x86_control){
		.own_tables = x86->flags & AXVCPU_X86_OWN_TABLES,
		.cr3 = x86->cr3,
		.cr0 = x86->cr0 ? x86->cr0 : CR0_PE | CR0_MP | CR0_ET | CR0_NE | CR0_WP | CR0_PG,
		/* With SSE enabled, as compilers use it in 64-bit code. */
		.cr4 = x86->cr4 ? x86->cr4 : CR4_PAE | CR4_OSFXSR | CR4_OSXMMEXCPT,
		.efer = x86->efer ? x86->efer : EFER_LME | EFER_LMA,
	};
}

static int read_config(const struct axk_vcpu *vcpu, const struct axvcpu_setup_config *config,
		       struct axvcpu_x86_setup *x86)
{
	const struct axvm *vm = vcpu->vm->vm;
	int ret = axv_sized_copy(vm, "struct axvcpu_x86_setup", x86, sizeof(*x86), config->arch);

	if (ret)
		return ret;
	if (config->mode > AXVCPU_MODE_RAW)
		return axvcpu_fail(vm, -EINVAL, "setup: unknown mode %" PRIu32, config->mode);
	if (x86->ncpuid && !x86->cpuid)
		return axvcpu_fail(vm, -EINVAL, "setup: cpuid is NULL, ncpuid %zu", x86->ncpuid);
	/* Exceeds KVM's limit, and is far from any overflow. */
	if (x86->ncpuid > 1024)
		return axvcpu_fail(vm, -EINVAL, "setup: ncpuid is %zu; the maximum is 1024",
				   x86->ncpuid);
	return check_control(vcpu, config, x86);
}

int axk_x86_set_entry(void *arch_vcpu, uint64_t entry)
{
	struct axk_vcpu *vcpu = arch_vcpu;

	vcpu->entry = entry;
	return vcpu->is_setup ? axk_x86_set_reg(vcpu, AXVCPU_REG_PC, entry) : 0;
}

/*
 * KVM updates its map of LAPICs while it creates a vCPU, and that vCPU is not in the map yet. Until
 * a LAPIC changes, an interrupt or a startup IPI for the newest vCPU is lost. Writing a LAPIC's
 * unchanged state makes KVM update the map.
 */
static int announce_lapic(struct axk_vcpu *vcpu)
{
	struct kvm_lapic_state lapic;
	int ret = axk_vcpu_ioctl(vcpu, KVM_GET_LAPIC, &lapic);

	if (ret)
		return ret;
	return axk_vcpu_ioctl(vcpu, KVM_SET_LAPIC, &lapic);
}

void axk_x86_setup_forget(struct axk_vcpu *vcpu)
{
	free(vcpu->arch.cpuid);
	vcpu->arch.cpuid = NULL;
	vcpu->arch.ncpuid = 0;
}

/* Copies the caller's changes of CPUID, for saved states. */
static int keep_cpuid(struct axk_vcpu *vcpu, const struct axvcpu_x86_setup *x86)
{
	struct axvcpu_x86_cpuid *cpuid = NULL;

	if (x86->ncpuid) {
		cpuid = axv_sys_calloc(x86->ncpuid, sizeof(*cpuid));
		if (!cpuid)
			return axvcpu_fail(vcpu->vm->vm, -ENOMEM,
					   "setup: allocating %zu changes of CPUID", x86->ncpuid);
		memcpy(cpuid, x86->cpuid, x86->ncpuid * sizeof(*cpuid));
	}
	axk_x86_setup_forget(vcpu);
	vcpu->arch.cpuid = cpuid;
	vcpu->arch.ncpuid = x86->ncpuid;
	return 0;
}

/* The part of a setup that is neither in registers nor in guest memory. */
static int setup_cpu(struct axk_vcpu *vcpu, const struct axvcpu_setup_config *config)
{
	struct axvcpu_x86_setup x86;
	int ret = read_config(vcpu, config, &x86);

	if (!ret)
		ret = keep_cpuid(vcpu, &x86);
	if (ret)
		return ret;
	/* Tables of an earlier setup, if the vCPU was moved back to Created: axvcpu/crate.h. */
	axk_x86_tables_free(vcpu);
	axk_x86_state_forget(vcpu);
	vcpu->arch.control = control_of(&x86);
	return axk_x86_cpuid_set(vcpu, &x86);
}

static void finish_setup(struct axk_vcpu *vcpu, const struct axvcpu_setup_config *config)
{
	vcpu->is_setup = true;
	axk_x86_doorbell_setup(vcpu);
	/* For resets. The caller's arch config is only valid during this call. */
	vcpu->arch.setup = *config;
	vcpu->arch.setup.arch = NULL;
}

int axk_x86_setup_cpu(struct axk_vcpu *vcpu, const struct axvcpu_setup_config *config)
{
	int ret = setup_cpu(vcpu, config);

	if (!ret)
		finish_setup(vcpu, config);
	return ret;
}

int axk_x86_setup(void *arch_vcpu, const struct axvcpu_setup_config *config)
{
	struct axk_vcpu *vcpu = arch_vcpu;
	/* CPUID first: it determines which register bits KVM accepts. */
	int ret = setup_cpu(vcpu, config);

	if (ret)
		return ret;
	if (config->mode == AXVCPU_MODE_RAW)
		ret = axk_x86_set_reg(vcpu, AXVCPU_REG_PC, vcpu->entry);
	else
		ret = setup_registers(vcpu, config);
	if (!ret && vcpu->vm->kernel_irqchip)
		ret = announce_lapic(vcpu);
	if (ret) {
		axk_x86_tables_free(vcpu);
		return ret;
	}
	finish_setup(vcpu, config);
	return 0;
}
