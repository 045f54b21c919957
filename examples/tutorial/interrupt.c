/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* An interrupt: the guest says "." when it takes interrupts, and its handler says "!". */
#include <errno.h>

#include "start.h"

#define VECTOR 32

/* By a vector where the CPU takes vectors, else by the one interrupt line that the vCPU has. */
static int set_interrupt(struct axvcpu *vcpu, bool level)
{
	int ret = axvcpu_set_irq_line(vcpu, 0, level);

	if (ret == -ENOTSUP)
		ret = level ? axvcpu_inject_interrupt(vcpu, VECTOR) : 0;
	return ret;
}

int main(void)
{
	struct axvm *vm = start_vm(guest_interrupt, guest_interrupt_size);
	struct axvcpu *vcpu = start_vcpu(vm, 0);
	struct axvcpu_exit ex;
	int byte = 0;

	check(axvcpu_bind(vcpu));
	while (byte != '!') {
		check(axvcpu_run(vcpu, &ex));
		if (ex.kind != AXVCPU_EXIT_MMIO_WRITE)
			continue;
		byte = (int)ex.u.mmio.data;
		printf("the guest says %c\n", byte);
		check(set_interrupt(vcpu, byte == '.'));
	}
	check(axvcpu_free(vcpu));
	check(axvm_free(vm));
	return 0;
}
