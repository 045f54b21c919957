/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * Registers of x87, SSE, AVX and AVX-512. KVM has all of them in one XSAVE area of the standard
 * format, and a vector register in up to three places of it.
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "backends/x86_64/x86_64.h"

/* State components: their bits in XCR0, and their sub-leaves of CPUID leaf 0xd. */
enum component { X87 = 0, SSE = 1, AVX = 2, OPMASK = 5, ZMM_HI256 = 6, HI16_ZMM = 7 };

/* Offsets in the area. CPUID has those of the components from AVX on. */
#define AREA_ST 32
#define AREA_XMM 160
#define AREA_XSTATE_BV 512

#define CPUID_XSAVE 0xdu

/* A part of a register. */
struct part {
	enum component component;
	size_t offset;
	size_t len;
};
#define PARTS_MAX 3

static const struct part control_words[] = {
	[AXVCPU_REG_X86_FCW - AXVCPU_REG_X86_FCW] = { X87, 0, 2 },
	[AXVCPU_REG_X86_FSW - AXVCPU_REG_X86_FCW] = { X87, 2, 2 },
	[AXVCPU_REG_X86_FTW - AXVCPU_REG_X86_FCW] = { X87, 4, 1 },
	[AXVCPU_REG_X86_FOP - AXVCPU_REG_X86_FCW] = { X87, 6, 2 },
	[AXVCPU_REG_X86_FIP - AXVCPU_REG_X86_FCW] = { X87, 8, 8 },
	[AXVCPU_REG_X86_FDP - AXVCPU_REG_X86_FCW] = { X87, 16, 8 },
	[AXVCPU_REG_X86_MXCSR - AXVCPU_REG_X86_FCW] = { SSE, 24, 4 },
};

/* Describes element 'n' of a component whose place CPUID reports. False: the host lacks it. */
static bool find_part(const struct axk_vcpu *vcpu, struct part *part, enum component component,
		      uint32_t n, size_t len)
{
	const struct kvm_cpuid_entry2 *leaf = axk_x86_cpuid_find(vcpu->vm->arch.cpuid, CPUID_XSAVE,
								 component);

	if (!leaf || (n + 1) * len > leaf->eax ||
	    (size_t)leaf->ebx + leaf->eax > sizeof(struct kvm_xsave))
		return false;
	*part = (struct part){ component, leaf->ebx + n * len, len };
	return true;
}

/* Describes the parts of a register, in order. Returns their number; 0: no such register. */
static unsigned int parts_of(const struct axk_vcpu *vcpu, uint64_t id, struct part parts[PARTS_MAX])
{
	uint32_t n = (uint32_t)id;

	if (id >= AXVCPU_REG_X86_FCW && id - AXVCPU_REG_X86_FCW < ARRAY_SIZE(control_words)) {
		parts[0] = control_words[id - AXVCPU_REG_X86_FCW];
		return 1;
	}
	if (id == AXVCPU_REG_X86_ST(n) && n < 8) {
		parts[0] = (struct part){ X87, AREA_ST + 16 * n, 16 };
		return 1;
	}
	if (id == AXVCPU_REG_X86_K(n) && n < 8)
		return find_part(vcpu, &parts[0], OPMASK, n, 8);
	if (id == AXVCPU_REG_X86_ZMM(n) && n >= 16 && n < 32)
		return find_part(vcpu, &parts[0], HI16_ZMM, n - 16, 64);
	if (n >= 16)
		return 0;
	parts[0] = (struct part){ SSE, AREA_XMM + 16 * n, 16 };
	if (id == AXVCPU_REG_X86_XMM(n))
		return 1;
	if (!find_part(vcpu, &parts[1], AVX, n, 16))
		return 0;
	if (id == AXVCPU_REG_X86_YMM(n))
		return 2;
	if (id == AXVCPU_REG_X86_ZMM(n) && find_part(vcpu, &parts[2], ZMM_HI256, n, 32))
		return 3;
	return 0;
}

int axk_x86_get_fpu(struct axk_vcpu *vcpu, uint64_t id, void *buf)
{
	struct part parts[PARTS_MAX];
	unsigned int n = parts_of(vcpu, id, parts);
	unsigned char *to = buf;
	struct kvm_xsave xsave;
	int ret;

	if (!n)
		return -ENOENT;
	ret = axk_vcpu_ioctl(vcpu, KVM_GET_XSAVE, &xsave);
	if (ret)
		return ret;
	for (unsigned int i = 0; i < n; i++) {
		memcpy(to, (unsigned char *)&xsave + parts[i].offset, parts[i].len);
		to += parts[i].len;
	}
	return 0;
}

int axk_x86_set_fpu(struct axk_vcpu *vcpu, uint64_t id, const void *buf)
{
	struct part parts[PARTS_MAX];
	unsigned int n = parts_of(vcpu, id, parts);
	const unsigned char *from = buf;
	struct kvm_xsave xsave;
	uint64_t present;
	int ret;

	if (!n)
		return -ENOENT;
	ret = axk_vcpu_ioctl(vcpu, KVM_GET_XSAVE, &xsave);
	if (ret)
		return ret;
	memcpy(&present, (unsigned char *)&xsave + AREA_XSTATE_BV, sizeof(present));
	for (unsigned int i = 0; i < n; i++) {
		memcpy((unsigned char *)&xsave + parts[i].offset, from, parts[i].len);
		from += parts[i].len;
		/* KVM ignores a component that is not marked as present. */
		present |= UINT64_C(1) << parts[i].component;
	}
	memcpy((unsigned char *)&xsave + AREA_XSTATE_BV, &present, sizeof(present));
	return axk_vcpu_ioctl(vcpu, KVM_SET_XSAVE, &xsave);
}

/* --- registers of at most 8 bytes ------------------------------------------------------------- */

int axk_x86_get_fpu_value(struct axk_vcpu *vcpu, uint64_t id, uint64_t *value)
{
	struct kvm_xcrs xcrs = { .nr_xcrs = 0 };
	uint64_t wide = 0;
	int ret;

	if (id != AXVCPU_REG_X86_XCR0) {
		ret = axk_x86_get_fpu(vcpu, id, &wide);
	} else {
		ret = axk_vcpu_ioctl(vcpu, KVM_GET_XCRS, &xcrs);
		wide = xcrs.xcrs[0].value;
	}
	if (!ret)
		*value = wide;
	return ret;
}

int axk_x86_set_xcr0(struct axk_vcpu *vcpu, uint64_t value)
{
	const struct kvm_xcrs xcrs = { .nr_xcrs = 1, .xcrs = { { .xcr = 0, .value = value } } };

	return axk_vcpu_ioctl(vcpu, KVM_SET_XCRS, &xcrs);
}

int axk_x86_set_fpu_value(struct axk_vcpu *vcpu, uint64_t id, uint64_t value)
{
	size_t len = sizeof(value);

	if (id == AXVCPU_REG_X86_XCR0)
		return axk_x86_set_xcr0(vcpu, value);
	if (id < AXVCPU_REG_X86_XCR0)
		len = control_words[id - AXVCPU_REG_X86_FCW].len;
	if (value & ~(UINT64_MAX >> (64 - 8 * len)))
		return axvcpu_fail(vcpu->vm->vm, -EINVAL,
				   "set_reg: vCPU %" PRIu32 ": register %#" PRIx64
				   " has %zu bytes; %#" PRIx64 " is wider",
				   vcpu->id, id, len, value);
	return axk_x86_set_fpu(vcpu, id, &value);
}
