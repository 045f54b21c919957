/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* The smallest VMM, as the README shows it: some memory, one vCPU, a guest that says "Hi". */
#include <axvcpu/axvcpu.h>
#include <stdio.h>
#include <stdlib.h>

static void check(int ret)
{
	if (ret < 0) {
		fprintf(stderr, "minimal: %s\n", axvcpu_last_error());
		exit(1);
	}
}

int main(void)
{
	/* mov edx,0x3f8; mov al,'H'; out dx,al; mov al,'i'; out dx,al; mov al,10; out dx,al; hlt */
	static const char guest[] = "\xba\xf8\x03\0\0\xb0H\xee\xb0i\xee\xb0\x0a\xee\xf4";
	struct axvm_region memory = AXVM_REGION_INIT;
	struct axvcpu_setup_config setup = AXVCPU_SETUP_INIT;
	struct axvcpu_exit exit;
	struct axvcpu *vcpu;
	struct axvm *vm;

	memory.len = 0x10000;
	setup.mode = AXVCPU_MODE_32;
	check(axvm_new(NULL, &vm));
	check(axvm_map(vm, &memory));
	check(axvm_write(vm, 0x1000, guest, sizeof(guest)));
	check(axvcpu_new(vm, NULL, &vcpu));
	check(axvcpu_setup(vcpu, 0x1000, 0, &setup));
	check(axvcpu_bind(vcpu));
	do {
		check(axvcpu_run(vcpu, &exit));
		if (exit.kind == AXVCPU_EXIT_IO_WRITE && exit.u.io.port == 0x3f8)
			putchar((int)exit.u.io.data);
	} while (exit.kind != AXVCPU_EXIT_HALT);
	check(axvcpu_free(vcpu));
	check(axvm_free(vm));
	return 0;
}
