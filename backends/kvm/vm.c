/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* The VM: creation, memory slots, capabilities. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "backends/kvm/kvm.h"

/* KVM_CREATE_VM allocates a lot and gives up for any signal. */
#define CREATE_TRIES 100
/* The kernel's KVM_MEM_MAX_NR_PAGES, which no header and no capability tells. */
#define SLOT_PAGES_MAX ((UINT64_C(1) << 31) - 1)

/* What the config asks for and this architecture knows nothing of: as KVM would say, but by name. */
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
	return name ? axvcpu_fail(vm, -ENOTSUP,
				  "VM config: %s: not supported by KVM on " KVM_ARCH_NAME, name)
		    : 0;
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
		return axvcpu_fail(kvm->vm, fd,
				   "KVM_CREATE_VM: another hypervisor (VirtualBox, VMware) has the "
				   "CPU's virtualization: stop it");
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
		return axvcpu_fail(kvm->vm, -EIO, "KVM_GET_VCPU_MMAP_SIZE: %d bytes are too few",
				   ret);
	kvm->run_size = (size_t)ret;
	ret = axk_ioctl_value(kvm_fd, KVM_CHECK_EXTENSION, KVM_CAP_NR_MEMSLOTS);
	if (ret < 0)
		return axk_vm_result(kvm, ret, "KVM_CHECK_EXTENSION of KVM_CAP_NR_MEMSLOTS");
	limits->regions = ret ? (uint32_t)ret : 32;
	limits->region_bytes = SLOT_PAGES_MAX * limits->page_size;
	return 0;
}

/* The default is one vCPU, which any KVM has. */
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
				   "max_vcpus is %" PRIu32 ", KVM_CAP_MAX_VCPUS %d", wanted, max);
	return 0;
}

static int vm_init(struct axk_vm *kvm, int kvm_fd, const struct axvm_config *config,
		   struct axvm_limits *limits)
{
	int ret = axk_dev_check(kvm->vm, kvm_fd);

	if (!ret)
		ret = read_limits(kvm, kvm_fd, limits);
	if (!ret)
		ret = check_vcpus(kvm, kvm_fd, config->max_vcpus);
	if (!ret)
		ret = create_vm(kvm, kvm_fd, config);
	if (ret)
		return ret;
	ret = axk_irq_init(kvm);
	if (!ret)
		ret = axk_arch_vm_init(kvm, kvm_fd, config, limits);
	if (ret)
		axv_sys_close(kvm->fd);
	else
		kvm->gpa_bits = limits->gpa_bits;
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
		return axvcpu_fail(vm, -ENOMEM, "VM");
	kvm->vm = vm;
	kvm->max_vcpus = config->max_vcpus;
	kvm->forward = config->forward;
	kvm->kick_signal = config->kick_signal;
	kvm->irqchip = config->irqchip;
	kvm->kernel_irqchip = config->irqchip != AXVM_IRQCHIP_NONE;
	kvm_fd = given ? config->kvm_fd : axk_dev_open(vm);
	ret = kvm_fd < 0 ? kvm_fd : vm_init(kvm, kvm_fd, config, limits);
	/* Nothing needs it from here on, and a thousand VMs would need a thousand. */
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
	axv_sys_close(kvm->fd);
	free(kvm);
}

int axk_vm_fd(void *arch_vm)
{
	struct axk_vm *kvm = arch_vm;

	return kvm->fd;
}
