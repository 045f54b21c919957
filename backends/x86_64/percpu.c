/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* What is known of a host CPU before there is a VM. */
#include <stdlib.h>

#include "backends/x86_64/x86_64.h"

/*
 * EPT and NPT have four or five levels, and no others in 64-bit hosts. KVM does not say which of
 * them, but the fifth maps what is above 48 bits: tables that reach there have five. Kernels before
 * 6.10 do not tell the width of an instruction's addresses from that of the tables (see
 * axk_x86_cpuid_gpa_bits()); there a wide CPU with four levels counts as five, which is still "at most".
 * A fifth level that a kernel insists on in a narrower machine has one entry and is not counted.
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
