/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
#include "lib/vcpu/timer.h"

#include <errno.h>

#include "axvcpu/arch.h"
#include "lib/host/sys.h"
#include "lib/machine/object.h"
#include "lib/vcpu/vcpu.h"

/* Period of the signals if the caller handles them. */
#define REPEAT_NS 1000000

static int create(const struct axvm *vm, struct axv_thread_timer *timer)
{
	int ret;

	if (timer->signal == vm->kick_signal)
		return 0;
	if (timer->signal)
		axv_sys_timer_delete(timer->id);
	timer->signal = 0;
	ret = axv_sys_timer_create(vm->kick_signal);
	if (ret < 0)
		return axvcpu_fail(vm, ret, "run_until: timer_create%s",
				   ret == -EAGAIN ? ": RLIMIT_SIGPENDING is reached" : "");
	timer->id = ret;
	timer->signal = vm->kick_signal;
	return 0;
}

int axv_timer_set(struct axvcpu *vcpu, int64_t at_ns)
{
	struct axv_thread_timer *timer = &axv_thread.timer;
	const struct axvm *vm = vcpu->vm;
	int ret = create(vm, timer);

	if (ret)
		return ret;
	timer->repeats = !vm->kick_handled;
	timer->expired = 0;
	ret = axv_sys_timer_set(timer->id, at_ns, timer->repeats ? REPEAT_NS : 0);
	timer->at = ret ? INT64_MAX : at_ns;
	return ret ? axvcpu_fail(vm, ret, "run_until: timer_settime") : 0;
}

void axv_timer_forget(pid_t pid)
{
	axv_thread.timer = (struct axv_thread_timer){ .at = INT64_MAX, .pid = pid };
}

void axv_timer_stop(void)
{
	struct axv_thread_timer *timer = &axv_thread.timer;

	if (!timer->repeats)
		return;
	/* On failure, the signals end runs with NOTHING until the timer is set again. */
	axv_sys_timer_set(timer->id, 0, 0);
	timer->repeats = false;
	timer->at = INT64_MAX;
}

void axv_timer_expired(void)
{
	struct axv_thread_timer *timer = &axv_thread.timer;
	struct axvcpu *vcpu = timer->vcpu;

	timer->expired = 1;
	if (vcpu)
		vcpu->ops->kick(vcpu->arch);
}
