/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* The baseline: the same work by bare system calls. */
#ifndef BENCH_RAW_H
#define BENCH_RAW_H

#include <linux/kvm.h>
#include <stddef.h>
#include <stdint.h>

#include "guest.h"

struct raw_vm {
	int vm;
	int vcpu;
	struct kvm_run *run;
	size_t run_size;
	unsigned char *memory;
	size_t memory_size;
};

/* Ends the program if the call fails. */
int raw_ioctl(int fd, unsigned long request, uintptr_t arg, const char *what);
#define RAW_IOCTL(fd, request, arg) raw_ioctl((fd), (request), (uintptr_t)(arg), #request)

/* All up to the first KVM_RUN: a VM with memory and one vCPU at the guest's entry. */
void raw_new(struct raw_vm *raw, const struct guest_code *code);
void raw_free(struct raw_vm *raw);

#endif
