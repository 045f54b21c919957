/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
#include "lib/vcpu/thread.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/host/sys.h"
#include "lib/vcpu/vcpu.h"

_Thread_local struct axv_thread axv_thread = { .ready = STATE_NONE, .timer.at = INT64_MAX };

static _Atomic uint64_t threads;

void axv_thread_set_current(struct axvcpu *vcpu)
{
	axv_thread.current = vcpu;
	axv_thread.ready = STATE_NONE;
	if (!vcpu && axv_thread.serial)
		axv_thread.ready = AXVCPU_READY | axv_thread.serial << STATE_OWNER_SHIFT;
}

uint64_t axv_thread_serial(void)
{
	if (unlikely(!axv_thread.serial)) {
		axv_thread.serial = atomic_fetch_add(&threads, 1) + 1;
		axv_thread_set_current(axv_thread.current);
	}
	return axv_thread.serial;
}

/* --- the end of a thread ---------------------------------------------------------------------- */

/*
 * The kernel cannot tell whether a thread has ended: it reuses the id for another thread, and keeps
 * the id of a thread that was joined just now, or of a main thread that has called pthread_exit().
 */
struct axv_thread_record {
	/* References: the thread itself, and vCPUs that it owns or owned. */
	_Atomic uint32_t users;
	atomic_bool ended;
};

/* The key's value is the calling thread's record. */
static pthread_key_t record_key;
static bool have_record_key;

static void on_end(void *record)
{
	const struct axv_thread_timer *timer = &axv_thread.timer;

	/* A forked child has a copy of the record, but no timer. */
	if (timer->signal && timer->pid == getpid())
		axv_sys_timer_delete(timer->id);
	atomic_store(&((struct axv_thread_record *)record)->ended, true);
	axv_thread_record_put(record);
}

__attribute__((constructor)) static void create_record_key(void)
{
	have_record_key = !pthread_key_create(&record_key, on_end);
}

struct axv_thread_record *axv_thread_record_get(void)
{
	struct axv_thread_record *record;

	if (!have_record_key)
		return NULL;
	record = pthread_getspecific(record_key);
	if (!record) {
		record = axv_sys_calloc(1, sizeof(*record));
		if (!record)
			return NULL;
		atomic_init(&record->users, 1);
		if (axv_sys_setspecific(record_key, record)) {
			free(record);
			return NULL;
		}
	}
	atomic_fetch_add(&record->users, 1);
	return record;
}

void axv_thread_record_put(struct axv_thread_record *record)
{
	if (record && atomic_fetch_sub(&record->users, 1) == 1)
		free(record);
}

bool axv_thread_record_ended(const struct axv_thread_record *record)
{
	return record && atomic_load(&record->ended);
}
