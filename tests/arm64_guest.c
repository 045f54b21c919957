/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
#include "arm64_guest.h"

#include "suite.h"

void a64_start(struct guest *guest, const struct axvm_config *config, const void *code, size_t len,
	       uint64_t arg, const struct axvcpu_arm64_setup *arm64)
{
	struct axvcpu_setup_config setup = guest_setup_config(0);

	guest_create(guest, config, code, len);
	setup.arg = arg;
	setup.arch = arm64;
	ck_ok(axvcpu_setup(guest->vcpu, GUEST_CODE, 0, &setup));
	ck_ok(axvcpu_bind(guest->vcpu));
}

/* --- calls ----------------------------------------------------------------------------------- */

uint64_t a64_calls(struct axvm *vm, uint32_t id, const struct a64_call *calls, size_t n)
{
	const struct a64_call end = { .conduit = A64_CALL_END };
	uint64_t list = A64_LIST + id * 0x1000u;

	ck_assert_uint_lt(n, 0x1000 / sizeof(end));
	ck_ok(axvm_write(vm, list, calls, n * sizeof(end)));
	ck_ok(axvm_write(vm, list + n * sizeof(end), &end, sizeof(end)));
	return list;
}

uint64_t a64_call_result(struct guest *guest)
{
	uint64_t result;

	guest_expect(guest, AXVCPU_EXIT_MMIO_WRITE);
	ck_assert_uint_eq(guest->exit.u.mmio.addr, GUEST_MMIO);
	result = guest->exit.u.mmio.data;
	guest_expect(guest, AXVCPU_EXIT_MMIO_WRITE);
	ck_assert_uint_eq(guest->exit.u.mmio.addr, GUEST_MMIO + 8);
	return result;
}

/* --- the GIC --------------------------------------------------------------------------------- */

#define GICD_CTLR 0x0u
#define GICD_CTLR_ON 0x12u /* affinity routing, group 1 */
#define GIC_ISENABLER 0x100u
#define GICR_SGI_PAGE 0x10000u

void a64_start_gic(struct guest *guest, const struct axvm_arm64_config *given, bool timer,
		   const struct a64_store *extra, size_t nextra)
{
	struct axvm_config config = AXVM_CONFIG_INIT;
	uint64_t gicd = given && given->gicd_gpa ? given->gicd_gpa : AXVM_ARM64_GICD;
	uint64_t gicr = given && given->gicr_gpa ? given->gicr_gpa : AXVM_ARM64_GICR;
	uint32_t nirqs = given && given->nirqs ? given->nirqs : 256;
	const struct a64_store end = { .addr = 0 };
	const uint64_t word = timer;
	uint64_t at = A64_LIST + sizeof(word);
	struct a64_store store = { gicd + GICD_CTLR, 4, GICD_CTLR_ON };
	struct axvcpu_setup_config setup = guest_setup_config(0);

	config.irqchip = AXVM_IRQCHIP_KERNEL;
	config.arch_config = given;
	guest_create(guest, &config, PROGRAM(gic));
	ck_ok(axvm_write(guest->vm, A64_LIST, &word, sizeof(word)));
	ck_ok(axvm_write(guest->vm, at, &store, sizeof(store)));
	/* All interrupts, 32 at a time; the first 32 are the redistributor's. */
	for (uint32_t i = 0; i < nirqs / 32; i++) {
		at += sizeof(store);
		store.addr = (i ? gicd + 4 * i : gicr + GICR_SGI_PAGE) + GIC_ISENABLER;
		store.value = UINT32_MAX;
		ck_ok(axvm_write(guest->vm, at, &store, sizeof(store)));
	}
	at += sizeof(store);
	ck_ok(axvm_write(guest->vm, at, extra, nextra * sizeof(store)));
	ck_ok(axvm_write(guest->vm, at + nextra * sizeof(store), &end, sizeof(end)));
	setup.arg = A64_LIST;
	ck_ok(axvcpu_setup(guest->vcpu, GUEST_CODE, 0, &setup));
	ck_ok(axvcpu_bind(guest->vcpu));
	guest_expect_write(guest, GUEST_MMIO, timer);
}

void a64_expect_irq(struct guest *guest, uint32_t intid)
{
	guest_expect_write(guest, GUEST_MMIO + 8, intid);
}

/* --- others ---------------------------------------------------------------------------------- */

void a64_start_piece(struct guest *guest, const struct axvm_config *config,
		     const struct axvcpu_arm64_setup *arm64, uint64_t piece)
{
	a64_start(guest, config, PROGRAM(faults), piece, arm64);
	ck_ok(axvm_write(guest->vm, A64_PIECES, PROGRAM(pieces)));
	guest_expect_write(guest, GUEST_MMIO, (uint32_t)piece);
}
