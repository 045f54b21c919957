/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
#include "external.h"

#include "../guest.h"
#include "../interrupt.h"
#include "../smp.h"
#include "arch.h"

/* The CPU's side of its IMSIC: registers behind a selector, and the top interrupt. */
#define CSR_SISELECT "0x150"
#define CSR_SIREG "0x151"
#define CSR_STOPEI "0x15c"
#define IMSIC_DELIVERY 0x70u
#define IMSIC_THRESHOLD 0x72u
#define IMSIC_ENABLE 0xc0u
#define TOPEI_IDENTITY(topei) ((topei) >> 16 & 0x7ff)

/* What CPUs send each other in this way. */
#define IDENTITY 1u

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
	write_imsic(IMSIC_ENABLE, UINT64_C(1) << IDENTITY);
	write_imsic(IMSIC_THRESHOLD, 0);
	write_imsic(IMSIC_DELIVERY, 1);
}

unsigned int guest_external_take(void)
{
	uint64_t topei;
	uint32_t number;

	if (have_imsic()) {
		/* A write of anything takes what the same instruction reads. */
		__asm__ volatile("csrrw %0, " CSR_STOPEI ", zero" : "=r"(topei) : : "memory");
		return TOPEI_IDENTITY(topei);
	}
	number = guest_read32(guest_timer_gpa(guest_cpu(), GUEST_TIMER_INTERRUPT));
	return number == GUEST_TIMER_NOTHING ? 0 : number;
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
