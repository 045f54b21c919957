/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * Sleepable read-copy-update, modelled on the kernel's SRCU. Readers count themselves in and out,
 * never wait, and may sleep in between. A writer publishes a new version by an atomic pointer, and
 * frees the old one when all readers that may have seen it have left: after axv_srcu_synchronize().
 *
 * The counters. A reader adds 1 to the counter of its stripe and of the parity of the current
 * epoch, and later subtracts it from the same counter. Stripes keep threads off one another's cache
 * lines. Parities keep a stream of new readers from delaying a writer: it advances the epoch, so
 * that it only waits for counters that new readers no longer use.
 *
 * Why no reader is missed. Assume that a writer has published a new version and then finds a
 * counter at 0. Four accesses are sequentially consistent, so they have one order that all threads
 * agree on:
 *
 *     reader:  R1  adds 1 to the counter        writer:  W1  stores the pointer
 *              R2  loads the pointer                     W2  loads the counter
 *
 * If R1 comes before W2, then W2 reads 0 only if the reader has left meanwhile. If R1 comes after
 * W2, then R2 comes after W1, and the reader sees the new version. On arm64 and riscv64 it is the
 * sequential consistency of all four that keeps R2 behind R1, and W2 behind W1: acquire and release
 * would not. So once each counter, of both parities, has been found at 0 after W1, in whatever
 * order and at whatever times, no reader is left that has the old version. The epoch only decides
 * where readers count, never whether they are seen: a reader may load it, be held up, and count
 * itself in under a parity that is no longer the current one. Such a late reader can delay a
 * writer, but only once for each thread.
 *
 * A reader leaves with release order, and a counter is only changed by read-modify-write: a writer
 * that finds it at 0 is ordered after all accesses of the readers that it counted.
 */
#ifndef LIB_SRCU_H
#define LIB_SRCU_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "lib/base/compiler.h"

#define SRCU_STRIPE_BITS 4
#define SRCU_STRIPES (1u << SRCU_STRIPE_BITS)
#define SRCU_CACHE_LINE 64

/* A bit beside the count: a writer sleeps until the count is 0. */
#define SRCU_WAITED (UINT32_C(1) << 31)

struct axv_srcu_stripe {
	/* By parity. At any alignment, stripes do not share a cache line. */
	_Atomic uint32_t readers[2];
	unsigned char pad[SRCU_CACHE_LINE - 2 * sizeof(uint32_t)];
};

struct axv_srcu {
	_Atomic uint64_t epoch;
	/* Held by the writer that advances the epoch. */
	pthread_mutex_t advance;
	/* A futex: 1 once the counter that the writer waits for has reached 0. */
	_Atomic uint32_t drained;
	unsigned char pad[SRCU_CACHE_LINE];
	struct axv_srcu_stripe stripes[SRCU_STRIPES];
};

/* Its address differs in each thread. */
extern _Thread_local char axv_srcu_self;

int axv_srcu_init(struct axv_srcu *srcu);
void axv_srcu_destroy(struct axv_srcu *srcu);

/* Waits until all readers that were inside at the call have left; may sleep. */
void axv_srcu_synchronize(struct axv_srcu *srcu);

/*
 * The same without waiting. A version that was replaced before axv_srcu_stamp() returned 'stamp'
 * has no reader once axv_srcu_poll() has returned true. Each poll advances the epoch as far as it
 * can.
 */
uint64_t axv_srcu_stamp(struct axv_srcu *srcu);
bool axv_srcu_poll(struct axv_srcu *srcu, uint64_t stamp);

void axv_srcu_wake(struct axv_srcu *srcu);

/* Readers may nest. The same thread must pass the result to axv_srcu_read_unlock(). */
static inline _Atomic uint32_t *axv_srcu_read_lock(struct axv_srcu *srcu)
{
	/* Each thread's storage lies in separate pages: multiplying spreads the page numbers. */
	uint64_t page = (uintptr_t)&axv_srcu_self >> 12;
	uint64_t stripe = page * UINT64_C(0x9e3779b97f4a7c15) >> (64 - SRCU_STRIPE_BITS);
	uint64_t epoch = atomic_load_explicit(&srcu->epoch, memory_order_relaxed);
	_Atomic uint32_t *readers = &srcu->stripes[stripe].readers[epoch & 1];

	atomic_fetch_add(readers, 1);
	return readers;
}

static inline void axv_srcu_read_unlock(struct axv_srcu *srcu, _Atomic uint32_t *readers)
{
	if (unlikely(atomic_fetch_sub_explicit(readers, 1, memory_order_release) ==
		     (SRCU_WAITED | 1)))
		axv_srcu_wake(srcu);
}

#endif
