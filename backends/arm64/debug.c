/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* Debugging a guest from outside: KVM_SET_GUEST_DEBUG. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "axvcpu/debug.h"
#include "backends/arm64/arm64.h"

/* Exception classes of ESR_EL2. */
#define EC(esr) ((uint32_t)(esr) >> 26)
#define EC_BREAKPOINT 0x30u
#define EC_WATCHPOINT 0x34u
#define EC_BKPT32 0x38u
#define EC_BRK64 0x3cu

/* A point's control register: enabled, at EL1 and EL0, loads, stores, which bytes of 8. */
#define POINT_ON 1u
#define POINT_EL1_EL0 (3u << 1)
#define POINT_LOAD (1u << 3)
#define POINT_STORE (1u << 4)
#define POINT_BYTES(mask) ((uint64_t)(mask) << 5)

static bool is_break(const struct axvcpu_debug_point *point)
{
	return point->kind == AXVCPU_DEBUG_BREAK;
}

/* --- setting --------------------------------------------------------------------------------- */

static int check_count(struct axk_vcpu *vcpu, uint32_t n, unsigned int capability, const char *what)
{
	int max;

	if (!n)
		return 0;
	max = axk_vm_capability(vcpu->vm, capability);
	if (max < 0)
		return max;
	if (n > (uint32_t)max || n > KVM_ARM_MAX_DBG_REGS)
		return axvcpu_fail(vcpu->vm->vm, -ENOSPC,
				   "set_debug: vCPU %" PRIu32 ": %" PRIu32 " %s; the maximum is %d",
				   vcpu->id, n, what, max);
	return 0;
}

static int check_points(struct axk_vcpu *vcpu, const struct axvcpu_debug *debug)
{
	uint32_t breaks = 0;
	int ret;

	for (uint32_t i = 0; i < debug->npoints; i++)
		breaks += is_break(&debug->points[i]);
	ret = check_count(vcpu, breaks, KVM_CAP_GUEST_DEBUG_HW_BPS, "breakpoints");
	if (!ret)
		ret = check_count(vcpu, debug->npoints - breaks, KVM_CAP_GUEST_DEBUG_HW_WPS,
				  "watchpoints");
	return ret;
}

static void set_points(struct kvm_guest_debug_arch *arch, const struct axvcpu_debug *debug)
{
	unsigned int breaks = 0, watches = 0;

	for (uint32_t i = 0; i < debug->npoints; i++) {
		const struct axvcpu_debug_point *point = &debug->points[i];

		if (is_break(point)) {
			arch->dbg_bvr[breaks] = point->addr;
			arch->dbg_bcr[breaks++] = POINT_ON | POINT_EL1_EL0 | POINT_BYTES(0xf);
			continue;
		}
		/* addr is a multiple of len, so the watched bytes lie within 8 aligned bytes. */
		arch->dbg_wvr[watches] = point->addr & ~UINT64_C(7);
		arch->dbg_wcr[watches++] = POINT_ON | POINT_EL1_EL0 | POINT_STORE |
					   (point->kind == AXVCPU_DEBUG_WATCH ? POINT_LOAD : 0) |
					   POINT_BYTES(((1u << point->len) - 1) << point->addr % 8);
	}
}

int axk_arm64_set_debug(void *arch_vcpu, const struct axvcpu_debug *debug)
{
	struct axk_vcpu *vcpu = arch_vcpu;
	struct kvm_guest_debug guest = { .control = 0 };
	int ret = check_points(vcpu, debug);

	if (ret)
		return ret;
	if (debug->flags & AXVCPU_DEBUG_STEP)
		guest.control |= KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_SINGLESTEP;
	if (debug->flags & AXVCPU_DEBUG_SOFTWARE)
		guest.control |= KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_USE_SW_BP;
	if (debug->npoints) {
		guest.control |= KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_USE_HW;
		set_points(&guest.arch, debug);
	}
	ret = axk_vcpu_ioctl(vcpu, KVM_SET_GUEST_DEBUG, &guest);
	if (ret)
		return ret;
	vcpu->arch.npoints = debug->npoints;
	if (debug->npoints)
		memcpy(vcpu->arch.points, debug->points,
		       debug->npoints * sizeof(vcpu->arch.points[0]));
	return 0;
}

/* --- exits ----------------------------------------------------------------------------------- */

static uint32_t find_break(const struct axk_vcpu_arch *arch, uint64_t pc)
{
	for (uint32_t i = 0; i < arch->npoints; i++)
		if (is_break(&arch->points[i]) && arch->points[i].addr == pc)
			return i;
	return 0;
}

static uint64_t distance(const struct axvcpu_debug_point *point, uint64_t addr)
{
	if (addr < point->addr)
		return point->addr - addr;
	return addr - point->addr < point->len ? 0 : addr - point->addr - point->len + 1;
}

/*
 * 'addr' is any address of the access, which may begin before the watched bytes and end after them:
 * returns the nearest watchpoint.
 */
static uint32_t find_watch(const struct axk_vcpu_arch *arch, uint64_t addr)
{
	uint64_t best = UINT64_MAX;
	uint32_t found = 0;

	for (uint32_t i = 0; i < arch->npoints; i++) {
		if (is_break(&arch->points[i]) || distance(&arch->points[i], addr) >= best)
			continue;
		best = distance(&arch->points[i], addr);
		found = i;
	}
	return found;
}

int axk_arm64_decode_debug(struct axk_vcpu *vcpu, struct axvcpu_exit *exit)
{
	const struct kvm_debug_exit_arch *arch = &vcpu->run->debug.arch;
	struct axvcpu_exit_debug *debug = &exit->u.debug;
	uint64_t pc;
	/* KVM does not report the address. */
	int ret = axk_get_one_reg(vcpu, ARM64_PC, &pc);

	if (ret)
		return ret;
	axk_exit_plain(exit, AXVCPU_EXIT_DEBUG);
	exit->raw_code = EC(arch->hsr);
	*debug = (struct axvcpu_exit_debug){ .pc = pc, .raw = arch->hsr };
	switch (EC(arch->hsr)) {
	case EC_BREAKPOINT:
		debug->reason = AXVCPU_DEBUGGED_POINT;
		debug->point = find_break(&vcpu->arch, pc);
		break;
	case EC_WATCHPOINT:
		debug->reason = AXVCPU_DEBUGGED_POINT;
		debug->point = find_watch(&vcpu->arch, arch->far);
		break;
	case EC_BRK64:
	case EC_BKPT32:
		debug->reason = AXVCPU_DEBUGGED_SOFTWARE;
		break;
	default:
		debug->reason = AXVCPU_DEBUGGED_STEP;
		break;
	}
	return 1;
}
