/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* A device that the guest reads. The guest adds 1 to the answer and writes the sum. */
#include "start.h"

int main(void)
{
	struct axvm *vm = start_vm(guest_read, guest_read_size);
	struct axvcpu *vcpu = start_vcpu(vm, 0);
	struct axvcpu_exit ex;

	check(axvcpu_bind(vcpu));
	check(axvcpu_run(vcpu, &ex));
	if (ex.kind == AXVCPU_EXIT_MMIO_READ) {
		printf("the guest reads %u bytes: 41\n", ex.u.mmio.width);
		check(axvcpu_complete_value(vcpu, 41));
	}
	check(axvcpu_run(vcpu, &ex));
	if (ex.kind == AXVCPU_EXIT_MMIO_WRITE)
		printf("the guest writes %d\n", (int)ex.u.mmio.data);
	check(axvcpu_free(vcpu));
	check(axvm_free(vm));
	return 0;
}
