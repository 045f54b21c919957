/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * The process that a VM belongs to. A fork copies the library's objects, with locks that other
 * threads hold, but not KVM's objects, and shared mappings stay shared. So the library must
 * recognise a forked child before it takes a lock, writes to shared memory, or sends a signal. A
 * child that uses its parent's memory (vfork, CLONE_VM) counts as the same process.
 */
#ifndef LIB_PROCESS_H
#define LIB_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "lib/base/compiler.h"

/* A bit that no state word has; axvcpu_complete() relies on that. */
#define PROCESS_MARK UINT64_C(0x8000)

struct axv_process {
	/*
	 * *mark is PROCESS_MARK in the process that initialised this. In a forked child it is 0, as
	 * the kernel wipes the page; it is also 0 if the kernel does not wipe pages, and then 'pid'
	 * decides.
	 */
	const uint64_t *mark;
	/* Size of the page in bytes; 0 if the kernel does not wipe it. */
	size_t page_size;
	pid_t pid;
};

/* Returns 0, or a negative errno without a message. */
int axv_process_init(struct axv_process *process);
void axv_process_destroy(struct axv_process *process);

/* Whether the calling process is another one. Call it if *mark is 0. */
bool axv_process_differs(const struct axv_process *process);

/* Whether this is a forked child of the process that initialised it. Async-signal-safe. */
static inline bool axv_process_is_child(const struct axv_process *process)
{
	return unlikely(!*process->mark) && axv_process_differs(process);
}

#endif
