/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/**
 * @file interrupt.h
 * Interrupts: injection into vCPUs, lines, messages and event descriptors of VMs.
 *
 * The functions for one vCPU may be called from any thread, while it runs. The owner of the vCPU
 * delivers the interrupt before it enters the guest next (request.h). The functions for the
 * interrupt controllers of a VM take effect at once.
 */
#ifndef AXVCPU_INTERRUPT_H
#define AXVCPU_INTERRUPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <axvcpu/error.h>
#include <axvcpu/init.h>

#ifdef __cplusplus
extern "C" {
#endif

struct axvm;
struct axvcpu;

/* --- one vCPU -------------------------------------------------------------------------------- */

/**
 * Injects an edge-triggered interrupt into a vCPU.
 *
 * x86_64: vectors 0 to 255. With AXVM_IRQCHIP_NONE the interrupt is queued, highest vector first,
 * until the guest accepts interrupts. Each injection is delivered exactly once; HLT does not exit
 * while an interrupt is deliverable. With AXVM_IRQCHIP_KERNEL and AXVM_IRQCHIP_SPLIT the interrupt
 * is sent to this vCPU's LAPIC (vectors from 16 on). The LAPIC has one pending bit for each vector,
 * and ignores interrupts while the guest has disabled it.
 *
 * arm64 with a GIC: INTIDs. 16 to 31 are private to this vCPU (PPIs, except 27 and 30, which the
 * timers of KVM use); from 32 on they are those of the VM (SPIs). The input is raised, and not
 * lowered again. If the guest has configured it as edge-triggered, which is the initial state of
 * SPIs, that is one interrupt each time. If it is level-triggered, as PPIs always are, the
 * interrupt recurs until the input is lowered: a PPI by axvcpu_set_irq_line(), an SPI by
 * axvm_set_irq_line(). Before axvm_finalize(), the interrupt waits for the first run of the vCPU.
 * Without a GIC the function is not supported; there are only lines.
 *
 * riscv64 with an AIA: a message with this identity, from 1 to `ids` of struct axvm_riscv64_config,
 * to this vCPU's IMSIC. Its pending bits coalesce. Before axvm_finalize() it fails with -EBUSY.
 * Without an AIA the function is not supported; there is only the external interrupt line.
 *
 * @param vcpu   the vCPU.
 * @param vector the vector, INTID or identity.
 * @return 0: delivered or queued; -EINVAL: there is no such vector; -ENOSPC: 65535 interrupts of
 *         this vector are queued, or the request queue is full (request.h), because the owner has
 *         not run the vCPU for a long time; -ENOTSUP; -EBUSY: riscv64: the VM is not finalized;
 *         -ENOMEM; -EBADFD; -EPERM; errnos of the kernel.
 *
 * States: all except Created and Invalid; unchanged.
 * Threads: any.
 * Source: AxVCpu::inject_interrupt()
 */
AXVCPU_API int axvcpu_inject_interrupt(struct axvcpu *vcpu, uint32_t vector);

/** Trigger modes of an interrupt, for axvcpu_inject_interrupt_with_trigger(). */
enum axvcpu_trigger {
	/** One interrupt for each injection. */
	AXVCPU_TRIGGER_EDGE = 0,
	/** The interrupt is pending until its input is lowered or the guest ends it. */
	AXVCPU_TRIGGER_LEVEL = 1,
};

/**
 * Injects an interrupt with a trigger mode into a vCPU.
 *
 * axvcpu_inject_interrupt() has the numbers and limits of `vector`.
 *
 * x86_64: the mode is that of the message to the LAPIC, whose trigger mode register shows it to the
 * guest. The LAPIC delivers a level-triggered message once, as an edge-triggered one. Its end is an
 * EOI exit if the VM has a split irqchip with a level-triggered route of this vector. With
 * AXVM_IRQCHIP_NONE an edge is axvcpu_inject_interrupt(), and a level is not supported.
 *
 * arm64 with a GIC: a level raises the input, as axvcpu_inject_interrupt() does, until it is
 * lowered by axvcpu_set_irq_line() (a PPI) or axvm_set_irq_line() (an SPI). An edge raises and
 * lowers the input of an SPI: axvm_pulse_irq() describes the effect. PPIs are always
 * level-triggered in KVM, so that an edge could be lost: it is not supported. Edges fail with
 * -EBUSY before axvm_finalize().
 *
 * riscv64 with an AIA: an edge is axvcpu_inject_interrupt(). A level is not supported: an IMSIC
 * takes only messages.
 *
 * @param vcpu    the vCPU.
 * @param vector  the vector, INTID or identity.
 * @param trigger the trigger mode.
 * @return 0: delivered or queued; -EINVAL: there is no such vector or mode; -ENOTSUP: the
 *         controller does not have this mode for this interrupt; -EBUSY: the VM is not finalized;
 *         -ENOSPC; -ENOMEM; -EBADFD; -EPERM; errnos of the kernel.
 *
 * States: all except Created and Invalid; unchanged.
 * Threads: any.
 * Source: AxVCpu::inject_interrupt_with_trigger()
 */
AXVCPU_API int axvcpu_inject_interrupt_with_trigger(struct axvcpu *vcpu, uint32_t vector,
						    enum axvcpu_trigger trigger);

/**
 * Injects a non-maskable interrupt into a vCPU. x86_64 only.
 *
 * As hardware, KVM keeps at most two pending NMIs for a vCPU; more have no effect.
 *
 * @param vcpu the vCPU.
 * @return 0: delivered or queued; -ENOSPC: 65535 of them are queued, or the request queue is full
 *         (request.h); -ENOTSUP; -ENOMEM; -EBADFD; -EPERM; errnos of the kernel.
 *
 * States: all except Created and Invalid; unchanged.
 * Threads: any.
 */
AXVCPU_API int axvcpu_inject_nmi(struct axvcpu *vcpu);

/** An exception, for axvcpu_inject_exception(). */
struct axvcpu_exception {
	/**
	 * x86_64: 0 to 31, except 2 (NMI). 3 and 4 require an INT3 or INTO instruction at the
	 * program counter. arm64: enum axvcpu_arm64_exception. riscv64: 0 to 63, as in scause.
	 */
	uint32_t vector;
	/**
	 * 1 if `error_code` is valid. x86_64: exactly for the vectors that have an error code.
	 * arm64: for an SError, if KVM has KVM_CAP_ARM_INJECT_SERROR_ESR. riscv64: never.
	 */
	uint32_t has_error_code;
	/** The error code. arm64: 24 bits of the syndrome. */
	uint32_t error_code;
	uint32_t reserved;
};

/**
 * Makes the guest take an exception instead of its next instruction, also if it has halted.
 *
 * An open exit can still be answered; its instruction is completed first. For an x86 page fault,
 * the caller sets the fault address (CR2).
 *
 * arm64: an SError is taken when the guest does not mask it. KVM cannot cancel one, so it survives
 * a reset. An external abort replaces the access of the latest exit, which must be an MMIO_READ, an
 * MMIO_WRITE or a NESTED_PAGE_FAULT for an access that was not decoded; an answer to that exit then
 * has no effect. After any other exit it is -EINVAL. KVM cannot inject other exceptions (-ENOTSUP):
 * write the registers instead.
 *
 * riscv64: KVM cannot inject exceptions. The library writes the registers right before the vCPU
 * enters the guest: a trap to supervisor mode. The caller sets stval.
 *
 * @param vcpu      the vCPU.
 * @param exception the exception; copied.
 * @return 0: delivered or queued; -EINVAL: there is no such exception, or the error code does not
 *         match the vector, or the latest exit does not allow it; -EBUSY: another exception is
 *         pending; -ENOSPC: the request queue is full (request.h); -ENOTSUP; -ENOMEM; -EBADFD;
 *         -EPERM; errnos of the kernel.
 *
 * States: all except Created and Invalid; unchanged.
 * Threads: any.
 */
AXVCPU_API int axvcpu_inject_exception(struct axvcpu *vcpu,
				       const struct axvcpu_exception *exception);

/**
 * Sets the level of an interrupt line of one vCPU.
 *
 * x86_64 has no such lines; axvm_set_irq_line() sets those of its controllers.
 *
 * @param vcpu  the vCPU.
 * @param line  arm64 without a GIC: 0 for IRQ, 1 for FIQ; with a GIC: the INTID of a PPI, 16 to 31.
 *              riscv64 without an AIA: 0, the external interrupt; with an AIA there is none
 *              (-ENOTSUP).
 * @param level true: asserted.
 * @return 0: set or queued; -EINVAL: there is no such line; -ENOSPC: the request queue is full
 *         (request.h); -ENOTSUP; -ENOMEM; -EBADFD; -EPERM; errnos of the kernel.
 *
 * States: all except Created and Invalid; unchanged.
 * Threads: any.
 */
AXVCPU_API int axvcpu_set_irq_line(struct axvcpu *vcpu, uint32_t line, bool level);

/**
 * Requests an IRQ_WINDOW exit as soon as the guest can take an interrupt.
 *
 * It is for callers that keep their own queue of interrupts. Repeated requests lead to one exit. If
 * the guest executes HLT first, the HALT exit is reported before the window. x86_64 with
 * AXVM_IRQCHIP_NONE only; otherwise -ENOTSUP.
 *
 * @param vcpu the vCPU.
 * @return 0; -ENOTSUP; -EBADFD; -EBUSY; -EPERM.
 *
 * States: Free, Ready; unchanged.
 * Threads: any.
 */
AXVCPU_API int axvcpu_request_irq_window(struct axvcpu *vcpu);

/* --- a set of vCPUs -------------------------------------------------------------------------- */

/**
 * Injects an interrupt into each vCPU of a set, as axvcpu_inject_interrupt() does.
 *
 * If the set has a vCPU that does not exist, no interrupt is injected. Otherwise the vCPUs are
 * tried in the order of their ids, up to the first failure, whose message names the vCPU: those
 * with lower ids have the interrupt, this one and those with higher ids do not.
 *
 * @param vm     the VM.
 * @param set    the set: bit i of word n stands for the vCPU with id 64 * n + i. No vCPU of the set
 *               may be freed during the call.
 * @param nwords number of words of `set`.
 * @param vector the vector, INTID or identity.
 * @return 0: delivered or queued for all; -ENOENT: the set has a vCPU that does not exist; errnos
 *         of axvcpu_inject_interrupt().
 *
 * Threads: any.
 * Source: axvm: AxVM::inject_interrupt_to_vcpu()
 */
AXVCPU_API int axvm_inject_interrupt(struct axvm *vm, const uint64_t *set, size_t nwords,
				     uint32_t vector);

/* --- controllers of a VM --------------------------------------------------------------------- */

/**
 * Sets the level of an input of the in-kernel interrupt controllers.
 *
 * x86_64: the routes connect the inputs to the controllers. At first, all inputs of the in-kernel
 * controllers have a route; with a split irqchip none has. An input without a route has no effect,
 * and the call returns 0. arm64 and riscv64: inputs need no routes, which are only for event
 * descriptors. There, lines, messages, routes, event descriptors and end functions fail with -EBUSY
 * before axvm_finalize().
 *
 * @param vm    the VM.
 * @param gsi   number of the input (global system interrupt). arm64: INTID less 32. riscv64: the
 *              source of the APLIC, from 1.
 * @param level true: asserted. For an edge: axvm_pulse_irq().
 * @return 0; -ENOTSUP: the VM has no in-kernel interrupt controller; -EINVAL: there is no such
 *         input; -EBUSY: the VM is not finalized; -EPERM; errnos of the kernel.
 *
 * Threads: any.
 */
AXVCPU_API int axvm_set_irq_line(struct axvm *vm, uint32_t gsi, bool level);

/**
 * Raises an input of the in-kernel interrupt controllers, and lowers it again.
 *
 * The effect depends on how the guest has configured the input:
 *
 * - Edge-triggered: one interrupt. If it is masked, the PIC, the GIC and the APLIC keep it as
 *   pending, and the IOAPIC drops it.
 * - Level-triggered, PIC and GIC: none, unless a vCPU takes the interrupt before the input is
 *   lowered.
 * - Level-triggered, IOAPIC and APLIC: one interrupt. The IOAPIC drops it if the pin is masked, or
 *   if the guest has not ended the interrupt before.
 * - x86_64, a number with a message route: one message.
 *
 * A pulse of an interrupt that is pending already has no effect.
 *
 * @param vm  the VM.
 * @param gsi number of the input; see axvm_set_irq_line().
 * @return 0; errnos of axvm_set_irq_line(). If the input cannot be lowered, it stays raised.
 *
 * Threads: any.
 */
AXVCPU_API int axvm_pulse_irq(struct axvm *vm, uint32_t gsi);

/** A message-signalled interrupt. */
struct axvm_msi {
	/**
	 * The address to which a device would write. x86: 0xfee.....; arm64: the ITS; riscv64: the
	 * page of an IMSIC.
	 */
	uint64_t address;
	/** The value that it would write. */
	uint32_t data;
	/** arm64: the device id for the ITS. Otherwise 0. */
	uint32_t device;
};

/**
 * Sends a message-signalled interrupt.
 *
 * @param vm  the VM.
 * @param msi the message.
 * @return 1: delivered; 0: the guest has blocked it, or it has no target; -ENOTSUP: the VM has no
 *         in-kernel controller that takes messages; -EBUSY: the VM is not finalized; -EPERM; errnos
 *         of the kernel.
 *
 * Threads: any.
 */
AXVCPU_API int axvm_signal_msi(struct axvm *vm, const struct axvm_msi *msi);

/** Kinds of routes. */
enum axvm_route_kind {
	/** To a pin of a controller: `u.pin`. */
	AXVM_ROUTE_PIN = 1,
	/** As a message: `u.msi`. */
	AXVM_ROUTE_MSI = 2,
};

/** A route from an interrupt number to a controller. */
struct axvm_route {
	/** The interrupt number (global system interrupt). */
	uint32_t gsi;
	/** enum axvm_route_kind */
	uint32_t kind;
	union {
		struct {
			/**
			 * x86: 0 master PIC, 1 slave PIC, 2 IOAPIC. arm64: 0; its pins are the
			 * SPIs. riscv64: 0, the APLIC.
			 */
			uint32_t controller;
			/** Number of the pin. */
			uint32_t pin;
		} pin;
		/** The message. */
		struct axvm_msi msi;
		uint64_t pad[3];
	} u;
};

/** For `gsi` of axvm_add_route(): a free number. */
#define AXVM_GSI_ANY UINT32_MAX

/**
 * Adds an interrupt route to those that a VM has.
 *
 * The library keeps a table of all routes, and gives it to KVM at each change. At first it has the
 * default routes, which connect each pin of the in-kernel controllers with the number of its input:
 * on x86_64 with AXVM_IRQCHIP_KERNEL the IOAPIC (0 to 23) and both PICs (0 to 15), on arm64 the
 * SPIs, on riscv64 the sources of the APLIC. With AXVM_IRQCHIP_SPLIT it is empty. A change does not
 * disturb other routes. If it fails, the table is unchanged.
 *
 * Several pins of different controllers can have the same number. A message must be the only route
 * of its number.
 *
 * @param vm    the VM.
 * @param route the route; copied. With AXVM_GSI_ANY as its `gsi`, the library chooses a number that
 *              has no route and no eventfd, and is not the number of an input.
 * @return the number of the route; -EEXIST: the number has a route that excludes this one;
 *         -ENOSPC: no number is free, or there are too many routes; -EINVAL: the kind, number,
 *         controller or pin does not exist; -ENOTSUP; -EBUSY: the VM is not finalized; -ENOMEM;
 *         -EPERM; errnos of the kernel.
 *
 * Threads: any.
 */
AXVCPU_API int axvm_add_route(struct axvm *vm, const struct axvm_route *route);

/**
 * Replaces all routes of one number by another one. Its eventfds stay attached.
 *
 * A masked route stays masked.
 *
 * @param vm    the VM.
 * @param route the new route of the number `gsi`; copied.
 * @return 0; -ENOENT: the number has no route; -EINVAL: the kind, controller or pin does not exist,
 *         or a masked route would not be a message; -ENOTSUP; -EBUSY: the VM is not finalized;
 *         -ENOMEM; -EPERM; errnos of the kernel.
 *
 * Threads: any.
 */
AXVCPU_API int axvm_change_route(struct axvm *vm, const struct axvm_route *route);

/**
 * Masks or unmasks a message route.
 *
 * It has the effect of the mask bit of an MSI-X vector. While the route is masked, its eventfds are
 * detached from KVM. A signal remains in the count of the eventfd, and unmasking sends one message
 * for all signals that have arrived meanwhile. The eventfds must not be read.
 *
 * axvm_set_irq_line() and axvm_pulse_irq() have no effect on a masked route, and are not
 * remembered. Routes to pins cannot be masked: the guest masks the pin in its controller.
 *
 * @param vm     the VM.
 * @param gsi    the number of the route.
 * @param masked true: mask; false: unmask. A route that is in this state already is not changed.
 * @return 0; -ENOENT: the number has no route; -EINVAL: its route is to a pin; -ENOTSUP; -EBUSY:
 *         the VM is not finalized; -ENOMEM; -EPERM; errnos of axvm_set_irqfd() and of the kernel.
 *
 * Threads: any.
 */
AXVCPU_API int axvm_mask_route(struct axvm *vm, uint32_t gsi, bool masked);

/**
 * Removes all routes of a number, and detaches its eventfds.
 *
 * @param vm  the VM.
 * @param gsi the number.
 * @return 0; -ENOENT: the number has no route; -ENOTSUP; -EBUSY: the VM is not finalized; -ENOMEM;
 *         -EPERM; errnos of the kernel.
 *
 * Threads: any.
 */
AXVCPU_API int axvm_remove_route(struct axvm *vm, uint32_t gsi);

/**
 * Replaces all interrupt routes of a VM, including the default ones. On failure none is replaced.
 *
 * @param vm     the VM.
 * @param routes the new routes. Several routes of one number go to several controllers. A number
 *               with a message route must have no other route.
 * @param count  number of elements of `routes`; 0: no routes.
 * @return 0; -EINVAL: `routes` is NULL and `count` is not 0, or a kind, controller or pin does not
 *         exist; -ENOSPC: too many routes; -ENOTSUP; -EBUSY: the VM is not finalized, or a route is
 *         masked; -ENOMEM; -EPERM; errnos of the kernel.
 *
 * Threads: any.
 */
AXVCPU_API int axvm_set_routes(struct axvm *vm, const struct axvm_route *routes, size_t count);

/** Detach the descriptor. */
#define AXVM_EVENT_REMOVE (1u << 0)
/**
 * irqfd: level-triggered. At the end of the interrupt the line is lowered, and `resample_fd` is
 * signalled. Not with a split irqchip, where the end of an interrupt is an EOI exit, nor on
 * riscv64. axvm_set_irq_end() is the form with a function instead of a descriptor.
 */
#define AXVM_EVENT_RESAMPLE (1u << 1)
/** ioeventfd: `address` is an I/O port. */
#define AXVM_EVENT_PORT (1u << 2)
/** ioeventfd: signal only if `value` is written. */
#define AXVM_EVENT_DATAMATCH (1u << 3)

/** An eventfd that raises an interrupt, for axvm_set_irqfd(). Initialise with AXVM_IRQFD_INIT. */
struct axvm_irqfd {
	/** sizeof(struct axvm_irqfd) */
	size_t size;
	/** AXVM_EVENT_* */
	uint32_t flags;
	/** The interrupt number (global system interrupt). */
	uint32_t gsi;
	/** The eventfd whose signals raise the interrupt. */
	int fd;
	/** With AXVM_EVENT_RESAMPLE: the eventfd that is signalled at the end of the interrupt. */
	int resample_fd;
};
#define AXVM_IRQFD_INIT AXVCPU_INIT(struct axvm_irqfd)

/**
 * Attaches an eventfd to an interrupt number, or detaches it.
 *
 * A signal raises the input of a pin. On x86 the input is then lowered. On arm64 and riscv64 it
 * stays raised until axvm_set_irq_line() or, with AXVM_EVENT_RESAMPLE, the end of the interrupt
 * lowers it. arm64: an SPI that the guest has configured as edge-triggered occurs once for each
 * signal; a level-triggered SPI recurs until it is lowered. riscv64: a level-triggered source
 * occurs once for each signal; an edge-triggered one occurs once, and again only after it was
 * lowered. Messages are sent once for each signal.
 *
 * Detaching an eventfd that is not attached succeeds. An eventfd must be detached before it is
 * closed: axvm_mask_route() and axvm_remove_route() use its descriptor. While the route is masked,
 * the eventfd is only recorded, and axvm_mask_route() attaches it.
 *
 * @param vm    the VM.
 * @param irqfd the eventfd and its interrupt.
 * @return 0; -EINVAL, -E2BIG: the argument is not valid, or NULL, or a descriptor is not an
 *         eventfd; -EBADF: a descriptor is not open; -EBUSY: the eventfd is attached already, or
 *         the VM is not finalized; -ENOTSUP; -ENOMEM; -EPERM; errnos of the kernel.
 *
 * Threads: any.
 */
AXVCPU_API int axvm_set_irqfd(struct axvm *vm, const struct axvm_irqfd *irqfd);

/**
 * Sets a function to be called when the guest has ended a level-triggered interrupt.
 *
 * The interrupt is raised by axvm_raise_irq(). When the guest ends it, its input is lowered, and
 * then the function is called, which raises it again if the device still asserts it. Ends in quick
 * succession can be one call.
 *
 * x86_64 with AXVM_IRQCHIP_KERNEL and arm64 with a GIC: the number must have a route to a pin. KVM
 * signals an eventfd of the library. A thread of the library waits for it and calls the function.
 * It is created with the first function, ends in axvm_free(), and has all signals blocked except
 * those that a thread causes itself. The GIC reports the end of SPIs that the guest has configured
 * as level-triggered. The end of an interrupt that axvm_set_irq_line() has raised is reported, too;
 * x86_64 leaves such an input raised, so that it recurs, and arm64 lowers it. Callers with an event
 * loop can use AXVM_EVENT_RESAMPLE of axvm_set_irqfd() instead, which needs no thread.
 *
 * x86_64 with AXVM_IRQCHIP_SPLIT: the number, an input of the IOAPIC (0 to 23), must have a
 * level-triggered message route (bit 15 of the data). The thread that runs the vCPU calls the
 * function for each level-triggered route with the vector, at the end of axvcpu_run(), which then
 * returns the EOI exit. axvm_raise_irq() sends the message each time, also before the end.
 *
 * Messages of other routes have no end, and KVM does not report the end of an interrupt of a
 * riscv64 AIA: -ENOTSUP.
 *
 * @param vm  the VM.
 * @param gsi the number of the interrupt.
 * @param fn  the function, which replaces an earlier one; NULL: none. When this call returns, the
 *            earlier one is not executing. It may call functions of the VM except this one and
 *            axvm_free() (-EBUSY), and must not wait for a thread that calls this one, nor end its
 *            thread. It is called with cancellation disabled.
 * @param ctx passed to `fn`.
 * @return 0; -ENOENT: the number has no route, or no function to remove; -ENOTSUP: no end is
 *         reported for this interrupt; -EBUSY: the VM is not finalized, or called by an end
 *         function; -EAGAIN: no thread can be created; -ENOMEM; -EPERM; errnos of the kernel.
 *
 * Threads: any.
 * Source: AxVCpu::handle_eoi()
 */
AXVCPU_API int axvm_set_irq_end(struct axvm *vm, uint32_t gsi,
				void (*fn)(struct axvm *vm, uint32_t gsi, void *ctx), void *ctx);

/**
 * Raises an input that has an end function, until the guest ends the interrupt.
 *
 * An input that is raised already is not changed. Removing the end function lowers the input. On
 * x86_64, axvm_set_irq_line() does not lower it.
 *
 * @param vm  the VM.
 * @param gsi the number of the interrupt.
 * @return 0; -ENOENT: the number has no end function (axvm_set_irq_end()); -EPERM; errnos of the
 *         kernel.
 *
 * Threads: any.
 */
AXVCPU_API int axvm_raise_irq(struct axvm *vm, uint32_t gsi);

/**
 * A write that signals an eventfd instead of an exit, for axvm_set_ioeventfd(). Initialise with
 * AXVM_IOEVENTFD_INIT.
 */
struct axvm_ioeventfd {
	/** sizeof(struct axvm_ioeventfd) */
	size_t size;
	/** AXVM_EVENT_* */
	uint32_t flags;
	/** The eventfd. */
	int fd;
	/** Guest-physical address, or I/O port. */
	uint64_t address;
	/** With AXVM_EVENT_DATAMATCH: the value, which must fit in `width`. Otherwise 0. */
	uint64_t value;
	/**
	 * Number of bytes: 1, 2, 4 or, in memory, 8; 0: any length, without AXVM_EVENT_DATAMATCH.
	 */
	uint32_t width;
	uint32_t reserved;
};
#define AXVM_IOEVENTFD_INIT AXVCPU_INIT(struct axvm_ioeventfd)

/**
 * Attaches an eventfd to a write by the guest, or detaches it.
 *
 * @param vm        the VM.
 * @param ioeventfd the eventfd and the write.
 * @return 0; -EINVAL, -E2BIG: the argument is not valid, or NULL, or a descriptor is not an
 *         eventfd; -EBADF: a descriptor is not open; -EEXIST: the write has an eventfd; -ENOENT: it
 *         has none (to detach); -ENOTSUP; -EPERM; errnos of the kernel.
 *
 * Threads: any.
 */
AXVCPU_API int axvm_set_ioeventfd(struct axvm *vm, const struct axvm_ioeventfd *ioeventfd);

#ifdef __cplusplus
}
#endif

#endif
