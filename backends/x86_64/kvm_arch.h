/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* The x86_64 part of struct axk_vm and struct axk_vcpu, and of the run loop. */
#ifndef X86_64_KVM_ARCH_H
#define X86_64_KVM_ARCH_H

#include <stdbool.h>
#include <stdint.h>

#include <linux/kvm.h>

#include "axvcpu/interrupt.h"
#include "axvcpu/vcpu.h"

struct kvm_cpuid2;
struct axk_x86_state_info;
struct axvcpu_x86_cpuid;

struct axk_vm_arch {
	/* The leaves that KVM supports on this host, the base of every vCPU's CPUID. */
	struct kvm_cpuid2 *cpuid;
	uint16_t doorbell_port;
	/* With AXVM_FORWARD_POWER_OFF: poweroff_* of the config. */
	struct {
		uint32_t port;
		uint32_t width;
		uint32_t value;
	} power_off;
	/* KVM_MSR_EXIT_REASON_* that are enabled. */
	uint32_t msr_reasons;
	/* Invalid MSR accesses exit, but only for those to the x2APIC; others get a fault. */
	bool invalid_msrs;
	/* The MSRs that KVM lists: state_msrs.c. */
	struct kvm_msr_list *msrs;
	/* Added to the TSC offsets of vCPUs that are loaded: clock.c. */
	uint64_t tsc_shift;
};

#define X86_VECTORS 256

/* Events that wait to be injected: inject.c. */
struct axk_x86_pending {
	/* Bitmap of the vectors whose count is not 0. */
	uint64_t vectors[X86_VECTORS / 64];
	/* Number of pending injections of each vector. */
	uint16_t count[X86_VECTORS];
	bool has_exception;
	struct axvcpu_exception exception;
	/* The caller wants an IRQ_WINDOW exit when the guest can take an interrupt. */
	bool window;
};

/* The pages of guest memory that setup writes for 64-bit code: tables.c. */
struct axk_x86_tables {
	/* Size of the identity map in GiB. */
	uint64_t gibs;
	/* Number of page directories: one for each GiB, and with 'frames' one for the GDT. */
	uint64_t directories;
	/* Guest-physical address of the caller's boot area, if 'frames' is NULL. */
	uint64_t area;
	/* Without a boot area: one frame per page, which belong to this vCPU until it is freed. */
	uint64_t *frames;
	uint64_t nframes;
};

/* Registers of 64-bit mode that setup and resets set. */
struct axk_x86_control {
	/* CR3 is the caller's: there are no boot tables. */
	bool own_tables;
	uint64_t cr3;
	uint64_t cr0;
	uint64_t cr4;
	uint64_t efer;
};

struct axk_vcpu_arch {
	struct axk_x86_pending pending;
	/* The config of axvcpu_setup(), for resets. */
	struct axvcpu_setup_config setup;
	/* A copy of its changes of CPUID, for saved states. */
	struct axvcpu_x86_cpuid *cpuid;
	size_t ncpuid;
	struct axk_x86_control control;
	struct axk_x86_tables tables;
	/* The guest's latest write to the LAPIC's interrupt command register: apic.c. */
	uint32_t icr_low;
	uint32_t icr_high;
	/* Registers of a load wait for an entry, or a run has taken them: state_load.c. */
	bool regs_wait;
	/* Bitmap of the hardware debug points that are set, as in DR6: debug.c. */
	uint8_t debug_points;
	/* The parts of its state that this host has, once found: state.c. */
	struct axk_x86_state_info *state;
};

/* The parts of a VM's config that x86_64 supports: AXVM_FORWARD_*, and others. */
#define KVM_ARCH_NAME "x86_64"
#define KVM_ARCH_FORWARDS \
	(AXVM_FORWARD_HYPERCALLS | AXVM_FORWARD_MAP_GPA_RANGE | AXVM_FORWARD_UNKNOWN_SYSREGS | \
	 AXVM_FORWARD_IPIS | AXVM_FORWARD_DOORBELL | AXVM_FORWARD_POWER_OFF)
#define KVM_ARCH_SYSREGS true
#define KVM_ARCH_NOTIFY true
#define KVM_ARCH_SPLIT_IRQCHIP true

/*
 * A full barrier is needed between the store of Running, which a kicker reads, and the kernel's
 * load of immediate_exit. On x86_64 the compare-and-swap to Running is one.
 */
static inline void axk_arch_entry_barrier(void)
{
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
	return true;
}

/* Whether KVM completes the instruction of this exit, other than MMIO, on the next entry. */
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

/* Whether the guest can cause this errno of KVM_RUN, besides EFAULT and EHWPOISON. */
static inline bool axk_arch_guest_errno(int ret)
{
	(void)ret;
	return false;
}

/*
 * Whether the failure may be transient (a memslot was being removed) and KVM_RUN should be retried.
 */
static inline bool axk_arch_fault_may_pass(int ret)
{
	(void)ret;
	return false;
}

/* Whether KVM_EXIT_FAIL_ENTRY with this errno of KVM_RUN means that the guest cannot be entered. */
static inline bool axk_arch_refused_entry(int ret)
{
	(void)ret;
	return false;
}

#endif
