/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* A reset: sets all state that a guest can change to its power-on value. */
#include <errno.h>
#include <string.h>

#include "backends/x86_64/x86_64.h"

#define APIC_BASE UINT64_C(0xfee00000)
#define APIC_BASE_BSP (UINT64_C(1) << 8)
#define APIC_BASE_ENABLE (UINT64_C(1) << 11)

#define CR0_RESET UINT64_C(0x60000010) /* caches off, the one fixed bit */
#define DR6_RESET UINT64_C(0xffff0ff0)
#define DR7_RESET UINT64_C(0x400)
#define RFLAGS_RESET UINT64_C(2)
#define XCR0_RESET UINT64_C(1)
#define PAT_RESET UINT64_C(0x0007040600070406)
#define FCW_RESET 0x37f
#define MXCSR_RESET 0x1f80u

/* Offsets in 4-byte words of an XSAVE area. */
#define XSAVE_FCW 0
#define XSAVE_MXCSR 6

/* A LAPIC register, and its value for: from an external controller, not masked. */
#define LAPIC_LINT0 0x350
#define LINT0_EXTERNAL 0x700u

/*
 * MSRs that are 0 at reset. An MSR that KVM lacks needs no reset. The time-stamp counter is not
 * reset, as the vCPUs of a VM compare theirs.
 */
static const uint32_t zero_msrs[] = {
	0x174,	    0x175,	0x176, /* SYSENTER_CS, ESP, EIP */
	0x1d9, /* DEBUGCTL */
	0x2ff, /* MTRR_DEF_TYPE: off */
	0x48, /* SPEC_CTRL */
	0x6e0, /* TSC_DEADLINE */
	0xda0, /* XSS */
	0xc0000081, 0xc0000082, 0xc0000083, 0xc0000084, /* STAR, LSTAR, CSTAR, FMASK */
	0xc0000102, 0xc0000103, /* KERNEL_GS_BASE, TSC_AUX */
	0x11,	    0x12, /* kvmclock: wall clock, system time; old numbers */
	0x4b564d00, 0x4b564d01, /* and new ones */
	0x4b564d02, 0x4b564d03, 0x4b564d04, /* asynchronous page faults, stolen time, EOI */
};
#define MSR_PAT 0x277

/* --- state other than registers --------------------------------------------------------------- */

static int reset_events(struct axk_vcpu *vcpu)
{
	struct kvm_vcpu_events events;
	int ret = axk_vcpu_ioctl(vcpu, KVM_GET_VCPU_EVENTS, &events);

	if (ret)
		return ret;
	memset(&events.exception, 0, sizeof(events.exception));
	memset(&events.interrupt, 0, sizeof(events.interrupt));
	memset(&events.nmi, 0, sizeof(events.nmi));
	events.exception_has_payload = 0;
	events.exception_payload = 0;
	/* KVM must write these optional fields and no others. */
	events.flags = KVM_VCPUEVENT_VALID_NMI_PENDING | KVM_VCPUEVENT_VALID_SHADOW;
	return axk_vcpu_ioctl(vcpu, KVM_SET_VCPU_EVENTS, &events);
}

/* One MSR per call: KVM stops at the first that it lacks, and returns how many it has set. */
static int reset_msr(struct axk_vcpu *vcpu, uint32_t index, uint64_t value)
{
	int ret = axk_x86_try_set_msr(vcpu, index, value);

	if (ret < 0)
		return ret;
	return 0;
}

static int reset_fpu(struct axk_vcpu *vcpu)
{
	/* No component is marked as present, so all get their initial state. */
	struct kvm_xsave xsave = { .region = {
					   [XSAVE_FCW] = FCW_RESET, [XSAVE_MXCSR] = MXCSR_RESET } };
	int ret = axk_vcpu_ioctl(vcpu, KVM_SET_XSAVE, &xsave);

	if (ret)
		return ret;
	return axk_x86_set_xcr0(vcpu, XCR0_RESET);
}

static int reset_debug(struct axk_vcpu *vcpu)
{
	const struct kvm_debugregs debugregs = { .dr6 = DR6_RESET, .dr7 = DR7_RESET };

	return axk_vcpu_ioctl(vcpu, KVM_SET_DEBUGREGS, &debugregs);
}

/* --- the in-kernel LAPIC ---------------------------------------------------------------------- */

static void lapic_set(struct kvm_lapic_state *lapic, unsigned int reg, uint32_t value)
{
	memcpy(lapic->regs + reg, &value, sizeof(value));
}

static int reset_lapic(struct axk_vcpu *vcpu)
{
	const struct kvm_mp_state runnable = { .mp_state = KVM_MP_STATE_RUNNABLE };
	static const unsigned int local_vectors[] = { 0x2f0, 0x320, 0x330, 0x340,
						      0x350, 0x360, 0x370 };
	struct kvm_lapic_state lapic;
	int ret = axk_vcpu_ioctl(vcpu, KVM_GET_LAPIC, &lapic);

	if (ret)
		return ret;
	/* Keeps the version at 0x30; clears all from the task priority on. */
	memset(lapic.regs + 0x80, 0, sizeof(lapic.regs) - 0x80);
	lapic_set(&lapic, 0x20, vcpu->id << 24);
	lapic_set(&lapic, 0xe0, UINT32_MAX); /* flat destinations */
	lapic_set(&lapic, 0xf0, 0xff); /* software-disabled, spurious vector 255 */
	for (size_t i = 0; i < ARRAY_SIZE(local_vectors); i++)
		lapic_set(&lapic, local_vectors[i], 1u << 16); /* masked */
	/* Input of the PIC: KVM unmasks it on the boot processor, as firmware does. */
	if (!vcpu->id)
		lapic_set(&lapic, LAPIC_LINT0, LINT0_EXTERNAL);
	ret = axk_vcpu_ioctl(vcpu, KVM_SET_LAPIC, &lapic);
	if (ret)
		return ret;
	return axk_vcpu_ioctl(vcpu, KVM_SET_MP_STATE, &runnable);
}

/* --- registers --------------------------------------------------------------------------------------------- */

static void power_on_sregs(const struct axk_vcpu *vcpu, struct kvm_sregs *sregs)
{
	const struct kvm_segment data = { .limit = 0xffff, .type = 3, .present = 1, .s = 1 };

	*sregs = (struct kvm_sregs){
		.cs = { .base = 0xffff0000,
			.limit = 0xffff,
			.selector = 0xf000,
			.type = 0xb,
			.present = 1,
			.s = 1 },
		.ds = data,
		.es = data,
		.fs = data,
		.gs = data,
		.ss = data,
		.tr = { .limit = 0xffff, .type = 0xb, .present = 1 },
		.ldt = { .limit = 0xffff, .type = 2, .present = 1 },
		.gdt = { .limit = 0xffff },
		.idt = { .limit = 0xffff },
		.cr0 = CR0_RESET,
		.apic_base = APIC_BASE | APIC_BASE_ENABLE | (vcpu->id ? 0 : APIC_BASE_BSP),
	};
}

static int enter_raw(struct axk_vcpu *vcpu, const struct kvm_sregs *sregs)
{
	const struct kvm_regs regs = { .rip = vcpu->entry, .rflags = RFLAGS_RESET };
	int ret = axk_vcpu_ioctl(vcpu, KVM_SET_SREGS, sregs);

	if (ret)
		return ret;
	return axk_vcpu_ioctl(vcpu, KVM_SET_REGS, &regs);
}

static int reset_registers(struct axk_vcpu *vcpu, const struct axvcpu_setup_config *config,
			   bool start)
{
	struct kvm_sregs sregs;

	power_on_sregs(vcpu, &sregs);
	if (config->mode == AXVCPU_MODE_RAW)
		return enter_raw(vcpu, &sregs);
	return axk_x86_enter_mode(vcpu, config, start, &sregs);
}

/* All state but the registers that reset_registers() sets. */
static int reset_other_state(struct axk_vcpu *vcpu)
{
	int ret = reset_events(vcpu);

	if (ret)
		return ret;
	ret = reset_debug(vcpu);
	if (ret)
		return ret;
	ret = reset_fpu(vcpu);
	if (ret)
		return ret;
	for (size_t i = 0; i < ARRAY_SIZE(zero_msrs); i++) {
		ret = reset_msr(vcpu, zero_msrs[i], 0);
		if (ret)
			return ret;
	}
	ret = reset_msr(vcpu, MSR_PAT, PAT_RESET);
	if (ret)
		return ret;
	return vcpu->vm->kernel_irqchip ? reset_lapic(vcpu) : 0;
}

int axk_x86_reset(void *arch_vcpu, uint64_t entry, uint64_t arg, bool start)
{
	struct axk_vcpu *vcpu = arch_vcpu;
	struct axvcpu_setup_config config = vcpu->arch.setup;
	uint64_t old_entry = vcpu->entry;
	int ret = axk_drop_exits(vcpu);

	config.arg = arg;
	vcpu->entry = entry;
	if (!ret)
		ret = axk_x86_need_regs(vcpu);
	/* The registers first: only these can be refused for the caller's arguments. */
	if (!ret)
		ret = reset_registers(vcpu, &config, start);
	if (ret) {
		vcpu->entry = old_entry;
		return ret;
	}
	axk_x86_inject_reset(vcpu);
	vcpu->arch.icr_low = 0;
	vcpu->arch.icr_high = 0;
	ret = reset_other_state(vcpu);
	if (ret)
		return ret;
	vcpu->arch.setup.arg = arg;
	return 0;
}
