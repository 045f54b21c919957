/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* The VM object. */
#ifndef LIB_VM_H
#define LIB_VM_H

#include <pthread.h>
#include <stdatomic.h>
#include <sys/types.h>

#include "axvcpu/arch.h"
#include "axvcpu/vm.h"
#include "lib/frames.h"
#include "lib/memory.h"

struct axvm {
	const struct axvcpu_arch_ops *ops;
	void *arch;
	struct axvcpu_hal hal;
	struct memory_map memory;
	struct frames frames;
	struct axvm_limits limits;
	uint64_t id;
	/* KVM ties a VM to the memory of the process that made it. */
	pid_t pid;
	int kick_signal;
	/* What is forwarded may change the meaning of the frequent exits. */
	bool forwards;

	/* Guards what follows. */
	pthread_mutex_t lock;
	atomic_bool finalized;
	uint32_t nvcpus;
	/* By id; limits.vcpus of them. */
	struct axvcpu **vcpus;
};

/*
 * What a public function returns when the backend has returned 'ret': after a fork every call in
 * the child fails, and then the fork is what the caller must hear of. Decided by process id, as the
 * kernel's -EIO has other meanings too.
 */
int vm_result(const struct axvm *vm, int ret);
/* 0 in the VM's own process; in a child of it -EPERM, with a message. */
int vm_check_process(const struct axvm *vm);

/* Messages that axvcpu_fail() has left in this thread. */
extern _Thread_local unsigned int error_count;

/* Whether an entry of the ops table is there, in this caller's version of the table. */
#define HAS_OP(ops, entry) \
	(offsetof(struct axvcpu_arch_ops, entry) + sizeof((ops)->entry) <= (ops)->size && \
	 (ops)->entry)

#endif
