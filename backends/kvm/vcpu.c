/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* The vCPU: its descriptor and its shared mapping. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "backends/kvm/kvm.h"

/*
 * KVM keeps a vCPU until its VM ends, even if its descriptor is closed, and creates no second one
 * with the same id. So a freed vCPU that was never set up stays on a list, and is reused for the
 * same id.
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
		return axvcpu_fail(kvm->vm, -ENOMEM,
				   "vCPU %" PRIu32 ": allocating the backend's part", id);
	fd = axk_ioctl_value(kvm->fd, KVM_CREATE_VCPU, id);
	if (fd < 0) {
		free(vcpu);
		return axvcpu_fail(kvm->vm, fd, "KVM_CREATE_VCPU of vCPU %" PRIu32 "%s", id,
				   fd == -EEXIST ? ": KVM keeps each vCPU until its VM ends" : "");
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

/* Maps struct kvm_run, unless an earlier use of the vCPU has. */
static int map_run(struct axk_vcpu *vcpu)
{
	void *run;
	int ret;

	if (vcpu->run)
		return 0;
	ret = axv_sys_mmap(vcpu->run_size, PROT_READ | PROT_WRITE, MAP_SHARED, vcpu->fd, 0, &run);
	if (ret)
		return axk_vcpu_result(vcpu, ret, "mmap of struct kvm_run");
	vcpu->run = run;
	return 0;
}

int axk_vcpu_new(void *arch_vm, const struct axvcpu_config *config, void **arch_vcpu)
{
	struct axk_vm *kvm = arch_vm;
	struct axk_vcpu *vcpu;
	int ret;

	if (config->arch)
		return axvcpu_fail(kvm->vm, -EINVAL,
				   "vCPU %" PRIu32 ": the KVM backend takes no arch config",
				   config->id);
	vcpu = take_unused(kvm, config->id);
	if (!vcpu) {
		ret = create(kvm, config->id, &vcpu);
		if (ret)
			return ret;
	}
	ret = map_run(vcpu);
	if (!ret)
		ret = axk_dirty_vcpu_new(vcpu);
	if (ret) {
		keep_unused(vcpu);
		return ret;
	}
	*arch_vcpu = vcpu;
	return 0;
}

void axk_vcpu_close(struct axk_vcpu *vcpu)
{
	axk_dirty_vcpu_close(vcpu);
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
				   ": ept_root must be 0: KVM only has the VM's memory map",
				   vcpu->id);
	return 0;
}

int axk_vcpu_fd(void *arch_vcpu)
{
	const struct axk_vcpu *vcpu = arch_vcpu;

	return vcpu->fd;
}
