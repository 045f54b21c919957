/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
#include "riscv64_guest.h"

#include "suite.h"

bool riscv64_host_has_aia(void)
{
	struct axvm_config config = AXVM_CONFIG_INIT;
	struct axvm *vm;

	config.irqchip = AXVM_IRQCHIP_KERNEL;
	if (axvm_new(&config, &vm))
		return false;
	axvm_free(vm);
	return true;
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
