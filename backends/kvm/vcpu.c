/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* The vCPU: its descriptor and its shared mapping. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "backends/kvm/kvm.h"

/*
 * KVM keeps a vCPU until its VM ends, whatever is closed, and makes no second one of the same id.
 * So a freed vCPU that was never set up stays on a list, for the next one with its id.
 */
static struct axk_vcpu *take_unused(struct axk_vm *kvm, uint32_t id)
{
	for (struct axk_vcpu **p = &kvm->unused; *p; p = &(*p)->next_unused) {
		struct axk_vcpu *vcpu = *p;

		if (vcpu->id != id || vcpu->is_setup)
			continue;
		*p = vcpu->next_unused;
		vcpu->next_unused = NULL;
		atomic_store(&vcpu->kick, false);
		if (vcpu->run)
			vcpu->run->immediate_exit = 0;
		return vcpu;
	}
	return NULL;
}

static void keep_unused(struct axk_vcpu *vcpu)
{
	vcpu->next_unused = vcpu->vm->unused;
	vcpu->vm->unused = vcpu;
}

static int create(struct axk_vm *kvm, uint32_t id, struct axk_vcpu **out)
{
	struct axk_vcpu *vcpu = axv_sys_calloc(1, sizeof(*vcpu));
	int fd, ret;

	if (!vcpu)
		return axvcpu_fail(kvm->vm, -ENOMEM, "vCPU %" PRIu32, id);
	fd = axk_ioctl_value(kvm->fd, KVM_CREATE_VCPU, id);
	if (fd < 0) {
		free(vcpu);
		return axvcpu_fail(kvm->vm, fd, "KVM_CREATE_VCPU of vCPU %" PRIu32 "%s", id,
				   fd == -EEXIST ? ": KVM keeps each until its VM ends" : "");
	}
	vcpu->vm = kvm;
	vcpu->id = id;
	vcpu->fd = fd;
	vcpu->run_size = kvm->run_size;
	vcpu->forward = kvm->forward;
	vcpu->last_item = kvm->run_size - KVM_ITEM_MAX;
	ret = axk_arch_vcpu_created(vcpu);
	if (ret) {
		axk_vcpu_close(vcpu);
		return ret;
	}
	*out = vcpu;
	return 0;
}

int axk_vcpu_new(void *arch_vm, const struct axvcpu_config *config, void **arch_vcpu)
{
	struct axk_vm *kvm = arch_vm;
	struct axk_vcpu *vcpu = take_unused(kvm, config->id);
	void *run;
	int ret;

	if (config->arch)
		ret = axvcpu_fail(kvm->vm, -EINVAL, "vCPU %" PRIu32 ": KVM takes no arch config",
				  config->id);
	else
		ret = vcpu ? 0 : create(kvm, config->id, &vcpu);
	if (!ret && !vcpu->run) {
		ret = axv_sys_mmap(vcpu->run_size, PROT_READ | PROT_WRITE, MAP_SHARED, vcpu->fd, 0,
				   &run);
		if (ret)
			axk_vcpu_result(vcpu, ret, "mmap of struct kvm_run");
		else
			vcpu->run = run;
	}
	if (ret) {
		if (vcpu)
			keep_unused(vcpu);
		return ret;
	}
	*arch_vcpu = vcpu;
	return 0;
}

void axk_vcpu_close(struct axk_vcpu *vcpu)
{
	if (vcpu->run)
		axv_sys_munmap(vcpu->run, vcpu->run_size);
	axv_sys_close(vcpu->fd);
	free(vcpu);
}

void axk_vcpu_free(void *arch_vcpu)
{
	struct axk_vcpu *vcpu = arch_vcpu;

	if (vcpu->is_setup)
		axk_vcpu_close(vcpu);
	else
		keep_unused(vcpu);
}

int axk_set_ept_root(void *arch_vcpu, uint64_t root)
{
	const struct axk_vcpu *vcpu = arch_vcpu;

	if (root)
		return axvcpu_fail(vcpu->vm->vm, -EINVAL,
				   "setup: vCPU %" PRIu32
				   ": KVM has one memory map, the VM's: ept_root is 0",
				   vcpu->id);
	return 0;
}

int axk_vcpu_fd(void *arch_vcpu)
{
	const struct axk_vcpu *vcpu = arch_vcpu;

	return vcpu->fd;
}
