/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* The vCPU: its descriptor and its shared mapping. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "backends/kvm/kvm.h"

int kvm_vcpu_result(const struct kvm_vcpu *vcpu, int ret, const char *what)
{
	return likely(ret >= 0)
		       ? ret
		       : axvcpu_fail(vcpu->vm->vm, ret, "%s on vCPU %" PRIu32, what, vcpu->id);
}

/*
 * KVM keeps a vCPU until its VM ends, whatever is closed, and makes no second one of the same id.
 * So what is given up is parked, and a vCPU that never got a state of its own is used again.
 */
static struct kvm_vcpu *unpark(struct kvm_vm *kvm, uint32_t id)
{
	for (struct kvm_vcpu **p = &kvm->parked; *p; p = &(*p)->next_parked) {
		struct kvm_vcpu *vcpu = *p;

		if (vcpu->id != id || vcpu->is_setup)
			continue;
		*p = vcpu->next_parked;
		vcpu->next_parked = NULL;
		atomic_store(&vcpu->kick, false);
		if (vcpu->run)
			vcpu->run->immediate_exit = 0;
		return vcpu;
	}
	return NULL;
}

static void park(struct kvm_vcpu *vcpu)
{
	vcpu->next_parked = vcpu->vm->parked;
	vcpu->vm->parked = vcpu;
}

static int create(struct kvm_vm *kvm, uint32_t id, struct kvm_vcpu **out)
{
	struct kvm_vcpu *vcpu = sys_calloc(1, sizeof(*vcpu));
	int fd, ret;

	if (!vcpu)
		return axvcpu_fail(kvm->vm, -ENOMEM, "vCPU %" PRIu32, id);
	fd = kvm_ioctl_value(kvm->fd, KVM_CREATE_VCPU, id);
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
	ret = kvm_arch_vcpu_created(vcpu);
	if (ret) {
		kvm_vcpu_close(vcpu);
		return ret;
	}
	*out = vcpu;
	return 0;
}

int kvm_vcpu_new(void *arch_vm, const struct axvcpu_config *config, void **arch_vcpu)
{
	struct kvm_vm *kvm = arch_vm;
	struct kvm_vcpu *vcpu = unpark(kvm, config->id);
	void *run;
	int ret;

	if (config->arch)
		ret = axvcpu_fail(kvm->vm, -EINVAL, "vCPU %" PRIu32 ": KVM takes no arch config",
				  config->id);
	else
		ret = vcpu ? 0 : create(kvm, config->id, &vcpu);
	if (!ret && !vcpu->run) {
		ret = sys_mmap(vcpu->run_size, PROT_READ | PROT_WRITE, MAP_SHARED, vcpu->fd, 0,
			       &run);
		if (ret)
			kvm_vcpu_result(vcpu, ret, "mmap of struct kvm_run");
		else
			vcpu->run = run;
	}
	if (ret) {
		if (vcpu)
			park(vcpu);
		return ret;
	}
	*arch_vcpu = vcpu;
	return 0;
}

void kvm_vcpu_close(struct kvm_vcpu *vcpu)
{
	if (vcpu->run)
		sys_munmap(vcpu->run, vcpu->run_size);
	sys_close(vcpu->fd);
	free(vcpu);
}

void kvm_vcpu_free(void *arch_vcpu)
{
	struct kvm_vcpu *vcpu = arch_vcpu;

	if (vcpu->is_setup)
		kvm_vcpu_close(vcpu);
	else
		park(vcpu);
}

int kvm_set_ept_root(void *arch_vcpu, uint64_t root)
{
	const struct kvm_vcpu *vcpu = arch_vcpu;

	if (root)
		return axvcpu_fail(vcpu->vm->vm, -EINVAL,
				   "setup: vCPU %" PRIu32
				   ": KVM has one memory map, the VM's: ept_root is 0",
				   vcpu->id);
	return 0;
}

int kvm_vcpu_fd(void *arch_vcpu)
{
	const struct kvm_vcpu *vcpu = arch_vcpu;

	return vcpu->fd;
}
