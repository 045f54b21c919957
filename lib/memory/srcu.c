/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* The writer side of lib/memory/srcu.h. */
#include "lib/memory/srcu.h"

#include "lib/host/sys.h"

_Thread_local char axv_srcu_self;

int axv_srcu_init(struct axv_srcu *srcu)
{
	return -pthread_mutex_init(&srcu->advance, NULL);
}

void axv_srcu_destroy(struct axv_srcu *srcu)
{
	pthread_mutex_destroy(&srcu->advance);
}

/* Returns the parity that new readers do not use. */
static unsigned int other_parity(const struct axv_srcu *srcu)
{
	return (atomic_load_explicit(&srcu->epoch, memory_order_relaxed) + 1) & 1;
}

/* Called by the last reader of a counter that a writer waits for. */
void axv_srcu_wake(struct axv_srcu *srcu)
{
	atomic_store(&srcu->drained, 1);
	axv_sys_futex_wake((const uint32_t *)&srcu->drained);
}

static void wait_for(struct axv_srcu *srcu, _Atomic uint32_t *readers)
{
	if (!atomic_load(readers))
		return;
	/* In this order: a reader that leaves after the mark is visible sets 'drained' again. */
	for (;;) {
		atomic_store(&srcu->drained, 0);
		if (!(atomic_fetch_or(readers, SRCU_WAITED) & ~SRCU_WAITED))
			break;
		/* If the futex call fails, the loop only checks once more. */
		axv_sys_futex_wait((const uint32_t *)&srcu->drained, NULL);
	}
	atomic_fetch_and(readers, ~SRCU_WAITED);
}

void axv_srcu_synchronize(struct axv_srcu *srcu)
{
	pthread_mutex_lock(&srcu->advance);
	/* Waits for each parity in turn, while new readers use the other one. */
	for (int i = 0; i < 2; i++) {
		unsigned int parity = other_parity(srcu);

		for (unsigned int stripe = 0; stripe < SRCU_STRIPES; stripe++)
			wait_for(srcu, &srcu->stripes[stripe].readers[parity]);
		atomic_fetch_add(&srcu->epoch, 1);
	}
	pthread_mutex_unlock(&srcu->advance);
}

/* Advances the epoch unless the other parity has readers. Needs 'advance', so no mark is set. */
static bool try_advance(struct axv_srcu *srcu)
{
	unsigned int parity = other_parity(srcu);

	for (unsigned int stripe = 0; stripe < SRCU_STRIPES; stripe++)
		if (atomic_load(&srcu->stripes[stripe].readers[parity]))
			return false;
	atomic_fetch_add(&srcu->epoch, 1);
	return true;
}

/*
 * An advance that is in progress in another thread may have checked its counters already. The two
 * after it have not, and they check different parities.
 */
uint64_t axv_srcu_stamp(struct axv_srcu *srcu)
{
	return atomic_load(&srcu->epoch) + 3;
}

bool axv_srcu_poll(struct axv_srcu *srcu, uint64_t stamp)
{
	/* If another thread holds it, that thread is about to advance the epoch. */
	if (!pthread_mutex_trylock(&srcu->advance)) {
		while (atomic_load(&srcu->epoch) < stamp && try_advance(srcu))
			;
		pthread_mutex_unlock(&srcu->advance);
	}
	return atomic_load(&srcu->epoch) >= stamp;
}
