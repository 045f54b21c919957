/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* What struct axk_vm and struct axk_vcpu hold for arm64, and what of the run loop is arm64's. */
#ifndef ARM64_KVM_ARCH_H
#define ARM64_KVM_ARCH_H

#include <errno.h>
#include <linux/kvm.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "axvcpu/debug.h"
#include "axvcpu/vcpu.h"

/* Guest-physical addresses that the kernel's GIC answers. */
struct axk_arm64_gic_window {
	const char *name;
	uint64_t gpa;
	uint64_t size;
	/* What KVM calls the frame's address. */
	uint32_t attr;
};

/* Distributor; redistributors or CPU interface; ITS. */
#define ARM64_FRAMES 3

/* The kernel's GIC: gic.c. */
struct axk_arm64_gic {
	/* Descriptors of the devices, -1: there is none. */
	int fd;
	int its_fd;
	/* 2 or 3; 0: there is no GIC. */
	uint32_t version;
	/* Interrupt numbers, the 32 that each CPU has for itself among them. */
	uint32_t nirqs;
	uint32_t nframes;
	struct axk_arm64_gic_window frames[ARM64_FRAMES];
	/* It takes interrupts from here on. */
	atomic_bool ready;
};

/* A CPU as another one names it: psci.c. */
struct axk_arm64_cpu {
	/* NULL: not set up. */
	const struct axvcpu *vcpu;
	/* Of MPIDR_EL1, the affinity. */
	uint64_t affinity;
	/* The vCPU whose CPU_ON of this one is an open exit; ARM64_NO_CPU: none. */
	uint32_t caller;
};

struct axk_vm_arch {
	struct axk_arm64_gic gic;
	/* With AXVM_FORWARD_POWER: by vCPU id. */
	struct axk_arm64_cpu *cpus;
	pthread_mutex_t lock;
};

/* KVM takes no more: 1023 is a number with a meaning of its own, and they come in 32s. */
#define ARM64_IRQS_MAX 992
/* No vCPU's id. */
#define ARM64_NO_CPU UINT32_MAX
/* A call returns this many words at most. */
#define ARM64_RESULTS 2

struct axk_vcpu_arch {
	/* What setup was given, and made of it: a reset starts from it. */
	struct axvcpu_setup_config setup;
	struct kvm_vcpu_init init;
	/* Of its MPIDR_EL1. */
	uint64_t affinity;
	/* What the latest call returns, to be written before the guest goes on: smccc.c. */
	uint64_t results[ARM64_RESULTS];
	uint32_t nresults;
	/* The target of an open CPU_ON exit that has no answer yet; ARM64_NO_CPU: none. */
	uint32_t starts;
	/* Lines of this CPU's that are raised, by INTID; without a GIC IRQ and FIQ. */
	_Atomic uint32_t lines;
	/* Interrupts that came before the GIC was ready, by INTID. */
	uint64_t early[ARM64_IRQS_MAX / 64 + 1];
	bool has_early;
	/* A PMU that waits for the GIC to be ready, and its interrupt, once KVM has it. */
	bool pmu_waits;
	uint32_t pmu_irq;
	/* The vectors have their length for good. */
	bool sve_done;
	/* An external abort is to be taken on the next entry. */
	bool aborts;
	/* What set_debug was given: debug.c. */
	uint32_t npoints;
	struct axvcpu_debug_point points[2 * KVM_ARM_MAX_DBG_REGS];
};

/* Of a VM's config, what there is here: AXVM_FORWARD_*, and other parts. */
#define KVM_ARCH_NAME "arm64"
#define KVM_ARCH_FORWARDS (AXVM_FORWARD_HYPERCALLS | AXVM_FORWARD_POWER)
#define KVM_ARCH_SYSREGS false
#define KVM_ARCH_NOTIFY false
#define KVM_ARCH_SPLIT_IRQCHIP false

/* Of struct axvcpu_regs, what there is here. */
#define KVM_ARCH_GPRS 31u
#define KVM_ARCH_FLAGS true

/*
 * Between "I am running", which a kicker looks for, and the kernel's look at immediate_exit there
 * must be a full barrier. The compare-and-swap that says the former is none here: loads that follow
 * it may be done before what it stores is seen.
 */
static inline void axk_arch_entry_barrier(void)
{
	atomic_thread_fence(memory_order_seq_cst);
}

/* The first number that is the GIC's alone and not a CPU's. */
#define ARM64_FIRST_SPI 32u

/* How KVM_IRQ_LINE numbers the inputs: those of all CPUs, from INTID 32 on. */
static inline uint32_t axk_arch_irq_line(uint32_t gsi)
{
	return KVM_ARM_IRQ_TYPE_SPI << KVM_ARM_IRQ_TYPE_SHIFT | (gsi + ARM64_FIRST_SPI);
}

/* Whether a message says which device sends it: the ITS asks. */
static inline bool axk_arch_msi_devices(void)
{
	return true;
}

/* Whether there are I/O ports. */
static inline bool axk_arch_has_ports(void)
{
	return false;
}

/* Whether the instruction of such an exit, other than MMIO, finishes on the next entry. */
static inline bool axk_arch_is_open(uint32_t exit_reason)
{
	(void)exit_reason;
	return false;
}

/*
 * Whether KVM_RUN ends so because of what the guest did, beyond EFAULT and EHWPOISON. An access
 * that KVM has no details of, from kernels that cannot tell us so by KVM_EXIT_ARM_NISV.
 */
static inline bool axk_arch_guest_errno(int ret)
{
	return ret == -ENOSYS;
}

/* Whether such a failure may be of a moment only, because a slot was removed meanwhile. */
static inline bool axk_arch_fault_may_pass(int ret)
{
	(void)ret;
	return false;
}

/*
 * Whether, with KVM_EXIT_FAIL_ENTRY, this errno of KVM_RUN's says that the guest could not be
 * entered: EINVAL of one that has gone to AArch32 where not all host CPUs have it, and then ENOEXEC
 * until it is reset.
 */
static inline bool axk_arch_refused_entry(int ret)
{
	return ret == -EINVAL || ret == -ENOEXEC;
}

#endif
