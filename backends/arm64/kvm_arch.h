/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* The arm64 part of struct axk_vm and struct axk_vcpu, and of the run loop. */
#ifndef ARM64_KVM_ARCH_H
#define ARM64_KVM_ARCH_H

#include <errno.h>
#include <linux/kvm.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "axvcpu/arm64.h"
#include "axvcpu/debug.h"
#include "axvcpu/vcpu.h"

/* A range of guest-physical addresses at which the in-kernel GIC emulates registers. */
struct axk_arm64_gic_window {
	const char *name;
	uint64_t gpa;
	uint64_t size;
	/* The KVM attribute of the window's address. */
	uint32_t attr;
};

/* Distributor; redistributors or CPU interface; ITS. */
#define ARM64_GIC_WINDOWS 3

/* The in-kernel GIC: gic.c. */
struct axk_arm64_gic {
	/* Descriptors of the devices; -1 if there is none. */
	int fd;
	int its_fd;
	/* 2 or 3; 0: there is no GIC. */
	uint32_t version;
	/* Number of interrupts, including the 32 that each CPU has. */
	uint32_t nirqs;
	uint32_t nwindows;
	struct axk_arm64_gic_window windows[ARM64_GIC_WINDOWS];
	/* Initialised by axvm_finalize(): it accepts interrupts. */
	atomic_bool ready;
	/* A load saves the present state: gic_state.c. */
	bool is_loading;
};

/* A CPU, as a target of PSCI calls (psci.c) and of the GIC. */
struct axk_arm64_cpu {
	/* Both NULL if it is not set up. */
	const struct axvcpu *vcpu;
	const struct axk_vcpu *kvm_vcpu;
	/* The vCPU whose CPU_ON of this CPU is an open exit; ARM64_NO_CPU if none. */
	uint32_t caller;
};

struct axk_vm_arch {
	struct axk_arm64_gic gic;
	/* By vCPU id; and its lock. */
	struct axk_arm64_cpu *cpus;
	pthread_mutex_t lock;
};

/* KVM's limit: a multiple of 32 below 1020, where the special interrupt numbers begin. */
#define ARM64_IRQS_MAX 992
/* A value that is no vCPU's id. */
#define ARM64_NO_CPU UINT32_MAX
/* Maximum number of words that a call returns. */
#define ARM64_RESULTS 2

struct axk_vcpu_arch {
	/* The config of axvcpu_setup() and the features derived from it, for resets. */
	struct axvcpu_setup_config setup;
	struct kvm_vcpu_init init;
	/* Its `arch`, for saved states. */
	struct axvcpu_arm64_setup options;
	/* Affinity fields of its MPIDR_EL1. */
	uint64_t affinity;
	/* Results of the latest call, to be written before the guest continues: result.c. */
	uint64_t results[ARM64_RESULTS];
	uint32_t nresults;
	/* The target of an open CPU_ON exit that has no answer yet; ARM64_NO_CPU if none. */
	uint32_t starts;
	/* Bitmap of this CPU's raised lines: by INTID, or IRQ and FIQ without a GIC. */
	_Atomic uint32_t lines;
	/* Bitmap by INTID of the interrupts that were injected before the GIC was ready. */
	uint64_t early[ARM64_IRQS_MAX / 64 + 1];
	bool has_early;
	/* Whether the PMU waits for the GIC to be ready; its interrupt, once given to KVM. */
	bool pmu_waits;
	uint32_t pmu_irq;
	/* KVM_ARM_VCPU_FINALIZE of SVE is done: the vector length cannot change any more. */
	bool sve_done;
	/* The next entry takes an external abort. */
	bool aborts;
	/* The points of the latest set_debug: debug.c. */
	uint32_t npoints;
	struct axvcpu_debug_point points[2 * KVM_ARM_MAX_DBG_REGS];
};

/* The parts of a VM's config that arm64 supports: AXVM_FORWARD_*, and others. */
#define KVM_ARCH_NAME "arm64"
#define KVM_ARCH_FORWARDS (AXVM_FORWARD_HYPERCALLS | AXVM_FORWARD_POWER | AXVM_FORWARD_SUSPEND)
#define KVM_ARCH_SYSREGS false
#define KVM_ARCH_NOTIFY false
#define KVM_ARCH_SPLIT_IRQCHIP false

/* The fields of struct axvcpu_regs that arm64 has. */
#define KVM_ARCH_GPRS 31u
#define KVM_ARCH_FLAGS true

/*
 * A full barrier is needed between the store of Running, which a kicker reads, and the kernel's
 * load of immediate_exit. On arm64 the compare-and-swap to Running is none: later loads may be
 * performed before its store is visible.
 */
static inline void axk_arch_entry_barrier(void)
{
	atomic_thread_fence(memory_order_seq_cst);
}

/* The first interrupt number that is not private to a CPU. */
#define ARM64_FIRST_SPI 32u

/* Returns the KVM_IRQ_LINE number of a gsi: the SPIs, from INTID 32 on. */
static inline uint32_t axk_arch_irq_line(uint32_t gsi)
{
	return KVM_ARM_IRQ_TYPE_SPI << KVM_ARM_IRQ_TYPE_SHIFT | (gsi + ARM64_FIRST_SPI);
}

/* Whether messages carry the id of the sending device: the ITS needs it. */
static inline bool axk_arch_msi_devices(void)
{
	return true;
}

/* Whether there are I/O ports. */
static inline bool axk_arch_has_ports(void)
{
	return false;
}

/* Whether KVM completes the instruction of this exit, other than MMIO, on the next entry. */
static inline bool axk_arch_is_open(uint32_t exit_reason)
{
	(void)exit_reason;
	return false;
}

/*
 * Whether the guest can cause this errno of KVM_RUN, besides EFAULT and EHWPOISON. ENOSYS is an
 * access without decoded details, on kernels without KVM_EXIT_ARM_NISV.
 */
static inline bool axk_arch_guest_errno(int ret)
{
	return ret == -ENOSYS;
}

/*
 * Whether the failure may be transient (a memslot was being removed) and KVM_RUN should be retried.
 */
static inline bool axk_arch_fault_may_pass(int ret)
{
	(void)ret;
	return false;
}

/*
 * Whether this errno of KVM_RUN, with KVM_EXIT_FAIL_ENTRY, means that the guest could not be
 * entered: EINVAL if it has entered AArch32 on a host where not all CPUs support that, and then
 * ENOEXEC until it is reset.
 */
static inline bool axk_arch_refused_entry(int ret)
{
	return ret == -EINVAL || ret == -ENOEXEC;
}

#endif
