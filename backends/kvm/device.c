/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* Devices that KVM emulates: interrupt controllers, created by KVM_CREATE_DEVICE. */
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
	if (ret < 0)
		return axvcpu_fail(kvm->vm, ret, "KVM_CREATE_DEVICE of %s", name);
	return (int)device.fd;
}

int axk_device_exists(const struct axk_vm *kvm, uint32_t type)
{
	struct kvm_create_device device = { .type = type, .flags = KVM_CREATE_DEVICE_TEST };
	int ret = axk_ioctl(kvm->fd, KVM_CREATE_DEVICE, &device);

	if (ret == -ENODEV)
		return 0;
	if (ret < 0)
		return axvcpu_fail(kvm->vm, ret,
				   "KVM_CREATE_DEVICE of type %" PRIu32
				   " with KVM_CREATE_DEVICE_TEST",
				   type);
	return 1;
}

int axk_device_has(const struct axk_vm *kvm, int fd, uint32_t group, uint64_t attr)
{
	const struct kvm_device_attr has = { .group = group, .attr = attr };
	int ret = axk_ioctl(fd, KVM_HAS_DEVICE_ATTR, &has);

	/* Unknown attribute, unknown group, or no attributes at all. */
	if (ret == -ENXIO || ret == -ENODEV || ret == -ENOTTY || ret == -EINVAL)
		return 0;
	if (ret < 0)
		return axvcpu_fail(kvm->vm, ret, "KVM_HAS_DEVICE_ATTR");
	return 1;
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
