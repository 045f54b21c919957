/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* Interrupts and exceptions, sleep, and the timer. An exception without a fixup ends the guest. */
#include "trap.h"

#include "../dispatch.h"
#include "../guest.h"
#include "../interrupt.h"
#include "../smp.h"
#include "arch.h"
#include "external.h"
#include "sbi.h"

#define CSR_STIMECMP 0x14d /* of Sstc; assemblers may not know its name */
#define CAUSE_INTERRUPT (UINT64_C(1) << 63)
#define CAUSE_EXTERNAL 9u
#define SSTATUS_SIE 2u
#define SIP_SOFTWARE (1u << GUEST_INTERRUPT_IPI)
#define SIP_TIMER (1u << GUEST_INTERRUPT_TIMER)
#define SIP_EXTERNAL (1u << CAUSE_EXTERNAL)

/* Saved by trapentry.S. */
struct frame {
	uint64_t x[32];
	uint64_t pc;
};

/* trapentry.S */
void guest_trap(struct frame *frame);

/* From the linker script. */
extern const struct guest_fixup guest_fixups_start[];
extern const struct guest_fixup guest_fixups_end[];

/* Per CPU: the timer's period in counts; 0: one-shot. */
static uint64_t period[GUEST_CPUS_MAX];

/* All CPUs have the same extensions. */
static bool has_stimecmp;

void guest_interrupts_start(void)
{
	uint64_t never = UINT64_MAX;

	has_stimecmp = guest_try_csr(CSR_STIMECMP, never) == GUEST_NO_FAULT;
	guest_external_start();
	guest_write_csr("sie", SIP_SOFTWARE | SIP_TIMER | SIP_EXTERNAL);
}

void guest_interrupts_on(void)
{
	guest_set_csr("sstatus", SSTATUS_SIE);
}

void guest_interrupts_off(void)
{
	guest_clear_csr("sstatus", SSTATUS_SIE);
}

/* WFI also ends on a masked interrupt, and may end without any. */
void guest_wait(void)
{
	uint64_t before = guest_dispatched();

	do {
		__asm__ volatile("wfi" : : : "memory");
		guest_interrupts_on();
		guest_interrupts_off();
	} while (guest_dispatched() == before);
}

/* --- the timer -------------------------------------------------------------------------------- */

static uint64_t counts(uint32_t us)
{
	return guest_boot_page()->timer_hz * us / 1000000;
}

/*
 * Sets the timer by stimecmp if the CPU has it, as Linux does: a timer set by the SBI call is lost
 * when KVM loads the vCPU again, on any CPU. See docs/exits.md, "SBI on riscv64".
 */
static void expire_in(uint64_t delay)
{
	uint64_t when = delay ? guest_read_csr("time") + delay : UINT64_MAX;

	if (has_stimecmp)
		__asm__ volatile("csrw %0, %1" : : "i"(CSR_STIMECMP), "r"(when) : "memory");
	else
		guest_sbi_call(SBI_TIME, SBI_SET_TIMER, when, 0, 0);
}

void guest_timer_once(uint32_t us)
{
	period[guest_cpu()] = 0;
	expire_in(counts(us));
}

void guest_timer_every(uint32_t us)
{
	period[guest_cpu()] = counts(us);
	expire_in(counts(us));
}

/* --- interrupt and exception entry ------------------------------------------------------------ */

static void external(void)
{
	unsigned int identity = guest_external_take();

	/* The interrupt may have been withdrawn. */
	if (identity)
		guest_dispatch(GUEST_INTERRUPT_EXTERNAL + identity);
}

static void interrupt(uint64_t cause)
{
	switch (cause) {
	case GUEST_INTERRUPT_IPI:
		guest_clear_csr("sip", SIP_SOFTWARE);
		break;
	case GUEST_INTERRUPT_TIMER:
		/*
		 * The timer's interrupt is level-triggered: it stays asserted until the timer is
		 * set to a later time.
		 */
		expire_in(period[guest_cpu()]);
		break;
	case CAUSE_EXTERNAL:
		external();
		return;
	default:
		break;
	}
	guest_dispatch((unsigned int)cause);
}

static bool fix_up(struct frame *frame, uint64_t cause)
{
	const struct guest_fixup *fixup;

	for (fixup = guest_fixups_start; fixup < guest_fixups_end; fixup++)
		if (fixup->from == frame->pc) {
			frame->pc = fixup->to;
			frame->x[10] = cause;
			return true;
		}
	return false;
}

void guest_trap(struct frame *frame)
{
	uint64_t cause = guest_read_csr("scause");

	if (cause & CAUSE_INTERRUPT) {
		interrupt(cause & ~CAUSE_INTERRUPT);
		return;
	}
	if (fix_up(frame, cause))
		return;
	guest_print("guest: exception ");
	guest_print_dec(cause);
	guest_print(" at ");
	guest_print_hex(frame->pc);
	guest_print(", address ");
	guest_print_hex(guest_read_csr("stval"));
	guest_print("\n");
	guest_exit(3);
}
