/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* The smallest VMM, as the README shows it: some memory, one vCPU, a guest that says "Hi". */
#include <axvcpu/axvcpu.h>
#include <stdio.h>
#include <stdlib.h>

extern const char guest_hi[];
extern const uint32_t guest_hi_size;

static void check(int ret)
{
	if (ret < 0) {
		fprintf(stderr, "minimal: %s\n", axvcpu_last_error());
		exit(1);
	}
}

int main(void)
{
	struct axvm_region memory = AXVM_REGION_INIT;
	struct axvcpu_exit ex;
	struct axvcpu *vcpu;
	struct axvm *vm;

	memory.len = 0x10000;
	check(axvm_new(NULL, &vm));
	check(axvm_map(vm, &memory));
	check(axvm_write(vm, 0x1000, guest_hi, guest_hi_size));
	check(axvcpu_new(vm, NULL, &vcpu));
	check(axvcpu_setup(vcpu, 0x1000, 0, NULL));
	check(axvcpu_bind(vcpu));
	do {
		check(axvcpu_run(vcpu, &ex));
		if (ex.kind == AXVCPU_EXIT_MMIO_WRITE)
			putchar((int)ex.u.mmio.data);
	} while (ex.kind != AXVCPU_EXIT_MMIO_WRITE || ex.u.mmio.data != '\n');
	check(axvcpu_free(vcpu));
	check(axvm_free(vm));
	return 0;
}
