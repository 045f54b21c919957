/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* Reset of a whole VM: memory, controllers, vCPUs. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "axvcpu/life.h"
#include "axvcpu/request.h"
#include "axvcpu/vcpu.h"
#include "lib/machine/object.h"
#include "lib/machine/vcpus.h"

static int check(struct axvm *vm, uint32_t flags)
{
	int ret = axv_vm_check_process(vm);

	if (ret)
		return ret;
	if (flags & ~AXVM_RESET_MEMORY)
		return axvcpu_fail(vm, -EINVAL, "reset: unknown flags %#" PRIx32,
				   flags & ~AXVM_RESET_MEMORY);
	if (!HAS_OP(vm->ops, reset))
		return axv_vm_not_supported(vm, "reset");
	return axv_life_check(vm, LIFE_RESET, LIFE_ANY_RUN);
}

static int reset_vcpus(struct axvcpu *const *vcpus, int count)
{
	const struct axvcpu_request request = { .kind = AXVCPU_REQUEST_RESET_TO_SETUP };
	int ret = 0;

	for (int i = 0; !ret && i < count; i++)
		if (axvcpu_state(vcpus[i]) != AXVCPU_CREATED)
			ret = axvcpu_send_request(vcpus[i], &request, -1);
	return ret;
}

int axvm_reset(struct axvm *vm, uint32_t flags)
{
	struct axvcpu **vcpus = NULL;
	int count, ret = check(vm, flags);

	if (ret)
		return ret;
	count = axv_vcpus_list(vm, "reset", &vcpus);
	ret = count < 0 ? count : axv_vcpus_check_rest(vm, "reset");
	if (ret)
		goto out;
	/* The memory first: vCPUs may have tables in it. The vCPUs last: the controllers signal them. */
	if (flags & AXVM_RESET_MEMORY)
		axv_memory_clear(vm);
	if (HAS_OP(vm->ops, vm_reset))
		ret = vm->ops->vm_reset(vm->arch);
	if (!ret)
		ret = reset_vcpus(vcpus, count);
	if (!ret)
		ret = axv_life_reset(vm);
out:
	free(vcpus);
	return ret;
}
