/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
#include "riscv64_guest.h"

#include "suite.h"

bool riscv64_host_has_aia(void)
{
	return guest_nirqchips() == 2;
}

bool riscv64_failed_fetch_comes_out(void)
{
	struct guest guest;
	bool comes_out;

	/* To address 0. */
	guest_start(&guest, AXVCPU_MODE_64, PROGRAM(jump));
	guest_expect_write(&guest, GUEST_MMIO, 0);
	do
		ck_ok(axvcpu_run(guest.vcpu, &guest.exit));
	while (guest.exit.kind == AXVCPU_EXIT_NOTHING);
	comes_out = guest.exit.kind == AXVCPU_EXIT_NESTED_PAGE_FAULT;
	if (!comes_out) {
		ck_assert_uint_eq(guest.exit.kind, AXVCPU_EXIT_MMIO_WRITE);
		ck_assert_uint_eq(guest.exit.u.mmio.addr, GUEST_TRAPPED);
	}
	guest_end(&guest);
	return comes_out;
}

/* --- messages --------------------------------------------------------------------------------- */

/* Where the library puts the IMSIC of the first hart. Its identities begin with 1. */
#define IMSIC 0x28000000u

bool guest_has_messages(void)
{
	return riscv64_host_has_aia();
}

void guest_start_messages(struct guest *guest)
{
	struct axvm_config config = AXVM_CONFIG_INIT;

	config.irqchip = AXVM_IRQCHIP_KERNEL;
	guest_start_with(guest, &config, AXVCPU_MODE_64, PROGRAM(imsic));
	guest_expect_write(guest, GUEST_MMIO, 0);
}

struct axvm_msi guest_message(unsigned int n)
{
	return (struct axvm_msi){ .address = IMSIC, .data = n + 1 };
}

unsigned int guest_next_message(struct guest *guest)
{
	guest_expect(guest, AXVCPU_EXIT_MMIO_WRITE);
	ck_assert_uint_eq(guest->exit.u.mmio.addr, GUEST_MMIO + 8);
	return (unsigned int)guest->exit.u.mmio.data - 1;
}
