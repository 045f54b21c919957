/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * Per-CPU state with KVM. KVM itself enables the hardware on all CPUs for the first VM, and
 * disables it after the last. So enabling only checks that KVM is usable, and keeps /dev/kvm open.
 */
#include <errno.h>

#include "backends/kvm/kvm.h"

/* Use of the words 'data' of struct axpercpu. */
enum {
	DATA_FD,
	DATA_LEVELS,
};

int axk_percpu_enable(uint32_t cpu, uint64_t data[4])
{
	int fd = axk_dev_open(NULL);
	int ret;

	(void)cpu;
	if (fd < 0)
		return fd;
	ret = axk_dev_check(NULL, fd);
	if (!ret)
		ret = axk_arch_guest_page_table_levels(fd);
	if (ret < 0) {
		axv_sys_close(fd);
		return ret;
	}
	data[DATA_FD] = (uint64_t)fd;
	data[DATA_LEVELS] = (uint64_t)ret;
	return 0;
}

void axk_percpu_disable(uint64_t data[4])
{
	axv_sys_close((int)data[DATA_FD]);
}

int axk_percpu_guest_page_table_levels(const uint64_t data[4])
{
	return (int)data[DATA_LEVELS];
}

int axk_percpu_capability(const uint64_t data[4], unsigned int capability)
{
	int ret = axk_ioctl_value((int)data[DATA_FD], KVM_CHECK_EXTENSION, capability);

	if (ret < 0)
		return axvcpu_fail(NULL, ret, "KVM_CHECK_EXTENSION of %u", capability);
	return ret;
}

int axk_percpu_fd(const uint64_t data[4])
{
	return (int)data[DATA_FD];
}
