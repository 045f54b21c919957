/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* A guest of six instructions: a VM, memory, a vCPU, and its first exit. */
#include <axvcpu/axvcpu.h>
#include <stdio.h>
#include <stdlib.h>

#include "guests.h"

static void check(int ret)
{
	if (ret < 0) {
		fprintf(stderr, "%s\n", axvcpu_last_error());
		exit(1);
	}
}

int main(void)
{
	struct axvm_region memory = AXVM_REGION_INIT;
	struct axvcpu_exit ex;
	struct axvcpu *vcpu;
	struct axvm *vm;
	char text[512];

	check(axvm_new(NULL, &vm));
	memory.len = 0x10000;
	check(axvm_map(vm, &memory));
	check(axvm_write(vm, 0x1000, guest_six, guest_six_size));

	check(axvcpu_new(vm, NULL, &vcpu));
	check(axvcpu_setup(vcpu, 0x1000, 0, NULL));
	check(axvcpu_bind(vcpu));

	check(axvcpu_run(vcpu, &ex));
	axvcpu_exit_describe(&ex, text, sizeof(text));
	printf("%s\n", text);

	check(axvcpu_free(vcpu));
	check(axvm_free(vm));
	return 0;
}
