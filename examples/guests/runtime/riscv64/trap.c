/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* Interrupts and exceptions, sleep, and the timer. Exceptions end the guest, but where a fixup is. */
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

/* As trapentry.S leaves it. */
struct frame {
	uint64_t x[32];
	uint64_t pc;
};

/* trapentry.S */
void guest_trap(struct frame *frame);

/* From the linker script. */
extern const struct guest_fixup guest_fixups_start[];
extern const struct guest_fixup guest_fixups_end[];

/* Of each CPU: every so many counts its timer expires; 0: once. */
static uint64_t period[GUEST_CPUS_MAX];

/* All CPUs are alike. */
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

/* An interrupt that is kept out ends the sleep, too; and sleep may end for no reason. */
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
 * If the CPU has one, by its own register, as Linux does: of what is set by SBI's call KVM knows nothing
 * when it next takes the vCPU to another CPU, or back to the same. docs/exits.md, "SBI on riscv64".
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

/* --- what comes in ---------------------------------------------------------------------------- */

static void external(void)
{
	unsigned int identity = guest_external_take();

	/* It may have been taken back. */
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
		/* Its interrupt is a level: it lasts until the timer is to expire later. */
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
