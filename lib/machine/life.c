/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
#include "lib/machine/life.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "axvcpu/life.h"
#include "lib/base/cancel.h"
#include "lib/base/sized.h"
#include "lib/machine/object.h"

#define STATUSES (AXVM_STATUS_FAILED + 1)
#define STATUS_MASK UINT64_C(0xff)
#define RUN_SHIFT 8

/* In the table: the event is refused in this status. */
#define NO 0xff

#define READY AXVM_STATUS_READY
#define RUNNING AXVM_STATUS_RUNNING
#define PAUSED AXVM_STATUS_PAUSED
#define STOPPING AXVM_STATUS_STOPPING
#define STOPPED AXVM_STATUS_STOPPED
#define FAILED AXVM_STATUS_FAILED

/* The new status by event and old status. axvcpu/life.h has the same for callers. */
static const struct {
	const char *name;
	uint8_t to[STATUSES];
} events[] = {
	/*                       ready    running   paused    stopping  stopped  failed */
	[LIFE_START] = { "start", { RUNNING, NO, NO, NO, RUNNING, RUNNING } },
	[LIFE_PAUSE] = { "pause", { NO, PAUSED, PAUSED, NO, NO, NO } },
	[LIFE_RESUME] = { "resume", { NO, RUNNING, RUNNING, NO, NO, NO } },
	[LIFE_STOP] = { "stop", { NO, STOPPING, STOPPING, NO, NO, NO } },
	[LIFE_END] = { "end", { NO, NO, NO, STOPPED, NO, NO } },
	[LIFE_FAIL] = { "fail", { NO, NO, NO, FAILED, NO, NO } },
	[LIFE_RESET] = { "reset", { READY, NO, PAUSED, NO, READY, READY } },
};

void axv_life_init(struct axv_life *life)
{
	pthread_mutex_init(&life->lock, NULL);
}

void axv_life_destroy(struct axv_life *life)
{
	pthread_mutex_destroy(&life->lock);
}

/* --- transitions ------------------------------------------------------------------------------ */

/* Returns the status after an event, or NO. */
static uint8_t next(uint64_t word, enum axv_life_event event, uint64_t run)
{
	if (run != LIFE_ANY_RUN && run != word >> RUN_SHIFT)
		return NO;
	return events[event].to[word & STATUS_MASK];
}

int axv_life_move(struct axv_life *life, enum axv_life_event event, uint64_t run)
{
	uint64_t word = atomic_load(&life->word), changed;

	do {
		uint8_t to = next(word, event, run);

		if (to == NO)
			return -EBADFD;
		changed = (word & ~STATUS_MASK) | to;
		if (event == LIFE_START)
			changed += UINT64_C(1) << RUN_SHIFT;
	} while (!atomic_compare_exchange_weak(&life->word, &word, changed));
	return 0;
}

/* Leaves the message that an event is refused. Returns -EBADFD. */
static int refuse(const struct axvm *vm, enum axv_life_event event, uint64_t run)
{
	const uint64_t word = atomic_load(&vm->life.word);
	char allowed[64] = "";
	size_t used = 0;

	if (run != LIFE_ANY_RUN && run != word >> RUN_SHIFT)
		return axvcpu_fail(vm, -EBADFD, "%s: this runner has ended", events[event].name);
	for (uint32_t i = 0; i < STATUSES; i++)
		if (events[event].to[i] != NO)
			used += (size_t)snprintf(allowed + used, sizeof(allowed) - used, "%s%s",
						 used ? " or " : "", axvm_status_name(i));
	return axvcpu_fail(vm, -EBADFD, "%s: the VM is %s; it must be %s", events[event].name,
			   axvm_status_name(word & STATUS_MASK), allowed);
}

int axv_life_make(struct axvm *vm, enum axv_life_event event, uint64_t run)
{
	if (axv_life_move(&vm->life, event, run))
		return refuse(vm, event, run);
	return 0;
}

int axv_life_check(const struct axvm *vm, enum axv_life_event event, uint64_t run)
{
	if (next(atomic_load(&vm->life.word), event, run) == NO)
		return refuse(vm, event, run);
	return 0;
}

/* Changes the status and why the latest run ended together. */
static int move_with_end(struct axv_life *life, enum axv_life_event event, uint64_t run,
			 const struct axv_end *end)
{
	int cancel = axv_cancel_disable();
	int ret;

	pthread_mutex_lock(&life->lock);
	ret = axv_life_move(life, event, run);
	if (!ret)
		life->end = *end;
	pthread_mutex_unlock(&life->lock);
	axv_cancel_restore(cancel);
	return ret;
}

static const struct axv_end not_ended;

int axv_life_start(struct axvm *vm, uint64_t *run)
{
	if (move_with_end(&vm->life, LIFE_START, LIFE_ANY_RUN, &not_ended))
		return refuse(vm, LIFE_START, LIFE_ANY_RUN);
	/* No other run can begin before this one has ended. */
	*run = atomic_load(&vm->life.word) >> RUN_SHIFT;
	return 0;
}

void axv_life_end(struct axvm *vm, uint64_t run, const struct axv_end *end)
{
	move_with_end(&vm->life, end->reason == AXVM_END_FAULT ? LIFE_FAIL : LIFE_END, run, end);
}

int axv_life_reset(struct axvm *vm)
{
	if (move_with_end(&vm->life, LIFE_RESET, LIFE_ANY_RUN, &not_ended))
		return refuse(vm, LIFE_RESET, LIFE_ANY_RUN);
	return 0;
}

/* --- for callers ------------------------------------------------------------------------------ */

int axvm_get_status(struct axvm *vm, struct axvm_status_info *info)
{
	struct axvm_status_info own = AXVM_STATUS_INFO_INIT;
	struct axv_life *life = &vm->life;
	int cancel, ret = axv_vm_check_process(vm);

	if (!ret)
		ret = axv_sized_check(vm, "get_status", info);
	if (ret)
		return ret;
	cancel = axv_cancel_disable();
	pthread_mutex_lock(&life->lock);
	own.status = (uint32_t)(atomic_load(&life->word) & STATUS_MASK);
	own.reason = life->end.reason;
	own.vcpu = life->end.vcpu;
	own.error = life->end.error;
	own.exit_kind = life->end.exit_kind;
	memcpy(own.text, life->end.text, sizeof(own.text));
	pthread_mutex_unlock(&life->lock);
	axv_cancel_restore(cancel);
	axv_sized_give(info, &own);
	return 0;
}
