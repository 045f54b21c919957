/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * Exits that the KVM at hand cannot be brought to, or that no KVM should make: written into struct
 * kvm_run in its place. A program that uses it wraps axv_sys_ioctl() and axv_sys_mmap() (ld --wrap).
 */
#ifndef TESTS_FORGE_H
#define TESTS_FORGE_H

#include <linux/kvm.h>

#include "guest.h"

struct forge {
	struct guest guest;
	/* The vCPU's. */
	struct kvm_run *run;
	/* Sets the effect and the result of the vCPU's next KVM_RUN. */
	void (*exit)(void);
	int result;
	/*
	 * Asked before each other call, unless it is NULL: true if KVM is not, as *result is the
	 * answer. It may change *arg.
	 */
	bool (*answer)(int fd, unsigned long request, uintptr_t *arg, int *result);
};

extern struct forge forge;

/* A guest that writes GUEST_VALUE to GUEST_MMIO if it is run. */
void forge_start(void);
/*
 * Has it run into an exit that 'exit' writes to forge.run, KVM_RUN returning 'ret': it must be of
 * this kind, with KVM's reason and this raw_code, not answerable, and leave the vCPU Ready.
 */
void forge_expect(void (*exit)(void), int ret, enum axvcpu_exit_kind kind, uint64_t raw_code);
/* The guest goes on as if it had not noticed; frees it. */
void forge_end(void);

#endif
