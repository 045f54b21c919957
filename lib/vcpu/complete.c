/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* Open exits: their answer, on the slow path, and the flush, which finishes one without an answer. */
#include <errno.h>

#include "lib/machine/object.h"
#include "lib/vcpu/run.h"
#include "lib/vcpu/vcpu.h"

int axv_complete_slow_path(struct axvcpu *vcpu, const struct axvcpu_answer *answer)
{
	struct axv_op op;
	int ret = axv_op_begin_owner(vcpu, IN(AXVCPU_READY), "complete", &op);

	if (ret)
		return ret;
	if (!vcpu->open_exit_kind || !HAS_OP(vcpu->ops, complete))
		ret = axvcpu_fail(vcpu->vm, -EBADFD, "complete: vCPU %u: nothing to answer",
				  vcpu->id);
	else
		ret = vcpu->ops->complete(vcpu->arch, answer);
	if (!ret)
		vcpu->open_exit_kind = AXVCPU_EXIT_NOTHING;
	axv_op_leave(vcpu, &op, AXVCPU_READY);
	return ret;
}

int axv_vcpu_flush(struct axvcpu *vcpu)
{
	int ret = HAS_OP(vcpu->ops, flush) ? vcpu->ops->flush(vcpu->arch) : 0;

	if (!ret)
		vcpu->open_exit_kind = AXVCPU_EXIT_NOTHING;
	return ret;
}
