/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* Open exits: the next KVM_RUN completes the instruction; a flush does not enter the guest. */
#include <errno.h>

#include "backends/kvm/enter.h"
#include "backends/kvm/kvm.h"

/* Upper bound of the exits into which KVM splits the I/O of one instruction. */
#define PIECES_MAX 4096

void axk_close_exit(struct axk_vcpu *vcpu)
{
	if (axk_is_open(vcpu))
		vcpu->run->exit_reason = KVM_EXIT_UNKNOWN;
}

int axk_commit(struct axk_vcpu *vcpu)
{
	int ret;

	__atomic_store_n(&vcpu->run->immediate_exit, 1, __ATOMIC_SEQ_CST);
	ret = (int)axk_enter(vcpu);
	/* Clears the flush's request, but keeps that of a kick that came meanwhile. */
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

int axk_flush(void *arch_vcpu)
{
	struct axk_vcpu *vcpu = arch_vcpu;

	return axk_is_open(vcpu) && !vcpu->stashed ? axk_commit(vcpu) : 0;
}

int axk_drop_exits(struct axk_vcpu *vcpu)
{
	for (int i = 0; i < PIECES_MAX && (axk_is_open(vcpu) || vcpu->stashed); i++) {
		int ret;

		/* The exit that the flush ended in is dropped, but may itself be open. */
		vcpu->stashed = false;
		ret = axk_flush(vcpu);
		if (ret)
			return ret;
	}
	return 0;
}
