/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/**
 * @file debug.h
 * Debugging guests: single steps, breakpoints, watchpoints, address translation.
 */
#ifndef AXVCPU_DEBUG_H
#define AXVCPU_DEBUG_H

#include <stddef.h>
#include <stdint.h>

#include <axvcpu/error.h>
#include <axvcpu/init.h>

#ifdef __cplusplus
extern "C" {
#endif

struct axvcpu;

/** A DEBUG exit after every instruction. */
#define AXVCPU_DEBUG_STEP (1u << 0)
/**
 * A DEBUG exit at the breakpoint instruction (INT3, BRK, EBREAK). The instruction is not skipped:
 * to continue, replace it by another one, or set the program counter.
 */
#define AXVCPU_DEBUG_SOFTWARE (1u << 1)

/** Kinds of hardware points. */
enum axvcpu_debug_point_kind {
	/** Breakpoint: execution of the instruction at `addr`. */
	AXVCPU_DEBUG_BREAK = 1,
	/** Watchpoint for stores. */
	AXVCPU_DEBUG_WATCH_WRITE = 2,
	/** Watchpoint for loads and stores. x86 has none for loads only. */
	AXVCPU_DEBUG_WATCH = 3,
};

/** A hardware breakpoint or watchpoint. */
struct axvcpu_debug_point {
	/** Guest-virtual address (x86: linear address). For a watchpoint, a multiple of `len`. */
	uint64_t addr;
	/** Watchpoints: number of bytes, 1, 2, 4 or 8. Breakpoints: 0. */
	uint32_t len;
	/** enum axvcpu_debug_point_kind */
	uint32_t kind;
};

/** Debug settings of a vCPU. Initialise with AXVCPU_DEBUG_INIT. */
struct axvcpu_debug {
	/** sizeof(struct axvcpu_debug) */
	size_t size;
	/** AXVCPU_DEBUG_* */
	uint32_t flags;
	/** Number of elements of `points`. */
	uint32_t npoints;
	/**
	 * Hardware points. Copied. x86_64 has 4. arm64 has 2 to 16 of each kind:
	 * KVM_CAP_GUEST_DEBUG_HW_BPS and KVM_CAP_GUEST_DEBUG_HW_WPS. riscv64 has none, and no
	 * single steps: only EBREAK, from Linux 6.10 on.
	 */
	const struct axvcpu_debug_point *points;
};
#define AXVCPU_DEBUG_INIT AXVCPU_INIT(struct axvcpu_debug)

/**
 * Sets the debug settings of a vCPU, replacing the previous ones.
 *
 * An I/O exit that is still open is completed first, as by axvcpu_flush(). While points are set,
 * they replace the guest's own hardware points.
 *
 * The DEBUG exit of a breakpoint comes before its instruction. The exit of a step comes after the
 * instruction. The exit of a watchpoint comes after the access, on arm64 before it. To continue
 * from a breakpoint, remove it from the points, run one step with AXVCPU_DEBUG_STEP, and set it
 * again. A KVM that interprets guest code in software misses watchpoints, and executes a port write
 * and the next instruction as one step.
 *
 * @param vcpu  the vCPU.
 * @param debug the settings; NULL: debugging off.
 * @return 0; -EINVAL, -E2BIG: the settings are not valid; -ENOSPC: more points than the hardware
 *         has; -ENOTSUP; -EBADFD; -EBUSY; -ENOMEM; -EPERM; errnos of the kernel.
 *
 * States: Free, Ready, Blocked; unchanged.
 * Threads: any.
 */
AXVCPU_API int axvcpu_set_debug(struct axvcpu *vcpu, const struct axvcpu_debug *debug);

/**
 * Translates a guest-virtual address with the current page tables of the guest.
 *
 * Permissions and access flags are ignored. The library walks the tables of CR3, of EL1 (-ENOTSUP
 * for those of AArch32), or of satp (Sv39, Sv48, Sv57). Without paging, guest-virtual addresses are
 * guest-physical. x86: `gva` is a linear address.
 *
 * @param vcpu the vCPU.
 * @param gva  guest-virtual address.
 * @param gpa  receives the guest-physical address.
 * @return 0; -EFAULT: the address is not mapped; -ENOTSUP; -EBADFD; -EBUSY; -EPERM; errnos of the
 *         kernel.
 *
 * States: Free, Ready, Blocked; unchanged.
 * Threads: any.
 * Source: guest_page_table_query() of AxVcpuAccessGuestState, an unreleased trait
 */
AXVCPU_API int axvcpu_translate(struct axvcpu *vcpu, uint64_t gva, uint64_t *gpa);

/** A mapping of the guest's page tables. Initialise with AXVCPU_TRANSLATION_INIT. */
struct axvcpu_translation {
	/** sizeof(struct axvcpu_translation) */
	size_t size;
	/** Guest-physical address. */
	uint64_t gpa;
	/** Size in bytes of the page or block that is mapped; 0: the guest does not use paging. */
	uint64_t page_size;
	/**
	 * AXVCPU_ACCESS_* that the tables permit at the privilege of a kernel: CPL 0 to 2, EL1,
	 * supervisor mode.
	 */
	uint32_t access;
	/** AXVCPU_ACCESS_* that they permit to applications: CPL 3, EL0, user mode. */
	uint32_t user_access;
};
#define AXVCPU_TRANSLATION_INIT AXVCPU_INIT(struct axvcpu_translation)

/**
 * Translates a guest-virtual address and returns the permissions of its mapping.
 *
 * It uses the current page tables of the guest, as axvcpu_translate() does. The permissions are
 * those of the tables, of all levels together. Controls outside of the tables are not applied: x86
 * CR0.WP, SMEP, SMAP and protection keys; arm64 PAN, WXN and permission indirection; riscv64 SUM
 * and MXR. Without paging, every access is permitted.
 *
 * @param vcpu        the vCPU.
 * @param gva         guest-virtual address.
 * @param translation receives the result. The caller sets `size`; as many members as fit are
 *                    written.
 * @return 0; -EINVAL: `size` is too small; -EFAULT: the address is not mapped; -ENOTSUP; -EBADFD;
 *         -EBUSY; -EPERM; errnos of the kernel.
 *
 * States: Free, Ready, Blocked; unchanged.
 * Threads: any.
 * Source: guest_page_table_query() of AxVcpuAccessGuestState, an unreleased trait
 */
AXVCPU_API int axvcpu_translate_access(struct axvcpu *vcpu, uint64_t gva,
				       struct axvcpu_translation *translation);

#ifdef __cplusplus
}
#endif

#endif
