/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* Checks that operations on a VM begin with. */
#include "lib/machine/object.h"

#include <errno.h>
#include <inttypes.h>

bool axvm_is_copy(const struct axvm *vm)
{
	return axv_process_is_child(&vm->process);
}

int axv_vm_refuse_child(const struct axvm *vm)
{
	return axvcpu_fail(vm, -EPERM,
			   "VM %" PRIu64 " belongs to process %d; its children cannot use it",
			   vm->id, (int)vm->process.pid);
}

int axv_vm_not_supported(const struct axvm *vm, const char *what)
{
	return axvcpu_fail(vm, -ENOTSUP, "%s: not supported by the %s backend", what,
			   vm->ops->name);
}

int axv_vm_reg_result(const struct axvm *vm, int ret, const char *what, uint64_t id)
{
	if (ret == -ENOENT)
		return axvcpu_fail(vm, ret, "%s: the %s backend has no register %#" PRIx64, what,
				   vm->ops->name, id);
	return ret;
}
