/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* Power state: whether a vCPU executes when it is run. One that must not sleeps here. */
#include "lib/vcpu/power.h"

#include <errno.h>

#include "lib/base/wait.h"
#include "lib/machine/object.h"
#include "lib/vcpu/vcpu.h"

/* Sets or clears ATTENTION_PARKED, which keeps the run loop out of the guest. */
static void update_parked(struct axvcpu *vcpu)
{
	if (vcpu->paused || vcpu->power != AXVCPU_POWER_ON)
		atomic_fetch_or(&vcpu->attention, ATTENTION_PARKED);
	else
		atomic_fetch_and(&vcpu->attention, ~ATTENTION_PARKED);
}

void axv_power_set(struct axvcpu *vcpu, enum axvcpu_power power)
{
	atomic_store(&vcpu->power, (uint32_t)power);
	update_parked(vcpu);
}

void axv_power_pause(struct axvcpu *vcpu, bool paused)
{
	vcpu->paused = paused;
	update_parked(vcpu);
}

/* Resets the vCPU, and forgets its exits. */
static int reset(struct axvcpu *vcpu, uint64_t entry, uint64_t arg, bool start)
{
	int ret = vcpu->ops->reset(vcpu->arch, entry, arg, start);

	if (ret)
		return ret;
	vcpu->open_exit_kind = AXVCPU_EXIT_NOTHING;
	atomic_fetch_and(&vcpu->attention, ~ATTENTION_TERMINAL);
	return 0;
}

int axv_power_reset(struct axvcpu *vcpu, const struct axvcpu_request *request)
{
	bool start = request->kind == AXVCPU_REQUEST_START;
	int ret = reset(vcpu, request->u.start.entry, request->u.start.arg, start);

	if (!ret)
		axv_power_set(vcpu, AXVCPU_POWER_ON);
	if (start)
		atomic_store(&vcpu->starting, false);
	return ret;
}

int axv_power_reset_to_setup(struct axvcpu *vcpu)
{
	bool off = vcpu->flags & AXVCPU_F_START_OFF;
	int ret = reset(vcpu, vcpu->setup_entry, vcpu->setup_arg, false);

	if (!ret && HAS_OP(vcpu->ops, vm_reset_vcpu))
		ret = vcpu->ops->vm_reset_vcpu(vcpu->arch);
	if (!ret)
		axv_power_set(vcpu, off ? AXVCPU_POWER_WAITING : AXVCPU_POWER_ON);
	return ret;
}

int axv_power_park(struct axvcpu *vcpu, struct axvcpu_exit *exit)
{
	/* A request that was queued before this has left a wake, or is seen here. */
	const bool has_requests = atomic_load(&vcpu->attention) & ATTENTION_REQUESTS;
	const struct axv_thread_timer *timer = &axv_thread.timer;
	const int64_t end = timer->vcpu == vcpu ? timer->at : NO_DEADLINE;
	int ret = has_requests ? 0 : axv_vcpu_sleep(vcpu, axv_deadline_left(end));

	if (ret && ret != -EINTR && ret != -ETIMEDOUT)
		return ret;
	exit->kicked = !!atomic_exchange(&vcpu->kick, 0);
	if (!ret && !exit->kicked)
		return 0;
	exit->kind = AXVCPU_EXIT_NOTHING;
	exit->answerable = 0;
	exit->raw_reason = 0;
	exit->raw_code = 0;
	return 1;
}

enum axvcpu_power axvcpu_power(const struct axvcpu *vcpu)
{
	/* In this order: if a start ends between the two loads, 'power' is ON already. */
	bool starting = atomic_load(&vcpu->starting);
	uint32_t power = atomic_load(&vcpu->power);

	if (starting && power != AXVCPU_POWER_ON)
		return AXVCPU_POWER_STARTING;
	return (enum axvcpu_power)power;
}
