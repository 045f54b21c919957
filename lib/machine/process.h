/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * Which process a VM belongs to. A fork copies the library's objects, with locks that other threads
 * hold, but not KVM's, and memory that is mapped shared remains shared. So a child must be told apart
 * before it takes a lock, writes to such memory, or sends a signal. A child that has the memory of its
 * parent (vfork, CLONE_VM) is the same process.
 */
#ifndef LIB_PROCESS_H
#define LIB_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "lib/base/compiler.h"

/* A bit that no state word has: axvcpu_complete() reckons with it. */
#define PROCESS_MARK UINT64_C(0x8000)

struct axv_process {
	/*
	 * PROCESS_MARK in the process that initialised this. In a forked child it is 0, as the kernel
	 * wipes this page; it also is 0 where the kernel does not wipe pages, and then 'pid' decides.
	 */
	const uint64_t *mark;
	/* Bytes of the page; 0: it is not wiped. */
	size_t page_size;
	pid_t pid;
};

/* Returns 0, or a negative errno without a message. */
int axv_process_init(struct axv_process *process);
void axv_process_destroy(struct axv_process *process);

/* Whether the process differs, where 'mark' is 0. */
bool axv_process_differs(const struct axv_process *process);

/* Whether this is a forked child of the process that initialised it. Async-signal-safe. */
static inline bool axv_process_is_child(const struct axv_process *process)
{
	return unlikely(!*process->mark) && axv_process_differs(process);
}

#endif
