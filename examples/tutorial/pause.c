/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* Pauses a guest that counts in a register, without an exit, and reads the register. */
#include <unistd.h>

#include "start.h"

static int handle(struct axvcpu *vcpu, struct axvcpu_exit *ex, void *ctx)
{
	(void)vcpu;
	(void)ex;
	(void)ctx;
	return AXVM_CONTINUE;
}

/* Reads all general registers while the vCPU is paused: the counter is r10, x10 or a0. */
static uint64_t counter(struct axvm_runner *runner, struct axvcpu *vcpu)
{
	struct axvcpu_regs regs;

	check(axvm_runner_pause(runner, -1));
	check(axvcpu_get_regs(vcpu, &regs));
	check(axvm_runner_resume(runner));
	return regs.gpr[10];
}

int main(void)
{
	struct axvm *vm = start_vm(guest_count, guest_count_size);
	struct axvm_runner_config config = AXVM_RUNNER_CONFIG_INIT;
	struct axvcpu *vcpu = start_vcpu(vm, 0);
	struct axvm_runner *runner;
	uint64_t first;

	config.handler = handle;
	config.vcpus = &vcpu;
	config.nvcpus = 1;
	check(axvm_runner_start(vm, &config, &runner));
	first = counter(runner, vcpu);
	do
		usleep(1000);
	while (counter(runner, vcpu) == first);
	printf("paused, resumed and paused again: the guest has counted on\n");

	check(axvm_runner_free(runner));
	check(axvcpu_free(vcpu));
	check(axvm_free(vm));
	return 0;
}
