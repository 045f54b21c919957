/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* Debugging a guest from outside: checks the arguments, then calls the backend. */
#include "axvcpu/debug.h"

#include <errno.h>
#include <inttypes.h>

#include "lib/base/sized.h"
#include "lib/machine/object.h"
#include "lib/vcpu/vcpu.h"

/* Exceeds the number of debug registers of any hardware. */
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
					   "] is a breakpoint: len must be 0, not %" PRIu32,
					   i, point->len);
		return 0;
	case AXVCPU_DEBUG_WATCH_WRITE:
	case AXVCPU_DEBUG_WATCH:
		if (!is_width(point->len) || point->addr % point->len)
			return axvcpu_fail(vcpu->vm, -EINVAL,
					   "set_debug: points[%" PRIu32 "]: len %" PRIu32
					   " at %#" PRIx64
					   ": len must be 1, 2, 4 or 8 and addr a multiple of it",
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

	if (unknown)
		return axvcpu_fail(vcpu->vm, -EINVAL, "set_debug: unknown flags %#" PRIx32,
				   unknown);
	if (debug->npoints && !debug->points)
		return axvcpu_fail(vcpu->vm, -EINVAL, "set_debug: points is NULL, npoints %" PRIu32,
				   debug->npoints);
	if (debug->npoints > POINTS_MAX)
		return axvcpu_fail(vcpu->vm, -ENOSPC,
				   "set_debug: npoints is %" PRIu32 "; the maximum is %d",
				   debug->npoints, POINTS_MAX);
	for (uint32_t i = 0; i < debug->npoints; i++) {
		int ret = check_point(vcpu, i, &debug->points[i]);

		if (ret)
			return ret;
	}
	return 0;
}

int axvcpu_set_debug(struct axvcpu *vcpu, const struct axvcpu_debug *given)
{
	struct axvcpu_debug debug;
	struct axv_op op;
	int ret = axv_vm_check_process(vcpu->vm);

	if (ret)
		return ret;
	ret = axv_sized_copy(vcpu->vm, "struct axvcpu_debug", &debug, sizeof(debug), given);
	if (ret)
		return ret;
	ret = check(vcpu, &debug);
	if (ret)
		return ret;
	if (!HAS_OP(vcpu->ops, set_debug))
		return axv_vm_not_supported(vcpu->vm, "set_debug");
	ret = axv_op_begin(vcpu, IN_REGS, "set_debug", &op);
	if (ret)
		return ret;
	/* The first step must not count the instruction of an open exit: it has been executed. */
	ret = axv_vcpu_flush(vcpu);
	if (!ret)
		ret = vcpu->ops->set_debug(vcpu->arch, &debug);
	axv_op_end(vcpu, &op, op.from);
	return ret;
}

/* Calls translate_access, or translate of a backend that has only that. */
static int translate(struct axvcpu *vcpu, uint64_t gva, struct axvcpu_translation *translation)
{
	struct axv_op op;
	int ret = axv_op_begin(vcpu, IN_REGS, "translate", &op);

	if (ret)
		return ret;
	if (HAS_OP(vcpu->ops, translate_access))
		ret = vcpu->ops->translate_access(vcpu->arch, gva, translation);
	else
		ret = vcpu->ops->translate(vcpu->arch, gva, &translation->gpa);
	axv_op_end(vcpu, &op, op.from);
	return ret;
}

int axvcpu_translate(struct axvcpu *vcpu, uint64_t gva, uint64_t *gpa)
{
	struct axvcpu_translation whole = AXVCPU_TRANSLATION_INIT;
	int ret = axv_vm_check_process(vcpu->vm);

	if (ret)
		return ret;
	if (!HAS_OP(vcpu->ops, translate_access) && !HAS_OP(vcpu->ops, translate))
		return axv_vm_not_supported(vcpu->vm, "translate");
	ret = translate(vcpu, gva, &whole);
	if (!ret)
		*gpa = whole.gpa;
	return ret;
}

int axvcpu_translate_access(struct axvcpu *vcpu, uint64_t gva,
			    struct axvcpu_translation *translation)
{
	struct axvcpu_translation whole = AXVCPU_TRANSLATION_INIT;
	int ret = axv_vm_check_process(vcpu->vm);

	if (ret)
		return ret;
	if (!HAS_OP(vcpu->ops, translate_access))
		return axv_vm_not_supported(vcpu->vm, "translate_access");
	ret = axv_sized_check(vcpu->vm, "translate_access", translation);
	if (ret)
		return ret;
	ret = translate(vcpu, gva, &whole);
	if (!ret)
		axv_sized_give(translation, &whole);
	return ret;
}
