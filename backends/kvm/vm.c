/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* The VM: creation, limits, release. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "backends/kvm/kvm.h"

/* KVM_CREATE_VM allocates much memory, and fails with EINTR on any signal. */
#define CREATE_TRIES 100
/* KVM_MEM_MAX_NR_PAGES of the kernel, which no header and no capability reports. */
#define SLOT_PAGES_MAX ((UINT64_C(1) << 31) - 1)

/* Refuses options that KVM does not have on this architecture, by name. */
static int check_config(const struct axvm *vm, const struct axvm_config *config)
{
	static const struct {
		uint32_t bit;
		const char *name;
	} forwards[] = {
		{ AXVM_FORWARD_HYPERCALLS, "AXVM_FORWARD_HYPERCALLS" },
		{ AXVM_FORWARD_MAP_GPA_RANGE, "AXVM_FORWARD_MAP_GPA_RANGE" },
		{ AXVM_FORWARD_UNKNOWN_SYSREGS, "AXVM_FORWARD_UNKNOWN_SYSREGS" },
		{ AXVM_FORWARD_IPIS, "AXVM_FORWARD_IPIS" },
		{ AXVM_FORWARD_DOORBELL, "AXVM_FORWARD_DOORBELL" },
		{ AXVM_FORWARD_POWER, "AXVM_FORWARD_POWER" },
		{ AXVM_FORWARD_SUSPEND, "AXVM_FORWARD_SUSPEND" },
		{ AXVM_FORWARD_POWER_OFF, "AXVM_FORWARD_POWER_OFF" },
	};
	const char *name = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(forwards); i++)
		if (config->forward & forwards[i].bit & ~KVM_ARCH_FORWARDS)
			name = forwards[i].name;
	if (config->nsysregs && !KVM_ARCH_SYSREGS)
		name = "sysregs";
	if (config->notify_window && !KVM_ARCH_NOTIFY)
		name = "notify_window";
	if (config->irqchip == AXVM_IRQCHIP_SPLIT && !KVM_ARCH_SPLIT_IRQCHIP)
		name = "AXVM_IRQCHIP_SPLIT";
	if (name)
		return axvcpu_fail(vm, -ENOTSUP,
				   "VM config: %s: not supported by KVM on " KVM_ARCH_NAME, name);
	return 0;
}

static int create_vm(struct axk_vm *kvm, int kvm_fd, const struct axvm_config *config)
{
	int type = axk_arch_vm_type(kvm_fd, kvm->vm, config);
	int fd = -EINTR;

	if (type < 0)
		return type;
	for (int i = 0; i < CREATE_TRIES && fd == -EINTR; i++)
		fd = axk_ioctl_value(kvm_fd, KVM_CREATE_VM, type);
	if (fd == -EBUSY)
		return axvcpu_fail(
			kvm->vm, fd,
			"KVM_CREATE_VM: another hypervisor (VirtualBox, VMware) uses the CPU's "
			"virtualization extensions; stop it first");
	if (fd < 0)
		return axk_vm_result(kvm, fd, "KVM_CREATE_VM");
	kvm->fd = fd;
	return 0;
}

static int read_limits(struct axk_vm *kvm, int kvm_fd, struct axvm_limits *limits)
{
	int ret = axk_ioctl_value(kvm_fd, KVM_GET_VCPU_MMAP_SIZE, 0);

	if (ret < 0)
		return axk_vm_result(kvm, ret, "KVM_GET_VCPU_MMAP_SIZE");
	if ((size_t)ret < sizeof(struct kvm_run))
		return axvcpu_fail(kvm->vm, -EIO,
				   "KVM_GET_VCPU_MMAP_SIZE: %d bytes are less than struct kvm_run",
				   ret);
	kvm->run_size = (size_t)ret;
	ret = axk_ioctl_value(kvm_fd, KVM_CHECK_EXTENSION, KVM_CAP_NR_MEMSLOTS);
	if (ret < 0)
		return axk_vm_result(kvm, ret, "KVM_CHECK_EXTENSION of KVM_CAP_NR_MEMSLOTS");
	limits->regions = ret ? (uint32_t)ret : 32;
	limits->region_bytes = SLOT_PAGES_MAX * limits->page_size;
	return 0;
}

/* Every KVM supports one vCPU, the default. */
static int check_vcpus(const struct axk_vm *kvm, int kvm_fd, uint32_t wanted)
{
	int max;

	if (wanted == 1)
		return 0;
	max = axk_ioctl_value(kvm_fd, KVM_CHECK_EXTENSION, KVM_CAP_MAX_VCPUS);
	if (max < 0)
		return axk_vm_result(kvm, max, "KVM_CHECK_EXTENSION of KVM_CAP_MAX_VCPUS");
	if (wanted > (uint32_t)max)
		return axvcpu_fail(kvm->vm, -EINVAL,
				   "VM config: max_vcpus is %" PRIu32 "; KVM_CAP_MAX_VCPUS is %d",
				   wanted, max);
	return 0;
}

static int vm_init(struct axk_vm *kvm, int kvm_fd, const struct axvm_config *config,
		   struct axvm_limits *limits)
{
	int ret = axk_dev_check(kvm->vm, kvm_fd);

	if (ret)
		return ret;
	ret = read_limits(kvm, kvm_fd, limits);
	if (ret)
		return ret;
	ret = check_vcpus(kvm, kvm_fd, config->max_vcpus);
	if (ret)
		return ret;
	ret = create_vm(kvm, kvm_fd, config);
	if (ret)
		return ret;
	ret = axk_irq_init(kvm);
	if (ret)
		goto close;
	/* Before there are slots and vCPUs. */
	ret = axk_dirty_init(kvm, config->dirty_ring_entries, limits->regions);
	if (ret)
		goto close;
	ret = axk_arch_vm_init(kvm, kvm_fd, config, limits);
	if (ret)
		goto destroy;
	kvm->gpa_bits = limits->gpa_bits;
	return 0;

destroy:
	axk_dirty_destroy(kvm);
close:
	axv_sys_close(kvm->fd);
	return ret;
}

int axk_vm_new(struct axvm *vm, const struct axvm_config *config, struct axvm_limits *limits,
	       void **arch_vm)
{
	bool given = config->flags & AXVM_F_KVM_FD;
	struct axk_vm *kvm;
	int kvm_fd, ret = check_config(vm, config);

	if (ret)
		return ret;
	kvm = axv_sys_calloc(1, sizeof(*kvm));
	if (!kvm)
		return axvcpu_fail(vm, -ENOMEM, "VM: allocating the backend's part");
	kvm->vm = vm;
	kvm->max_vcpus = config->max_vcpus;
	kvm->forward = config->forward;
	kvm->kick_signal = config->kick_signal;
	kvm->irqchip = config->irqchip;
	kvm->kernel_irqchip = config->irqchip != AXVM_IRQCHIP_NONE;
	kvm_fd = given ? config->kvm_fd : axk_dev_open(vm);
	ret = kvm_fd < 0 ? kvm_fd : vm_init(kvm, kvm_fd, config, limits);
	/* Not needed any more. Kept open, each VM would use one more descriptor. */
	if (!given && kvm_fd >= 0)
		axv_sys_close(kvm_fd);
	if (ret) {
		free(kvm);
		return ret;
	}
	*arch_vm = kvm;
	return 0;
}

void axk_vm_free(void *arch_vm)
{
	struct axk_vm *kvm = arch_vm;

	while (kvm->unused) {
		struct axk_vcpu *vcpu = kvm->unused;

		kvm->unused = vcpu->next_unused;
		axk_vcpu_close(vcpu);
	}
	axk_arch_vm_destroy(kvm);
	axk_dirty_destroy(kvm);
	axv_sys_close(kvm->fd);
	free(kvm);
}

int axk_vm_fd(void *arch_vm)
{
	struct axk_vm *kvm = arch_vm;

	return kvm->fd;
}
