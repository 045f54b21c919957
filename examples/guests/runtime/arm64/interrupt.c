/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* Interrupts and exceptions, sleep, and the virtual timer. An exception ends the guest. */
#include "../interrupt.h"

#include "../dispatch.h"
#include "../guest.h"
#include "../smp.h"
#include "arch.h"
#include "gic.h"

/* A shared interrupt that no device uses. */
#define SHARED_IPI 64u

/* Vectors for exceptions from the current level with SP_ELx. */
#define VECTOR_IRQ 5u

#define TIMER_ON 1u

/* Saved by vectors.S. */
struct frame {
	uint64_t x[31];
	uint64_t elr;
	uint64_t spsr;
};

/* vectors.S */
void guest_vector(struct frame *frame, uint64_t vector);

/* Per CPU: the timer's period in counts; 0: one-shot. */
static uint64_t period[GUEST_CPUS_MAX];

void guest_interrupts_start(void)
{
	guest_gic()->start();
}

void guest_interrupts_on(void)
{
	__asm__ volatile("msr daifclr, #2\n\tisb" : : : "memory");
}

void guest_interrupts_off(void)
{
	__asm__ volatile("msr daifset, #2" : : : "memory");
}

/* WFI also ends on a masked interrupt, and may end without any. */
void guest_wait(void)
{
	uint64_t before = guest_dispatched();

	do {
		__asm__ volatile("dsb sy\n\twfi" : : : "memory");
		guest_interrupts_on();
		guest_interrupts_off();
	} while (guest_dispatched() == before);
}

/* --- the timer -------------------------------------------------------------------------------- */

static bool have_gic(void)
{
	return guest_boot_page()->irqchip != GUEST_IRQCHIP_NONE;
}

static uint64_t counts(uint32_t us)
{
	return guest_read_sysreg("cntfrq_el0") * us / 1000000;
}

static uint64_t now(void)
{
	__asm__ volatile("isb" : : : "memory");
	return guest_read_sysreg("cntvct_el0");
}

static void set_timer(uint32_t us, bool periodic)
{
	unsigned int cpu = guest_cpu();
	unsigned int reg = periodic ? GUEST_TIMER_EVERY : GUEST_TIMER_ONCE;

	if (!have_gic()) {
		guest_write32(guest_timer_gpa(cpu, GUEST_TIMER_VECTOR), GUEST_INTERRUPT_TIMER);
		guest_write32(guest_timer_gpa(cpu, reg), us);
		return;
	}
	period[cpu] = periodic ? counts(us) : 0;
	guest_write_sysreg("cntv_cval_el0", now() + counts(us));
	guest_write_sysreg("cntv_ctl_el0", us ? TIMER_ON : 0);
}

void guest_timer_once(uint32_t us)
{
	set_timer(us, false);
}

void guest_timer_every(uint32_t us)
{
	set_timer(us, true);
}

/*
 * The timer's interrupt is level-triggered: it stays asserted until the timer is off or set to a
 * later time.
 */
static void timer_expired(unsigned int cpu)
{
	if (period[cpu])
		guest_write_sysreg("cntv_cval_el0", now() + period[cpu]);
	else
		guest_write_sysreg("cntv_ctl_el0", 0);
}

/* --- the console ------------------------------------------------------------------------------ */

void guest_console_interrupts(void)
{
	guest_gic()->route(GUEST_INTERRUPT_CONSOLE, guest_cpu());
	guest_console_listen();
}

/* --- other CPUs ------------------------------------------------------------------------------- */

void guest_ipi(unsigned int cpu, unsigned int number)
{
	guest_gic()->send(cpu, number);
}

void guest_ipi_others(unsigned int number)
{
	guest_gic()->send_others(number);
}

void guest_ipi_self(unsigned int number)
{
	guest_gic()->send(guest_cpu(), number);
}

static void send_shared(unsigned int cpu)
{
	guest_gic()->route(SHARED_IPI, cpu);
	guest_gic()->raise(SHARED_IPI);
}

size_t guest_ipi_ways(const struct guest_ipi_way **ways)
{
	static const struct guest_ipi_way all[] = {
		{ "by a shared interrupt", SHARED_IPI, GUEST_CPUS_MAX, send_shared },
	};

	*ways = all;
	return guest_gic()->route ? sizeof(all) / sizeof(all[0]) : 0;
}

/* --- interrupt and exception entry ------------------------------------------------------------ */

static void interrupt(void)
{
	unsigned int number = guest_gic()->take();

	if (number == GIC_NOTHING)
		return;
	if (number == GUEST_INTERRUPT_TIMER && have_gic())
		timer_expired(guest_cpu());
	guest_dispatch(number);
	guest_gic()->end(number);
}

void guest_vector(struct frame *frame, uint64_t vector)
{
	if (vector == VECTOR_IRQ) {
		interrupt();
		return;
	}
	guest_print("guest: exception ");
	guest_print_hex(guest_read_sysreg("esr_el1"));
	guest_print(" at ");
	guest_print_hex(frame->elr);
	guest_print(", address ");
	guest_print_hex(guest_read_sysreg("far_el1"));
	guest_print("\n");
	guest_exit(3);
}
