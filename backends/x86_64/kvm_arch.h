/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* What struct kvm_vm holds for x86_64, and what of the run loop is x86_64's. */
#ifndef X86_64_KVM_ARCH_H
#define X86_64_KVM_ARCH_H

#include <stdbool.h>

struct kvm_cpuid2;

struct kvm_vm_arch {
	/* What KVM supports on this host: where every vCPU's CPUID starts from. */
	struct kvm_cpuid2 *cpuid;
};

/*
 * Between "I am running", which a kicker looks for, and the kernel's look at immediate_exit there
 * must be a full barrier. The compare-and-swap that says the former is one.
 */
static inline void kvm_arch_entry_barrier(void)
{
}

/* Whether KVM_RUN ends so because of what the guest did, beyond EFAULT and EHWPOISON. */
static inline bool kvm_arch_guest_errno(int ret)
{
	(void)ret;
	return false;
}

#endif
