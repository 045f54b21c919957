/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* Devices that the kernel emulates beside the vCPUs: interrupt controllers, made with KVM_CREATE_DEVICE. */
#include <errno.h>
#include <inttypes.h>

#include "backends/kvm/device.h"

int axk_device_new(const struct axk_vm *kvm, uint32_t type, const char *name)
{
	struct kvm_create_device device = { .type = type };
	int ret = axk_ioctl(kvm->fd, KVM_CREATE_DEVICE, &device);

	if (ret == -ENODEV)
		return axvcpu_fail(kvm->vm, -ENOTSUP, "VM config: irqchip: this KVM has no %s",
				   name);
	return ret < 0 ? axvcpu_fail(kvm->vm, ret, "KVM_CREATE_DEVICE of %s", name)
		       : (int)device.fd;
}

int axk_device_exists(const struct axk_vm *kvm, uint32_t type)
{
	struct kvm_create_device device = { .type = type, .flags = KVM_CREATE_DEVICE_TEST };
	int ret = axk_ioctl(kvm->fd, KVM_CREATE_DEVICE, &device);

	if (ret == -ENODEV)
		return 0;
	return ret < 0 ? axvcpu_fail(kvm->vm, ret, "KVM_CREATE_DEVICE, as a test, of type %" PRIu32,
				     type)
		       : 1;
}

int axk_device_has(const struct axk_vm *kvm, int fd, uint32_t group, uint64_t attr)
{
	const struct kvm_device_attr has = { .group = group, .attr = attr };
	int ret = axk_ioctl(fd, KVM_HAS_DEVICE_ATTR, &has);

	/* There is none of that name; or of that kind; or there are none at all. */
	if (ret == -ENXIO || ret == -ENODEV || ret == -ENOTTY || ret == -EINVAL)
		return 0;
	return ret < 0 ? axvcpu_fail(kvm->vm, ret, "KVM_HAS_DEVICE_ATTR") : 1;
}

int axk_device_set(const struct axk_vm *kvm, int fd, uint32_t group, uint64_t attr,
		   const void *value, const char *what)
{
	const struct kvm_device_attr set = { .group = group,
					     .attr = attr,
					     .addr = (uintptr_t)value };

	return axk_vm_result(kvm, axk_ioctl(fd, KVM_SET_DEVICE_ATTR, &set), what);
}

int axk_device_get(const struct axk_vm *kvm, int fd, uint32_t group, uint64_t attr, void *value,
		   const char *what)
{
	const struct kvm_device_attr get = { .group = group,
					     .attr = attr,
					     .addr = (uintptr_t)value };

	return axk_vm_result(kvm, axk_ioctl(fd, KVM_GET_DEVICE_ATTR, &get), what);
}
