/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* What struct axk_vm holds for riscv64, and what of the run loop is riscv64's. */
#ifndef RISCV64_KVM_ARCH_H
#define RISCV64_KVM_ARCH_H

#include <errno.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <linux/kvm.h>

#include "axvcpu/vcpu.h"

struct axk_vm_arch {
	/* The AIA's device; -1 without one. */
	int aia;
	/* Its parts' places. */
	uint64_t aplic;
	uint64_t imsic;
	/* Inputs of the APLIC, from 1; identities of messages, from 1. */
	uint32_t sources;
	uint32_t ids;
	/* It works: since the VM was finalized. */
	atomic_bool aia_ready;
	/* KVM_CAP_RISCV_MP_STATE_RESET is there and on. */
	bool has_reset;
	/*
	 * The ids of all vCPUs that KVM has, in the order in which it has made them: it numbers
	 * IMSICs so.
	 */
	uint32_t *created;
	uint32_t ncreated;
};

struct axk_vcpu_arch {
	/* What setup was given: a reset starts from it. */
	struct axvcpu_setup_config setup;
	/* An exception waits for the next entry: inject.c. */
	bool has_exception;
	uint32_t exception;
	/* KVM was told to debug it. */
	bool debugged;
};

/* Of a VM's config, what there is here: AXVM_FORWARD_*, and other parts. */
#define KVM_ARCH_NAME "riscv64"
#define KVM_ARCH_FORWARDS AXVM_FORWARD_HYPERCALLS
#define KVM_ARCH_SYSREGS false
#define KVM_ARCH_NOTIFY false
#define KVM_ARCH_SPLIT_IRQCHIP false

/* Of struct axvcpu_regs. */
#define KVM_ARCH_GPRS 32u
#define KVM_ARCH_FLAGS false

/*
 * Between "I am running", which a kicker looks for, and the kernel's look at immediate_exit there
 * must be a full barrier. The compare-and-swap that says the former is none here: it orders no later
 * plain load, and the way into the kernel does not either.
 */
static inline void axk_arch_entry_barrier(void)
{
	atomic_thread_fence(memory_order_seq_cst);
}

/* How KVM_IRQ_LINE numbers the inputs. */
static inline uint32_t axk_arch_irq_line(uint32_t gsi)
{
	return gsi;
}

/* Whether a message says which device sends it. */
static inline bool axk_arch_msi_devices(void)
{
	return false;
}

/* Whether there are I/O ports. */
static inline bool axk_arch_has_ports(void)
{
	return false;
}

/* Whether the instruction of such an exit, other than MMIO, finishes on the next entry. */
static inline bool axk_arch_is_open(uint32_t exit_reason)
{
	return exit_reason == KVM_EXIT_RISCV_SBI || exit_reason == KVM_EXIT_RISCV_CSR;
}

/*
 * Whether KVM_RUN ends so because of what the guest did, beyond EFAULT and EHWPOISON: EIO of an
 * access to no memory that is not aligned, EOPNOTSUPP of one that is no plain load or store, and of
 * code where no memory is.
 */
static inline bool axk_arch_guest_errno(int ret)
{
	return ret == -EIO || ret == -EOPNOTSUPP;
}

/*
 * Whether such a failure may be of a moment only, because a slot was removed meanwhile: KVM (seen on
 * Linux 6.12) looks for a page fault's slot twice, and says EFAULT if it has gone in between.
 */
static inline bool axk_arch_fault_may_pass(int ret)
{
	return ret == -EFAULT;
}

/* Whether, with KVM_EXIT_FAIL_ENTRY, this errno of KVM_RUN's says that the guest could not be entered. */
static inline bool axk_arch_refused_entry(int ret)
{
	(void)ret;
	return false;
}

#endif
