/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* The smallest VMM, as the README shows it: memory, a console, one vCPU, a guest that says "Hi". */
#include <axvcpu/axvcpu.h>
#include <stdio.h>

extern const char guest_hi[];
extern const uint32_t guest_hi_size;

static int print(struct axvcpu *vcpu, void *last, uint64_t offset, unsigned int width,
		 uint64_t byte)
{
	(void)vcpu, (void)offset, (void)width;
	*(int *)last = putchar((int)byte);
	return AXVM_HANDLED;
}

int main(void)
{
	const struct axvm_device_range range = { .base = 0x10000000, .len = 1 };
	struct axvcpu *vcpu = NULL;
	struct axvm *vm = NULL;
	struct axvcpu_exit ex;
	int last = 0;

	if (!axvm_new(NULL, &vm) && !axvm_map(vm, &AXVCPU_WITH(axvm_region, .len = 0x10000)) &&
	    !axvm_write(vm, 0x1000, guest_hi, guest_hi_size) &&
	    !axvm_add_device(vm,
			     &AXVCPU_WITH(axvm_device_config, .name = "console", .ctx = &last,
					  .ranges = &range, .nranges = 1, .write = print),
			     NULL) &&
	    !axvcpu_new(vm, NULL, &vcpu) && !axvcpu_setup(vcpu, 0x1000, 0, NULL) &&
	    !axvcpu_bind(vcpu))
		while (last != '\n' && !axvcpu_run(vcpu, &ex) && axvcpu_dispatch(vcpu, &ex) >= 0)
			;
	if (last != '\n')
		fprintf(stderr, "minimal: %s\n", axvcpu_last_error());
	axvcpu_free(vcpu);
	axvm_free(vm);
	return last != '\n';
}
