/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* Blocking a vCPU, and waking it. */
#include <errno.h>

#include "lib/base/wait.h"
#include "lib/host/sys.h"
#include "lib/machine/object.h"
#include "lib/vcpu/vcpu.h"

int axv_vcpu_sleep(struct axvcpu *vcpu, int64_t timeout_ns)
{
	int64_t end = axv_deadline_in(timeout_ns);

	while (!atomic_exchange(&vcpu->wake, 0)) {
		int64_t left = axv_deadline_left(end);
		struct timespec ts = axv_timespec_of(left);
		int ret;

		if (!left)
			return -ETIMEDOUT;
		ret = axv_sys_futex_wait((const uint32_t *)&vcpu->wake,
					 left == NO_DEADLINE ? NULL : &ts);
		/* After a wake, or one that came before the wait (-EAGAIN), the loop ends. */
		if (ret && ret != -EAGAIN && ret != -ETIMEDOUT)
			return ret;
	}
	return 0;
}

bool axv_vcpu_awaken(struct axvcpu *vcpu, uint64_t to, uint64_t *word)
{
	unsigned int waits = 0;

	*word = atomic_load(&vcpu->state);
	while (axv_state_of(*word) == AXVCPU_BLOCKED) {
		if (*word & STATE_BUSY) {
			/* Another thread is inside a short operation, such as reading registers. */
			axv_wait_briefly(&waits);
			*word = atomic_load(&vcpu->state);
		} else if (atomic_compare_exchange_weak(&vcpu->state, word,
							(*word & ~STATE_MASK) | to)) {
			return true;
		}
	}
	return false;
}

int axvcpu_block(struct axvcpu *vcpu, int64_t timeout_ns)
{
	uint64_t word;
	struct axv_op op;
	int ret = axv_op_begin_owner(vcpu, IN(AXVCPU_READY), "block", &op);

	if (ret)
		return ret;
	axv_op_leave(vcpu, &op, AXVCPU_BLOCKED);
	ret = axv_vcpu_sleep(vcpu, timeout_ns);
	/* Only axvcpu_set_state() can have changed the state meanwhile. */
	if (!axv_vcpu_awaken(vcpu, AXVCPU_READY, &word))
		return axv_state_refuse(vcpu, word, IN(AXVCPU_READY), "block");
	return ret;
}

int axvcpu_wake(struct axvcpu *vcpu)
{
	/* No message: this may be a signal handler. */
	if (axvm_is_copy(vcpu->vm))
		return -EPERM;
	/*
	 * The sleeper stores Blocked, then reads 'wake'; this sets 'wake', then reads the state. So
	 * at least one of the two sees the other.
	 */
	if (!atomic_exchange(&vcpu->wake, 1) && axvcpu_state(vcpu) == AXVCPU_BLOCKED)
		axv_sys_futex_wake((const uint32_t *)&vcpu->wake);
	return 0;
}
