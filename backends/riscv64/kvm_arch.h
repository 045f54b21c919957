/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* The riscv64 part of struct axk_vm and struct axk_vcpu, and of the run loop. */
#ifndef RISCV64_KVM_ARCH_H
#define RISCV64_KVM_ARCH_H

#include <errno.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <linux/kvm.h>

#include "axvcpu/vcpu.h"

struct axk_vm_arch {
	/* Descriptor of the AIA device; -1 if there is none. */
	int aia;
	/* Guest-physical addresses of its APLIC and of the IMSIC of vCPU 0. */
	uint64_t aplic;
	uint64_t imsic;
	/* Number of inputs of the APLIC, and of message identities; both count from 1. */
	uint32_t sources;
	uint32_t ids;
	/* Initialised by axvm_finalize(): the AIA accepts interrupts. */
	atomic_bool aia_ready;
	/* KVM_CAP_RISCV_MP_STATE_RESET is enabled. */
	bool has_reset;
	/*
	 * The ids of all vCPUs in KVM's order of creation, by which KVM numbers the IMSICs.
	 */
	uint32_t *created;
	uint32_t ncreated;
};

/* Exceeds KVM's numbers of extensions. */
#define RISCV_EXTENSIONS_MAX 256u

/* Extensions of one kind that setup has switched on or off: bitmaps by KVM number. */
struct axk_riscv_switched {
	uint64_t any[RISCV_EXTENSIONS_MAX / 64];
	uint64_t on[RISCV_EXTENSIONS_MAX / 64];
};

struct axk_vcpu_arch {
	/* The config of axvcpu_setup(), for resets. */
	struct axvcpu_setup_config setup;
	/* Its changes of extensions, for saved states. */
	struct axk_riscv_switched isa;
	struct axk_riscv_switched sbi;
	/* An exception to inject at the next entry: inject.c. */
	bool has_exception;
	uint32_t exception;
	/* KVM_SET_GUEST_DEBUG is enabled. */
	bool debugged;
	/* The hart was stopped, and no exit has shown since that it has run: start.c. */
	bool stopped;
};

/* The parts of a VM's config that riscv64 supports: AXVM_FORWARD_*, and others. */
#define KVM_ARCH_NAME "riscv64"
#define KVM_ARCH_FORWARDS AXVM_FORWARD_HYPERCALLS
#define KVM_ARCH_SYSREGS false
#define KVM_ARCH_NOTIFY false
#define KVM_ARCH_SPLIT_IRQCHIP false

/* The fields of struct axvcpu_regs that riscv64 has. */
#define KVM_ARCH_GPRS 32u
#define KVM_ARCH_FLAGS false

/*
 * A full barrier is needed between the store of Running, which a kicker reads, and the kernel's
 * load of immediate_exit. On riscv64 the compare-and-swap to Running does not order later plain
 * loads, nor does the entry to the kernel.
 */
static inline void axk_arch_entry_barrier(void)
{
	atomic_thread_fence(memory_order_seq_cst);
}

/* Returns the KVM_IRQ_LINE number of a gsi. */
static inline uint32_t axk_arch_irq_line(uint32_t gsi)
{
	return gsi;
}

/* Whether messages carry the id of the sending device. */
static inline bool axk_arch_msi_devices(void)
{
	return false;
}

/* Whether there are I/O ports. */
static inline bool axk_arch_has_ports(void)
{
	return false;
}

/* Whether KVM completes the instruction of this exit, other than MMIO, on the next entry. */
static inline bool axk_arch_is_open(uint32_t exit_reason)
{
	return exit_reason == KVM_EXIT_RISCV_SBI || exit_reason == KVM_EXIT_RISCV_CSR;
}

/*
 * Whether the guest can cause this errno of KVM_RUN, besides EFAULT and EHWPOISON: EIO for a
 * misaligned access outside of memory; EOPNOTSUPP for one that is no plain load or store, and for a
 * fetch outside of memory.
 */
static inline bool axk_arch_guest_errno(int ret)
{
	return ret == -EIO || ret == -EOPNOTSUPP;
}

/*
 * Whether the failure may be transient (a memslot was being removed) and KVM_RUN should be retried:
 * KVM (seen on Linux 6.12) looks up the slot of a page fault twice, and returns EFAULT if it is
 * removed in between.
 */
static inline bool axk_arch_fault_may_pass(int ret)
{
	return ret == -EFAULT;
}

/* Whether KVM_EXIT_FAIL_ENTRY with this errno of KVM_RUN means that the guest cannot be entered. */
static inline bool axk_arch_refused_entry(int ret)
{
	(void)ret;
	return false;
}

#endif
