/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* Open exits: KVM finishes the instruction at the next KVM_RUN, which a flush does without the guest. */
#include <errno.h>

#include "backends/kvm/enter.h"
#include "backends/kvm/kvm.h"

/* Pieces in which one instruction's I/O can still be open: more is not one instruction. */
#define PIECES_MAX 4096

void axk_close_exit(struct axk_vcpu *vcpu)
{
	if (axk_is_open(vcpu))
		vcpu->run->exit_reason = KVM_EXIT_UNKNOWN;
}

int axk_flush(void *arch_vcpu)
{
	struct axk_vcpu *vcpu = arch_vcpu;
	int ret;

	if (!axk_is_open(vcpu) || vcpu->stashed)
		return 0;
	__atomic_store_n(&vcpu->run->immediate_exit, 1, __ATOMIC_SEQ_CST);
	ret = (int)axk_enter(vcpu);
	/* Ours is done with; one that a kicker made in the meantime is not. */
	__atomic_store_n(&vcpu->run->immediate_exit, 0, __ATOMIC_SEQ_CST);
	if (atomic_load(&vcpu->kick))
		__atomic_store_n(&vcpu->run->immediate_exit, 1, __ATOMIC_SEQ_CST);
	if (ret && ret != -EINTR)
		return axk_vcpu_result(vcpu, ret, "KVM_RUN");
	vcpu->stashed = !ret;
	vcpu->has_pending_work |= vcpu->stashed;
	if (ret)
		axk_close_exit(vcpu);
	return 0;
}

int axk_drop_exits(struct axk_vcpu *vcpu)
{
	for (int i = 0; i < PIECES_MAX && (axk_is_open(vcpu) || vcpu->stashed); i++) {
		int ret;

		/* What was met on the way is nobody's any more, but may be open in turn. */
		vcpu->stashed = false;
		ret = axk_flush(vcpu);
		if (ret)
			return ret;
	}
	return 0;
}
