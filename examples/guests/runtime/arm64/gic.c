/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
#include "gic.h"

#include "../guest.h"
#include "../smp.h"
#include "arch.h"

/* Distributor. */
#define GICD(reg) ((uint64_t)GUEST_GPA_GICD + (reg))
#define GICD_CTLR GICD(0x0000)
#define GICD_IGROUPR(n) GICD(0x0080 + 4 * (n))
#define GICD_ISENABLER(n) GICD(0x0100 + 4 * (n))
#define GICD_ISPENDR(n) GICD(0x0200 + 4 * (n))
#define GICD_ITARGETSR(number) GICD(0x0800 + (number)) /* v2, a byte each */
#define GICD_SGIR GICD(0x0f00) /* v2 */
#define GICD_IROUTER(number) GICD(0x6000 + 8 * (number)) /* v3 */
#define GICD_PIDR2 GICD(0xffe8) /* v3: reserved in v2 */
#define PIDR2_VERSION(pidr2) ((pidr2) >> 4 & 15)
#define CTLR_GROUP0 1u
#define CTLR_GROUP1 2u
#define CTLR_AFFINITY 16u

/* v3: a CPU's redistributor; its second half controls the CPU's private interrupts. */
#define GICR(cpu, reg) (GUEST_GPA_GICR + 0x20000 * (uint64_t)(cpu) + (reg))
#define GICR_WAKER(cpu) GICR(cpu, 0x0014)
#define GICR_IGROUPR0(cpu) GICR(cpu, 0x10080)
#define GICR_ISENABLER0(cpu) GICR(cpu, 0x10100)
#define WAKER_ASLEEP 2u
#define WAKER_CHILDREN_ASLEEP 4u

/* v2: the CPU interface. */
#define GICC(reg) ((uint64_t)GUEST_GPA_GICC + (reg))
#define GICC_CTLR GICC(0x00)
#define GICC_PMR GICC(0x04)
#define GICC_IAR GICC(0x0c)
#define GICC_EOIR GICC(0x10)

#define LOWEST_PRIORITY 0xffu
/* The SGIs, and the virtual timer. */
#define OWN_INTERRUPTS (0xffffu | 1u << GUEST_INTERRUPT_TIMER)

#define SGIR_OTHERS (1u << 24)
#define SGI1R_OTHERS (UINT64_C(1) << 40)

static uint32_t bit_of(unsigned int number)
{
	return 1u << number % 32;
}

/* The set-pending registers have the same address in both versions. */
static void raise_shared(unsigned int number)
{
	guest_write32(GICD_ISPENDR(number / 32), bit_of(number));
}

/* --- version 3: the CPU interface is system registers ------------------------------------------- */

static void v3_start(void)
{
	unsigned int cpu = guest_cpu();

	if (cpu == 0)
		guest_write32(GICD_CTLR, CTLR_GROUP1 | CTLR_AFFINITY);
	guest_write32(GICR_WAKER(cpu), guest_read32(GICR_WAKER(cpu)) & ~WAKER_ASLEEP);
	while (guest_read32(GICR_WAKER(cpu)) & WAKER_CHILDREN_ASLEEP)
		guest_relax();
	guest_write32(GICR_IGROUPR0(cpu), UINT32_MAX);
	guest_write32(GICR_ISENABLER0(cpu), OWN_INTERRUPTS);
	guest_write_sysreg("s3_0_c12_c12_5", 1); /* ICC_SRE_EL1 */
	guest_write_sysreg("s3_0_c4_c6_0", LOWEST_PRIORITY); /* ICC_PMR_EL1 */
	guest_write_sysreg("s3_0_c12_c12_7", 1); /* ICC_IGRPEN1_EL1 */
}

/* A CPU's affinity: 16 CPUs on the lowest level. */
static uint64_t affinity(unsigned int cpu)
{
	return (cpu & 15) | (uint64_t)(cpu >> 4 & 255) << 8;
}

static void v3_route(unsigned int number, unsigned int cpu)
{
	uint32_t group = guest_read32(GICD_IGROUPR(number / 32));

	guest_write32(GICD_IGROUPR(number / 32), group | bit_of(number));
	guest_write64(GICD_IROUTER((uint64_t)number), affinity(cpu));
	guest_write32(GICD_ISENABLER(number / 32), bit_of(number));
}

static unsigned int v3_take(void)
{
	unsigned int number = (unsigned int)guest_read_sysreg("s3_0_c12_c12_0"); /* ICC_IAR1_EL1 */

	__asm__ volatile("dsb sy" : : : "memory");
	return number;
}

static void v3_end(unsigned int number)
{
	guest_write_sysreg("s3_0_c12_c12_1", number); /* ICC_EOIR1_EL1 */
}

/* Earlier writes must be visible to the interrupted CPU. */
static void write_sgi1r(uint64_t value)
{
	__asm__ volatile("dsb ishst" : : : "memory");
	guest_write_sysreg("s3_0_c12_c11_5", value); /* ICC_SGI1R_EL1 */
}

static void v3_send(unsigned int cpu, unsigned int number)
{
	write_sgi1r(UINT64_C(1) << (cpu & 15) | (uint64_t)(cpu >> 4 & 255) << 16 |
		    (uint64_t)number << 24);
}

static void v3_send_others(unsigned int number)
{
	write_sgi1r(SGI1R_OTHERS | (uint64_t)number << 24);
}

static const struct gic v3 = {
	.start = v3_start,
	.route = v3_route,
	.raise = raise_shared,
	.take = v3_take,
	.end = v3_end,
	.send = v3_send,
	.send_others = v3_send_others,
};

/* --- version 2: memory-mapped, up to eight CPUs ----------------------------------------------- */

static void v2_start(void)
{
	if (guest_cpu() == 0)
		guest_write32(GICD_CTLR, CTLR_GROUP0 | CTLR_GROUP1);
	guest_write32(GICD_ISENABLER(0), OWN_INTERRUPTS);
	guest_write32(GICC_PMR, LOWEST_PRIORITY);
	guest_write32(GICC_CTLR, 1);
}

static void v2_route(unsigned int number, unsigned int cpu)
{
	guest_write8(GICD_ITARGETSR(number), (uint8_t)(1u << cpu));
	guest_write32(GICD_ISENABLER(number / 32), bit_of(number));
}

/* For an SGI the value also has the sender; the end of interrupt must repeat it. */
static uint32_t v2_taken[GUEST_CPUS_MAX];

static unsigned int v2_take(void)
{
	uint32_t iar = guest_read32(GICC_IAR);

	v2_taken[guest_cpu()] = iar;
	return iar & 1023;
}

static void v2_end(unsigned int number)
{
	(void)number;
	guest_write32(GICC_EOIR, v2_taken[guest_cpu()]);
}

static void v2_send(unsigned int cpu, unsigned int number)
{
	__asm__ volatile("dsb ishst" : : : "memory");
	guest_write32(GICD_SGIR, 1u << (16 + cpu) | number);
}

static void v2_send_others(unsigned int number)
{
	__asm__ volatile("dsb ishst" : : : "memory");
	guest_write32(GICD_SGIR, SGIR_OTHERS | number);
}

static const struct gic v2 = {
	.start = v2_start,
	.route = v2_route,
	.raise = raise_shared,
	.take = v2_take,
	.end = v2_end,
	.send = v2_send,
	.send_others = v2_send_others,
};

/* --- no controller: the timer device ---------------------------------------------------------- */

static void none_start(void)
{
}

static unsigned int none_take(void)
{
	uint32_t number = guest_read32(guest_timer_gpa(guest_cpu(), GUEST_TIMER_INTERRUPT));

	return number == GUEST_TIMER_NOTHING ? GIC_NOTHING : number;
}

static void none_end(unsigned int number)
{
	(void)number;
}

static void none_send(unsigned int cpu, unsigned int number)
{
	guest_write32(guest_timer_gpa(cpu, GUEST_TIMER_INTERRUPT), number);
}

static void none_send_others(unsigned int number)
{
	unsigned int self = guest_cpu(), cpu;

	for (cpu = 0; cpu < guest_cpus(); cpu++)
		if (cpu != self)
			none_send(cpu, number);
}

static const struct gic none = {
	.start = none_start,
	.take = none_take,
	.end = none_end,
	.send = none_send,
	.send_others = none_send_others,
};

const struct gic *guest_gic(void)
{
	static const struct gic *found;
	uint32_t version;

	if (!found && guest_boot_page()->irqchip == GUEST_IRQCHIP_NONE) {
		found = &none;
	} else if (!found) {
		version = PIDR2_VERSION(guest_read32(GICD_PIDR2));
		found = version == 3 || version == 4 ? &v3 : &v2;
	}
	return found;
}
