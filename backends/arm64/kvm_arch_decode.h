/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* The frequent exits that only arm64 has: none. MMIO is everybody's, exit.c has the others. */
#ifndef ARM64_KVM_ARCH_DECODE_H
#define ARM64_KVM_ARCH_DECODE_H

#include "backends/kvm/kvm.h"

static inline bool axk_arch_decode_frequent(struct axk_vcpu *vcpu, struct axvcpu_exit *exit,
					    uint32_t *open_exit_kind)
{
	(void)vcpu;
	(void)exit;
	(void)open_exit_kind;
	return false;
}

#endif
