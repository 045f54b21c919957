/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/**
 * @file interrupt.h
 * Interrupts and exceptions for vCPUs; lines, messages and event descriptors for VMs.
 *
 * What goes to one vCPU may be asked for from any thread, while it runs: it is delivered by the
 * vCPU's owner, before the next entry into the guest (request.h). What goes to the VM's interrupt
 * controllers goes there at once.
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
 * Injects an interrupt, as by an edge.
 *
 * x86_64: vector 0 to 255. Without the kernel's irqchip it is queued, highest vector first, until
 * the guest takes interrupts; every injection is taken once, and while one can be taken HLT does
 * not end in an exit. With one it is a message to this vCPU's LAPIC (from 16 up), whose pending
 * bits coalesce, and which takes nothing while the guest has it switched off.
 *
 * arm64, with a GIC: by its INTID, 16 to 31 this CPU's own (PPIs; not 27 and 30, which KVM's timers
 * have), from 32 on the VM's (SPIs). The input is raised, and nothing lowers it again. If the guest
 * has it as an edge, as KVM's SPIs are at first, that is one interrupt, every time. If it is a level,
 * as KVM's PPIs are always, the interrupt comes again until it is lowered: a PPI by
 * axvcpu_set_irq_line(), an SPI by axvm_set_irq_line(). Before axvm_finalize() it waits for the vCPU's
 * first entry. Without a GIC there are lines alone (-ENOTSUP).
 *
 * riscv64, with an AIA: a message of this identity, from 1 to `ids` of the config, to this vCPU's IMSIC,
 * whose pending bits coalesce; from axvm_finalize() on (before it -EBUSY). Without an AIA there is the
 * line alone (-ENOTSUP).
 *
 * @return 0: delivered, or on its way; -EINVAL: no such vector; -ENOSPC: 65535 of this vector wait,
 *         or the mailbox is full (request.h): the owner has not run the vCPU for long; -ENOTSUP;
 *         -ENOMEM; -EBADFD: the vCPU is not set up; errnos of the kernel.
 *
 * States: all but Created and Invalid; unchanged. Threads: any. axvcpu: inject_interrupt.
 */
AXVCPU_API int axvcpu_inject_interrupt(struct axvcpu *vcpu, uint32_t vector);

/**
 * Injects a non-maskable interrupt: otherwise as axvcpu_inject_interrupt(). arm64 and riscv64 have none.
 */
AXVCPU_API int axvcpu_inject_nmi(struct axvcpu *vcpu);

/** An exception of the guest's own. */
struct axvcpu_exception {
	/**
	 * x86_64: 0 to 31, but not 2 (NMI). 3 and 4 are those of INT3 and INTO, which is next.
	 * arm64: enum axvcpu_arm64_exception. riscv64: 0 to 63, as scause has it.
	 */
	uint32_t vector;
	/**
	 * Whether there is an error code; x86_64: exactly for the vectors that have one; arm64: for an
	 * SError, if KVM has KVM_CAP_ARM_INJECT_SERROR_ESR, the 24 bits of the syndrome; riscv64: never.
	 */
	uint32_t has_error_code;
	uint32_t error_code;
	uint32_t reserved;
};

/**
 * Makes the guest take an exception instead of its next instruction, also if it halts: otherwise
 * as axvcpu_inject_interrupt(). An exit that is open can still be answered, and its instruction is
 * finished first. A page fault's address is the caller's to set (CR2).
 *
 * arm64: an SError is taken when the guest does not mask it; KVM takes none back, so a reset does not.
 * An external abort takes the place of the access that the latest exit was about, an MMIO_READ or
 * MMIO_WRITE or an undecoded access (NESTED_PAGE_FAULT), whose answer then goes nowhere; after any
 * other exit it is -EINVAL. All else KVM cannot bring about (-ENOTSUP): write the registers.
 *
 * riscv64: KVM cannot bring one about either, so the library writes the registers, right before the
 * entry: a trap to supervisor mode, of which stval is the caller's to set.
 *
 * @return -EINVAL also for an error code that does not go with the vector; -EBUSY: another
 *         exception waits for its delivery.
 */
AXVCPU_API int axvcpu_inject_exception(struct axvcpu *vcpu,
				       const struct axvcpu_exception *exception);

/**
 * Sets the level of an interrupt line that ends at this vCPU.
 *
 * @param line  arm64 without a GIC: 0 IRQ, 1 FIQ; with one, a PPI by its INTID, 16 to 31; riscv64
 *              without an AIA: 0, the external interrupt; with one there is none (-ENOTSUP).
 *              x86_64 has none (-ENOTSUP): axvm_set_irq_line() sets those of its controllers.
 * @param level whether it is asserted.
 * @return as axvcpu_inject_interrupt(). States and threads: likewise.
 */
AXVCPU_API int axvcpu_set_irq_line(struct axvcpu *vcpu, uint32_t line, bool level);

/**
 * Asks for an exit of kind IRQ_WINDOW when the guest can take an interrupt; once, however often it
 * is asked for before. For those who keep their own queue. x86_64 without the kernel's irqchip;
 * elsewhere -ENOTSUP. If the guest halts before, that is told first.
 *
 * @return 0; -ENOTSUP; -EBADFD; -EBUSY. States: Free, Ready. Threads: any.
 */
AXVCPU_API int axvcpu_request_irq_window(struct axvcpu *vcpu);

/* --- the VM's controllers -------------------------------------------------------------------- */

/**
 * Sets the level of an input of the VM's interrupt controllers, which the kernel emulates.
 *
 * @param gsi   its number (global system interrupt). One without a route leads nowhere; at first
 *              all inputs of the kernel's controllers have theirs, and with a split irqchip none.
 *              arm64: INTID less 32; riscv64: the APLIC's source, from 1; both without regard to
 *              routes, which are for descriptors. There, lines, messages, routes and descriptors are
 *              -EBUSY before axvm_finalize().
 * @param level whether it is asserted. An edge is both, one after the other.
 * @return 0; -ENOTSUP: the kernel emulates none; -EINVAL: no such number; errnos of the kernel.
 *
 * Threads: any.
 */
AXVCPU_API int axvm_set_irq_line(struct axvm *vm, uint32_t gsi, bool level);

/** A message-signalled interrupt. */
struct axvm_msi {
	/** What the device would write to. x86: 0xfee.....; arm64: the ITS; riscv64: an IMSIC's page. */
	uint64_t address;
	/** What it would write. */
	uint32_t data;
	/** arm64: which device it is, as the ITS tells them apart. Elsewhere 0. */
	uint32_t device;
};

/**
 * Sends a message-signalled interrupt.
 *
 * @param msi which.
 * @return 1: delivered; 0: the guest has it blocked, or nobody is there; -ENOTSUP; errnos of the
 *         kernel.
 *
 * Threads: any.
 */
AXVCPU_API int axvm_signal_msi(struct axvm *vm, const struct axvm_msi *msi);

/** Where an interrupt of a number goes. */
enum axvm_route_kind {
	/** To an input of a controller: `u.pin`. */
	AXVM_ROUTE_PIN = 1,
	/** As a message: `u.msi`. */
	AXVM_ROUTE_MSI = 2,
};

/** A route. */
struct axvm_route {
	uint32_t gsi;
	/** enum axvm_route_kind */
	uint32_t kind;
	union {
		struct {
			/**
			 * x86: 0 master PIC, 1 slave PIC, 2 IOAPIC; arm64: 0, its pins are the SPIs;
			 * riscv64: 0, the APLIC. For descriptors, see axvm_set_irqfd().
			 */
			uint32_t controller;
			uint32_t pin;
		} pin;
		struct axvm_msi msi;
		uint64_t pad[3];
	} u;
};

/**
 * Replaces all routes, or none if it fails.
 *
 * @param routes the new ones; several of one number go to several controllers. A number that goes
 *               out as a message has no other route.
 * @param count  how many; 0: none.
 * @return 0; -EINVAL: NULL though `count` is not 0, unknown kind, or a place that does not exist;
 *         -ENOSPC: too many; -ENOTSUP; -ENOMEM; errnos of the kernel.
 *
 * Threads: any.
 */
AXVCPU_API int axvm_set_routes(struct axvm *vm, const struct axvm_route *routes, size_t count);

/** Take the descriptor away again. */
#define AXVM_EVENT_REMOVE (1u << 0)
/**
 * irqfd: level-triggered; when the guest has ended the interrupt, the line is lowered and
 * `resample_fd` signalled. Not with a split irqchip, where that end is an EOI exit.
 */
#define AXVM_EVENT_RESAMPLE (1u << 1)
/** ioeventfd: a port, not memory. */
#define AXVM_EVENT_PORT (1u << 2)
/** ioeventfd: only when `value` is written. */
#define AXVM_EVENT_DATAMATCH (1u << 3)

/** An eventfd that raises an interrupt, without a call. Initialise with AXVM_IRQFD_INIT. */
struct axvm_irqfd {
	/** sizeof(struct axvm_irqfd) */
	size_t size;
	/** AXVM_EVENT_* */
	uint32_t flags;
	uint32_t gsi;
	int fd;
	int resample_fd;
};
#define AXVM_IRQFD_INIT AXVCPU_INIT(struct axvm_irqfd)

/**
 * Ties an eventfd to an interrupt number, or unties it. To untie what is not tied is nothing.
 *
 * A signal raises the input of a pin; on x86 it also lowers it again. On arm64 and riscv64 the input
 * stays raised until axvm_set_irq_line() or, with AXVM_EVENT_RESAMPLE, the end of the interrupt lowers
 * it. arm64: an SPI that the guest has configured as an edge comes once for each signal; a level comes
 * again and again until it is lowered. riscv64: a source that is a level comes once for each signal; an
 * edge comes once, and again only after it is lowered. Messages are sent once for each signal.
 *
 * @return 0; -EINVAL, -E2BIG: the arguments, also NULL, or a descriptor that is no eventfd; -EBADF:
 *         one that is not open; -EBUSY: it is tied to another; -ENOTSUP; errnos of the kernel.
 *         Threads: any.
 */
AXVCPU_API int axvm_set_irqfd(struct axvm *vm, const struct axvm_irqfd *irqfd);

/** A write that signals an eventfd instead of an exit. Initialise with AXVM_IOEVENTFD_INIT. */
struct axvm_ioeventfd {
	/** sizeof(struct axvm_ioeventfd) */
	size_t size;
	/** AXVM_EVENT_* */
	uint32_t flags;
	int fd;
	/** Guest-physical address, or port. */
	uint64_t address;
	/** With AXVM_EVENT_DATAMATCH: the value, which `width` can hold. Else 0. */
	uint64_t value;
	/** Bytes: 1, 2, 4 or, in memory, 8; 0: of any length, without a value to match. */
	uint32_t width;
	uint32_t reserved;
};
#define AXVM_IOEVENTFD_INIT AXVCPU_INIT(struct axvm_ioeventfd)

/**
 * Ties an eventfd to a write of the guest's, or unties it.
 *
 * @return 0; -EINVAL, -E2BIG: the arguments, also NULL, or a descriptor that is no eventfd; -EBADF:
 *         one that is not open; -EEXIST: that write is taken; -ENOENT: it is not (to remove); -ENOTSUP;
 *         errnos of the kernel. Threads: any.
 */
AXVCPU_API int axvm_set_ioeventfd(struct axvm *vm, const struct axvm_ioeventfd *ioeventfd);

#ifdef __cplusplus
}
#endif

#endif
