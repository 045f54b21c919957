/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* Properties of a host CPU without a VM. */
#include <unistd.h>

#include "backends/arm64/arm64.h"

int axk_arm64_max_gpa_bits(const struct axvm *vm, int kvm_fd)
{
	int ret = axk_ioctl_value(kvm_fd, KVM_CHECK_EXTENSION, KVM_CAP_ARM_VM_IPA_SIZE);

	if (ret < 0)
		return axvcpu_fail(vm, ret, "KVM_CHECK_EXTENSION of KVM_CAP_ARM_VM_IPA_SIZE");
	return ret < KVM_GPA_BITS_MAX ? ret : KVM_GPA_BITS_MAX;
}

/*
 * A table of 8-byte entries fills a host page, so each level resolves three bits fewer than the
 * offset in a page has. Up to 16 tables can be concatenated at the top, which resolves four bits
 * more. KVM uses at least two levels.
 */
int axk_arch_guest_page_table_levels(int kvm_fd)
{
	int bits = axk_arm64_max_gpa_bits(NULL, kvm_fd);
	int page_bits = __builtin_ctzl((unsigned long)sysconf(_SC_PAGESIZE));
	int level_bits = page_bits - 3;
	int levels;

	if (bits < 0)
		return bits;
	if (!bits)
		bits = ARM64_GPA_BITS_DEFAULT;
	levels = (bits - 4 - page_bits + level_bits - 1) / level_bits;
	return levels < 2 ? 2 : levels;
}
