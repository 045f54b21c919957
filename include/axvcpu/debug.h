/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/**
 * @file debug.h
 * Debugging a guest from outside: steps, breakpoints, watchpoints, its address translation.
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

/** An exit of kind DEBUG after every instruction. */
#define AXVCPU_DEBUG_STEP (1u << 0)
/**
 * The guest's breakpoint instruction (INT3, BRK, EBREAK) is an exit of kind DEBUG. It is not passed
 * over: put another instruction there, or set the program counter.
 */
#define AXVCPU_DEBUG_SOFTWARE (1u << 1)

/** What a hardware point waits for. */
enum axvcpu_debug_point_kind {
	/** Execution of the instruction at `addr`. */
	AXVCPU_DEBUG_BREAK = 1,
	/** A store. */
	AXVCPU_DEBUG_WATCH_WRITE = 2,
	/** A load or a store; x86 knows no loads alone. */
	AXVCPU_DEBUG_WATCH = 3,
};

/** A hardware breakpoint or watchpoint. */
struct axvcpu_debug_point {
	/** Guest-virtual address (x86: linear); of a watchpoint, a multiple of `len`. */
	uint64_t addr;
	/** Watchpoints: bytes, 1, 2, 4 or 8. Breakpoints: 0. */
	uint32_t len;
	/** enum axvcpu_debug_point_kind */
	uint32_t kind;
};

/** How a vCPU is debugged. Initialise with AXVCPU_DEBUG_INIT. */
struct axvcpu_debug {
	/** sizeof(struct axvcpu_debug) */
	size_t size;
	/** AXVCPU_DEBUG_* */
	uint32_t flags;
	uint32_t npoints;
	/**
	 * Copied. x86_64 has 4; arm64 as many of each kind as KVM_CAP_GUEST_DEBUG_HW_BPS and
	 * KVM_CAP_GUEST_DEBUG_HW_WPS say, which is 2 to 16; riscv64 none, and no steps: EBREAK alone, from
	 * Linux 6.10 on.
	 */
	const struct axvcpu_debug_point *points;
};
#define AXVCPU_DEBUG_INIT AXVCPU_INIT(struct axvcpu_debug)

/**
 * Sets what a vCPU is debugged by, in place of all before. An I/O exit that is still open is finished
 * first, as axvcpu_flush() does. While points are set, they are in the hardware in place of the
 * guest's own.
 *
 * A DEBUG exit comes before the instruction at a breakpoint and after that of a step or a
 * watchpoint; on arm64 a watchpoint's comes before the access, too. To go on from a breakpoint, set
 * another one, or step once without it. A KVM that interprets guest code in software misses
 * watchpoints, and steps over a port write and the next instruction at once.
 *
 * @param debug what; NULL: nothing.
 * @return 0; -EINVAL, -E2BIG: the arguments; -ENOSPC: more points than the hardware has; -ENOTSUP;
 *         -EBADFD; -EBUSY; errnos of the kernel.
 *
 * States: Free, Ready, Blocked; unchanged. Threads: any.
 */
AXVCPU_API int axvcpu_set_debug(struct axvcpu *vcpu, const struct axvcpu_debug *debug);

/**
 * Translates an address of the guest's, by the page tables that are in force. Permissions and access
 * flags do not count. arm64: the library walks the tables of EL1; those of AArch32 are -ENOTSUP.
 * riscv64: likewise those of satp, Sv39, Sv48 and Sv57; without any, all addresses are physical.
 *
 * @param gva guest-virtual address.
 * @param gpa receives the guest-physical address.
 * @return 0; -EFAULT: it is not mapped; -ENOTSUP; -EBADFD; -EBUSY; errnos of the kernel.
 *
 * States: Free, Ready, Blocked; unchanged. Threads: any. axvcpu:
 * guest_page_table_query.
 */
AXVCPU_API int axvcpu_translate(struct axvcpu *vcpu, uint64_t gva, uint64_t *gpa);

#ifdef __cplusplus
}
#endif

#endif
