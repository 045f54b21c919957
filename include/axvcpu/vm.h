/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/**
 * @file vm.h
 * A virtual machine: what its vCPUs share.
 *
 * Order of birth: axvm_new(), memory, axvcpu_new() for each vCPU, axvm_finalize() (the first run
 * implies it), run. What a VM is made of is fixed in its config.
 *
 * A VM belongs to the process that created it. A forked child has a copy of the library's objects, and
 * no VM: there, every function on a VM, a vCPU or a runner of the parent's that can return an errno
 * returns -EPERM, at once, whatever the parent's threads were doing at the fork; those for signal
 * handlers leave no message. The others (ids, names, state, power) answer from the copy. axvm_free(),
 * axvcpu_free() and axvm_runner_free() release the child's copy: memory, mappings and descriptors. A
 * runner, or a vCPU that was running at the fork, can be freed, too. Memory leaks that another thread was
 * changing at the fork: the memory map during axvm_map() and the like, a vCPU that is being created,
 * requests that wait in a mailbox. The child may create VMs of its own. A child that shares the memory
 * of its parent (vfork, CLONE_VM) counts as the same process, except on a kernel without
 * MADV_WIPEONFORK (before Linux 4.14), where the process id decides.
 */
#ifndef AXVCPU_VM_H
#define AXVCPU_VM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <axvcpu/error.h>
#include <axvcpu/hal.h>
#include <axvcpu/init.h>

#ifdef __cplusplus
extern "C" {
#endif

struct axvm;
struct axvcpu;
struct axvcpu_arch_ops;

/** Who emulates the interrupt controllers. */
enum axvm_irqchip {
	/** Nobody: the caller injects, and gets HALT exits. */
	AXVM_IRQCHIP_NONE = 0,
	/** The kernel: LAPIC, IOAPIC and PIC; GIC; AIA. */
	AXVM_IRQCHIP_KERNEL = 1,
	/**
	 * x86: the kernel the LAPICs, the caller the rest, by MSI and routes. The end of a level-
	 * triggered interrupt with a number below 24 is an exit of kind EOI.
	 */
	AXVM_IRQCHIP_SPLIT = 2,
};

/**
 * Hypercalls of any number (VMCALL, VMMCALL), instead of those that the hypervisor has. x86: needs
 * KVM_CAP_XEN_HVM, and the guest is told of none of KVM's own; KVM answers Xen's 29 with 0 or 3 as
 * its first argument (to yield the CPU) itself. Arguments of 64-bit code: rdi, rsi, rdx, r10, r8,
 * r9; the fourth is in r10, not in the doorbell's rcx. arm64: by HVC and SMC, all but those that KVM keeps to
 * itself, the Arm architecture's (0x8000xxxx, 0xc000xxxx), and PSCI's; needs KVM_ARM_VM_SMCCC_FILTER,
 * Linux 6.4. riscv64: changes nothing: KVM always forwards SBI's experimental and vendor extensions, and
 * others by the vCPU's setup (riscv64.h).
 */
#define AXVM_FORWARD_HYPERCALLS (1u << 0)
/** x86: the hypercall KVM_HC_MAP_GPA_RANGE, which the guest's CPUID then has. */
#define AXVM_FORWARD_MAP_GPA_RANGE (1u << 1)
/**
 * Accesses to system registers that the hypervisor does not know, instead of a fault. x86: MSRs; and
 * without the kernel's irqchip those of the x2APIC. An invalid access to one that it does know (a
 * reserved bit is set) remains a fault.
 */
#define AXVM_FORWARD_UNKNOWN_SYSREGS (1u << 2)
/**
 * x86 without the kernel's irqchip: what the guest writes to the LAPIC's ICR, as SEND_IPI and
 * CPU_UP. By the xAPIC's page, which is taken to be at 0xfee00000, or the x2APIC's MSRs. The library
 * keeps the register, whose reads are no exits; the LAPIC's others are MMIO and SYSREG exits, or
 * faults, as without.
 */
#define AXVM_FORWARD_IPIS (1u << 3)
/**
 * x86: a write of 4 bytes to `doorbell_port` is a hypercall: number in eax, arguments in rdi, rsi,
 * rdx, rcx, r8, r9, result in rax. The fourth is in rcx, as in C calls, not in the r10 of VMCALL
 * (AXVM_FORWARD_HYPERCALLS). On every KVM, as of Linux 4.17.
 */
#define AXVM_FORWARD_DOORBELL (1u << 4)
/**
 * arm64: the PSCI calls CPU_ON and CPU_OFF, as CPU_UP and CPU_DOWN: KVM changes no CPU's power then,
 * axvcpu_start() and axvcpu_stop() do, and vCPUs other than the first want AXVCPU_F_START_OFF.
 * AFFINITY_INFO is answered by axvcpu_power(), and so is a CPU_ON for a CPU that does not exist, is on
 * or about to be, or is the target of another CPU's CPU_UP exit: none of these is an exit. Needs
 * KVM_ARM_VM_SMCCC_FILTER, Linux 6.4. Without, all vCPUs but the first sleep in KVM_RUN until another
 * one starts them by CPU_ON, unless they have AXVCPU_F_START_OFF; for axvcpu_power() they are on.
 * riscv64's SBI calls for that stay with KVM.
 */
#define AXVM_FORWARD_POWER (1u << 5)

/** System registers whose accesses become exits. x86: MSRs. */
struct axvm_sysreg_range {
	uint32_t base;
	/** Registers; at least 1. */
	uint32_t count;
	/** AXVCPU_ACCESS_READ, AXVCPU_ACCESS_WRITE, or both. */
	uint32_t access;
	uint32_t reserved;
};

/** `kvm_fd` is valid. It is borrowed: it must stay open while axvm_new() runs, no longer. */
#define AXVM_F_KVM_FD (1u << 0)

/** What a VM is to be. Initialise with AXVM_CONFIG_INIT. */
struct axvm_config {
	/** sizeof(struct axvm_config) */
	size_t size;
	/** AXVM_F_* */
	uint32_t flags;
	/** An open /dev/kvm, with AXVM_F_KVM_FD: otherwise the library opens and closes its own. */
	int kvm_fd;
	/** The architecture; NULL: this host's, over KVM. Must outlive the VM. */
	const struct axvcpu_arch_ops *arch;
	/** Hooks; NULL: all default. Copied. */
	const struct axvcpu_hal *hal;
	/** The caller's name for this VM, as axvm_id() returns it. */
	uint64_t id;
	/** Width of guest-physical addresses in bits; 0: the widest that the host has. */
	uint32_t gpa_bits;
	/** vCPU ids go from 0 to max_vcpus - 1; 0: 1. The guest is told of that many CPUs. */
	uint32_t max_vcpus;
	/** enum axvm_irqchip */
	uint32_t irqchip;
	/**
	 * The signal that takes a vCPU out of the guest. The caller has a handler for it, which may
	 * be empty. 0: the library takes the first real-time signal that nobody uses and gives it an
	 * empty handler, which stays for the life of the process.
	 */
	int kick_signal;
	/**
	 * The architecture's own: struct axvm_arm64_config (arm64.h), struct axvm_riscv64_config
	 * (riscv64.h); x86_64 has none. NULL: all default.
	 */
	const void *arch_config;
	/** AXVM_FORWARD_*: what becomes an exit that would not without. */
	uint32_t forward;
	/** With AXVM_FORWARD_DOORBELL. */
	uint32_t doorbell_port;
	/** x86, Intel: cycles for which a guest may keep interrupts out; 0: any. A NOTIFY exit. */
	uint32_t notify_window;
	/** Elements of `sysregs`. */
	uint32_t nsysregs;
	/**
	 * System registers that become exits, in place of the hypervisor's own. x86: up to 16 ranges of
	 * up to 12288, without the x2APIC's, 0x800 to 0x8ff. Copied.
	 */
	const struct axvm_sysreg_range *sysregs;
};
#define AXVM_CONFIG_INIT AXVCPU_INIT(struct axvm_config)

/**
 * Creates a VM: without memory, without vCPUs.
 *
 * @param config what it is to be; NULL: all default.
 * @param vm     receives the VM.
 * @return 0; -EINVAL, -E2BIG: the config; -ENODEV, -EACCES: /dev/kvm; -ENOTSUP: this host lacks
 *         what the config asks for; -EBUSY: another hypervisor has the CPU's virtualization;
 *         -ENOMEM; errnos of the kernel.
 *
 * Threads: any.
 */
AXVCPU_API int axvm_new(const struct axvm_config *config, struct axvm **vm);

/**
 * Destroys a VM, unmaps its memory and closes its descriptors.
 *
 * @param vm the VM; NULL is nothing.
 * @return 0; -EBUSY: it still has vCPUs, and nothing has happened.
 *
 * Threads: one; no other may use the VM any more.
 */
AXVCPU_API int axvm_free(struct axvm *vm);

/**
 * Whether this process has a mere copy of the VM, as it is a forked child of the VM's process. A custom
 * architecture's vm_free and vcpu_free are called for copies, too, and must then take no lock that
 * another thread may have held at the fork.
 *
 * Threads: any, and signal handlers.
 */
AXVCPU_API bool axvm_is_copy(const struct axvm *vm);

/**
 * Does what must come after the last vCPU is created and before the first runs. May be called
 * again, for nothing.
 *
 * @return 0; -EPERM: another process's VM; errnos of the kernel, and it may be tried again.
 *
 * Threads: any.
 */
AXVCPU_API int axvm_finalize(struct axvm *vm);

/** The id from the config. Any thread. */
AXVCPU_API uint64_t axvm_id(const struct axvm *vm);

/**
 * The hypervisor's descriptor of the VM, for what this library lacks. Still the library's: do
 * not close it.
 *
 * @return the descriptor, or -ENOTSUP if the backend has none. Threads: any.
 */
AXVCPU_API int axvm_fd(const struct axvm *vm);

/**
 * Asks the hypervisor for a capability by its own number (KVM_CAP_*).
 *
 * @return 0: not there; a positive number: there, and what the capability says; -ENOTSUP: the
 *         backend has no capabilities; -EPERM: another process's VM; errnos of the kernel.
 *
 * Threads: any.
 */
AXVCPU_API int axvm_capability(struct axvm *vm, unsigned int capability);

/**
 * Enables a capability of the hypervisor's (KVM_ENABLE_CAP), for what this library lacks.
 *
 * @param args what the capability takes; NULL: zeros.
 * @return 0 or what the capability returns; -ENOTSUP; -EPERM; errnos of the kernel. Threads: any.
 */
AXVCPU_API int axvm_enable_capability(struct axvm *vm, unsigned int capability,
				      const uint64_t args[4]);

/** How far a VM can go. Initialise with AXVM_LIMITS_INIT. */
struct axvm_limits {
	/** sizeof(struct axvm_limits) */
	size_t size;
	/** Memory regions at a time. */
	uint32_t regions;
	/** Width of guest-physical addresses in bits, in this VM. */
	uint32_t gpa_bits;
	/** vCPUs, in this VM. */
	uint32_t vcpus;
	/** Granularity of regions in bytes: the host's page size. */
	uint32_t page_size;
	/** arm64 with AXVM_IRQCHIP_KERNEL: the version of the GIC that this VM has, 2 or 3; else 0. */
	uint32_t gic_version;
	uint32_t reserved;
	/** Bytes of a region at most. KVM: a page less than 8 TiB, where pages have 4 KiB. */
	uint64_t region_bytes;
};
#define AXVM_LIMITS_INIT AXVCPU_INIT(struct axvm_limits)

/**
 * Reads the limits of a VM.
 *
 * @param limits its `size` is set by the caller; as many fields as fit are written.
 * @return 0; -EINVAL if `size` is too small for anything.
 *
 * Threads: any.
 */
AXVCPU_API int axvm_get_limits(const struct axvm *vm, struct axvm_limits *limits);

#ifdef __cplusplus
}
#endif

#endif
