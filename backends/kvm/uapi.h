/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * What KVM headers older than the kernel that we may meet do not have: Debian 12's are 6.1. Used
 * only where KVM_CHECK_EXTENSION says so, or where the kernel itself hands it out.
 */
#ifndef KVM_UAPI_H
#define KVM_UAPI_H

#include <linux/kvm.h>
#include <stdint.h>

#ifndef KVM_EXIT_MEMORY_FAULT /* 6.8 */
#define KVM_EXIT_MEMORY_FAULT 39
#endif

/* The member 'memory_fault' of struct kvm_run's union, which starts with the others. */
struct axk_uapi_memory_fault {
	uint64_t flags;
	uint64_t gpa;
	uint64_t size;
};

#endif
