/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* Debugging a guest from outside: KVM_SET_GUEST_DEBUG. */
#include <errno.h>
#include <inttypes.h>

#include "axvcpu/debug.h"
#include "backends/x86_64/x86_64.h"

#define POINTS 4u

/* The exception of a breakpoint instruction. */
#define VECTOR_BP 3

#define DR6_POINTS 0xfu
/* Bit 10 is always one. */
#define DR7_FIXED (UINT64_C(1) << 10)
#define DR7_GLOBAL(i) (UINT64_C(2) << (2 * (i)))
#define DR7_KIND(i, kind) ((uint64_t)(kind) << (16 + 4 * (i)))
#define DR7_LEN(i, len) ((uint64_t)(len) << (18 + 4 * (i)))
#define DR7_EXECUTION 0u
#define DR7_STORE 1u
#define DR7_ACCESS 3u

/* The LEN encoding of DR7, which is not in order of the length. */
static uint64_t dr7_len(uint32_t len)
{
	switch (len) {
	case 2:
		return 1;
	case 4:
		return 3;
	case 8:
		return 2;
	default:
		return 0;
	}
}

static uint64_t dr7_kind(uint32_t kind)
{
	switch (kind) {
	case AXVCPU_DEBUG_WATCH_WRITE:
		return DR7_STORE;
	case AXVCPU_DEBUG_WATCH:
		return DR7_ACCESS;
	default:
		return DR7_EXECUTION;
	}
}

static void set_points(struct kvm_guest_debug *guest, const struct axvcpu_debug *debug)
{
	__u64 *dr = guest->arch.debugreg;

	guest->control |= KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_USE_HW_BP;
	dr[7] = DR7_FIXED;
	for (uint32_t i = 0; i < debug->npoints; i++) {
		const struct axvcpu_debug_point *point = &debug->points[i];

		dr[i] = point->addr;
		dr[7] |= DR7_GLOBAL(i) | DR7_KIND(i, dr7_kind(point->kind)) |
			 DR7_LEN(i, dr7_len(point->len));
	}
}

int axk_x86_set_debug(void *arch_vcpu, const struct axvcpu_debug *debug)
{
	struct axk_vcpu *vcpu = arch_vcpu;
	struct kvm_guest_debug guest = { 0 };
	int ret;

	if (debug->npoints > POINTS)
		return axvcpu_fail(vcpu->vm->vm, -ENOSPC,
				   "set_debug: vCPU %" PRIu32 ": npoints is %" PRIu32
				   "; the maximum is %u",
				   vcpu->id, debug->npoints, POINTS);
	if (debug->flags & AXVCPU_DEBUG_STEP)
		guest.control |= KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_SINGLESTEP;
	if (debug->flags & AXVCPU_DEBUG_SOFTWARE)
		guest.control |= KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_USE_SW_BP;
	if (debug->npoints)
		set_points(&guest, debug);
	/* KVM remembers where a single step begins. */
	ret = axk_x86_need_regs(vcpu);
	if (!ret)
		ret = axk_vcpu_ioctl(vcpu, KVM_SET_GUEST_DEBUG, &guest);
	if (!ret)
		vcpu->arch.debug_points = (uint8_t)((1u << debug->npoints) - 1);
	return ret;
}

void axk_x86_decode_debug(const struct axk_vcpu *vcpu, struct axvcpu_exit *exit)
{
	const struct kvm_debug_exit_arch *arch = &vcpu->run->debug.arch;
	struct axvcpu_exit_debug *debug = &exit->u.debug;
	/* The hardware also sets the bits of disabled points that match. */
	unsigned int hit = arch->dr6 & DR6_POINTS & vcpu->arch.debug_points;

	axk_exit_plain(exit, AXVCPU_EXIT_DEBUG);
	exit->raw_code = arch->exception;
	*debug = (struct axvcpu_exit_debug){ .pc = arch->pc };
	if (arch->exception == VECTOR_BP) {
		debug->reason = AXVCPU_DEBUGGED_SOFTWARE;
		return;
	}
	debug->raw = arch->dr6;
	debug->reason = hit ? AXVCPU_DEBUGGED_POINT : AXVCPU_DEBUGGED_STEP;
	if (hit)
		debug->point = (uint32_t)__builtin_ctz(hit);
}
