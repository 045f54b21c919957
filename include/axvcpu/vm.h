/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/**
 * @file vm.h
 * Virtual machines: configuration, life, limits.
 *
 * Creation order: axvm_new(), axvm_map(), axvcpu_new() and axvcpu_setup() for each vCPU,
 * axvm_finalize() (the first run implies it), then run the vCPUs. The config fixes the properties
 * of a VM when it is created.
 *
 * A VM belongs to the process that created it. A forked child has a copy of the library's objects,
 * but no VM. In the child, every function on a VM, vCPU or runner of the parent that can return an
 * errno returns -EPERM at once, whatever the threads of the parent were doing at the fork. The
 * functions for signal handlers then leave no message. The other functions (ids, names, state,
 * power) return the values of the copy.
 *
 * In the child, axvm_free(), axvcpu_free() and axvm_runner_free() release the child's copy: memory,
 * mappings and descriptors. This includes a runner, and a vCPU that was running at the fork. Some
 * memory leaks: objects that another thread was changing at the fork (the memory map during
 * axvm_map(), a vCPU that was being created), and requests in the queue of a vCPU. The child may
 * create its own VMs.
 *
 * A child that shares the memory of its parent (vfork, CLONE_VM) counts as the same process. On a
 * kernel without MADV_WIPEONFORK (before Linux 4.14) the process id decides instead.
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

/** Emulation of the interrupt controllers. */
enum axvm_irqchip {
	/**
	 * No in-kernel interrupt controller: the caller injects interrupts, and receives HALT exits
	 * (x86).
	 */
	AXVM_IRQCHIP_NONE = 0,
	/**
	 * The kernel emulates them. x86: LAPICs, IOAPIC and PICs, but no PIT unless the config has
	 * AXVM_X86_PIT (x86_64.h); arm64: a GIC; riscv64: an AIA.
	 */
	AXVM_IRQCHIP_KERNEL = 1,
	/**
	 * x86: the kernel emulates the LAPICs. The caller emulates the rest by messages and routes.
	 * The end of a level-triggered interrupt of a route with a number below 24 is an EOI exit.
	 */
	AXVM_IRQCHIP_SPLIT = 2,
};

/**
 * Hypercalls of any number become HYPERCALL exits.
 *
 * x86: VMCALL and VMMCALL. Needs KVM_CAP_XEN_HVM. The CPUID of the guest then has none of KVM's own
 * hypercalls. KVM itself answers Xen's hypercall 29 (sched_op) if its first argument is 0 or 3
 * (both yield the CPU). In 64-bit code the arguments are rdi, rsi, rdx, r10, r8, r9; the fourth is
 * in r10, not in rcx as for the doorbell.
 *
 * arm64: HVC and SMC, except the function ids that KVM keeps to itself: those of the Arm
 * architecture (0x8000xxxx, 0xc000xxxx) and PSCI. Needs KVM_ARM_VM_SMCCC_FILTER (Linux 6.4).
 *
 * riscv64: no effect. KVM always forwards the experimental and vendor extensions of SBI.
 * axvcpu_setup() can forward others (riscv64.h).
 */
#define AXVM_FORWARD_HYPERCALLS (1u << 0)
/**
 * x86: the hypercall KVM_HC_MAP_GPA_RANGE becomes a HYPERCALL exit. The guest's CPUID then reports
 * it.
 */
#define AXVM_FORWARD_MAP_GPA_RANGE (1u << 1)
/**
 * x86: accesses to MSRs that KVM does not know become SYSREG exits instead of faults.
 *
 * With AXVM_IRQCHIP_NONE this includes the MSRs of the x2APIC. An invalid access to an MSR that KVM
 * does know (for example with a reserved bit set) remains a fault.
 */
#define AXVM_FORWARD_UNKNOWN_SYSREGS (1u << 2)
/**
 * x86 with AXVM_IRQCHIP_NONE: writes to the LAPIC's ICR become SEND_IPI and CPU_UP exits.
 *
 * The xAPIC page, which must be at 0xfee00000, and the x2APIC MSRs are decoded. The library stores
 * the register; reads of it cause no exit. Accesses to other LAPIC registers are MMIO or SYSREG
 * exits, or faults, as without this flag.
 */
#define AXVM_FORWARD_IPIS (1u << 3)
/**
 * x86: a 4-byte write to the I/O port `doorbell_port` is a hypercall.
 *
 * The number is in eax, the arguments are in rdi, rsi, rdx, rcx, r8, r9, and the result goes to
 * rax. The fourth argument is in rcx, as in C calls, not in r10 as for VMCALL
 * (AXVM_FORWARD_HYPERCALLS). Every KVM supports this, from Linux 4.17 on.
 */
#define AXVM_FORWARD_DOORBELL (1u << 4)
/**
 * arm64: the PSCI calls CPU_ON and CPU_OFF become CPU_UP and CPU_DOWN exits.
 *
 * KVM then does not change the power of a CPU: axvcpu_start() and axvcpu_stop() do, and all vCPUs
 * except the first should have AXVCPU_F_START_OFF. The library answers AFFINITY_INFO from
 * axvcpu_power(), without an exit. It also answers a CPU_ON for a CPU that does not exist, is on or
 * about to be, or is the target of another CPU's open CPU_UP exit. Needs KVM_ARM_VM_SMCCC_FILTER
 * (Linux 6.4).
 *
 * Without this flag, all vCPUs except the first sleep in KVM_RUN until another vCPU starts them by
 * CPU_ON, unless they have AXVCPU_F_START_OFF; axvcpu_power() returns ON for them. On riscv64 the
 * kernel always handles the corresponding SBI calls.
 */
#define AXVM_FORWARD_POWER (1u << 5)
/**
 * arm64: the PSCI call SYSTEM_SUSPEND becomes a SYSTEM_SUSPEND exit. Needs
 * KVM_CAP_ARM_SYSTEM_SUSPEND (Linux 5.19). Without this flag the call is not supported.
 *
 * riscv64: the corresponding SBI extension, SUSP, is a HYPERCALL exit if the setup enables it
 * (riscv64.h).
 */
#define AXVM_FORWARD_SUSPEND (1u << 6)
/**
 * x86: a write of `poweroff_value` to the I/O port `poweroff_port` by an OUT of `poweroff_width`
 * bytes is a SYSTEM_DOWN exit. Other accesses to the port, and those of string instructions, are
 * exits as without this flag.
 */
#define AXVM_FORWARD_POWER_OFF (1u << 7)

/** A range of system registers whose accesses become exits. x86: MSRs. */
struct axvm_sysreg_range {
	/** Number of the first register. */
	uint32_t base;
	/** Number of registers, at least 1. */
	uint32_t count;
	/** AXVCPU_ACCESS_READ, AXVCPU_ACCESS_WRITE, or both. */
	uint32_t access;
	uint32_t reserved;
};

/** `kvm_fd` is valid. The descriptor is borrowed: it must stay open until axvm_new() returns. */
#define AXVM_F_KVM_FD (1u << 0)

/** Configuration for axvm_new(). Initialise with AXVM_CONFIG_INIT. */
struct axvm_config {
	/** sizeof(struct axvm_config) */
	size_t size;
	/** AXVM_F_* */
	uint32_t flags;
	/**
	 * With AXVM_F_KVM_FD: a descriptor of /dev/kvm. Otherwise axvm_new() opens and closes its
	 * own.
	 */
	int kvm_fd;
	/** The backend; NULL: the host's architecture over KVM. It must outlive the VM. */
	const struct axvcpu_arch_ops *arch;
	/** Hooks for the host; NULL: all defaults. Copied. */
	const struct axvcpu_hal *hal;
	/** A number for the caller's use, which axvm_id() returns. */
	uint64_t id;
	/** Width of guest-physical addresses in bits; 0: the widest that the host supports. */
	uint32_t gpa_bits;
	/**
	 * Number of vCPUs that may be created, with ids below it; 0: 1. The CPUID of x86 guests and
	 * the redistributors of a GICv3 are for this many CPUs, even if fewer are created.
	 */
	uint32_t max_vcpus;
	/** enum axvm_irqchip */
	uint32_t irqchip;
	/**
	 * The signal that takes a vCPU out of the guest. The caller must have installed a handler
	 * for it, which may be empty and must remain. 0: the library takes the first real-time
	 * signal whose action is the default; all VMs of the process share it. It installs an empty
	 * handler, which stays for the life of the process.
	 */
	int kick_signal;
	/**
	 * Options of the architecture: struct axvm_x86_config (x86_64.h), struct axvm_arm64_config
	 * (arm64.h), struct axvm_riscv64_config (riscv64.h). NULL: all defaults.
	 */
	const void *arch_config;
	/** AXVM_FORWARD_*: events to deliver as exits instead of letting KVM handle them. */
	uint32_t forward;
	/** With AXVM_FORWARD_DOORBELL: the I/O port. */
	uint32_t doorbell_port;
	/**
	 * x86, Intel: a guest that blocks interrupts for longer than this number of cycles causes a
	 * NOTIFY exit; 0: no limit. KVM_CAP_X86_NOTIFY_VMEXIT receives the number unchanged; the
	 * CPU adds an internal threshold.
	 */
	uint32_t notify_window;
	/** Number of elements of `sysregs`. */
	uint32_t nsysregs;
	/**
	 * System registers whose accesses become exits instead of being handled by KVM. x86: up to
	 * 16 ranges of up to 12288 MSRs, except those of the x2APIC (0x800 to 0x8ff). Copied.
	 * axvm_set_sysregs() changes them later.
	 */
	const struct axvm_sysreg_range *sysregs;
	/** With AXVM_FORWARD_POWER_OFF: the I/O port. */
	uint32_t poweroff_port;
	/** With AXVM_FORWARD_POWER_OFF: the width of the write in bytes, 1, 2 or 4. */
	uint32_t poweroff_width;
	/** With AXVM_FORWARD_POWER_OFF: the value written. */
	uint32_t poweroff_value;
	/**
	 * Entries of the dirty ring of each vCPU, a power of 2; 0: the hypervisor records dirty
	 * pages in a bitmap for each region (dirty.h).
	 *
	 * With rings, KVM reports single pages instead of copying a bitmap of each region. A full
	 * ring interrupts its vCPU, and the library then empties it without an exit. KVM has at
	 * most 65536 entries, and at least those of a page (256 with pages of 4 KiB), or 1024 on
	 * Intel CPUs that buffer writes. Needs KVM_CAP_DIRTY_LOG_RING_ACQ_REL or, on x86,
	 * KVM_CAP_DIRTY_LOG_RING (Linux 5.11).
	 */
	uint32_t dirty_ring_entries;
};
#define AXVM_CONFIG_INIT AXVCPU_INIT(struct axvm_config)

/**
 * Creates a VM, without memory and vCPUs.
 *
 * @param config its configuration; NULL: all defaults.
 * @param vm     receives the VM.
 * @return 0; -EINVAL, -E2BIG: the config is not valid; -ENODEV; -EACCES; -ENOTSUP: the host does
 *         not support an option of the config; -EBUSY: another hypervisor uses the virtualization
 *         hardware, or all real-time signals are in use; -ENOMEM; errnos of the kernel.
 *
 * Threads: any.
 */
AXVCPU_API int axvm_new(const struct axvm_config *config, struct axvm **vm);

/**
 * Destroys a VM, unmaps its memory and closes its descriptors.
 *
 * @param vm the VM; may be NULL, then nothing happens.
 * @return 0; -EBUSY: the VM still has vCPUs and was not freed.
 *
 * Threads: any. The caller must ensure that no other thread uses the VM any more.
 */
AXVCPU_API int axvm_free(struct axvm *vm);

/**
 * Tells whether this process is a forked child that has only a copy of the VM.
 *
 * The functions `vm_free` and `vcpu_free` of a custom backend are called for copies too. They must
 * then not take a lock that another thread may have held at the fork.
 *
 * @param vm the VM.
 * @return true in a forked child of the process that created the VM.
 *
 * Threads: any, and signal handlers.
 */
AXVCPU_API bool axvm_is_copy(const struct axvm *vm);

/**
 * Completes the creation of a VM.
 *
 * Call it after the last axvcpu_new() and before the first axvcpu_run(). It initialises the parts
 * that depend on the number of vCPUs, such as the GIC of arm64. Afterwards axvcpu_new() fails with
 * -EBUSY. axvm_runner_start() and the first axvcpu_run() call it if it has not been called.
 * Repeated calls have no effect; after a failure the call can be repeated.
 *
 * @param vm the VM.
 * @return 0; -EPERM; errnos of the kernel.
 *
 * Threads: any.
 */
AXVCPU_API int axvm_finalize(struct axvm *vm);

/**
 * Returns the id of a VM.
 *
 * @param vm the VM.
 * @return `id` of the config.
 *
 * Threads: any.
 */
AXVCPU_API uint64_t axvm_id(const struct axvm *vm);

/**
 * Returns the KVM file descriptor of a VM, for ioctls that this library does not offer.
 *
 * The descriptor remains the library's: it is valid until axvm_free(). Do not close it.
 *
 * @param vm the VM.
 * @return the descriptor; -ENOTSUP: the backend has none; -EPERM.
 *
 * Threads: any.
 */
AXVCPU_API int axvm_fd(const struct axvm *vm);

/**
 * Queries a KVM capability (KVM_CHECK_EXTENSION).
 *
 * @param vm         the VM.
 * @param capability its number (KVM_CAP_*).
 * @return 0: not supported; positive: supported, a value that depends on the capability; -ENOTSUP:
 *         the backend has no capabilities; -EPERM; errnos of the kernel.
 *
 * Threads: any.
 */
AXVCPU_API int axvm_capability(struct axvm *vm, unsigned int capability);

/**
 * Enables a KVM capability on a VM (KVM_ENABLE_CAP).
 *
 * @param vm         the VM.
 * @param capability its number (KVM_CAP_*).
 * @param args       arguments of the capability; NULL: zeros.
 * @return 0 or the positive value that KVM returns; -ENOTSUP; -EPERM; errnos of the kernel.
 *
 * Threads: any.
 */
AXVCPU_API int axvm_enable_capability(struct axvm *vm, unsigned int capability,
				      const uint64_t args[4]);

/**
 * Changes which system registers become exits, at any time.
 *
 * The ranges replace those of the config or of the previous call. A vCPU uses them from its next
 * entry to the guest on; those in the guest are made to enter again. An exit that has been returned
 * is not affected.
 *
 * @param vm     the VM.
 * @param ranges the ranges, as `sysregs` of the config; may be NULL if `count` is 0. Copied.
 * @param count  number of elements of `ranges`; 0: no exits.
 * @return 0; -EINVAL: the ranges are not valid; -ENOTSUP: the backend has none (arm64, riscv64), or
 *         KVM lacks KVM_CAP_X86_MSR_FILTER or KVM_CAP_X86_USER_SPACE_MSR; -ENOMEM; -EPERM; errnos
 *         of the kernel.
 *
 * Threads: any.
 */
AXVCPU_API int axvm_set_sysregs(struct axvm *vm, const struct axvm_sysreg_range *ranges,
				uint32_t count);

/** Limits of a VM. Initialise with AXVM_LIMITS_INIT. */
struct axvm_limits {
	/** sizeof(struct axvm_limits) */
	size_t size;
	/** Largest number of memory regions at a time. */
	uint32_t regions;
	/** Width of guest-physical addresses of this VM in bits. */
	uint32_t gpa_bits;
	/** Largest number of vCPUs of this VM. */
	uint32_t vcpus;
	/** Granularity of regions in bytes: the page size of the host. */
	uint32_t page_size;
	/** arm64 with AXVM_IRQCHIP_KERNEL: version of the GIC of this VM, 2 or 3; otherwise 0. */
	uint32_t gic_version;
	uint32_t reserved;
	/** Largest size of a region in bytes. KVM: 8 TiB less one page, with 4 KiB pages. */
	uint64_t region_bytes;
};
#define AXVM_LIMITS_INIT AXVCPU_INIT(struct axvm_limits)

/**
 * Reads the limits of a VM.
 *
 * @param vm     the VM.
 * @param limits receives the limits. The caller sets `size`; as many members as fit are written.
 * @return 0; -EINVAL: `size` is too small; -EPERM.
 *
 * Threads: any.
 */
AXVCPU_API int axvm_get_limits(const struct axvm *vm, struct axvm_limits *limits);

/**
 * Reads the config of a VM as it is in effect.
 *
 * Defaults are filled in: the kick signal in use, the backend, the HAL with all hooks, the width of
 * addresses, the number of vCPUs. The pointers in it are valid until axvm_free(). `arch_config` is
 * NULL and AXVM_F_KVM_FD is not set, as the library does not keep these. `sysregs` are those of
 * axvm_new(), also after axvm_set_sysregs().
 *
 * @param vm     the VM.
 * @param config receives the config. The caller sets `size`; as many members as fit are written.
 * @return 0; -EINVAL: `size` is too small; -EPERM.
 *
 * Threads: any.
 */
AXVCPU_API int axvm_get_config(const struct axvm *vm, struct axvm_config *config);

/**
 * Describes a VM as text of several lines, for logs and reports of faults.
 *
 * It has the config, the status, the memory regions, and the vCPUs with their states. The text is
 * for readers and may change with each version. Other threads may change the VM
 * meanwhile; each line is right at some moment during the call.
 *
 * @param vm  the VM.
 * @param buf receives the text, null-terminated, and cut if it does not fit; may be NULL if `len`
 *            is 0.
 * @param len size of `buf` in bytes.
 * @return the length of the whole text, without the null; -EPERM.
 *
 * Threads: any, including handlers.
 */
AXVCPU_API int axvm_describe(struct axvm *vm, char *buf, size_t len);

#ifdef __cplusplus
}
#endif

#endif
