/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
#include "apic.h"

#include "../guest.h"
#include "../interrupt.h"
#include "../smp.h"
#include "arch.h"
#include "idt.h"

#define APIC UINT64_C(0xfee00000)
#define APIC_EOI 0x0b0
#define APIC_LDR 0x0d0
#define APIC_DFR 0x0e0
#define APIC_SVR 0x0f0
#define APIC_ICR_LOW 0x300
#define APIC_ICR_HIGH 0x310
#define APIC_TIMER 0x320
#define APIC_TIMER_COUNT 0x380
#define APIC_TIMER_DIVIDE 0x3e0

/* The IOAPIC: a select register and a data window. Each pin has two registers. */
#define IOAPIC UINT64_C(0xfec00000)
#define IOAPIC_SELECT 0x00
#define IOAPIC_WINDOW 0x10
#define IOAPIC_PIN(pin) (0x10 + 2 * (pin))
#define PIN_LEVEL 0x8000u
#define PIN_CPU_SHIFT 24

#define SVR_ENABLE 0x100u
#define SPURIOUS 0xffu
#define TIMER_PERIODIC 0x20000u
#define DIVIDE_BY_1 0xbu
/* Frequency of the timer in KVM. */
#define COUNTS_PER_US 1000u

#define ICR_LOWEST 0x00100u
#define ICR_NMI 0x00400u
#define ICR_INIT 0x00500u
#define ICR_STARTUP 0x00600u
#define ICR_LOGICAL 0x00800u
#define ICR_PENDING 0x01000u
#define ICR_ASSERT 0x04000u
#define ICR_SELF 0x40000u
#define ICR_OTHERS 0xc0000u

/* CPUs that have a bit in a flat logical destination. */
#define FLAT_CPUS 8

static void apic_write(unsigned int reg, uint32_t value)
{
	guest_write32(APIC + reg, value);
}

static bool have_apic(void)
{
	return guest_boot_page()->irqchip != GUEST_IRQCHIP_NONE;
}

/* --- interrupts of this CPU ------------------------------------------------------------------- */

static void ignore(unsigned int number)
{
	(void)number;
}

void guest_interrupts_start(void)
{
	unsigned int cpu = guest_cpu();

	guest_idt_load();
	if (!have_apic())
		return;
	if (cpu == 0)
		guest_on_interrupt(SPURIOUS, ignore);
	apic_write(APIC_DFR, UINT32_MAX);
	apic_write(APIC_LDR, cpu < FLAT_CPUS ? 1u << (24 + cpu) : 0);
	apic_write(APIC_SVR, SVR_ENABLE | SPURIOUS);
}

void guest_interrupts_on(void)
{
	__asm__ volatile("sti" : : : "memory");
}

void guest_interrupts_off(void)
{
	__asm__ volatile("cli" : : : "memory");
}

/* No interrupt is taken between sti and hlt, as sti takes effect after the next instruction. */
void guest_wait(void)
{
	__asm__ volatile("sti; hlt; cli" : : : "memory");
}

void guest_apic_eoi(void)
{
	if (have_apic())
		apic_write(APIC_EOI, 0);
}

/* --- the timer -------------------------------------------------------------------------------- */

static void set_timer(uint32_t us, bool periodic)
{
	unsigned int port = GUEST_PORT_TIMER + guest_cpu() * GUEST_TIMER_SIZE;
	unsigned int reg = periodic ? GUEST_TIMER_EVERY : GUEST_TIMER_ONCE;

	if (have_apic()) {
		apic_write(APIC_TIMER_DIVIDE, DIVIDE_BY_1);
		apic_write(APIC_TIMER, GUEST_INTERRUPT_TIMER | (periodic ? TIMER_PERIODIC : 0));
		apic_write(APIC_TIMER_COUNT, us * COUNTS_PER_US);
	} else {
		guest_out32((uint16_t)(port + GUEST_TIMER_VECTOR), GUEST_INTERRUPT_TIMER);
		guest_out32((uint16_t)(port + reg), us);
	}
}

void guest_timer_once(uint32_t us)
{
	set_timer(us, false);
}

void guest_timer_every(uint32_t us)
{
	set_timer(us, true);
}

/* --- the console ------------------------------------------------------------------------------ */

static void ioapic_write(uint32_t reg, uint32_t value)
{
	guest_write32(IOAPIC + IOAPIC_SELECT, reg);
	guest_write32(IOAPIC + IOAPIC_WINDOW, value);
}

void guest_console_interrupts(void)
{
	ioapic_write(IOAPIC_PIN(GUEST_GSI_COM1) + 1, guest_cpu() << PIN_CPU_SHIFT);
	ioapic_write(IOAPIC_PIN(GUEST_GSI_COM1), PIN_LEVEL | GUEST_INTERRUPT_CONSOLE);
	guest_console_listen();
}

/* --- other CPUs ------------------------------------------------------------------------------- */

static void command(uint32_t destination, uint32_t low)
{
	apic_write(APIC_ICR_HIGH, destination << 24);
	apic_write(APIC_ICR_LOW, low);
	while (guest_read32(APIC + APIC_ICR_LOW) & ICR_PENDING)
		guest_relax();
}

void guest_ipi(unsigned int cpu, unsigned int number)
{
	command(cpu, ICR_ASSERT | number);
}

void guest_ipi_others(unsigned int number)
{
	command(0, ICR_OTHERS | ICR_ASSERT | number);
}

void guest_ipi_self(unsigned int number)
{
	command(0, ICR_SELF | ICR_ASSERT | number);
}

static void send_logical(unsigned int cpu)
{
	command(1u << cpu, ICR_LOGICAL | ICR_ASSERT | GUEST_INTERRUPT_IPI);
}

static void send_lowest(unsigned int cpu)
{
	command(1u << cpu, ICR_LOWEST | ICR_LOGICAL | ICR_ASSERT | GUEST_INTERRUPT_IPI);
}

static void send_nmi(unsigned int cpu)
{
	command(cpu, ICR_NMI | ICR_ASSERT);
}

size_t guest_ipi_ways(const struct guest_ipi_way **ways)
{
	static const struct guest_ipi_way all[] = {
		{ "logical", GUEST_INTERRUPT_IPI, FLAT_CPUS, send_logical },
		{ "lowest priority", GUEST_INTERRUPT_IPI, FLAT_CPUS, send_lowest },
		{ "NMI", GUEST_INTERRUPT_NMI, GUEST_CPUS_MAX, send_nmi },
	};

	*ways = all;
	return sizeof(all) / sizeof(all[0]);
}

/* Old CPUs need the second startup IPI; current ones ignore it. */
void guest_apic_start_cpu(unsigned int cpu, uint32_t gpa)
{
	command(cpu, ICR_INIT | ICR_ASSERT);
	command(cpu, ICR_STARTUP | ICR_ASSERT | gpa >> 12);
	command(cpu, ICR_STARTUP | ICR_ASSERT | gpa >> 12);
}
