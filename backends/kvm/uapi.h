/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * Definitions that older KVM headers lack: those of Debian 12 are from Linux 6.1. They are used
 * only if KVM_CHECK_EXTENSION reports the feature, or if the kernel itself returns the value.
 */
#ifndef KVM_UAPI_H
#define KVM_UAPI_H

#include <linux/kvm.h>
#include <stdint.h>

#ifndef KVM_EXIT_MEMORY_FAULT /* 6.8 */
#define KVM_EXIT_MEMORY_FAULT 39
#endif

#ifndef KVM_CAP_DIRTY_LOG_RING_WITH_BITMAP /* 6.2 */
#define KVM_CAP_DIRTY_LOG_RING_WITH_BITMAP 225
#endif

/* The member 'memory_fault' of the union in struct kvm_run. */
struct axk_uapi_memory_fault {
	uint64_t flags;
	uint64_t gpa;
	uint64_t size;
};

#endif
