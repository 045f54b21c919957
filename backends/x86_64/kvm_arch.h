/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* What struct axk_vm holds for x86_64, and what of the run loop is x86_64's. */
#ifndef X86_64_KVM_ARCH_H
#define X86_64_KVM_ARCH_H

#include <stdbool.h>
#include <stdint.h>

#include <linux/kvm.h>

#include "axvcpu/interrupt.h"
#include "axvcpu/vcpu.h"

struct kvm_cpuid2;

struct axk_vm_arch {
	/* What KVM supports on this host: where every vCPU's CPUID starts from. */
	struct kvm_cpuid2 *cpuid;
	uint16_t doorbell_port;
	/*
	 * KVM was asked for invalid accesses to MSRs because those to the x2APIC are among them. The
	 * others are not the caller's.
	 */
	bool invalid_msrs;
};

#define X86_VECTORS 256

/* What waits to be injected: inject.c. */
struct axk_x86_pending {
	/* Vectors that have a count. */
	uint64_t vectors[X86_VECTORS / 64];
	/* How often each is still to be taken. */
	uint16_t count[X86_VECTORS];
	bool has_exception;
	struct axvcpu_exception exception;
	/* The caller wants to hear when the guest can take an interrupt. */
	bool window;
};

/* What of guest memory setup has written for 64-bit code: tables.c. */
struct axk_x86_tables {
	/* GiBs that the identity map covers. */
	uint64_t gibs;
	/* Page directories: one for each of these, and with frames one for the GDT. */
	uint64_t directories;
	/* The caller's boot area; */
	uint64_t area;
	/* without one, frames of a page each, which are this vCPU's until it is freed. */
	uint64_t *frames;
	uint64_t nframes;
};

struct axk_vcpu_arch {
	struct axk_x86_pending pending;
	/* What setup was given: a reset starts from it. */
	struct axvcpu_setup_config setup;
	struct axk_x86_tables tables;
	/* The LAPIC's interrupt command register, as the guest has written it: apic.c. */
	uint32_t icr_low;
	uint32_t icr_high;
	/* Hardware points that are set, as in DR6: debug.c. */
	uint8_t debug_points;
};

/* Of a VM's config, what there is here: AXVM_FORWARD_*, and other parts. */
#define KVM_ARCH_NAME "x86_64"
#define KVM_ARCH_FORWARDS \
	(AXVM_FORWARD_HYPERCALLS | AXVM_FORWARD_MAP_GPA_RANGE | AXVM_FORWARD_UNKNOWN_SYSREGS | \
	 AXVM_FORWARD_IPIS | AXVM_FORWARD_DOORBELL)
#define KVM_ARCH_SYSREGS true
#define KVM_ARCH_NOTIFY true
#define KVM_ARCH_SPLIT_IRQCHIP true

/*
 * Between "I am running", which a kicker looks for, and the kernel's look at immediate_exit there
 * must be a full barrier. The compare-and-swap that says the former is one.
 */
static inline void axk_arch_entry_barrier(void)
{
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
	return true;
}

/* Whether the instruction of such an exit, other than MMIO, finishes on the next entry. */
static inline bool axk_arch_is_open(uint32_t exit_reason)
{
	switch (exit_reason) {
	case KVM_EXIT_IO:
	case KVM_EXIT_X86_RDMSR:
	case KVM_EXIT_X86_WRMSR:
	case KVM_EXIT_HYPERCALL:
	case KVM_EXIT_XEN:
		return true;
	default:
		return false;
	}
}

/* Whether KVM_RUN ends so because of what the guest did, beyond EFAULT and EHWPOISON. */
static inline bool axk_arch_guest_errno(int ret)
{
	(void)ret;
	return false;
}

/* Whether such a failure may be of a moment only, because a slot was removed meanwhile. */
static inline bool axk_arch_fault_may_pass(int ret)
{
	(void)ret;
	return false;
}

/* Whether, with KVM_EXIT_FAIL_ENTRY, this errno of KVM_RUN's says that the guest could not be entered. */
static inline bool axk_arch_refused_entry(int ret)
{
	(void)ret;
	return false;
}

#endif
