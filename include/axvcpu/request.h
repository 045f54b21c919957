/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/**
 * @file request.h
 * The mailbox: what other threads ask of a vCPU, and its owner does.
 *
 * A thread that wants something of a vCPU that another thread owns puts a request into its
 * mailbox, and the owner is taken out of the guest. The owner carries requests out in the order in
 * which they came, inside axvcpu_run(), before it enters the guest. A run that was interrupted for
 * them returns NOTHING, and the next one carries them out: an exit that waits for an answer is not
 * taken away from its handler. An owner that asks for itself, outside of run, and anybody who asks of a vCPU without an owner,
 * has it done at once.
 *
 * Room in the mailbox is limited, as a guest may be what causes the requests. A sender that waits
 * always has room. Of requests that no sender waits for there are at most 4096 of INTERRUPT, NMI,
 * EXCEPTION and IRQ_LINE, and 8192 in all. Requests in a row that are the same take the room of
 * one: an INTERRUPT of one vector or an NMI up to 65535 times, each of which is carried out, and an
 * IRQ_LINE of the same line and level. Where the kernel's controllers take an interrupt, it is not
 * in the mailbox.
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

/** What is asked. */
enum axvcpu_request_kind {
	/** `u.vector`: axvcpu_inject_interrupt() */
	AXVCPU_REQUEST_INTERRUPT = 1,
	/** axvcpu_inject_nmi() */
	AXVCPU_REQUEST_NMI = 2,
	/** `u.exception`: axvcpu_inject_exception() */
	AXVCPU_REQUEST_EXCEPTION = 3,
	/** `u.line`: axvcpu_set_irq_line() */
	AXVCPU_REQUEST_IRQ_LINE = 4,
	/** `u.reg`: axvcpu_set_reg() */
	AXVCPU_REQUEST_SET_REG = 5,
	/** `u.start`: axvcpu_reset() */
	AXVCPU_REQUEST_RESET = 6,
	/** `u.start`: axvcpu_start() */
	AXVCPU_REQUEST_START = 7,
	/** axvcpu_stop() */
	AXVCPU_REQUEST_STOP = 8,
	/** axvcpu_pause() */
	AXVCPU_REQUEST_PAUSE = 9,
	/** axvcpu_resume() */
	AXVCPU_REQUEST_RESUME = 10,
};

/** A request. 64 bytes, for ever. */
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
 * Asks something of a vCPU and waits until it is done.
 *
 * @param request    what; copied.
 * @param timeout_ns how long to wait, in nanoseconds; negative: without a limit; 0: not at all, as
 *                   the functions named above do.
 * @return what the request itself returned; 0 if it was left in the mailbox and `timeout_ns` is 0;
 *         -ETIMEDOUT: it was not begun in time, and will not be; -EINVAL: not a request;
 *         -EBADFD: the vCPU is not set up, or Invalid; -ENOMEM; -ENOSPC: the mailbox is full, and
 *         `timeout_ns` is 0; -EBUSY: the caller is inside this
 *         very vCPU and would wait for itself; -ECANCELED: the vCPU was freed.
 *
 * States: all but Created and Invalid; unchanged. Threads: any.
 */
AXVCPU_API int axvcpu_send_request(struct axvcpu *vcpu, const struct axvcpu_request *request,
			      int64_t timeout_ns);

#ifdef __cplusplus
}
#endif

#endif
