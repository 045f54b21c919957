/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* Properties of a host CPU without a VM. */
#include <stdlib.h>

#include "backends/x86_64/x86_64.h"

/*
 * EPT and NPT have four or five levels on 64-bit hosts. KVM does not report which, but only five
 * levels map addresses of more than 48 bits. Kernels before 6.10 do not report the width that the
 * tables map (see axk_x86_cpuid_gpa_bits()): there a wide CPU with four levels counts as five,
 * which is still a maximum. If a kernel uses a fifth level on a narrower CPU, that has one entry
 * and is not counted.
 */
int axk_arch_guest_page_table_levels(int kvm_fd)
{
	struct kvm_cpuid2 *cpuid;
	int ret = axk_x86_cpuid_read(NULL, kvm_fd, &cpuid);

	if (ret)
		return ret;
	ret = axk_x86_cpuid_gpa_bits(cpuid) > 48 ? 5 : 4;
	free(cpuid);
	return ret;
}
