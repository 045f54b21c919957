/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* A console: each byte that the guest stores at 0x10000000 is a character. */
#include "start.h"

int main(void)
{
	struct axvm *vm = start_vm(guest_console, guest_console_size);
	struct axvcpu *vcpu = start_vcpu(vm, 0);
	struct axvcpu_exit ex;

	check(axvcpu_bind(vcpu));
	for (;;) {
		check(axvcpu_run(vcpu, &ex));
		if (ex.kind != AXVCPU_EXIT_MMIO_WRITE || !ex.u.mmio.data)
			break;
		putchar((int)ex.u.mmio.data);
	}
	check(axvcpu_free(vcpu));
	check(axvm_free(vm));
	return 0;
}
