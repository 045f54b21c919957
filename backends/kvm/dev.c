/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* /dev/kvm: opened, and found to be a KVM that will do. */
#include <errno.h>
#include <fcntl.h>

#include "backends/kvm/kvm.h"

int axk_dev_open(const struct axvm *vm)
{
	int fd = axv_sys_open("/dev/kvm", O_RDWR | O_CLOEXEC);

	switch (fd) {
	case -ENOENT:
	case -ENXIO:
	case -ENODEV:
		return axvcpu_fail(vm, -ENODEV,
				   "/dev/kvm does not exist: is the kvm module loaded, and "
				   "virtualization enabled in the firmware?");
	case -EACCES:
	case -EPERM:
		return axvcpu_fail(vm, -EACCES,
				   "/dev/kvm: permission denied; is the user in group kvm?");
	default:
		return fd < 0 ? axvcpu_fail(vm, fd, "opening /dev/kvm") : fd;
	}
}

static int check_version(const struct axvm *vm, int kvm_fd)
{
	int version = axk_ioctl_value(kvm_fd, KVM_GET_API_VERSION, 0);

	if (version == -EBADF)
		return axvcpu_fail(vm, version, "kvm_fd %d is not open", kvm_fd);
	if (version < 0)
		return axvcpu_fail(vm, -ENODEV, "KVM_GET_API_VERSION: this is not KVM");
	if (version != KVM_API_VERSION)
		return axvcpu_fail(vm, -ENOTSUP, "KVM's API has version %d, not %d", version,
				   KVM_API_VERSION);
	return 0;
}

int axk_dev_check(const struct axvm *vm, int kvm_fd)
{
	int ret = check_version(vm, kvm_fd);

	if (ret)
		return ret;
	ret = axk_ioctl_value(kvm_fd, KVM_CHECK_EXTENSION, KVM_CAP_IMMEDIATE_EXIT);
	if (ret < 0)
		return axvcpu_fail(vm, ret, "KVM_CHECK_EXTENSION of KVM_CAP_IMMEDIATE_EXIT");
	if (!ret)
		return axvcpu_fail(vm, -ENOTSUP,
				   "KVM_CAP_IMMEDIATE_EXIT is missing: Linux 4.11 has it");
	return 0;
}
