/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * Thread cancellation. The library has no cancellation points of its own: its system calls are none
 * (lib/host/sys.h). Code of the caller's may have some, so it is called with cancellation disabled
 * wherever a thread that ends in it would leave a lock held, a vCPU busy or a change half done. A
 * request that arrives meanwhile stays pending.
 */
#ifndef LIB_CANCEL_H
#define LIB_CANCEL_H

#include <pthread.h>

/* Returns the previous state, for axv_cancel_restore(). These nest. */
static inline int axv_cancel_disable(void)
{
	int state;

	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &state);
	return state;
}

static inline void axv_cancel_restore(int state)
{
	pthread_setcancelstate(state, NULL);
}

#endif
