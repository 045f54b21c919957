/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* Two vCPUs, each run by a thread of the runner. The second starts when the first has written. */
#include "start.h"

static struct axvcpu *vcpus[2];

static int handle(struct axvcpu *vcpu, struct axvcpu_exit *ex, void *ctx)
{
	(void)ctx;
	if (ex->kind != AXVCPU_EXIT_MMIO_WRITE)
		return AXVM_CONTINUE;
	printf("vCPU %u writes %d\n", axvcpu_id(vcpu), (int)ex->u.mmio.data);
	if (vcpu == vcpus[1])
		return AXVM_STOP;
	return axvcpu_start(vcpus[1], ENTRY, 1);
}

int main(void)
{
	struct axvm *vm = start_vm(guest_two, guest_two_size);
	struct axvm_runner_config config = AXVM_RUNNER_CONFIG_INIT;
	struct axvm_runner *runner;

	vcpus[0] = start_vcpu(vm, 0);
	vcpus[1] = start_vcpu(vm, 1);
	config.handler = handle;
	config.vcpus = vcpus;
	config.nvcpus = 2;
	check(axvm_runner_start(vm, &config, &runner));
	check(axvm_runner_join(runner, -1));

	check(axvm_runner_free(runner));
	check(axvcpu_free(vcpus[0]));
	check(axvcpu_free(vcpus[1]));
	check(axvm_free(vm));
	return 0;
}
