/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* Debugging a guest from outside: the checks; the rest is the backend's. */
#include "axvcpu/debug.h"

#include <errno.h>
#include <inttypes.h>

#include "lib/base/sized.h"
#include "lib/machine/object.h"
#include "lib/vcpu/vcpu.h"

/* More than any hardware has. */
#define POINTS_MAX 64

static bool is_width(uint32_t len)
{
	return len == 1 || len == 2 || len == 4 || len == 8;
}

static int check_point(const struct axvcpu *vcpu, uint32_t i,
		       const struct axvcpu_debug_point *point)
{
	switch (point->kind) {
	case AXVCPU_DEBUG_BREAK:
		if (point->len)
			return axvcpu_fail(vcpu->vm, -EINVAL,
					   "set_debug: points[%" PRIu32
					   "] is a breakpoint: its len is 0, not %" PRIu32,
					   i, point->len);
		return 0;
	case AXVCPU_DEBUG_WATCH_WRITE:
	case AXVCPU_DEBUG_WATCH:
		if (!is_width(point->len) || point->addr % point->len)
			return axvcpu_fail(vcpu->vm, -EINVAL,
					   "set_debug: points[%" PRIu32 "]: %" PRIu32
					   " bytes at %#" PRIx64
					   " are not 1, 2, 4 or 8, aligned to as many",
					   i, point->len, point->addr);
		return 0;
	default:
		return axvcpu_fail(vcpu->vm, -EINVAL,
				   "set_debug: points[%" PRIu32 "] is of unknown kind %" PRIu32, i,
				   point->kind);
	}
}

static int check(const struct axvcpu *vcpu, const struct axvcpu_debug *debug)
{
	uint32_t unknown = debug->flags & ~(AXVCPU_DEBUG_STEP | AXVCPU_DEBUG_SOFTWARE);
	int ret = 0;

	if (unknown)
		return axvcpu_fail(vcpu->vm, -EINVAL, "set_debug: unknown flags %#" PRIx32,
				   unknown);
	if (debug->npoints && !debug->points)
		return axvcpu_fail(vcpu->vm, -EINVAL, "set_debug: points is NULL, npoints %" PRIu32,
				   debug->npoints);
	if (debug->npoints > POINTS_MAX)
		return axvcpu_fail(vcpu->vm, -ENOSPC,
				   "set_debug: npoints is %" PRIu32 ", of at most %d",
				   debug->npoints, POINTS_MAX);
	for (uint32_t i = 0; !ret && i < debug->npoints; i++)
		ret = check_point(vcpu, i, &debug->points[i]);
	return ret;
}

int axvcpu_set_debug(struct axvcpu *vcpu, const struct axvcpu_debug *given)
{
	struct axvcpu_debug debug;
	struct axv_op op;
	int ret = axv_vm_check_process(vcpu->vm);

	if (!ret)
		ret = axv_sized_copy(vcpu->vm, "struct axvcpu_debug", &debug, sizeof(debug), given);
	if (!ret)
		ret = check(vcpu, &debug);
	if (!ret && !HAS_OP(vcpu->ops, set_debug))
		ret = axvcpu_fail(vcpu->vm, -ENOTSUP, "%s: guests cannot be debugged",
				  vcpu->ops->name);
	if (!ret)
		ret = axv_op_begin(vcpu, IN_REGS, "set_debug", &op);
	if (ret)
		return ret;
	/* The instruction of an open exit has been executed, and is not what a step is counted from. */
	ret = axv_vcpu_flush(vcpu);
	if (!ret)
		ret = vcpu->ops->set_debug(vcpu->arch, &debug);
	axv_op_end(vcpu, &op, op.from);
	return ret;
}

int axvcpu_translate(struct axvcpu *vcpu, uint64_t gva, uint64_t *gpa)
{
	struct axv_op op;
	int ret = axv_vm_check_process(vcpu->vm);

	if (ret)
		return ret;
	if (!HAS_OP(vcpu->ops, translate))
		return axvcpu_fail(vcpu->vm, -ENOTSUP, "%s: no translation of guest addresses",
				   vcpu->ops->name);
	ret = axv_op_begin(vcpu, IN_REGS, "translate", &op);
	if (ret)
		return ret;
	ret = vcpu->ops->translate(vcpu->arch, gva, gpa);
	axv_op_end(vcpu, &op, op.from);
	return ret;
}
