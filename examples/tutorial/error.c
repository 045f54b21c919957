/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* Calls that fail, what they say, and a vCPU that runs as if they had not been made. */
#include "start.h"

static void report(const char *call, int ret)
{
	printf("%s: %s\n", call, axvcpu_error_name(ret));
	if (ret < 0)
		printf("    %s\n", axvcpu_last_error());
}

int main(void)
{
	struct axvm *vm = start_vm(guest_six, guest_six_size);
	struct axvm_region memory = AXVM_REGION_INIT;
	struct axvcpu *vcpu = start_vcpu(vm, 0);
	struct axvcpu_exit ex;

	report("axvcpu_run", axvcpu_run(vcpu, &ex));
	report("axvcpu_bind", axvcpu_bind(vcpu));
	memory.gpa = 0x10000;
	memory.len = 0x10000;
	report("axvm_map", axvm_map(vm, &memory));
	report("axvm_free", axvm_free(vm));
	report("axvcpu_complete_value", axvcpu_complete_value(vcpu, 1));
	report("axvcpu_run", axvcpu_run(vcpu, &ex));
	printf("%s\n", axvcpu_exit_name(ex.kind));

	check(axvcpu_free(vcpu));
	check(axvm_free(vm));
	return 0;
}
