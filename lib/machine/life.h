/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* The life of a VM: its status, its transitions, and why the latest run ended. */
#ifndef LIB_LIFE_H
#define LIB_LIFE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>

struct axvm;

/* What changes the status: a row each in the table of life.c. */
enum axv_life_event {
	LIFE_START,
	LIFE_PAUSE,
	LIFE_RESUME,
	LIFE_STOP,
	/* The last thread has ended, without or with a fault. */
	LIFE_END,
	LIFE_FAIL,
	LIFE_RESET,
};

/* The members of struct axvm_status_info that describe an end. */
struct axv_end {
	uint32_t reason;
	uint32_t vcpu;
	int32_t error;
	uint32_t exit_kind;
	char text[192];
};

struct axv_life {
	/* enum axvm_status in the low byte; above it, the number of the latest run. */
	_Atomic uint64_t word;
	/* Guards 'end', and changes of it together with the status. */
	pthread_mutex_t lock;
	struct axv_end end;
};

/* For events that do not belong to a run. */
#define LIFE_ANY_RUN UINT64_MAX

void axv_life_init(struct axv_life *life);
void axv_life_destroy(struct axv_life *life);

/*
 * Makes the transition of an event. If the event belongs to a run, that must be the latest one:
 * runners that have ended may still be stopped. Returns 0, or -EBADFD without a message.
 * Async-signal-safe.
 */
int axv_life_move(struct axv_life *life, enum axv_life_event event, uint64_t run);
/* The same with a message. Not async-signal-safe. */
int axv_life_make(struct axvm *vm, enum axv_life_event event, uint64_t run);
/* Returns 0 if the event is allowed now; else -EBADFD, with a message. */
int axv_life_check(const struct axvm *vm, enum axv_life_event event, uint64_t run);

/* Begins a run. Returns 0 and its number, or -EBADFD with a message. */
int axv_life_start(struct axvm *vm, uint64_t *run);
/* Ends a run for this reason. */
void axv_life_end(struct axvm *vm, uint64_t run, const struct axv_end *end);
/* Forgets why the latest run ended. Returns 0, or -EBADFD with a message. */
int axv_life_reset(struct axvm *vm);

#endif
