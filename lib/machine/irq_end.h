/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* Functions that are called when the guest ends an interrupt. */
#ifndef LIB_MACHINE_IRQ_END_H
#define LIB_MACHINE_IRQ_END_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

struct axvm;
struct axv_irq_end;

struct axv_irq_ends {
	/* Held for reading while functions are called, for writing while they are changed. */
	pthread_rwlock_t lock;
	struct axv_irq_end *first;
	/* The thread that waits for ends, and its descriptors. */
	bool has_thread;
	pthread_t thread;
	int epoll;
	/* An eventfd that ends the thread. */
	int stop;
};

void axv_irq_ends_init(struct axv_irq_ends *ends);
void axv_irq_ends_destroy(struct axv_irq_ends *ends);
/* Ends the thread and releases everything except the lock. 'copy': in a forked child. */
void axv_irq_ends_free(struct axvm *vm, bool copy);

/* Whether the calling thread is in an end function of the VM. */
bool axv_irq_end_calls(const struct axvm *vm);
/* The guest has ended an interrupt with an EOI exit: calls the functions of its routes. */
void axv_irq_ended(struct axvm *vm, uint64_t vector);

#endif
