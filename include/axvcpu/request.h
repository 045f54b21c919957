/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/**
 * @file request.h
 * The request queue: operations on a vCPU that another thread owns.
 *
 * A thread that wants an operation on a vCPU that another thread owns puts a request into the queue
 * of the vCPU, and the owner is taken out of the guest. The owner carries out requests in the order
 * in which they were queued, inside axvcpu_run(), before it enters the guest. A run that was
 * interrupted for a request returns NOTHING, and the next run carries the request out. So an open
 * exit stays with its handler until the next run. Requests by the owner itself, outside of
 * axvcpu_run(), and requests to a vCPU without an owner are carried out at once.
 *
 * A request that was queued can fail later, when the owner carries it out. If its sender waits, it
 * gets the errno. The message is left for the owner's thread, and passed to the log hook; the
 * sender has none. If no sender waits, the log hook is the only report.
 *
 * The queue is limited, because a guest may cause requests. A sender that waits always has room. Of
 * requests without a waiting sender, the queue holds at most 4096 of the kinds INTERRUPT, NMI,
 * EXCEPTION and IRQ_LINE, and 8192 in all. Equal requests in sequence take the room of one: up to
 * 65535 of INTERRUPT with the same vector or of NMI, each of which is carried out; and IRQ_LINE
 * with the same line and level. Interrupts that the in-kernel controllers accept are not queued.
 */
#ifndef AXVCPU_REQUEST_H
#define AXVCPU_REQUEST_H

#include <stddef.h>
#include <stdint.h>

#include <axvcpu/error.h>
#include <axvcpu/interrupt.h>

#ifdef __cplusplus
extern "C" {
#endif

struct axvcpu;

/** Kinds of requests. */
enum axvcpu_request_kind {
	/** axvcpu_inject_interrupt() with `u.vector`. */
	AXVCPU_REQUEST_INTERRUPT = 1,
	/** axvcpu_inject_nmi(). */
	AXVCPU_REQUEST_NMI = 2,
	/** axvcpu_inject_exception() with `u.exception`. */
	AXVCPU_REQUEST_EXCEPTION = 3,
	/** axvcpu_set_irq_line() with `u.line`. */
	AXVCPU_REQUEST_IRQ_LINE = 4,
	/** axvcpu_set_reg() with `u.reg`. */
	AXVCPU_REQUEST_SET_REG = 5,
	/** axvcpu_reset() with `u.start`. */
	AXVCPU_REQUEST_RESET = 6,
	/** axvcpu_start() with `u.start`. */
	AXVCPU_REQUEST_START = 7,
	/** axvcpu_stop(). */
	AXVCPU_REQUEST_STOP = 8,
	/** axvcpu_pause(). */
	AXVCPU_REQUEST_PAUSE = 9,
	/** axvcpu_resume(). */
	AXVCPU_REQUEST_RESUME = 10,
	/**
	 * axvcpu_reset() with the entry point, the argument and the power that axvcpu_setup() gave
	 * the vCPU: its part of axvm_reset(), which also resets what it shares with others.
	 */
	AXVCPU_REQUEST_RESET_TO_SETUP = 11,
};

/** A request, for axvcpu_send_request(). Its size, 64 bytes, never changes. */
struct axvcpu_request {
	/** enum axvcpu_request_kind */
	uint32_t kind;
	uint32_t reserved;
	union {
		uint32_t vector;
		struct axvcpu_exception exception;
		struct {
			uint32_t line;
			uint32_t level;
		} line;
		struct {
			uint64_t id;
			uint64_t value;
		} reg;
		struct {
			uint64_t entry;
			uint64_t arg;
		} start;
		uint64_t pad[7];
	} u;
};

/**
 * Sends a request to a vCPU and waits until it is carried out.
 *
 * With `timeout_ns` 0 it does not wait: it returns 0 when the request has been carried out or
 * queued, as do the functions that the kinds are named after.
 *
 * @param vcpu       the vCPU.
 * @param request    the request; copied.
 * @param timeout_ns longest time to wait until the request is begun, in nanoseconds; negative: no
 *                   limit; 0: do not wait. A request that was begun in time is waited for.
 * @return 0: carried out, or with `timeout_ns` 0 queued; -ETIMEDOUT: the request was not begun in
 *         time, and will not be carried out; -EINVAL: not a request, or an argument of the
 *         operation is not valid; -EBADFD; -ENOMEM; -ENOSPC: the request queue is full, and
 *         `timeout_ns` is 0; -ENOTSUP: the backend does not support the request; -EALREADY: START
 *         of a vCPU that is on, or has a start pending; -EBUSY: the caller is inside an operation
 *         on this vCPU and would wait for itself; -ECANCELED: the vCPU was freed; -EPERM; errnos of
 *         the operation and of the kernel.
 *
 * States: all except Created and Invalid; unchanged.
 * Threads: any.
 */
AXVCPU_API int axvcpu_send_request(struct axvcpu *vcpu, const struct axvcpu_request *request,
				   int64_t timeout_ns);

#ifdef __cplusplus
}
#endif

#endif
