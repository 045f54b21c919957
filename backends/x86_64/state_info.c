/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* The parts of a saved vCPU that the host has, and their sizes. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "backends/x86_64/state.h"

/* Upper bounds, far above the sizes of any CPU. */
#define XSAVE_MAX 0x100000u
#define NESTED_MAX 0x10000u

void axk_x86_state_forget(struct axk_vcpu *vcpu)
{
	if (vcpu->arch.state)
		free(vcpu->arch.state->msrs);
	free(vcpu->arch.state);
	vcpu->arch.state = NULL;
}

static int check_size(const struct axk_vcpu *vcpu, unsigned int capability, size_t max)
{
	int size = axk_vm_capability(vcpu->vm, capability);

	if (size < 0 || (size_t)size <= max)
		return size;
	return axvcpu_fail(vcpu->vm->vm, -EIO,
			   "save: vCPU %" PRIu32 ": KVM reports %d for capability %u; at most %zu "
			   "was expected",
			   vcpu->id, size, capability, max);
}

static int find_info(struct axk_vcpu *vcpu, struct axk_x86_state_info *info)
{
	uint64_t offset;
	int ret = axk_vm_capability(vcpu->vm, KVM_CAP_SREGS2);

	if (ret < 0)
		return ret;
	info->has_sregs2 = ret;
	ret = axk_vm_capability(vcpu->vm, KVM_CAP_SYNC_REGS);
	if (ret < 0)
		return ret;
	info->can_sync = ((uint32_t)ret & KVM_SYNC_X86_VALID_FIELDS) == KVM_SYNC_X86_VALID_FIELDS;
	ret = check_size(vcpu, KVM_CAP_XSAVE2, XSAVE_MAX);
	if (ret < 0)
		return ret;
	info->xsave_size = sizeof(struct kvm_xsave);
	if ((size_t)ret > info->xsave_size)
		info->xsave_size = (size_t)ret;
	ret = check_size(vcpu, KVM_CAP_NESTED_STATE, NESTED_MAX);
	if (ret < 0)
		return ret;
	info->nested_size = (size_t)ret;
	if (info->nested_size < sizeof(struct kvm_nested_state))
		info->nested_size = 0;
	ret = axk_x86_get_tsc_offset(vcpu, &offset);
	if (ret < 0)
		return ret;
	info->has_tsc_offset = ret;
	return 0;
}

int axk_x86_need_state_info(struct axk_vcpu *vcpu)
{
	struct axk_x86_state_info *info;
	int ret;

	if (vcpu->arch.state)
		return 0;
	info = axv_sys_calloc(1, sizeof(*info));
	if (!info)
		return axvcpu_fail(vcpu->vm->vm, -ENOMEM,
				   "save: vCPU %" PRIu32 ": allocating the list of its parts",
				   vcpu->id);
	ret = find_info(vcpu, info);
	if (ret)
		free(info);
	else
		vcpu->arch.state = info;
	return ret;
}

int axk_x86_no_memory(const struct axk_vcpu *vcpu, const char *what)
{
	return axvcpu_fail(vcpu->vm->vm, -ENOMEM, "vCPU %" PRIu32 ": allocating %s", vcpu->id,
			   what);
}
