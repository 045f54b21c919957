/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
#include "external.h"

#include "../guest.h"
#include "../interrupt.h"
#include "../smp.h"
#include "arch.h"

/* A CPU's IMSIC: registers behind a selector CSR, and the top pending interrupt. */
#define CSR_SISELECT "0x150"
#define CSR_SIREG "0x151"
#define CSR_STOPEI "0x15c"
#define IMSIC_DELIVERY 0x70u
#define IMSIC_THRESHOLD 0x72u
#define IMSIC_ENABLE 0xc0u
#define TOPEI_IDENTITY(topei) ((topei) >> 16 & 0x7ff)

/* The APLIC, which converts wired interrupts to messages. */
#define APLIC(reg) ((uint64_t)GUEST_GPA_APLIC + (reg))
#define APLIC_DOMAINCFG APLIC(0x0000)
#define APLIC_SOURCECFG(source) APLIC(0x0000 + 4 * (source))
#define APLIC_SETIENUM APLIC(0x1edc)
#define APLIC_TARGET(source) APLIC(0x3000 + 4 * (source))
#define DOMAINCFG_ON (1u << 8 | 1u << 2) /* delivery by messages */
#define SOURCE_LEVEL_HIGH 6u
#define TARGET_CPU_SHIFT 18

/* Identities of the message-based IPI and of the console. */
#define IDENTITY 1u
#define CONSOLE_IDENTITY (GUEST_INTERRUPT_CONSOLE - GUEST_INTERRUPT_EXTERNAL)

static bool have_imsic(void)
{
	return guest_boot_page()->irqchip != GUEST_IRQCHIP_NONE;
}

static void write_imsic(uint64_t reg, uint64_t value)
{
	guest_write_csr(CSR_SISELECT, reg);
	guest_write_csr(CSR_SIREG, value);
}

void guest_external_start(void)
{
	if (!have_imsic())
		return;
	write_imsic(IMSIC_ENABLE, 1u << IDENTITY | 1u << CONSOLE_IDENTITY);
	write_imsic(IMSIC_THRESHOLD, 0);
	write_imsic(IMSIC_DELIVERY, 1);
}

unsigned int guest_external_take(void)
{
	uint64_t topei;
	uint32_t number;

	if (have_imsic()) {
		/* Writing any value acknowledges the interrupt that the same instruction reads. */
		__asm__ volatile("csrrw %0, " CSR_STOPEI ", zero" : "=r"(topei) : : "memory");
		return TOPEI_IDENTITY(topei);
	}
	number = guest_read32(guest_timer_gpa(guest_cpu(), GUEST_TIMER_INTERRUPT));
	return number == GUEST_TIMER_NOTHING ? 0 : number;
}

/*
 * A message is sent only when the wire rises. So the handler must read until nothing is left, when
 * the wire falls.
 */
void guest_console_interrupts(void)
{
	guest_write32(APLIC_DOMAINCFG, DOMAINCFG_ON);
	guest_write32(APLIC_SOURCECFG(GUEST_GSI_CONSOLE), SOURCE_LEVEL_HIGH);
	guest_write32(APLIC_TARGET(GUEST_GSI_CONSOLE),
		      guest_cpu() << TARGET_CPU_SHIFT | CONSOLE_IDENTITY);
	guest_write32(APLIC_SETIENUM, GUEST_GSI_CONSOLE);
	guest_console_listen();
}

static void send_message(unsigned int cpu)
{
	guest_write32(GUEST_GPA_IMSIC + (uint64_t)cpu * GUEST_PAGE_SIZE, IDENTITY);
}

static void send_line(unsigned int cpu)
{
	guest_write32(guest_timer_gpa(cpu, GUEST_TIMER_INTERRUPT), IDENTITY);
}

size_t guest_ipi_ways(const struct guest_ipi_way **ways)
{
	static const struct guest_ipi_way message = { "by a message",
						      GUEST_INTERRUPT_EXTERNAL + IDENTITY,
						      GUEST_CPUS_MAX, send_message };
	static const struct guest_ipi_way line = { "by a line", GUEST_INTERRUPT_EXTERNAL + IDENTITY,
						   GUEST_CPUS_MAX, send_line };

	*ways = have_imsic() ? &message : &line;
	return 1;
}
